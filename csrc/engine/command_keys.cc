// COMMAND GETKEYS and GETKEYSANDFLAGS: the key specs of a row applied to an invocation.
#include "engine/command.h"

namespace rp {

static bool has_keys(const Cmd* row) {
    for (const KeySpec& k : row->keys) {
        if (k.flags != 0 && (k.flags & kKeyNotKey) == 0) return true;
    }
    return false;
}

struct KeyList {
    Args argv;  // of the inner command
    const Cmd* row;
    Reply* out;
    bool with_flags;
    size_t count;
};

static void count_key(void* arg, size_t, uint32_t) { static_cast<KeyList*>(arg)->count++; }

static void reply_key(void* arg, size_t at, uint32_t flags) {
    auto* l = static_cast<KeyList*>(arg);
    if (l->with_flags) reply_array(l->out, 2);
    reply_bulk(l->out, l->argv[at]);
    if (l->with_flags) reply_key_flags(l->out, row_key_flags(l->row, l->argv, flags));
}

// Null: the error is replied.
static const Cmd* find_inner(const CmdCtx* c, Args argv, Reply* out) {
    CmdRef ref = command_find_as(session_renames(c->session), argv[0]);
    if (ref.row != nullptr && ref.row->subcommands != nullptr && argv.len > 1) {
        ref = command_find_sub(&ref, argv[1]);
    }
    if (ref.row == nullptr || !row_listed(ref.row)) {
        reply_error(out, "ERR Invalid command specified");
        return nullptr;
    }
    if (!has_keys(ref.row)) {
        reply_error(out, "ERR The command has no key arguments");
        return nullptr;
    }
    auto argc = static_cast<int64_t>(argv.len);
    int64_t arity = ref.row->arity;
    if (arity > 0 ? argc != arity : argc < -arity) {
        reply_error(out, "ERR Invalid number of arguments specified for command");
        return nullptr;
    }
    return ref.row;
}

static void getkeys(const CmdCtx* c, Args argv, Reply* out, bool with_flags) {
    Args inner = {argv.items + 2, argv.len - 2};
    const Cmd* row = find_inner(c, inner, out);
    if (row == nullptr) return;
    KeyList l = {inner, row, out, with_flags, 0};
    bool fine = row_each_key(row, inner, count_key, &l) && l.count != 0;
    if (!fine && (row->flags & kCmdNoMandatoryKeys) == 0) {
        return reply_error(out, "ERR Invalid arguments specified for command");
    }
    if (!fine) return reply_array(out, 0);
    reply_array(out, l.count);
    row_each_key(row, inner, reply_key, &l);
}

void command_getkeys(CmdCtx* c, Args argv, Reply* out) { getkeys(c, argv, out, false); }
void command_getkeysandflags(CmdCtx* c, Args argv, Reply* out) { getkeys(c, argv, out, true); }

}  // namespace rp
