#include "types/zset.h"

#include <new>

#include "base/assert.h"
#include "mem/mem.h"
#include "types/listpack.h"

namespace rp {

constexpr size_t kFlatBytesMax = size_t{1} << 30;  // as Redis, whatever the settings say

static Bytes score_bytes(const double* score) {
    return {reinterpret_cast<const char*>(score), sizeof *score};
}

// ---- the large form ---------------------------------------------------------------------------

Zset* zset_new() {
    Zset* z = new (mem_alloc(sizeof(Zset))) Zset;
    z->dict = dict_new();
    return z;
}

void zset_free(Zset* take) { zset_free_some(take, SIZE_MAX); }

bool zset_free_some(Zset* take, size_t elements) {
    if (!ranktree_free_some(&take->order, elements)) return false;
    if (!dict_free_some(take->dict, elements)) return false;
    mem_free(take, sizeof(Zset));
    return true;
}

Zset* zset_clone(const Zset* z) {
    Zset* copy = new (mem_alloc(sizeof(Zset))) Zset;
    copy->dict = dict_clone(z->dict);
    for (RankAt at = ranktree_at(&z->order, 0); at.leaf != nullptr; at = ranktree_next(at)) {
        const Item* item = dict_find(copy->dict, item_key(ranktree_item(at)));
        ranktree_insert(&copy->order, ranktree_score(at), item);
    }
    return copy;
}

size_t zset_cost(const Zset* z) {
    return mem_cost(sizeof(Zset)) + dict_cost(z->dict) + z->order.node_cost;
}

bool dict_add_score(Dict* d, Bytes member, double score, Item** out) {
    *out = dict_find(d, member);
    if (*out != nullptr) return false;
    return dict_set(d, member, score_bytes(&score), out);
}

static void large_add(Zset* z, Bytes member, double score) {
    Item* item;
    bool added = dict_set(z->dict, member, score_bytes(&score), &item);
    RP_ASSERT(added);
    ranktree_insert(&z->order, score, item);
}

// The member's bytes may be the item's own: they are looked at before the item goes.
static void large_remove(Zset* z, const Item* item, double score) {
    ranktree_erase(&z->order, score, item_key(item));
    dict_erase(z->dict, item_key(item));
}

// ---- the small form ---------------------------------------------------------------------------

static ZsetPair pair_at(Bytes lp, size_t at) {
    ZsetPair p = {lp_get(lp, at), 0};
    memcpy(&p.score, lp_get(lp, lp_next(lp, at)).ptr, sizeof p.score);
    return p;
}

static size_t next_pair(Bytes lp, size_t at) { return lp_next(lp, lp_next(lp, at)); }
static size_t previous_pair(Bytes lp, size_t at) {
    at = lp_prev(lp, at);
    return at != kLpEnd ? lp_prev(lp, at) : kLpEnd;
}

static bool pair_before(double a_score, Bytes a, double b_score, Bytes b) {
    if (a_score != b_score) return a_score < b_score;
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common != 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    return order != 0 ? order < 0 : a.len < b.len;
}

// The first pair for which `before` does not hold; *rank counts those before it.
static size_t flat_skip(Bytes lp, RankBefore before, const void* arg, size_t* rank) {
    size_t at = lp_first(lp);
    for (*rank = 0; at != kLpEnd; at = next_pair(lp, at), ++*rank) {
        ZsetPair p = pair_at(lp, at);
        if (!before(p.score, p.member, arg)) break;
    }
    return at;
}

static bool before_pair(double score, Bytes member, const void* arg) {
    auto* p = static_cast<const ZsetPair*>(arg);
    return pair_before(score, member, p->score, p->member);
}

// -0.0 + 0.0 is 0.0.
static double flat_score(double score) { return score + 0.0; }

static void flat_add(Buf* lp, Bytes member, double score) {
    ZsetPair pair = {member, score};
    size_t rank;
    size_t at = flat_skip(buf_bytes(lp), before_pair, &pair, &rank);
    at = lp_insert(lp, at, member);
    score = flat_score(score);
    lp_insert(lp, lp_next(buf_bytes(lp), at), score_bytes(&score));
}

static bool flat_fits(const Value* v, Bytes member, ZsetLimits limits) {
    return zset_count(v) < limits.entries && member.len <= limits.member &&
           v->flat.len + member.len < kFlatBytesMax;
}

static void convert_to_large(Value* v) {
    Zset* z = zset_new();
    Bytes lp = buf_bytes(&v->flat);
    dict_reserve(z->dict, lp_count(lp) / 2 + 1);
    for (size_t at = lp_first(lp); at != kLpEnd; at = next_pair(lp, at)) {
        ZsetPair p = pair_at(lp, at);
        large_add(z, p.member, p.score);
    }
    buf_free(&v->flat);
    v->form = Form::zset;
    v->zset = z;
}

// ---- looking ----------------------------------------------------------------------------------

size_t zset_count(const Value* v) {
    return v->form == Form::zset ? v->zset->order.count : lp_count(buf_bytes(&v->flat)) / 2;
}

ZsetSpot zset_find(const Value* v, Bytes member) {
    ZsetSpot spot;
    if (v->form == Form::zset) {
        spot.item = dict_find(v->zset->dict, member);
        spot.found = spot.item != nullptr;
        if (spot.found) spot.score = item_score(spot.item);
        return spot;
    }
    Bytes lp = buf_bytes(&v->flat);
    spot.at = lp_find(lp, lp_first(lp), 2, member);
    spot.found = spot.at != kLpEnd;
    if (spot.found) spot.score = pair_at(lp, spot.at).score;
    return spot;
}

size_t zset_rank(const Value* v, double score, Bytes member) {
    if (v->form == Form::zset) return ranktree_rank(&v->zset->order, score, member);
    ZsetPair pair = {member, score};
    size_t rank;
    flat_skip(buf_bytes(&v->flat), before_pair, &pair, &rank);
    return rank;
}

size_t zset_count_before(const Value* v, RankBefore before, const void* arg) {
    if (v->form == Form::zset) return ranktree_count_before(&v->zset->order, before, arg);
    size_t rank;
    flat_skip(buf_bytes(&v->flat), before, arg, &rank);
    return rank;
}

ZsetPair zset_pick(const Value* v, size_t index) {
    if (v->form == Form::zset) {
        const Item* item = dict_at(v->zset->dict, index);
        return {item_key(item), item_score(item)};
    }
    Bytes lp = buf_bytes(&v->flat);
    return pair_at(lp, lp_seek(lp, static_cast<int64_t>(2 * index)));
}

// ---- walking ----------------------------------------------------------------------------------

ZsetWalk zset_walk(const Value* v, size_t rank, size_t n, bool reverse) {
    ZsetWalk w = {v, n, reverse, kLpEnd, {}};
    if (n == 0) return w;
    size_t first = reverse ? rank + n - 1 : rank;
    if (v->form == Form::zset) {
        w.node = ranktree_at(&v->zset->order, first);
    } else {
        w.at = lp_seek(buf_bytes(&v->flat), static_cast<int64_t>(2 * first));
    }
    return w;
}

bool zset_next(ZsetWalk* w, ZsetPair* out) {
    if (w->left == 0) return false;
    w->left--;
    if (w->v->form == Form::zset) {
        *out = {item_key(ranktree_item(w->node)), ranktree_score(w->node)};
        w->node = w->reverse ? ranktree_prev(w->node) : ranktree_next(w->node);
        return true;
    }
    Bytes lp = buf_bytes(&w->v->flat);
    *out = pair_at(lp, w->at);
    w->at = w->reverse ? previous_pair(lp, w->at) : next_pair(lp, w->at);
    return true;
}

// ---- writing ----------------------------------------------------------------------------------

void zset_add(Value* v, Bytes member, double score, ZsetLimits limits) {
    if (v->form != Form::zset && !flat_fits(v, member, limits)) convert_to_large(v);
    if (v->form == Form::zset) return large_add(v->zset, member, score);
    flat_add(&v->flat, member, score);
}

void zset_update(Value* v, const ZsetSpot* spot, Bytes member, double score) {
    if (v->form == Form::zset) {
        ranktree_move(&v->zset->order, spot->score, spot->item, score);
        return item_set_score(spot->item, score);
    }
    lp_erase(&v->flat, spot->at, 2);
    flat_add(&v->flat, member, score);
}

bool zset_remove(Value* v, Bytes member) {
    ZsetSpot spot = zset_find(v, member);
    if (!spot.found) return false;
    if (v->form == Form::zset) {
        large_remove(v->zset, spot.item, spot.score);
    } else {
        lp_erase(&v->flat, spot.at, 2);
    }
    return true;
}

void zset_remove_ranks(Value* v, size_t rank, size_t n) {
    if (n == 0) return;
    if (v->form != Form::zset) {
        lp_erase(&v->flat, lp_seek(buf_bytes(&v->flat), static_cast<int64_t>(2 * rank)), 2 * n);
        return;
    }
    for (; n != 0; n--) {
        RankAt at = ranktree_at(&v->zset->order, rank);
        large_remove(v->zset, ranktree_item(at), ranktree_score(at));
    }
}

// ---- results ----------------------------------------------------------------------------------

static bool all_fit(const Dict* d, ZsetLimits limits) {
    if (d->count > limits.entries) return false;
    size_t bytes = 0;
    for (size_t i = 0; i < d->count; i++) {
        bytes += item_key(dict_at(d, i)).len;
        if (item_key(dict_at(d, i)).len > limits.member) return false;
    }
    return bytes < kFlatBytesMax;
}

Value zset_from_dict(Dict* take, ZsetLimits limits) {
    Value v;
    Zset* z = new (mem_alloc(sizeof(Zset))) Zset;
    z->dict = take;
    for (size_t i = 0; i < take->count; i++)
        ranktree_insert(&z->order, item_score(dict_at(take, i)), dict_at(take, i));
    if (!all_fit(take, limits)) {
        v.form = Form::zset;
        v.zset = z;
        return v;
    }
    for (RankAt at = ranktree_at(&z->order, 0); at.leaf != nullptr; at = ranktree_next(at)) {
        double score = flat_score(ranktree_score(at));
        lp_append(&v.flat, item_key(ranktree_item(at)));
        lp_append(&v.flat, score_bytes(&score));
    }
    zset_free(z);
    return v;
}

Dict* zset_dict_from_run(Buf* take) {
    Dict* d = dict_new();
    Bytes lp = buf_bytes(take);
    dict_reserve(d, lp_count(lp) / 2);
    bool distinct = true;
    for (size_t at = lp_first(lp); at != kLpEnd && distinct; at = next_pair(lp, at)) {
        ZsetPair p = pair_at(lp, at);
        Item* item;
        distinct = dict_add_score(d, p.member, p.score, &item);
    }
    buf_free(take);
    if (distinct) return d;
    dict_free(d);
    return nullptr;
}

// 1: each pair is behind the one before it, -1: in front of it, 0: neither.
static int run_order(Bytes lp) {
    size_t at = lp_first(lp);
    ZsetPair last = pair_at(lp, at);
    int order = 0;
    while ((at = next_pair(lp, at)) != kLpEnd) {
        ZsetPair p = pair_at(lp, at);
        int step = pair_before(last.score, last.member, p.score, p.member) ? 1 : -1;
        if (order != 0 && step != order) return 0;
        order = step;
        last = p;
    }
    return order != 0 ? order : 1;
}

static void append_pair(Buf* lp, ZsetPair p) {
    double score = flat_score(p.score);
    lp_append(lp, p.member);
    lp_append(lp, score_bytes(&score));
}

static Buf run_in_order(Bytes lp, bool backward) {
    Buf run;
    if (backward) {
        for (size_t at = lp_last(lp); at != kLpEnd; at = lp_prev(lp, at)) {
            at = lp_prev(lp, at);
            append_pair(&run, pair_at(lp, at));
        }
    } else {
        for (size_t at = lp_first(lp); at != kLpEnd; at = next_pair(lp, at))
            append_pair(&run, pair_at(lp, at));
    }
    return run;
}

static bool run_fits(Bytes lp, ZsetLimits limits) {
    if (lp_count(lp) / 2 > limits.entries || lp.len > kFlatBytesMax) return false;
    for (size_t at = lp_first(lp); at != kLpEnd; at = next_pair(lp, at)) {
        if (lp_get(lp, at).len > limits.member) return false;
    }
    return true;
}

bool zset_from_run(Buf* take, ZsetLimits limits, Value* out) {
    *out = {};
    if (take->len == 0) return true;
    int order = run_fits(buf_bytes(take), limits) ? run_order(buf_bytes(take)) : 0;
    if (order == 0) {
        Dict* d = zset_dict_from_run(take);
        if (d != nullptr) *out = zset_from_dict(d, limits);
        return d != nullptr;
    }
    bool distinct = lp_distinct(buf_bytes(take), 2);
    if (distinct) out->flat = run_in_order(buf_bytes(take), order < 0);
    buf_free(take);
    return distinct;
}

// ---- checking ---------------------------------------------------------------------------------

static void check_large(const Zset* z) {
    dict_check(z->dict);
    ranktree_check(&z->order);
    RP_ASSERT(z->dict->count == z->order.count);
    for (RankAt at = ranktree_at(&z->order, 0); at.leaf != nullptr; at = ranktree_next(at)) {
        const Item* item = ranktree_item(at);
        RP_ASSERT(dict_find(z->dict, item_key(item)) == item);
        RP_ASSERT(item_score(item) == ranktree_score(at));
    }
}

void zset_check(const Value* v) {
    if (v->form == Form::zset) return check_large(v->zset);
    Bytes lp = buf_bytes(&v->flat);
    lp_check(lp);
    RP_ASSERT(lp_count(lp) % 2 == 0);
    size_t at = lp_first(lp);
    while (at != kLpEnd) {
        ZsetPair here = pair_at(lp, at);
        at = next_pair(lp, at);
        if (at == kLpEnd) break;
        ZsetPair next = pair_at(lp, at);
        RP_ASSERT(pair_before(here.score, here.member, next.score, next.member));
    }
}

}  // namespace rp
