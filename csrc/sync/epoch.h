// sync/epoch.h: deferred freeing, so that readers of the table never lock.
//
// A reader pins, may follow any published pointer, unpins. A writer unlinks a node FIRST and
// retires it SECOND; the node is freed once every reader that could still see it has unpinned.
//
//   global epoch   ... e ............ e+1 ........... e+2 ........... e+3
//   retired in e       [ waiting      waiting         waiting      ]  freed
//
// Invariants  E1  the epoch advances only when every pinned slot shows it.
//             E2  a node retired in epoch e is freed no earlier than epoch e+3 (why: epoch.cc).
//             E3  nothing pins across a system call, a lock wait that may be long, or the GIL.
// Fences      pinning is a plain store and a compiler barrier; whoever advances the epoch pays with
//             membarrier(2). Where that is missing, and under TSan, pinning is a seq_cst exchange.
// Threads     any; a thread's slot is made at its first call and recycled when the thread ends, its
//             waiting nodes being adopted by the others. One domain per process: several stores
//             share it.
// Limits      epoch_waiting_bytes() counts what waits. kEpochBatch nodes or kEpochBatchBytes per
//             thread trigger a reclaim.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "sync/yield.h"

namespace rp {

using EpochFree = void (*)(void* node, size_t bytes);  // must not pin, retire, lock or block

constexpr size_t kEpochBatch = 256;
constexpr size_t kEpochBatchBytes = 64 * 1024;

struct EpochChunk;  // retired nodes of one epoch

struct alignas(128) EpochSlot {
    std::atomic<uint64_t> state{0};  // 0 = not pinned, else the epoch it pinned at
    uint32_t depth = 0;              // owner only: pins nest
    std::atomic<uint32_t> owned{0};  // 1 while a thread has it
    // Owner only from here on, but for the last two.
    EpochChunk* oldest = nullptr;  // epochs do not fall from here ...
    EpochChunk* newest = nullptr;  // ... to here
    EpochChunk* spare = nullptr;   // empty ones kept for reuse
    size_t spares = 0;
    size_t waiting = 0;
    size_t since_reclaim = 0;
    size_t bytes_since_reclaim = 0;
    std::atomic<size_t> waiting_bytes{0};  // written by the owner, read by epoch_waiting_bytes
    EpochSlot* next = nullptr;             // all slots ever made; never unlinked
};

// initial-exec: one load, not a call, even inside a Python module.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local EpochSlot* t_epoch_slot;
EpochSlot* epoch_slot_make();

// The calling thread's slot; made on first use, then one load.
inline EpochSlot* epoch_slot() {
    EpochSlot* s = t_epoch_slot;
    return RP_LIKELY(s != nullptr) ? s : epoch_slot_make();
}

extern std::atomic<uint64_t> g_epoch;
extern bool g_epoch_membarrier;  // constant after the first epoch_slot()

#if defined(__SANITIZE_THREAD__)
constexpr bool kEpochForceFence = true;
#else
constexpr bool kEpochForceFence = false;
#endif

inline void epoch_pin(EpochSlot* s) {
    if (s->depth++ != 0) return;
    uint64_t e = g_epoch.load(std::memory_order_relaxed);
    RP_YIELD();
    if (kEpochForceFence || RP_UNLIKELY(!g_epoch_membarrier)) {
        s->state.exchange(e, std::memory_order_seq_cst);
    } else {
        s->state.store(e, std::memory_order_relaxed);
        std::atomic_signal_fence(
            std::memory_order_seq_cst);  // pairs with membarrier in epoch_advance
    }
}

inline void epoch_unpin(EpochSlot* s) {
    RP_DCHECK(s->depth > 0);
    if (--s->depth != 0) return;
    s->state.store(0, std::memory_order_release);  // pairs with the acquire scan in epoch_advance
}

inline bool epoch_pinned(const EpochSlot* s) { return s->depth != 0; }

// Mid-turn refresh of a pin of depth 1: lets the epoch move on. No pointer found before may be
// used.
inline void epoch_refresh(EpochSlot* s) {
    if (s->depth == 1 &&
        s->state.load(std::memory_order_relaxed) != g_epoch.load(std::memory_order_relaxed)) {
        epoch_unpin(s);
        epoch_pin(s);
    }
}

// Takes ownership of `take` (`bytes` long, for the count and for fn). REQUIRES: no new reader can
// reach it. May run other nodes' fn when the batch is full.
void epoch_retire(EpochSlot* s, void* take, size_t bytes, EpochFree fn);

// Tries to advance the epoch and frees this thread's ripe nodes, plus those of ended threads.
// Returns how many of this thread's nodes still wait. Cheap when nothing waits.
size_t epoch_reclaim(EpochSlot* s);

// Between commands, unpinned and with no lock held: reclaims at half a batch, so that
// epoch_retire's own trigger, under whatever locks its caller holds, is for single commands that
// retire hundreds.
inline void epoch_reclaim_due(EpochSlot* s) {
    if (RP_UNLIKELY(s->since_reclaim >= kEpochBatch / 2 ||
                    s->bytes_since_reclaim >= kEpochBatchBytes / 2)) {
        epoch_reclaim(s);
    }
}

// Waits until every reader pinned now has unpinned. REQUIRES: this thread is not pinned.
void epoch_synchronize(EpochSlot* s);

// epoch_reclaim until nothing of this thread's waits. REQUIRES: not pinned.
void epoch_drain(EpochSlot* s);

size_t epoch_waiting_bytes();  // all threads
inline size_t epoch_slot_waiting_bytes(const EpochSlot* s) {
    return s->waiting_bytes.load(std::memory_order_relaxed);
}
// A fence against every pinned or pinning thread; used by the gate (store/gate.h).
void epoch_fence_all();
// Calls fn(slot) for every slot ever made.
void epoch_each_slot(void (*fn)(EpochSlot* s, void* arg), void* arg);

// Counts fork()s seen by this process image; a store remembers the value at its birth.
uint32_t epoch_fork_generation();

// RAII pin for scopes with early returns.
struct EpochPin {
    explicit EpochPin(EpochSlot* slot) : s(slot) { epoch_pin(s); }
    ~EpochPin() { epoch_unpin(s); }
    EpochPin(const EpochPin&) = delete;
    EpochPin& operator=(const EpochPin&) = delete;
    EpochSlot* s;
};

}  // namespace rp
