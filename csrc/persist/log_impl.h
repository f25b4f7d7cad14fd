// persist/log_impl.h: what a Log is. For persist/log*.cc only.
//
//   log.cc        life, handing in, waiting, numbers for INFO
//   log_merge.cc  batches in, runs out
//   log_write.cc  the log thread: runs to the file, its errors, turning to the next increment
//   log_sync.cc   fdatasync: its thread, its errors
//   log_files.cc  increments and the manifest
//
// Lock order  manifest_lock, sync_lock, files_lock, state_lock. The first two are held across slow
//             system calls: the log thread takes them only where it has to wait for those anyway
//             (`always`; an increment that nobody prepared).
#pragma once
#include <pthread.h>

#include "persist/log.h"
#include "persist/log_merge.h"
#include "sync/nap.h"

namespace rp {

constexpr int64_t kLogRetryMs = 1000;      // between tries to write after an error
constexpr int64_t kSyncPeriodMs = 1000;    // everysec
constexpr uint64_t kGroupBytes = 4 << 20;  // always: so much is written without a sync at most
constexpr int64_t kGatherPart = 8;         // always: so much of a sync's time ...
constexpr int64_t kGatherMinUs = 50;       // ... if that is more than a nap takes to end ...
constexpr int64_t kGatherMaxUs = 5000;     // ... is spent waiting for more to go with the next
constexpr int64_t kTurnWaitMs = 10000;     // log_rebase waits so long for the log thread's turn

// An increment the log has turned away from: to be synced and closed.
struct OldIncrement {
    OldIncrement* next;
    int fd;
    int64_t incr;
};

// The numbers up to `seq` are in increments before `incr`.
struct Cut {
    int64_t incr;
    uint64_t seq;
};
constexpr size_t kCutsMax = 64;  // more without one that succeeds: the oldest are forgotten

struct Log {
    Journal journal;  // first: log_of()
    // Constant.
    const FileOps* files = nullptr;
    char dir[kPathMax];
    char name[kAofNameMax];
    void (*wake)(void* arg) = nullptr;
    void* wake_arg = nullptr;
    void (*latency)(void* arg, const char* event, int64_t us) = nullptr;
    void* latency_arg = nullptr;
    pthread_t writer, syncer;
    // Settings.
    std::atomic<FsyncPolicy> policy{FsyncPolicy::everysec};
    std::atomic<bool> timestamps{false};

    // Handed in and not yet looked at, newest first.
    alignas(64) std::atomic<LogBatch*> handed{nullptr};
    Nap writer_nap;
    std::atomic<bool> kicked{false};   // the writer shall look up: log_kick
    std::atomic<bool> closing{false};  // nothing more will be handed in

    // How far it has got.
    alignas(64) std::atomic<uint32_t> moved{
        0};                                // futex: acked moved, room was made, a turn was done
    std::atomic<uint32_t> waiters{0};      // who sleeps on it
    std::atomic<uint64_t> written_seq{0};  // the writer's
    std::atomic<uint64_t> synced_seq{0};
    std::atomic<uint64_t> file_bytes{0};   // whole runs of the current increment
    std::atomic<uint64_t> other_bytes{0};  // base and older increments
    std::atomic<uint64_t> base_bytes{0};
    std::atomic<uint64_t> writes{0}, syncs{0}, delayed_syncs{0};
    std::atomic<int64_t> last_sync_us{0};

    // The log thread's.
    alignas(64) Merge merge;
    LogRun run;
    bool turning = false;         // a cut was merged; the next increment is not there yet
    bool torn = false;            // part of a run is behind file_bytes
    int64_t retry_at_ms = 0;      // 0: nothing failed
    uint64_t group_bytes = 0;     // written since the last sync of `always`
    uint64_t group_expected = 0;  // numbers that the next sync of `always` is likely to serve
    int64_t gather_until_us = 0;  // 0: nobody waits for a group to be complete
    bool lost = false;            // at the end: not everything could be written
    int64_t whole_incr = 0;       // has its RP_AOF_WHOLE_LINE

