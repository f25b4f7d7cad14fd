#include "engine/sums.h"

#include "mem/mem.h"

namespace rp {

void table_sums_add(TableSums* sums, const Table* t) {
    sums->overhead += sizeof(Table);
    for (const Segment& s : t->segments) {
        // Most segments of most databases are empty: one word tells.
        if (s.array.load(std::memory_order_relaxed) == 0) continue;
        sums->keys += s.keys.load(std::memory_order_relaxed);
        sums->ttl_keys += s.ttl_keys.load(std::memory_order_relaxed);
        sums->cost += s.cost.load(std::memory_order_relaxed);
        sums->overhead += s.overhead.load(std::memory_order_relaxed);
        sums->children += s.children.load(std::memory_order_relaxed);
        sums->watched += s.watched.load(std::memory_order_relaxed);
        uint32_t chain = s.chain_max.load(std::memory_order_relaxed);
        if (chain > sums->chain_max) sums->chain_max = chain;
    }
}

TableSums store_sums(const Store* st) {
    TableSums sums;
    for (uint32_t db = 0; db < st->db_count; db++)
        table_sums_add(&sums, st->dbs[db].table);
    return sums;
}

double percent(int64_t part, int64_t whole) {
    return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void memory_numbers(const Engine* e, const TableSums* sums, MemoryNumbers* out) {
    mem_peak_note();
    out->used = mem_used();
    out->peak = mem_peak();
    out->rss = mem_rss();
    out->startup = e->startup_used;
    out->dataset = static_cast<int64_t>(sums->cost);
    out->overhead = out->used > out->dataset ? out->used - out->dataset : 0;
    out->waiting = static_cast<int64_t>(epoch_waiting_bytes());
    out->clients =
        e->net.buffer_bytes == nullptr ? 0 : static_cast<int64_t>(e->net.buffer_bytes(e->net.net));
    out->fragmentation =
        out->used > 0 ? static_cast<double>(out->rss) / static_cast<double>(out->used) : 0;
}

}  // namespace rp
