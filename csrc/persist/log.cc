#include "persist/log.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "persist/log_impl.h"

namespace rp {

static_assert(offsetof(Log, journal) == 0, "log_of");

// ---- handing in -------------------------------------------------------------------------------

static void submit(Journal* j, LogBatch* take) {
    Log* l = log_of(j);
    RP_DCHECK(!l->closing.load(std::memory_order_relaxed));
    LogBatch* newest = l->handed.load(std::memory_order_relaxed);
    do {
        take->next = newest;
    } while (!l->handed.compare_exchange_weak(newest, take, std::memory_order_seq_cst,
                                              std::memory_order_relaxed));
    nap_wake(&l->writer_nap);
}

void log_kick(Log* l) {
    l->kicked.store(true, std::memory_order_seq_cst);
    nap_wake(&l->writer_nap);
}

static void kick_all(Log* l) {
    log_kick(l);
    nap_wake(&l->sync_nap);
    nap_wake(&l->pace_nap);
}

// ---- waiting ----------------------------------------------------------------------------------

void log_notify(Log* l) {
    l->moved.fetch_add(1, std::memory_order_seq_cst);
    if (l->waiters.load(std::memory_order_seq_cst) != 0) futex_wake_all(&l->moved);
    if (l->wake != nullptr) l->wake(l->wake_arg);
}

void log_raise(std::atomic<uint64_t>* n, uint64_t to) {
    uint64_t seen = n->load(std::memory_order_relaxed);
    while (seen < to && !n->compare_exchange_weak(seen, to, std::memory_order_seq_cst)) {}
}

bool log_ack(Log* l) {
    bool always = l->policy.load(std::memory_order_seq_cst) == FsyncPolicy::always;
    uint64_t to = (always ? l->synced_seq : l->written_seq).load(std::memory_order_seq_cst);
    if (to <= l->journal.acked.load(std::memory_order_relaxed)) return false;
    log_raise(&l->journal.acked, to);
    log_notify(l);
    return true;
}

// Until done(l, what), or the time is over.
static bool wait_until(Log* l, bool (*done)(const Log* l, uint64_t what), uint64_t what,
                       int64_t timeout_ms) {
    if (done(l, what)) return true;
    int64_t until_ms = clock_mono_ms() + timeout_ms;
    bool is_done;
    l->waiters.fetch_add(1, std::memory_order_seq_cst);
    for (;;) {
        uint32_t seen = l->moved.load(std::memory_order_seq_cst);
        is_done = done(l, what);
        int64_t left_ms = timeout_ms < 0 ? -1 : until_ms - clock_mono_ms();
        if (is_done || (timeout_ms >= 0 && left_ms <= 0)) break;
        futex_wait_for(&l->moved, seen, timeout_ms < 0 ? -1 : left_ms * 1000000);
    }
    l->waiters.fetch_sub(1, std::memory_order_seq_cst);
    return is_done;
}

bool log_wait(Log* l, uint64_t seq, int64_t timeout_ms) {
    return wait_until(
        l, [](const Log* log, uint64_t what) { return journal_acked(&log->journal, what); }, seq,
        timeout_ms);
}

uint64_t log_synced(const Log* l) {
    bool there = !l->founding.load(std::memory_order_seq_cst);
    return there ? l->synced_seq.load(std::memory_order_seq_cst) : 0;
}

bool log_is_founding(const Log* l) { return l->founding.load(std::memory_order_seq_cst); }

void log_wait_synced(Log* l, uint64_t seq, int64_t timeout_ms) {
    l->waiters.fetch_add(1, std::memory_order_seq_cst);
    uint32_t seen = l->moved.load(std::memory_order_seq_cst);
    if (log_is_founding(l) || log_synced(l) < seq) {
        futex_wait_for(&l->moved, seen, timeout_ms * 1000000);
    }
    l->waiters.fetch_sub(1, std::memory_order_seq_cst);
}

bool log_flush(Log* l, int64_t timeout_ms) {
    uint64_t all = l->journal.next_seq.load(std::memory_order_seq_cst) - 1;
    auto is_written = [](const Log* log, uint64_t what) {
        return log->written_seq.load(std::memory_order_seq_cst) >= what;
    };
    if (!wait_until(l, is_written, all, timeout_ms)) return false;
    log_sync_now(l, true);
    return !log_sync_failed(l) && l->synced_seq.load(std::memory_order_seq_cst) >= all;
}

static bool wait_acked(Journal* j, uint64_t seq, int64_t timeout_ms) {
    return log_wait(log_of(j), seq, timeout_ms);
}

static bool wait_room(Journal* j, int64_t timeout_ms) {
    return wait_until(
        log_of(j), [](const Log* log, uint64_t) { return journal_has_room(&log->journal); }, 0,
        timeout_ms);
}

// ---- errors -----------------------------------------------------------------------------------

// REQUIRES: state_lock.
static void refuse_or_not(Log* l) {
    l->journal.refuses.store(l->write_errno != 0 || l->sync_errno != 0, std::memory_order_seq_cst);
}

static const char* error_text(int err, char (&buf)[128]) {
    return strerror_r(err, buf, sizeof buf);
}

void log_note_write(Log* l, int err) {
    mutex_lock(&l->state_lock);
    int before = l->write_errno;
    l->write_errno = err;
    if (err != 0) l->last_errno.store(err, std::memory_order_relaxed);
    refuse_or_not(l);
    mutex_unlock(&l->state_lock);
    if (err == before) return;
    char buf[128];
    if (err != 0) {
        RP_LOG_WARNING(
            "The append-only file cannot be written: %s. Writes are refused; what was accepted is "
            "tried again every second",
            error_text(err, buf));
    } else {
        RP_LOG_NOTICE("The append-only file can be written again");
    }
    log_notify(l);
}

void log_note_sync_failure(Log* l, int64_t incr, int err) {
    mutex_lock(&l->state_lock);
    bool matters = incr >= l->based_incr && l->sync_errno == 0;
    if (matters) {
        l->sync_errno = err;
        l->failed_incr = incr;
        l->last_errno.store(err, std::memory_order_relaxed);
        refuse_or_not(l);
    }
    mutex_unlock(&l->state_lock);
    if (!matters) return;
    char buf[128];
    RP_LOG_WARNING(
        "fdatasync of the append-only file failed: %s. Nobody knows what of it is on the disk: "
        "writes are refused until BGREWRITEAOF has written everything to a new file",
        error_text(err, buf));
    log_notify(l);
}

void log_note_base(Log* l, int64_t first_incr) {
    mutex_lock(&l->state_lock);
    l->based_incr = first_incr;
    bool cleared = l->sync_errno != 0 && l->failed_incr < first_incr;
    if (cleared) l->sync_errno = 0;
    refuse_or_not(l);
    mutex_unlock(&l->state_lock);
    if (cleared) RP_LOG_NOTICE("The append-only file was written anew: writes are accepted again");
    kick_all(l);
    if (!log_ack(l)) log_notify(l);
}

bool log_sync_failed(Log* l) {
    MutexGuard guard(&l->state_lock);
    return l->sync_errno != 0;
}

static size_t refusal(Journal* j, char* out, size_t size) {
    char buf[128];
    int n = snprintf(out, size, "MISCONF Errors writing to the AOF file: %s",
                     error_text(log_of(j)->last_errno.load(std::memory_order_relaxed), buf));
    return static_cast<size_t>(n) < size ? static_cast<size_t>(n) : size - 1;
}

// ---- life -------------------------------------------------------------------------------------

static Log* log_new(const LogOptions* o) {
    Log* l = new (mem_alloc_aligned(sizeof(Log), alignof(Log))) Log;
    l->files = o->files;
    l->wake = o->wake;
    l->wake_arg = o->wake_arg;
    l->latency = o->latency;
    l->latency_arg = o->latency_arg;
    l->journal.submit = submit;
    l->journal.refusal = refusal;
    l->journal.wait = wait_acked;
    l->journal.wait_room = wait_room;
    return l;
}

static void log_free(Log* take) {
    RP_ASSERT(take->shut);
    journal_free_spares(&take->journal);
    take->~Log();
    mem_free_aligned(take, sizeof(Log));
}

static bool start_threads(Log* l) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool writes = pthread_create(&l->writer, nullptr, log_writer_main, l) == 0;
    bool both = writes && pthread_create(&l->syncer, nullptr, log_syncer_main, l) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (writes && !both) {
        l->closing.store(true);
        kick_all(l);
        pthread_join(l->writer, nullptr);
    }
    return both;
}

