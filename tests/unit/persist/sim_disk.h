// A disk in memory behind FileOps that knows what a power cut may take: it tells what is written
// from what is synced, and a directory's entries from those its last sync made durable.
//
//     auto disk = sim_new();
//     sim_put(disk.get(), "/d/old", "...");      there and durable, directories too
//     FileOps files = sim_ops(disk.get());
//     ... the code under test ...
//     auto after = sim_crash(*disk, seed);       what a restart may find: another disk
//
// A crash keeps what was synced. Of the rest it keeps, by the seed, what real file systems may:
//   contents   the changes since the last sync_data of that file up to some point, the write there
//              torn at any byte, or at a sector and followed by zeros (the size came, the rest
//              not); with SimCrash.holes also zeros in place of pages before it
//   names      of the creations, renames and unlinks since the last sync_dir of that directory a
//              prefix (as a journal does), or any subset that respects the order per name
// A file whose name is lost is lost; so is everything in a directory whose own name is lost.
// After a failed sync_data what had not been synced counts as clean: later syncs do not save it, as
// on Linux.
//
// Threads  any: one lock, not held while a hook runs.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "persist/file.h"

namespace rp {

enum class SimKind : uint32_t {
    open = 1,  // open_read, open_append and open_new; the last two change the disk if they create
    read = 2,
    write = 4,
    sync = 8,
    truncate = 16,
    rename = 32,
    unlink = 64,
    make_dir = 128,
    sync_dir = 256,
    list = 512,
};

struct SimOp {
    SimKind kind;
    std::string path = {};  // of the descriptor as it was opened, else as given
    std::string to = {};    // rename
    uint64_t len = 0;       // write: bytes asked for; truncate: the new length
    int64_t result = 0;
    bool changes = false;  // the kind may change what is on the disk or durable
};

// The next `after` matching operations go well, then `times` fail with `error` (< 0: for ever).
struct SimFault {
    uint32_t kinds = 0;          // SimKind values, or'ed
    std::string path_part = {};  // "": any path
    int after = 0;
    int times = 1;
    int error = 5;  // EIO
};

struct SimDisk;  // opaque
struct SimDelete {
    void operator()(SimDisk* disk) const;
};
using SimPtr = std::unique_ptr<SimDisk, SimDelete>;

SimPtr sim_new();
// Valid as long as the disk.
FileOps sim_ops(SimDisk* disk);

// ---- looking in and setting up ----------------------------------------------------------------
void sim_put(SimDisk* disk, const std::string& path, const std::string& contents);
void sim_mkdir(SimDisk* disk, const std::string& path);  // durable, with its parents
bool sim_get(const SimDisk* disk, const std::string& path, std::string* contents);
std::vector<std::string> sim_list(const SimDisk* disk, const std::string& path);  // sorted
size_t sim_open_files(const SimDisk* disk);
std::vector<SimOp> sim_trace(const SimDisk* disk);
size_t sim_changes(const SimDisk* disk);  // operations so far that had `changes`

// ---- faults -----------------------------------------------------------------------------------
void sim_fail(SimDisk* disk, const SimFault& fault);
void sim_mend(SimDisk* disk);                            // forgets all faults
void sim_set_space(SimDisk* disk, uint64_t bytes_left);  // then ENOSPC, after a short write
void sim_set_short_writes(SimDisk* disk, size_t max);    // no write takes more; 0: off
// The power fails behind the n-th further operation with `changes`: all later ones say EIO and do
// nothing, so that sim_crash sees the disk as it was then.
void sim_die_after(SimDisk* disk, size_t changes);
// Called before each operation, without the lock: may sleep or wait (a slow sync).
void sim_set_hook(SimDisk* disk, std::function<void(const SimOp&)> before);

// ---- the power cut ----------------------------------------------------------------------------
struct SimCrash {
    bool zeros = true;
    bool holes = false;
    bool reorder_names = true;
};
SimPtr sim_crash(const SimDisk& disk, uint64_t seed, SimCrash options = {});

}  // namespace rp
