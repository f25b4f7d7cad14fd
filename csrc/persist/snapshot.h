// persist/snapshot.h: the state of one instant, written to an RDB file by a thread of its own while
// everybody goes on. No fork.
//
// Ownership  one Snapshot per engine at a time; it owns tables that FLUSHALL took away meanwhile.
// Threads    all calls: any, one snapshot of a store at a time. Its own thread makes the cut (it
//            closes the gate for some microseconds) and encodes; a second one writes the file
//            (persist/snapshot_file.h).
// Errors     a failed snapshot leaves no file behind but the last good one; `err` says why.
#pragma once
#include "persist/log.h"
#include "persist/rdb_write.h"
#include "store/store.h"

namespace rp {

enum class SnapshotGoal : uint8_t {
    file,      // SAVE, BGSAVE: dir/dbfilename
    aof_base,  // BGREWRITEAOF, and the first base: the log turns to a new increment at the cut
};

// What is encoded and not yet written. The walk waits for a slow disk above the first; what writers
// wait for or have handed over goes on being encoded up to the second, so that they do not wait for
// the disk: only for its memory.
constexpr size_t kSnapshotAheadWalk = size_t{4} << 20;
constexpr size_t kSnapshotAheadMax = size_t{64} << 20;

struct SnapshotOptions {
    const FileOps* files = &kSystemFiles;
    SnapshotGoal goal = SnapshotGoal::file;
    const char* dir = nullptr;   // of the file
    const char* name = nullptr;  // file: dbfilename; aof_base: appendfilename
    Log* log = nullptr;          // aof_base
    bool compress = true;
    bool checksum = true;
    size_t ahead_max = kSnapshotAheadMax;
    RdbHead head = {};
    void (*done)(void* arg, bool ok, const char* why) = nullptr;  // on the snapshot's thread
    void* done_arg = nullptr;
    // Clients that wait for the snapshot may go on; on its thread.
    void (*wake)(void* arg) = nullptr;
    void* wake_arg = nullptr;
    void (*at_cut)(void* arg) = nullptr;  // tests: behind the closed gate
    void* at_cut_arg = nullptr;
};

struct Snapshot;  // opaque

// Starts the thread. options.log, .dir and .head point to what outlives it; so does .name of an
// aof_base. REQUIRES: no other one of this store is under way. Fails with limit: no thread to be
// had.
Status snapshot_start(Store* st, const SnapshotOptions& options, Snapshot** out);
struct SnapshotProgress {
    uint64_t keys_done, keys_total, bytes;
    size_t saved_bytes, saved_bytes_peak;
    int64_t cut_us;  // how long the gate was closed
};
void snapshot_progress(const Snapshot* s, SnapshotProgress* out);
void snapshot_cancel(Snapshot* s);  // asks; done() is called with ok = false
// Waits for the worker and frees. True: the file is there and durable.
bool snapshot_finish(Snapshot* take);

}  // namespace rp
