// base/hash.h: the one hash of keys, fields and members: XXH3, 64 bits, with a secret drawn once
// per process from the kernel, so that nobody outside can choose keys that collide.
#pragma once
#include "base/bytes.h"

namespace rp {

uint64_t hash_bytes(Bytes bytes);
// Twice as long: different bytes with the same hash are not to be met with.
struct Hash128 {
    uint64_t low, high;
};
Hash128 hash_bytes_128(Bytes bytes);
// Tests only: a repeatable secret. REQUIRES: nothing hashed is kept anywhere.
void hash_seed(uint64_t seed);

}  // namespace rp
