// CONFIG SET appendonly while the store runs.
//
//   on   lock the directory, found a log (persist/log.h), let all changes go to it, write its base.
//        Until that is published a start finds what was there before.
//   off  no more rewrites, no more changes, write and sync what is left, close. The files stay; the
//        Log stays too, shut, because others may be looking at its numbers, and serves next time.
//
// Behind the closed gate only voices are changed. Whoever is pinned (CONFIG SET inside EXEC) cannot
// do that: then, and while data are being loaded, the cron does it.
#include <cstdio>
#include <cstring>

#include "base/log.h"
#include "engine/persistence.h"

namespace rp {

static bool wanted(const Engine* e) { return config_num(e->config->appendonly) != 0; }
// Loop 0 runs the cron: in a store that nobody serves there is none.
static bool has_cron(const Engine* e) { return e->net.net != nullptr; }

// ---- on ---------------------------------------------------------------------------------------

static bool take_directory(Engine* e, PersistErr* err) {
    Persistence* p = e->persistence;
    if (!p->named) {
        snprintf(err->text, sizeof err->text,
                 "this store is kept in memory only: open it with a path");
        return false;
    }
    if (p->lock_fd < 0 && !dir_lock(p->dir, &p->lock_fd, err)) return false;
    p->on.store(true, std::memory_order_relaxed);
    return true;
}

// A rewrite that is under way, or the next that is started, founds the log. Without a cron this
// waits for it.
static bool found(Engine* e, Log* log, PersistErr* err) {
    Persistence* p = e->persistence;
    for (;;) {
        SnapshotAsked asked = persistence_rewrite(e);
        bool begun = asked == SnapshotAsked::started || asked == SnapshotAsked::scheduled ||
                     asked == SnapshotAsked::busy_rewrite;
        if (begun && has_cron(e)) return true;
        if (begun) persistence_wait(e);
        if (!log_is_founding(log)) return true;
        if (asked == SnapshotAsked::scheduled) continue;  // what was under way is done
        snprintf(err->text, sizeof err->text, "%.900s: the first base of the log could not be %s",
                 p->aof_dir, begun ? "written" : "started");
        return false;
    }
}

static bool turn_on(Engine* e, PersistErr* err) {
    Persistence* p = e->persistence;
    if (!take_directory(e, err)) return false;
    Manifest manifest;
    bool there;
    if (!manifest_load(p->files, p->aof_dir, p->appendfilename, &manifest, &there, err)) {
        return false;
    }
    bool ok = persistence_open_log(e, &manifest, true, err);
    manifest_free(&manifest);
    if (!ok) return false;
    RP_LOG_NOTICE("The append-only log is on; it is complete when its first base is written");
    if (found(e, p->kept, err)) return true;
    persistence_log_off(e);
    return false;
}

// ---- off --------------------------------------------------------------------------------------

static void end_rewrite(Engine* e) {
    Persistence* p = e->persistence;
    bool ok_before = p->rewrite_ok.load(std::memory_order_relaxed), cancelled = false;
    mutex_lock(&p->lock);
    p->log.store(nullptr, std::memory_order_release);  // no new one
    p->rewrite_scheduled = false;
    if (p->snapshot != nullptr && p->rewriting.load(std::memory_order_acquire)) {
        snapshot_cancel(p->snapshot);
        cancelled = true;
    }
    mutex_unlock(&p->lock);
    persistence_wait_rewrite(e);
    // As in Redis it did not fail, it was ended.
    if (cancelled && ok_before) p->rewrite_ok.store(true, std::memory_order_relaxed);
}

bool persistence_log_off(Engine* e) {
    Persistence* p = e->persistence;
    end_rewrite(e);
    engine_silence(e);
    bool whole = log_shut(p->kept);  // whoever waits for a number has it now
    engine_set_journal(e, nullptr);
    engine_wake_loops(e);
    RP_LOG_NOTICE("The append-only log is off; its files stay as they are");
    return whole;
}

// ---- the setting ------------------------------------------------------------------------------

// True: as the setting wants it.
static bool follow(Engine* e, PersistErr* err) {
    Persistence* p = e->persistence;
    MutexGuard guard(&p->switch_lock);
    if (wanted(e) == (p->log.load(std::memory_order_acquire) != nullptr)) return true;
    if (wanted(e)) return turn_on(e, err);
    persistence_log_off(e);
    return true;
}

bool persistence_switch(Engine* e, const char** why) {
    static thread_local PersistErr err;
    Persistence* p = e->persistence;
    bool loading = e->core.loading.load(std::memory_order_acquire);
    if (loading || epoch_pinned(epoch_slot())) {
        if (!has_cron(e)) {
            *why = "it cannot be part of a transaction of a store that is not served";
            return false;
        }
        p->switch_later.store(true, std::memory_order_release);
        return true;
    }
    if (follow(e, &err)) return true;
    RP_LOG_WARNING("The append-only log cannot be switched on: %s", err.text);
    *why = p->serving ? "Unable to turn on AOF. Check server logs." : err.text;
    return false;
}

void persistence_follow(Engine* e) {
    Persistence* p = e->persistence;
    if (!p->switch_later.load(std::memory_order_relaxed)) return;
    if (!p->switch_later.exchange(false)) return;
    PersistErr err;
    if (follow(e, &err)) return;
    RP_LOG_WARNING("The append-only log cannot be switched on: %s", err.text);
    ConfigErr ignored;
    ConfigPair back = {"appendonly", "no"};
    (void)config_set_many(e->config, &back, 1, true, &ignored);
}

}  // namespace rp
