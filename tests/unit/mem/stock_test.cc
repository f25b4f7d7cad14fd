#include "mem/stock.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "mem/mem.h"

namespace rp::test {

TEST(Stock, GivesBackWhatWasPutInLastFirst) {
    Stock s = {};
    void* a = malloc(40);
    void* b = malloc(40);
    EXPECT_EQ(stock_take(&s, 48), nullptr);
    EXPECT_TRUE(stock_put(&s, a, 48));
    EXPECT_TRUE(stock_put(&s, b, 48));
    EXPECT_EQ(stock_take(&s, 64), nullptr) << "another size";
    EXPECT_EQ(stock_take(&s, 48), b);
    EXPECT_EQ(stock_take(&s, 48), a);
    free(a);
    free(b);
}

TEST(Stock, HoldsNoMoreThanItsBound) {
    Stock s = {};
    size_t kept = 0;
    for (;; kept++) {
        void* block = malloc(500);
        if (stock_put(&s, block, kStockBlockMax)) continue;
        free(block);
        break;
    }
    EXPECT_EQ(kept, kStockClassBytes / kStockBlockMax);
    stock_empty(&s);
    EXPECT_EQ(s.count[kStockBlockMax / 16], 0);
    EXPECT_EQ(stock_take(&s, kStockBlockMax), nullptr);
}

TEST(Stock, WhatIsInStockDoesNotCountAsUsed) {
    int64_t before = mem_used();
    void* blocks[100];
    for (void*& b : blocks)
        b = mem_alloc(88);
    EXPECT_EQ(mem_used() - before, static_cast<int64_t>(100 * mem_cost(88)));
    for (void* b : blocks)
        mem_free(b, 88);
    EXPECT_EQ(mem_used(), before);
    mem_purge();
}

}  // namespace rp::test
