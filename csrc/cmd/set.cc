// The set family: one set at a time. cmd/set_ops.cc has the commands that combine several.
#include "types/set.h"

#include "base/random.h"
#include "cmd/effect.h"
#include "cmd/families.h"
#include "cmd/sample.h"
#include "cmd/scan.h"
#include "store/edit.h"
#include "store/notify.h"

namespace rp {

static size_t intset_max(const CmdCtx* c) {
    return static_cast<size_t>(config_num(c->config->set_max_intset_entries));
}

// Of a key of another type the reply is written, and there is nothing to close.
static Opened open_set(CmdCtx* c, Bytes key, Edit* e) {
    Opened opened = edit_open(&c->a, key, Type::set, e);
    if (opened == Opened::wrong_type) reply_err(c->out, Err::wrong_type);
    return opened;
}

// ---- members that are named -------------------------------------------------------------------

static void cmd_sadd(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    int64_t added = 0;
    if (open_set(c, argv[1], &e) == Opened::wrong_type) return;
    for (size_t i = 2; i < argv.len; i++)
        added += set_add(e.value, argv[i], intset_max(c)) ? 1 : 0;
    edit_close(&e, static_cast<uint64_t>(added));
    if (added != 0) edit_notify(&e, kNotifySet, "sadd");
    reply_int(out, added);
}

static void cmd_srem(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    int64_t removed = 0;
    if (open_set(c, argv[1], &e) == Opened::wrong_type) return;
    for (size_t i = 2; i < argv.len; i++)
        removed += set_remove(e.value, argv[i]) ? 1 : 0;
    edit_close(&e, static_cast<uint64_t>(removed));
    if (removed != 0) edit_notify(&e, kNotifySet, "srem");
    reply_int(out, removed);
}

static void cmd_scard(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::set, &v, &failed);
    if (!failed) reply_int(out, static_cast<int64_t>(set_count(&v)));
}

static void cmd_sismember(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::set, &v, &failed);
    if (!failed) reply_int(out, set_contains(&v, argv[2]) ? 1 : 0);
}

static void cmd_smismember(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::set, &v, &failed);
    if (failed) return;
    reply_array(out, argv.len - 2);
    for (size_t i = 2; i < argv.len; i++)
        reply_int(out, set_contains(&v, argv[i]) ? 1 : 0);
}

static void reply_members(Reply* out, const Value* v) {
    Bytes member;
    for (SetWalk w = set_walk(v); set_next(&w, &member);)
        reply_bulk(out, member);
}

static void cmd_smembers(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::set, &v, &failed);
    if (failed) return;
    reply_set(out, set_count(&v));
    reply_members(out, &v);
}

static void cmd_sscan(CmdCtx* c, Args argv, Reply*) {
    scan_collection(c, argv, Type::set, nullptr);
}

// ---- from one set to another ------------------------------------------------------------------

static bool is_set_or_absent(CmdCtx* c, const Handle* h) {
    if (h->at.entry == nullptr || entry_type(h->at.entry) == Type::set) return true;
    reply_err(c->out, Err::wrong_type);
    return false;
}

static bool remove_one(CmdCtx* c, Bytes key, Bytes member) {
    Edit e;
    edit_open(&c->a, key, Type::set, &e);
    bool removed = set_remove(e.value, member);
    edit_close(&e, removed ? 1 : 0);
    if (removed) edit_notify(&e, kNotifySet, "srem");
    return removed;
}

static void add_one(CmdCtx* c, Bytes key, Bytes member) {
    Edit e;
    edit_open(&c->a, key, Type::set, &e);
    bool added = set_add(e.value, member, intset_max(c));
    edit_close(&e, added ? 1 : 0);
    if (added) edit_notify(&e, kNotifySet, "sadd");
}

// Onto itself a move changes nothing and is a question only.
static void reply_is_member(CmdCtx* c, Bytes key, Bytes member) {
    Value v;
    Handle h = db_open(&c->a, key);
    db_view(&c->a, h.at.entry, &v);
    reply_int(c->out, set_contains(&v, member) ? 1 : 0);
}

static void cmd_smove(CmdCtx* c, Args argv, Reply* out) {
    Handle from = db_open(&c->a, argv[1]);
    bool absent = from.at.entry == nullptr;
    bool source_is_set = is_set_or_absent(c, &from);
    Handle to = db_open(&c->a, argv[2]);
    if (absent) return reply_int(out, 0);
    if (!source_is_set || !is_set_or_absent(c, &to)) return;
    if (bytes_equal(argv[1], argv[2])) return reply_is_member(c, argv[1], argv[3]);
    if (!remove_one(c, argv[1], argv[3])) return reply_int(out, 0);
    add_one(c, argv[2], argv[3]);
    reply_int(out, 1);
}

// ---- members at random ------------------------------------------------------------------------

// Below this part of the set, what stays is moved out instead of what goes: as in Redis, which
// matters because the set made of what stays may be an intset again.
constexpr size_t kPopMovePart = 5;

// Each is replied and is a word of the effect, SREM.
static void pop_some(CmdCtx* c, Bytes key, Value* v, size_t count) {
    char digits[kI64TextMax];
    if (count != 0) effect_begin(c, "SREM", key, count);
    for (; count != 0; count--) {
        size_t index = random_below(set_count(v));
        Bytes member = set_at(v, index, digits);
        reply_bulk(c->out, member);
        effect_word(c, member);
        set_remove_at(v, index);
    }
}

