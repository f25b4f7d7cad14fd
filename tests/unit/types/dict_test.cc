// The dict beside std::unordered_map: the same random operations, the same answers, and the
// invariants after each; a walk is under way all the time. The seed is printed; RP_SEED=<n> replays
// it.
#include "types/dict.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "base/hash.h"
#include "base/random.h"
#include "mem/mem.h"

namespace rp {

static Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }
static std::string text(Bytes b) { return std::string(b.ptr, b.len); }

class DictTest : public ::testing::Test {
  protected:
    void SetUp() override {
        const char* given = getenv("RP_SEED");
        uint64_t seed = given != nullptr ? strtoull(given, nullptr, 10) : 0;
        if (seed == 0) random_secret(&seed, sizeof(seed));
        printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
        random_seed(seed);
        hash_seed(seed);
        used_before = mem_used();
        d = dict_new();
    }
    void TearDown() override {
        if (d != nullptr) dict_free(d);
        EXPECT_EQ(used_before, mem_used());
    }

    bool set(const std::string& key, const std::string& value) {
        Item* item = nullptr;
        bool absent = dict_set(d, bytes(key), bytes(value), &item);
        EXPECT_EQ(key, text(item_key(item)));
        EXPECT_EQ(value, text(item_value(item)));
        EXPECT_EQ(item, dict_find(d, bytes(key)));
        return absent;
    }
    void fill(size_t n) {
        for (size_t i = 0; i < n; i++)
            set("k" + std::to_string(i), "v");
    }
    // What the allocator counts for this dict is what the dict says it costs.
    void expect_cost() { EXPECT_EQ(static_cast<size_t>(mem_used() - used_before), dict_cost(d)); }

    Dict* d = nullptr;
    int64_t used_before = 0;
};

TEST_F(DictTest, AnEmptyDictHasNothing) {
    dict_check(d);
    EXPECT_EQ(nullptr, dict_find(d, "x"));
    EXPECT_FALSE(dict_erase(d, "x"));
    EXPECT_EQ(0u, dict_scan(d, 0, 10, nullptr, nullptr));
    EXPECT_EQ(0u, dict_scan(d, UINT64_MAX, SIZE_MAX, nullptr, nullptr));
    expect_cost();
}

TEST_F(DictTest, KeysAndValuesAreAnyBytes) {
    std::string nul("\0a\0", 3);
    EXPECT_TRUE(set("", ""));
    EXPECT_TRUE(set(nul, "\r\n"));
    EXPECT_FALSE(set("", nul));
    EXPECT_TRUE(set(std::string(100000, 'k'), std::string(200000, 'v')));
    EXPECT_EQ(nullptr, dict_find(d, {nul.data(), 2}));
    dict_check(d);
    expect_cost();
}

TEST_F(DictTest, AValueOfTheSameLengthIsOverwrittenInPlace) {
    Item *first, *second;
    dict_set(d, "key", "12345678", &first);
    Bytes value = item_value(first);
    EXPECT_FALSE(dict_set(d, "key", "abcdefgh", &second));
    EXPECT_EQ(first, second);
    EXPECT_EQ("abcdefgh", text(value));
}

TEST_F(DictTest, AnItemStaysWhereItIsWhileOthersComeAndGo) {
    Item* stays;
    dict_set(d, "stays", "v", &stays);
    fill(1000);
    for (size_t i = 0; i < 1000; i++)
        dict_erase(d, bytes("k" + std::to_string(i)));
    EXPECT_EQ(stays, dict_find(d, "stays"));
}

TEST_F(DictTest, TheLastItemTakesThePlaceOfAnErasedOne) {
    fill(10);
    dict_erase_at(d, 3);
    EXPECT_EQ("k9", text(item_key(dict_at(d, 3))));
    EXPECT_EQ(nullptr, dict_find(d, "k3"));
    dict_erase_at(d, 8);
    EXPECT_EQ(8u, d->count);
    dict_check(d);
}

