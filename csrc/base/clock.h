// base/clock.h: time. Wall clock for expiry and TIME, monotonic clock for durations.
//
// Threads  any. Tests replace the wall clock by clock_fake_ms; nothing else does.
#pragma once
#include <cstdint>

namespace rp {

int64_t clock_wall_ms();  // milliseconds since 1970 (the fake one while set)
int64_t clock_wall_us();  // microseconds since 1970
int64_t clock_mono_ns();  // nanoseconds since some fixed instant; never goes back
inline int64_t clock_mono_us() { return clock_mono_ns() / 1000; }
inline int64_t clock_mono_ms() { return clock_mono_ns() / 1000000; }

// The processor's own counter, for statistics: a few ns to read, off by parts in a thousand, never
// used for deadlines. clock_ticks_ns turns a difference of two readings into nanoseconds.
inline uint64_t clock_ticks() {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t v;
    asm volatile("mrs %0, cntvct_el0" : "=r"(v));
    return v;
#else
    return static_cast<uint64_t>(clock_mono_ns());
#endif
}
int64_t clock_ticks_ns(uint64_t ticks);
uint64_t clock_ns_ticks(uint64_t ns);

// Tests only: wall time stands at `ms` until set again; 0 returns to the real clock.
void clock_fake_ms(int64_t ms);

}  // namespace rp
