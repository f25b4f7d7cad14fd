#include "types/zset.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mem/mem.h"

namespace rp {

static Bytes as_bytes(const std::string& s) { return {s.data(), s.size()}; }

static void add(Zset* z, const std::string& member, double score) {
    Item* item;
    dict_set(z->dict, as_bytes(member), {reinterpret_cast<const char*>(&score), 8}, &item);
    ranktree_insert(&z->order, score, item);
}

TEST(Zset, ACloneSharesNothing) {
    int64_t before = mem_used();
    Zset* z = zset_new();
    for (int i = 0; i < 1000; i++)
        add(z, "member" + std::to_string(i), i % 10);
    EXPECT_EQ(static_cast<int64_t>(zset_cost(z)), mem_used() - before);
    Zset* copy = zset_clone(z);
    zset_free(z);
    ranktree_check(&copy->order);
    dict_check(copy->dict);
    EXPECT_EQ(1000u, copy->order.count);
    for (RankAt at = ranktree_at(&copy->order, 0); at.leaf != nullptr; at = ranktree_next(at))
        EXPECT_EQ(ranktree_item(at), dict_find(copy->dict, item_key(ranktree_item(at))));
    zset_free(copy);
    EXPECT_EQ(before, mem_used());
}

TEST(Zset, FreeInSlicesEnds) {
    int64_t before = mem_used();
    Zset* z = zset_new();
    for (int i = 0; i < 1000; i++)
        add(z, std::to_string(i), i);
    int slices = 1;
    while (!zset_free_some(z, 50))
        slices++;
    EXPECT_GE(slices, 20);
    EXPECT_EQ(before, mem_used());
}

// ---- a Value against a std::map ---------------------------------------------------------------

using Key = std::pair<double, std::string>;

static std::string as_string(Bytes b) { return std::string(b.ptr, b.len); }

struct Model {
    std::map<std::string, double> scores;

