#include "types/ranktree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mem/mem.h"

namespace rp {

static Bytes as_bytes(const std::string& s) { return {s.data(), s.size()}; }
static std::string as_string(Bytes b) { return std::string(b.ptr, b.len); }

// An Item as a Dict would own it, outside of one.
struct ItemFree {
    void operator()(Item* i) const { free(i); }
};
using OwnItem = std::unique_ptr<Item, ItemFree>;

static OwnItem new_item(const std::string& key) {
    auto* item = static_cast<Item*>(malloc(sizeof(Item) + key.size() + 1));
    item->key_len = static_cast<uint32_t>(key.size());
    item->value_len = 0;
    if (!key.empty()) memcpy(item->data, key.data(), key.size());
    return OwnItem(item);
}

// The model: std::string compares bytes as unsigned, shorter first, as the tree must.
using Key = std::pair<double, std::string>;

class Model {
  public:
    ~Model() { ranktree_free(&tree); }

    bool insert(double score, const std::string& member) {
        if (items.count(member) != 0) return false;
        items[member] = new_item(member);
        order.insert({score, member});
        scores[member] = score;
        ranktree_insert(&tree, score, items[member].get());
        return true;
    }
    void erase(std::string member) {
        ranktree_erase(&tree, scores[member], as_bytes(member));
        order.erase({scores[member], member});
        scores.erase(member);
        items.erase(member);
    }
    void move(const std::string& member, double fresh) {
        ranktree_move(&tree, scores[member], items[member].get(), fresh);
        order.erase({scores[member], member});
        order.insert({fresh, member});
        scores[member] = fresh;
    }
    std::vector<Key> sorted() const { return {order.begin(), order.end()}; }

