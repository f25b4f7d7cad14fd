// Sorted sets: members and their scores, popping, chance. Ranges are in zset_range.cc, unions and
// intersections in zset_store.cc.
#include "cmd/zset.h"

#include <cmath>

#include "base/numbers.h"
#include "cmd/effect.h"
#include "cmd/families.h"
#include "cmd/options.h"
#include "cmd/sample.h"
#include "mem/mem.h"
#include "store/edit.h"
#include "store/notify.h"

namespace rp {

ZsetLimits zset_limits(const CmdCtx* c) {
    return {static_cast<size_t>(config_num(c->config->zset_max_listpack_entries)),
            static_cast<size_t>(config_num(c->config->zset_max_listpack_value))};
}

// ---- replies ----------------------------------------------------------------------------------

void reply_pairs_head(Reply* out, size_t n, bool scores) {
    reply_array(out, scores && out->resp == 2 ? 2 * n : n);
}

void reply_pair(Reply* out, ZsetPair pair, bool scores) {
    if (scores && out->resp == 3) reply_array(out, 2);
    reply_bulk(out, pair.member);
    if (scores) reply_double(out, pair.score);
}

void reply_ranks(Reply* out, const Value* v, size_t rank, size_t n, bool reverse, bool scores) {
    ZsetPair pair;
    reply_pairs_head(out, n, scores);
    for (ZsetWalk w = zset_walk(v, rank, n, reverse); zset_next(&w, &pair);)
        reply_pair(out, pair, scores);
}

// ---- ZADD, ZINCRBY ----------------------------------------------------------------------------

enum AddFlags : uint32_t {
    kAddNx = 1u << 0,
    kAddXx = 1u << 1,
    kAddGt = 1u << 2,
    kAddLt = 1u << 3,
    kAddCh = 1u << 4,
    kAddIncr = 1u << 5,
};
struct AddWord {
    Bytes word;
    uint32_t flag;
};
static constexpr AddWord kAddWords[] = {
    {"NX", kAddNx}, {"XX", kAddXx}, {"GT", kAddGt},
    {"LT", kAddLt}, {"CH", kAddCh}, {"INCR", kAddIncr},
};

static uint32_t add_flag(Bytes arg) {
    for (const AddWord& w : kAddWords) {
        if (arg_is(arg, w.word)) return w.flag;
    }
    return 0;
}

static bool add_flags_agree(uint32_t flags, size_t pairs, Reply* out) {
    auto has = [flags](uint32_t both) { return (flags & both) == both; };
    const char* error = nullptr;
    if (has(kAddNx | kAddXx)) {
        error = "XX and NX options at the same time are not compatible";
    } else if (has(kAddGt | kAddNx) || has(kAddLt | kAddNx) || has(kAddGt | kAddLt)) {
        error = "GT, LT, and/or NX options at the same time are not compatible";
    } else if ((flags & kAddIncr) && pairs > 1) {
        error = "INCR option supports a single increment-element pair";
    }
    if (error != nullptr) reply_errorf(out, "ERR %s", error);
    return error == nullptr;
}

enum class Added : uint8_t { added, updated, same, refused, nan };

// *score: the increment or the score; then the score the member has.
static Added add_one(Value* v, Bytes member, double* score, uint32_t flags, ZsetLimits limits) {
    ZsetSpot spot = zset_find(v, member);
    if (!spot.found) {
        if (flags & kAddXx) return Added::refused;
        zset_add(v, member, *score, limits);
        return Added::added;
    }
    if (flags & kAddNx) return Added::refused;
    double fresh = flags & kAddIncr ? spot.score + *score : *score;
    if (std::isnan(fresh)) return Added::nan;  // infinity minus infinity
    if ((flags & kAddGt) && fresh <= spot.score) return Added::refused;
    if ((flags & kAddLt) && fresh >= spot.score) return Added::refused;
    *score = fresh;
    if (fresh == spot.score) return Added::same;
    zset_update(v, &spot, member, fresh);
    return Added::updated;
}

// All scores, before anything is changed. False: the reply is written.
static bool parse_scores(Args argv, size_t from, double* scores, Reply* out) {
    for (size_t i = from; i < argv.len; i += 2) {
        if (parse_double(argv[i], &scores[(i - from) / 2])) continue;
        reply_err(out, Err::not_float);
        return false;
    }
    return true;
}

static void add_pairs(CmdCtx* c, Args argv, size_t from, double* scores, uint32_t flags) {
    Edit e;
    if (edit_open(&c->a, argv[1], Type::zset, &e) == Opened::wrong_type) {
        return reply_err(c->out, Err::wrong_type);
    }
    ZsetLimits limits = zset_limits(c);
    uint64_t added = 0, updated = 0;
    Added last = Added::refused;
    for (size_t i = from; i < argv.len; i += 2) {
        last = add_one(e.value, argv[i + 1], &scores[(i - from) / 2], flags, limits);
        added += last == Added::added;
        updated += last == Added::updated;
    }
    edit_close(&e, added + updated);
    if (added + updated != 0) {
        edit_notify(&e, kNotifyZset, flags & kAddIncr ? Bytes("zincr") : Bytes("zadd"));
    }
    if (last == Added::nan) {
        reply_error(c->out, "ERR resulting score is not a number (NaN)");
    } else if (!(flags & kAddIncr)) {
        reply_int(c->out, static_cast<int64_t>(flags & kAddCh ? added + updated : added));
    } else if (last == Added::refused) {
        reply_null(c->out);
    } else {
        reply_double(c->out, scores[0]);
    }
}

// ZINCRBY takes the options of ZADD too, but with its arity none leaves a valid command.
static void add_with_flags(CmdCtx* c, Args argv, uint32_t flags) {
    size_t from = 2;
    for (uint32_t flag; from < argv.len && (flag = add_flag(argv[from])) != 0; from++)
        flags |= flag;
    size_t pairs = (argv.len - from) / 2;
    if (pairs == 0 || (argv.len - from) % 2 != 0) return reply_err(c->out, Err::syntax);
    if (!add_flags_agree(flags, pairs, c->out)) return;
    double few[16];
    size_t bytes = pairs * sizeof(double);
    double* scores = bytes <= sizeof few ? few : static_cast<double*>(mem_alloc(bytes));
    if (parse_scores(argv, from, scores, c->out)) add_pairs(c, argv, from, scores, flags);
    if (scores != few) mem_free(scores, bytes);
}

static void cmd_zadd(CmdCtx* c, Args argv, Reply*) { add_with_flags(c, argv, 0); }
static void cmd_zincrby(CmdCtx* c, Args argv, Reply*) { add_with_flags(c, argv, kAddIncr); }

static void cmd_zrem(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    if (edit_open(&c->a, argv[1], Type::zset, &e) == Opened::wrong_type) {
        return reply_err(out, Err::wrong_type);
    }
    uint64_t removed = 0;
    for (size_t i = 2; i < argv.len && zset_count(e.value) != 0; i++)
        removed += zset_remove(e.value, argv[i]);
    edit_close(&e, removed);
    if (removed != 0) edit_notify(&e, kNotifyZset, "zrem");
    reply_int(out, static_cast<int64_t>(removed));
}

// ---- looking at members -----------------------------------------------------------------------

static void cmd_zcard(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::zset, &v, &failed);
    if (!failed) reply_int(out, static_cast<int64_t>(zset_count(&v)));
}

