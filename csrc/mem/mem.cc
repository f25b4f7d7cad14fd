#include "mem/mem.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "base/assert.h"
#include "mem/stock.h"

namespace rp {

// glibc: a chunk is the request plus its 8-byte size word, rounded up to 16, at least 32. From the
// mmap threshold on it is whole pages, with 16 bytes of header. (glibc raises that threshold when
// such blocks are freed; a large block may then come from the heap and cost less than a page less.)
constexpr size_t kChunkHeader = 8;
constexpr size_t kChunkMin = 32;
constexpr size_t kMmapThreshold = 128 * 1024;
constexpr size_t kPage = 4096;

static std::atomic<int64_t> shared_used{0};
static std::atomic<int64_t> shared_peak{0};

// What this thread allocated and has not yet added to shared_used, plus kUnarmed while the flush at
// thread end is not registered: far out of range, so that the first operation takes the slow path,
// and the fast path needs one comparison only.
constexpr int64_t kUnarmed = INT64_MIN / 2;
static thread_local constinit int64_t thread_delta = kUnarmed;
static thread_local constinit bool thread_ended = false;
static thread_local constinit Stock* thread_stock = nullptr;  // made when the thread is armed

static void flush_delta() {
    shared_used.fetch_add(thread_delta, std::memory_order_relaxed);
    thread_delta = 0;
}

struct FlushAtEnd {
    bool armed = false;
    ~FlushAtEnd() {
        flush_delta();
        if (thread_stock != nullptr) {
            stock_empty(thread_stock);
            free(thread_stock);
            thread_stock = nullptr;
        }
        // Later destructors of this thread may still free: they add to shared_used directly.
        thread_ended = true;
        thread_delta = kUnarmed;
    }
};
static thread_local FlushAtEnd flush_at_end;

[[gnu::noinline]] static void count_slow() {
    if (thread_delta < kUnarmed / 2) {
        thread_delta -= kUnarmed;
        if (thread_ended) {
            flush_delta();
            thread_delta = kUnarmed;
            return;
        }
        flush_at_end.armed = true;  // The first touch registers the destructor.
        if (kStockUsed) thread_stock = static_cast<Stock*>(calloc(1, sizeof(Stock)));
        if (thread_delta < kMemFlush && thread_delta > -kMemFlush) return;
    }
    flush_delta();
}

static inline void count(int64_t bytes) {
    int64_t now = thread_delta + bytes;
    thread_delta = now;
    if (RP_UNLIKELY(now >= kMemFlush || now <= -kMemFlush)) count_slow();
}

static inline size_t cost(size_t size) {
    if (RP_UNLIKELY(size >= kMmapThreshold))
        return (size + 2 * kChunkHeader + kPage - 1) & ~(kPage - 1);
    size_t chunk = (size + kChunkHeader + 15) & ~size_t{15};
    return chunk < kChunkMin ? kChunkMin : chunk;
}

static inline void* counted(void* p, size_t size) {
    RP_ASSERT(reinterpret_cast<uintptr_t>(p) >> 48 == 0);
    count(static_cast<int64_t>(cost(size)));
    return p;
}

size_t mem_cost(size_t size) { return cost(size); }

// A block of `size` bytes from this thread's stock, or null.
static inline void* from_stock(size_t size) {
    Stock* s = thread_stock;
    size_t c = cost(size);
    return s != nullptr && c <= kStockBlockMax ? stock_take(s, c) : nullptr;
}

void* mem_alloc(size_t size) {
    void* p = from_stock(size);
    if (p == nullptr) p = malloc(size);
    RP_ASSERT(p != nullptr && "out of memory");
    return counted(p, size);
}

void* mem_calloc(size_t size) {
    void* p = calloc(1, size);
    RP_ASSERT(p != nullptr && "out of memory");
    return counted(p, size);
}

void* mem_alloc_aligned(size_t size, size_t align) {
    void* p = nullptr;
    int failed = posix_memalign(&p, align, size);
    RP_ASSERT(failed == 0 && "out of memory, or an alignment that is no power of two");
    return counted(p, size);
}

void* mem_try_alloc(size_t size) {
    void* p = malloc(size);
    return p == nullptr ? nullptr : counted(p, size);
}

void* mem_try_realloc(void* p, size_t old_size, size_t new_size) {
    RP_DCHECK(new_size > 0);
    void* fresh = realloc(p, new_size);
    if (fresh == nullptr) return nullptr;
    if (p != nullptr) count(-static_cast<int64_t>(cost(old_size)));
    return counted(fresh, new_size);
}

void mem_free(void* p, size_t size) {
    if (p == nullptr) return;
    size_t c = cost(size);
    count(-static_cast<int64_t>(c));
    Stock* s = thread_stock;
    if (s != nullptr && c <= kStockBlockMax && stock_put(s, p, c)) return;
    free(p);
}

// Of twice as much the ends are given back.
void* mem_try_map(size_t size) {
    void* got = mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return nullptr;
    auto start = reinterpret_cast<uintptr_t>(got);
    uintptr_t aligned = (start + size - 1) & ~(size - 1);
    RP_ASSERT(aligned >> 48 == 0);
    if (aligned != start) munmap(got, aligned - start);
    munmap(reinterpret_cast<void*>(aligned + size), start + size - aligned);
    count(static_cast<int64_t>(size));
    return reinterpret_cast<void*>(aligned);
}

void mem_unmap(void* p, size_t size) {
    count(-static_cast<int64_t>(size));
    munmap(p, size);
}

void mem_free_aligned(void* p, size_t size) { mem_free(p, size); }

int64_t mem_used() {
    int64_t mine = thread_delta < kUnarmed / 2 ? 0 : thread_delta;
    return shared_used.load(std::memory_order_relaxed) + mine;
}

int64_t mem_peak() { return shared_peak.load(std::memory_order_relaxed); }

void mem_peak_note() {
    int64_t now = mem_used();
    int64_t peak = shared_peak.load(std::memory_order_relaxed);
    while (now > peak && !shared_peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
}

void mem_peak_reset() { shared_peak.store(mem_used(), std::memory_order_relaxed); }

int64_t mem_rss() {
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[128];
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return 0;
    text[n] = '\0';
    const char* resident = strchr(text, ' ');  // "size resident shared ...", in pages
    return resident == nullptr ? 0 : strtoll(resident, nullptr, 10) * sysconf(_SC_PAGESIZE);
}

void mem_purge() {
    if (thread_stock != nullptr) stock_empty(thread_stock);
    malloc_trim(0);
}

const char* mem_allocator_name() { return "libc"; }

}  // namespace rp
