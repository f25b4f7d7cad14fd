// sync/yield.h: RP_YIELD() marks the instants at which another thread's step matters (between a
// slot and its tag, between an unlink and its retire, ...). Builds with RP_YIELD_POINTS stop there
// at random, so that a torture test meets interleavings that would take hours otherwise; all other
// builds compile it to nothing.
#pragma once

#ifdef RP_YIELD_POINTS
#include <sched.h>
#include <time.h>

#include "base/random.h"

namespace rp {
inline void yield_point() {
    uint64_t r = random_u64();
    if ((r & 511) == 0) sched_yield();
    if ((r >> 20 & 2047) == 0) {
        timespec nap = {0, static_cast<long>(r >> 40) & 0xffff};  // up to 65 us
        nanosleep(&nap, nullptr);
    }
}
}  // namespace rp
#define RP_YIELD() ::rp::yield_point()
#else
#define RP_YIELD() static_cast<void>(0)
#endif
