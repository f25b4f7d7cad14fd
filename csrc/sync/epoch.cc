// sync/epoch.cc: slots, retired nodes in chunks, and the advance of the epoch.
//
// Why E2 says three epochs. Thread W unlinks a node, then reads the epoch r and retires the node
// with it. W's read needs no fence, so its unlink may still sit in W's store buffer. Whoever
// advances from e to e+1 has seen e, then fences every thread, then finds no slot pinned at
// anything but e.
//   The advance from r+1 fences after W's read of r: from there on nobody misses the unlink. So a
//   reader that pinned at r+2 (which it saw after that fence) cannot reach the node.
//   A reader that pinned at r+1 or before may hold the node. Its pin was stored before it loaded
//   the pointer, so that fence, or one before, made the pin visible: the scan of the advance from
//   r+2 finds it and gives up. Hence at r+3 nobody holds the node. A pin may show an epoch that is
//   long over (the thread slept between load and store). That only stops the next scan: late frees,
//   never early ones.
// Without membarrier W fences before it reads r, and pins are exchanges: the same argument holds.
#include "sync/epoch.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <new>

#include "mem/mem.h"
#include "sync/mutex.h"

namespace rp {

struct EpochNode {
    void* node;
    size_t bytes;
    EpochFree fn;
};

constexpr uint32_t kChunkNodes = 84;  // makes a chunk 2 KiB
constexpr size_t kSparesMax = 12;     // three batches' worth of chunks

struct EpochChunk {
    EpochChunk* next;
    uint64_t epoch;  // at which the nodes were retired
    size_t bytes;    // sum over the nodes
    uint32_t count;
    EpochNode nodes[kChunkNodes];
};
static_assert(sizeof(EpochChunk) == 2048);

std::atomic<uint64_t> g_epoch{1};  // 0 means "not pinned" in a slot
bool g_epoch_membarrier = false;
[[gnu::tls_model("initial-exec")]] constinit thread_local EpochSlot* t_epoch_slot = nullptr;

static std::atomic<EpochSlot*> g_slots{nullptr};
static std::atomic<EpochChunk*> g_orphans{nullptr};  // chunks of ended threads
static std::atomic<size_t> g_orphan_bytes{0};
static std::atomic<uint32_t> g_fork_generation{0};
static pthread_once_t g_once = PTHREAD_ONCE_INIT;
static pthread_key_t g_thread_end;

static size_t slot_bytes(const EpochSlot* s) {
    return s->waiting_bytes.load(std::memory_order_relaxed);
}

// The owner alone writes: no read-modify-write needed.
static void slot_set_bytes(EpochSlot* s, size_t bytes) {
    s->waiting_bytes.store(bytes, std::memory_order_relaxed);
}

// ---- chunks -----------------------------------------------------------------------------------

static EpochChunk* chunk_new(EpochSlot* s, uint64_t epoch) {
    EpochChunk* c = s->spare;
    if (c != nullptr) {
        s->spare = c->next;
        s->spares--;
    } else {
        c = static_cast<EpochChunk*>(mem_alloc(sizeof(EpochChunk)));
    }
    c->next = nullptr;
    c->epoch = epoch;
    c->bytes = 0;
    c->count = 0;
    return c;
}

static void chunk_recycle(EpochSlot* s, EpochChunk* c) {
    if (s->spares == kSparesMax) return mem_free(c, sizeof(EpochChunk));
    c->next = s->spare;
    s->spare = c;
    s->spares++;
}

static void chunk_append(EpochSlot* s, EpochChunk* c) {
    if (s->newest == nullptr) {
        s->oldest = c;
    } else {
        s->newest->next = c;
    }
    s->newest = c;
}

// ---- threads come and go ----------------------------------------------------------------------

static void orphans_push(EpochChunk* first, EpochChunk* last) {
    EpochChunk* head = g_orphans.load(std::memory_order_relaxed);
    do {
        last->next = head;
        // Release pairs with the acquire in orphans_adopt.
    } while (!g_orphans.compare_exchange_weak(head, first, std::memory_order_release,
                                              std::memory_order_relaxed));
}

// Takes over what ended threads left. Their nodes count as retired now, which is later than true.
static void orphans_adopt(EpochSlot* s) {
    if (g_orphans.load(std::memory_order_relaxed) == nullptr) return;
    EpochChunk* c = g_orphans.exchange(nullptr, std::memory_order_acquire);
    uint64_t now = g_epoch.load(std::memory_order_acquire);
    while (c != nullptr) {
        EpochChunk* next = c->next;
        c->next = nullptr;
        c->epoch = now;
        chunk_append(s, c);
        s->waiting += c->count;
        slot_set_bytes(s, slot_bytes(s) + c->bytes);
        g_orphan_bytes.fetch_sub(c->bytes, std::memory_order_relaxed);
        c = next;
    }
}

static void slot_forget_nodes(EpochSlot* s) {
    s->oldest = s->newest = nullptr;
    s->waiting = s->since_reclaim = s->bytes_since_reclaim = 0;
    slot_set_bytes(s, 0);
}

// The thread ends: its waiting nodes go to the orphans, its slot to whoever comes next.
static void thread_end(void* slot) {
    EpochSlot* s = static_cast<EpochSlot*>(slot);
    RP_ASSERT(s->depth == 0 && "a thread ended inside a read section");
    if (s->oldest != nullptr) {
        g_orphan_bytes.fetch_add(slot_bytes(s), std::memory_order_relaxed);
        orphans_push(s->oldest, s->newest);
    }
    slot_forget_nodes(s);
    while (s->spare != nullptr) {
        EpochChunk* c = s->spare;
        s->spare = c->next;
        mem_free(c, sizeof(EpochChunk));
    }
    s->spares = 0;
    t_epoch_slot = nullptr;
    s->owned.store(0, std::memory_order_release);  // pairs with the acquire in slot_claim
}

static bool membarrier_register() {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

// In the child only the forking thread lives. What the others had retired may be half linked, so it
// stays where it is: a leak, bounded by what waited at the fork.
static void fork_child() {
    for (EpochSlot* s = g_slots.load(std::memory_order_acquire); s != nullptr; s = s->next) {
        if (s == t_epoch_slot) continue;
        s->state.store(0, std::memory_order_relaxed);
        s->depth = 0;
        s->spare = nullptr;
        s->spares = 0;
        slot_forget_nodes(s);
        s->owned.store(0, std::memory_order_release);
    }
    if (g_epoch_membarrier) g_epoch_membarrier = membarrier_register();
    g_fork_generation.fetch_add(1, std::memory_order_release);
}

static void process_start() {
    g_epoch_membarrier = !kEpochForceFence && membarrier_register();
    // A key's destructor runs after those of C++ thread_locals, and again if one of those that run
    // beside it takes a slot anew.
    RP_ASSERT(pthread_key_create(&g_thread_end, thread_end) == 0);
    RP_ASSERT(pthread_atfork(nullptr, nullptr, fork_child) == 0);
}

static EpochSlot* slot_claim() {
    for (EpochSlot* s = g_slots.load(std::memory_order_acquire); s != nullptr; s = s->next) {
        uint32_t free = 0;
        if (s->owned.load(std::memory_order_relaxed) == 0 &&
            s->owned.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
            return s;
        }
    }
    return nullptr;
}

static EpochSlot* slot_new() {
    EpochSlot* s = new (mem_alloc_aligned(sizeof(EpochSlot), alignof(EpochSlot))) EpochSlot;
    s->owned.store(1, std::memory_order_relaxed);
    EpochSlot* head = g_slots.load(std::memory_order_relaxed);
    do {
        s->next = head;
        // Release pairs with the acquire loads of g_slots.
    } while (!g_slots.compare_exchange_weak(head, s, std::memory_order_seq_cst,
                                            std::memory_order_relaxed));
    return s;
}

[[gnu::noinline]] EpochSlot* epoch_slot_make() {
    pthread_once(&g_once, process_start);
    EpochSlot* s = slot_claim();
    if (s == nullptr) s = slot_new();
    RP_ASSERT(pthread_setspecific(g_thread_end, s) == 0);
    t_epoch_slot = s;
    return s;
}

void epoch_each_slot(void (*fn)(EpochSlot* s, void* arg), void* arg) {
    for (EpochSlot* s = g_slots.load(std::memory_order_seq_cst); s != nullptr; s = s->next) {
        fn(s, arg);
    }
}

uint32_t epoch_fork_generation() { return g_fork_generation.load(std::memory_order_acquire); }

// ---- advance and reclaim ----------------------------------------------------------------------

void epoch_fence_all() {
    if (g_epoch_membarrier) {
        RP_ASSERT(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
        return;
    }
#if defined(__SANITIZE_THREAD__)
    static std::atomic<uint32_t> word{0};  // TSan knows no stand-alone fences
    word.fetch_add(1, std::memory_order_seq_cst);
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with the exchange in epoch_pin
#endif
}

// One step forward unless a slot is still pinned at another epoch (E1).
static void epoch_advance() {
    uint64_t e = g_epoch.load(std::memory_order_acquire);
    epoch_fence_all();
    for (EpochSlot* s = g_slots.load(std::memory_order_acquire); s != nullptr; s = s->next) {
        // Acquire pairs with the release in epoch_unpin: what that reader did is over.
        uint64_t pinned = s->state.load(std::memory_order_acquire);
        if (pinned != 0 && pinned != e) return;
    }
    RP_YIELD();
    // Release hands the scan on to whoever frees on the strength of the new epoch.
    g_epoch.compare_exchange_strong(e, e + 1, std::memory_order_acq_rel, std::memory_order_relaxed);
}

static bool chunk_ripe(const EpochChunk* c) {
    return c->epoch + 3 <= g_epoch.load(std::memory_order_acquire);  // E2
}

static void chunk_free_nodes(EpochSlot* s, EpochChunk* c) {
    s->waiting -= c->count;
    slot_set_bytes(s, slot_bytes(s) - c->bytes);
    for (uint32_t i = 0; i < c->count; i++)
        c->nodes[i].fn(c->nodes[i].node, c->nodes[i].bytes);
    chunk_recycle(s, c);
}

size_t epoch_reclaim(EpochSlot* s) {
    orphans_adopt(s);
    s->since_reclaim = 0;
    s->bytes_since_reclaim = 0;
    if (s->oldest == nullptr) return 0;
    // Others may have advanced meanwhile: then the fence can be saved.
    if (!chunk_ripe(s->oldest)) epoch_advance();
    while (s->oldest != nullptr && chunk_ripe(s->oldest)) {
        EpochChunk* c = s->oldest;
        s->oldest = c->next;
        if (s->oldest == nullptr) s->newest = nullptr;
        chunk_free_nodes(s, c);
    }
    return s->waiting;
}

void epoch_retire(EpochSlot* s, void* take, size_t bytes, EpochFree fn) {
    RP_YIELD();
    if (!g_epoch_membarrier) epoch_fence_all();  // the unlink comes before the epoch is read
    uint64_t now = g_epoch.load(std::memory_order_acquire);
    EpochChunk* c = s->newest;
    if (c == nullptr || c->epoch != now || c->count == kChunkNodes) {
        c = chunk_new(s, now);
        chunk_append(s, c);
    }
    c->nodes[c->count++] = {take, bytes, fn};
    c->bytes += bytes;
    s->waiting++;
    slot_set_bytes(s, slot_bytes(s) + bytes);
    s->since_reclaim++;
    s->bytes_since_reclaim += bytes;
    if (s->since_reclaim >= kEpochBatch || s->bytes_since_reclaim >= kEpochBatchBytes) {
        epoch_reclaim(s);
    }
}

// Waiting for readers: they are short (E3), so a few turns on the processor, then short sleeps.
static void wait_a_little(int turn) {
    if (turn < 16) {
        sched_yield();
    } else {
        timespec nap = {0, 50 * 1000};
        nanosleep(&nap, nullptr);
    }
}

void epoch_synchronize(EpochSlot* s) {
    RP_ASSERT(!epoch_pinned(s));
    // After this fence whoever pins sees what the caller unlinked. Whoever pinned before shows at
    // most the epoch read next, and the second advance from there does not pass it.
    epoch_fence_all();
    uint64_t target = g_epoch.load(std::memory_order_acquire) + 2;
    for (int turn = 0; g_epoch.load(std::memory_order_acquire) < target; turn++) {
        uint64_t before = g_epoch.load(std::memory_order_relaxed);
        epoch_advance();
        if (g_epoch.load(std::memory_order_relaxed) == before) wait_a_little(turn);
    }
}

void epoch_drain(EpochSlot* s) {
    RP_ASSERT(!epoch_pinned(s));
    for (int turn = 0;; turn++) {
        uint64_t before = g_epoch.load(std::memory_order_relaxed);
        if (epoch_reclaim(s) == 0) return;
        if (g_epoch.load(std::memory_order_relaxed) == before) wait_a_little(turn);
    }
}

size_t epoch_waiting_bytes() {
    size_t sum = g_orphan_bytes.load(std::memory_order_relaxed);
    for (EpochSlot* s = g_slots.load(std::memory_order_acquire); s != nullptr; s = s->next) {
        sum += slot_bytes(s);
    }
    return sum;
}

}  // namespace rp
