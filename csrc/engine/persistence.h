// engine/persistence.h: one store's directory over its life: locked and loaded at start, logged to,
// saved and rewritten while it runs, closed in order. persist/ has the parts; here they meet the
// settings, the clock and the commands.
//
// Ownership  Engine.persistence, from engine_open to engine_close.
// Threads    persistence_load: one, before the data may be written. The rest: any. Snapshots are
//            started under `lock`, one at a time; their end is noted by their own thread.
#pragma once
#include "engine/engine.h"
#include "persist/dir_lock.h"
#include "persist/load.h"
#include "persist/snapshot.h"

namespace rp {

enum class SnapshotAsked : uint8_t {
    started,
    scheduled,     // the cron starts it when the one under way is done
    busy_save,     // a save is under way
    busy_rewrite,  // a rewrite is under way
    failed,        // to start; the log says why
    no_log,        // nothing to rewrite: appendonly no
};

// What SHUTDOWN asked for; a signal asks for nothing in particular.
enum class LastSave : uint8_t { by_save_points, yes, no };

struct Persistence {
    // Constant after persistence_open.
    const FileOps* files = &kSystemFiles;
    bool serving = false;  // of a server: `save` points count
    bool named = false;    // a directory was asked for: a log may be switched on
    char dir[kPathMax] = {};
    char aof_dir[kPathMax] = {};
    char appendfilename[kAofNameMax] = {};
    // Any thread.
    LoadProgress load;
    std::atomic<bool> stop_loading{false};
    std::atomic<LastSave> last_save{LastSave::by_save_points};
    std::atomic<bool> stopping{false};      // network clients' writes are held back
    std::atomic<bool> prepared{false};      // by persistence_prepare_stop
    Mutex stop_lock;                        // one prepares at a time
    std::atomic<bool> on{false};            // a directory belongs to this store
    std::atomic<Log*> log{nullptr};         // null: appendonly no
    std::atomic<bool> switch_later{false};  // appendonly was changed where it could not be followed
    // Under switch_lock, which is held while the log is switched on or off.
    Mutex switch_lock;
    Log* kept =
        nullptr;  // `log`, or shut: it stays until the end, for whoever looks at its numbers
    int lock_fd = -1;
    Mutex lock;
    // Under lock.
    Snapshot* snapshot = nullptr;  // under way, or done and not yet reaped
    bool save_scheduled = false, rewrite_scheduled = false;
    uint64_t changes_at_cut = 0;
    int64_t save_tried_ms = 0, rewrite_tried_ms = 0;
    // Written by the snapshot's thread and under lock; read by INFO.
    std::atomic<bool> saving{false}, rewriting{false};  // false: that one has ended
    std::atomic<uint32_t> ended{0};                     // futex: counts ends
    std::atomic<bool> save_ok{true}, rewrite_ok{true};
    std::atomic<int64_t> started_s{0};
    std::atomic<int64_t> last_save_s{0}, last_save_took_s{-1}, last_rewrite_took_s{-1};
    std::atomic<uint64_t> saves{0}, rewrites{0};
    std::atomic<uint64_t> changes_at_save{0};
    std::atomic<size_t> last_saved_bytes{0};  // kept alive for the last snapshot, at its peak
};

Persistence* persistence_new();
void persistence_free(Persistence* take);
// Locks the directory if the settings say that something is to be kept there.
[[nodiscard]] bool persistence_open(Engine* e, bool serving, PersistErr* err);
// Loads, then opens the log. Clients get -LOADING meanwhile. On failure the data must not be
// served.
[[nodiscard]] bool persistence_load(Engine* e, PersistErr* err);
// Save points, scheduled snapshots, rewriting a log that has grown. From engine_cron.
void persistence_cron(Engine* e);
// Before anything is stopped: ends what is under way, holds back network clients' writes, syncs the
// log, writes a last snapshot (as in persistence_close). False: something failed (logged), and
// `force` is false: everything goes on as if nothing had been asked. REQUIRES: not pinned.
bool persistence_prepare_stop(Engine* e, LastSave asked, bool force);
// The store is served again after all.
void persistence_stop_over(Engine* e);
// Ends what is under way, writes a last snapshot (a server with save points, or asked to), closes
// the log, unless persistence_prepare_stop has done so and nothing was changed since. False:
// something could not be written (logged). REQUIRES: nobody executes commands any more.
bool persistence_close(Engine* e);

// SAVE: waits, REQUIRES: not pinned, nothing held. False: failed or busy.
bool persistence_save_now(Engine* e, SnapshotAsked* asked);
// The cut comes when its thread gets the gate: inside EXEC, once that is over.
SnapshotAsked persistence_save(Engine* e, bool schedule);  // BGSAVE
SnapshotAsked persistence_rewrite(Engine* e);              // BGREWRITEAOF
// Until no snapshot is under way; save_ok and rewrite_ok say how it went.
void persistence_wait(Engine* e);
void persistence_wait_rewrite(Engine* e);  // the same, of a rewrite only

// Lets all changes go to a log in p->aof_dir. `founding`: see persist/log.h. REQUIRES: not pinned,
// switch_lock (or nobody else is there yet).
[[nodiscard]] bool persistence_open_log(Engine* e, const Manifest* manifest, bool founding,
                                        PersistErr* err);

// ---- log_switch.cc: CONFIG SET appendonly -----------------------------------------------------
// On or off as the setting is now, or soon if this thread is pinned. False: `why` says why not.
bool persistence_switch(Engine* e, const char** why);
void persistence_follow(Engine* e);  // the cron's share of it
// REQUIRES: not pinned, switch_lock, a log. False: not all of it could be written (logged).
bool persistence_log_off(Engine* e);

// After CONFIG SET of appendfsync, aof-timestamp-enabled, appendonly. False: `why` says why not.
bool persistence_apply(Engine* e, const ConfigRow* row, const char** why);
// stop-writes-on-bgsave-error: must writes be refused because the last save failed?
bool persistence_refuses(const Engine* e);
size_t persistence_refusal(Engine* e, char* out, size_t size);  // DispatchHooks.write_refusal

}  // namespace rp
