#include "base/histogram.h"

#include <gtest/gtest.h>

#include <memory>

namespace rp {

TEST(Histogram, BucketsFollowEachOtherWithoutGapsOrOverlap) {
    for (size_t b = 0; b < kHistogramBuckets; b++) {
        EXPECT_EQ(b, histogram_bucket(histogram_top_ns(b)));
        if (b + 1 == kHistogramBuckets) break;
        EXPECT_EQ(b + 1, histogram_bucket(histogram_top_ns(b) + 1));
    }
    EXPECT_EQ((uint64_t{1} << kHistogramMaxLog2) - 1, histogram_top_ns(kHistogramBuckets - 1));
    EXPECT_EQ(kHistogramBuckets - 1, histogram_bucket(UINT64_MAX));
}

TEST(Histogram, ABucketIsASixteenthOfItsTimeAtMost) {
    for (uint64_t ns = 1; ns < uint64_t{1} << 35; ns += ns / 7 + 1) {
        uint64_t top = histogram_top_ns(histogram_bucket(ns));
        EXPECT_GE(top, ns);
        EXPECT_LE(top - ns, ns / 16) << ns;
    }
}

TEST(Histogram, PercentilesAreNotBelowTheSample) {
    auto h = std::make_unique<Histogram>();
    for (uint64_t us = 1; us <= 1000; us++)
        histogram_add(h.get(), us * 1000, 1);
    histogram_add(h.get(), 5000000, 3);
    auto sum = std::make_unique<HistogramSum>();
    histogram_sum_add(sum.get(), h.get());
    EXPECT_EQ(1003u, sum->total);
    uint64_t p50 = histogram_percentile_ns(sum.get(), 50);
    EXPECT_GE(p50, 500000u);
    EXPECT_LE(p50, 540000u);
    EXPECT_GE(histogram_percentile_ns(sum.get(), 100), 5000000u);
    EXPECT_LE(histogram_percentile_ns(sum.get(), 0), 1100u);
    EXPECT_GE(histogram_percentile_ns(sum.get(), 99.9), 5000000u);
    *sum = {};
    EXPECT_EQ(0u, histogram_percentile_ns(sum.get(), 50));
}

}  // namespace rp
