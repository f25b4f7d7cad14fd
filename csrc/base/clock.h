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

// Tests only: wall time stands at `ms` until set again; 0 returns to the real clock.
void clock_fake_ms(int64_t ms);

}  // namespace rp
