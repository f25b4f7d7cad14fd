#include "types/pick.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "base/random.h"

namespace rp {

static std::vector<size_t> picked(size_t n, size_t k) {
    std::vector<size_t> out;
    pick_distinct(
        n, k, [](size_t i, void* arg) { static_cast<std::vector<size_t>*>(arg)->push_back(i); },
        &out);
    return out;
}

TEST(Pick, GivesThatManyDifferentNumbersBelowN) {
    for (size_t n : {0u, 1u, 2u, 3u, 7u, 64u, 1000u, 100000u}) {
        for (size_t k : {size_t{0}, size_t{1}, size_t{2}, n / 10, n / 3, n / 2, n - (n != 0), n}) {
            if (k > n) continue;
            std::vector<size_t> got = picked(n, k);
            std::set<size_t> different(got.begin(), got.end());
            ASSERT_EQ(k, got.size());
            ASSERT_EQ(k, different.size());
            if (k != 0) {
                EXPECT_LT(*different.rbegin(), n);
            }
        }
    }
}

// All choices of k of n, against a flat distribution: chi-square, well beyond the 99.99 % point.
static void expect_every_choice_as_likely(size_t n, size_t k, size_t choices) {
    constexpr double kEach = 400;
    std::map<std::set<size_t>, double> seen;
    for (size_t i = 0; i < choices * static_cast<size_t>(kEach); i++) {
        std::vector<size_t> got = picked(n, k);
        seen[std::set<size_t>(got.begin(), got.end())]++;
    }
    ASSERT_EQ(choices, seen.size());
    double chi2 = 0;
    for (auto& [choice, count] : seen)
        chi2 += (count - kEach) * (count - kEach) / kEach;
    double freedom = static_cast<double>(choices - 1);
    EXPECT_LT(chi2, freedom + 5 * std::sqrt(2 * freedom) + 10) << k << " of " << n;
}

TEST(Pick, MakesEveryChoiceAsLikelyAsAnyOther) {
    random_seed(1);
    expect_every_choice_as_likely(8, 1, 8);
    expect_every_choice_as_likely(9, 2, 36);    // by draw
    expect_every_choice_as_likely(13, 3, 286);  // by draw
    expect_every_choice_as_likely(6, 3, 20);    // by walk
    expect_every_choice_as_likely(7, 5, 21);
}

}  // namespace rp
