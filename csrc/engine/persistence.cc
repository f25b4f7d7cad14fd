#include "engine/persistence.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <new>

#include "base/clock.h"
#include "base/log.h"
#include "base/numbers.h"
#include "conf/rows.h"
#include "engine/clients.h"
#include "engine/latency.h"
#include "mem/mem.h"

namespace rp {

constexpr size_t kSavePointsMax = 512;
constexpr int64_t kRetryMs = 5000;  // after a failed save

static int64_t now_s() { return clock_wall_ms() / 1000; }

// ---- settings ---------------------------------------------------------------------------------

static void text_of(const Engine* e, const char* name, char* out, size_t size) {
    config_text(e->config, bytes_of(name), out, size);
}

static bool has_save_points(const Engine* e) {
    char points[kSavePointsMax];
    text_of(e, "save", points, sizeof points);
    return points[0] != '\0';
}

Persistence* persistence_new() { return new (mem_alloc(sizeof(Persistence))) Persistence; }

void persistence_free(Persistence* take) {
    take->~Persistence();
    mem_free(take, sizeof(Persistence));
}

// ---- opening ----------------------------------------------------------------------------------

bool persistence_open(Engine* e, bool serving, PersistErr* err) {
    Persistence* p = e->persistence;
    char aof_name[kPathMax];
    text_of(e, "dir", p->dir, sizeof p->dir);
    if (p->dir[0] == '\0') snprintf(p->dir, sizeof p->dir, ".");
    text_of(e, "appenddirname", aof_name, sizeof aof_name);
    text_of(e, "appendfilename", p->appendfilename, sizeof p->appendfilename);
    p->serving = serving;
    bool on = serving || config_num(e->config->appendonly) != 0;
    p->on.store(on, std::memory_order_relaxed);
    // An embedded store that nobody gave a path has the current directory as its `dir`.
    char here[kPathMax];
    p->named = on || getcwd(here, sizeof here) == nullptr || strcmp(p->dir, here) != 0;
    p->last_save_s.store(now_s(), std::memory_order_relaxed);
    if (!path_join(p->aof_dir, p->dir, aof_name)) {
        snprintf(err->text, sizeof err->text, "'dir': the path is too long: %.900s", p->dir);
        return false;
    }
    bool writes = config_num(e->config->appendonly) != 0 || (serving && has_save_points(e));
    if (writes && !dir_lock(p->dir, &p->lock_fd, err)) return false;
    // Until persistence_load is done nobody is shown data that are not all there.
    e->core.loading.store(on, std::memory_order_release);
    return true;
}

struct Replayer {
    Session session;
    Worker worker;
};

static Replayer* replayer_new(Engine* e) {
    auto* r = new (mem_alloc(sizeof(Replayer))) Replayer;
    worker_init(&r->worker);
    r->worker.slot = epoch_slot();
    r->session.engine = e;
    r->session.worker = &r->worker;
    r->session.embedded = true;
    r->session.replay = true;
    return r;
}

static void replayer_free(Replayer* r) {
    multi_clear(&r->session.multi);
    out_clear(&r->session.out);
    worker_deinit(&r->worker);
    r->~Replayer();
    mem_free(r, sizeof(Replayer));
}

// The directory of the log is there after this, even after a power cut.
static bool make_log_dir(const Persistence* p, PersistErr* err) {
    const FileOps* f = p->files;
    int code = f->make_dir(f->arg, p->aof_dir);
    if (code == 0) code = f->sync_dir(f->arg, p->dir);
    if (code == 0) return true;
    snprintf(err->text, sizeof err->text, "%.900s: cannot be made: %s", p->aof_dir,
             strerror(-code));
    return false;
}

bool persistence_open_log(Engine* e, const Manifest* manifest, bool founding, PersistErr* err) {
    Persistence* p = e->persistence;
    if (!make_log_dir(p, err)) return false;
    LogOptions o;
    o.files = p->files;
    o.dir = p->aof_dir;
    o.appendfilename = p->appendfilename;
    o.policy = static_cast<FsyncPolicy>(config_num(e->config->appendfsync));
    o.timestamps = config_num(e->config->aof_timestamp_enabled) != 0;
    o.wake = engine_log_moved;
    o.wake_arg = e;
    o.latency = latency_hook;
    o.latency_arg = e;
    o.founding = founding;
    Status s = p->kept != nullptr ? log_reopen(p->kept, o, manifest, err)
                                  : log_open(o, manifest, &p->kept, err);
    if (s != Status::ok) return false;
    p->log.store(p->kept, std::memory_order_release);
    engine_set_journal(e, log_journal(p->kept));
    return true;
}

static bool open_log(Engine* e, const Manifest* manifest, PersistErr* err) {
    Persistence* p = e->persistence;
    bool first = manifest->count == 0;
    if (!persistence_open_log(e, manifest, first, err)) return false;
    // A log without a base is complete only together with what was there before it.
    if (manifest_base(manifest) != nullptr) return true;
    if (persistence_rewrite(e) == SnapshotAsked::started) {
        persistence_wait(e);
        if (p->rewrite_ok.load(std::memory_order_relaxed)) return true;
    }
    snprintf(err->text, sizeof err->text, "%.900s: the first base of the log could not be written",
             p->aof_dir);
    return false;
}

bool persistence_load(Engine* e, PersistErr* err) {
    Persistence* p = e->persistence;
    if (!p->on) return true;
    char dbfilename[kAofNameMax];
    text_of(e, "dbfilename", dbfilename, sizeof dbfilename);
    bool logs = config_num(e->config->appendonly) != 0;
    Replayer* r = replayer_new(e);
    LoadOptions o;
    o.files = p->files;
    o.dir = p->dir;
    o.dbfilename = dbfilename;
    o.aof_dir = logs ? p->aof_dir : nullptr;
    o.appendfilename = p->appendfilename;
    o.truncated_ok = config_num(e->config->aof_load_truncated) != 0;
    o.checksum = config_num(e->config->rdbchecksum) != 0;
    o.limits = rdb_limits(e->config);
    o.session = &r->session;
    o.cancel = &p->stop_loading;
    Manifest manifest;
    p->load.start_s.store(now_s(), std::memory_order_relaxed);
    p->load.loading.store(true, std::memory_order_relaxed);
    bool ok = load_store(o, &p->load, &manifest, err);
    replayer_free(r);
    ok = ok && (!logs || open_log(e, &manifest, err));
    manifest_free(&manifest);
    p->load.loading.store(false, std::memory_order_relaxed);
    if (ok) e->core.loading.store(false, std::memory_order_release);
    return ok;
}

// ---- snapshots --------------------------------------------------------------------------------

static uint64_t changes_now(Engine* e) {
    EngineTotals t;
    engine_worker_totals(e, &t);
    return t.changes;
}

static void note_end(Persistence* p, std::atomic<bool>* under_way) {
    under_way->store(false, std::memory_order_release);
    p->ended.fetch_add(1, std::memory_order_release);
    futex_wake_all(&p->ended);
}

static bool is_under_way(const Persistence* p) {
    return p->saving.load(std::memory_order_acquire) ||
           p->rewriting.load(std::memory_order_acquire);
}

// On the snapshot's thread. The lock is not held: whoever reaps it holds it.
static void save_done(void* arg, bool ok, const char* why) {
    auto* e = static_cast<Engine*>(arg);
    Persistence* p = e->persistence;
    int64_t now = now_s();
    int64_t took = now - p->started_s.load(std::memory_order_relaxed);
    p->last_save_took_s.store(took, std::memory_order_relaxed);
    if (ok) {
        p->changes_at_save.store(p->changes_at_cut, std::memory_order_relaxed);
        p->last_save_s.store(now, std::memory_order_relaxed);
        p->saves.fetch_add(1, std::memory_order_relaxed);
        RP_LOG_NOTICE("DB saved on disk");
    } else {
        RP_LOG_WARNING("Saving the snapshot failed: %s", why);
    }
    p->save_ok.store(ok, std::memory_order_relaxed);
    e->core.refuses_writes.store(persistence_refuses(e), std::memory_order_relaxed);
    note_end(p, &p->saving);
}

static void rewrite_done(void* arg, bool ok, const char* why) {
    auto* e = static_cast<Engine*>(arg);
    Persistence* p = e->persistence;
    int64_t took = now_s() - p->started_s.load(std::memory_order_relaxed);
    p->last_rewrite_took_s.store(took, std::memory_order_relaxed);
    if (ok) {
        p->rewrites.fetch_add(1, std::memory_order_relaxed);
        RP_LOG_NOTICE("The append-only log was rewritten in %lld s", static_cast<long long>(took));
    } else {
        RP_LOG_WARNING("Rewriting the append-only log failed: %s", why);
    }
    p->rewrite_ok.store(ok, std::memory_order_relaxed);
    note_end(p, &p->rewriting);
}

// REQUIRES lock. A finished snapshot leaves its place.
static bool place_is_free(Persistence* p) {
    if (p->snapshot == nullptr) return true;
    if (is_under_way(p)) return false;
    SnapshotProgress progress;
    snapshot_progress(p->snapshot, &progress);
    p->last_saved_bytes.store(progress.saved_bytes_peak, std::memory_order_relaxed);
    snapshot_finish(p->snapshot);
    p->snapshot = nullptr;
    return true;
}

// REQUIRES lock, a free place.
static SnapshotAsked start(Engine* e, SnapshotGoal goal) {
    Persistence* p = e->persistence;
    char dbfilename[kAofNameMax];
    text_of(e, "dbfilename", dbfilename, sizeof dbfilename);
    bool rewrite = goal == SnapshotGoal::aof_base;
    SnapshotOptions o;
    o.files = p->files;
    o.goal = goal;
    o.dir = rewrite ? p->aof_dir : p->dir;
    o.name = rewrite ? p->appendfilename : dbfilename;
    o.log = rewrite ? p->log.load(std::memory_order_acquire) : nullptr;
    o.compress = config_num(e->config->rdbcompression) != 0;
    o.checksum = config_num(e->config->rdbchecksum) != 0;
    o.head = {.ctime_s = now_s(),
              .used_mem = mem_used(),
              .repl_id = e->replid,
              .repl_offset = 0,
              .aof_base = rewrite};
    o.done = rewrite ? rewrite_done : save_done;
    o.done_arg = e;
    o.wake = engine_wake_clients;
    o.wake_arg = e;
    p->started_s.store(now_s(), std::memory_order_relaxed);
    p->changes_at_cut = changes_now(e);
    std::atomic<bool>* flag = rewrite ? &p->rewriting : &p->saving;
    flag->store(true, std::memory_order_relaxed);
    if (snapshot_start(&e->core.store, o, &p->snapshot) == Status::ok) {
        return SnapshotAsked::started;
    }
    flag->store(false, std::memory_order_relaxed);
    RP_LOG_WARNING("A snapshot could not be started");
    return SnapshotAsked::failed;
}

static SnapshotAsked busy(const Persistence* p) {
    bool rewriting = p->rewriting.load(std::memory_order_relaxed);
    return rewriting ? SnapshotAsked::busy_rewrite : SnapshotAsked::busy_save;
}

SnapshotAsked persistence_save(Engine* e, bool schedule) {
    Persistence* p = e->persistence;
    MutexGuard guard(&p->lock);
    if (place_is_free(p)) return start(e, SnapshotGoal::file);
    if (busy(p) == SnapshotAsked::busy_save || !schedule) return busy(p);
    p->save_scheduled = true;
    return SnapshotAsked::scheduled;
}

SnapshotAsked persistence_rewrite(Engine* e) {
    Persistence* p = e->persistence;
    MutexGuard guard(&p->lock);
    if (p->log.load(std::memory_order_acquire) == nullptr) return SnapshotAsked::no_log;
    if (place_is_free(p)) return start(e, SnapshotGoal::aof_base);
    if (busy(p) == SnapshotAsked::busy_rewrite) return SnapshotAsked::busy_rewrite;
    p->rewrite_scheduled = true;
    return SnapshotAsked::scheduled;
}

// Without the lock: the cron and INFO go on meanwhile.
static void wait_while(Persistence* p, bool (*under_way)(const Persistence*)) {
    for (;;) {
        uint32_t seen = p->ended.load(std::memory_order_acquire);
        if (!under_way(p)) return;
        futex_wait(&p->ended, seen);
    }
}

void persistence_wait(Engine* e) { wait_while(e->persistence, is_under_way); }

void persistence_wait_rewrite(Engine* e) {
    wait_while(e->persistence,
               [](const Persistence* p) { return p->rewriting.load(std::memory_order_acquire); });
}

bool persistence_save_now(Engine* e, SnapshotAsked* asked) {
    *asked = persistence_save(e, false);
    if (*asked != SnapshotAsked::started) return false;
    persistence_wait(e);
    return e->persistence->save_ok.load(std::memory_order_relaxed);
}

// ---- by itself --------------------------------------------------------------------------------

// Is a save point of "seconds changes seconds changes ..." reached?
static bool save_due(Engine* e) {
    Persistence* p = e->persistence;
    char points[kSavePointsMax];
    text_of(e, "save", points, sizeof points);
    uint64_t made = changes_now(e) - p->changes_at_save.load(std::memory_order_relaxed);
    int64_t passed = now_s() - p->last_save_s.load(std::memory_order_relaxed);
    long long seconds;
    unsigned long long changes;
    int used;
    for (const char* at = points; sscanf(at, "%lld %llu%n", &seconds, &changes, &used) == 2;
         at += used) {
        if (made >= changes && passed > seconds) return true;
    }
    return false;
}

static bool rewrite_due(Engine* e) {
    Log* log = e->persistence->log.load(std::memory_order_acquire);
    int64_t percent = config_num(e->config->auto_aof_rewrite_percentage);
    if (log == nullptr) return false;
    if (log_is_founding(log)) return true;  // the first try failed
    LogStats s;
    log_stats(log, &s);
    if (s.needs_rewrite) return true;  // nothing else ends its MISCONF
    if (percent == 0) return false;
    auto min_size = static_cast<uint64_t>(config_num(e->config->auto_aof_rewrite_min_size));
    if (s.total_bytes < min_size) return false;
    uint64_t base = s.base_bytes != 0 ? s.base_bytes : 1;
    return (s.total_bytes - base) * 100 / base >= static_cast<uint64_t>(percent);
}

void persistence_cron(Engine* e) {
    Persistence* p = e->persistence;
    if (p->load.loading.load(std::memory_order_relaxed)) return;
    persistence_follow(e);
    if (!p->on) return;
    if (e->cron_ticks.load(std::memory_order_relaxed) % 8 != 0) return;
    MutexGuard guard(&p->lock);
    if (!place_is_free(p)) return;
    int64_t now_ms = clock_mono_ms();
    auto may_try = [now_ms](const std::atomic<bool>& went_well, int64_t tried_ms) {
        return went_well.load(std::memory_order_relaxed) || now_ms - tried_ms > kRetryMs;
    };
    bool save = p->serving && may_try(p->save_ok, p->save_tried_ms) && save_due(e);
    bool rewrite = may_try(p->rewrite_ok, p->rewrite_tried_ms) && rewrite_due(e);
    if (p->rewrite_scheduled || rewrite) {
        p->rewrite_scheduled = false;
        p->rewrite_tried_ms = now_ms;
        start(e, SnapshotGoal::aof_base);
    } else if (p->save_scheduled || save) {
        p->save_scheduled = false;
        p->save_tried_ms = now_ms;
        start(e, SnapshotGoal::file);
    }
}

// ---- the end ----------------------------------------------------------------------------------

constexpr int64_t kLastWriteMs = 1500;  // for the log to try once more

static bool save_at_end(Engine* e) {
    if (!e->persistence->serving || e->core.loading.load(std::memory_order_relaxed)) return false;
    LastSave asked = e->persistence->last_save.load(std::memory_order_relaxed);
    if (asked != LastSave::by_save_points) return asked == LastSave::yes;
    return has_save_points(e);
}

static void end_snapshot(Engine* e) {
    Persistence* p = e->persistence;
    mutex_lock(&p->lock);
    if (p->snapshot != nullptr) snapshot_cancel(p->snapshot);
    p->save_scheduled = p->rewrite_scheduled = false;
    mutex_unlock(&p->lock);
    persistence_wait(e);
}

static bool settle_log(const Persistence* p) {
    Log* log = p->log.load(std::memory_order_acquire);
    if (log == nullptr) return true;
    if (log_is_founding(log)) {
        RP_LOG_WARNING("Writing initial AOF, can't exit.");
        return false;
    }
    if (log_flush(log, kLastWriteMs)) return true;
    RP_LOG_WARNING("The append-only file could not be written or synced to its end, can't exit.");
    return false;
}

static bool save_last(Engine* e) {
    if (!save_at_end(e)) return true;
    SnapshotAsked asked;
    if (persistence_save_now(e, &asked)) return true;
    RP_LOG_WARNING("Error trying to save the DB, can't exit.");
    return false;
}

bool persistence_prepare_stop(Engine* e, LastSave asked, bool force) {
    Persistence* p = e->persistence;
    if (!p->on || e->core.loading.load(std::memory_order_acquire)) return true;
    MutexGuard guard(&p->stop_lock);
    LastSave before = p->last_save.exchange(asked);
    pause_for_stop(e, true);
    // A rewrite that founds the log is not ended: without it nothing of the log would count.
    const Log* log = p->log.load(std::memory_order_acquire);
    bool founds = log != nullptr && log_is_founding(log) && !force;
    if (!founds) end_snapshot(e);
    bool ok = settle_log(p) && save_last(e);
    if (!ok && !force) {
        RP_LOG_WARNING(
            "Errors trying to shut down the server. Check the logs for more information.");
        p->last_save.store(before);
        pause_for_stop(e, false);
        return false;
    }
    if (!ok) RP_LOG_WARNING("Stopping all the same, as asked");
    p->prepared.store(true);
    return true;
}

void persistence_stop_over(Engine* e) {
    e->persistence->prepared.store(false);
    e->persistence->last_save.store(LastSave::by_save_points);
    pause_for_stop(e, false);
}

// What in-process callers have changed since.
static bool changed_since_prepared(Engine* e) {
    return changes_now(e) != e->persistence->changes_at_save.load(std::memory_order_relaxed);
}

bool persistence_close(Engine* e) {
    Persistence* p = e->persistence;
    bool ok = true;
    if (p->on) {
        end_snapshot(e);
        SnapshotAsked asked;
        bool done = p->prepared.load() && (!p->save_ok || !changed_since_prepared(e));
        if (save_at_end(e) && !done) ok = persistence_save_now(e, &asked);
        MutexGuard guard(&p->lock);
        bool is_free = place_is_free(p);
        RP_ASSERT(is_free);
    }
    p->log.store(nullptr, std::memory_order_release);
    if (p->kept != nullptr) {
        engine_set_journal(e, nullptr);
        ok = log_close(p->kept) && ok;
        p->kept = nullptr;
    }
    if (p->lock_fd >= 0) dir_unlock(p->lock_fd);
    p->lock_fd = -1;
    return ok;
}

bool persistence_apply(Engine* e, const ConfigRow* row, const char** why) {
    Persistence* p = e->persistence;
    Log* log = p->log.load(std::memory_order_acquire);
    if (row->num == &Config::appendonly) return persistence_switch(e, why);
    e->core.refuses_writes.store(persistence_refuses(e), std::memory_order_relaxed);
    if (log == nullptr) return true;
    if (row->num == &Config::appendfsync) {
        log_set_policy(log, static_cast<FsyncPolicy>(config_num(e->config->appendfsync)));
    } else if (row->num == &Config::aof_timestamp_enabled) {
        log_set_timestamps(log, config_num(e->config->aof_timestamp_enabled) != 0);
    }
    return true;
}

size_t persistence_refusal(Engine*, char* out, size_t size) {
    int n = snprintf(out, size,
                     "MISCONF Redis is configured to save RDB snapshots, but it's currently unable "
                     "to persist to disk. Commands that may modify the data set are disabled, "
                     "because this instance is configured to report errors during writes if RDB "
                     "snapshotting fails (stop-writes-on-bgsave-error option). Please check the "
                     "Redis logs for details about the RDB error.");
    return static_cast<size_t>(n) < size ? static_cast<size_t>(n) : size - 1;
}

bool persistence_refuses(const Engine* e) {
    const Persistence* p = e->persistence;
    return p->serving && !p->save_ok.load(std::memory_order_relaxed) &&
           config_num(e->config->stop_writes_on_bgsave_error) != 0 && has_save_points(e);
}

}  // namespace rp
