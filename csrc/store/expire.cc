#include "store/expire.h"

#include "conf/config.h"
#include "store/journal.h"

namespace rp {

// db_open deletes what has expired. The entries stay readable: this thread is pinned.
void expired_delete(Access* a, ExpiredList* list) {
    Access mine = *a;
    mine.locked = true;
    mine.no_touch = true;
    mine.hash_count = 0;
    for (size_t i = 0; i < list->count; i++) {
        Bytes key = entry_key(list->entries[i]);
        Segment* seg = table_segment(db_table(a), table_hash(key));
        if (!a->locked) mutex_lock(&seg->lock);
        db_open(&mine, key);
        if (!a->locked) mutex_unlock(&seg->lock);
    }
    list->count = 0;
}

struct Crawl {
    Access* a;
    ExpiredList found;
};

static void remember_expired(Entry* e, void* arg) {
    auto* crawl = static_cast<Crawl*>(arg);
    if (entry_expired(crawl->a, e)) expired_add(&crawl->found, e);
}

static void crawl_segment(Access* a, size_t index) {
    const Segment* seg = &db_table(a)->segments[index];
    uint64_t ttl_keys = seg->ttl_keys.load(std::memory_order_relaxed);
    if (ttl_keys == 0) return;
    stat_add(&a->stats->crawled, ttl_keys);
    Crawl crawl = {a, {}};
    uint64_t cursor = 0;
    do {
        cursor = table_scan_segment(db_table(a), index, cursor, remember_expired, &crawl);
        if (crawl.found.count > kExpiredMax / 2) expired_delete(a, &crawl.found);
    } while (cursor != 0);
    expired_delete(a, &crawl.found);
}

// One segment within the gate: what it says is submitted before the gate is left (J4).
static void crawl_through_gate(Store* st, EpochSlot* s, StoreStats* stats, LogVoice* voice,
                               uint64_t at) {
    gate_enter(&st->gate, s);
    Access a;
    a.store = st;
    a.slot = s;
    a.stats = stats;
    a.log = voice != nullptr && voice->journal != nullptr ? voice : nullptr;
    a.db = static_cast<uint32_t>(at / kSegments);
    if (a.log == nullptr || !journal_full(a.log->journal)) crawl_segment(&a, at % kSegments);
    if (a.log != nullptr) journal_submit(a.log);
    gate_leave(s);
}

uint64_t expire_crawl(Store* st, EpochSlot* s, StoreStats* stats, LogVoice* voice,
                      int64_t budget_us) {
    if (!st->active_expire.load(std::memory_order_relaxed)) return 0;
    int64_t deadline_ns = clock_mono_ns() + budget_us * 1000;
    uint64_t before = stats->expired.load(std::memory_order_relaxed);
    size_t all = kSegments * st->db_count;
    for (size_t i = 0; i < all; i++) {
        uint64_t at = st->expire_cursor.fetch_add(1, std::memory_order_relaxed) % all;
        if (!st->dbs[at / kSegments].has_ttl.load(std::memory_order_relaxed)) {
            // Jump to the next database; several crawlers may jump, each lands somewhere useful.
            size_t skip = kSegments - at % kSegments - 1;
            st->expire_cursor.fetch_add(skip, std::memory_order_relaxed);
            i += skip;
            continue;
        }
        crawl_through_gate(st, s, stats, voice, at);
        if (clock_mono_ns() >= deadline_ns) break;
    }
    return stats->expired.load(std::memory_order_relaxed) - before;
}

// Redis' slow cycle: 25 % of the time between two cron ticks, 2 % more per step of effort.
int64_t expire_budget_us(const Config* config) {
    int64_t percent = 25 + 2 * (config_num(config->active_expire_effort) - 1);
    return percent * 1000000 / config_num(config->hz) / 100;
}

}  // namespace rp
