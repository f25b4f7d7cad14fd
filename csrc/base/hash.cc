#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/random.h"

namespace rp {

struct HashSecret {
    alignas(64) unsigned char bytes[XXH3_SECRET_DEFAULT_SIZE];
    HashSecret() { random_secret(bytes, sizeof(bytes)); }
};

// Drawn when the library is loaded, before anything can be hashed: no test on each call.
static HashSecret g_hash_secret;

void hash_seed(uint64_t seed) {
    XXH3_generateSecret(g_hash_secret.bytes, sizeof(g_hash_secret.bytes), &seed, sizeof(seed));
}

uint64_t hash_bytes(Bytes bytes) {
    return XXH3_64bits_withSecret(bytes.ptr, bytes.len, g_hash_secret.bytes,
                                  sizeof(g_hash_secret.bytes));
}

Hash128 hash_bytes_128(Bytes bytes) {
    XXH128_hash_t h = XXH3_128bits_withSecret(bytes.ptr, bytes.len, g_hash_secret.bytes,
                                              sizeof(g_hash_secret.bytes));
    return {h.low64, h.high64};
}

}  // namespace rp
