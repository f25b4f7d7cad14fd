// persist/load.h: brings a store back at start, from Redis' files: the log (manifest, base,
// increments) or, without one, the snapshot.
//
// It never goes on silently with less than the manifest promises: a missing or emptied file, damage
// in the middle, an unknown opcode end the load with one line that says file, offset and what to
// do. Only the torn tail of the last increment may be cut, with aof-load-truncated: it is kept
// aside, the cut is made durable, and the log says what went.
//
// Threads  one; other sessions may look at the store meanwhile (INFO), and are told -LOADING.
#pragma once
#include "persist/rdb_read.h"
#include "persist/replay.h"

namespace rp {

// Shown by INFO while it runs.
struct LoadProgress {
    std::atomic<bool> loading{false};
    std::atomic<int64_t> start_s{0};
    std::atomic<uint64_t> total_bytes{0}, loaded_bytes{0};
    std::atomic<uint64_t> keys{0}, expired{0};
};

struct LoadOptions {
    const FileOps* files = &kSystemFiles;
    const char* dir = nullptr;  // where dbfilename is
    const char* dbfilename = nullptr;
    const char* aof_dir = nullptr;  // dir/appenddirname; null: appendonly no
    const char* appendfilename = nullptr;
    bool truncated_ok = true;  // aof-load-truncated
    bool checksum = true;
    RdbLimits limits = {};
    Session* session = nullptr;  // replays; its Worker has no voice
    const std::atomic<bool>* cancel = nullptr;
};

// *manifest (to be freed by the caller): what the log goes on with; empty when there was none.
[[nodiscard]] bool load_store(const LoadOptions& options, LoadProgress* progress,
                              Manifest* manifest, PersistErr* err);

}  // namespace rp
