#include "types/zset.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace rp
