// fdatasync. With `everysec` a thread of its own does it, once a second while there is something to
// sync: however long one takes, the log thread goes on writing. With `always` the log thread calls
// log_sync_now itself. Older increments are synced before newer ones, so that what is certain to be
// on the disk is a prefix.
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "persist/log_impl.h"

namespace rp {

static int sync_timed(Log* l, int fd) {
    int64_t since_us = clock_mono_us();
    int err = l->files->sync_data(l->files->arg, fd);
    int64_t took_us = clock_mono_us() - since_us;
    l->last_sync_us.store(took_us, std::memory_order_relaxed);
    l->syncs.fetch_add(1, std::memory_order_relaxed);
    bool always = l->policy.load(std::memory_order_relaxed) == FsyncPolicy::always;
    if (always && l->latency != nullptr) l->latency(l->latency_arg, "aof-fsync-always", took_us);
    if (took_us > kSyncPeriodMs * 1000) l->delayed_syncs.fetch_add(1, std::memory_order_relaxed);
    return err;
}

// An increment, and what is in it or before it once it is synced. `old`: to be closed then.
struct SyncJob {
    OldIncrement* old;
    int fd;
    int64_t incr;
    uint64_t seq;
};

// The oldest increment that waits; the current one when all older ones are synced.
static SyncJob next_job(Log* l) {
    MutexGuard guard(&l->files_lock);
    OldIncrement* o = l->old;
    if (o == nullptr) {
        return {nullptr, l->fd, l->incr.load(std::memory_order_relaxed),
                l->written_seq.load(std::memory_order_seq_cst)};
    }
    l->old = o->next;
    l->old_count.fetch_sub(1, std::memory_order_relaxed);
    return {o, o->fd, o->incr, 0};
}

static bool sync_one(Log* l, const SyncJob* job) {
    int err = sync_timed(l, job->fd);
    if (err != 0) log_note_sync_failure(l, job->incr, -err);
    return err == 0;
}

// The log thread says so in the file, if no older one is left.
static void note_older_synced(Log* l) {
    mutex_lock(&l->files_lock);
    bool all = l->old == nullptr;
    if (all) l->synced_incr.store(l->incr.load(std::memory_order_relaxed));
    mutex_unlock(&l->files_lock);
    if (all) log_kick(l);
}

bool log_sync_now(Log* l, bool current) {
    MutexGuard guard(&l->sync_lock);
    for (bool any = false;; any = true) {
        if (log_sync_failed(l)) return false;
        SyncJob job = next_job(l);
        if (job.old == nullptr) {
            if (!current || job.seq == l->synced_seq.load(std::memory_order_relaxed)) return any;
            if (!sync_one(l, &job)) return false;
            log_raise(&l->synced_seq, job.seq);
            if (!log_ack(l)) log_notify(l);
            return true;
        }
        bool synced = sync_one(l, &job);
        l->files->close(l->files->arg, job.fd);
        mem_free(job.old, sizeof(OldIncrement));
        if (!synced) return false;
        note_older_synced(l);
    }
}

static bool is_everysec(const Log* l) {
    return l->policy.load(std::memory_order_seq_cst) == FsyncPolicy::everysec;
}

static bool has_work(Log* l) {
    if (l->sync_ended.load(std::memory_order_seq_cst)) return true;
    if (log_sync_failed(l)) return false;
    if (l->old_count.load(std::memory_order_seq_cst) != 0) return true;
    return is_everysec(l) && l->synced_seq.load(std::memory_order_seq_cst) !=
                                 l->written_seq.load(std::memory_order_seq_cst);
}

static void wait_for_work(Log* l) {
    nap_begin(&l->sync_nap);
    if (!has_work(l)) nap_sleep(&l->sync_nap, -1);
    nap_end(&l->sync_nap);
}

// Until a second has passed since the last sync began, the settings changed, or an increment is
// done with: what is in the next one means nothing without all of it.
static void keep_pace(Log* l, int64_t since_ms) {
    int64_t left_ms = since_ms + kSyncPeriodMs - clock_mono_ms();
    if (left_ms <= 0) return;
    nap_begin(&l->pace_nap);
    bool urgent = l->sync_ended.load(std::memory_order_seq_cst) ||
                  l->old_count.load(std::memory_order_seq_cst) != 0;
    if (!urgent) {
        nap_sleep(&l->pace_nap, left_ms * 1000000);
    }
    nap_end(&l->pace_nap);
}

void* log_syncer_main(void* arg) {
    Log* l = static_cast<Log*>(arg);
    prctl(PR_SET_NAME, "rp-log-sync");
    int64_t since_ms = clock_mono_ms() - kSyncPeriodMs;
    while (!l->sync_ended.load(std::memory_order_seq_cst)) {
        if (!has_work(l)) {
            wait_for_work(l);
        } else if (is_everysec(l) && l->old_count.load(std::memory_order_seq_cst) == 0 &&
                   clock_mono_ms() < since_ms + kSyncPeriodMs) {
            keep_pace(l, since_ms);
        } else {
            since_ms = clock_mono_ms();
            log_sync_now(l, is_everysec(l));
        }
    }
    return nullptr;
}

}  // namespace rp