    std::set<Key> order() const {
        std::set<Key> out;
        for (const auto& [member, score] : scores)
            out.insert({score, member});
        return out;
    }
};

static std::vector<Key> walked(const Value* v, size_t rank, size_t n, bool reverse) {
    std::vector<Key> out;
    ZsetPair p;
    for (ZsetWalk w = zset_walk(v, rank, n, reverse); zset_next(&w, &p);)
        out.push_back({p.score, as_string(p.member)});
    return out;
}

static bool score_below(double score, Bytes, const void* arg) {
    return score < *static_cast<const double*>(arg);
}

static void expect_same(const Value* v, const Model& m, std::mt19937_64* rng) {
    std::set<Key> sorted = m.order();
    std::vector<Key> want(sorted.begin(), sorted.end());
    ASSERT_EQ(want.size(), zset_count(v));
    ASSERT_EQ(want, walked(v, 0, want.size(), false));
    ASSERT_EQ(std::vector<Key>(want.rbegin(), want.rend()), walked(v, 0, want.size(), true));
    std::set<Key> picked;
    for (size_t i = 0; i < want.size(); i++) {
        ZsetPair p = zset_pick(v, i);
        picked.insert({p.score, as_string(p.member)});
    }
    ASSERT_EQ(sorted, picked);
    if (want.empty()) return;
    size_t rank = (*rng)() % want.size(), n = (*rng)() % (want.size() - rank + 1);
    auto from = want.begin() + static_cast<ptrdiff_t>(rank);
    ASSERT_EQ(std::vector<Key>(from, from + static_cast<ptrdiff_t>(n)), walked(v, rank, n, false));
    ASSERT_EQ(rank, zset_rank(v, want[rank].first, as_bytes(want[rank].second)));
    size_t below = 0;
    for (const Key& k : want)
        below += k.first < want[rank].first;
    ASSERT_EQ(below, zset_count_before(v, score_below, &want[rank].first));
}

// One random change of both.
static void step(Value* v, Model* m, std::mt19937_64* rng, size_t kinds, ZsetLimits limits) {
    std::string member = std::to_string((*rng)() % kinds);
    if ((*rng)() % 40 == 0) member += std::string(limits.member, 'x');
    double score = static_cast<double>((*rng)() % 20) / 2 - 4;
    ZsetSpot spot = zset_find(v, as_bytes(member));
    auto known = m->scores.find(member);
    ASSERT_EQ(known != m->scores.end(), spot.found);
    if (spot.found) {
        ASSERT_EQ(known->second, spot.score);
    }
    switch ((*rng)() % 8) {
        case 0:
        case 1: ASSERT_EQ(m->scores.erase(member) != 0, zset_remove(v, as_bytes(member))); return;
        case 2: {
            std::set<Key> sorted = m->order();
            size_t rank = sorted.empty() ? 0 : (*rng)() % sorted.size();
            size_t n = sorted.empty() ? 0 : (*rng)() % 2;
            zset_remove_ranks(v, rank, n);
            if (n != 0)
                m->scores.erase(std::next(sorted.begin(), static_cast<ptrdiff_t>(rank))->second);
            return;
        }
        default:
            if (spot.found) {
                zset_update(v, &spot, as_bytes(member), score);
            } else {
                zset_add(v, as_bytes(member), score, limits);
            }
            m->scores[member] = score;
    }
}

static void random_steps(uint64_t seed, size_t kinds, ZsetLimits limits) {
    std::mt19937_64 rng(seed);
    Value v;
    Model m;
    for (int i = 0; i < 4000; i++) {
        bool was_large = v.form == Form::zset;
        step(&v, &m, &rng, kinds, limits);
        zset_check(&v);
        if (was_large) {
            ASSERT_EQ(Form::zset, v.form);
        }
        if (v.form != Form::zset) {
            ASSERT_LE(m.scores.size(), limits.entries);
        }
        if (i % 10 == 0) expect_same(&v, m, &rng);
        if (::testing::Test::HasFatalFailure()) return;
        if (i % 500 == 499) {  // Small again, or another copy of it.
            if (rng() % 2 == 0) {
                value_free(&v);
                m.scores.clear();
            } else {
                Value copy = value_clone(&v);
                value_free(&v);
                v = copy;
            }
        }
    }
    value_free(&v);
}

TEST(Zset, RandomStepsAgreeWithAMapInBothForms) {
    uint64_t seed = std::random_device()();
    if (const char* given = getenv("RP_SEED")) seed = strtoull(given, nullptr, 10);
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
    int64_t before = mem_used();
    random_steps(seed, 200, {128, 64});
    random_steps(seed + 1, 40, {20, 64});
    random_steps(seed + 2, 40, {1000, 64});
    random_steps(seed + 3, 10, {0, 64});
    EXPECT_EQ(before, mem_used());
}

TEST(Zset, TheMemberBeyondALimitMakesItLarge) {
    ZsetLimits limits = {3, 5};
    Value v;
    for (const char* member : {"a", "b", "fiver"})
        zset_add(&v, bytes_of(member), 1, limits);
    EXPECT_EQ(Form::listpack, v.form);
    Value longer = value_clone(&v), more = value_clone(&v);
    EXPECT_TRUE(zset_remove(&longer, "a"));
    zset_add(&longer, "sixsix", 1, limits);
    EXPECT_EQ(Form::zset, longer.form);
    zset_add(&more, "c", 1, limits);
    EXPECT_EQ(Form::zset, more.form);
    for (Value* each : {&v, &longer, &more}) {
        zset_check(each);
        value_free(each);
    }
}

TEST(Zset, AResultGetsTheFormThatFits) {
    ZsetLimits limits = {3, 5};
    for (size_t n : {0u, 3u, 4u}) {
        for (bool longer : {false, true}) {
            Dict* d = dict_new();
            Item* item;
            for (size_t i = 0; i < n; i++)
                EXPECT_TRUE(dict_add_score(d, as_bytes(std::to_string(i)), -double(i), &item));
            if (n != 0) {
                EXPECT_FALSE(dict_add_score(d, "0", 7, &item));
            }
            if (longer) dict_add_score(d, "sixsix", 1, &item);
            Value v = zset_from_dict(d, limits);
            zset_check(&v);
            EXPECT_EQ(n + longer, zset_count(&v));
            EXPECT_EQ(n == 4 || longer ? Form::zset : Form::listpack, v.form);
            value_free(&v);
        }
    }
}

}  // namespace rp
