// engine/engine.h: the whole store in one struct: databases, settings, clients, workers. No
// globals: a process may hold several engines.
//
// Ownership  engine_open/engine_close. Sessions and workers are registered, not owned.
// Threads    any for everything here unless said otherwise.
#pragma once
#include "cmd/dispatch.h"
#include "conf/config.h"

namespace rp {

// The largest input and output buffer that was seen in one second.
constexpr size_t kPeakSeconds = 8;
struct ClientPeak {
    int64_t second;
    uint64_t in, out;
};

// Every session of the engine, so that CLIENT LIST and CLIENT KILL can see them.
struct Clients {
    Mutex lock;
    Session* head = nullptr;  // by ascending id
    Session* tail = nullptr;
    size_t count = 0;                    // under lock
    std::atomic<uint64_t> connected{0};  // network clients
    std::atomic<uint64_t> next_id{1};
    std::atomic<uint64_t> received{0}, rejected{0}, evicted{0};
    // The largest buffers of the last kPeakSeconds seconds, by second.
    ClientPeak peaks[kPeakSeconds] = {};                        // under lock
    std::atomic<uint64_t> closed_net_in{0}, closed_net_out{0};  // of sessions that are gone
};

// CLIENT PAUSE: until when (monotonic ms; 0 = none) and what.
struct Pause {
    Mutex lock;
    std::atomic<int64_t> until_ms{0};
    std::atomic<bool> all{false};  // else writes only
};

// errorstats: code -> count. At most kErrorCodesMax codes, the rest is counted as "OTHER".
constexpr size_t kErrorCodesMax = 64;
struct ErrorStats {
    Mutex lock;
    struct {
        char code[32];
        uint64_t count;
    } items[kErrorCodesMax];
    size_t used = 0;
    std::atomic<uint64_t> total{0};
};

// A pointer that one thread sets while others may look: who sees it set sees what was set before.
template <typename T>
struct Published {
    std::atomic<T> value{nullptr};
    Published& operator=(T v) {
        value.store(v, std::memory_order_release);
        return *this;
    }
    Published& operator=(const Published& other) { return *this = static_cast<T>(other); }
    operator T() const { return value.load(std::memory_order_acquire); }
    template <typename U>
    explicit operator U*() const {
        return static_cast<U*>(value.load(std::memory_order_acquire));
    }
};

// What the engine asks of the transport; filled by net/ (`net` first, for the loops run already and
// in-process callers may, too), null in a purely embedded store.
struct NetHooks {
    Published<void*> net;
    // Another thread set s->kill (or the pause ended): look at your sessions soon. Any thread.
    Published<void (*)(void* net)> wake_all;
    // The log has acknowledged more, or has room again. The log's threads; must not block.
    Published<void (*)(void* net)> log_moved;
    // SHUTDOWN: stop accepting, finish, close in order. Any thread; returns at once.
    Published<void (*)(void* net)> request_stop;
    // After CONFIG SET of a listed setting (port, bind, maxclients, io limits). False: veto, *why
    // set.
    Published<bool (*)(void* net, const char* setting, const char** why)> apply;
    // Memory of connections: read buffers and unsent replies.
    Published<uint64_t (*)(void* net)> buffer_bytes;
    // The TCP port in use, 0 without one. Null: the setting's.
    Published<int (*)(void* net)> port;
};

enum class StopState : uint32_t { running, requested };

// Sums over workers and sessions, gone ones included, since the start or CONFIG RESETSTAT.
struct EngineTotals {
    uint64_t commands = 0, hits = 0, misses = 0, expired = 0, evicted = 0;
    uint64_t read_retries = 0, read_locked = 0;
    uint64_t net_in = 0, net_out = 0;
    uint64_t reads = 0, writes = 0, expire_us = 0, expire_cuts = 0;
    uint64_t changes = 0;          // keys changed since the start: RESETSTAT keeps it
    uint64_t loop_gap_max_us = 0;  // the longest of all loops
};
struct CmdTotals {
    uint64_t calls = 0, nsec = 0, rejected = 0, failed = 0;
};

// A rate: the mean of the last 16 samples, as in Redis.
constexpr size_t kRateSamples = 16;
struct Rate {
    uint64_t samples[kRateSamples] = {};
    size_t next = 0;
    int64_t at_ms = 0;  // of the last sample; 0 = none yet
    uint64_t last = 0;  // the counter then
};

struct Acl;
struct Reaper;
struct Persistence;
struct PubSub;
struct Tracking;

struct Engine {
    EngineCore core;           // first member: see engine_core()
    Config* config = nullptr;  // owned
    Clients clients;
    Pause pause;
    ErrorStats errors;
    NetHooks net;
    Mutex
        log_moved_lock;  // threads of log and snapshot are in a hook of `net`: it may not be freed
    std::atomic<StopState> stop{StopState::running};
    // Constant after engine_open.
    char run_id[41] = {};
    int64_t startup_used = 0;  // mem_used() when the engine was open and empty
    int64_t start_wall_s = 0;
    int64_t start_mono_ms = 0;
    uint32_t fork_generation = 0;  // differs in a forked child: the engine is foreign there
    char replid[41] = {};          // master_replid; changes behind the gate
    // Workers, for summing counters.
    Mutex workers_lock;
    Worker* workers = nullptr;
    Journal* voices_to = nullptr;  // whom they all speak to; under workers_lock
    StoreStats retired_stats;      // of workers that are gone; under workers_lock
    CmdStat* retired_cmd_stats = nullptr;
    std::atomic<uint64_t> retired_commands{0};
    std::atomic<uint64_t> retired_changes{0};
    std::atomic<uint64_t> retired_reads{0}, retired_writes{0};
    std::atomic<uint64_t> retired_expire_us{0}, retired_expire_cuts{0};
    // Cron-sampled (engine/cron.cc).
    std::atomic<uint64_t> ops_per_sec{0}, in_per_sec{0}, out_per_sec{0};
    std::atomic<uint64_t> cron_ticks{0};
    Rate ops_rate, in_rate, out_rate;                      // the cron's thread only
    std::atomic<int64_t> excess_since_ms{0};               // over maxmemory since; 0 = not
    std::atomic<uint64_t> excess_ms{0};                    // and so long before
    std::atomic<int64_t> main_sys_us{0}, main_user_us{0};  // processor time of the cron's thread
    std::atomic<double> expired_stale{0};                  // share of the crawled keys
    // What CONFIG RESETSTAT subtracts from the counters, which only their owners may write. Under
    // workers_lock.
    EngineTotals base;
    Acl* acl = nullptr;                   // engine/acl.h
    PubSub* pubsub = nullptr;             // engine/pubsub.h
    Tracking* tracking = nullptr;         // engine/tracking.h
    CmdTotals* base_cmds = nullptr;       // command_count() of them; null: none yet
    HistogramSum** base_times = nullptr;  // likewise; each null or owned
    struct SlowLog* slowlog = nullptr;    // engine/slowlog.h
    struct Latency* latency = nullptr;    // engine/latency.h
    Reaper* reaper = nullptr;             // engine/reaper.h
    Persistence* persistence = nullptr;   // engine/persistence.h
};

// *out: owned by the caller. `take` (loaded settings) is owned by the engine from here on, even on
// failure. Fails with no_memory.
Status engine_open(Config* take, Engine** out);
// REQUIRES: no session is registered, no thread executes. Frees everything.
void engine_close(Engine* e);
// What the settings say beside values: rename-command, users, the aclfile. On failure err->text is
// one line that says where and what. REQUIRES: no session is registered.
[[nodiscard]] bool engine_configure(Engine* e, ConfigErr* err);
// False in a child that inherited the engine by fork(): nothing of it may be used there.
inline bool engine_is_mine(const Engine* e) {
    return e->fork_generation == epoch_fork_generation();
}

// A session becomes visible to CLIENT LIST, gets its id, authentication state and worker.
void engine_add_session(Engine* e, Session* s, Worker* w);
// Also drops its WATCHes and MULTI. REQUIRES: not executing.
void engine_remove_session(Engine* e, Session* s);
void engine_add_worker(Engine* e, Worker* w);
void engine_remove_worker(Engine* e, Worker* w);  // its counters are kept

// Periodic work, `hz` times a second by one thread (loop 0), not pinned. Sampling, peak memory,
// pause end.
void engine_cron(Engine* e);
// The crawling share of each loop: active expiry within its budget. Not pinned.
void engine_crawl(Engine* e, Worker* w);

// A loop's turn has ended: what others wait to hear of its changes is posted to their mailboxes.
inline void engine_end_turn(Engine* e) {
    if (RP_LIKELY(!e->core.store.tracked.load(std::memory_order_relaxed))) return;
    e->core.hooks.on_turn(e);
}

void engine_totals(Engine* e, EngineTotals* out);
void engine_worker_totals(Engine* e, EngineTotals* out);  // the same without traffic: cheap
void engine_command_totals(Engine* e, CmdTotals* out);    // command_count() of them, by row index
// How long the calls of one row took, since the start or CONFIG RESETSTAT.
void engine_command_times(Engine* e, uint32_t index, HistogramSum* out);
void engine_stats_reset(Engine* e);  // CONFIG RESETSTAT

// SHUTDOWN and signals: `stop` becomes requested, who waits on it (futex) is woken, the transport
// is asked to stop. Any thread, but no signal handler; returns at once.
void engine_request_stop(Engine* e);

// In-process callers whose command came back Ran::paused: sleeps until CLIENT PAUSE is over and the
// log has room, the session is killed or a stop is requested; then present the command again.
// REQUIRES: not pinned.
void engine_pause_wait(Engine* e, const Session* s);

// From here on all workers, later ones too, say what they do to this journal; null: to none. Closes
// the gate. REQUIRES: not pinned. Before the old journal goes away no loop may run any more.
void engine_set_journal(Engine* e, Journal* j);
// Half of engine_set_journal(e, null): no changes go to the journal any more, but those whose
// replies rest on it still find it.
void engine_silence(Engine* e);
// LogOptions.wake, with the engine as its argument.
void engine_log_moved(void* engine);

// SnapshotOptions.wake, likewise: clients that wait for a snapshot.
void engine_wake_clients(void* engine);

// Every loop looks at its sessions soon: kill flags, the end of a pause. Any thread of commands or
// the cron; whoever may outlive the loops takes engine_wake_clients.
inline void engine_wake_loops(Engine* e) {
    if (e->net.wake_all != nullptr) e->net.wake_all(e->net.net);
}

// Registers every family once per process (idempotent, thread-safe).
void engine_register_commands();
// docs/commands.md and docs/configuration.md, as markdown into a heap string (free()).
char* engine_commands_markdown();

constexpr const char* kServerVersion =
    "7.0.15";  // what clients are told (redis_version): the behaviour kept

}  // namespace rp
