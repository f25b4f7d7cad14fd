// A peer: TBB's concurrent_hash_map, which locks an element for as long as it is looked at.
#ifdef RP_HAVE_TBB
#include <benchmark/benchmark.h>
#include <tbb/concurrent_hash_map.h>

#include "keys.h"
#include "table/table.h"

using namespace rp_bench;

struct KeyHash {
    static size_t hash(const Key& k) { return rp::table_hash(key_bytes(k)); }
    static bool equal(const Key& a, const Key& b) { return a == b; }
};
using Map = tbb::concurrent_hash_map<Key, Value, KeyHash>;

static Map* filled(int64_t keys) {
    Map* m = new Map(static_cast<size_t>(keys));
    for (uint64_t i = 0; i < static_cast<uint64_t>(keys); i++)
        m->insert({key_of(i), value_of(i)});
    return m;
}

static Map* shared_map(int64_t keys) {
    static Map* few = filled(kFew);
    if (keys == kFew) return few;
    static Map* many = filled(kMany);
    return many;
}

static void find(benchmark::State& state, uint64_t first) {
    Map* m = shared_map(state.range(0));
    Walk walk(static_cast<uint64_t>(state.thread_index()) * 1000003);
    uint64_t sum = 0;
    for (auto _ : state) {
        Key k = key_of(first + walk.next(static_cast<uint64_t>(state.range(0))));
        Map::const_accessor at;
        if (m->find(at, k)) sum += at->second.word[0];
    }
    benchmark::DoNotOptimize(sum);
    state.SetItemsProcessed(state.iterations());
}

static void tbb_find_hit(benchmark::State& state) { find(state, 0); }
static void tbb_find_miss(benchmark::State& state) { find(state, uint64_t{1} << 40); }

static void tbb_overwrite(benchmark::State& state) {
    Map* m = shared_map(state.range(0));
    Walk walk(static_cast<uint64_t>(state.thread_index()) * 1000003);
    for (auto _ : state) {
        uint64_t i = walk.next(static_cast<uint64_t>(state.range(0)));
        Map::accessor at;
        m->insert(at, key_of(i));
        at->second = value_of(i);
    }
    state.SetItemsProcessed(state.iterations());
}

static void tbb_insert_delete(benchmark::State& state) {
    Map* m = shared_map(state.range(0));
    uint64_t i = (uint64_t{1} << 41) + static_cast<uint64_t>(state.thread_index()) * 1000003000;
    for (auto _ : state) {
        m->insert({key_of(i), value_of(i)});
        m->erase(key_of(i));
        i++;
    }
    state.SetItemsProcessed(state.iterations());
}

#define RP_BENCH_SIZES(fn) \
    BENCHMARK(fn)->Arg(kFew)->Arg(kMany)->Threads(1)->Threads(2)->UseRealTime()
RP_BENCH_SIZES(tbb_find_hit);
RP_BENCH_SIZES(tbb_find_miss);
RP_BENCH_SIZES(tbb_overwrite);
RP_BENCH_SIZES(tbb_insert_delete);
#endif
