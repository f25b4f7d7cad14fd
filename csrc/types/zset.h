// types/zset.h: a sorted set: members, each with a score, in the order of (score, member).
//
//   listpack    member, score, member, score, ... in order; a score is 8 bytes, as the machine
//               keeps a double, and -0.0 becomes 0.0 (as in Redis). Up to ZsetLimits.
//   zset        a Dict (member -> score) and a RankTree over its Items
//
// A listpack becomes a Zset when a member is added beyond the limits, and never again the reverse,
// except that a whole new result (zset_from_dict) gets the form that fits it.
//
// Invariant   Z1  every Item of `dict` holds its score as its value and is in `order` under it.
// Ownership   as types/value.h. Bytes of a member and places are good until the next write.
// Threads     none inside.
// Limits      scores are not NaN; -0.0 and 0.0 are one score.
#pragma once
#include "types/ranktree.h"
#include "types/value.h"

namespace rp {

struct Zset {
    Dict* dict = nullptr;
    RankTree order;
};

Zset* zset_new();
void zset_free(Zset* take);
// Frees at most `elements` elements; true once the Zset itself is gone.
bool zset_free_some(Zset* take, size_t elements);
Zset* zset_clone(const Zset* z);
size_t zset_cost(const Zset* z);

// ---- a Value that is a sorted set -------------------------------------------------------------

// zset-max-listpack-entries, zset-max-listpack-value.
struct ZsetLimits {
    size_t entries;
    size_t member;  // bytes
};
struct ZsetPair {
    Bytes member;
    double score;
};

size_t zset_count(const Value* v);

// A member's place, for the write that follows.
struct ZsetSpot {
    bool found = false;
    double score = 0;
    size_t at = 0;         // in a listpack
    Item* item = nullptr;  // in a Dict
};
ZsetSpot zset_find(const Value* v, Bytes member);
// Number of members before (score, member).
size_t zset_rank(const Value* v, double score, Bytes member);

// REQUIRES: absent. An empty Value becomes a sorted set.
void zset_add(Value* v, Bytes member, double score, ZsetLimits limits);
// REQUIRES: `spot` is where `member` was found.
void zset_update(Value* v, const ZsetSpot* spot, Bytes member, double score);
bool zset_remove(Value* v, Bytes member);  // false: absent
// Removes n members from `rank` on. REQUIRES: that many.
void zset_remove_ranks(Value* v, size_t rank, size_t n);

// How many members `before` holds for, where it holds for the first ones of the order only.
size_t zset_count_before(const Value* v, RankBefore before, const void* arg);

// A walk over n members from `rank` on, or backward from `rank` + n - 1 down to `rank`. The set
// must not change meanwhile. REQUIRES: that many.
struct ZsetWalk {
    const Value* v;
    size_t left;
    bool reverse;
    size_t at;    // in a listpack
    RankAt node;  // in a RankTree
};
ZsetWalk zset_walk(const Value* v, size_t rank, size_t n, bool reverse);
bool zset_next(ZsetWalk* w, ZsetPair* out);  // false: that was the last one

// Members by number, in no special order. REQUIRES: index < count.
ZsetPair zset_pick(const Value* v, size_t index);

// ---- results ----------------------------------------------------------------------------------

// Items as a Zset's Dict holds them.
inline double item_score(const Item* i) {
    double score;
    memcpy(&score, i->data + i->key_len, sizeof score);
    return score;
}
inline void item_set_score(Item* i, double score) {
    memcpy(i->data + i->key_len, &score, sizeof score);
}
// True: it was absent, and is there now.
bool dict_add_score(Dict* d, Bytes member, double score, Item** out);
// A sorted set of all members of `take`: a listpack if it is within the limits.
Value zset_from_dict(Dict* take, ZsetLimits limits);
// Loading: a sorted set of what a listpack lists: member, score (8 bytes), member, ... in any
// order. False: a member is there twice, and *out is empty. *take is empty afterwards.
bool zset_from_run(Buf* take, ZsetLimits limits, Value* out);
Dict* zset_dict_from_run(Buf* take);  // the same as the Dict of a Zset; null: a member twice

void zset_check(const Value* v);  // order, Z1, the parts' own invariants; asserts

}  // namespace rp
