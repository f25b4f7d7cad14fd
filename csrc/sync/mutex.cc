// sync/mutex.cc: the slow halves of the lock: a short spin, then futex(2). The three-state word is
// Ulrich Drepper's ("Futexes Are Tricky", mutex 3): only a holder that saw state 2 has anybody to
// wake.
#include "sync/mutex.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace rp {

// About a microsecond: longer than a write's critical section, far shorter than a sleep and wake.
constexpr int kMutexSpins = 64;

static void futex_call(std::atomic<uint32_t>* word, int op, uint32_t value) {
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), op | FUTEX_PRIVATE_FLAG, value, nullptr,
            nullptr, 0);
}

void futex_wait(std::atomic<uint32_t>* word, uint32_t expected) {
    futex_call(word, FUTEX_WAIT, expected);
}

void futex_wait_for(std::atomic<uint32_t>* word, uint32_t expected, int64_t timeout_ns) {
    timespec limit = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, expected,
            timeout_ns < 0 ? nullptr : &limit, nullptr, 0);
}

void futex_wake_all(std::atomic<uint32_t>* word) { futex_call(word, FUTEX_WAKE, INT_MAX); }

[[gnu::noinline]] void mutex_lock_slow(Mutex* m) {
    for (int i = 0; i < kMutexSpins; i++) {
        cpu_relax();
        uint32_t seen = m->state.load(std::memory_order_relaxed);
        if (seen == 0 && mutex_try_lock(m)) return;
        if (seen == 2) break;  // Others sleep already: spinning would only jump their queue.
    }
    // From here on we lock with 2, since we cannot know whether others sleep too.
    while (m->state.exchange(2, std::memory_order_acquire) != 0)
        futex_wait(&m->state, 2);
}

[[gnu::noinline]] void mutex_unlock_slow(Mutex* m) { futex_call(&m->state, FUTEX_WAKE, 1); }

}  // namespace rp