Status log_open(const LogOptions& options, const Manifest* manifest, Log** out, PersistErr* err) {
    *out = nullptr;
    Log* l = log_new(&options);
    int dir = snprintf(l->dir, sizeof l->dir, "%s", options.dir);
    int name = snprintf(l->name, sizeof l->name, "%s", options.appendfilename);
    Status s = Status::invalid;
    if (static_cast<size_t>(dir) >= sizeof l->dir || static_cast<size_t>(name) > kAppendNameMax) {
        snprintf(err->text, sizeof err->text, "the path of the append-only file is too long");
    } else {
        s = log_reopen(l, options, manifest, err);
    }
    if (s != Status::ok) {
        log_free(l);
        return s;
    }
    *out = l;
    return Status::ok;
}

// As new, but for the numbers, which go on. No thread runs and nobody hands anything in.
static void start_anew(Log* l, const LogOptions* o) {
    uint64_t next = l->journal.next_seq.load(std::memory_order_seq_cst);
    l->policy.store(o->policy);
    l->timestamps.store(o->timestamps);
    l->closing.store(false);
    l->sync_ended.store(false);
    l->merge = {};
    l->merge.next = next;
    l->run = {};
    l->run.first = l->run.behind = next;
    l->written_seq.store(next - 1);
    l->synced_seq.store(next - 1);
    l->turning = l->torn = l->lost = false;
    l->retry_at_ms = 0;
    l->group_bytes = 0;
    l->whole_incr = 0;
    l->cut_count = 0;
    l->next_incr = 0;
    l->synced_incr.store(0);
    l->maybe_named = INT64_MAX;
    l->founding.store(o->founding);
    MutexGuard guard(&l->state_lock);
    l->based_incr = 0;
}

