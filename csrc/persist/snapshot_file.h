// persist/snapshot_file.h: the file of a snapshot, written and synced by a thread of its own, so
// that whoever encodes never waits for a disk: only for room, and that is the encoder's choice.
//
//   encoder --give--> given (Out) --take--> the file's thread --writev, fdatasync--> temporary file
//
// Ownership  what was given belongs to the file until it is written.
// Threads    one giver. `ahead`, `written`, `failed`: any.
// Errors     the first one stays: `why` says it once `failed` is true, and what is given from then
//            on is dropped.
// Limits     none here: the giver looks at `ahead` and waits.
#pragma once
#include <pthread.h>

#include <atomic>

#include "persist/file.h"
#include "persist/log.h"
#include "resp/out.h"
#include "sync/nap.h"

namespace rp {

struct SnapshotFile {
    // Constant once begun.
    const FileOps* ops = nullptr;
    const char* dir = nullptr;
    const char* temporary = nullptr;
    pthread_t thread;
    bool started = false;
    int fd = -1;
    // The giver and the thread.
    Mutex lock;
    Out given;  // under lock
    Nap nap;    // the thread: nothing was given
    std::atomic<bool> ending{false};
    std::atomic<uint32_t> moved{0};    // futex: something was written, or could not be
    std::atomic<size_t> ahead{0};      // bytes given and not yet written
    std::atomic<uint64_t> written{0};  // bytes
    std::atomic<bool> failed{false};
    char why[kPersistErrMax] = "";  // constant once failed
    // The thread's.
    uint64_t unsynced = 0;
};

// Creates dir/temporary; both names outlive the file. False: it failed.
bool snapshot_file_begin(SnapshotFile* f, const FileOps* ops, const char* dir,
                         const char* temporary);
// Never blocks on the disk. *take is empty afterwards.
void snapshot_file_give(SnapshotFile* f, Out* take);
// Sleeps until something moves, while more than `bytes` are ahead; 1 ms at most.
void snapshot_file_nap(SnapshotFile* f, size_t bytes);
// All is written and synced, and the file has its name, durably. False: it failed.
bool snapshot_file_end(SnapshotFile* f, const char* name);
// Ends it, if it was begun, and removes what is there of it.
void snapshot_file_give_up(SnapshotFile* f);

}  // namespace rp
