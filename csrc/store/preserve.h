// store/preserve.h: what keeps a snapshot exact while writes go on: every entry carries the id of
// the last snapshot that has seen it (Entry.mark), and whoever changes or drops an unseen one first
// hands its state at the cut to the snapshot.
//
//   cut (gate closed)   id = id + 1, `active`; every entry in the tables is now unseen
//   worker              walks the tables, pinned and without locks, claims what is unseen and
//                       encodes it; of Blobs and Boxes it takes a reference, under the lock
//   writer              before it replaces, deletes or changes an entry in place: claims it, and if
//                       that was unseen pushes the old state (the unlinked entry itself, or a copy
//                       that shares its Blob or Box) onto `saved`
//   new entries         are born seen
//
// A write that would have to copy a large Box or Blob because the snapshot reads it waits instead,
// before it takes any lock: the client waits, never its loop. What it waits for goes onto `urgent`,
// which the worker serves first.
//
// Invariants  I8  every entry of the cut is in the snapshot exactly once: whoever claims it, with
//                 one exchange of its mark, provides it.
//             S1  what the snapshot reads of an entry that may change in place (integer, expiry) it
//                 reads before it claims; a writer changes it after it has claimed. So what was
//                 claimed is as it was at the cut.
//             S2  every reference of the snapshot to a Box or Blob is held (mem/refs.h) until it is
//                 done with it.
// Threads     writers: under the segment's lock, pinned. The lists: any thread pushes, the worker
//             takes.
// Limits      saved_bytes counts what is kept alive only for the snapshot (INFO: current_cow_size).
//             Above kSavedBytesMax writes wait, outside of all locks, until it has caught up: so it
//             grows by one command of each thread at most beyond. A value on `urgent` costs nothing
//             while it lives; one that expires or is evicted while it is read is not counted.
#pragma once
#include "table/table.h"

namespace rp {

struct Access;

struct SavedEntry {
    SavedEntry* next;
    const Table* table;  // of the cut: says which database it was
    Entry* entry;        // owned, with its held Blob or Box
    size_t cost;         // in saved_bytes
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
    std::atomic<SavedEntry*> urgent{nullptr};
    std::atomic<size_t> saved_bytes{0};
    std::atomic<bool> awaited{false};  // somebody waits for a value or for room
    std::atomic<uint32_t> let_go{0};   // a futex: counts what they were woken for
    uint32_t unfinished = 0;  // the snapshots' threads: how many since one has seen every entry
    Mutex lock;
    KeptTable* kept = nullptr;  // FLUSH took them from under the snapshot; under lock
};

// What is kept alive only for the snapshot: above this, writes wait until it has caught up.
constexpr size_t kSavedBytesMax = size_t{64} << 20;
inline bool preserve_full(const Preserve* p) {
    return p->active.load(std::memory_order_relaxed) &&
           p->saved_bytes.load(std::memory_order_relaxed) > kSavedBytesMax;
}

// Up to here a write copies what the snapshot reads: some tens of microseconds.
constexpr size_t kCopiedBoxMax = size_t{64} << 10;
constexpr size_t kCopiedBlobMax = size_t{1} << 20;

// Before an in-place change of a live entry (integer, expiry, Blob, Box). REQUIRES its segment's
// lock. A Blob or Box that was unseen is shared afterwards: whoever changes it then works on a
// copy.
void preserve_before_change(Access* a, Entry* e);
// `old` was unlinked: it goes to the snapshot if unseen, else it is retired. REQUIRES the lock.
void preserve_or_retire(Access* a, Entry* old);
// A table that FLUSH took away: true = the snapshot still reads it, and frees it. Any thread.
bool preserve_table(Preserve* p, Table* take);

// Before a write to a key, outside of all locks: must it wait because a large value is to be read,
// or being read, by the snapshot? If so that is urgent now, and whoever waits is woken when the
// snapshot lets go of it. REQUIRES: pinned, the snapshot is active.
bool preserve_must_wait(Preserve* p, Table* t, Bytes key, uint64_t hash);
// The same for room, while preserve_full. False: there is some, after all.
bool preserve_must_wait_for_room(Preserve* p);

// ---- the snapshot's side ----------------------------------------------------------------------

// True: `e` was unseen, and the caller has to provide it.
bool preserve_claim(Preserve* p, Entry* e);
// A copy of a live entry whose Blob or Box the snapshot holds. REQUIRES its segment's lock, or that
// it has neither.
Entry* preserve_copy(const Entry* e);
void preserve_copy_free(Entry* take);

// All that was handed over, newest first.
SavedEntry* preserve_take(std::atomic<SavedEntry*>* list);
void saved_free(Preserve* p, EpochSlot* s, SavedEntry* take);  // one, not the list
// Whether somebody waited: the in-process callers are woken, the others are the caller's to wake.
// To be asked after values were let go of.
bool preserve_wake(Preserve* p);
// Before it ends: it has seen every entry, or has not. False: so many have not that ids would come
// back to entries that still carry them, and this one has to claim whatever is left.
bool preserve_note_seen(Preserve* p, bool all);
// Ends it: nothing is unseen any more, or nobody cares. Frees kept tables and what was handed over.
// REQUIRES: not pinned.
void preserve_end(Preserve* p, EpochSlot* s);

}  // namespace rp
