#include "types/pick.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "base/random.h"

namespace rp {

static void note(size_t position, void* arg) {
    static_cast<std::vector<size_t>*>(arg)->push_back(position);
}

static std::vector<size_t> picked(size_t count, size_t size) {
    std::vector<size_t> out;
    pick_distinct(count, size, note, &out);
    return out;
}

TEST(Pick, PositionsAreDistinctAndBelowTheSize) {
    for (size_t size : {0u, 1u, 2u, 3u, 10u, 100u, 1000u}) {
        for (size_t count = 0; count <= size; count += 1 + size / 50) {
            std::vector<size_t> got = picked(count, size);
            std::set<size_t> distinct(got.begin(), got.end());
            ASSERT_EQ(count, got.size());
            ASSERT_EQ(count, distinct.size());
            ASSERT_TRUE(got.empty() || *distinct.rbegin() < size);
        }
    }
}

TEST(Pick, AFewOfVeryManyTakeNoTime) {
    std::vector<size_t> got = picked(3, size_t{1} << 40);
    EXPECT_EQ(3u, got.size());
}

// Chi-squared over all pairs out of 7 and all pairs out of 5: both ways of choosing.
TEST(Pick, EveryPairIsAsLikely) {
    random_seed(1);
    for (size_t size : {5u, 9u}) {
        constexpr int kRounds = 42000;
        std::map<std::set<size_t>, int> seen;
        for (int i = 0; i < kRounds; i++) {
            std::vector<size_t> got = picked(2, size);
            seen[{got.begin(), got.end()}]++;
        }
        size_t pairs = size * (size - 1) / 2;
        ASSERT_EQ(pairs, seen.size());
        double want = static_cast<double>(kRounds) / static_cast<double>(pairs), chi = 0;
        for (const auto& [pair, n] : seen)
            chi += (n - want) * (n - want) / want;
        EXPECT_LT(chi, 67) << size;  // 35 degrees of freedom: one in a thousand
    }
}

}  // namespace rp