static void reply_score(const Value* v, Bytes member, Reply* out) {
    ZsetSpot spot = zset_find(v, member);
    if (!spot.found) return reply_null(out);
    reply_double(out, spot.score);
}

static void cmd_zscore(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::zset, &v, &failed);
    if (!failed) reply_score(&v, argv[2], out);
}

static void cmd_zmscore(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::zset, &v, &failed);
    if (failed) return;
    reply_array(out, argv.len - 2);
    for (size_t i = 2; i < argv.len; i++)
        reply_score(&v, argv[i], out);
}

static void rank_of(CmdCtx* c, Args argv, bool reverse) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::zset, &v, &failed);
    if (failed) return;
    ZsetSpot spot = zset_find(&v, argv[2]);
    if (!spot.found) return reply_null(c->out);
    size_t rank = zset_rank(&v, spot.score, argv[2]);
    if (reverse) rank = zset_count(&v) - 1 - rank;
    reply_int(c->out, static_cast<int64_t>(rank));
}
static void cmd_zrank(CmdCtx* c, Args argv, Reply*) { rank_of(c, argv, false); }
static void cmd_zrevrank(CmdCtx* c, Args argv, Reply*) { rank_of(c, argv, true); }

// ---- ZPOPMIN, ZPOPMAX, ZMPOP ------------------------------------------------------------------

// How the popped members look in RESP3; in RESP2 only `nested` ones are pairs.
enum class PopShape : uint8_t { one, many, nested };

