#include "store/expire.h"

#include "conf/config.h"

namespace rp {

constexpr size_t kFoundMax = 128;  // expired entries remembered between the look and the lock

struct Found {
    Access* a;
    Entry* entries[kFoundMax];
    size_t count;
};

static void remember_expired(Entry* e, void* arg) {
    auto* f = static_cast<Found*>(arg);
    if (f->count < kFoundMax && entry_expired(f->a, e)) f->entries[f->count++] = e;
}

// db_open deletes what has expired. The entries stay readable: this thread is pinned.
static uint64_t delete_found(Access* a, Segment* seg, Found* f) {
    if (f->count == 0) return 0;
    uint64_t before = a->stats->expired.load(std::memory_order_relaxed);
    MutexGuard held(&seg->lock);
    for (size_t i = 0; i < f->count; i++) db_open(a, entry_key(f->entries[i]));
    f->count = 0;
    return a->stats->expired.load(std::memory_order_relaxed) - before;
}

static uint64_t crawl_segment(Access* a, size_t index) {
    Segment* seg = &db_table(a)->segments[index];
    if (seg->ttl_keys.load(std::memory_order_relaxed) == 0) return 0;
    Found found;
    found.a = a;
    found.count = 0;
    uint64_t deleted = 0;
    uint64_t cursor = 0;
    do {
        cursor = table_scan_segment(db_table(a), index, cursor, remember_expired, &found);
        if (found.count > kFoundMax / 2) deleted += delete_found(a, seg, &found);
    } while (cursor != 0);
    return deleted + delete_found(a, seg, &found);
}

uint64_t expire_crawl(Store* st, EpochSlot* s, StoreStats* stats, int64_t budget_us) {
    if (!st->active_expire.load(std::memory_order_relaxed)) return 0;
    int64_t deadline_ns = clock_mono_ns() + budget_us * 1000;
    uint64_t deleted = 0;
    size_t all = kSegments * st->db_count;
    for (size_t i = 0; i < all; i++) {
        uint64_t at = st->expire_cursor.fetch_add(1, std::memory_order_relaxed) % all;
        auto db = static_cast<uint32_t>(at / kSegments);
        if (!st->dbs[db].has_ttl.load(std::memory_order_relaxed)) {
            // Jump to the next database; several crawlers may jump, each lands somewhere useful.
            size_t skip = kSegments - at % kSegments - 1;
            st->expire_cursor.fetch_add(skip, std::memory_order_relaxed);
            i += skip;
            continue;
        }
        gate_enter(&st->gate, s);
        Access a;
        a.store = st;
        a.slot = s;
        a.stats = stats;
        a.db = db;
        a.locked = true;  // db_open is called under the segment's lock
        a.no_touch = true;
        deleted += crawl_segment(&a, at % kSegments);
        gate_leave(s);
        if (clock_mono_ns() >= deadline_ns) break;
    }
    return deleted;
}

// Redis' slow cycle: 25 % of the time between two cron ticks, 2 % more per step of effort.
int64_t expire_budget_us(const Config* config) {
    int64_t percent = 25 + 2 * (config_num(config->active_expire_effort) - 1);
    return percent * 1000000 / config_num(config->hz) / 100;
}

}  // namespace rp