// Whatever is left in it waits for nothing any more.
static void settle(Log* l) {
    merge_deinit(&l->merge, &l->run, &l->journal);
    manifest_free(&l->manifest);
    l->manifest = {};
    l->shut = true;
    uint64_t all = l->journal.next_seq.load(std::memory_order_seq_cst) - 1;
    bool full = l->journal.waiting_bytes.exchange(0, std::memory_order_seq_cst) != 0;
    bool someone_waits = full || l->journal.acked.load(std::memory_order_seq_cst) < all;
    mutex_lock(&l->state_lock);
    l->write_errno = l->sync_errno = 0;
    l->journal.refuses.store(false, std::memory_order_seq_cst);
    mutex_unlock(&l->state_lock);
    log_raise(&l->journal.acked, all);
    if (someone_waits) log_notify(l);
}

Status log_reopen(Log* l, const LogOptions& options, const Manifest* manifest, PersistErr* err) {
    RP_ASSERT(l->shut);
    start_anew(l, &options);
    l->manifest = manifest_copy(manifest);
    l->shut = false;
    Status s = log_open_increment(l, err);
    if (s == Status::ok && !start_threads(l)) {
        snprintf(err->text, sizeof err->text, "the append-only file's threads cannot be started");
        s = Status::no_memory;
    }
    if (s == Status::ok) return s;
    log_close_files(l);
    settle(l);
    return s;
}