static void pop(Edit* e, bool max, size_t n, PopShape shape, Reply* out) {
    size_t count = zset_count(e->value);
    size_t rank = max ? count - n : 0;
    bool pairs = shape == PopShape::nested || (shape == PopShape::many && out->resp == 3);
    reply_array(out, pairs ? n : 2 * n);
    ZsetPair pair;
    for (ZsetWalk w = zset_walk(e->value, rank, n, max); zset_next(&w, &pair);) {
        if (pairs) reply_array(out, 2);
        reply_bulk(out, pair.member);
        reply_double(out, pair.score);
    }
    zset_remove_ranks(e->value, rank, n);
    edit_close(e, n);
    if (n != 0) edit_notify(e, kNotifyZset, max ? Bytes("zpopmax") : Bytes("zpopmin"));
}

static size_t at_most(const Edit* e, int64_t n) {
    size_t count = zset_count(e->value);
    return static_cast<uint64_t>(n) < count ? static_cast<size_t>(n) : count;
}

static void pop_one_key(CmdCtx* c, Args argv, bool max) {
    Edit e;
    int64_t n = 1;
    if (argv.len > 3) return reply_err(c->out, Err::syntax);
    if (argv.len == 3 &&
        !arg_i64_range(c, argv[2], 0, INT64_MAX, &n, "value is out of range, must be positive")) {
        return;
    }
    Opened opened = edit_open(&c->a, argv[1], Type::zset, &e);
    if (opened == Opened::wrong_type) return reply_err(c->out, Err::wrong_type);
    if (opened == Opened::absent || n == 0) {
        edit_close(&e, 0);
        return reply_array(c->out, 0);
    }
    pop(&e, max, at_most(&e, n), argv.len == 3 ? PopShape::many : PopShape::one, c->out);
}
static void cmd_zpopmin(CmdCtx* c, Args argv, Reply*) { pop_one_key(c, argv, false); }
static void cmd_zpopmax(CmdCtx* c, Args argv, Reply*) { pop_one_key(c, argv, true); }

struct ZmpopOptions {
    size_t keys;
    bool max;
    int64_t count;
};

// `argv` from the word behind the keys on.
static bool parse_zmpop_tail(CmdCtx* c, Args argv, size_t from, ZmpopOptions* o) {
    size_t rest = argv.len - from - 1;
    o->max = arg_is(argv[from], "MAX");
    if (o->max || arg_is(argv[from], "MIN")) {
        if (rest == 0) return true;
        if (rest >= 2 && arg_is(argv[from + 1], "COUNT")) {
            if (!arg_i64_range(c, argv[from + 2], 1, INT64_MAX, &o->count,
                               "count should be greater than 0")) {
                return false;
            }
            if (rest == 2) return true;
        }
    }
    reply_err(c->out, Err::syntax);
    return false;
}

static bool parse_zmpop(CmdCtx* c, Args argv, ZmpopOptions* o) {
    *o = {0, false, 1};
    if (!arg_numkeys(c, argv, 1, Numkeys::pop, &o->keys)) return false;
    return parse_zmpop_tail(c, argv, 2 + o->keys, o);
}

static void cmd_zmpop(CmdCtx* c, Args argv, Reply* out) {
    ZmpopOptions o;
    if (!parse_zmpop(c, argv, &o)) return;
    for (size_t i = 2; i < 2 + o.keys; i++) {
        Edit e;
        Opened opened = edit_open(&c->a, argv[i], Type::zset, &e);
        if (opened == Opened::wrong_type) return reply_err(out, Err::wrong_type);
        if (opened == Opened::found) {
            reply_array(out, 2);
            reply_bulk(out, argv[i]);
            size_t n = at_most(&e, o.count);
            effect_pop(c, o.max ? Bytes("ZPOPMAX") : Bytes("ZPOPMIN"), argv[i], n);
            return pop(&e, o.max, n, PopShape::nested, out);
        }
        edit_close(&e, 0);
    }
    reply_null_array(out);
}

// ---- ZRANDMEMBER, ZSCAN -----------------------------------------------------------------------

static void score_beside(Reply* out, const Element* e) { reply_double(out, e->score); }

static void cmd_zrandmember(CmdCtx* c, Args argv, Reply*) {
    SampleArgs args;
    if (!arg_sample(c, argv, "WITHSCORES", &args)) return;
    sample_collection(c, argv[1], Type::zset, &args, score_beside);
}

// Redis keeps whole scores in listpacks as integers up to this, and ZSCAN shows what it keeps.
constexpr double kWholeMax = 4611686018427387904.0;  // 2^62

