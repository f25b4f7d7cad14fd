// store/evict.h: maxmemory. Keys are sampled and evicted until used memory is below the limit,
// before a command that may need memory runs: the eight policies of Redis 7.0, sampled as Redis
// does (maxmemory-samples per database, a pool of the 16 best candidates per call).
//
// Threads  any, holding no segment: evict_until_fits locks one segment at a time.
#pragma once
#include "store/db.h"

namespace rp {

enum class EvictPolicy : uint8_t {  // values of the maxmemory-policy setting, in this order
    volatile_lru,
    volatile_lfu,
    volatile_random,
    volatile_ttl,
    allkeys_lru,
    allkeys_lfu,
    allkeys_random,
    noeviction,
};

inline bool policy_is_lfu(EvictPolicy p) {
    return p == EvictPolicy::volatile_lfu || p == EvictPolicy::allkeys_lfu;
}
inline bool policy_is_lru(EvictPolicy p) {
    return p == EvictPolicy::volatile_lru || p == EvictPolicy::allkeys_lru;
}
EvictPolicy evict_policy(const Store* st);

// Is memory below maxmemory? REQUIRES: there is one.
bool evict_fits(const Store* st);
// True: memory fits now. False: it does not and nothing (more) may be evicted: answer -OOM.
// Cheap when maxmemory is 0 or not reached. REQUIRES: pinned is fine, no segment held.
bool evict_until_fits(Access* a);

}  // namespace rp
