#include "base/clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rp {

// Not time(2): it reads a coarser clock, which may still be in the second before.
static int64_t system_us() {
    using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

TEST(Clock, WallIsNow) {
    int64_t before = system_us();
    int64_t us = clock_wall_us();
    int64_t ms = clock_wall_ms();
    int64_t after = system_us();
    EXPECT_GE(us, before);
    EXPECT_LE(us, after);
    EXPECT_GE(ms, before / 1000);
    EXPECT_LE(ms, after / 1000);
}

TEST(Clock, FakeStandsStillUntilSetBack) {
    clock_fake_ms(1234567);
    EXPECT_EQ(1234567, clock_wall_ms());
    EXPECT_EQ(1234567000, clock_wall_us());
    EXPECT_EQ(1234567, clock_wall_ms());
    int64_t mono = clock_mono_ns();
    EXPECT_GT(mono, 0);
    clock_fake_ms(0);
    EXPECT_GT(clock_wall_ms(), 1600000000000);
}

TEST(Clock, MonotonicNeverGoesBack) {
    int64_t last = clock_mono_ns();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_mono_ns();
        ASSERT_GE(now, last);
        last = now;
    }
    EXPECT_GT(clock_mono_us(), 0);
    EXPECT_LE(clock_mono_ms(), clock_mono_us() / 1000);
}

TEST(Clock, TicksMeasureTheSameTimeAsTheMonotonicClock) {
    int64_t from_ns = clock_mono_ns();
    uint64_t from = clock_ticks();
    while (clock_mono_ns() - from_ns < 20000000) {}
    int64_t ticks_ns = clock_ticks_ns(clock_ticks() - from);
    int64_t passed_ns = clock_mono_ns() - from_ns;
    EXPECT_GT(ticks_ns, passed_ns * 9 / 10);
    EXPECT_LT(ticks_ns, passed_ns * 11 / 10);
}

}  // namespace rp
