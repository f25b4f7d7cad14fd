// LRU and LFU hints of entries (store/db.h). 24 bits: for LRU the seconds of the last access, for
// LFU 16 bits of minutes and a logarithmic 8-bit counter, both as Redis keeps them.
#include <ctime>

#include "base/random.h"
#include "conf/config.h"
#include "store/evict.h"

namespace rp {

constexpr uint32_t kLruMask = 0xFFFFFF;
// A batch reads the clock once. Another thread may touch a key later than that, and it must not
// look as if it had not been used for a whole turn of the clock.
constexpr uint32_t kAheadSeconds = 3600;
constexpr uint16_t kAheadMinutes = kAheadSeconds / 60;
constexpr uint8_t kLfuInit = 5;  // a new key must not be the first to go

uint32_t age_clock_now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return static_cast<uint32_t>(t.tv_sec);
}

static bool uses_lfu(const Access* a) { return policy_is_lfu(evict_policy(a->store)); }

static void set_lru(const Entry* e, uint32_t seconds) {
    auto* m = const_cast<Entry*>(e);
    auto high = static_cast<uint16_t>(seconds >> 8);
    auto low = static_cast<uint8_t>(seconds);
    // A read must not dirty a line that others read: store only what differs.
    if (m->clock.load(std::memory_order_relaxed) != high) {
        m->clock.store(high, std::memory_order_relaxed);
    }
    if (m->freq.load(std::memory_order_relaxed) != low) {
        m->freq.store(low, std::memory_order_relaxed);
    }
}

static uint16_t lfu_minutes(const Access* a) { return static_cast<uint16_t>(a->age_clock / 60); }

static uint8_t lfu_decayed(const Access* a, const Entry* e) {
    int64_t period = config_num(a->store->config->lfu_decay_time);
    uint8_t count = e->freq.load(std::memory_order_relaxed);
    if (period == 0) return count;
    auto passed = static_cast<uint16_t>(lfu_minutes(a) - e->clock.load(std::memory_order_relaxed));
    if (passed > UINT16_MAX - kAheadMinutes) return count;
    int64_t periods = passed / period;
    return periods >= count ? 0 : static_cast<uint8_t>(count - periods);
}

// The counter grows with probability 1 / ((count - init) * factor + 1).
static uint8_t lfu_increment(const Access* a, uint8_t count) {
    if (count == 255) return count;
    double base = count > kLfuInit ? count - kLfuInit : 0;
    double factor = static_cast<double>(config_num(a->store->config->lfu_log_factor));
    double chance = 1.0 / (base * factor + 1);
    double dice = static_cast<double>(random_u64() >> 11) * 0x1p-53;
    return dice < chance ? static_cast<uint8_t>(count + 1) : count;
}

static void set_lfu(const Access* a, const Entry* e, uint8_t count) {
    auto* m = const_cast<Entry*>(e);
    m->clock.store(lfu_minutes(a), std::memory_order_relaxed);
    m->freq.store(count, std::memory_order_relaxed);
}

void age_init(const Access* a, Entry* e) {
    if (uses_lfu(a)) {
        set_lfu(a, e, kLfuInit);
    } else {
        set_lru(e, a->age_clock);
    }
}

void age_touch(const Access* a, const Entry* e) {
    if (RP_UNLIKELY(uses_lfu(a))) {
        set_lfu(a, e, lfu_increment(a, lfu_decayed(a, e)));
    } else {
        set_lru(e, a->age_clock);
    }
}

int64_t age_idle_ms(const Access* a, const Entry* e) {
    uint32_t then = static_cast<uint32_t>(e->clock.load(std::memory_order_relaxed)) << 8 |
                    e->freq.load(std::memory_order_relaxed);
    uint32_t seconds = (a->age_clock - then) & kLruMask;
    if (seconds > kLruMask - kAheadSeconds) return 0;
    return static_cast<int64_t>(seconds) * 1000;
}

uint8_t age_frequency(const Access* a, const Entry* e) { return lfu_decayed(a, e); }

void age_copy(Entry* to, const Entry* from) {
    to->clock.store(from->clock.load(std::memory_order_relaxed), std::memory_order_relaxed);
    to->freq.store(from->freq.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void age_restore(const Access* a, Entry* e, int64_t idle_s, int lfu) {
    constexpr int64_t kIdleMax = kLruMask - kAheadSeconds;
    if (uses_lfu(a)) {
        if (lfu >= 0) set_lfu(a, e, static_cast<uint8_t>(lfu));
    } else if (idle_s >= 0) {
        set_lru(e, a->age_clock - static_cast<uint32_t>(idle_s < kIdleMax ? idle_s : kIdleMax));
    }
}

}  // namespace rp
