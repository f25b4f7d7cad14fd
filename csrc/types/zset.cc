#include "types/zset.h"

#include <new>

#include "mem/mem.h"

namespace rp {

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

}  // namespace rp
