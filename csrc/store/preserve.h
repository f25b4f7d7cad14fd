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
// Limits      saved_bytes counts what is kept alive only for the snapshot; INFO shows it.
#pragma once
#include "store/db.h"

namespace rp {

struct SavedEntry {
    SavedEntry* next;
    const Table* table;  // of the cut: says which database it was
    Entry* entry;        // owned
    bool unlinked;       // readers may still see it: retire it, do not free it
};

struct Preserve {
    std::atomic<bool> active{false};  // changes behind the closed gate
    std::atomic<uint8_t> id{0};       // stamped on new entries, also while nothing is active
    std::atomic<SavedEntry*> saved{nullptr};
    std::atomic<size_t> saved_bytes{0};
    std::atomic<size_t> saved_count{0};
};

// db.cc calls these; `old` is live and its segment locked.
// Before an in-place change (integer, expiry, Box).
void preserve_before_change(Access* a, Entry* old);
// `old` was unlinked: it goes to the snapshot if unseen, else it is retired.
void preserve_or_retire(Access* a, Entry* old);

}  // namespace rp
