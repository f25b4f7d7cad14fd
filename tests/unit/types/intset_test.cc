#include "types/intset.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <set>
#include <string>

#include "mem/mem.h"

namespace rp {

static uint64_t seed() {
    const char* given = getenv("RP_SEED");
    uint64_t s = given != nullptr ? strtoull(given, nullptr, 10) : std::random_device{}();
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(s));
    return s;
}

static void expect_same(const std::set<int64_t>& model, const Buf* set) {
    Bytes bytes = buf_bytes(set);
    intset_check(bytes);
    ASSERT_EQ(model.size(), intset_count(bytes));
    size_t i = 0;
    for (int64_t v : model)
        ASSERT_EQ(v, intset_at(bytes, i++));
}

// Around the edges of each width, so that sets widen at different moments.
static int64_t some_value(std::mt19937_64* random) {
    static const int64_t kEdges[] = {0,         INT16_MAX, INT16_MIN, INT32_MAX,
                                     INT32_MIN, INT64_MAX, INT64_MIN};
    uint64_t r = (*random)();
    auto near = static_cast<int64_t>(r >> 8 & 15) - 8;
    size_t edges = (r & 64) ? 1 : (r & 128) ? 3 : std::size(kEdges);
    int64_t v;
    if (__builtin_add_overflow(kEdges[(r >> 16) % edges], near, &v)) v = near;
    return v;
}

TEST(Intset, BehavesAsASetOfIntegers) {
    std::mt19937_64 random(seed());
    for (int round = 0; round < 300; round++) {
        std::set<int64_t> model;
        Buf set;
        for (int step = 0; step < 80; step++) {
            int64_t v = some_value(&random);
            uint64_t what = random() % 8;
            if (what < 4) {
                ASSERT_EQ(model.insert(v).second, intset_add(&set, v));
            } else if (what < 6) {
                ASSERT_EQ(model.erase(v) != 0, intset_remove(&set, v));
            } else if (what == 6 && !model.empty()) {
                size_t at = random() % model.size();
                model.erase(std::next(model.begin(), static_cast<ptrdiff_t>(at)));
                intset_remove_at(&set, at);
            }
            ASSERT_EQ(model.count(v) != 0, intset_contains(buf_bytes(&set), v));
            expect_same(model, &set);
        }
        buf_free(&set);
    }
}

TEST(Intset, IsEmptyWithoutAnyBytes) {
    Buf set;
    EXPECT_EQ(0u, intset_count(buf_bytes(&set)));
    EXPECT_FALSE(intset_contains(buf_bytes(&set), 0));
    EXPECT_FALSE(intset_remove(&set, 0));
    EXPECT_TRUE(intset_add(&set, 0));
    EXPECT_TRUE(intset_remove(&set, 0));
    EXPECT_EQ(0u, set.len);
    EXPECT_EQ(0u, set.cap);
}

TEST(Intset, TakesTwoFourOrEightBytesAValue) {
    struct {
        int64_t value;
        size_t width;
    } cases[] = {{0, 2},
                 {INT16_MAX, 2},
                 {INT16_MIN, 2},
                 {INT16_MAX + 1, 4},
                 {INT16_MIN - 1, 4},
                 {INT32_MAX, 4},
                 {INT32_MIN, 4},
                 {INT64_C(1) + INT32_MAX, 8},
                 {INT64_C(-1) + INT32_MIN, 8},
                 {INT64_MAX, 8},
                 {INT64_MIN, 8}};
    for (auto& c : cases) {
        Buf set;
        intset_add(&set, 1);
        intset_add(&set, -1);
        intset_add(&set, c.value);
        EXPECT_EQ(1 + c.width * intset_count(buf_bytes(&set)), set.len) << c.value;
        EXPECT_TRUE(intset_contains(buf_bytes(&set), c.value));
        EXPECT_TRUE(intset_contains(buf_bytes(&set), -1));
        buf_free(&set);
    }
}

TEST(Intset, AnAddThatChangesNothingLeavesTheWidth) {
    Buf set;
    intset_add(&set, 7);
    EXPECT_FALSE(intset_add(&set, 7));
    EXPECT_FALSE(intset_contains(buf_bytes(&set), INT64_MAX));
    EXPECT_FALSE(intset_remove(&set, INT64_MAX));
    EXPECT_EQ(3u, set.len);
    buf_free(&set);
}

TEST(Intset, WritingToBorrowedBytesLeavesThemAsTheyWere) {
    Buf owner;
    for (int64_t v : {1, 2, 3})
        intset_add(&owner, v);
    std::string before(owner.data, owner.len);

    for (int what = 0; what < 4; what++) {
        Buf set = buf_borrow(buf_bytes(&owner));
        EXPECT_FALSE(intset_add(&set, 2));
        EXPECT_TRUE(buf_borrows(&set)) << "nothing was written yet";
        if (what == 0) intset_add(&set, 4);
        if (what == 1) intset_add(&set, INT64_MIN);
        if (what == 2) intset_remove(&set, 1);
        if (what == 3) intset_remove_at(&set, 2);
        EXPECT_FALSE(buf_borrows(&set));
        intset_check(buf_bytes(&set));
        EXPECT_EQ(before, std::string(owner.data, owner.len));
        buf_free(&set);
    }
    buf_free(&owner);
}

TEST(Intset, ManyValuesInAnyOrder) {
    std::mt19937_64 random(seed());
    int64_t used = mem_used();
    std::set<int64_t> model;
    Buf set;
    for (int i = 0; i < 20000; i++) {
        auto v = static_cast<int64_t>(random() >> (i < 10000 ? 50 : i < 15000 ? 34 : 1));
        if (i % 2) v = -v;
        ASSERT_EQ(model.insert(v).second, intset_add(&set, v));
    }
    expect_same(model, &set);
    while (!model.empty()) {
        int64_t v = *std::next(model.begin(), static_cast<ptrdiff_t>(random() % 2 % model.size()));
        model.erase(v);
        ASSERT_TRUE(intset_remove(&set, v));
        if (model.size() % 1000 == 0) expect_same(model, &set);
    }
    EXPECT_EQ(0u, set.cap);
    EXPECT_LE(mem_used(), used);
}

}  // namespace rp
