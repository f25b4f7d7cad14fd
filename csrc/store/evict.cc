#include "store/evict.h"

#include "base/random.h"
#include "conf/config.h"
#include "mem/mem.h"
#include "store/journal.h"
#include "store/notify.h"
#include "store/watch.h"
#include "types/graveyard.h"

namespace rp {

// Candidates found so far, worst first. Pointers stay valid while this thread is pinned; whether
// the entry is still in the table is checked under its lock.
constexpr size_t kPoolMax = 16;
constexpr uint64_t kCursorMask = (uint64_t{1} << 23) - 1;  // every cursor within a segment
constexpr int kBarrenRoundsMax = 64;  // rounds without a victim before giving up

struct Candidate {
    Entry* entry;
    uint64_t score;  // higher goes first
    uint32_t db;
};
struct Pool {
    Candidate items[kPoolMax];
    size_t count = 0;
};

EvictPolicy evict_policy(const Store* st) {
    return static_cast<EvictPolicy>(config_num(st->config->maxmemory_policy));
}

static bool is_volatile(EvictPolicy p) { return p <= EvictPolicy::volatile_ttl; }

bool evict_fits(const Store* st) {
    // What waits for its grace period is as good as free.
    int64_t used = mem_used() - static_cast<int64_t>(epoch_waiting_bytes());
    return used <= config_num(st->config->maxmemory);
}

static void keep_with_expiry(Entry* e, void* arg) {
    if (entry_expiry_ms(e) != kNoExpiry) *static_cast<Entry**>(arg) = e;
}

// From a random place of the segment on, once around.
static Entry* segment_volatile(const Table* t, size_t seg) {
    Entry* found = nullptr;
    uint64_t start = random_u64() & kCursorMask;
    uint64_t cursor = start;
    do {
        cursor = table_scan_segment(t, seg, cursor, keep_with_expiry, &found);
    } while (found == nullptr && cursor != 0);
    while (found == nullptr) {
        cursor = table_scan_segment(t, seg, cursor, keep_with_expiry, &found);
        if (cursor == 0 || cursor > start) break;
    }
    return found;
}

// A key with an expiry from a random place: null if there is none.
static Entry* random_volatile(const Table* t) {
    size_t start = random_below(kSegments);
    for (size_t i = 0; i < kSegments; i++) {
        size_t seg = (start + i) % kSegments;
        if (t->segments[seg].ttl_keys.load(std::memory_order_relaxed) == 0) continue;
        Entry* found = segment_volatile(t, seg);
        if (found != nullptr) return found;
    }
    return nullptr;
}

static Entry* random_key(const Store* st, uint32_t db, EvictPolicy p) {
    const Table* t = st->dbs[db].table;
    return is_volatile(p) ? random_volatile(t) : table_random(t);
}

static uint64_t score(const Access* a, const Entry* e, EvictPolicy p) {
    if (policy_is_lru(p)) return static_cast<uint64_t>(age_idle_ms(a, e));
    if (policy_is_lfu(p)) return 255u - age_frequency(a, e);
    return ~static_cast<uint64_t>(entry_expiry_ms(e));  // soonest first
}

static void pool_add(Pool* pool, Candidate c) {
    size_t at = 0;
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->items[i].entry == c.entry) return;
    }
    while (at < pool->count && pool->items[at].score < c.score)
        at++;
    if (pool->count == kPoolMax) {
        if (at == 0) return;  // worse than all of them
        memmove(&pool->items[0], &pool->items[1], (at - 1) * sizeof(Candidate));
        pool->items[at - 1] = c;
        return;
    }
    memmove(&pool->items[at + 1], &pool->items[at], (pool->count - at) * sizeof(Candidate));
    pool->items[at] = c;
    pool->count++;
}

static void pool_fill(Access* a, Pool* pool, EvictPolicy p) {
    int64_t samples = config_num(a->store->config->maxmemory_samples);
    for (uint32_t db = 0; db < a->store->db_count; db++) {
        for (int64_t i = 0; i < samples; i++) {
            Entry* e = random_key(a->store, db, p);
            if (e == nullptr) break;
            pool_add(pool, {e, score(a, e, p), db});
        }
    }
}

// Locks the victim's segment and deletes it if it is still the same entry.
static bool evict_entry(Access* a, uint32_t db, Entry* victim) {
    Access mine = *a;
    mine.db = db;
    mine.locked = true;
    mine.no_touch = true;
    mine.hash_count = 0;
    mine.client = 0;
    Bytes key = entry_key(victim);
    Segment* seg = table_segment(db_table(&mine), table_hash(key));
    MutexGuard held(&seg->lock);
    Handle h = db_open(&mine, key);
    if (h.at.entry == nullptr) return true;  // it had expired: gone, and that is what we wanted
    if (h.at.entry != victim) return false;
    // The key's bytes live in the entry: it is freed only after a grace period.
    record_delete(&mine, key);
    db_delete(&mine, &h);
    stat_add(&a->stats->evicted);
    notify(&mine, kNotifyEvicted, "evicted", key);
    return true;
}

enum class Evicted : uint8_t { yes, raced, nothing };

static Evicted evict_best(Access* a, Pool* pool, EvictPolicy p) {
    pool_fill(a, pool, p);
    if (pool->count == 0) return Evicted::nothing;
    while (pool->count > 0) {
        Candidate c = pool->items[--pool->count];
        if (evict_entry(a, c.db, c.entry)) return Evicted::yes;
    }
    return Evicted::raced;
}

static Evicted evict_random(Access* a, EvictPolicy p) {
    Evicted outcome = Evicted::nothing;
    uint32_t start = static_cast<uint32_t>(random_below(a->store->db_count));
    for (uint32_t i = 0; i < a->store->db_count; i++) {
        uint32_t db = (start + i) % a->store->db_count;
        Entry* e = random_key(a->store, db, p);
        if (e == nullptr) continue;
        if (evict_entry(a, db, e)) return Evicted::yes;
        outcome = Evicted::raced;
    }
    return outcome;
}

bool evict_until_fits(Access* a) {
    if (config_num(a->store->config->maxmemory) == 0 || evict_fits(a->store)) return true;
    EvictPolicy p = evict_policy(a->store);
    if (p == EvictPolicy::noeviction) return false;
    bool random = p == EvictPolicy::allkeys_random || p == EvictPolicy::volatile_random;
    Pool pool;
    for (int barren = 0; barren < kBarrenRoundsMax && !evict_fits(a->store);) {
        if (graveyard_dig(kDigElements)) continue;  // what was evicted is not yet free
        Evicted e = random ? evict_random(a, p) : evict_best(a, &pool, p);
        if (e == Evicted::nothing) break;
        barren = e == Evicted::yes ? 0 : barren + 1;
    }
    if (evict_fits(a->store)) return true;
    a->store->evict_failures.fetch_add(1, std::memory_order_relaxed);
    return false;
}

}  // namespace rp