    RankTree tree;
    std::map<std::string, OwnItem> items;
    std::map<std::string, double> scores;
    std::set<Key> order;
};

static Key key_at(RankAt at) {
    return {ranktree_score(at), as_string(item_key(ranktree_item(at)))};
}

static void expect_same_walk(const Model& m) {
    std::vector<Key> want = m.sorted(), there, back;
    ASSERT_EQ(want.size(), m.tree.count);
    for (RankAt at = ranktree_at(&m.tree, 0); at.leaf != nullptr; at = ranktree_next(at))
        there.push_back(key_at(at));
    ASSERT_EQ(want, there);
    if (want.empty()) return;
    RankAt at = ranktree_at(&m.tree, want.size() - 1);
    for (; at.leaf != nullptr; at = ranktree_prev(at))
        back.push_back(key_at(at));
    std::reverse(back.begin(), back.end());
    ASSERT_EQ(want, back);
}

static void expect_same_ranks(const Model& m) {
    std::vector<Key> want = m.sorted();
    for (size_t i = 0; i < want.size(); i++) {
        ASSERT_EQ(i, ranktree_rank(&m.tree, want[i].first, as_bytes(want[i].second)));
        ASSERT_EQ(want[i], key_at(ranktree_at(&m.tree, i)));
    }
    ASSERT_EQ(nullptr, ranktree_at(&m.tree, want.size()).leaf);
    ASSERT_EQ(nullptr, ranktree_at(&m.tree, SIZE_MAX).leaf);
}

struct ScoreBound {
    double score;
    bool or_equal;
};
static bool score_before(double score, Bytes, const void* arg) {
    auto* b = static_cast<const ScoreBound*>(arg);
    return score < b->score || (b->or_equal && score == b->score);
}
static bool member_before(double, Bytes member, const void* arg) {
    return as_string(member) < *static_cast<const std::string*>(arg);
}

static void expect_same_bounds(const Model& m, double score) {
    for (bool or_equal : {false, true}) {
        ScoreBound bound = {score, or_equal};
        size_t want = 0;
        for (const Key& k : m.order)
            want += score_before(k.first, {}, &bound);
        ASSERT_EQ(want, ranktree_count_before(&m.tree, score_before, &bound));
    }
}

constexpr double kInf = std::numeric_limits<double>::infinity();
static const double kFewScores[] = {-kInf, -1.5, -0.0, 0.0, 1, 1, 1, 2, 1e300, 5e-324, kInf};

static uint64_t fresh_seed() {
    uint64_t seed = std::random_device()();
    if (const char* given = getenv("RP_SEED")) seed = strtoull(given, nullptr, 10);
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return seed;
}

static double some_score(std::mt19937_64* rng, bool few) {
    if (few) return kFewScores[(*rng)() % std::size(kFewScores)];
    return static_cast<double>((*rng)() % 2000) / 4 - 250;
}

static std::string some_member(std::mt19937_64* rng, size_t kinds) {
    size_t i = (*rng)() % kinds;
    std::string name = i % 3 == 0 ? std::string("\0", 1) : i % 3 == 1 ? "\xff" : "";
    return name + std::to_string(i);
}

// ---- random operations ------------------------------------------------------------------------

static void random_steps(uint64_t seed, size_t steps, size_t kinds, bool few_scores) {
    std::mt19937_64 rng(seed);
    Model m;
    bool growing = true;
    for (size_t i = 0; i < steps; i++) {
        if (i % 500 == 0) growing = rng() % 3 != 0;
        std::string member = some_member(&rng, kinds);
        double score = some_score(&rng, few_scores);
        bool there = m.items.count(member) != 0;
        if (there && rng() % 3 == 0) {
            m.move(member, score);
        } else if (there && (!growing || rng() % 4 == 0)) {
            m.erase(member);
        } else if (!there && (growing || rng() % 4 == 0)) {
            m.insert(score, member);
        }
        ranktree_check(&m.tree);
        if (i % 200 == 0) {
            expect_same_walk(m);
            expect_same_ranks(m);
        }
        if (i % 20 == 0) expect_same_bounds(m, score);
        if (::testing::Test::HasFatalFailure()) return;
    }
}

TEST(RankTree, RandomStepsAgreeWithASet) {
    uint64_t seed = fresh_seed();
    random_steps(seed, 12000, 2500, false);
    random_steps(seed + 1, 3000, 40, false);
}

TEST(RankTree, RandomStepsWithManyTiesAgreeWithASet) {
    random_steps(fresh_seed(), 12000, 2500, true);
}

// ---- insertion in order -----------------------------------------------------------------------

static double cost_per_element(const Model& m) {
    return static_cast<double>(m.tree.node_cost) / static_cast<double>(m.tree.count);
}

TEST(RankTree, AscendingInsertionFillsNodes) {
    Model m;
    for (int i = 0; i < 20000; i++)
        m.insert(i, "m" + std::to_string(i));
    ranktree_check(&m.tree);
    expect_same_walk(m);
    EXPECT_LT(cost_per_element(m), 22);
}

TEST(RankTree, DescendingInsertionFillsNodes) {
    Model m;
    for (int i = 0; i < 20000; i++)
        m.insert(-i, "m" + std::to_string(i));
    ranktree_check(&m.tree);
    expect_same_walk(m);
    EXPECT_LT(cost_per_element(m), 22);
}

TEST(RankTree, RandomInsertionTakesLessThanThirtyBytesAnElement) {
    std::mt19937_64 rng(1);
    Model m;
    for (int i = 0; i < 20000; i++)
        m.insert(static_cast<double>(rng()), std::to_string(i));
    ranktree_check(&m.tree);
    expect_same_ranks(m);
    EXPECT_LT(cost_per_element(m), 30);
}

TEST(RankTree, ErasingFromEitherEndKeepsTheRest) {
    for (bool from_front : {true, false}) {
        Model m;
        for (int i = 0; i < 3000; i++)
            m.insert(i, std::to_string(i));
        while (!m.order.empty()) {
            m.erase(from_front ? m.order.begin()->second : m.order.rbegin()->second);
            ranktree_check(&m.tree);
        }
        EXPECT_EQ(nullptr, m.tree.root);
        EXPECT_EQ(0u, m.tree.node_cost);
    }
}

// What is left after nine of ten were erased at random is not spread over nearly empty nodes.
TEST(RankTree, ErasingAtRandomGivesMemoryBack) {
    std::mt19937_64 rng(2);
    Model m;
    for (int i = 0; i < 20000; i++)
        m.insert(i, std::to_string(i));
    std::vector<Key> all = m.sorted();
    std::shuffle(all.begin(), all.end(), rng);
    for (size_t i = 0; i < 18000; i++)
        m.erase(all[i].second);
    ranktree_check(&m.tree);
    expect_same_ranks(m);
    EXPECT_LT(cost_per_element(m), 50);
}

// ---- order ------------------------------------------------------------------------------------

TEST(RankTree, MinusZeroAndZeroAreOneScore) {
    Model m;
    m.insert(0.0, "a");
    m.insert(-0.0, "b");
    m.insert(0.0, "c");
    std::string members;
    for (RankAt at = ranktree_at(&m.tree, 0); at.leaf != nullptr; at = ranktree_next(at))
        members += as_string(item_key(ranktree_item(at)));
    EXPECT_EQ("abc", members);
    EXPECT_TRUE(std::signbit(ranktree_score(ranktree_at(&m.tree, 1))));
    EXPECT_EQ(1u, ranktree_rank(&m.tree, 0.0, "b"));
    ranktree_erase(&m.tree, 0.0, "b");
    EXPECT_EQ(2u, m.tree.count);
    ranktree_insert(&m.tree, -0.0, m.items["b"].get());
}

TEST(RankTree, MembersOfOneScoreAreOrderedByUnsignedBytesShorterFirst) {
    Model m;
    for (const char* member : {"b", "a", "", "ab", "\xff", "a\x01"})
        m.insert(1, member);
    m.insert(1, std::string("a\0", 2));
    expect_same_walk(m);
    EXPECT_EQ(0u, ranktree_rank(&m.tree, 1, ""));
    EXPECT_EQ(6u, ranktree_rank(&m.tree, 1, "\xff"));
    std::string bound = "ab";
    EXPECT_EQ(4u, ranktree_count_before(&m.tree, member_before, &bound));
}

TEST(RankTree, LexBoundsAgreeWithASet) {
    std::mt19937_64 rng(fresh_seed());
    Model m;
    for (int i = 0; i < 2000; i++)
        m.insert(7, some_member(&rng, 5000));
    for (int i = 0; i < 500; i++) {
        std::string bound = some_member(&rng, 5000);
        size_t want = 0;
        for (const Key& k : m.order)
            want += k.second < bound;
        ASSERT_EQ(want, ranktree_count_before(&m.tree, member_before, &bound));
        ASSERT_EQ(want, ranktree_rank(&m.tree, 7, as_bytes(bound)));
    }
}

TEST(RankTree, AnEmptyTreeHasNothing) {
    RankTree t;
    ScoreBound bound = {kInf, true};
    EXPECT_EQ(nullptr, ranktree_at(&t, 0).leaf);
    EXPECT_EQ(0u, ranktree_rank(&t, 1, "a"));
    EXPECT_EQ(0u, ranktree_count_before(&t, score_before, &bound));
    EXPECT_TRUE(ranktree_free_some(&t, 1));
    ranktree_check(&t);
}

// ---- freeing, size ----------------------------------------------------------------------------

TEST(RankTree, FreeInSlicesIsBoundedAndComplete) {
    int64_t before = mem_used();
    Model m;
    for (int i = 0; i < 10000; i++)
        m.insert(i % 100, std::to_string(i));
    size_t slices = 0, last = m.tree.count;
    while (!ranktree_free_some(&m.tree, 100)) {
        ASSERT_LT(m.tree.count, last);
        ASSERT_LE(last - m.tree.count, 100u + 2 * 31);
        last = m.tree.count;
        slices++;
    }
    EXPECT_GT(slices, 50u);
    EXPECT_EQ(0u, m.tree.node_cost);
    EXPECT_EQ(before, mem_used());
}

TEST(RankTree, AMillionElementsKeepTheirRanks) {
    constexpr size_t kCount = 1'000'000;
    std::mt19937_64 rng(3);
    std::vector<OwnItem> items;
    std::vector<size_t> shuffled;
    for (size_t i = 0; i < kCount; i++) {
        items.push_back(new_item(std::to_string(i)));
        shuffled.push_back(i);
    }
    std::shuffle(shuffled.begin(), shuffled.end(), rng);
    RankTree t;
    auto start = std::chrono::steady_clock::now();
    for (size_t i : shuffled)
        ranktree_insert(&t, static_cast<double>(i), items[i].get());
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    printf("insert at random: %.0f ns each\n", took.count() * 1e9 / kCount);
    ranktree_check(&t);
    for (size_t i = 0; i < kCount; i += 997) {
        ASSERT_EQ(i, ranktree_rank(&t, static_cast<double>(i), item_key(items[i].get())));
        ASSERT_EQ(items[i].get(), ranktree_item(ranktree_at(&t, i)));
    }
    for (size_t i : shuffled)
        ranktree_erase(&t, static_cast<double>(i), item_key(items[i].get()));
    EXPECT_EQ(0u, t.node_cost);
}

}  // namespace rp
