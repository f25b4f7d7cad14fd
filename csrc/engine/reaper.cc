#include "engine/reaper.h"

#include <pthread.h>

#include <csignal>
#include <new>

#include "mem/mem.h"
#include "sync/mutex.h"

namespace rp {

struct Doomed {
    Doomed* next;
    Table* table;
    uint64_t keys;
};

struct Reaper {
    Mutex lock;
    // Under lock.
    Doomed* first = nullptr;
    Doomed** end = &first;
    bool started = false;
    pthread_t thread{};
    // Any thread.
    std::atomic<uint32_t> calls{0};  // futex: changes whenever there is something to do
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> waiting{0};
    std::atomic<uint64_t> freed{0};
};

static Doomed* take_first(Reaper* r) {
    MutexGuard guard(&r->lock);
    Doomed* d = r->first;
    if (d == nullptr) return nullptr;
    r->first = d->next;
    if (r->first == nullptr) r->end = &r->first;
    return d;
}

static void bury(Reaper* r, Table* table, uint64_t keys) {
    store_free_table(epoch_slot(), table);
    r->waiting.fetch_sub(keys, std::memory_order_relaxed);
    r->freed.fetch_add(keys, std::memory_order_relaxed);
}

static void call_reaper(Reaper* r) {
    r->calls.fetch_add(1, std::memory_order_release);
    futex_wake_all(&r->calls);
}

static void* reaper_main(void* arg) {
    auto* r = static_cast<Reaper*>(arg);
    pthread_setname_np(pthread_self(), "rp-reaper");
    for (;;) {
        // Read before the list is looked at: who adds a table in between changes it.
        uint32_t calls = r->calls.load(std::memory_order_acquire);
        bool stop = r->stop.load(std::memory_order_relaxed);
        while (Doomed* d = take_first(r)) {
            bury(r, d->table, d->keys);
            mem_free(d, sizeof(Doomed));
        }
        if (stop) return nullptr;
        futex_wait(&r->calls, calls);
    }
}

// Signals belong to the threads of whoever embeds the engine.
static bool start_thread(Reaper* r) {
    if (r->started) return true;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r->started = pthread_create(&r->thread, nullptr, reaper_main, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return r->started;
}

static bool enqueue(Reaper* r, Table* table, uint64_t keys) {
    MutexGuard guard(&r->lock);
    if (!start_thread(r)) return false;
    auto* d = static_cast<Doomed*>(mem_alloc(sizeof(Doomed)));
    *d = {nullptr, table, keys};
    *r->end = d;
    r->end = &d->next;
    return true;
}

void reaper_add(Reaper* r, Table* take) {
    uint64_t keys = table_keys(take);
    r->waiting.fetch_add(keys, std::memory_order_relaxed);
    if (enqueue(r, take, keys)) return call_reaper(r);
    bury(r, take, keys);
}

Reaper* reaper_open() { return new (mem_alloc(sizeof(Reaper))) Reaper; }

void reaper_close(Reaper* take) {
    if (take->started) {
        take->stop.store(true, std::memory_order_relaxed);
        call_reaper(take);
        pthread_join(take->thread, nullptr);
    }
    RP_ASSERT(take->first == nullptr);
    mem_free(take, sizeof(Reaper));
}

uint64_t reaper_waiting(const Reaper* r) { return r->waiting.load(std::memory_order_relaxed); }
uint64_t reaper_freed(const Reaper* r) { return r->freed.load(std::memory_order_relaxed); }

}  // namespace rp
