// Unions, intersections and differences of sorted sets, and of sets, whose members all score 1.
#include <algorithm>
#include <cmath>

#include "base/numbers.h"
#include "cmd/families.h"
#include "cmd/options.h"
#include "cmd/zset.h"
#include "mem/mem.h"
#include "store/edit.h"
#include "store/notify.h"
#include "types/set.h"

namespace rp {

enum class SetOp : uint8_t { unite, intersect, subtract };
enum class Aggregate : uint8_t { sum, min, max };

// ---- inputs -----------------------------------------------------------------------------------

struct Operand {
    Value v;  // borrowed
    bool is_set;
    double weight;
    size_t count;
    size_t number;  // among the arguments
};

// False: wrong type, or it needs the lock.
static bool read_operand(CmdCtx* c, Bytes key, size_t number, Operand* out) {
    *out = {{}, false, 1, 0, number};
    const Entry* e = db_find(&c->a, key);
    if (c->a.need_lock) return false;
    if (e == nullptr) return true;
    out->is_set = entry_type(e) == Type::set;
    if (!out->is_set && entry_type(e) != Type::zset) {
        reply_err(c->out, Err::wrong_type);
        return false;
    }
    if (!db_view(&c->a, e, &out->v)) return false;
    out->count = out->is_set ? set_count(&out->v) : zset_count(&out->v);
    return true;
}

static bool operand_find(const Operand* o, Bytes member, double* score) {
    if (o->is_set) {
        *score = 1;
        return set_contains(&o->v, member);
    }
    ZsetSpot spot = zset_find(&o->v, member);
    *score = spot.score;
    return spot.found;
}

struct OperandWalk {
    bool is_set;
    SetWalk set;
    ZsetWalk zset;
};
static OperandWalk operand_walk(const Operand* o) {
    OperandWalk w = {};
    w.is_set = o->is_set;
    if (o->is_set) {
        w.set = set_walk(&o->v);
    } else {
        w.zset = zset_walk(&o->v, 0, o->count, false);
    }
    return w;
}
static bool operand_next(OperandWalk* w, ZsetPair* out) {
    if (!w->is_set) return zset_next(&w->zset, out);
    out->score = 1;
    return set_next(&w->set, &out->member);
}

// ---- the work ---------------------------------------------------------------------------------

struct Combination {
    SetOp op;
    Operand* operands = nullptr;
    size_t n = 0;
    Aggregate aggregate = Aggregate::sum;
    bool scores = false;
    uint64_t limit = 0;  // ZINTERCARD; 0 = none
};

static double weighted(double score, double weight) {
    double v = score * weight;
    return std::isnan(v) ? 0 : v;
}

// As Redis: infinity minus infinity is 0, and a value that is no number is not less or greater.
static double combine(double a, double b, Aggregate how) {
    switch (how) {
        case Aggregate::sum: return std::isnan(a + b) ? 0 : a + b;
        case Aggregate::min: return b < a ? b : a;
        case Aggregate::max: return b > a ? b : a;
    }
    return a;
}

// From the smallest to the largest: the smallest is walked over, and scores are added in this
// order.
static void sort_operands(Combination* k) {
    std::sort(k->operands, k->operands + k->n, [](const Operand& a, const Operand& b) {
        return a.count != b.count ? a.count < b.count : a.number < b.number;
    });
}

static void unite(const Combination* k, Dict* into) {
    Item* item;
    ZsetPair pair;
    for (size_t i = 0; i < k->n; i++) {
        const Operand* o = &k->operands[i];
        for (OperandWalk w = operand_walk(o); operand_next(&w, &pair);) {
            double score = weighted(pair.score, o->weight);
            if (dict_add_score(into, pair.member, score, &item)) continue;
            item_set_score(item, combine(item_score(item), score, k->aggregate));
        }
    }
}

// Whether all other operands have the member; *score is then complete.
static bool in_all_others(const Combination* k, Bytes member, double* score) {
    double found;
    for (size_t i = 1; i < k->n; i++) {
        if (!operand_find(&k->operands[i], member, &found)) return false;
        *score = combine(*score, found * k->operands[i].weight, k->aggregate);
    }
    return true;
}

// `into` null: only counts, up to the limit.
static size_t intersect(const Combination* k, Dict* into) {
    ZsetPair pair;
    Item* item;
    size_t found = 0;
    const Operand* least = &k->operands[0];
    for (OperandWalk w = operand_walk(least); operand_next(&w, &pair);) {
        double score = weighted(pair.score, least->weight);
        if (!in_all_others(k, pair.member, &score)) continue;
        if (into != nullptr) dict_add_score(into, pair.member, score, &item);
        if (++found == k->limit) break;
    }
    return found;
}

static bool in_any_other(const Combination* k, Bytes member) {
    double score;
    for (size_t i = 1; i < k->n; i++) {
        if (operand_find(&k->operands[i], member, &score)) return true;
    }
    return false;
}

// Either every member of the first is looked for in the others, or all of theirs are taken out of a
// copy: whichever is less work.
static void subtract(const Combination* k, Dict* into) {
    const Operand* first = &k->operands[0];
    size_t all_others = 0;
    for (size_t i = 1; i < k->n; i++)
        all_others += k->operands[i].count;
    bool look_up = all_others / k->n >= first->count;
    ZsetPair pair;
    Item* item;
    for (OperandWalk w = operand_walk(first); operand_next(&w, &pair);) {
        if (look_up && in_any_other(k, pair.member)) continue;
        dict_add_score(into, pair.member, pair.score, &item);
    }
    for (size_t i = 1; i < k->n && !look_up; i++) {
        for (OperandWalk w = operand_walk(&k->operands[i]); operand_next(&w, &pair);)
            dict_erase(into, pair.member);
    }
}

static Value combined(CmdCtx* c, Combination* k) {
    Dict* into = dict_new();
    if (k->op != SetOp::subtract) sort_operands(k);
    switch (k->op) {
        case SetOp::unite: unite(k, into); break;
        case SetOp::intersect: intersect(k, into); break;
        case SetOp::subtract: subtract(k, into); break;
    }
    return zset_from_dict(into, zset_limits(c));
}

// ---- arguments --------------------------------------------------------------------------------

enum class Result : uint8_t { members, stored, count };

static bool take_weights(CmdCtx* c, Args argv, size_t from, Combination* k) {
    for (size_t i = 0; i < k->n; i++) {
        if (parse_double(argv[from + i], &k->operands[i].weight)) continue;
        reply_error(c->out, "ERR weight value is not a float");
        return false;
    }
    return true;
}

static bool take_aggregate(CmdCtx* c, Bytes arg, Combination* k) {
    if (arg_is(arg, "SUM")) {
        k->aggregate = Aggregate::sum;
    } else if (arg_is(arg, "MIN")) {
        k->aggregate = Aggregate::min;
    } else if (arg_is(arg, "MAX")) {
        k->aggregate = Aggregate::max;
    } else {
        reply_err(c->out, Err::syntax);
        return false;
    }
    return true;
}

static bool take_limit(CmdCtx* c, Bytes arg, Combination* k) {
    int64_t limit;
    if (!arg_i64_range(c, arg, 0, INT64_MAX, &limit, "LIMIT can't be negative")) return false;
    k->limit = static_cast<uint64_t>(limit);
    return true;
}

static bool parse_tail(CmdCtx* c, Args argv, size_t from, Result result, Combination* k) {
    bool adds_up = k->op != SetOp::subtract && result != Result::count;
    for (size_t i = from; i < argv.len;) {
        size_t left = argv.len - i - 1;
        if (adds_up && left >= k->n && arg_is(argv[i], "WEIGHTS")) {
            if (!take_weights(c, argv, i + 1, k)) return false;
            i += 1 + k->n;
        } else if (adds_up && left >= 1 && arg_is(argv[i], "AGGREGATE")) {
            if (!take_aggregate(c, argv[i + 1], k)) return false;
            i += 2;
        } else if (result == Result::members && arg_is(argv[i], "WITHSCORES")) {
            k->scores = true;
            i++;
        } else if (result == Result::count && left >= 1 && arg_is(argv[i], "LIMIT")) {
            if (!take_limit(c, argv[i + 1], k)) return false;
            i += 2;
        } else {
            reply_err(c->out, Err::syntax);
            return false;
        }
    }
    return true;
}

static bool read_operands(CmdCtx* c, Args argv, size_t from, Combination* k) {
    for (size_t i = 0; i < k->n; i++) {
        if (!read_operand(c, argv[from + i], i, &k->operands[i])) return false;
    }
    return true;
}

static void reply_result(CmdCtx* c, Args argv, Result result, Combination* k) {
    if (result == Result::count) {
        sort_operands(k);
        return reply_int(c->out, static_cast<int64_t>(intersect(k, nullptr)));
    }
    Value v = combined(c, k);
    size_t n = zset_count(&v);
    if (result == Result::stored) {
        char event[64];
        size_t len = cmd_full_name(c->parent, c->row, event);
        edit_store(&c->a, argv[1], Type::zset, &v, kNotifyZset, {event, len});
        return reply_int(c->out, static_cast<int64_t>(n));
    }
    reply_ranks(c->out, &v, 0, n, false, k->scores);
    value_free(&v);
}

// As Redis, the keys are looked at before the options are.
static void run(CmdCtx* c, Args argv, SetOp op, Result result) {
    Combination k;
    k.op = op;
    size_t at = result == Result::stored ? 2 : 1;
    if (!arg_numkeys(c, argv, at, Numkeys::combine, &k.n)) return;
    size_t bytes = k.n * sizeof(Operand);
    k.operands = static_cast<Operand*>(mem_alloc(bytes));
    if (read_operands(c, argv, at + 1, &k) && parse_tail(c, argv, at + 1 + k.n, result, &k)) {
        reply_result(c, argv, result, &k);
    }
    mem_free(k.operands, bytes);
}

static void cmd_zunion(CmdCtx* c, Args argv, Reply*) {
    run(c, argv, SetOp::unite, Result::members);
}
static void cmd_zinter(CmdCtx* c, Args argv, Reply*) {
    run(c, argv, SetOp::intersect, Result::members);
}
static void cmd_zdiff(CmdCtx* c, Args argv, Reply*) {
    run(c, argv, SetOp::subtract, Result::members);
}
static void cmd_zunionstore(CmdCtx* c, Args argv, Reply*) {
    run(c, argv, SetOp::unite, Result::stored);
}
static void cmd_zinterstore(CmdCtx* c, Args argv, Reply*) {
    run(c, argv, SetOp::intersect, Result::stored);
}
static void cmd_zdiffstore(CmdCtx* c, Args argv, Reply*) {
    run(c, argv, SetOp::subtract, Result::stored);
}
static void cmd_zintercard(CmdCtx* c, Args argv, Reply*) {
    run(c, argv, SetOp::intersect, Result::count);
}

// ---- rows -------------------------------------------------------------------------------------

// clang-format off: a row reads best as one block.
const Cmd kZsetStoreCmds[] = {
    {.name = "ZUNION",
     .run = cmd_zunion,
     .arity = -3,
     .flags = kCmdReadonly | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "numkeys:integer key:key... [WEIGHTS weight:integer...] [AGGREGATE "
               "aggregate=(SUM|MIN|MAX)] [WITHSCORES]",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(N + M log M), N = members of all inputs, M = of the result",
     .about = "Returns the members of any of several sorted sets, their scores combined."},
    {.name = "ZINTER",
     .run = cmd_zinter,
     .arity = -3,
     .flags = kCmdReadonly | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "numkeys:integer key:key... [WEIGHTS weight:integer...] [AGGREGATE "
               "aggregate=(SUM|MIN|MAX)] [WITHSCORES]",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(N K + M log M), N = members of the smallest of K inputs, M = of the result",
     .about = "Returns the members that several sorted sets share, their scores combined."},
    {.name = "ZDIFF",
     .run = cmd_zdiff,
     .arity = -3,
     .flags = kCmdReadonly | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "numkeys:integer key:key... [WITHSCORES]",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(N + M log M), N = members of all inputs, M = of the result",
     .about = "Returns the members of the first sorted set that are in none of the others."},
    {.name = "ZUNIONSTORE",
     .run = cmd_zunionstore,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1},
              {.flags = kKeyRO | kKeyAccess, .index = 2, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "destination:key numkeys:integer key:key... [WEIGHTS weight:integer...] "
               "[AGGREGATE aggregate=(SUM|MIN|MAX)]",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(N + M log M), N = members of all inputs, M = of the result",
     .about = "Stores the union of several sorted sets."},
    {.name = "ZINTERSTORE",
     .run = cmd_zinterstore,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1},
              {.flags = kKeyRO | kKeyAccess, .index = 2, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "destination:key numkeys:integer key:key... [WEIGHTS weight:integer...] "
               "[AGGREGATE aggregate=(SUM|MIN|MAX)]",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(N K + M log M), N = members of the smallest of K inputs, M = of the result",
     .about = "Stores the intersection of several sorted sets."},
    {.name = "ZDIFFSTORE",
     .run = cmd_zdiffstore,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1},
              {.flags = kKeyRO | kKeyAccess, .index = 2, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "destination:key numkeys:integer key:key...",
     .reply = Shape::integer,
     .since = "6.2.0",
     .cost = "O(N + M log M), N = members of all inputs, M = of the result",
     .about = "Stores the members of the first sorted set that are in none of the others."},
    {.name = "ZINTERCARD",
     .run = cmd_zintercard,
     .arity = -3,
     .flags = kCmdReadonly | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1, .num_index = 0, .first_key = 1}},
     .group = "sorted-set",
     .syntax = "numkeys:integer key:key... [LIMIT limit:integer]",
     .reply = Shape::integer,
     .since = "7.0.0",
     .cost = "O(N K), N = members of the smallest of K inputs",
     .about = "Counts the members that several sorted sets share."},
    {},
};
// clang-format on

}  // namespace rp
