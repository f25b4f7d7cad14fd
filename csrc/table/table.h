// table/table.h: the hash table of one database. Reads take no lock and store nothing to shared
// memory; a write locks one of 2^10 segments.
//
//   hash 64 bits:  [ segment 10 | .................. | slot bits 16 | tag 7 ]
//                     63..54                           22..7          6..0
//
//   Segment (2 cache lines)          array of any number of buckets (64 bytes each)
//   line R: array word, txn      -->  [ 7 tags + control | slot 0 ... slot 6 ]
//   line W: lock, version, counts                                        |
//                                                         a full bucket's slot 6 points to a child
//
//   slot word: [ slot bits | 48-bit Entry* ], low bit 1: child Bucket*
//
// The bucket of a key is position * buckets >> 23, position being slot bits and tag, so that
// growing copies slot words in order and never touches entries (bucket.h says more).
//
// Invariants  I1  a slot changes only under its segment's lock.
//             T1  insert: entry filled, slot stored (release), then its tag (release): a reader
//                 that sees the tag sees slot and entry.
//             T2  overwrite: one slot store; the tag stays. That store is the linearization point.
//             T3  delete: tag cleared, then slot nulled, then the entry retired.
//             T4  entries move only from parent to child, copy before replace, never back, while an
//                 array is published; a reader scans in that direction, so it misses nothing.
//             T5  growth: all slots are copied to a new array under the lock, one store publishes
//                 it, the old one stays as it was (frozen) until its grace period ends.
//             T6  txn is odd from before the first to after the last change of a multi-key write
//                 to this segment (I6); a lock-free reader compares it before and after.
//             T7  version changes, under the lock, before each change of a write; a lock-free
//                 multi-key reader sees the lock free and the version unchanged, or reads again.
// Threads     table_find*, table_scan*, table_prefetch*, table_random: pinned reader or lock
//             holder. Everything that says REQUIRES lock: the holder of that segment's lock (or
//             the gate, store/gate.h).
// Limits      keys and inline values < 4 GiB; 2^22 buckets per segment: 23,000 million keys.
#pragma once
#include "base/hash.h"
#include "sync/mutex.h"
#include "table/entry.h"

namespace rp {

constexpr int kSegmentsLog2 = 10;
constexpr size_t kSegments = size_t{1} << kSegmentsLog2;
constexpr int kBucketSlots = 7;

struct Bucket;
struct WatchNode;  // store/watch.h

struct alignas(64) Segment {
    // line R: loaded by every reader; written by growth and multi-key writes only
    std::atomic<uint64_t> array{0};  // first bucket and their number (bucket.h); 0 = none yet
    std::atomic<uint32_t> txn{0};    // T6
    // line W: dirtied by writers
    alignas(64) Mutex lock;
    std::atomic<uint32_t> version{0};   // T7
    std::atomic<uint64_t> keys{0};      // written under the lock, read by anybody
    std::atomic<uint64_t> ttl_keys{0};  // keys whose expiry is set
    std::atomic<uint64_t> cost{0};      // sum of entry_cost
    std::atomic<uint64_t> overhead{0};  // bytes of the array and its children
    std::atomic<uint32_t> children{0};  // child buckets
    // Buckets in the longest chain: grows when someone crafts collisions.
    std::atomic<uint32_t> chain_max{0};
    std::atomic<uint32_t> watched{0};  // nodes in `watch`
    WatchNode* watch{nullptr};         // store/watch.h; under the lock
};
static_assert(sizeof(Segment) == 128);

struct Table {
    Segment segments[kSegments];
    void* block;  // the allocation around it
};

// Zeroed pages, untouched until used: an empty table costs address space. Aborts without memory.
Table* table_new();
// Frees every entry and array. REQUIRES: no reader can reach t any more.
void table_free(Table* t);

inline uint64_t table_hash(Bytes key) { return hash_bytes(key); }
inline size_t segment_index(uint64_t hash) { return hash >> (64 - kSegmentsLog2); }
inline Segment* table_segment(Table* t, uint64_t hash) { return &t->segments[segment_index(hash)]; }

// Null = absent. Does not look at expiry. Pinned or locked.
Entry* table_find(const Table* t, Bytes key, uint64_t hash);

// First and second wave of a batch: bring the bucket, then the entries its tags point at.
void table_prefetch_bucket(const Table* t, uint64_t hash);
// `value`: as far as most values end, for reads; else as far as the key, and the segment's lock.
void table_prefetch_entry(const Table* t, uint64_t hash, bool value);

// Where a key is: valid until the next change of the segment. REQUIRES lock.
struct Place {
    Entry* entry = nullptr;  // null: absent, and so are the others
    Bucket* bucket = nullptr;
    int slot = 0;
};
Place table_locate(Table* t, Bytes key, uint64_t hash);

// All keep the segment's counts and bump `version`. REQUIRES lock. The table owns `take`.
// The caller retires what is returned, AFTER anything that must see the old value.
void table_insert(EpochSlot* s, Table* t, uint64_t hash, Entry* take);  // REQUIRES: absent
Entry* table_replace(Table* t, uint64_t hash, Place at, Entry* take);   // old entry
Entry* table_remove(EpochSlot* s, Table* t, uint64_t hash, Place at);   // removed entry; may shrink
// Expiry changes in place. REQUIRES: entry has room (kEntryExpiry). kNoExpiry clears it.
void table_set_expiry(Table* t, uint64_t hash, Entry* e, int64_t expiry_ms);
// The integer changes in place.
void table_set_integer(Table* t, uint64_t hash, Entry* e, int64_t value);
// A boxed value has changed in place: the segment's cost follows.
void table_touch(Table* t, uint64_t hash, size_t cost_before, size_t cost_after);

// Room for `keys` keys in all: a load that knows how many come need not grow step by step. Takes
// the locks, one at a time.
void table_reserve(EpochSlot* s, Table* t, uint64_t keys);

uint64_t table_keys(const Table* t);  // sums of the segments' counts
uint64_t table_ttl_keys(const Table* t);
uint64_t table_cost(const Table* t);      // entries
uint64_t table_overhead(const Table* t);  // arrays, children, the Table itself

// SCAN. Visits the bucket chain(s) of one cursor position; returns the next cursor, 0 at the end.
// Every key present from the first to the last call is visited at least once, whatever grows or
// shrinks meanwhile. `visit` gets entries that may be expired, and must not keep the pointer.
using TableVisit = void (*)(Entry* e, void* arg);
uint64_t table_scan(const Table* t, uint64_t cursor, TableVisit visit, void* arg);
// The same for one segment only (crawlers): cursor 0 starts, 0 is returned at the end.
uint64_t table_scan_segment(const Table* t, size_t segment, uint64_t cursor, TableVisit visit,
                            void* arg);

// A key chosen at random (nearly even); null only if the table is empty, or all but.
Entry* table_random(const Table* t);

// Walks I1, T1, T4 and the counts of one segment; asserts. REQUIRES lock.
void table_check_segment(Table* t, size_t segment);

// Multi-key write: odd `txn`. REQUIRES lock of that segment.
inline void segment_txn_begin(Segment* s) {
    s->txn.store(s->txn.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
}
inline void segment_txn_end(Segment* s) {
    s->txn.store(s->txn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace rp
