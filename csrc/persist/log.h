// persist/log.h: the append-only log: one thread that merges what all executing threads hand in, in
// the order of its numbers, and writes it; one that syncs for `everysec`, so that a slow disk holds
// up nobody who need not wait for it.
//
//   batches --(stack, one exchange)--> log thread --writev--> appendonlydir/<name>.<seq>.incr.aof
//                                        | written_seq          ^ fdatasync: log thread (always),
//                                        v                      | sync thread (everysec)
//                                      acked -> wake()
//
// On disk each merged run of records is preceded by an annotation line, which Redis 7 skips:
//
//     #RP1 <first seq> <records> <bytes that follow> <crc32c of them, 8 hex digits>\r\n
//
// so that a torn tail, a flipped byte and a rolled-back tail are told apart (persist/load.h).
// <records> are numbers: those of empty records count, so that within one process' life each run
// begins where the one before ended, across increments too. A new process begins with 1 again.
// SELECT is inserted where the database changes, and after each annotation line only if it did; an
// increment begins with none selected. #TS: lines belong to the bytes of a run.
//
// When the log turns to a new increment nobody waits until the one before it is synced (but
// `always`). Once that is done, RP_AOF_WHOLE_LINE (persist/aof_scan.h) is written into the new one:
// what stands in increments without it is void if a power cut took the end of an older one.
//
// A log that is switched on (or has no file yet) is founded first: what is written is complete only
// with a base, so the manifest on the disk names nothing of it until log_rebase has published the
// first base with the increments behind it. Before that, a start finds what was there before; where
// there was no manifest, <name>.founding says that the files beside it were never in force.
//
// acked: no, everysec: what is with the kernel (kill -9 loses nothing). always: what is on the
// disk.
//
// Errors  a failed write: the file is cut back to the last whole run, journal.refuses is set
//         (MISCONF), the run is written again every second until that works. A failed fdatasync is
//         never tried again on that file: writes are refused until a rewrite has made a new one.
// Limits  journal.waiting_max bytes wait at most (plus one batch per thread).
#pragma once
#include "base/status.h"
#include "persist/manifest.h"
#include "store/journal.h"
#include "sync/epoch.h"

namespace rp {

enum class FsyncPolicy : uint8_t {
    no = 0,
    everysec = 1,
    always = 2
};  // as kFsync of conf/table.cc

struct Log;  // opaque

struct LogOptions {
    const FileOps* files = &kSystemFiles;
    const char* dir = nullptr;             // .../appendonlydir
    const char* appendfilename = nullptr;  // "appendonly.aof"
    FsyncPolicy policy = FsyncPolicy::everysec;
    bool timestamps = false;  // aof-timestamp-enabled: #TS:<seconds> lines
    bool founding = false;    // `manifest` is what was there before; see above
    // Called by the log threads when acked moved on or refuses changed. Must not block.
    void (*wake)(void* arg) = nullptr;
    void* wake_arg = nullptr;
    // What took how long: "aof-write", "aof-fsync-always". The log threads; must not block. Or
    // null.
    void (*latency)(void* arg, const char* event, int64_t us) = nullptr;
    void* latency_arg = nullptr;
};

// Appends to the last increment of `manifest` (creating the first, durably). The Log keeps its own
// copy of the manifest. Starts its threads.
Status log_open(const LogOptions& options, const Manifest* manifest, Log** out, PersistErr* err);
// Writes and syncs what is left, ends the threads, closes the files; of a log that is still being
// founded nothing stays. False: something could not be written (logged). The Log and its Journal
// stay, for those who still look at them: all numbers count as acknowledged, nothing is refused.
// REQUIRES: nobody hands anything in any more, no rewrite is under way.
bool log_shut(Log* l);
// After log_shut, for the same directory. The numbers go on. As log_open on failure: it stays shut.
Status log_reopen(Log* l, const LogOptions& options, const Manifest* manifest, PersistErr* err);
// log_shut, if it is not, and frees.
bool log_close(Log* take);

Journal* log_journal(Log* l);
void log_set_policy(Log* l, FsyncPolicy policy);
void log_set_timestamps(Log* l, bool on);
// Waits (on a futex) until seq is acked, or timeout_ms have passed (< 0: for ever). Whether it is.
bool log_wait(Log* l, uint64_t seq, int64_t timeout_ms);
// Everything up to this number is on the disk, and a start would find it: 0 while being founded.
// LogOptions.wake is called when it has moved.
uint64_t log_synced(const Log* l);
bool log_is_founding(const Log* l);
// Until log_synced has got to seq, something else has happened to the log, or timeout_ms are over.
void log_wait_synced(Log* l, uint64_t seq, int64_t timeout_ms);
// Whatever the policy: is everything that was handed in until now on the disk? Syncs it. Waits at
// most timeout_ms for it to be written, and for one sync.
bool log_flush(Log* l, int64_t timeout_ms);

// ---- rewriting --------------------------------------------------------------------------------
// Makes the next increment's file and names it in the manifest, durably, so that turning to it is
// quick. Slow. 0 or -errno. Without it the log thread does it when it gets to the cut, and whoever
// waits for it waits longer.
int log_prepare_rotate(Log* l);
// With the gate closed, nothing held by anybody: from here on records go to a new increment.
// Returns its seq (its file and the manifest are durable before anything is written to it).
int64_t log_rotate(Log* l, EpochSlot* s);
// The base that holds everything before that increment is complete and synced, under the name that
// manifest_rebase gives it: publishes the manifest, deletes what is history. 0 or -errno: then the
// old manifest is in force. Ends the refusal after a failed fdatasync of an older increment.
int log_rebase(Log* l, int64_t base_seq, int64_t first_incr);
int64_t log_next_base_seq(Log* l);
// The last increment asked for: the current one, once the log thread has got there.
int64_t log_current_incr(Log* l);

struct LogStats {
    uint64_t file_bytes;   // of the current increment
    uint64_t total_bytes;  // base and all increments
    uint64_t base_bytes;   // total at the last rewrite, or at start
    uint64_t waiting_bytes;
    uint64_t written_seq, synced_seq;
    uint64_t writes, syncs, delayed_syncs;
    int64_t last_sync_us;
    bool write_ok;       // neither of the two errors is there
    bool needs_rewrite;  // a failed fdatasync: only a rewrite helps
    int last_errno;
};
void log_stats(Log* l, LogStats* out);

}  // namespace rp
