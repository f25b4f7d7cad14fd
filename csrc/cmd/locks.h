// cmd/locks.h: the set of segments a command needs, locked in one global order.
//
// A LockRef names a segment of a database; rank = database * kSegments + segment. A set is
// collected, sorted, freed of duplicates, then locked ascending (I4) and unlocked in any order.
#pragma once
#include "cmd/dispatch.h"

namespace rp {

struct LockRef {
    uint32_t rank;
    uint32_t version;  // R4: the segment's version before the read
};

struct LockSet {
    LockRef* refs = nullptr;  // the worker's scratch
    size_t count = 0;
};

// Fills w->hashes with the keys of argv, in argument order; returns their number. The scratch is
// the worker's: valid until the next call. False when the arguments do not fit the key specs.
bool keys_collect(Worker* w, const Cmd* row, Args argv, size_t* count);

// Calls visit for each key of argv and each database it is looked up in: `db`, and the one that the
// command names besides. False as keys_collect.
using DbKeyVisit = void (*)(void* arg, uint32_t db, const KeyHash* key);
bool keys_each_db(Worker* w, const Store* st, const Cmd* row, Args argv, uint32_t db,
                  DbKeyVisit visit, void* arg);

// Adds the segments of those keys to the set; *keys of them are in w->hashes.
bool locks_collect(Worker* w, const Store* st, const Cmd* row, Args argv, uint32_t db, LockSet* set,
                   size_t* keys);
void locks_add(Worker* w, LockSet* set, uint32_t db, uint64_t hash);
void locks_sort(LockSet* set);  // and remove duplicates
// REQUIRES: sorted, no segment held, pinned. With txn: odd on all of them before returning (I6).
void locks_take(Store* st, const LockSet* set, bool txn);
void locks_release(Store* st, const LockSet* set, bool txn);

// R4. False: a segment is being written right now.
bool versions_read(Store* st, LockSet* set);
bool versions_unchanged(Store* st, const LockSet* set);

}  // namespace rp