TEST_F(DictTest, ReservedRoomIsNotGrownInto) {
    fill(20);
    dict_reserve(d, 5000);
    const uint64_t* cells = d->index.cells;
    Item* const* slots = d->slots;
    fill(5000);
    EXPECT_EQ(cells, d->index.cells);
    EXPECT_EQ(slots, d->slots);
    dict_reserve(d, 10);
    EXPECT_EQ(cells, d->index.cells);
    dict_check(d);
    expect_cost();
}

TEST_F(DictTest, ACloneHoldsTheSameItemsAtTheSamePositions) {
    for (size_t n : {0u, 1u, 12u, 13u, 1000u}) {
        fill(n);
        Dict* copy = dict_clone(d);
        dict_check(copy);
        ASSERT_EQ(d->count, copy->count);
        for (size_t i = 0; i < n; i++) {
            EXPECT_EQ(text(item_key(dict_at(d, i))), text(item_key(dict_at(copy, i))));
            EXPECT_EQ(text(item_value(dict_at(d, i))), text(item_value(dict_at(copy, i))));
            EXPECT_NE(dict_at(d, i), dict_at(copy, i));
        }
        EXPECT_EQ(static_cast<size_t>(mem_used() - used_before), dict_cost(d) + dict_cost(copy));
        dict_free(copy);
    }
}

TEST_F(DictTest, FreeingGoesInSlicesToTheEnd) {
    fill(1000);
    int64_t used = mem_used();
    EXPECT_FALSE(dict_free_some(d, 300));
    EXPECT_LT(mem_used(), used);
    EXPECT_FALSE(dict_free_some(d, 699));
    EXPECT_FALSE(dict_free_some(d, 0));
    EXPECT_TRUE(dict_free_some(d, 1));
    d = nullptr;
}

TEST_F(DictTest, ALargeDictGrowsAndGivesBackWhatItNoLongerNeeds) {
    constexpr size_t kMany = 200000;
    fill(kMany);
    dict_check(d);
    expect_cost();
    size_t cost_full = dict_cost(d) - d->item_cost;
    EXPECT_LE(cost_full, kMany * 45);
    for (size_t i = 0; i < kMany - 100; i++)
        ASSERT_TRUE(dict_erase(d, bytes("k" + std::to_string(i))));
    dict_check(d);
    expect_cost();
    EXPECT_LE(dict_cost(d) - d->item_cost, 100u * 200);
    for (size_t i = kMany - 100; i < kMany; i++)
        ASSERT_NE(nullptr, dict_find(d, bytes("k" + std::to_string(i))));
}

TEST_F(DictTest, NoWriteMovesMoreThanItsShareOfCells) {
    size_t moved = 0;
    const uint64_t* old = nullptr;
    for (size_t i = 0; i < 300000; i++) {
        bool grow = i < 150000;
        std::string key = "k" + std::to_string(grow ? i : i - 150000);
        if (grow) {
            dict_set(d, bytes(key), "", nullptr);
        } else {
            dict_erase(d, bytes(key));
        }
        if (d->old.size != 0 && d->old.cells == old) {
            ASSERT_LE(d->moved - moved, kDictMoveStep);
        } else if (d->old.size != 0) {
            ASSERT_EQ(0u, d->moved) << "a move starts only when the one before is over";
        }
        old = d->old.cells;
        moved = d->moved;
    }
}

TEST_F(DictTest, EveryItemIsPickedEquallyOften) {
    constexpr size_t kItems = 50, kPicks = 50000;
    fill(kItems);
    std::map<std::string, size_t> picks;
    for (size_t i = 0; i < kPicks; i++)
        picks[text(item_key(dict_random(d)))]++;
    ASSERT_EQ(kItems, picks.size());
    double expected = static_cast<double>(kPicks) / kItems, chi2 = 0;
    for (auto& [key, n] : picks) {
        double off = static_cast<double>(n) - expected;
        chi2 += off * off / expected;
    }
    EXPECT_LT(chi2, 120) << "49 degrees of freedom: 1 in 10 million by chance";
}

