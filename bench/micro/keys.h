// The same keys, values and access pattern for every structure that is measured: 16-byte keys
// (key number i mixed into two words, so that neither order nor bytes help anybody), 16-byte
// values.
#pragma once
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace rp_bench {

constexpr int64_t kFew = 100000;
constexpr int64_t kMany = 10000000;

struct Key {
    uint64_t word[2];
    bool operator==(const Key& other) const {
        return word[0] == other.word[0] && word[1] == other.word[1];
    }
};

inline uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
    return (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
}

inline Key key_of(uint64_t i) { return {{mix(i + 1), i}}; }
inline rp::Bytes key_bytes(const Key& k) {
    return {reinterpret_cast<const char*>(k.word), sizeof(k.word)};
}

struct Value {
    uint64_t word[2];
};
inline Value value_of(uint64_t i) { return {{i, ~i}}; }

// A cheap random walk over [0, n).
struct Walk {
    uint64_t state;
    explicit Walk(uint64_t seed) : state(mix(seed + 77) | 1) {}
    uint64_t next(uint64_t n) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return static_cast<uint64_t>((static_cast<unsigned __int128>(state) * n) >> 64);
    }
};

}  // namespace rp_bench