    // The sync thread's.
    Nap sync_nap;                         // nothing to sync
    Nap pace_nap;                         // the second is not over
    std::atomic<bool> sync_ended{false};  // it shall end

    Mutex manifest_lock;
    Manifest manifest;            // under it
    Mutex sync_lock;              // one fdatasync at a time
    Mutex files_lock;             // short
    int fd = -1;                  // under it: the writer alone changes it, and reads it as it likes
    OldIncrement* old = nullptr;  // under it: oldest first
    int next_fd = -1;             // under it: increment next_incr, prepared
    int64_t next_incr = 0;
    Cut cuts[kCutsMax];  // under it
    size_t cut_count = 0;
    std::atomic<size_t> old_count{0};     // of `old`
    std::atomic<int64_t> synced_incr{0};  // under it: all increments before this one are synced
    std::atomic<int64_t> incr{0};         // of fd
    std::atomic<int64_t> asked_incr{0};   // by log_rotate; the writer follows
    int64_t base_tried = 0;               // under manifest_lock: the highest a rewrite has tried
    // Founding. `manifest` then has what the disk's names, and our increments from founded_from on,
    // which it does not name. Changes under manifest_lock.
    std::atomic<bool> founding{false};
    int64_t founded_from = 0;
    int64_t maybe_named = INT64_MAX;  // a manifest with these was to be saved, and that failed
    bool marked = false;              // <name>.founding is there
    bool shut = true;                 // no threads, no files

    // Errors. journal.refuses is the sum of the two.
    Mutex state_lock;
    int write_errno = 0;      // under it: 0 = the last write went well
    int sync_errno = 0;       // under it: 0 = no fdatasync has failed
    int64_t failed_incr = 0;  // under it: whose fdatasync failed
    int64_t based_incr = 0;   // under it: everything before this increment is in a base
    std::atomic<int> last_errno{0};
};

inline Log* log_of(Journal* j) { return reinterpret_cast<Log*>(j); }

// ---- log.cc -----------------------------------------------------------------------------------
// acked follows written_seq or synced_seq; who waits is woken. False: it has not moved.
bool log_ack(Log* l);
void log_kick(Log* l);    // the log thread looks at everything again
void log_notify(Log* l);  // wakes whoever waits for anything
// The outcome of a write that failed (errno), or of the first one after that (0).
void log_note_write(Log* l, int err);
void log_note_sync_failure(Log* l, int64_t incr, int err);
// A base holds everything before first_incr: what happened to older files does not matter.
void log_note_base(Log* l, int64_t first_incr);
bool log_sync_failed(Log* l);
void log_raise(std::atomic<uint64_t>* n, uint64_t to);  // never lowers it

// ---- log_write.cc -----------------------------------------------------------------------------
void* log_writer_main(void* log);
// All increments before the current one are synced, and it does not say so yet.
bool log_whole_line_due(const Log* l);
// Writes RP_AOF_WHOLE_LINE. REQUIRES: it is due; the log thread, or nobody else is left. 0 or
// -errno.
int log_write_whole_line(Log* l);

// ---- log_sync.cc ------------------------------------------------------------------------------
void* log_syncer_main(void* log);
// Syncs and closes older increments, then, if asked, what was written of the current one. False:
// there was nothing to do, or it failed.
bool log_sync_now(Log* l, bool current);

// ---- log_files.cc -----------------------------------------------------------------------------
// Opens the last increment of l->manifest, or makes the first.
Status log_open_increment(Log* l, PersistErr* err);
// The log thread: from here on l->fd is the increment after l->incr. 0 or -errno.
int log_turn(Log* l);
// Of a log that is being founded they are deleted, too.
void log_close_files(Log* l);

}  // namespace rp