// Nobody else is left: the last word on the increments before this one.
static void say_whole(Log* l) {
    if (!log_whole_line_due(l) || log_write_whole_line(l) != 0) return;
    l->files->sync_data(l->files->arg, l->fd);  // without it nothing but this line may be lost
}

bool log_shut(Log* l) {
    l->closing.store(true, std::memory_order_seq_cst);
    kick_all(l);
    pthread_join(l->writer, nullptr);
    l->sync_ended.store(true, std::memory_order_seq_cst);
    kick_all(l);
    pthread_join(l->syncer, nullptr);
    log_sync_now(l, true);
    uint64_t written = l->written_seq.load(), synced = l->synced_seq.load();
    bool whole = !l->lost && !log_sync_failed(l) && written == synced;
    if (whole) {
        say_whole(l);
    } else {
        RP_LOG_WARNING(
            "The append-only file is incomplete: of %llu changes %llu were written, %llu are "
            "certain to be on the disk",
            static_cast<unsigned long long>(l->journal.next_seq.load() - 1),
            static_cast<unsigned long long>(written), static_cast<unsigned long long>(synced));
    }
    log_close_files(l);
    settle(l);
    return whole;
}

bool log_close(Log* take) {
    bool whole = take->shut || log_shut(take);
    log_free(take);
    return whole;
}

// ---- settings, numbers ------------------------------------------------------------------------

Journal* log_journal(Log* l) { return &l->journal; }

void log_set_policy(Log* l, FsyncPolicy policy) {
    l->policy.store(policy, std::memory_order_seq_cst);
    kick_all(l);
    log_ack(l);
}

void log_set_timestamps(Log* l, bool on) { l->timestamps.store(on, std::memory_order_relaxed); }

// Everybody else is outside: all numbers below this one are changes before the cut.
int64_t log_rotate(Log* l, EpochSlot* s) {
    RP_ASSERT(epoch_pinned(s));
    auto* batch = new (mem_alloc(sizeof(LogBatch))) LogBatch;
    batch->records = static_cast<LogRecord*>(mem_calloc(sizeof(LogRecord)));
    batch->count = batch->cap = 1;
    batch->records[0].seq = l->journal.next_seq.fetch_add(1, std::memory_order_seq_cst);
    batch->records[0].rotate = true;
    int64_t incr = l->asked_incr.fetch_add(1, std::memory_order_seq_cst) + 1;
    l->journal.waiting_bytes.fetch_add(log_batch_waiting(batch), std::memory_order_relaxed);
    submit(&l->journal, batch);
    return incr;
}

void log_stats(Log* l, LogStats* out) {
    out->file_bytes = l->file_bytes.load(std::memory_order_relaxed);
    out->total_bytes = out->file_bytes + l->other_bytes.load(std::memory_order_relaxed);
    out->base_bytes = l->base_bytes.load(std::memory_order_relaxed);
    out->waiting_bytes = l->journal.waiting_bytes.load(std::memory_order_relaxed);
    out->written_seq = l->written_seq.load(std::memory_order_relaxed);
    out->synced_seq = l->synced_seq.load(std::memory_order_relaxed);
    out->writes = l->writes.load(std::memory_order_relaxed);
    out->syncs = l->syncs.load(std::memory_order_relaxed);
    out->delayed_syncs = l->delayed_syncs.load(std::memory_order_relaxed);
    out->last_sync_us = l->last_sync_us.load(std::memory_order_relaxed);
    out->last_errno = l->last_errno.load(std::memory_order_relaxed);
    MutexGuard guard(&l->state_lock);
    out->write_ok = l->write_errno == 0 && l->sync_errno == 0;
    out->needs_rewrite = l->sync_errno != 0;
}

}  // namespace rp
