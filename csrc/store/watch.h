// store/watch.h: WATCH, exactly: a watcher is told of every change of its key and of nothing else.
//
//   Segment.watch -> WatchNode -> WatchNode ...      one list per segment of each database
//                       |  key bytes, was it expired when watched
//                       +-> Watcher.dirty            set by whoever changes the key, under the lock
//
// Ownership  a Watcher (one per session) owns its nodes; they hang in segment lists until
//            watch_clear. A Watcher outlives its nodes.
// Threads    lists: under the segment's lock (or the gate). Watcher.nodes: the session's thread.
//            Watcher.dirty: set by any thread, read by EXEC under the locks of the watched keys.
#pragma once
#include "store/db.h"

namespace rp {

struct Watcher {
    std::atomic<bool> dirty{false};
    WatchNode* nodes = nullptr;  // owner thread
    size_t count = 0;
};

struct WatchNode {
    WatchNode* next_in_segment;
    WatchNode* prev_in_segment;
    WatchNode* next_of_watcher;
    Watcher* watcher;
    uint64_t hash;
    uint32_t db;
    bool was_expired;  // at WATCH time: its deletion is then no change
    uint32_t key_len;
    char key[];
};

// REQUIRES: the segment of key is held. A second WATCH of the same key is a no-op.
void watch_add(Access* a, Watcher* w, Bytes key);
// Takes each node's segment lock itself: REQUIRES no segment held. `dirty` is reset.
void watch_clear(Store* st, Watcher* w);
// The same behind a closed gate or with all watched segments held (EXEC): takes no lock.
void watch_clear_locked(Store* st, Watcher* w);
// Called by db_* on each change. REQUIRES lock. `deleted`: the key is now absent.
void watch_touch(Access* a, Segment* seg, Bytes key, uint64_t hash, bool deleted);
// EXEC: has a watched key passed its expiry since WATCH, without anybody deleting it? REQUIRES
// locks.
bool watch_expired(Access* a, const Watcher* w);
// FLUSHDB/FLUSHALL of `db` before the table is taken (with == null), or SWAPDB of two databases,
// before the swap: tells watchers of keys that exist in either. REQUIRES: gate closed.
void watch_touch_flush(Access* a, uint32_t db);
void watch_touch_swap(Access* a, uint32_t db1, uint32_t db2);
// SWAPDB: lists stay with the database number, not with the table. REQUIRES: gate closed, swapped.
void watch_swap_lists(Store* st, uint32_t db1, uint32_t db2);

}  // namespace rp
