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
    if (took_us > kSyncPeriodMs * 1000) l->delayed_syncs.fetch_add(1, std::memory_order_relaxed);
    return err;
}

// The oldest increment that waits, or null; then *fd and *seq are the current one and how far it
// has got: what is in older ones has been synced.
static OldIncrement* next_to_sync(Log* l, int* fd, uint64_t* seq) {
    MutexGuard guard(&l->files_lock);
    OldIncrement* o = l->old;
    if (o != nullptr) {
        l->old = o->next;
        l->old_count.fetch_sub(1, std::memory_order_relaxed);
        return o;
    }
    *fd = l->fd;
    *seq = l->written_seq.load(std::memory_order_seq_cst);
    return nullptr;
}

static int sync_old(Log* l, OldIncrement* take) {
    int err = sync_timed(l, take->fd);
    if (err != 0) log_note_sync_failure(l, take->incr, -err);
    l->files->close(l->files->arg, take->fd);
    mem_free(take, sizeof(OldIncrement));
    return err;
}

bool log_sync_now(Log* l, bool current) {
    MutexGuard guard(&l->sync_lock);
    bool any = false;
    int fd;
    uint64_t seq;
    for (;;) {
        if (log_sync_failed(l)) return false;
        OldIncrement* o = next_to_sync(l, &fd, &seq);
        if (o == nullptr) break;
        any |= sync_old(l, o) == 0;
    }
    if (!current || seq == l->synced_seq.load(std::memory_order_relaxed)) return any;
    int64_t incr = l->incr.load(std::memory_order_relaxed);
    int err = sync_timed(l, fd);
    if (err != 0) {
        log_note_sync_failure(l, incr, -err);
        return false;
    }
    log_raise(&l->synced_seq, seq);
    log_ack(l);
    return true;
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

// Until a second has passed since the last sync began, or the settings changed.
static void keep_pace(Log* l, int64_t since_ms) {
    int64_t left_ms = since_ms + kSyncPeriodMs - clock_mono_ms();
    if (left_ms <= 0) return;
    nap_begin(&l->pace_nap);
    if (!l->sync_ended.load(std::memory_order_seq_cst)) {
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
        } else if (is_everysec(l) && clock_mono_ms() < since_ms + kSyncPeriodMs) {
            keep_pace(l, since_ms);
        } else {
            since_ms = clock_mono_ms();
            log_sync_now(l, is_everysec(l));
        }
    }
    return nullptr;
}

}  // namespace rp
