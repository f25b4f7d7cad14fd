#include "mem/mem.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstring>
#include <thread>
#include <vector>

namespace rp {

TEST(Mem, UsedIsExactOnOneThread) {
    int64_t before = mem_used();
    void* a = mem_alloc(100);
    void* b = mem_calloc(1000000);
    void* c = mem_alloc_aligned(640, 64);
    void* d = mem_try_alloc(0);
    EXPECT_EQ(mem_used() - before, static_cast<int64_t>(mem_cost(100) + mem_cost(1000000) +
                                                        mem_cost(640) + mem_cost(0)));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(c) % 64, 0u);
    for (size_t i = 0; i < 1000000; i++)
        ASSERT_EQ(static_cast<char*>(b)[i], 0);
    mem_free(a, 100);
    mem_free(b, 1000000);
    mem_free_aligned(c, 640);
    mem_free(d, 0);
    mem_free(nullptr, 5);
    EXPECT_EQ(mem_used(), before);
}

TEST(Mem, ReallocMovesBytesAndCount) {
    int64_t before = mem_used();
    char* p = static_cast<char*>(mem_try_realloc(nullptr, 0, 10));
    memcpy(p, "0123456789", 10);
    size_t size = 10;
    for (size_t next : {100, 1000, 1000000, 50}) {
        p = static_cast<char*>(mem_try_realloc(p, size, next));
        size = next;
        ASSERT_EQ(memcmp(p, "0123456789", 10), 0);
        EXPECT_EQ(mem_used() - before, static_cast<int64_t>(mem_cost(size)));
    }
    mem_free(p, size);
    EXPECT_EQ(mem_used(), before);
}

// A sanitizer's malloc ends the process instead of returning null.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Mem, ARequestTooLargeReturnsNull) {
    int64_t before = mem_used();
    volatile size_t too_much = PTRDIFF_MAX;
    EXPECT_EQ(mem_try_alloc(too_much), nullptr);
    void* p = mem_alloc(10);
    EXPECT_EQ(mem_try_realloc(p, 10, too_much), nullptr);
    mem_free(p, 10);
    EXPECT_EQ(mem_used(), before);
}
#endif

// Under a sanitizer malloc is another one, so only the arithmetic is checked there.
TEST(Mem, CostIsWhatGlibcTakes) {
    EXPECT_EQ(mem_cost(0), 32u);
    EXPECT_EQ(mem_cost(24), 32u);
    EXPECT_EQ(mem_cost(25), 48u);
    EXPECT_EQ(mem_cost(40), 48u);
    EXPECT_EQ(mem_cost(1024), 1040u);
    EXPECT_EQ(mem_cost(1000000), 1003520u);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    for (size_t size : {1, 24, 25, 100, 1000, 5000, 100000}) {
        void* p = mem_alloc(size);
        // A chunk may be larger by the 16 bytes that would be too small for a chunk of their own.
        size_t real = malloc_usable_size(p) + 8;
        EXPECT_GE(real, mem_cost(size));
        EXPECT_LE(real, mem_cost(size) + 16);
        mem_free(p, size);
    }
#endif
}

TEST(Mem, AThreadsCountSurvivesIt) {
    int64_t before = mem_used();
    std::vector<void*> blocks(8);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < blocks.size(); i++) {
        threads.emplace_back([&blocks, i] { blocks[i] = mem_alloc(100); });
    }
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(mem_used() - before, static_cast<int64_t>(8 * mem_cost(100)));
    for (void* p : blocks)
        mem_free(p, 100);
    EXPECT_EQ(mem_used(), before);
}

// Frees in a destructor that runs after this thread's delta was flushed.
struct FreesLate {
    void* block = nullptr;
    ~FreesLate() { mem_free(block, 5000); }
};
static thread_local FreesLate frees_late;

TEST(Mem, FreesAfterTheFlushAtThreadEndCount) {
    int64_t before = mem_used();
    std::thread([] {
        frees_late.block = nullptr;  // Registered first, so destroyed last.
        frees_late.block = mem_alloc(5000);
    }).join();
    EXPECT_EQ(mem_used(), before);
}

TEST(Mem, OtherThreadsAreOffByNoMoreThanTheFlushSize) {
    int64_t before = mem_used(), seen = 0;
    std::vector<void*> blocks;
    std::thread([&] {
        for (int i = 0; i < 1000; i++)
            blocks.push_back(mem_alloc(100));
        std::thread([&] { seen = mem_used(); }).join();
    }).join();
    int64_t real = before + static_cast<int64_t>(1000 * mem_cost(100));
    EXPECT_LE(std::abs(real - seen), 2 * kMemFlush);
    for (void* p : blocks)
        mem_free(p, 100);
    EXPECT_EQ(mem_used(), before);
}

TEST(Mem, PeakIsTheHighestNoted) {
    mem_peak_reset();
    EXPECT_EQ(mem_peak(), mem_used());
    void* p = mem_alloc(1000000);
    mem_peak_note();
    int64_t high = mem_used();
    mem_free(p, 1000000);
    mem_peak_note();
    EXPECT_EQ(mem_peak(), high);
    mem_peak_reset();
    EXPECT_EQ(mem_peak(), mem_used());
}

TEST(Mem, AsksTheSystem) {
    EXPECT_GT(mem_rss(), 1 << 20);
    mem_purge();
    EXPECT_STREQ(mem_allocator_name(), "libc");
}

}  // namespace rp
