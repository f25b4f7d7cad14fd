// sync/mutex.h: a 4-byte lock: spins briefly, then sleeps on a futex. Small enough for one per
// table segment; zero bytes are an unlocked lock.
//
// Pure spinning dies when threads outnumber cores, hence the futex. Not recursive, no owner.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/assert.h"

namespace rp {

struct Mutex {
    std::atomic<uint32_t> state{0};  // 0 free, 1 held, 2 held and somebody may sleep
};

void mutex_lock_slow(Mutex* m);
void mutex_unlock_slow(Mutex* m);

inline bool mutex_try_lock(Mutex* m) {
    uint32_t free = 0;
    return m->state.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                            std::memory_order_relaxed);
}

inline void mutex_lock(Mutex* m) {
    if (RP_UNLIKELY(!mutex_try_lock(m))) mutex_lock_slow(m);
}

inline void mutex_unlock(Mutex* m) {
    if (RP_UNLIKELY(m->state.exchange(0, std::memory_order_release) == 2)) mutex_unlock_slow(m);
}

inline bool mutex_held(const Mutex* m) { return m->state.load(std::memory_order_relaxed) != 0; }

struct MutexGuard {
    explicit MutexGuard(Mutex* held) : m(held) { mutex_lock(m); }
    ~MutexGuard() { mutex_unlock(m); }
    MutexGuard(const MutexGuard&) = delete;
    MutexGuard& operator=(const MutexGuard&) = delete;
    Mutex* m;
};

// futex(2) on a 32-bit word; return when woken, when *word != expected, or spuriously.
void futex_wait(std::atomic<uint32_t>* word, uint32_t expected);
// The same, for at most timeout_ns (< 0: for ever).
void futex_wait_for(std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_ns);
void futex_wake_all(std::atomic<uint32_t>* word);

// One pause inside a spin loop.
inline void cpu_relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace rp
