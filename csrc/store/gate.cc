#include "store/gate.h"

#include <sched.h>

#include "sync/mutex.h"

namespace rp {

void gate_wait(Gate* g, EpochSlot* s) {
    RP_ASSERT(s->depth == 1);  // a nested pin would keep the taker waiting for ever
    do {
        epoch_unpin(s);
        futex_wait(&g->closed, 1);
        epoch_pin(s);
    } while (g->closed.load(std::memory_order_acquire) != 0);
}

static void wait_unpinned(EpochSlot* other, void* self) {
    if (other == self) return;
    // Pairs with the release in epoch_unpin: what that thread did is visible to the taker.
    for (int spin = 0; other->state.load(std::memory_order_acquire) != 0; spin++) {
        if (spin < 100) {
            cpu_relax();
        } else {
            sched_yield();
        }
    }
}

void gate_close(Gate* g, EpochSlot* s) {
    RP_ASSERT(!epoch_pinned(s));  // I7
    uint32_t open = 0;
    while (!g->closed.compare_exchange_strong(open, 1, std::memory_order_seq_cst)) {
        futex_wait(&g->closed, 1);
        open = 0;
    }
    epoch_fence_all();  // whoever pins from here on sees the gate closed
    epoch_each_slot(wait_unpinned, s);
    epoch_pin(s);
}

void gate_open(Gate* g, EpochSlot* s) {
    epoch_unpin(s);
    g->closed.store(0, std::memory_order_seq_cst);
    futex_wake_all(&g->closed);
}

}  // namespace rp
