// OBJECT: how a value is kept.
#include "cmd/families.h"
#include "store/evict.h"

namespace rp {

constexpr int64_t kSharedIntegerMax = 9999;  // Redis shares objects of 0..9999 ...
constexpr int64_t kSharedRefcount = 2147483647;

static Bytes form_name(Type type, Form form) {
    switch (form) {
        // Names Redis 7.0 has: a list is a quicklist however small, small sets of strings have
        // none.
        case Form::listpack:
            return type == Type::list  ? Bytes("quicklist")
                   : type == Type::set ? Bytes("hashtable")
                                       : Bytes("listpack");
        case Form::intset: return "intset";
        case Form::quicklist: return "quicklist";
        case Form::dict: return "hashtable";
        case Form::zset: return "skiplist";
    }
    return "raw";
}

Bytes encoding_name(const Entry* e) {
    switch (entry_encoding(e)) {
        case Encoding::listpack: return form_name(entry_type(e), Form::listpack);
        case Encoding::intset: return form_name(entry_type(e), Form::intset);
        case Encoding::boxed: return form_name(entry_type(e), entry_box(e)->value.form);
        case Encoding::integer: return "int";
        case Encoding::blob:
        case Encoding::raw: return "raw";
        case Encoding::embstr:
            return entry_value_len(e) <= kEmbstrMax ? Bytes("embstr") : Bytes("raw");
    }
    return "raw";
}

// What lies in a Box is seen under the lock (E1). False: return at once.
static bool may_follow(CmdCtx* c, const Entry* e) {
    if (entry_encoding(e) == Encoding::boxed && !c->a.locked) c->a.need_lock = true;
    return !c->a.need_lock;
}

// Null when absent (the reply, a null, is then written).
static const Entry* look(CmdCtx* c, Bytes key) {
    const Entry* e = db_peek(&c->a, key);
    if (e == nullptr) reply_null(c->out);
    return e;
}

static void object_encoding(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = look(c, argv[2]);
    if (e != nullptr && may_follow(c, e)) reply_bulk(out, encoding_name(e));
}

// ... unless a policy needs hints per object.
static void object_refcount(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = look(c, argv[2]);
    if (e == nullptr) return;
    EvictPolicy p = evict_policy(c->store);
    bool hints = config_num(c->config->maxmemory) != 0 && (policy_is_lru(p) || policy_is_lfu(p));
    bool shared = !hints && entry_encoding(e) == Encoding::integer && entry_integer(e) >= 0 &&
                  entry_integer(e) <= kSharedIntegerMax;
    reply_int(out, shared ? kSharedRefcount : 1);
}

static void object_idletime(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = look(c, argv[2]);
    if (e == nullptr) return;
    if (policy_is_lfu(evict_policy(c->store))) {
        return reply_error(out,
                           "ERR An LFU maxmemory policy is selected, idle time not tracked. "
                           "Please note that when switching between policies at runtime LRU "
                           "and LFU data will take some time to adjust.");
    }
    reply_int(out, age_idle_ms(&c->a, e) / 1000);
}

static void object_freq(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = look(c, argv[2]);
    if (e == nullptr) return;
    if (!policy_is_lfu(evict_policy(c->store))) {
        return reply_error(out,
                           "ERR An LFU maxmemory policy is not selected, access frequency not "
                           "tracked. Please note that when switching between policies at "
                           "runtime LRU and LFU data will take some time to adjust.");
    }
    reply_int(out, age_frequency(&c->a, e));
}

static void object_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "ENCODING <key>", "    Name the way the value of <key> is kept in memory.",
        "FREQ <key>",     "    Show the use counter of <key> (logarithmic; LFU policies only).",
        "IDLETIME <key>", "    Show the seconds since <key> was last used (not with LFU policies).",
        "REFCOUNT <key>", "    Show how many references the value of <key> has.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

#define RP_OBJECT_ROW                                       \
    .arity = 3, .flags = kCmdReadonly, .acl = kAclKeyspace, \
    .keys = {{.flags = kKeyRO, .index = 2}}, .group = "generic", .syntax = "key:key"

// clang-format off: a row reads best as one block.
static const Cmd kObjectSubcommands[] = {
    {.name = "ENCODING",
     .run = object_encoding,
     RP_OBJECT_ROW,
     .reply = Shape::bulk_or_null,
     .since = "2.2.3",
     .cost = "O(1)",
     .about = "Names the encoding of a value.",
     .tips = {"nondeterministic_output"}},
    {.name = "REFCOUNT",
     .run = object_refcount,
     RP_OBJECT_ROW,
     .reply = Shape::any,
     .since = "2.2.3",
     .cost = "O(1)",
     .about = "Returns how often a value is shared.",
     .tips = {"nondeterministic_output"}},
    {.name = "IDLETIME",
     .run = object_idletime,
     RP_OBJECT_ROW,
     .reply = Shape::any,
     .since = "2.2.3",
     .cost = "O(1)",
     .about = "Returns the seconds since a key was last used.",
     .tips = {"nondeterministic_output"}},
    {.name = "FREQ",
     .run = object_freq,
     RP_OBJECT_ROW,
     .reply = Shape::any,
     .since = "4.0.0",
     .cost = "O(1)",
     .about = "Returns the logarithmic use counter of a key.",
     .tips = {"nondeterministic_output"}},
    {.name = "HELP",
     .run = object_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclKeyspace,
     .group = "generic",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {},
};
// clang-format on

// clang-format off: a row reads best as one block.
const Cmd kObjectCmds[] = {
    {.name = "OBJECT",
     .arity = -2,
     .group = "generic",
     .since = "2.2.3",
     .cost = "Depends on the subcommand",
     .about = "Looks at how values are kept.",
     .subcommands = kObjectSubcommands},
    {},
};
// clang-format on

}  // namespace rp
