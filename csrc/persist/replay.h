// persist/replay.h: runs the commands of a log file through the executor, as any client's.
#pragma once
#include "cmd/dispatch.h"
#include "persist/manifest.h"

namespace rp {

struct Replay {
    const FileOps* files = nullptr;
    Session* session = nullptr;  // its Worker has no voice: what is replayed is not logged again
    // Called with the bytes read since the last call. May be null.
    void (*progress)(void* arg, uint64_t bytes) = nullptr;
    void* progress_arg = nullptr;
    const std::atomic<bool>* cancel = nullptr;  // null: none
    uint64_t commands = 0;                      // out
};

// Runs bytes [from, end) of a file; annotation lines are skipped. `end` is a border between records
// (aof_scan has looked). Fails on what no log may hold: an unknown command, a wrong number of
// arguments.
[[nodiscard]] bool replay_file(Replay* r, const char* path, uint64_t from, uint64_t end,
                               PersistErr* err);

}  // namespace rp
