// Room for connections: given back to the system when a crowd has gone.
#include "net/slabs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "mem/mem.h"

namespace rp::test {

constexpr size_t kObject = 1300;

TEST(Slabs, ACrowdThatHasGoneLeavesOneSlab) {
    Slabs s;
    slabs_init(&s, kObject);
    std::vector<void*> objects;
    for (int round = 0; round < 3; round++) {
        int64_t before = mem_used();
        for (int i = 0; i < 5000; i++) {
            objects.push_back(slabs_take(&s));
            memset(objects.back(), round, kObject);
        }
        EXPECT_GE(mem_used() - before, int64_t{5000} * kObject - 2 * int64_t{kSlabBytes});
        std::shuffle(objects.begin(), objects.end(), std::mt19937(static_cast<unsigned>(round)));
        for (void* object : objects)
            slabs_give(&s, object);
        objects.clear();
        EXPECT_LE(s.count, 1u);
        EXPECT_EQ(s.empty, s.count);
    }
    slabs_deinit(&s);
    EXPECT_EQ(s.count, 0u);
}

TEST(Slabs, ObjectsShareNoByte) {
    Slabs s;
    slabs_init(&s, kObject);
    std::vector<unsigned char*> objects;
    std::mt19937 random(7);
    for (int i = 0; i < 20000; i++) {
        if (objects.size() < 300 && random() % 5 < 3) {
            auto* object = static_cast<unsigned char*>(slabs_take(&s));
            memset(object, static_cast<int>(objects.size() & 0xff), kObject);
            objects.push_back(object);
        } else if (!objects.empty()) {
            unsigned char expected = static_cast<unsigned char>((objects.size() - 1) & 0xff);
            for (size_t at : {size_t{0}, kObject / 2, kObject - 1})
                ASSERT_EQ(objects.back()[at], expected);
            slabs_give(&s, objects.back());
            objects.pop_back();
        }
    }
    for (unsigned char* object : objects)
        slabs_give(&s, object);
    slabs_deinit(&s);
}

TEST(Slabs, OneThreadTakesWhatAnotherGivesBack) {
    Slabs s;
    slabs_init(&s, kObject);
    auto work = [&s] {
        for (int i = 0; i < 2000; i++) {
            void* some[60];
            for (void*& object : some)
                object = slabs_take(&s);
            for (void* object : some)
                slabs_give(&s, object);
        }
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_LE(s.count, 1u);
    slabs_deinit(&s);
}

}  // namespace rp::test
