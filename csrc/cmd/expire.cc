// Expiry: EXPIRE and its variants, TTL and its variants, PERSIST.
#include "cmd/effect.h"
#include "cmd/families.h"
#include "cmd/options.h"
#include "store/notify.h"

namespace rp {

constexpr size_t kOptionShown = 512;  // bytes of a wrong option that the error repeats

enum ExpireFlags : unsigned { kNx = 1, kXx = 2, kGt = 4, kLt = 8 };

static bool parse_condition(CmdCtx* c, Args argv, unsigned* flags) {
    for (size_t i = 3; i < argv.len; i++) {
        if (arg_is(argv[i], "NX")) {
            *flags |= kNx;
        } else if (arg_is(argv[i], "XX")) {
            *flags |= kXx;
        } else if (arg_is(argv[i], "GT")) {
            *flags |= kGt;
        } else if (arg_is(argv[i], "LT")) {
            *flags |= kLt;
        } else {
            size_t shown = argv[i].len < kOptionShown ? argv[i].len : kOptionShown;
            reply_errorf(c->out, "ERR Unsupported option %.*s", static_cast<int>(shown),
                         argv[i].ptr);
            return false;
        }
    }
    if ((*flags & kNx) && (*flags & ~kNx)) {
        reply_error(c->out, "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if ((*flags & kGt) && (*flags & kLt)) {
        reply_error(c->out, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

// Unlike SET's options, EXPIRE takes zero and negative times: the key is then deleted.
static bool parse_time(CmdCtx* c, Bytes arg, TimeUnit unit, bool relative, int64_t* at_ms) {
    int64_t v;
    if (!arg_i64(c, arg, &v)) return false;
    bool overflow = unit == TimeUnit::seconds && __builtin_mul_overflow(v, 1000, &v);
    overflow = overflow || (relative && __builtin_add_overflow(v, db_now(&c->a), &v));
    *at_ms = v;
    if (!overflow) return true;
    char name[64];
    cmd_full_name(c->parent, c->row, name);
    reply_err_expire(c->out, name);
    return false;
}

// A key without expiry counts as one that lives for ever.
static bool condition_holds(unsigned flags, int64_t current_ms, int64_t at_ms) {
    bool forever = current_ms == kNoExpiry;
    if ((flags & kNx) && !forever) return false;
    if ((flags & kXx) && forever) return false;
    if ((flags & kGt) && (forever || at_ms <= current_ms)) return false;
    if ((flags & kLt) && !forever && at_ms >= current_ms) return false;
    return true;
}

static void expire_key(CmdCtx* c, Args argv, TimeUnit unit, bool relative) {
    unsigned flags = 0;
    int64_t at_ms;
    if (!parse_condition(c, argv, &flags)) return;
    if (!parse_time(c, argv[2], unit, relative, &at_ms)) return;
    Handle h = db_open(&c->a, argv[1]);
    if (h.at.entry == nullptr) return reply_int(c->out, 0);
    if (!condition_holds(flags, entry_expiry_ms(h.at.entry), at_ms)) return reply_int(c->out, 0);
    if (expiry_is_past(&c->a, at_ms)) {
        db_delete(&c->a, &h);
        effect_delete(c, argv[1]);
        notify(&c->a, kNotifyGeneric, "del", argv[1]);
    } else {
        db_set_expiry(&c->a, &h, at_ms);
        effect_expire_at(c, argv[1], at_ms);
        notify(&c->a, kNotifyGeneric, "expire", argv[1]);
    }
    reply_int(c->out, 1);
}

static void cmd_expire(CmdCtx* c, Args argv, Reply*) {
    expire_key(c, argv, TimeUnit::seconds, true);
}
static void cmd_pexpire(CmdCtx* c, Args argv, Reply*) {
    expire_key(c, argv, TimeUnit::milliseconds, true);
}
static void cmd_expireat(CmdCtx* c, Args argv, Reply*) {
    expire_key(c, argv, TimeUnit::seconds, false);
}
static void cmd_pexpireat(CmdCtx* c, Args argv, Reply*) {
    expire_key(c, argv, TimeUnit::milliseconds, false);
}

// -2 = no such key, -1 = no expiry, else milliseconds (left, or since 1970), rounded to `unit`.
static void reply_ttl(CmdCtx* c, Bytes key, TimeUnit unit, bool absolute) {
    const Entry* e = db_find_notouch(&c->a, key);
    if (e == nullptr) return reply_int(c->out, -2);
    int64_t ms = entry_expiry_ms(e);
    if (ms == kNoExpiry) return reply_int(c->out, -1);
    if (!absolute) ms -= db_now(&c->a);
    if (ms < 0) ms = 0;
    reply_int(c->out, unit == TimeUnit::seconds ? ms / 1000 + (ms % 1000 >= 500) : ms);
}

static void cmd_ttl(CmdCtx* c, Args argv, Reply*) {
    reply_ttl(c, argv[1], TimeUnit::seconds, false);
}
static void cmd_pttl(CmdCtx* c, Args argv, Reply*) {
    reply_ttl(c, argv[1], TimeUnit::milliseconds, false);
}
static void cmd_expiretime(CmdCtx* c, Args argv, Reply*) {
    reply_ttl(c, argv[1], TimeUnit::seconds, true);
}
static void cmd_pexpiretime(CmdCtx* c, Args argv, Reply*) {
    reply_ttl(c, argv[1], TimeUnit::milliseconds, true);
}

static void cmd_persist(CmdCtx* c, Args argv, Reply* out) {
    Handle h = db_open(&c->a, argv[1]);
    bool had = h.at.entry != nullptr && entry_expiry_ms(h.at.entry) != kNoExpiry;
    if (had) {
        db_set_expiry(&c->a, &h, kNoExpiry);
        notify(&c->a, kNotifyGeneric, "persist", argv[1]);
    }
    reply_int(out, had ? 1 : 0);
}

constexpr uint32_t kChange = kKeyRW | kKeyUpdate;
constexpr uint32_t kLook = kKeyRO | kKeyAccess;
#define RP_CONDITION "[condition=(NX|XX|GT|LT)@7.0.0]"
#define RP_CONDITION_HISTORY                               \
    {                                                      \
        { "7.0.0", "New options `NX`, `XX`, `GT`, `LT`." } \
    }

// clang-format off: a row reads best as one block.
const Cmd kExpireCmds[] = {
    {.name = "EXPIRE",
     .run = cmd_expire,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kChange, .index = 1}},
     .group = "generic",
     .syntax = "key:key seconds:integer " RP_CONDITION,
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Lets a key expire after a number of seconds.",
     .history = RP_CONDITION_HISTORY},
    {.name = "PEXPIRE",
     .run = cmd_pexpire,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kChange, .index = 1}},
     .group = "generic",
     .syntax = "key:key milliseconds:integer " RP_CONDITION,
     .reply = Shape::integer,
     .since = "2.6.0",
     .cost = "O(1)",
     .about = "Lets a key expire after a number of milliseconds.",
     .history = RP_CONDITION_HISTORY},
    {.name = "EXPIREAT",
     .run = cmd_expireat,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kChange, .index = 1}},
     .group = "generic",
     .syntax = "key:key unix-time-seconds:unix-time " RP_CONDITION,
     .reply = Shape::integer,
     .since = "1.2.0",
     .cost = "O(1)",
     .about = "Lets a key expire at a time in Unix seconds.",
     .history = RP_CONDITION_HISTORY},
    {.name = "PEXPIREAT",
     .run = cmd_pexpireat,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kChange, .index = 1}},
     .group = "generic",
     .syntax = "key:key unix-time-milliseconds:unix-time " RP_CONDITION,
     .reply = Shape::integer,
     .since = "2.6.0",
     .cost = "O(1)",
     .about = "Lets a key expire at a time in Unix milliseconds.",
     .history = RP_CONDITION_HISTORY},
    {.name = "TTL",
     .run = cmd_ttl,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kLook, .index = 1}},
     .group = "generic",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Returns the seconds a key has left.",
     .tips = {"nondeterministic_output"},
     .history = {{"2.8.0", "-2 tells a missing key from one without expiry."}}},
    {.name = "PTTL",
     .run = cmd_pttl,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kLook, .index = 1}},
     .group = "generic",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "2.6.0",
     .cost = "O(1)",
     .about = "Returns the milliseconds a key has left.",
     .tips = {"nondeterministic_output"},
     .history = {{"2.8.0", "-2 tells a missing key from one without expiry."}}},
    {.name = "EXPIRETIME",
     .run = cmd_expiretime,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kLook, .index = 1}},
     .group = "generic",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "7.0.0",
     .cost = "O(1)",
     .about = "Returns when a key expires, in Unix seconds."},
    {.name = "PEXPIRETIME",
     .run = cmd_pexpiretime,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kLook, .index = 1}},
     .group = "generic",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "7.0.0",
     .cost = "O(1)",
     .about = "Returns when a key expires, in Unix milliseconds."},
    {.name = "PERSIST",
     .run = cmd_persist,
     .arity = 2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kChange, .index = 1}},
     .group = "generic",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "2.2.0",
     .cost = "O(1)",
     .about = "Takes the expiry off a key."},
    {},
};
// clang-format on

}  // namespace rp
