#include "base/random.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

namespace rp {

TEST(Random, SeedMakesTheSequenceRepeatable) {
    uint64_t first[16];
    random_seed(42);
    for (uint64_t& v : first)
        v = random_u64();
    random_seed(42);
    for (uint64_t v : first)
        EXPECT_EQ(v, random_u64());
    random_seed(43);
    EXPECT_NE(first[0], random_u64());
}

TEST(Random, ThreadsDrawDifferentSequences) {
    uint64_t here = 0, there = 0;
    std::thread a([&] { here = random_u64(); });
    std::thread b([&] { there = random_u64(); });
    a.join();
    b.join();
    EXPECT_NE(here, there);
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
    random_seed(7);
    for (int i = 0; i < 1000; i++)
        EXPECT_EQ(0u, random_below(1));
    int seen[10] = {};
    for (int i = 0; i < 100000; i++) {
        uint64_t v = random_below(10);
        ASSERT_LT(v, 10u);
        seen[v]++;
    }
    // 10,000 each is expected, with a standard deviation of 95.
    for (int count : seen)
        EXPECT_NEAR(10000, count, 600);
}

TEST(Random, BelowIsFairForHugeBounds) {
    // With bound = 3/4 of 2^64 a plain remainder would favour the lowest third twofold.
    constexpr uint64_t kBound = uint64_t{3} << 62;
    random_seed(8);
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t v = random_below(kBound);
        ASSERT_LT(v, kBound);
        if (v < kBound / 3) low++;
    }
    EXPECT_NEAR(10000, low, 600);
}

TEST(Random, SecretsFillEveryByteAndDiffer) {
    unsigned char a[600], b[600];  // Above 256, the size up to which getrandom is never cut short.
    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    random_secret(a, sizeof(a));
    random_secret(b, sizeof(b));
    EXPECT_NE(0, memcmp(a, b, sizeof(a)));
    EXPECT_NE(0, memcmp(a, a + 300, 300));
    int zeros = 0;
    for (unsigned char c : a)
        zeros += c == 0;
    EXPECT_LT(zeros, 30);
    random_secret(a, 0);
}

TEST(Random, HexIsLowerCaseDigitsOfTheLengthAsked) {
    for (size_t len : {size_t{0}, size_t{1}, size_t{40}, size_t{97}}) {
        char out[100];
        memset(out, '!', sizeof(out));
        random_hex(out, len);
        for (size_t i = 0; i < len; i++)
            EXPECT_NE(nullptr, strchr("0123456789abcdef", out[i]));
        EXPECT_EQ('!', out[len]);
    }
}

}  // namespace rp
