// The log thread. It takes what was handed in, merges it into a run, writes that, says so, and
// begins again; with `always` it syncs when nothing more is there to be written first, so that one
// fdatasync serves everybody who came meanwhile.
#include <sys/prctl.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "persist/aof_scan.h"
#include "persist/log_impl.h"

namespace rp {

static uint64_t written(const Log* l) { return l->written_seq.load(std::memory_order_relaxed); }
static uint64_t synced(const Log* l) { return l->synced_seq.load(std::memory_order_relaxed); }

// ---- writing ----------------------------------------------------------------------------------

static int write_parts(Log* l, iovec* parts, size_t count) {
    uint64_t calls;
    int err = file_write_parts(l->files, l->fd, parts, count, nullptr, &calls);
    l->writes.fetch_add(calls, std::memory_order_relaxed);
    return err;
}

// Back to the last whole run. What came after it was never acknowledged.
static int cut_back(Log* l) {
    int err =
        l->files->truncate(l->files->arg, l->fd, l->file_bytes.load(std::memory_order_relaxed));
    if (err == 0) l->torn = false;
    return err;
}

static int write_whole(Log* l, iovec* parts, size_t count) {
    int err = l->torn ? cut_back(l) : 0;
    if (err != 0) return err;
    err = write_parts(l, parts, count);
    if (err == 0) return 0;
    l->torn = true;
    cut_back(l);  // else before the next try
    return err;
}

static bool failed(Log* l, int err) {
    log_note_write(l, -err);
    l->retry_at_ms = clock_mono_ms() + kLogRetryMs;
    return false;
}

static void went_well(Log* l) {
    if (RP_LIKELY(l->retry_at_ms == 0)) return;
    l->retry_at_ms = 0;
    log_note_write(l, 0);
}

// It is with the kernel.
static void note_written(Log* l, LogRun* r) {
    if (r->bytes > 0) {
        uint64_t bytes = r->parts[0].iov_len + r->bytes;
        l->file_bytes.fetch_add(bytes, std::memory_order_relaxed);
        l->group_bytes += bytes;
    }
    std::atomic<size_t>* waiting = &l->journal.waiting_bytes;
    size_t half = l->journal.waiting_max / 2;
    size_t before = waiting->fetch_sub(r->waiting, std::memory_order_seq_cst);
    bool room = before > half && before - r->waiting <= half;
    l->turning = r->rotate;
    // Numbers without bytes need no sync, if nothing before them does.
    bool needs_sync = r->bytes > 0 || synced(l) != written(l);
    l->written_seq.store(r->behind - 1, std::memory_order_seq_cst);
    if (!needs_sync) log_raise(&l->synced_seq, r->behind - 1);
    switch (l->policy.load(std::memory_order_relaxed)) {
        case FsyncPolicy::always:
            if (room) log_notify(l);
            break;
        case FsyncPolicy::everysec: nap_wake(&l->sync_nap); break;
        case FsyncPolicy::no: break;
    }
    log_ack(l);
    run_finish(r, &l->journal);
}

static bool write_run(Log* l) {
    LogRun* r = &l->run;
    if (r->bytes > 0) {
        int64_t since_us = clock_mono_us();
        int err = write_whole(l, r->parts, r->count);
        if (l->latency != nullptr)
            l->latency(l->latency_arg, "aof-write", clock_mono_us() - since_us);
        if (RP_UNLIKELY(err != 0)) return failed(l, err);
        went_well(l);
    }
    note_written(l, r);
    return true;
}

bool log_whole_line_due(const Log* l) {
    int64_t incr = l->incr.load(std::memory_order_relaxed);
    return l->whole_incr != incr && l->synced_incr.load(std::memory_order_acquire) == incr;
}

int log_write_whole_line(Log* l) {
    static char text[] = RP_AOF_WHOLE_LINE;  // not const: writev wants it so
    iovec line = {text, sizeof text - 1};
    int err = write_whole(l, &line, 1);
    if (err != 0) return err;
    l->file_bytes.fetch_add(sizeof text - 1, std::memory_order_relaxed);
    l->whole_incr = l->incr.load(std::memory_order_relaxed);
    return 0;
}

static bool turn(Log* l) {
    int err = log_turn(l);
    if (err != 0) return failed(l, err);
    went_well(l);
    l->merge.db = -1;
    l->group_bytes = 0;
    l->turning = false;
    return true;
}

// ---- the thread -------------------------------------------------------------------------------

static void collect(Log* l) {
    if (l->handed.load(std::memory_order_relaxed) == nullptr) return;
    LogBatch* b = l->handed.exchange(nullptr, std::memory_order_acquire);
    while (b != nullptr) {
        LogBatch* next = b->next;
        merge_add(&l->merge, b);
        b = next;
    }
}

// A client whose write was just acknowledged sends its next one a moment later, when the next sync
// would already be under way: half of the clients would go with every other sync. So a sync waits,
// for a small part of the time it takes, until as many have written as came with and during the one
// before. One client alone never waits.
static bool gathers(Log* l, bool closing) {
    if (closing || written(l) - synced(l) >= l->group_expected) return false;
    int64_t now_us = clock_mono_us();
    if (l->gather_until_us == 0) {
        int64_t wait_us = l->last_sync_us.load(std::memory_order_relaxed) / kGatherPart;
        if (wait_us < kGatherMinUs) return false;
        l->gather_until_us = now_us + (wait_us < kGatherMaxUs ? wait_us : kGatherMaxUs);
    }
    return now_us < l->gather_until_us;
}

static bool group_waits(Log* l) {
    return l->policy.load(std::memory_order_relaxed) == FsyncPolicy::always &&
           synced(l) != written(l) && !log_sync_failed(l);
}

static bool sync_group(Log* l, bool closing) {
    bool waits = group_waits(l);
    if (waits && gathers(l, closing)) return false;
    l->gather_until_us = 0;
    if (!waits) return false;
    uint64_t before = synced(l);
    l->group_bytes = 0;
    bool any = log_sync_now(l, true);
    l->group_expected = l->journal.next_seq.load(std::memory_order_relaxed) - 1 - before;
    return any;
}

static int64_t stamp(const Log* l) {
    return l->timestamps.load(std::memory_order_relaxed) ? clock_wall_ms() / 1000 : -1;
}

static bool may_try(const Log* l, bool closing) {
    return l->retry_at_ms == 0 || closing || clock_mono_ms() >= l->retry_at_ms;
}

// Does one thing. False: there is none, or it has to wait.
static bool step(Log* l, bool closing) {
    collect(l);
    // What came before the error is synced all the same.
    if (RP_UNLIKELY(!may_try(l, closing))) return sync_group(l, closing);
    if (RP_UNLIKELY(l->turning)) return turn(l);
    if (RP_UNLIKELY(log_whole_line_due(l))) {
        int err = log_write_whole_line(l);
        if (err != 0) return failed(l, err);
        went_well(l);
        return true;
    }
    if (l->group_bytes >= kGroupBytes && sync_group(l, closing)) return true;
    // A run that failed is still there, with its batches.
    bool waits = l->run.behind - 1 > written(l);
    if (!waits && !merge_run(&l->merge, &l->run, stamp(l))) return sync_group(l, closing);
    return write_run(l) || sync_group(l, closing);
}

static int64_t nap_ns(const Log* l) {
    if (l->retry_at_ms != 0) {
        int64_t left_ms = l->retry_at_ms - clock_mono_ms();
        return left_ms > 0 ? left_ms * 1000000 : 0;
    }
    if (l->gather_until_us == 0) return -1;
    int64_t left_us = l->gather_until_us - clock_mono_us();
    return left_us > 0 ? left_us * 1000 : 0;
}

static void rest(Log* l) {
    nap_begin(&l->writer_nap);
    if (l->handed.load(std::memory_order_seq_cst) == nullptr &&
        !l->kicked.load(std::memory_order_seq_cst)) {
        nap_sleep(&l->writer_nap, nap_ns(l));
    }
    nap_end(&l->writer_nap);
}

void* log_writer_main(void* arg) {
    Log* l = static_cast<Log*>(arg);
    prctl(PR_SET_NAME, "rp-log");
    for (;;) {
        l->kicked.store(false, std::memory_order_seq_cst);
        bool closing = l->closing.load(std::memory_order_seq_cst);
        if (step(l, closing)) continue;
        if (closing) break;
        rest(l);
    }
    // Whatever waits now could not be written, or a number before it was never handed in.
    l->lost = l->retry_at_ms != 0 || l->turning || l->merge.count > 0;
    return nullptr;
}

}  // namespace rp
