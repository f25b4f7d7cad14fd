// base/histogram.h: how long commands take: counts of durations in buckets whose width grows with
// them, so that every percentile is known to 1/16 and nothing has to be kept per sample.
//
//     ns        0 1 2 ... 31 | 32 34 ... 62 | 64 68 ... 124 | 128 ...        up to 2^36 (69 s)
//     bucket    0 1 2 ... 31 | 32 33 ... 47 | 48  ...    63 | 64 ...
//
// Bucket b >= 32 belongs to the power of two 2^(b/16 + 3) and is a sixteenth of it wide. What is
// longer than the range counts in the last bucket.
//
// Threads  one writer; anybody may read meanwhile (each count is right, their sum is one of a
//          moment ago). Relaxed: the counts guard no other data.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace rp {

constexpr int kHistogramLinearLog2 = 5;  // below 2^5 every ns has its own bucket
constexpr int kHistogramMaxLog2 = 36;
constexpr size_t kHistogramBuckets =
    32 + static_cast<size_t>(kHistogramMaxLog2 - kHistogramLinearLog2) * 16;

struct Histogram {
    std::atomic<uint64_t> counts[kHistogramBuckets];
};

inline size_t histogram_bucket(uint64_t ns) {
    if (ns < 32) return static_cast<size_t>(ns);
    int log2 = 63 - __builtin_clzll(ns);
    if (log2 >= kHistogramMaxLog2) return kHistogramBuckets - 1;
    return static_cast<size_t>(log2 - kHistogramLinearLog2 + 1) * 16 +
           static_cast<size_t>(ns >> (log2 - 4));
}

// The longest duration that counts in this bucket.
inline uint64_t histogram_top_ns(size_t bucket) {
    if (bucket < 32) return bucket;
    int log2 = static_cast<int>(bucket / 16) + 3;
    return ((bucket % 16 + 17) << (log2 - 4)) - 1;
}

inline void histogram_add(Histogram* h, uint64_t ns, uint64_t times) {
    std::atomic<uint64_t>* c = &h->counts[histogram_bucket(ns)];
    c->store(c->load(std::memory_order_relaxed) + times, std::memory_order_relaxed);
}

// A sum of histograms, for reports. Owned by whoever reports.
struct HistogramSum {
    uint64_t counts[kHistogramBuckets] = {};
    uint64_t total = 0;
};

inline void histogram_sum_add(HistogramSum* sum, const Histogram* h) {
    for (size_t b = 0; b < kHistogramBuckets; b++) {
        uint64_t n = h->counts[b].load(std::memory_order_relaxed);
        sum->counts[b] += n;
        sum->total += n;
    }
}

// The duration that `percent` of all samples do not exceed; 0 of none.
inline uint64_t histogram_percentile_ns(const HistogramSum* sum, double percent) {
    auto wanted = static_cast<uint64_t>(percent / 100 * static_cast<double>(sum->total) + 0.5);
    if (wanted < 1) wanted = 1;
    uint64_t seen = 0;
    for (size_t b = 0; b < kHistogramBuckets && sum->total != 0; b++) {
        seen += sum->counts[b];
        if (seen >= wanted) return histogram_top_ns(b);
    }
    return 0;
}

}  // namespace rp
