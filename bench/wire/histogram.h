// bench/wire/histogram.h: latencies in log-linear buckets, 32 per power of two (error <= 3 %).
#pragma once
#include <cstdint>

constexpr int kHistSubBits = 5;
constexpr int kHistBuckets = (64 - kHistSubBits) << kHistSubBits;

struct Histogram {
    uint64_t total = 0;
    uint64_t buckets[kHistBuckets] = {};
};

inline int hist_index(uint64_t ns) {
    constexpr uint64_t kSub = 1u << kHistSubBits;
    if (ns < kSub) return static_cast<int>(ns);
    const int shift = 63 - __builtin_clzll(ns) - kHistSubBits;
    const int index = ((shift + 1) << kHistSubBits) + static_cast<int>((ns >> shift) - kSub);
    return index < kHistBuckets ? index : kHistBuckets - 1;
}

// The smallest value that falls in a bucket.
inline uint64_t hist_value(int index) {
    constexpr int kSub = 1 << kHistSubBits;
    if (index < kSub) return static_cast<uint64_t>(index);
    const int shift = (index >> kHistSubBits) - 1;
    return static_cast<uint64_t>((index & (kSub - 1)) + kSub) << shift;
}

inline void hist_add(Histogram* h, uint64_t ns) {
    h->buckets[hist_index(ns)]++;
    h->total++;
}

inline void hist_merge(Histogram* into, const Histogram& from) {
    into->total += from.total;
    for (int i = 0; i < kHistBuckets; i++)
        into->buckets[i] += from.buckets[i];
}

// The latency in microseconds that `share` (0..1) of all entries stay under; 0 when empty.
inline double hist_quantile_us(const Histogram& h, double share) {
    const double want = share * static_cast<double>(h.total);
    uint64_t seen = 0;
    for (int i = 0; i < kHistBuckets; i++) {
        seen += h.buckets[i];
        if (h.buckets[i] > 0 && static_cast<double>(seen) >= want) {
            return static_cast<double>(hist_value(i)) / 1000.0;
        }
    }
    return 0.0;
}
