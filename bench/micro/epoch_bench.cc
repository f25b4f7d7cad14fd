// Read sections and retiring. With two threads each also pays for the other's slot in the scans.
#include <benchmark/benchmark.h>

#include "mem/mem.h"
#include "sync/epoch.h"
#include "sync/mutex.h"

using namespace rp;

static void epoch_pin_unpin(benchmark::State& state) {
    EpochSlot* s = epoch_slot();
    for (auto _ : state) {
        epoch_pin(s);
        benchmark::ClobberMemory();
        epoch_unpin(s);
    }
}

static void epoch_slot_lookup(benchmark::State& state) {
    for (auto _ : state)
        benchmark::DoNotOptimize(epoch_slot());
}

// Allocation and free included: what a retired 48-byte entry costs in all.
static void epoch_retire_alloc(benchmark::State& state) {
    EpochSlot* s = epoch_slot();
    auto release = [](void* node, size_t bytes) { mem_free(node, bytes); };
    for (auto _ : state)
        epoch_retire(s, mem_alloc(40), 40, release);
    epoch_drain(s);
}

static void alloc_free_only(benchmark::State& state) {
    for (auto _ : state) {
        void* p = mem_alloc(40);
        benchmark::DoNotOptimize(p);
        mem_free(p, 40);
    }
}

static void epoch_fence(benchmark::State& state) {
    for (auto _ : state)
        epoch_fence_all();
}

static void mutex_lock_unlock(benchmark::State& state) {
    static Mutex m;
    for (auto _ : state) {
        mutex_lock(&m);
        mutex_unlock(&m);
    }
}

BENCHMARK(epoch_pin_unpin)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(epoch_slot_lookup);
BENCHMARK(epoch_retire_alloc)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(alloc_free_only);
BENCHMARK(epoch_fence)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(mutex_lock_unlock)->Threads(1)->Threads(2)->UseRealTime();