// A string even in RESP3.
static void score_text_beside(Reply* out, const Element* e) {
    char text[kDoubleTextMax];
    if (e->packed && std::fabs(e->score) <= kWholeMax && std::trunc(e->score) == e->score) {
        return reply_bulk(out, {text, format_i64(text, static_cast<int64_t>(e->score))});
    }
    reply_bulk(out, {text, format_double(text, e->score)});
}

static void cmd_zscan(CmdCtx* c, Args argv, Reply*) {
    scan_collection(c, argv, Type::zset, score_text_beside);
}

// ---- rows -------------------------------------------------------------------------------------

// clang-format off: a row reads best as one block.
const Cmd kZsetCmds[] = {
    {.name = "ZADD",
     .run = cmd_zadd,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyUpdate, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key [condition=(NX|XX)@3.0.2] [comparison=(GT|LT)@6.2.0] "
               "[change~CH@3.0.2] [increment~INCR@3.0.2] score_member={score:double "
               "member:string}...",
     .reply = Shape::any,
     .since = "1.2.0",
     .cost = "O(M log N), M = pairs",
     .about = "Sets the scores of members, adding those that are missing.",
     .history = {{"2.4.0", "Takes several pairs."},
                 {"3.0.2", "New options `XX`, `NX`, `CH`, `INCR`."},
                 {"6.2.0", "New options `GT`, `LT`."}}},
    {.name = "ZINCRBY",
     .run = cmd_zincrby,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key increment:integer member:string",
     .reply = Shape::any,
     .since = "1.2.0",
     .cost = "O(log N)",
     .about = "Adds to the score of a member; a missing one starts at 0."},
    {.name = "ZREM",
     .run = cmd_zrem,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key member:string...",
     .reply = Shape::integer,
     .since = "1.2.0",
     .cost = "O(M log N), M = members given",
     .about = "Removes members.",
     .history = {{"2.4.0", "Takes several members."}}},
    {.name = "ZCARD",
     .run = cmd_zcard,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "1.2.0",
     .cost = "O(1)",
     .about = "Counts the members of a sorted set."},
    {.name = "ZSCORE",
     .run = cmd_zscore,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key member:string",
     .reply = Shape::any,
     .since = "1.2.0",
     .cost = "O(1)",
     .about = "Returns the score of a member."},
    {.name = "ZMSCORE",
     .run = cmd_zmscore,
     .arity = -3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key member:string...",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(M), M = members given",
     .about = "Returns the scores of several members."},
    {.name = "ZRANK",
     .run = cmd_zrank,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key member:string",
     .reply = Shape::any,
     .since = "2.0.0",
     .cost = "O(log N)",
     .about = "Returns how many members come before one, from the lowest score on."},
    {.name = "ZREVRANK",
     .run = cmd_zrevrank,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key member:string",
     .reply = Shape::any,
     .since = "2.0.0",
     .cost = "O(log N)",
     .about = "Returns how many members come before one, from the highest score on."},
    {.name = "ZPOPMIN",
     .run = cmd_zpopmin,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key [count:integer]",
     .reply = Shape::array,
     .since = "5.0.0",
     .cost = "O(M log N), M = members returned",
     .about = "Takes out the members with the lowest scores."},
    {.name = "ZPOPMAX",
     .run = cmd_zpopmax,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key [count:integer]",
     .reply = Shape::array,
     .since = "5.0.0",
     .cost = "O(M log N), M = members returned",
     .about = "Takes out the members with the highest scores."},
    {.name = "ZMPOP",
     .run = cmd_zmpop,
     .arity = -4,
     .flags = kCmdWrite | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys =
         {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "numkeys:integer key:key... where=(MIN|MAX) [COUNT count:integer]",
     .reply = Shape::any,
     .since = "7.0.0",
     .cost = "O(K + M log N), K = keys, M = members returned",
     .about = "Takes members out of the first sorted set that has any."},
    {.name = "ZRANDMEMBER",
     .run = cmd_zrandmember,
     .arity = -2,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key [options={count:integer [WITHSCORES]}]",
     .reply = Shape::any,
     .since = "6.2.0",
     .cost = "O(M), M = members returned",
     .about = "Returns members chosen at random.",
     .tips = {"nondeterministic_output"}},
    {.name = "ZSCAN",
     .run = cmd_zscan,
     .arity = -3,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
     .reply = Shape::array,
     .since = "2.8.0",
     .cost = "O(1) per call, O(N) for a whole walk",
     .about = "Walks over members and scores step by step.",
     .tips = {"nondeterministic_output"}},
    {},
};
// clang-format on

}  // namespace rp
