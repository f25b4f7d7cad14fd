// store/store.h: the databases of one engine and what surrounds them: settings, counters, the gate.
//
// Ownership  the engine owns the Store; a Store owns its tables.
// Threads    fields say who may touch them. Pointers in dbs[] change only behind the closed gate.
#pragma once
#include "base/clock.h"
#include "base/status.h"
#include "store/gate.h"
#include "store/preserve.h"
#include "table/table.h"

namespace rp {

struct Config;

struct Database {
    Table* table = nullptr;            // never null while the store is open
    std::atomic<bool> has_ttl{false};  // some key has had an expiry: worth a crawl
};

// Counters of one executing thread: plain adds by the owner, read by INFO (relaxed).
struct StoreStats {
    std::atomic<uint64_t> hits{0};
    std::atomic<uint64_t> misses{0};
    std::atomic<uint64_t> expired{0};
    std::atomic<uint64_t> evicted{0};
    std::atomic<uint64_t> crawled{0};       // keys with a TTL the crawler has looked at
    std::atomic<uint64_t> read_retries{0};  // lock-free reads that had to run again
    std::atomic<uint64_t> read_locked{0};   // reads that ended up taking the lock
};
inline void stat_add(std::atomic<uint64_t>* c, uint64_t n = 1) {  // single writer
    c->store(c->load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

struct Store {
    // Constant after store_init.
    Config* config = nullptr;
    uint32_t db_count = 0;
    // Keyspace events (store/notify.h); set before any thread uses the store.
    void (*on_event)(void* arg, uint32_t db, Bytes event, Bytes key) = nullptr;
    void* on_event_arg = nullptr;
    // Client tracking (engine/tracking.h), likewise. While `tracked`, every change of a key is
    // told, under its segment's lock once it is made, and who made it (0: nobody); and that
    // databases were emptied, behind the closed gate.
    void (*on_change)(void* arg, uint64_t by, Bytes key, uint64_t hash) = nullptr;
    void (*on_flush)(void* arg) = nullptr;
    void* on_change_arg = nullptr;
    // Behind the gate.
    Database* dbs = nullptr;
    std::atomic<bool> tracked{false};  // seldom written
    // Any thread.
    Gate gate;
    Preserve preserve;
    std::atomic<bool> active_expire{true};   // DEBUG SET-ACTIVE-EXPIRE
    std::atomic<uint64_t> expire_cursor{0};  // crawler position, shared by the crawlers
    std::atomic<uint64_t> evict_failures{0};
};

Status store_init(Store* st, Config* config, uint32_t db_count);
// REQUIRES: no other thread uses st.
void store_deinit(Store* st);

// Replaces the table of one database by an empty one. REQUIRES: gate closed by the caller. Returns
// the old table: give it to store_free_table after the gate is open (it waits for a grace period).
Table* store_take_table(Store* st, uint32_t db);
// REQUIRES: not pinned. Frees a table that was taken. Slow (it visits every entry).
void store_free_table(EpochSlot* s, Table* take);

}  // namespace rp