// ---- against a model --------------------------------------------------------------------------

struct WalkSeen {
    std::set<std::string> seen;
    size_t visits = 0;
};
static void note(const Item* item, void* arg) {
    auto* w = static_cast<WalkSeen*>(arg);
    w->seen.insert(text(item_key(item)));
    w->visits++;
}

class DictModel : public DictTest {
  protected:
    static std::string some_key(uint64_t range) {
        return std::string(random_below(3) * 7, 'k') + std::to_string(random_below(range));
    }
    static std::string some_value() {
        return std::string(random_below(40), static_cast<char>('a' + random_below(26)));
    }

    void erase(const std::string& key) {
        ASSERT_EQ(model.erase(key) == 1, dict_erase(d, bytes(key)));
        throughout.erase(key);
    }
    void erase_somewhere() {
        if (d->count == 0) return;
        size_t at = random_below(d->count);
        std::string key = text(item_key(dict_at(d, at)));
        dict_erase_at(d, at);
        ASSERT_EQ(1u, model.erase(key));
        throughout.erase(key);
    }
    void change(uint64_t range, unsigned percent_sets) {
        std::string key = some_key(range);
        if (random_below(100) < percent_sets) {
            std::string value = some_value();
            ASSERT_EQ(model.count(key) == 0, set(key, value));
            model[key] = value;
        } else if (random_below(4) != 0) {
            erase(key);
        } else {
            erase_somewhere();
        }
    }
    void look(uint64_t range) {
        std::string key = some_key(range);
        auto found = model.find(key);
        const Item* item = dict_find(d, bytes(key));
        ASSERT_EQ(found != model.end(), item != nullptr) << key;
        if (item != nullptr) {
            ASSERT_EQ(found->second, text(item_value(item)));
        }
    }
    // `throughout` is what has been there since the walk began: all of it must have been seen.
    void walk_on() {
        if (cursor == 0) {
            walk = {};
            throughout.clear();
            for (auto& [key, value] : model)
                throughout.insert(key);
        }
        size_t count = 1 + random_below(20), before = walk.visits;
        cursor = dict_scan(d, cursor, count, note, &walk);
        ASSERT_LE(walk.visits - before, count);
        if (cursor != 0) return;
        walks++;
        for (const std::string& key : throughout)
            ASSERT_EQ(1u, walk.seen.count(key)) << key;
    }
    void expect_all() {
        ASSERT_EQ(model.size(), d->count);
        for (size_t i = 0; i < d->count; i++) {
            auto found = model.find(text(item_key(dict_at(d, i))));
            ASSERT_NE(model.end(), found);
            ASSERT_EQ(found->second, text(item_value(dict_at(d, i))));
        }
        dict_check(d);
    }

    std::unordered_map<std::string, std::string> model;
    WalkSeen walk;
    std::set<std::string> throughout;
    uint64_t cursor = 0;
    size_t walks = 0;
};

TEST_F(DictModel, SmallDictsDoWhatAMapDoesAfterEveryStep) {
    for (int round = 0; round < 60; round++) {
        auto percent_sets = static_cast<unsigned>(20 + random_below(70));
        uint64_t range = 1 + random_below(120);
        for (int i = 0; i < 200; i++) {
            change(range, percent_sets);
            look(range);
            if (random_below(4) == 0) walk_on();
            expect_all();
            if (HasFatalFailure()) return;
        }
    }
    EXPECT_GT(walks, 0u);
}

TEST_F(DictModel, TidesOfSetsAndErasesUnderAWalk) {
    for (int tide = 0; tide < 8; tide++) {
        unsigned percent_sets = tide % 2 == 0 ? 90 : 8;
        uint64_t range = tide % 4 < 2 ? 15000 : 2000;
        for (int i = 0; i < 12000; i++) {
            change(range, percent_sets);
            look(range);
            walk_on();
            if (HasFatalFailure()) return;
        }
        expect_all();
        if (HasFatalFailure()) return;
    }
    EXPECT_GT(walks, 5u);
}

}  // namespace rp
