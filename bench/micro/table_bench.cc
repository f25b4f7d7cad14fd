// The table: one pin per operation, as a single embedded call does it. Argument: number of keys.
// Each size is filled once and shared by all benchmarks that leave it as they found it.
#include <benchmark/benchmark.h>

#include "keys.h"
#include "table/table.h"

using namespace rp;
using namespace rp_bench;

static Entry* make_entry(uint64_t i) {
    Key k = key_of(i);
    rp_bench::Value v = value_of(i);
    Bytes value = {reinterpret_cast<const char*>(v.word), sizeof(v.word)};
    return entry_new_string(key_bytes(k), value, Encoding::embstr, kNoExpiry);
}

static void insert(EpochSlot* s, Table* t, uint64_t i) {
    Entry* e = make_entry(i);
    uint64_t hash = table_hash(entry_key(e));
    MutexGuard guard(&table_segment(t, hash)->lock);
    table_insert(s, t, hash, e);
}

static Table* filled(int64_t keys) {
    Table* t = table_new();
    for (int64_t i = 0; i < keys; i++)
        insert(epoch_slot(), t, static_cast<uint64_t>(i));
    return t;
}

static Table* shared_table(int64_t keys) {
    static Table* few = filled(kFew);
    if (keys == kFew) return few;
    static Table* many = filled(kMany);
    return many;
}

static uint64_t seed_of(const benchmark::State& state) {
    return static_cast<uint64_t>(state.thread_index()) * 1000003;
}

static void find(benchmark::State& state, uint64_t first) {
    Table* t = shared_table(state.range(0));
    EpochSlot* s = epoch_slot();
    Walk walk(seed_of(state));
    uint64_t n = static_cast<uint64_t>(state.range(0)), sum = 0;
    for (auto _ : state) {
        Key k = key_of(first + walk.next(n));
        EpochPin pin(s);
        Entry* e = table_find(t, key_bytes(k), table_hash(key_bytes(k)));
        if (e != nullptr) sum += static_cast<uint8_t>(entry_inline(e)[0]);
    }
    benchmark::DoNotOptimize(sum);
    state.SetItemsProcessed(state.iterations());
}

static void table_find_hit(benchmark::State& state) { find(state, 0); }
static void table_find_miss(benchmark::State& state) { find(state, uint64_t{1} << 40); }

// 16 keys in three waves, as a pipeline of GETs is executed.
static void table_find_hit_batch16(benchmark::State& state) {
    constexpr int kBatch = 16;
    Table* t = shared_table(state.range(0));
    EpochSlot* s = epoch_slot();
    Walk walk(seed_of(state));
    uint64_t n = static_cast<uint64_t>(state.range(0)), sum = 0;
    for (auto _ : state) {
        Key keys[kBatch];
        uint64_t hashes[kBatch];
        EpochPin pin(s);
        for (int i = 0; i < kBatch; i++) {
            keys[i] = key_of(walk.next(n));
            hashes[i] = table_hash(key_bytes(keys[i]));
            table_prefetch_bucket(t, hashes[i]);
        }
        for (uint64_t hash : hashes)
            table_prefetch_entry(t, hash, true);
        for (int i = 0; i < kBatch; i++) {
            Entry* e = table_find(t, key_bytes(keys[i]), hashes[i]);
            sum += static_cast<uint8_t>(entry_inline(e)[0]);
        }
    }
    benchmark::DoNotOptimize(sum);
    state.SetItemsProcessed(state.iterations() * kBatch);
}

static void table_overwrite(benchmark::State& state) {
    Table* t = shared_table(state.range(0));
    EpochSlot* s = epoch_slot();
    Walk walk(seed_of(state));
    for (auto _ : state) {
        Entry* e = make_entry(walk.next(static_cast<uint64_t>(state.range(0))));
        uint64_t hash = table_hash(entry_key(e));
        MutexGuard guard(&table_segment(t, hash)->lock);
        entry_retire(s, table_replace(t, hash, table_locate(t, entry_key(e), hash), e));
    }
    state.SetItemsProcessed(state.iterations());
}

// A new key goes in, and out again: the table stays as large as it is.
static void table_insert_delete(benchmark::State& state) {
    Table* t = shared_table(state.range(0));
    EpochSlot* s = epoch_slot();
    uint64_t i = (uint64_t{1} << 41) + seed_of(state) * 1000;
    for (auto _ : state) {
        Key k = key_of(i);
        uint64_t hash = table_hash(key_bytes(k));
        insert(s, t, i++);
        MutexGuard guard(&table_segment(t, hash)->lock);
        entry_retire(s, table_remove(s, t, hash, table_locate(t, key_bytes(k), hash)));
    }
    state.SetItemsProcessed(state.iterations());
}

// From nothing to `keys` keys, growth included.
static void table_fill(benchmark::State& state) {
    for (auto _ : state) {
        Table* t = filled(state.range(0));
        state.PauseTiming();
        epoch_drain(epoch_slot());
        state.counters["table_bytes/key"] =
            static_cast<double>(table_overhead(t)) / static_cast<double>(state.range(0));
        table_free(t);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

static void table_scan_all(benchmark::State& state) {
    Table* t = shared_table(state.range(0));
    EpochSlot* s = epoch_slot();
    uint64_t seen = 0;
    for (auto _ : state) {
        uint64_t cursor = 0;
        do {
            EpochPin pin(s);
            auto visit = [](Entry* e, void* arg) { *static_cast<uint64_t*>(arg) += e->klen8; };
            cursor = table_scan(t, cursor, visit, &seen);
        } while (cursor != 0);
    }
    benchmark::DoNotOptimize(seen);
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

static void table_random_key(benchmark::State& state) {
    Table* t = shared_table(state.range(0));
    EpochSlot* s = epoch_slot();
    for (auto _ : state) {
        EpochPin pin(s);
        benchmark::DoNotOptimize(table_random(t));
    }
}

static void table_hash_key(benchmark::State& state) {
    std::string key(static_cast<size_t>(state.range(0)), 'k');
    uint64_t sum = 0;
    for (auto _ : state) {
        key[0] = static_cast<char>(sum);  // each hash waits for the one before: latency
        sum += table_hash({key.data(), key.size()});
    }
    benchmark::DoNotOptimize(sum);
}

#define RP_BENCH_SIZES(fn) \
    BENCHMARK(fn)->Arg(kFew)->Arg(kMany)->Threads(1)->Threads(2)->UseRealTime()
RP_BENCH_SIZES(table_find_hit);
RP_BENCH_SIZES(table_find_miss);
RP_BENCH_SIZES(table_find_hit_batch16);
RP_BENCH_SIZES(table_overwrite);
RP_BENCH_SIZES(table_insert_delete);
BENCHMARK(table_scan_all)->Arg(kFew)->Arg(kMany)->UseRealTime();
BENCHMARK(table_random_key)->Arg(kFew)->Arg(kMany);
BENCHMARK(table_fill)->Arg(kFew)->Arg(kMany)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(table_hash_key)->Arg(8)->Arg(16)->Arg(32)->Arg(100)->Arg(1000);

BENCHMARK_MAIN();
