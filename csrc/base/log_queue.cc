#include "base/log_queue.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "base/assert.h"

namespace rp {

// Lines of which nothing is known but that they did not fit are counted in `lost`.
struct LogQueue {
    std::mutex lock;
    std::condition_variable came;
    LogLine* ring = nullptr;  // kLogQueueLines of them
    size_t first = 0, count = 0;
    uint64_t lost = 0;
    bool woken = false;  // until a taker has come back for it
};

// Neither made nor unmade by the start and the end of the program: engine threads may log until
// then, and a forked child makes a new one in its place.
alignas(LogQueue) static char queue_memory[sizeof(LogQueue)];
static std::once_flag queue_once;
static std::atomic<bool> running{false};

static LogQueue* queue() { return reinterpret_cast<LogQueue*>(queue_memory); }

// Another thread may have held the lock when the process was forked.
static void after_fork() {
    running.store(false, std::memory_order_relaxed);
    new (queue_memory) LogQueue;
}

static void make_queue() {
    new (queue_memory) LogQueue;
    pthread_atfork(nullptr, nullptr, after_fork);
}

bool log_queue_running() { return running.load(std::memory_order_acquire); }

void log_queue_start() {
    std::call_once(queue_once, make_queue);
    LogQueue* q = queue();
    std::lock_guard<std::mutex> hold(q->lock);
    if (q->ring == nullptr) {
        // Of malloc, as the C library's own buffers: the log is not part of the store's memory.
        q->ring = static_cast<LogLine*>(malloc(kLogQueueLines * sizeof(LogLine)));
        RP_ASSERT(q->ring != nullptr);
    }
    running.store(true, std::memory_order_release);
}

void log_queue_stop() {
    if (!running.exchange(false, std::memory_order_acq_rel)) return;
    LogQueue* q = queue();
    std::lock_guard<std::mutex> hold(q->lock);
    q->count = q->first = 0;
    q->lost = 0;
    q->woken = true;
    q->came.notify_all();
}

void log_queue_wake() {
    if (!log_queue_running()) return;
    LogQueue* q = queue();
    std::lock_guard<std::mutex> hold(q->lock);
    q->woken = true;
    q->came.notify_all();
}

void log_queue_add(LogLevel level, int64_t time_ms, const char* text, size_t len) {
    LogQueue* q = queue();
    std::lock_guard<std::mutex> hold(q->lock);
    if (q->count == kLogQueueLines) {
        q->lost++;
        return;
    }
    LogLine* r = &q->ring[(q->first + q->count++) % kLogQueueLines];
    r->level = level;
    r->time_ms = time_ms;
    r->lost = q->lost;
    r->len = len < sizeof r->text ? len : sizeof r->text;
    memcpy(r->text, text, r->len);
    q->lost = 0;
    q->came.notify_one();
}

bool log_queue_take(LogLine* out, int timeout_ms) {
    if (!log_queue_running()) return false;
    LogQueue* q = queue();
    std::unique_lock<std::mutex> hold(q->lock);
    q->came.wait_for(hold, std::chrono::milliseconds(timeout_ms),
                     [&] { return q->count != 0 || q->woken; });
    q->woken = false;
    if (q->count == 0) return false;
    *out = q->ring[q->first];
    q->first = (q->first + 1) % kLogQueueLines;
    q->count--;
    return true;
}

}  // namespace rp
