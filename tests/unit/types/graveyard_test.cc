#include "types/graveyard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "mem/mem.h"
#include "unit/types/values.h"

namespace rp {

static Box* box_of(Form form, size_t n) {
    Value v = value_of(form, n);
    return box_new(&v);
}

static void empty_it() {
    while (graveyard_dig(SIZE_MAX)) {}
}

class Graveyard : public ::testing::Test {
  protected:
    void SetUp() override {
        empty_it();
        ASSERT_FALSE(graveyard_waiting());
    }
    void TearDown() override { empty_it(); }
};

TEST_F(Graveyard, ALargeValueIsFreedInSlices) {
    for (Form form : {Form::quicklist, Form::dict, Form::zset}) {
        int64_t before = mem_used();
        box_unref(box_of(form, 20000));
        EXPECT_TRUE(graveyard_waiting());
        int64_t waiting = mem_used() - before;
        EXPECT_GT(waiting, 20000);
        size_t slices = 0;
        int64_t last = mem_used(), largest = 0;
        while (graveyard_dig(kDigElements)) {
            slices++;
            largest = std::max(largest, last - mem_used());
            last = mem_used();
        }
        // A quicklist goes by the node, hundreds of elements each; the others by the element.
        EXPECT_GE(slices, 20000 / kDigElements / 4) << static_cast<int>(form);
        EXPECT_LT(largest, waiting / 2) << static_cast<int>(form);
        EXPECT_FALSE(graveyard_waiting());
        EXPECT_EQ(before, mem_used());
    }
}

TEST_F(Graveyard, FewElementsOrOneAllocationAreFreedAtOnce) {
    int64_t before = mem_used();
    for (Form form : {Form::quicklist, Form::dict, Form::zset})
        box_unref(box_of(form, kBuryElements));
    for (Form form : {Form::listpack, Form::intset})
        box_unref(box_of(form, 20000));
    EXPECT_FALSE(graveyard_waiting());
    EXPECT_EQ(before, mem_used());
}

TEST_F(Graveyard, OneDigEmptiesSeveralSmallGraves) {
    int64_t before = mem_used();
    for (int i = 0; i < 10; i++)
        box_unref(box_of(Form::dict, 100));
    EXPECT_TRUE(graveyard_dig(kDigElements));
    EXPECT_TRUE(graveyard_waiting());
    EXPECT_TRUE(graveyard_dig(kDigElements));
    EXPECT_FALSE(graveyard_waiting());
    EXPECT_FALSE(graveyard_dig(kDigElements)) << "nothing was freed";
    EXPECT_EQ(before, mem_used());
}

TEST_F(Graveyard, NothingIsFreedWhileSomebodyHoldsAReference) {
    Box* box = box_of(Form::dict, 1000);
    box_ref(box);
    box_unref(box);
    EXPECT_FALSE(graveyard_waiting());
    EXPECT_EQ(1000u, value_elements(&box->value));
    box_unref_now(box);
    EXPECT_FALSE(graveyard_waiting());
}

TEST_F(Graveyard, ThreadsBuryAndDigAtOnce) {
    constexpr int kThreads = 4, kRounds = 200;
    int64_t before = mem_used();
    std::atomic<int> burying{kThreads};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < kRounds; i++) {
                Form form = i % 3 == 0 ? Form::quicklist : i % 3 == 1 ? Form::dict : Form::zset;
                box_unref(box_of(form, 65 + static_cast<size_t>((i * 37 + t) % 400)));
                if (i % 2) graveyard_dig(100);
            }
            burying.fetch_sub(1);
            while (burying.load() != 0)
                graveyard_dig(100);
        });
    }
    for (std::thread& t : threads)
        t.join();
    empty_it();
    EXPECT_FALSE(graveyard_waiting());
    // What the threads counted is in the sum, since they have ended.
    EXPECT_EQ(before, mem_used());
}

}  // namespace rp
