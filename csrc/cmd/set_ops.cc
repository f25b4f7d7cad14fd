// The set family: commands that combine several sets.
#include <algorithm>

#include "cmd/families.h"
#include "cmd/options.h"
#include "mem/mem.h"
#include "store/edit.h"
#include "store/notify.h"
#include "types/set.h"

namespace rp {

// ---- the sets ---------------------------------------------------------------------------------

struct Source {
    const Entry* entry = nullptr;  // null: absent, and `set` is empty
    Value set;                     // a view
    size_t count = 0;
    size_t place = 0;  // among the arguments
};

// All sets of a command, looked up before any is looked into: whatever comes later, a set that is
// of another type or needs the lock ends the command first.
struct Sources {
    Source* items = few;
    size_t len = 0;
    bool any_absent = false;
    Source few[8];

    ~Sources() {
        if (items != few) mem_free(items, len * sizeof(Source));
    }
};

static bool sources_room(CmdCtx* c, size_t n, Sources* s) {
    if (n > sizeof s->few / sizeof s->few[0]) {
        void* room = mem_try_alloc(n * sizeof(Source));
        if (room == nullptr) {
            reply_err(c->out, Err::no_memory);
            return false;
        }
        s->items = static_cast<Source*>(room);
    }
    s->len = n;
    return true;
}

static bool sources_open(CmdCtx* c, const Bytes* keys, size_t n, Sources* s) {
    bool failed;
    if (!sources_room(c, n, s)) return false;
    for (size_t i = 0; i < n; i++) {
        Source* source = new (&s->items[i]) Source;
        source->entry = read_value(c, keys[i], Type::set, &source->set, &failed);
        if (failed) return false;
        source->count = set_count(&source->set);
        source->place = i;
        s->any_absent = s->any_absent || source->entry == nullptr;
    }
    return true;
}

static bool is_smaller(const Source& a, const Source& b) {
    return a.count != b.count ? a.count < b.count : a.place < b.place;
}

static bool same_set(const Source* a, const Source* b) {
    return a->entry != nullptr && a->entry == b->entry;
}

// ---- what becomes of a result -----------------------------------------------------------------

// Members go into `set`, or out through `reply`, or are only counted.
struct Sink {
    Value* set = nullptr;
    size_t intset_max = 0;
    Reply* reply = nullptr;
    size_t count = 0;
    size_t limit = SIZE_MAX;
};

static void sink_take(Sink* sink, Bytes member) {
    sink->count++;
    if (sink->set != nullptr) set_add(sink->set, member, sink->intset_max);
    if (sink->reply != nullptr) reply_bulk(sink->reply, member);
}

static Sink into_set(const CmdCtx* c, Value* set) {
    Sink sink;
    sink.set = set;
    sink.intset_max = static_cast<size_t>(config_num(c->config->set_max_intset_entries));
    return sink;
}

static void reply_result(Reply* out, Value* take) {
    Bytes member;
    reply_set(out, set_count(take));
    for (SetWalk w = set_walk(take); set_next(&w, &member);)
        reply_bulk(out, member);
    value_free(take);
}

static void store_result(CmdCtx* c, Bytes key, Value* take) {
    auto count = static_cast<int64_t>(set_count(take));
    char event[64];
    size_t len = cmd_full_name(c->parent, c->row, event);
    edit_store(&c->a, key, Type::set, take, kNotifySet, {event, len});
    reply_int(c->out, count);
}

// ---- intersection -----------------------------------------------------------------------------

static bool in_all_others(const Sources* s, Bytes member) {
    for (size_t i = 1; i < s->len; i++) {
        const Source* other = &s->items[i];
        if (!same_set(other, &s->items[0]) && !set_contains(&other->set, member)) return false;
    }
    return true;
}

// The members of the smallest set are looked for in the others, from small to large: most strangers
// are then found out early.
static void intersect(Sources* s, Sink* sink) {
    if (s->any_absent) return;
    std::sort(s->items, s->items + s->len, is_smaller);
    Bytes member;
    for (SetWalk w = set_walk(&s->items[0].set);
         sink->count < sink->limit && set_next(&w, &member);)
        if (in_all_others(s, member)) sink_take(sink, member);
}

static void cmd_sinter(CmdCtx* c, Args argv, Reply* out) {
    Sources s;
    DeferredArray found;
    Sink sink;
    if (!sources_open(c, argv.items + 1, argv.len - 1, &s)) return;
    deferred_start(&found, out);
    sink.reply = &found.reply;
    intersect(&s, &sink);
    found.items = sink.count;
    deferred_finish_set(&found, out);
}

static void cmd_sinterstore(CmdCtx* c, Args argv, Reply*) {
    Sources s;
    Value result;
    if (!sources_open(c, argv.items + 2, argv.len - 2, &s)) return;
    Sink sink = into_set(c, &result);
    intersect(&s, &sink);
    store_result(c, argv[1], &result);
}

static bool arg_limit(CmdCtx* c, Args argv, size_t from, size_t* out) {
    for (size_t i = from; i < argv.len; i += 2) {
        int64_t limit;
        if (!arg_is(argv[i], "LIMIT") || i + 1 == argv.len) {
            reply_err(c->out, Err::syntax);
            return false;
        }
        if (!arg_i64_range(c, argv[i + 1], 0, INT64_MAX, &limit, "LIMIT can't be negative"))
            return false;
        *out = limit != 0 ? static_cast<size_t>(limit) : SIZE_MAX;  // 0: none
    }
    return true;
}

static void cmd_sintercard(CmdCtx* c, Args argv, Reply* out) {
    Sources s;
    Sink sink;
    size_t keys;
    if (!arg_numkeys(c, argv, 1, Numkeys::card, &keys)) return;
    if (!arg_limit(c, argv, 2 + keys, &sink.limit)) return;
    if (!sources_open(c, argv.items + 2, keys, &s)) return;
    intersect(&s, &sink);
    reply_int(out, static_cast<int64_t>(sink.count));
}

// ---- union ------------------------------------------------------------------------------------

static bool unite(CmdCtx* c, Args argv, size_t from, Value* result) {
    Sources s;
    Bytes member;
    if (!sources_open(c, argv.items + from, argv.len - from, &s)) return false;
    Sink sink = into_set(c, result);
    for (size_t i = 0; i < s.len; i++) {
        for (SetWalk w = set_walk(&s.items[i].set); set_next(&w, &member);)
            sink_take(&sink, member);
    }
    return true;
}

static void cmd_sunion(CmdCtx* c, Args argv, Reply* out) {
    Value result;
    if (unite(c, argv, 1, &result)) reply_result(out, &result);
}

static void cmd_sunionstore(CmdCtx* c, Args argv, Reply*) {
    Value result;
    if (unite(c, argv, 2, &result)) store_result(c, argv[1], &result);
}

// ---- difference -------------------------------------------------------------------------------

static bool in_any_other(const Sources* s, Bytes member) {
    for (size_t i = 1; i < s->len; i++)
        if (set_contains(&s->items[i].set, member)) return true;
    return false;
}

// Each member of the first set is looked for in the others: large ones first, where it is likelier.
static void subtract_by_search(Sources* s, Sink* sink) {
    std::sort(s->items + 1, s->items + s->len,
              [](const Source& a, const Source& b) { return is_smaller(b, a); });
    Bytes member;
    for (SetWalk w = set_walk(&s->items[0].set); set_next(&w, &member);)
        if (!in_any_other(s, member)) sink_take(sink, member);
}

// The first set is copied, and the members of the others are taken out of the copy.
static void subtract_by_removal(const Sources* s, Sink* sink) {
    Bytes member;
    for (SetWalk w = set_walk(&s->items[0].set); set_next(&w, &member);)
        sink_take(sink, member);
    for (size_t i = 1; i < s->len && set_count(sink->set) != 0; i++) {
        for (SetWalk w = set_walk(&s->items[i].set); set_next(&w, &member);)
            set_remove(sink->set, member);
    }
}

// Which way costs less. Redis' own estimate: it shows, since a copy that held strings or many
// members stays a hashtable whatever is taken out of it.
static bool search_is_cheaper(const Sources* s) {
    uint64_t searching = 0, removing = 0;
    for (size_t i = 0; i < s->len; i++) {
        if (s->items[i].entry == nullptr) continue;
        searching += s->items[0].count;
        removing += s->items[i].count;
    }
    return searching / 2 <= removing;
}

static bool subtract(CmdCtx* c, Args argv, size_t from, Value* result) {
    Sources s;
    if (!sources_open(c, argv.items + from, argv.len - from, &s)) return false;
    for (size_t i = 1; i < s.len; i++)
        if (same_set(&s.items[i], &s.items[0])) return true;  // nothing is left
    Sink sink = into_set(c, result);
    if (search_is_cheaper(&s)) {
        subtract_by_search(&s, &sink);
    } else {
        subtract_by_removal(&s, &sink);
    }
    return true;
}

static void cmd_sdiff(CmdCtx* c, Args argv, Reply* out) {
    Value result;
    if (subtract(c, argv, 1, &result)) reply_result(out, &result);
}

static void cmd_sdiffstore(CmdCtx* c, Args argv, Reply*) {
    Value result;
    if (subtract(c, argv, 2, &result)) store_result(c, argv[1], &result);
}

// ---- rows -------------------------------------------------------------------------------------

constexpr KeySpec kSourcesFrom1 = {.flags = kKeyRO | kKeyAccess, .index = 1, .last = -1};
constexpr KeySpec kSourcesFrom2 = {.flags = kKeyRO | kKeyAccess, .index = 2, .last = -1};

// clang-format off: a row reads best as one block.
const Cmd kSetOpCmds[] = {
    {.name = "SINTER",
     .run = cmd_sinter,
     .arity = -2,
     .flags = kCmdReadonly,
     .acl = kAclSet,
     .keys = {kSourcesFrom1},
     .group = "set",
     .syntax = "key:key...",
     .reply = Shape::array,
     .since = "1.0.0",
     .cost = "O(N*M), N = members of the smallest set, M = sets",
     .about = "Returns the members that several sets have in common.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "SINTERSTORE",
     .run = cmd_sinterstore,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRW | kKeyUpdate, .index = 1}, kSourcesFrom2},
     .group = "set",
     .syntax = "destination:key key:key...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N*M), N = members of the smallest set, M = sets",
     .about = "Stores the members that several sets have in common under another key."},
    {.name = "SINTERCARD",
     .run = cmd_sintercard,
     .arity = -3,
     .flags = kCmdReadonly | kCmdMovableKeys,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1, .num_index = 0, .first_key = 1}},
     .group = "set",
     .syntax = "numkeys:integer key:key... [LIMIT limit:integer]",
     .reply = Shape::integer,
     .since = "7.0.0",
     .cost = "O(N*M), N = members of the smallest set, M = sets",
     .about = "Counts the members that several sets have in common, up to a limit."},
    {.name = "SUNION",
     .run = cmd_sunion,
     .arity = -2,
     .flags = kCmdReadonly,
     .acl = kAclSet,
     .keys = {kSourcesFrom1},
     .group = "set",
     .syntax = "key:key...",
     .reply = Shape::array,
     .since = "1.0.0",
     .cost = "O(N), N = members of all sets",
     .about = "Returns the members that at least one of several sets has.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "SUNIONSTORE",
     .run = cmd_sunionstore,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclSet,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1}, kSourcesFrom2},
     .group = "set",
     .syntax = "destination:key key:key...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = members of all sets",
     .about = "Stores the members that at least one of several sets has under another key."},
    {.name = "SDIFF",
     .run = cmd_sdiff,
     .arity = -2,
     .flags = kCmdReadonly,
     .acl = kAclSet,
     .keys = {kSourcesFrom1},
     .group = "set",
     .syntax = "key:key...",
     .reply = Shape::array,
     .since = "1.0.0",
     .cost = "O(N), N = members of all sets",
     .about = "Returns the members of the first set that none of the others has.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "SDIFFSTORE",
     .run = cmd_sdiffstore,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclSet,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1}, kSourcesFrom2},
     .group = "set",
     .syntax = "destination:key key:key...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = members of all sets",
     .about = "Stores the members of the first set that none of the others has under another key."},
    {},
};
// clang-format on

}  // namespace rp
