// Sorted sets by range: of ranks, of scores, of strings. Counting, returning, storing, removing.
#include "base/numbers.h"
#include "cmd/families.h"
#include "cmd/zset.h"
#include "store/edit.h"
#include "store/notify.h"

namespace rp {

// ---- ranges -----------------------------------------------------------------------------------

enum class RangeBy : uint8_t { rank, score, lex };

struct Ranks {
    int64_t start, stop;
};
struct ScoreBound {
    double score;
    bool exclusive;
};
struct LexBound {
    enum class Kind : uint8_t { least, member, greatest } kind;
    bool exclusive;
    Bytes member;
};
struct Range {
    RangeBy by;
    Ranks ranks;  // by rank
    ScoreBound min_score, max_score;
    LexBound min_lex, max_lex;
};

// What a range means in a certain set: n members from `rank` on.
struct Span {
    size_t rank, n;
};

static bool parse_score_bound(Bytes arg, ScoreBound* out) {
    out->exclusive = arg.len != 0 && arg[0] == '(';
    if (out->exclusive) arg = bytes_slice(arg, 1, arg.len - 1);
    return parse_double_loosely(arg, &out->score);
}

// "+" and "-" end at a NUL, as C strings do.
static bool parse_lex_bound(Bytes arg, LexBound* out) {
    char first = arg.len != 0 ? arg[0] : '\0';
    bool alone = arg.len == 1 || (arg.len > 1 && arg[1] == '\0');
    if (first == '-' || first == '+') {
        *out = {first == '-' ? LexBound::Kind::least : LexBound::Kind::greatest, true, {}};
        return alone;
    }
    if (first != '(' && first != '[') return false;
    *out = {LexBound::Kind::member, first == '(', bytes_slice(arg, 1, arg.len - 1)};
    return true;
}

// `first` and `last` are the lower and the upper end, as ranks the first and the last.
static bool parse_range(CmdCtx* c, RangeBy by, Bytes first, Bytes last, Range* out) {
    out->by = by;
    switch (by) {
        case RangeBy::rank:
            return arg_i64(c, first, &out->ranks.start) && arg_i64(c, last, &out->ranks.stop);
        case RangeBy::score:
            if (parse_score_bound(first, &out->min_score) &&
                parse_score_bound(last, &out->max_score)) {
                return true;
            }
            reply_error(c->out, "ERR min or max is not a float");
            return false;
        case RangeBy::lex:
            if (parse_lex_bound(first, &out->min_lex) && parse_lex_bound(last, &out->max_lex)) {
                return true;
            }
            reply_error(c->out, "ERR min or max not valid string range item");
            return false;
    }
    return false;
}

static Span rank_span(size_t count, Ranks r, bool reverse) {
    auto len = static_cast<int64_t>(count);
    if (r.start < 0) r.start += len;
    if (r.stop < 0) r.stop += len;
    if (r.start < 0) r.start = 0;
    if (r.stop >= len) r.stop = len - 1;
    if (r.start > r.stop) return {0, 0};
    int64_t n = r.stop - r.start + 1;
    int64_t rank = reverse ? len - r.start - n : r.start;
    return {static_cast<size_t>(rank), static_cast<size_t>(n)};
}

// Members below the lower end; members not above the upper end.
static bool below_min_score(double score, Bytes, const void* arg) {
    const ScoreBound& min = static_cast<const Range*>(arg)->min_score;
    return score < min.score || (min.exclusive && score == min.score);
}
static bool within_max_score(double score, Bytes, const void* arg) {
    const ScoreBound& max = static_cast<const Range*>(arg)->max_score;
    return score < max.score || (!max.exclusive && score == max.score);
}

// Below, at or above the bound: -1, 0, 1.
static int compare_lex(Bytes member, const LexBound* b) {
    if (b->kind != LexBound::Kind::member) return b->kind == LexBound::Kind::least ? 1 : -1;
    size_t common = member.len < b->member.len ? member.len : b->member.len;
    int order = common != 0 ? memcmp(member.ptr, b->member.ptr, common) : 0;
    if (order != 0) return order < 0 ? -1 : 1;
    return member.len < b->member.len ? -1 : member.len > b->member.len;
}
static bool below_min_lex(double, Bytes member, const void* arg) {
    const LexBound& min = static_cast<const Range*>(arg)->min_lex;
    int order = compare_lex(member, &min);
    return order < 0 || (order == 0 && min.exclusive);
}
static bool within_max_lex(double, Bytes member, const void* arg) {
    const LexBound& max = static_cast<const Range*>(arg)->max_lex;
    int order = compare_lex(member, &max);
    return order < 0 || (order == 0 && !max.exclusive);
}

// Of a range of strings this means something only where all scores are equal, as in Redis.
static Span range_span(const Value* v, const Range* r, bool reverse) {
    if (r->by == RangeBy::rank) return rank_span(zset_count(v), r->ranks, reverse);
    bool lex = r->by == RangeBy::lex;
    size_t from = zset_count_before(v, lex ? below_min_lex : below_min_score, r);
    size_t to = zset_count_before(v, lex ? within_max_lex : within_max_score, r);
    return from < to ? Span{from, to - from} : Span{0, 0};
}

// ---- counting, removing -----------------------------------------------------------------------

static void count_range(CmdCtx* c, Args argv, RangeBy by) {
    Range range;
    Value v;
    bool failed;
    if (!parse_range(c, by, argv[2], argv[3], &range)) return;
    read_value(c, argv[1], Type::zset, &v, &failed);
    if (!failed) reply_int(c->out, static_cast<int64_t>(range_span(&v, &range, false).n));
}
static void cmd_zcount(CmdCtx* c, Args argv, Reply*) { count_range(c, argv, RangeBy::score); }
static void cmd_zlexcount(CmdCtx* c, Args argv, Reply*) { count_range(c, argv, RangeBy::lex); }

static void remove_range(CmdCtx* c, Args argv, RangeBy by) {
    Range range;
    Edit e;
    if (!parse_range(c, by, argv[2], argv[3], &range)) return;
    if (edit_open(&c->a, argv[1], Type::zset, &e) == Opened::wrong_type) {
        return reply_err(c->out, Err::wrong_type);
    }
    Span span = range_span(e.value, &range, false);
    zset_remove_ranks(e.value, span.rank, span.n);
    edit_close(&e, span.n);
    char event[64];
    size_t len = cmd_full_name(c->parent, c->row, event);
    if (span.n != 0) edit_notify(&e, kNotifyZset, {event, len});
    reply_int(c->out, static_cast<int64_t>(span.n));
}
static void cmd_zremrangebyrank(CmdCtx* c, Args argv, Reply*) {
    remove_range(c, argv, RangeBy::rank);
}
static void cmd_zremrangebyscore(CmdCtx* c, Args argv, Reply*) {
    remove_range(c, argv, RangeBy::score);
}
static void cmd_zremrangebylex(CmdCtx* c, Args argv, Reply*) {
    remove_range(c, argv, RangeBy::lex);
}

// ---- ZRANGE and what became of it -------------------------------------------------------------

// What a command's name has settled. Only ZRANGE and ZRANGESTORE take BYSCORE, BYLEX and REV.
struct RangeForm {
    bool general;
    RangeBy by;
    bool reverse;
    bool store;
};
struct Query {
    RangeBy by;
    bool reverse;
    bool scores;
    int64_t offset, limit;  // limit < 0: none
    Range range;
};

static bool take_kind(Bytes arg, bool* by_given, bool* rev_given, Query* q) {
    if (!*rev_given && arg_is(arg, "REV")) return *rev_given = q->reverse = true;
    if (*by_given) return false;
    if (arg_is(arg, "BYSCORE")) {
        q->by = RangeBy::score;
    } else if (arg_is(arg, "BYLEX")) {
        q->by = RangeBy::lex;
    } else {
        return false;
    }
    return *by_given = true;
}

static bool parse_options(CmdCtx* c, Args argv, size_t from, RangeForm form, Query* q) {
    bool by_given = !form.general, rev_given = !form.general;
    for (size_t i = from; i < argv.len; i++) {
        if (!form.store && arg_is(argv[i], "WITHSCORES")) {
            q->scores = true;
        } else if (arg_is(argv[i], "LIMIT") && i + 2 < argv.len) {
            if (!arg_i64(c, argv[i + 1], &q->offset) || !arg_i64(c, argv[i + 2], &q->limit)) {
                return false;
            }
            i += 2;
        } else if (!take_kind(argv[i], &by_given, &rev_given, q)) {
            reply_err(c->out, Err::syntax);
            return false;
        }
    }
    if (q->limit != -1 && q->by == RangeBy::rank) {
        reply_error(c->out,
                    "ERR syntax error, LIMIT is only supported in combination with either "
                    "BYSCORE or BYLEX");
        return false;
    }
    if (q->scores && q->by == RangeBy::lex) {
        reply_error(c->out, "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
        return false;
    }
    return true;
}

// argv[first] and the next are the ends of the range; backward, the upper end comes first.
static bool parse_query(CmdCtx* c, Args argv, size_t first, RangeForm form, Query* q) {
    *q = {};
    q->by = form.by;
    q->reverse = form.reverse;
    q->limit = -1;
    if (!parse_options(c, argv, first + 2, form, q)) return false;
    bool swap = q->reverse && q->by != RangeBy::rank;
    return parse_range(c, q->by, argv[first + swap], argv[first + !swap], &q->range);
}

static Span query_span(const Value* v, const Query* q) {
    Span s = range_span(v, &q->range, q->reverse);
    if (q->by == RangeBy::rank) return s;
    if (q->offset < 0 || static_cast<uint64_t>(q->offset) >= s.n) return {0, 0};
    auto offset = static_cast<size_t>(q->offset);
    size_t left = s.n - offset;
    size_t n = static_cast<uint64_t>(q->limit) < left ? static_cast<size_t>(q->limit) : left;
    return {q->reverse ? s.rank + left - n : s.rank + offset, n};
}

static void reply_range(CmdCtx* c, Args argv, RangeForm form) {
    Query q;
    Value v;
    bool failed;
    if (!parse_query(c, argv, 2, form, &q)) return;
    read_value(c, argv[1], Type::zset, &v, &failed);
    if (failed) return;
    Span s = query_span(&v, &q);
    reply_ranks(c->out, &v, s.rank, s.n, q.reverse, q.scores);
}

static void cmd_zrange(CmdCtx* c, Args argv, Reply*) {
    reply_range(c, argv, {true, RangeBy::rank, false, false});
}
static void cmd_zrevrange(CmdCtx* c, Args argv, Reply*) {
    reply_range(c, argv, {false, RangeBy::rank, true, false});
}
static void cmd_zrangebyscore(CmdCtx* c, Args argv, Reply*) {
    reply_range(c, argv, {false, RangeBy::score, false, false});
}
static void cmd_zrevrangebyscore(CmdCtx* c, Args argv, Reply*) {
    reply_range(c, argv, {false, RangeBy::score, true, false});
}
static void cmd_zrangebylex(CmdCtx* c, Args argv, Reply*) {
    reply_range(c, argv, {false, RangeBy::lex, false, false});
}
static void cmd_zrevrangebylex(CmdCtx* c, Args argv, Reply*) {
    reply_range(c, argv, {false, RangeBy::lex, true, false});
}

static void cmd_zrangestore(CmdCtx* c, Args argv, Reply* out) {
    Query q;
    Value from, made;
    bool failed;
    if (!parse_query(c, argv, 3, {true, RangeBy::rank, false, true}, &q)) return;
    read_value(c, argv[2], Type::zset, &from, &failed);
    if (failed) return;
    Span s = query_span(&from, &q);
    ZsetLimits limits = zset_limits(c);
    ZsetPair pair;
    for (ZsetWalk w = zset_walk(&from, s.rank, s.n, q.reverse); zset_next(&w, &pair);)
        zset_add(&made, pair.member, pair.score, limits);
    edit_store(&c->a, argv[1], Type::zset, &made, kNotifyZset, "zrangestore");
    reply_int(out, static_cast<int64_t>(s.n));
}

// ---- rows -------------------------------------------------------------------------------------

// clang-format off: a row reads best as one block.
const Cmd kZsetRangeCmds[] = {
    {.name = "ZCOUNT",
     .run = cmd_zcount,
     .arity = 4,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key min:double max:double",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(log N)",
     .about = "Counts the members with scores in a range."},
    {.name = "ZLEXCOUNT",
     .run = cmd_zlexcount,
     .arity = 4,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key min:string max:string",
     .reply = Shape::integer,
     .since = "2.8.9",
     .cost = "O(log N)",
     .about = "Counts the members of one score that lie between two strings."},
    {.name = "ZRANGE",
     .run = cmd_zrange,
     .arity = -4,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key start:string stop:string [sortby=(BYSCORE|BYLEX)@6.2.0] "
               "[REV@6.2.0] [LIMIT offset_count={offset:integer count:integer}@6.2.0] "
               "[WITHSCORES]",
     .reply = Shape::array,
     .since = "1.2.0",
     .cost = "O(log N + M), M = members returned",
     .about = "Returns the members in a range of ranks, scores or strings.",
     .history = {{"6.2.0", "New options `REV`, `BYSCORE`, `BYLEX`, `LIMIT`."}}},
    {.name = "ZRANGESTORE",
     .run = cmd_zrangestore,
     .arity = -5,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1},
              {.flags = kKeyRO | kKeyAccess, .index = 2}},
     .group = "sorted-set",
     .syntax = "dst:key src:key min:string max:string [sortby=(BYSCORE|BYLEX)] [REV] "
               "[LIMIT offset_count={offset:integer count:integer}]",
     .reply = Shape::integer,
     .since = "6.2.0",
     .cost = "O(M log N), M = members stored",
     .about = "Stores a range of one sorted set as another."},
    {.name = "ZREVRANGE",
     .run = cmd_zrevrange,
     .arity = -4,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key start:integer stop:integer [WITHSCORES]",
     .reply = Shape::array,
     .since = "1.2.0",
     .cost = "O(log N + M), M = members returned",
     .about = "Returns the members in a range of ranks, counted from the highest score.",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` argument"},
    {.name = "ZRANGEBYSCORE",
     .run = cmd_zrangebyscore,
     .arity = -4,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key min:double max:double [WITHSCORES@2.0.0] [LIMIT "
               "offset_count={offset:integer count:integer}]",
     .reply = Shape::array,
     .since = "1.0.5",
     .cost = "O(log N + M), M = members returned",
     .about = "Returns the members with scores in a range.",
     .history = {{"2.0.0", "New option `WITHSCORES`."}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYSCORE` argument"},
    {.name = "ZREVRANGEBYSCORE",
     .run = cmd_zrevrangebyscore,
     .arity = -4,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key max:double min:double [WITHSCORES] [LIMIT "
               "offset_count={offset:integer count:integer}]",
     .reply = Shape::array,
     .since = "2.2.0",
     .cost = "O(log N + M), M = members returned",
     .about = "Returns the members with scores in a range, the highest first.",
     .history = {{"2.1.6", "`min` and `max` may be exclusive."}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments"},
    {.name = "ZRANGEBYLEX",
     .run = cmd_zrangebylex,
     .arity = -4,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key min:string max:string [LIMIT offset_count={offset:integer "
               "count:integer}]",
     .reply = Shape::array,
     .since = "2.8.9",
     .cost = "O(log N + M), M = members returned",
     .about = "Returns the members of one score that lie between two strings.",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYLEX` argument"},
    {.name = "ZREVRANGEBYLEX",
     .run = cmd_zrevrangebylex,
     .arity = -4,
     .flags = kCmdReadonly,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key max:string min:string [LIMIT offset_count={offset:integer "
               "count:integer}]",
     .reply = Shape::array,
     .since = "2.8.9",
     .cost = "O(log N + M), M = members returned",
     .about = "Returns the members of one score that lie between two strings, the last first.",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments"},
    {.name = "ZREMRANGEBYRANK",
     .run = cmd_zremrangebyrank,
     .arity = 4,
     .flags = kCmdWrite,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key start:integer stop:integer",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(M log N), M = members removed",
     .about = "Removes the members in a range of ranks."},
    {.name = "ZREMRANGEBYSCORE",
     .run = cmd_zremrangebyscore,
     .arity = 4,
     .flags = kCmdWrite,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key min:double max:double",
     .reply = Shape::integer,
     .since = "1.2.0",
     .cost = "O(M log N), M = members removed",
     .about = "Removes the members with scores in a range."},
    {.name = "ZREMRANGEBYLEX",
     .run = cmd_zremrangebylex,
     .arity = 4,
     .flags = kCmdWrite,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "sorted-set",
     .syntax = "key:key min:string max:string",
     .reply = Shape::integer,
     .since = "2.8.9",
     .cost = "O(M log N), M = members removed",
     .about = "Removes the members of one score that lie between two strings."},
    {},
};
// clang-format on

}  // namespace rp
