// DUMP and RESTORE: one value as bytes, which Redis takes and gives too.
#include "base/numbers.h"
#include "cmd/effect.h"
#include "cmd/options.h"
#include "persist/families.h"
#include "persist/rdb_read.h"
#include "persist/rdb_write.h"
#include "store/notify.h"
#include "types/value.h"

namespace rp {

RdbLimits rdb_limits(const Config* c) {
    auto size = [](const ConfigNum& n) { return static_cast<size_t>(config_num(n)); };
    return {.hash_entries = size(c->hash_max_listpack_entries),
            .hash_value = size(c->hash_max_listpack_value),
            .zset_entries = size(c->zset_max_listpack_entries),
            .zset_value = size(c->zset_max_listpack_value),
            .set_intset = size(c->set_max_intset_entries),
            .list_size = config_num(c->list_max_listpack_size)};
}

// ---- DUMP -------------------------------------------------------------------------------------

// A bulk whose bytes are in an Out already.
static void reply_bulk_out(Reply* out, Out* take) {
    char head[32];
    head[0] = '$';
    size_t len = 1 + format_u64(head + 1, take->bytes);
    memcpy(head + len, "\r\n", 2);
    reply_raw(out, {head, len + 2});
    out_splice(out->out, take);
    reply_raw(out, "\r\n");
}

// False: it needs the lock.
static bool dump_entry(CmdCtx* c, const Entry* e, Out* payload) {
    StringView text;
    Value value;
    Type type = entry_type(e);
    if (type == Type::string) {
        db_value(&c->a, e, &text);
        if (!text.ok) return false;
    } else if (!db_view(&c->a, e, &value)) {
        return false;
    }
    bool compress = config_num(c->config->rdbcompression) != 0;
    rdb_payload(payload, type, text.bytes, &value, compress);
    return true;
}

static void cmd_dump(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = db_find(&c->a, argv[1]);
    if (e == nullptr) return reply_null(out);
    Out payload;
    if (dump_entry(c, e, &payload)) reply_bulk_out(out, &payload);
}

// ---- RESTORE ----------------------------------------------------------------------------------

struct RestoreOptions {
    bool replace = false;
    bool absolute = false;
    int64_t idle_s = -1;
    int64_t lfu = -1;
    Args age;  // the words of either, for the log
};

static bool parse_idle(CmdCtx* c, Bytes arg, RestoreOptions* o) {
    if (!arg_i64(c, arg, &o->idle_s)) return false;
    if (o->idle_s >= 0) return true;
    reply_error(c->out, "ERR Invalid IDLETIME value, must be >= 0");
    return false;
}

static bool parse_freq(CmdCtx* c, Bytes arg, RestoreOptions* o) {
    if (!arg_i64(c, arg, &o->lfu)) return false;
    if (o->lfu >= 0 && o->lfu <= UINT8_MAX) return true;
    reply_error(c->out, "ERR Invalid FREQ value, must be >= 0 and <= 255");
    return false;
}

// IDLETIME and FREQ exclude each other.
static bool parse_restore(CmdCtx* c, Args argv, RestoreOptions* o) {
    for (size_t i = 4; i < argv.len; i++) {
        bool more = i + 1 < argv.len;
        if (arg_is(argv[i], "REPLACE")) {
            o->replace = true;
        } else if (arg_is(argv[i], "ABSTTL")) {
            o->absolute = true;
        } else if (arg_is(argv[i], "IDLETIME") && more && o->lfu == -1) {
            o->age = {&argv.items[i], 2};
            if (!parse_idle(c, argv[++i], o)) return false;
        } else if (arg_is(argv[i], "FREQ") && more && o->idle_s == -1) {
            o->age = {&argv.items[i], 2};
            if (!parse_freq(c, argv[++i], o)) return false;
        } else {
            reply_err(c->out, Err::syntax);
            return false;
        }
    }
    return true;
}

static bool parse_ttl(CmdCtx* c, Bytes arg, int64_t* out) {
    if (!arg_i64(c, arg, out)) return false;
    if (*out >= 0) return true;
    reply_error(c->out, "ERR Invalid TTL value, must be >= 0");
    return false;
}

static bool read_payload(CmdCtx* c, Bytes payload, RdbKey* out) {
    RdbLimits limits = rdb_limits(c->config);
    switch (rdb_read_payload(payload, &limits, out)) {
        case Payload::ok: return true;
        case Payload::bad_version_or_checksum:
            reply_error(c->out, "ERR DUMP payload version or checksum are wrong");
            return false;
        case Payload::bad_data: reply_error(c->out, "ERR Bad data format"); return false;
        case Payload::unsupported:
            reply_error(c->out, "ERR Bad data format: streams and modules cannot be restored");
            return false;
    }
    return false;
}

static void payload_free(RdbKey* k) {
    blob_unref(k->string);
    value_free(&k->value);
}

static Entry* make_entry(Bytes key, RdbKey* k, int64_t expiry_ms) {
    if (k->type == Type::string) return db_make_string(key, k->text, k->string, expiry_ms);
    return entry_new_value(key, k->type, &k->value, expiry_ms);
}

// Redis adds the time to a TTL whatever comes out; here a sum beyond 64 bits is refused.
static bool expiry_of(CmdCtx* c, int64_t ttl, bool absolute, int64_t* out) {
    *out = ttl == 0 ? kNoExpiry : ttl;
    if (ttl == 0 || absolute || !__builtin_add_overflow(ttl, db_now(&c->a), out)) return true;
    reply_err_expire(c->out, "restore");
    return false;
}

static void put_restored(CmdCtx* c, Handle* h, RdbKey* k, int64_t expiry_ms,
                         const RestoreOptions* o) {
    Entry* e = make_entry(h->key, k, expiry_ms);
    age_init(&c->a, e);
    age_restore(&c->a, e, o->idle_s, static_cast<int>(o->lfu));
    bool replaces = h->at.entry != nullptr;
    db_put_as_is(&c->a, h, e);
    if (replaces) notify(&c->a, kNotifyNew, "new", h->key);  // to Redis the old key goes first
    notify(&c->a, kNotifyGeneric, "restore", h->key);
}

// A value that is no more when it comes only takes the place of the old one.
static void restore(CmdCtx* c, Args argv, Handle* h, RdbKey* k, int64_t expiry_ms,
                    const RestoreOptions* o) {
    if (expiry_ms == kNoExpiry || !expiry_is_past(&c->a, expiry_ms)) {
        put_restored(c, h, k, expiry_ms, o);
        effect_restore(c, argv[1], argv, 3, expiry_ms, o->age);
    } else if (h->at.entry != nullptr) {
        db_delete(&c->a, h);
        effect_delete(c, argv[1]);
        notify(&c->a, kNotifyGeneric, "del", argv[1]);
    }
}

static void cmd_restore(CmdCtx* c, Args argv, Reply* out) {
    RestoreOptions options;
    int64_t ttl, expiry_ms;
    if (!parse_restore(c, argv, &options)) return;
    Handle h = db_open(&c->a, argv[1]);
    if (h.at.entry != nullptr && !options.replace) {
        return reply_error(out, "BUSYKEY Target key name already exists.");
    }
    RdbKey k;
    if (!parse_ttl(c, argv[2], &ttl) || !read_payload(c, argv[3], &k)) return;
    if (expiry_of(c, ttl, options.absolute, &expiry_ms)) {
        restore(c, argv, &h, &k, expiry_ms, &options);
        reply_ok(out);
    }
    payload_free(&k);
}

// ---- rows -------------------------------------------------------------------------------------

// clang-format off: a row reads best as one block.
const Cmd kDumpCmds[] = {
    {.name = "DUMP",
     .run = cmd_dump,
     .arity = 2,
     .flags = kCmdReadonly,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "generic",
     .syntax = "key:key",
     .reply = Shape::bulk_or_null,
     .since = "2.6.0",
     .cost = "O(N), N = elements and their bytes",
     .about = "Returns the value of a key as bytes that RESTORE takes.",
     .tips = {"nondeterministic_output"}},
    {.name = "RESTORE",
     .run = cmd_restore,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclKeyspace | kAclDangerous,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1}},
     .group = "generic",
     .syntax = "key:key ttl:integer serialized-value:string [REPLACE@3.0.0] [ABSTTL@5.0.0] "
               "[IDLETIME seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]",
     .reply = Shape::ok,
     .since = "2.6.0",
     .cost = "O(N), N = elements and their bytes; sorted sets O(N log N)",
     .about = "Creates a key from the bytes that DUMP gave.",
     .history = {{"3.0.0", "Added REPLACE."},
                 {"5.0.0", "Added ABSTTL."},
                 {"5.0.0", "Added IDLETIME and FREQ."}}},
    {},
};
// clang-format on

}  // namespace rp
