// store/db.h: what a command may do with keys. The dispatcher has pinned the epoch and, for writes,
// locked the segments of the command's keys (cmd/dispatch.h); nothing here locks.
//
// An Access is the permission slip of one command: which store and database, what is locked, the
// time at which the command happens.
//
// Invariants  D1  a lock-free access (locked == false) changes nothing but LRU hints; it follows no
//                 Blob or Box: db_value and db_view set need_lock instead and the dispatcher runs
//                 the command again.
//             D2  an expired key is absent to everybody. Under lock it is deleted when it is met
//                 (I1), counted, and seen by WATCH as a change; without lock need_lock is set, so
//                 that whoever reads it deletes it.
//             D3  every change of a key passes through db_put, db_delete, db_set_expiry,
//                 db_set_integer or db_changed_box: there it reaches the watchers, the clients that
//                 track, and the counters.
//                 The journal (store/journal.h) hears of expired keys here, of all else from
//                 whoever opened the record: the dispatcher.
#pragma once
#include "base/clock.h"
#include "store/store.h"

namespace rp {

struct KeyHash {
    Bytes key;  // which argument: compared by place and length, not by its bytes
    uint64_t hash;
};

struct LogVoice;

struct Access {
    Store* store = nullptr;
    EpochSlot* slot = nullptr;
    StoreStats* stats = nullptr;
    LogVoice* log = nullptr;  // null: nothing is logged
    uint64_t client = 0;      // whose command it is; 0: nobody's
    uint32_t db = 0;
    bool locked = false;     // the segments of the declared keys are held, or the gate is closed
    bool need_lock = false;  // out: run me again with locked = true
    bool no_touch = false;   // CLIENT NO-TOUCH, DEBUG: do not move LRU/LFU
    bool replay = false;     // the log speaks: it says itself when a key is gone, no clock does
    int64_t now_ms = 0;      // 0 = sampled at first use; fixed inside MULTI/EXEC
    uint32_t age_clock = 0;  // seconds, coarse: for LRU/LFU hints (age_clock_now)
    uint64_t changes = 0;    // out: keys changed (Redis' dirty)
    // Hashes the dispatcher has already computed, in argument order.
    const KeyHash* hashes = nullptr;
    size_t hash_count = 0;
    size_t hash_next = 0;
};

inline int64_t db_now(Access* a) {
    if (a->now_ms == 0) a->now_ms = clock_wall_ms();
    return a->now_ms;
}
inline bool is_argument(const KeyHash* k, Bytes key) {
    return k->key.ptr == key.ptr && k->key.len == key.len;
}
uint64_t db_hash_slow(Access* a, Bytes key);
// The hash of a key argument: remembered when `key` is one of argv, else computed.
inline uint64_t db_hash(Access* a, Bytes key) {
    if (a->hash_next < a->hash_count && is_argument(&a->hashes[a->hash_next], key)) {
        return a->hashes[a->hash_next].hash;
    }
    return db_hash_slow(a, key);
}
inline Table* db_table(const Access* a) { return a->store->dbs[a->db].table; }
inline bool entry_expired(Access* a, const Entry* e) {
    int64_t at = entry_expiry_ms(e);
    return at != kNoExpiry && at < db_now(a) && !a->replay;  // as Redis: gone once now is past it
}
// A new expiry that deletes the key at once (EXPIRE with a time in the past).
inline bool expiry_is_past(Access* a, int64_t at_ms) { return at_ms <= db_now(a) && !a->replay; }

// ---- reading (lock-free or locked) ------------------------------------------------------------
// Null when absent or expired. Counts a hit or a miss and touches LRU/LFU.
Entry* db_find(Access* a, Bytes key);
// The same without counting or touching (OBJECT, TTL, TYPE, DEBUG: Redis' LOOKUP_NOTOUCH | NOSTATS
// where Redis does so; TTL and TYPE count in Redis' stats, so use db_find_notouch there).
Entry* db_peek(Access* a, Bytes key);
Entry* db_find_notouch(Access* a, Bytes key);  // counts, does not touch

// A string value as bytes. Integers are written into `digits`. Blob bytes need the lock (D1):
// without it `ok` is false, need_lock is set and the command should return at once (its reply is
// discarded).
struct StringView {
    Bytes bytes;
    Blob* blob = nullptr;  // the blob behind bytes, to send it by reference
    bool ok = true;
    char digits[24];
};
void db_value(Access* a, const Entry* e, StringView* out);
size_t db_value_len(const Entry* e);  // STRLEN; needs no lock for any encoding

// A value that is not a string, for reading: inline bytes are borrowed, a Box's Value is shown as
// it is. False: it needs the lock, as above. *out is not to be freed or changed.
bool db_view(Access* a, const Entry* e, Value* out);

// A lookup that Redis counts although the command writes (GETEX, GETDEL, SET ... GET).
inline void db_count_lookup(Access* a, bool hit) {
    stat_add(hit ? &a->stats->hits : &a->stats->misses);
}

// ---- writing (locked) -------------------------------------------------------------------------
// A key under lock: found (and not expired: an expired one has been deleted) or not.
struct Handle {
    Bytes key;
    uint64_t hash = 0;
    Place at;  // at.entry null = absent
};
// Null entry = absent. `touch` moves LRU and counts hit/miss as Redis' lookupKeyWrite does.
Handle db_open(Access* a, Bytes key);

// Publishes `take` under h->key (its own key bytes must equal it); the old entry, if any, is
// retired. The new entry's LRU/LFU is initialised. h->at follows.
void db_put(Access* a, Handle* h, Entry* take);
// The same, and the old entry's LRU/LFU bits are kept (APPEND, INCR: Redis modifies the object).
void db_put_keep_age(Access* a, Handle* h, Entry* take);
// The same; `take` comes with its own hints (RENAME, MOVE: the object moves).
void db_put_as_is(Access* a, Handle* h, Entry* take);
// REQUIRES: present. Counts as one change.
void db_delete(Access* a, Handle* h);
// Sets, moves or clears (kNoExpiry) the expiry; makes room for it if there is none. REQUIRES:
// present.
void db_set_expiry(Access* a, Handle* h, int64_t expiry_ms);
// REQUIRES: present, Encoding::integer.
void db_set_integer(Access* a, Handle* h, int64_t value);

// REQUIRES: present, Encoding::boxed. The Box's value was changed in place; its box_cost was
// `cost_before`. store/edit.h is what commands use.
void db_changed_box(Access* a, Handle* h, size_t cost_before);
// The same for a Box whose memory is arranged anew and whose value is what it was: nobody is told.
void db_recount_box(Access* a, Handle* h, size_t cost_before);

// String values as SET stores them: an integer text becomes Encoding::integer (<= 20 digits), the
// rest embstr, raw or blob. `big`, when not null, holds exactly `value` and is adopted by
// reference.
Entry* db_make_string(Bytes key, Bytes value, Blob* big, int64_t expiry_ms);

// ---- LRU / LFU (store/age.cc) -----------------------------------------------------------------
uint32_t age_clock_now();                              // a coarse clock: a few ns
void age_init(const Access* a, Entry* e);              // a new entry
void age_touch(const Access* a, const Entry* e);       // an access; stores only if the hint changes
int64_t age_idle_ms(const Access* a, const Entry* e);  // OBJECT IDLETIME
uint8_t age_frequency(const Access* a, const Entry* e);  // OBJECT FREQ, decayed to now
// Copies the hints.
void age_copy(Entry* to, const Entry* from);
// RESTORE, loading: the one of both that the policy looks at. -1: unknown, the entry stays as it
// is.
void age_restore(const Access* a, Entry* e, int64_t idle_s, int lfu);

}  // namespace rp
