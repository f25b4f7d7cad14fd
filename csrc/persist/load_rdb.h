// persist/load_rdb.h: the keys of an RDB file (a snapshot, or the base of a log) into a store.
//
// Keys are put into their tables some dozens at a time: while one entry is made, the buckets of
// those before it come from memory. Tables get their room before the keys come, when the file says
// how many there are, but never more than the file could hold.
//
// Ownership  nothing outlives the call.
// Threads    one; others may look at the store meanwhile: it leaves the gate now and then.
// Errors     one line: file, offset or key, what is wrong and what to do. The store then holds a
//            part.
#pragma once
#include "persist/rdb_read.h"
#include "store/db.h"

namespace rp {

struct RdbLoad {
    const FileOps* files = &kSystemFiles;
    RdbLimits limits = {};
    bool checksum = true;
    // A log's base: keys that have expired are kept, because the log goes on to speak of them.
    bool base_of_log = false;
    Access* access = nullptr;  // `locked`; its database changes. REQUIRES: outside of the gate
    const std::atomic<bool>* cancel = nullptr;  // null: none
    // Called with what came since the last call. May be null.
    void (*progress)(void* arg, uint64_t bytes, uint64_t keys, uint64_t expired) = nullptr;
    void* progress_arg = nullptr;
};

// *used: how many bytes the snapshot is long; commands may follow it (persist/replay.h).
[[nodiscard]] bool load_rdb(const RdbLoad* load, const char* path, uint64_t* used, PersistErr* err);

}  // namespace rp
