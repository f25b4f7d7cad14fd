// sync/nap.h: a thread that sleeps until somebody has work for it, so that waking one that is awake
// costs a load and no system call.
//
//     for (;;) {                                     giver
//         work();                                    push the work
//         nap_begin(&n);                             nap_wake(&n)
//         if (!work_waits()) nap_sleep(&n, -1);
//         nap_end(&n);
//     }
//
// The sleeper says that it will sleep and then looks once more; the giver leaves the work and then
// looks whether anybody sleeps. All of it is seq_cst (so must be the work's own store and load):
// one of the two sees the other.
//
// Threads  one sleeper; nap_wake: any.
#pragma once
#include "sync/mutex.h"

namespace rp {

struct Nap {
    std::atomic<uint32_t> asleep{0};
};

inline void nap_begin(Nap* n) { n->asleep.store(1, std::memory_order_seq_cst); }
inline void nap_end(Nap* n) { n->asleep.store(0, std::memory_order_relaxed); }
// Until woken, timeout_ns have passed (< 0: never), or spuriously.
inline void nap_sleep(Nap* n, int64_t timeout_ns) { futex_wait_for(&n->asleep, 1, timeout_ns); }

inline void nap_wake(Nap* n) {
    if (RP_LIKELY(n->asleep.load(std::memory_order_seq_cst) == 0)) return;
    if (n->asleep.exchange(0, std::memory_order_seq_cst) != 0) futex_wake_all(&n->asleep);
}

}  // namespace rp
