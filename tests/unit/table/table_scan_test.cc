#include <map>
#include <set>

#include "base/random.h"
#include "table/table.h"
#include "unit/table/fixture.h"

namespace rp {

class TableScanTest : public TableFixture {
  protected:
    using Seen = std::map<std::string, int>;

    static void note(Entry* e, void* arg) { (*static_cast<Seen*>(arg))[as_string(entry_key(e))]++; }

    uint64_t step(uint64_t cursor) {
        EpochPin pin(s);
        return table_scan(t, cursor, note, &seen);
    }
    void put_many(size_t from, size_t to) {
        for (size_t i = from; i < to; i++)
            put("key:" + std::to_string(i), "v");
    }
    void remove_many(size_t from, size_t to) {
        for (size_t i = from; i < to; i++)
            remove("key:" + std::to_string(i));
    }
    void expect_seen(size_t from, size_t to) {
        for (size_t i = from; i < to; i++) {
            EXPECT_TRUE(seen.count("key:" + std::to_string(i))) << "missed key:" << i;
        }
    }

    Seen seen;
};

TEST_F(TableScanTest, VisitsEveryKeyOnceWhenNothingChanges) {
    for (size_t n : {1u, 2u, 100u, 5000u, 50000u}) {
        put_many(0, n);
        seen.clear();
        uint64_t cursor = 0;
        do
            cursor = step(cursor);
        while (cursor != 0);
        EXPECT_EQ(n, seen.size());
        for (const auto& [key, times] : seen)
            EXPECT_EQ(1, times) << key;
    }
}

TEST_F(TableScanTest, EmptySegmentsCostNoCalls) {
    put_many(0, 3);
    uint64_t cursor = 0;
    int calls = 0;
    do {
        cursor = step(cursor);
        calls++;
    } while (cursor != 0);
    EXPECT_LE(calls, 3);
    EXPECT_EQ(3u, seen.size());
}

TEST_F(TableScanTest, GrowthBetweenCallsMissesNothing) {
    put_many(0, 2000);
    uint64_t cursor = 0;
    size_t more = 2000;
    do {
        cursor = step(cursor);
        put_many(more, more + 12);
        more += 12;
    } while (cursor != 0);
    EXPECT_GT(more, 15000u);
    expect_seen(0, 2000);
}

TEST_F(TableScanTest, ShrinkBetweenCallsMissesNothing) {
    put_many(0, 60000);
    uint64_t cursor = 0;
    size_t left = 60000;
    do {
        cursor = step(cursor);
        size_t less = left < 2030 ? left - 2000 : 30;
        remove_many(left - less, left);
        left -= less;
    } while (cursor != 0);
    EXPECT_LT(left, 60000u / 2);
    expect_seen(0, 2000);
}

TEST_F(TableScanTest, GrowthAndShrinkByTurnsMissNothing) {
    put_many(0, 1000);
    for (int round = 0; round < 3; round++) {
        seen.clear();
        uint64_t cursor = 0;
        int turn = 0;
        do {
            cursor = step(cursor);
            if (++turn % 400 == 100) put_many(1000, 20000);
            if (turn % 400 == 300) remove_many(1000, 20000);
        } while (cursor != 0);
        expect_seen(0, 1000);
        EXPECT_GT(turn, 800);
        remove_many(1000, 20000);
    }
}

TEST_F(TableScanTest, AnyCursorAClientSendsIsHarmless) {
    put_many(0, 3000);
    random_seed(1);
    for (int i = 0; i < 20000; i++) {
        uint64_t cursor = random_u64() >> random_below(64);
        uint64_t next = step(cursor);
        EXPECT_TRUE(next == 0 || next > cursor);
    }
    EXPECT_EQ(0u, step(UINT64_MAX));
    EXPECT_EQ(0u, step(uint64_t{1} << 33));
}

TEST_F(TableScanTest, OneSegmentIsScannedAlone) {
    put_many(0, 20000);
    for (size_t segment : {size_t{0}, size_t{511}, kSegments - 1}) {
        seen.clear();
        uint64_t cursor = 0;
        do {
            EpochPin pin(s);
            cursor = table_scan_segment(t, segment, cursor, note, &seen);
        } while (cursor != 0);
        EXPECT_EQ(t->segments[segment].keys.load(), seen.size());
        for (const auto& [key, times] : seen) {
            EXPECT_EQ(segment, segment_index(table_hash(as_bytes(key))));
            EXPECT_EQ(1, times);
        }
    }
    EXPECT_EQ(0u, table_scan_segment(t, 0, UINT64_MAX, note, &seen));
}

TEST_F(TableScanTest, ChainsAreVisitedWhole) {
    forced_hashes = true;
    for (int i = 0; i < 100; i++)
        put("key:" + std::to_string(i), "v", 42);
    uint64_t cursor = 0;
    do
        cursor = step(cursor);
    while (cursor != 0);
    expect_seen(0, 100);
}

TEST_F(TableScanTest, RandomFindsTheOnlyKey) {
    put("alone", "v");
    for (int i = 0; i < 1000; i++) {
        EpochPin pin(s);
        Entry* e = table_random(t);
        ASSERT_NE(nullptr, e);
        EXPECT_EQ("alone", as_string(entry_key(e)));
    }
}

// Expected 100 draws per key, so a standard deviation of 10: 45..200 leaves room for the little
// unevenness that long chains bring, and would show a forgotten slot or a doubled weight.
TEST_F(TableScanTest, RandomIsNearlyEven) {
    for (size_t n : {10u, 1000u}) {
        put_many(0, n);
        Seen drawn;
        for (size_t i = 0; i < n * 100; i++) {
            EpochPin pin(s);
            drawn[as_string(entry_key(table_random(t)))]++;
        }
        EXPECT_EQ(n, drawn.size());
        for (const auto& [key, times] : drawn) {
            EXPECT_GT(times, 45) << key;
            EXPECT_LT(times, 200) << key;
        }
    }
}

TEST_F(TableScanTest, RandomIsNearlyEvenInLargeTablesAndLeavesNobodyOut) {
    constexpr size_t kKeys = 400000;  // 390 per segment: the quick choice of a segment
    put_many(0, kKeys);
    std::set<const Entry*> drawn;
    for (size_t i = 0; i < kKeys; i++) {
        EpochPin pin(s);
        drawn.insert(table_random(t));
    }
    // Even draws leave 1/e of the keys out: 63.2 % are met.
    EXPECT_GT(static_cast<double>(drawn.size()) / kKeys, 0.61);
    EXPECT_LT(static_cast<double>(drawn.size()) / kKeys, 0.65);
}

TEST_F(TableScanTest, RandomFindsWhatIsLeftAfterMassDeletion) {
    put_many(0, 50000);
    remove_many(1, 50000);
    EpochPin pin(s);
    ASSERT_NE(nullptr, table_random(t));
    EXPECT_EQ("key:0", as_string(entry_key(table_random(t))));
}

}  // namespace rp
