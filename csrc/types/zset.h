// types/zset.h: a sorted set. Small: one listpack of member, score (8 bytes, as the machine keeps a
// double), in order. Large: a Zset.
#pragma once
#include "types/ranktree.h"
#include "types/value.h"

namespace rp {

// Invariant  Z1  every Item of `dict` holds its score as its value and is in `order` under it.
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

}  // namespace rp
