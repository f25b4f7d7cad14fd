#include "cmd/redact.h"

#include "cmd/ctx.h"
#include "conf/rows.h"

namespace rp {

// HELLO [version [AUTH user password] [SETNAME name]]: read as the command itself reads it, so that
// a client called AUTH hides nothing and a password called SETNAME is hidden.
static bool hello_secret(Args argv, size_t at) {
    for (size_t i = 2; i < argv.len && i < at; i++) {
        if (arg_is(argv[i], "AUTH")) {
            if (at <= i + 2) return true;
            i += 2;
        } else if (arg_is(argv[i], "SETNAME")) {
            i++;
        }
    }
    return false;
}

static bool config_set_secret(Args argv, size_t at) {
    if (at < 3 || at % 2 == 0) return false;
    const ConfigRow* row = config_row_find(argv[at - 1]);
    return row != nullptr && (row->flags & kConfigSensitive) != 0;
}

// MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS..]
static bool migrate_secret(Args argv, size_t at) {
    for (size_t i = 6; i < argv.len && i < at; i++) {
        if (arg_is(argv[i], "KEYS")) return false;
        size_t hidden = arg_is(argv[i], "AUTH") ? 1 : arg_is(argv[i], "AUTH2") ? 2 : 0;
        if (at <= i + hidden) return true;
        i += hidden;
    }
    return false;
}

static bool acl_secret(const Cmd* row, size_t at) {
    return at >= 2 && (row_is(row, "SETUSER") || row_is(row, "DELUSER") || row_is(row, "GETUSER"));
}

bool arg_is_secret(const Cmd* parent, const Cmd* row, Args argv, size_t i) {
    if (i == 0) return false;
    if (parent == nullptr) {
        switch (row->name[0]) {  // most commands are done here
            case 'A': return row_is(row, "AUTH");
            case 'H': return row_is(row, "HELLO") && hello_secret(argv, i);
            case 'M': return row_is(row, "MIGRATE") && migrate_secret(argv, i);
            default: return false;
        }
    }
    if (row_is(parent, "ACL")) return acl_secret(row, i);
    return row_is(parent, "CONFIG") && row_is(row, "SET") && config_set_secret(argv, i);
}

}  // namespace rp
