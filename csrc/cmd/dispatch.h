// cmd/dispatch.h: THE executor. Sockets, Python, (later) scripts and replay all come through here.
//
//   command -> row -> arity, auth -> memory -> pause? -> MULTI queue? -> keys -> one of five rules
//
//   R1 single-key write    lock the segment, run, unlock
//   R2 single-key read     run without lock; txn changed or need_lock: rewind the reply, run again,
//                          after kReadTries with the lock
//   R3 multi-key write,    segments ascending locked, txn odd on all, run, txn even, unlock
//      EXEC
//   R4 multi-key read      versions before and after; after kReadTries the locks in order
//   R5 exclusive           the gate (store/gate.h)
//
// A read of a client that tracks (engine/tracking.h) runs with the locks of R4's last resort: its
// interest in the keys is noted before a writer can have them.
//
// Whatever may write does so in an open record of the log (store/journal.h): its number is drawn
// under the locks and before the command runs, its effect added when it has run.
//
// Lock order  gate, then segments by (database, index) ascending, nothing else (I4, I7).
// Threads     any thread with its own Worker; a Session is used by one thread at a time.
#pragma once
#include "base/histogram.h"
#include "cmd/ctx.h"
#include "cmd/rename.h"
#include "store/journal.h"

namespace rp {

constexpr int kReadTries = 3;
constexpr size_t kBatchMax = 64;

// Calls and time (clock_ticks) of one command on one worker; index = row number.
struct CmdStat {
    std::atomic<uint64_t> calls{0}, ticks{0}, rejected{0}, failed{0};
    std::atomic<Histogram*> times{nullptr};  // owned; null until it was called and timed
};

// One per row. Freed by cmd_stats_free, with their histograms.
CmdStat* cmd_stats_new();
void cmd_stats_free(CmdStat* take);

constexpr size_t kGarbageMax = 64;

// What one executing thread owns: its epoch slot, scratch space and counters. Loops have one each;
// an in-process caller has one per session. Never shared between threads at one time.
struct Worker {
    EpochSlot* slot = nullptr;  // of the thread that runs now (embedded: refreshed at each call)
    StoreStats stats;
    LogVoice voice;
    std::atomic<uint64_t> commands{0};
    std::atomic<uint64_t> changes{0};           // keys changed: INFO rdb_changes_since_last_save
    std::atomic<uint64_t> reads{0}, writes{0};  // of sockets
    // A loop's: the longest it has kept itself from polling. CONFIG RESETSTAT stores 0.
    std::atomic<uint64_t> gap_max_us{0};
    CmdStat* cmd_stats = nullptr;  // one per row, see command_count()
    uint32_t closely = 0;          // so many commands are timed by themselves (cmd/timing.h)
    // Scratch for key hashes and lock sets; grown on demand, trimmed when large.
    KeyHash* hashes = nullptr;
    size_t hashes_cap = 0;
    struct LockRef* locks = nullptr;
    size_t locks_cap = 0;
    // Tables a FLUSH took: freed once the gate is open again.
    Table* garbage[kGarbageMax] = {};
    size_t garbage_count = 0;
    bool garbage_later = false;  // ASYNC: by the engine's reaper
    int64_t crawl_us = 0;        // engine_crawl: its slice, 0 = the shortest
    std::atomic<uint64_t> expire_us{0}, expire_cuts{0};  // its time; slices that were too short
    Worker* next = nullptr;                              // engine's list
};
void worker_init(Worker* w);
void worker_deinit(Worker* w);

// ---- the command table ------------------------------------------------------------------------
// Families end with a row whose name is null. Called once at start, before any thread.
void commands_register(const Cmd* family);
CmdRef command_find(Bytes name);  // top level, case-insensitive
// The same by the names that clients of this engine use.
inline CmdRef command_find_as(const Renames* renames, Bytes name) {
    return RP_LIKELY(renames == nullptr) ? command_find(name) : renames_find(renames, name);
}
CmdRef command_find_sub(const CmdRef* parent, Bytes word);
size_t command_count();  // rows with stats, subcommands included
// Every top-level row in registration order.
const Cmd* command_at(size_t i);
size_t command_top_count();
CmdRef command_by_index(uint32_t index);

// ---- running ----------------------------------------------------------------------------------
enum class Ran : uint8_t {
    done,
    paused,  // not executed, session->paused_by says why: present it again when that is over
    close,   // send what is in out, then close
};

// Executes up to n commands of one session in order; replies go to session->out. *ran = how many
// were executed. Stops early on paused/close, and (done) above s->out_stop unsent bytes. Pins and
// unpins; REQUIRES: not pinned.
Ran execute_batch(Session* s, Command* commands, size_t n, size_t* ran);
// One command.
Ran execute(Session* s, Command* command);

// Runs one queued command inside EXEC (locks are held); used by txn.cc.
void execute_locked(CmdCtx* exec, QueuedCmd* q);

// What has been logged is handed over, and the session's replies rest on it.
inline void ctx_rest(CmdCtx* c, LogVoice* v) {
    if (v->rests_on != 0) c->session->wrote = c->session->rests_on = v->rests_on;
    v->rests_on = 0;  // it is this session's, not that of the next one in this turn
}
// Whoever goes on to something that may take long does it now: no number is acknowledged before
// the lower ones, whosever they are.
inline void ctx_submit_now(CmdCtx* c) {
    if (RP_LIKELY(c->a.log == nullptr)) return;
    ctx_rest(c, c->a.log);
    journal_submit(c->a.log);
}
inline void ctx_submit(CmdCtx* c) {
    LogVoice* v = c->a.log;
    if (RP_LIKELY(v == nullptr)) return;
    ctx_rest(c, v);
    if (v->later && !journal_due(v) && !gate_wanted(&c->store->gate)) {
        v->waits = true;
    } else {
        journal_submit(v);
    }
}
// The log is turned on and off behind the closed gate: looked at whenever that was entered.
inline void ctx_find_log(CmdCtx* c) {
    LogVoice* voice = &c->worker->voice;
    c->a.log = voice->journal != nullptr && !c->session->replay ? voice : nullptr;
}
inline void ctx_enter(CmdCtx* c) {
    gate_enter(&c->store->gate, c->worker->slot);
    ctx_find_log(c);
}
inline void ctx_leave(CmdCtx* c) {
    ctx_submit(c);  // J4
    gate_leave(c->worker->slot);
}

constexpr size_t kRejectionMax = 512;

// Why a command is not run, without the leading '-'.
struct Rejection {
    char text[kRejectionMax];
    size_t len;
};

// ---- hooks filled by engine/ ------------------------------------------------------------------
struct DispatchHooks {
    // Of a guarded session: may it run this? Else *why. Called before anything is locked, and again
    // inside EXEC.
    bool (*admit)(CmdCtx* c, const CmdRef* ref, Args argv, Rejection* why) = nullptr;
    // CLIENT PAUSE: must this command wait now?
    bool (*is_paused)(Engine* e, const Session* s, const Cmd* row);
    // An error reply left: errorstats. `code` is its first word.
    void (*count_error)(Engine* e, Bytes code);
    // FLUSH* ASYNC: frees the table on another thread. Null: it is freed at once.
    void (*free_later)(Engine* e, Table* take);
    // Why writes are refused: while EngineCore.refuses_writes. Without '-'; returns its length.
    size_t (*write_refusal)(Engine* e, char* out, size_t size) = nullptr;
    // A command took as long as slow_ticks; inside EXEC its locks are held, so only a lock that is
    // a leaf may be taken.
    void (*on_slow)(Engine* e, const Session* s, const CmdRef* ref, Args argv,
                    uint64_t ns) = nullptr;
    // Something other than a command took `us`: LATENCY. As on_slow.
    void (*on_latency)(Engine* e, const char* event, int64_t us) = nullptr;
    // Of a client that tracks: it has read this key, whose segment is still held.
    void (*on_read)(CmdCtx* c, const KeyHash* key) = nullptr;
    // While Store.tracked: what a turn has changed is done.
    void (*on_turn)(Engine* e) = nullptr;
    // MONITOR: a command has run. Called while EngineCore.monitors != 0.
    void (*on_command)(CmdCtx* c, const Cmd* row, Args argv);
};
// What dispatch needs of the engine, as its first member (engine/engine.h).
struct EngineCore {
    Store store;
    Config* config = nullptr;
    DispatchHooks hooks;
    // rename-command; null: none. Constant once sessions are there.
    const Renames* renames = nullptr;
    // The data are not all there yet: commands without kCmdLoading are told so.
    std::atomic<bool> loading{false};
    // 0 none, 1 writes, 2 all: checked before the hook is called.
    std::atomic<uint32_t> pause_state{0};
    // Mailboxes with too much in them (cmd/mailbox.h): whoever may publish waits.
    std::atomic<uint32_t> mail_full{0};
    std::atomic<uint32_t> monitors{0};
    // MISCONF for another reason than the log's (which says so itself, Journal.refuses): a snapshot
    // that failed, stop-writes-on-bgsave-error.
    std::atomic<bool> refuses_writes{false};
    // What a slow command is: the lower of slowlog-log-slower-than and latency-monitor-threshold.
    std::atomic<uint64_t> slow_ticks{UINT64_MAX};
    // So little that each command has to be timed by itself.
    std::atomic<bool> slow_is_short{false};
    // The log, or null. engine_set_journal changes it, and all voices, behind the closed gate.
    std::atomic<Journal*> journal{nullptr};
};
inline EngineCore* engine_core(Engine* e) { return reinterpret_cast<EngineCore*>(e); }
// The names this session uses. The log has the commands' own, and so has who shares the process.
inline const Renames* session_renames(const Session* s) {
    const Renames* r = engine_core(s->engine)->renames;
    return RP_LIKELY(r == nullptr) || s->replay || s->embedded ? nullptr : r;
}

}  // namespace rp
