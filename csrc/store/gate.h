// store/gate.h: the way to be alone: FLUSHALL, SWAPDB, DEBUG, scripts without declared keys, and
// (later) the cut of a snapshot.
//
// Everybody executes commands between gate_enter and gate_leave, which pin the epoch: being pinned
// is the "in operation" flag. The taker closes the gate, makes its store visible to all with one
// membarrier, and waits until every other thread has been seen unpinned once: whoever pins later
// sees the gate closed and backs out before touching anything.
//
// Invariants  I7  the taker holds no segment and is not pinned when it closes the gate.
// Threads     any. Waiters sleep on a futex without being pinned.
#pragma once
#include <atomic>

#include "sync/epoch.h"

namespace rp {

struct Gate {
    std::atomic<uint32_t> closed{0};
};

void gate_wait(Gate* g,
               EpochSlot* s);  // slow path of gate_enter; unpinned on entry, pinned on return

inline void gate_enter(Gate* g, EpochSlot* s) {
    epoch_pin(s);
    if (RP_UNLIKELY(g->closed.load(std::memory_order_acquire) != 0)) gate_wait(g, s);
}
inline void gate_leave(EpochSlot* s) { epoch_unpin(s); }

// Between batches of one pin: gives way when somebody wants to be alone.
inline bool gate_wanted(const Gate* g) { return g->closed.load(std::memory_order_relaxed) != 0; }

// REQUIRES: not pinned, no segment held. On return nobody else executes, and the caller is pinned.
void gate_close(Gate* g, EpochSlot* s);
void gate_open(Gate* g, EpochSlot* s);  // unpins too

}  // namespace rp
