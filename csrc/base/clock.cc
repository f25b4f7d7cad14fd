// base/clock.cc: clock_gettime goes through the vDSO, so none of these enters the kernel.
#include "base/clock.h"

#include <time.h>

#include <atomic>

#include "base/assert.h"

namespace rp {

// 0 = the real clock. Relaxed: it is set before the code under test runs, and guards no other data.
static std::atomic<int64_t> fake_ms{0};

static int64_t read_ns(clockid_t id) {
    timespec ts;
    clock_gettime(id, &ts);  // Cannot fail: both clocks exist and the pointer is good.
    return static_cast<int64_t>(ts.tv_sec) * 1000000000 + ts.tv_nsec;
}

int64_t clock_wall_ms() {
    int64_t fake = fake_ms.load(std::memory_order_relaxed);
    if (RP_UNLIKELY(fake != 0)) return fake;
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_wall_us() {
    int64_t fake = fake_ms.load(std::memory_order_relaxed);
    if (RP_UNLIKELY(fake != 0)) return fake * 1000;
    return read_ns(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ns() { return read_ns(CLOCK_MONOTONIC); }

void clock_fake_ms(int64_t ms) { fake_ms.store(ms, std::memory_order_relaxed); }

// Nanoseconds per tick, measured once over a fifth of a millisecond.
static double measure_tick_ns() {
    int64_t from_ns = clock_mono_ns();
    uint64_t from = clock_ticks();
    int64_t to_ns = from_ns;
    while (to_ns - from_ns < 200000)
        to_ns = clock_mono_ns();
    uint64_t ticks = clock_ticks() - from;
    return ticks == 0 ? 1.0 : static_cast<double>(to_ns - from_ns) / static_cast<double>(ticks);
}

static double tick_ns() {
    static const double kTickNs = measure_tick_ns();
    return kTickNs;
}

int64_t clock_ticks_ns(uint64_t ticks) {
    return static_cast<int64_t>(static_cast<double>(ticks) * tick_ns());
}

uint64_t clock_ns_ticks(uint64_t ns) {
    return static_cast<uint64_t>(static_cast<double>(ns) / tick_ns());
}

}  // namespace rp
