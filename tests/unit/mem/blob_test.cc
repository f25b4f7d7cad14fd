#include "mem/blob.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "mem/mem.h"

namespace rp {

TEST(Blob, LastReferenceFrees) {
    int64_t before = mem_used();
    Blob* b = blob_new(1000);
    EXPECT_EQ(b->len, 0u);
    EXPECT_EQ(b->cap, 1000u);
    EXPECT_EQ(mem_used() - before, static_cast<int64_t>(mem_cost(1000 + sizeof(Blob))));
    EXPECT_EQ(blob_ref(b), b);
    blob_unref(b);
    b->data[999] = 'x';
    blob_unref(b);
    blob_unref(nullptr);
    EXPECT_EQ(mem_used(), before);
}

TEST(Blob, ResizeKeepsBytes) {
    int64_t before = mem_used();
    Blob* b = blob_try_new(10);
    memcpy(b->data, "0123456789", 10);
    b->len = 10;
    for (size_t cap : {100000, 10000000, 20, 10, 4}) {
        b = blob_try_resize(b, cap);
        ASSERT_NE(b, nullptr);
        EXPECT_EQ(b->cap, cap);
        EXPECT_TRUE(bytes_equal(blob_bytes(b), {"0123456789", cap < 10 ? cap : 10}));
        EXPECT_EQ(mem_used() - before, static_cast<int64_t>(mem_cost(cap + sizeof(Blob))));
    }
    EXPECT_EQ(blob_try_resize(b, SIZE_MAX), nullptr);
    EXPECT_EQ(blob_try_resize(b, SIZE_MAX - 10), nullptr);
    EXPECT_EQ(b->cap, 4u);
    blob_unref(b);
    EXPECT_EQ(blob_try_new(SIZE_MAX), nullptr);
    EXPECT_EQ(mem_used(), before);
}

TEST(Blob, ReferencesAreCountedAcrossThreads) {
    int64_t before = mem_used();
    Blob* b = blob_new(100);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([mine = blob_ref(b)] {
            for (int k = 0; k < 10000; k++) {
                blob_ref(mine);
                blob_unref(mine);
            }
            blob_unref(mine);
        });
    }
    blob_unref(b);
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(mem_used(), before);
}

}  // namespace rp
