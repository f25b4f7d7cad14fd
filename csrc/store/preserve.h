// store/preserve.h: what keeps a snapshot exact while writes go on: every entry carries the id of
// the last snapshot that has seen it (Entry.mark), and whoever changes or drops an unseen one first
// hands its state at the cut to the snapshot.
//
//   cut (gate closed)   id = id + 1, `active`; every entry in the tables is now unseen
//   worker              walks the tables under their segments' locks, a few buckets at a time: sets
//   the
//                       mark, encodes small values at once, takes a reference to Blobs and Boxes
//   writer              before it replaces, deletes or changes an unseen entry in place: sets the
//   mark
//                       and pushes the old state (the unlinked entry itself, or a copy that shares
//                       its Blob or Box) onto `saved`
//   new entries         are born seen
//
// Invariants  I8  every entry of the cut is in the snapshot exactly once: whoever sets the mark,
// under
//                 the segment's lock, provides it.
// Threads     under the segment's lock, but for the list, which any thread pushes to and the worker
//             takes from.
// Limits      saved_bytes counts what is kept alive only for the snapshot (INFO: current_cow_size).
//             Above kSavedBytesMax writes wait, outside of all locks, until it has caught up.
#pragma once
#include "table/table.h"

namespace rp {

struct Access;

struct SavedEntry {
    SavedEntry* next;
    const Table* table;  // of the cut: says which database it was
    Entry* entry;        // owned, with its Blob or Box
    bool unlinked;       // readers may still see it: to be retired; else a copy, to be freed
};

struct KeptTable {
    KeptTable* next;
    Table* table;  // owned
};

struct Preserve {
    std::atomic<bool> active{false};  // set behind the closed gate
    std::atomic<uint8_t> id{1};       // 1..255, stamped on new entries also while nothing is active
    std::atomic<SavedEntry*> saved{nullptr};
    std::atomic<size_t> saved_bytes{0};
    Mutex lock;
    KeptTable* kept = nullptr;  // FLUSH took them from under the snapshot; under lock
};

// What is kept alive only for the snapshot: above this, writes wait until it has caught up.
constexpr size_t kSavedBytesMax = size_t{64} << 20;
inline bool preserve_full(const Preserve* p) {
    return p->active.load(std::memory_order_relaxed) &&
           p->saved_bytes.load(std::memory_order_relaxed) > kSavedBytesMax;
}

// Before an in-place change of a live entry (integer, expiry, Blob, Box). REQUIRES its segment's
// lock. A Blob or Box that was unseen is shared afterwards: whoever changes it then works on a
// copy.
void preserve_before_change(Access* a, Entry* e);
// `old` was unlinked: it goes to the snapshot if unseen, else it is retired. REQUIRES the lock.
void preserve_or_retire(Access* a, Entry* old);
// A table that FLUSH took away: true = the snapshot still reads it, and frees it. Any thread.
bool preserve_table(Preserve* p, Table* take);

// ---- the snapshot's side ----------------------------------------------------------------------

// All that was handed over, newest first.
SavedEntry* preserve_take(Preserve* p);
void saved_free(Preserve* p, EpochSlot* s, SavedEntry* take);  // one, not the list
// Ends it: nothing is unseen any more, or nobody cares. Frees kept tables and what was handed over.
// REQUIRES: not pinned.
void preserve_end(Preserve* p, EpochSlot* s);

}  // namespace rp
