// engine/sums.h: totals over the segments of the tables: what INFO, MEMORY and DEBUG show without
// walking over keys.
#pragma once
#include "engine/engine.h"

namespace rp {

struct TableSums {
    uint64_t keys = 0, ttl_keys = 0;
    uint64_t cost = 0;       // bytes of entries
    uint64_t overhead = 0;   // bytes of arrays
    uint64_t children = 0;   // child buckets
    uint32_t chain_max = 0;  // buckets in the longest chain
    uint64_t watched = 0;    // watched keys
};
void table_sums_add(TableSums* sums, const Table* t);
TableSums store_sums(const Store* st);  // all databases. REQUIRES: pinned

// What MEMORY STATS and INFO's memory section agree on.
struct MemoryNumbers {
    int64_t used, peak, rss, startup, overhead, dataset;
    int64_t waiting;       // retired, not yet freed
    int64_t clients;       // buffers of connections
    double fragmentation;  // rss / used
};
void memory_numbers(const Engine* e, const TableSums* sums, MemoryNumbers* out);
double percent(int64_t part, int64_t whole);  // 0 of nothing

}  // namespace rp