static void pop_most(CmdCtx* c, Bytes key, Value* v, size_t stay) {
    Value kept;
    char digits[kI64TextMax];
    for (; stay != 0; stay--) {
        size_t index = random_below(set_count(v));
        set_add(&kept, set_at(v, index, digits), intset_max(c));
        set_remove_at(v, index);
    }
    effect_begin(c, "SREM", key, set_count(v));
    Bytes member;
    for (SetWalk w = set_walk(v); set_next(&w, &member);) {
        reply_bulk(c->out, member);
        effect_word(c, member);
    }
    value_free(v);
    *v = kept;
}

static void pop_one(CmdCtx* c, Bytes key) {
    Edit e;
    Opened opened = open_set(c, key, &e);
    if (opened == Opened::wrong_type) return;
    if (opened == Opened::absent) {
        reply_null(c->out);
        return edit_close(&e, 0);
    }
    pop_some(c, key, e.value, 1);
    edit_close(&e, 1);
    edit_notify(&e, kNotifySet, "spop");
}

static void cmd_spop(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    int64_t n;
    if (argv.len == 2) return pop_one(c, argv[1]);
    if (argv.len > 3) return reply_err(out, Err::syntax);
    if (!arg_i64_range(c, argv[2], 0, INT64_MAX, &n, "value is out of range, must be positive"))
        return;
    if (open_set(c, argv[1], &e) == Opened::wrong_type) return;
    auto count = static_cast<size_t>(n);
    size_t size = set_count(e.value);
    if (count > size) count = size;
    reply_set(out, count);
    if (count == size) {
        reply_members(out, e.value);
        if (count != 0) effect_delete(c, argv[1]);
        edit_delete(&e, count);
        if (count != 0) edit_notify(&e, kNotifySet, "spop");
        return;
    }
    size_t stay = size - count;
    if (stay * kPopMovePart > count) {
        pop_some(c, argv[1], e.value, count);
    } else {
        pop_most(c, argv[1], e.value, stay);
    }
    edit_close(&e, count);
    if (count != 0) edit_notify(&e, kNotifySet, "spop");
}

static void cmd_srandmember(CmdCtx* c, Args argv, Reply* out) {
    SampleArgs args;
    if (argv.len > 3) return reply_err(out, Err::syntax);
    args.has_count = argv.len == 3;
    if (args.has_count && !arg_sample_count(c, argv[2], &args.count)) return;
    sample_collection(c, argv[1], Type::set, &args, nullptr);
}

// ---- rows -------------------------------------------------------------------------------------

// clang-format off: a row reads best as one block.
const Cmd kSetCmds[] = {
    {.name = "SADD",
     .run = cmd_sadd,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "set",
     .syntax = "key:key member:string...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = members given",
     .about = "Adds members to a set.",
     .history = {{"2.4.0", "Takes several `member` arguments."}}},
    {.name = "SREM",
     .run = cmd_srem,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "set",
     .syntax = "key:key member:string...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = members given",
     .about = "Removes members from a set; without members it is gone.",
     .history = {{"2.4.0", "Takes several `member` arguments."}}},
    {.name = "SCARD",
     .run = cmd_scard,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "set",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Returns how many members a set has."},
    {.name = "SISMEMBER",
     .run = cmd_sismember,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "set",
     .syntax = "key:key member:string",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Tells whether something is a member of a set."},
    {.name = "SMISMEMBER",
     .run = cmd_smismember,
     .arity = -3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "set",
     .syntax = "key:key member:string...",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(N), N = members given",
     .about = "Tells for each of several strings whether it is a member of a set."},
    {.name = "SMEMBERS",
     .run = cmd_smembers,
     .arity = 2,
     .flags = kCmdReadonly,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "set",
     .syntax = "key:key",
     .reply = Shape::array,
     .since = "1.0.0",
     .cost = "O(N), N = members",
     .about = "Returns all members of a set.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "SSCAN",
     .run = cmd_sscan,
     .arity = -3,
     .flags = kCmdReadonly,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "set",
     .syntax = "key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
     .reply = Shape::array,
     .since = "2.8.0",
     .cost = "O(1) per call, O(N) for a whole walk",
     .about = "Walks over the members of a set step by step.",
     .tips = {"nondeterministic_output"}},
    {.name = "SMOVE",
     .run = cmd_smove,
     .arity = 4,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1},
              {.flags = kKeyRW | kKeyInsert, .index = 2}},
     .group = "set",
     .syntax = "source:key destination:key member:string",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Moves a member from one set to another."},
    {.name = "SPOP",
     .run = cmd_spop,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}},
     .group = "set",
     .syntax = "key:key [count:integer@3.2.0]",
     .reply = Shape::any,
     .since = "1.0.0",
     .cost = "O(N), N = members removed",
     .about = "Removes members chosen at random and returns them.",
     .tips = {"nondeterministic_output"},
     .history = {{"3.2.0", "New argument `count`."}}},
    {.name = "SRANDMEMBER",
     .run = cmd_srandmember,
     .arity = -2,
     .flags = kCmdReadonly,
     .acl = kAclSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "set",
     .syntax = "key:key [count:integer@2.6.0]",
     .reply = Shape::any,
     .since = "1.0.0",
     .cost = "O(N), N = members returned",
     .about = "Returns members chosen at random, with repetitions if the count is negative.",
     .tips = {"nondeterministic_output"},
     .history = {{"2.6.0", "New argument `count`."}}},
    {},
};
// clang-format on

}  // namespace rp
