// LRU and LFU hints when threads' coarse clocks differ by a tick.
#include "../cmd/harness.h"

namespace rp::test {

static void set_hint(Entry* e, uint32_t hint) {
    e->clock.store(static_cast<uint16_t>(hint >> 8), std::memory_order_relaxed);
    e->freq.store(static_cast<uint8_t>(hint), std::memory_order_relaxed);
}

struct Age : testing::Test {
    TestEngine engine;
    Access a;
    Entry* e = entry_new_string("k", "v", Encoding::embstr, kNoExpiry);
    Age() { a.store = &engine.core.store; }
    ~Age() override { entry_free(e); }
};

// A batch samples its clock once; meanwhile another thread may have touched the key a second later.
TEST_F(Age, AKeyTouchedAfterOurClockIsNotIdle) {
    a.age_clock = 1000;
    set_hint(e, 1001);
    EXPECT_EQ(age_idle_ms(&a, e), 0);
    set_hint(e, 990);
    EXPECT_EQ(age_idle_ms(&a, e), 10000);
}

TEST_F(Age, IdleTimeGoesOnWhenTheClockWraps) {
    a.age_clock = 0x1000005;
    set_hint(e, 0xFFFFFB);
    EXPECT_EQ(age_idle_ms(&a, e), 10000);
}

TEST_F(Age, ACounterTouchedAfterOurMinuteIsNotDecayed) {
    engine.core.config->maxmemory_policy = 5;  // allkeys-lfu
    a.age_clock = 60 * 100;
    e->clock.store(101, std::memory_order_relaxed);
    e->freq.store(200, std::memory_order_relaxed);
    EXPECT_EQ(age_frequency(&a, e), 200);
    e->clock.store(90, std::memory_order_relaxed);
    EXPECT_EQ(age_frequency(&a, e), 190);
}

}  // namespace rp::test
