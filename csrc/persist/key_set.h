// persist/key_set.h: which keys of a file have been met, by their 128-bit digests: 16 to 43 bytes
// per key, whatever its length. Two different keys are taken for one with a chance of keys^2 /
// 2^129.
//
// Ownership  a KeySet owns its array; `= {}` is an empty one.
// Threads    single owner.
#pragma once
#include "base/hash.h"

namespace rp {

struct KeySet {
    Hash128* slots = nullptr;  // open addressing; {0, 0} = empty
    size_t cap = 0;            // a power of two, or 0
    size_t count = 0;
};

enum class Met : uint8_t { first, again, no_memory };
// no_memory: the set is as before.
Met key_set_add(KeySet* set, uint32_t db, Bytes key);
void key_set_free(KeySet* set);

}  // namespace rp
