#include "persist/key_set.h"

#include <cstring>

#include "mem/mem.h"

namespace rp {

constexpr size_t kFirstCap = 1024;

static bool same(const Hash128& a, const Hash128& b) { return a.low == b.low && a.high == b.high; }

// Where it is, or would be.
static Hash128* place_of(const KeySet* set, const Hash128& digest) {
    constexpr Hash128 kEmpty = {};
    size_t i = digest.low & (set->cap - 1);
    while (!same(set->slots[i], digest) && !same(set->slots[i], kEmpty))
        i = (i + 1) & (set->cap - 1);
    return &set->slots[i];
}

static bool grow(KeySet* set) {
    size_t cap = set->cap == 0 ? kFirstCap : set->cap * 2;
    KeySet larger = {static_cast<Hash128*>(mem_try_alloc(cap * sizeof(Hash128))), cap, set->count};
    if (larger.slots == nullptr) return false;
    memset(static_cast<void*>(larger.slots), 0, cap * sizeof(Hash128));
    for (size_t i = 0; i < set->cap; i++) {
        const Hash128& digest = set->slots[i];
        if (!same(digest, Hash128{})) *place_of(&larger, digest) = digest;
    }
    mem_free(set->slots, set->cap * sizeof(Hash128));
    *set = larger;
    return true;
}

Met key_set_add(KeySet* set, uint32_t db, Bytes key) {
    // Full at three quarters.
    if (set->count * 4 >= set->cap * 3 && !grow(set)) return Met::no_memory;
    Hash128 digest = hash_bytes_128(key);
    digest.high += db;
    Hash128* place = place_of(set, digest);
    if (same(*place, digest)) return Met::again;
    *place = digest;
    set->count++;
    return Met::first;
}

void key_set_free(KeySet* set) {
    mem_free(set->slots, set->cap * sizeof(Hash128));
    *set = {};
}

}  // namespace rp
