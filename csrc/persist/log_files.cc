// Increments and the manifest that names them.
//
// Order on the disk: a file and its name are durable before the manifest names it, and the manifest
// is durable before anything is written to it. Where saving the manifest failed, nobody knows which
// of the two it is: so no file that the newer one may name is deleted or used for something else.
//
// While the log is being founded, increments and the first base are made under their final names
// and no manifest is saved; log_rebase saves the first. A start before that finds the manifest of
// before, which names none of them, or <name>.founding, which says so.
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "persist/log_impl.h"

namespace rp {

static int open_append(Log* l, const char* name) {
    char path[kPathMax];
    if (!path_join(path, l->dir, name)) return -ENAMETOOLONG;
    return l->files->open_append(l->files->arg, path);
}

// 0 for what cannot be looked at: it is only shown.
static uint64_t size_of(Log* l, const char* name) {
    char path[kPathMax];
    if (!path_join(path, l->dir, name)) return 0;
    int fd = l->files->open_read(l->files->arg, path);
    if (fd < 0) return 0;
    int64_t size = l->files->size(l->files->arg, fd);
    l->files->close(l->files->arg, fd);
    return size > 0 ? static_cast<uint64_t>(size) : 0;
}

// Made by this log and not named by the manifest on the disk. REQUIRES: manifest_lock.
static bool is_hidden(const Log* l, const AofFile* f) {
    return l->founding.load() && f->kind == AofKind::incr && f->seq >= l->founded_from;
}

// Base and increments but the current one. REQUIRES: manifest_lock.
static uint64_t others_size(Log* l) {
    uint64_t sum = 0;
    int64_t current = l->incr.load(std::memory_order_relaxed);
    for (size_t i = 0; i < l->manifest.count; i++) {
        const AofFile* f = &l->manifest.files[i];
        bool counts = f->kind == AofKind::base || (f->kind == AofKind::incr && f->seq != current);
        if (l->founding.load() && !is_hidden(l, f)) counts = false;
        if (counts) sum += size_of(l, f->name);
    }
    return sum;
}

// A new, empty increment: file, directory, manifest. REQUIRES: manifest_lock. A descriptor or
// -errno.
static int make_increment(Log* l, int64_t incr) {
    Manifest m = manifest_copy(&l->manifest);
    manifest_add(&m, l->name, AofKind::incr, incr);
    int fd = open_append(l, manifest_last_incr(&m)->name);
    int err = fd < 0 ? fd : l->files->truncate(l->files->arg, fd, 0);  // of a try that failed
    if (err == 0) err = l->files->sync_data(l->files->arg, fd);
    if (err == 0) err = l->files->sync_dir(l->files->arg, l->dir);
    if (err == 0 && !l->founding.load()) err = manifest_save(l->files, l->dir, l->name, &m);
    if (err != 0) {
        if (fd >= 0) l->files->close(l->files->arg, fd);
        manifest_free(&m);
        return err;
    }
    manifest_free(&l->manifest);
    l->manifest = m;
    return fd;
}

// ---- founding ---------------------------------------------------------------------------------

// Before any file that would miss a manifest. 0 or -errno.
static int mark_founding(Log* l) {
    char name[kAofNameMax];
    founding_name(name, l->name);
    int err = file_replace(l->files, l->dir, name,
                           "The log is being switched on. Without a manifest beside this file, the "
                           "others here were never in force.\n");
    l->marked = err == 0;
    return err;
}

// A manifest is in force, or nothing is left that misses one.
static void unmark_founding(Log* l) {
    char name[kAofNameMax], path[kPathMax];
    l->marked = false;
    founding_name(name, l->name);
    if (!path_join(path, l->dir, name) || !l->files->exists(l->files->arg, path)) return;
    int err = l->files->unlink(l->files->arg, path);
    if (err == 0) err = l->files->sync_dir(l->files->arg, l->dir);
    if (err != 0 && err != -ENOENT) {
        RP_LOG_WARNING("%s cannot be deleted: %s", path, strerror(-err));
    }
}

// Our increments before `seq`, which no manifest can name, become history. REQUIRES: manifest_lock.
static void give_up_hidden(Log* l, int64_t seq) {
    for (size_t i = 0; i < l->manifest.count; i++) {
        AofFile* f = &l->manifest.files[i];
        if (is_hidden(l, f) && f->seq < seq && f->seq < l->maybe_named) f->kind = AofKind::history;
    }
}

static int found_increment(Log* l) {
    const AofFile* last = manifest_last_incr(&l->manifest);
    l->founded_from = last != nullptr ? last->seq + 1 : 1;
    int err = l->manifest.count == 0 ? mark_founding(l) : 0;
    return err != 0 ? err : make_increment(l, l->founded_from);
}

// ---- opening ----------------------------------------------------------------------------------

// A process that was killed may have left them unsynced, and what comes next means nothing without
// them. REQUIRES: manifest_lock. 0 or -errno.
static int sync_older(Log* l, int64_t last) {
    bool any = false;
    int err = 0;
    for (size_t i = 0; i < l->manifest.count && err == 0; i++) {
        const AofFile* f = &l->manifest.files[i];
        if (f->kind != AofKind::incr || f->seq == last) continue;
        int fd = open_append(l, f->name);
        err = fd < 0 ? fd : l->files->sync_data(l->files->arg, fd);
        if (fd >= 0) l->files->close(l->files->arg, fd);
        any = true;
    }
    if (any && err == 0) l->synced_incr.store(last);
    return err;
}

static int open_last(Log* l) {
    const AofFile* last = manifest_last_incr(&l->manifest);
    if (last == nullptr) return make_increment(l, 1);
    int64_t seq = last->seq;
    int fd = open_append(l, last->name);
    int err = fd < 0 ? fd : sync_older(l, seq);
    if (err == 0) {
        unmark_founding(l);
        return fd;
    }
    if (fd >= 0) l->files->close(l->files->arg, fd);
    return err;
}

Status log_open_increment(Log* l, PersistErr* err) {
    MutexGuard guard(&l->manifest_lock);
    int fd = l->founding.load() ? found_increment(l) : open_last(l);
    int64_t size = fd >= 0 ? l->files->size(l->files->arg, fd) : fd;
    if (size < 0) {
        snprintf(err->text, sizeof err->text,
                 "%.400s: the append-only file cannot be opened: %s: check the directory", l->dir,
                 strerror(static_cast<int>(-size)));
        if (fd >= 0) l->files->close(l->files->arg, fd);
        errno = static_cast<int>(-size);
        return Status::io;
    }
    int64_t incr = manifest_last_incr(&l->manifest)->seq;
    l->fd = fd;
    l->incr.store(incr);
    l->asked_incr.store(incr);
    l->file_bytes.store(static_cast<uint64_t>(size));
    l->other_bytes.store(others_size(l));
    l->base_bytes.store(l->other_bytes.load() + static_cast<uint64_t>(size));
    return Status::ok;
}

// ---- history ----------------------------------------------------------------------------------

// REQUIRES: manifest_lock. What does not work now is done by the next rewrite.
static void delete_history(Log* l) {
    char path[kPathMax];
    for (size_t i = 0; i < l->manifest.count; i++) {
        const AofFile* f = &l->manifest.files[i];
        if (f->kind != AofKind::history || !path_join(path, l->dir, f->name)) continue;
        int err = l->files->unlink(l->files->arg, path);
        if (err != 0 && err != -ENOENT) {
            RP_LOG_WARNING("%s, which a rewrite has replaced, cannot be deleted: %s", path,
                           strerror(-err));
            return;
        }
    }
    Manifest m = manifest_copy(&l->manifest);
    manifest_drop_history(&m);
    int err = l->founding.load() ? 0 : manifest_save(l->files, l->dir, l->name, &m);
    if (err != 0) {
        RP_LOG_WARNING("The manifest still names deleted files as history: %s", strerror(-err));
        manifest_free(&m);
        return;
    }
    manifest_free(&l->manifest);
    l->manifest = m;
}

// ---- turning to the next ----------------------------------------------------------------------

static int take_prepared(Log* l, int64_t incr) {
    MutexGuard guard(&l->files_lock);
    if (l->next_fd < 0 || l->next_incr != incr) return -1;
    int fd = l->next_fd;
    l->next_fd = -1;
    return fd;
}

int log_prepare_rotate(Log* l) {
    // So that little is left to be synced at the cut.
    if (l->policy.load(std::memory_order_relaxed) != FsyncPolicy::no) log_sync_now(l, true);
    MutexGuard guard(&l->manifest_lock);
    int64_t incr = l->asked_incr.load(std::memory_order_seq_cst) + 1;
    if (l->founding.load()) {  // of tries that failed
        give_up_hidden(l, l->incr.load(std::memory_order_seq_cst));
        delete_history(l);
    }
    // Prepared already, or there is one before it that is not there yet.
    if (manifest_last_incr(&l->manifest)->seq + 1 != incr) return 0;
    int fd = make_increment(l, incr);
    if (fd < 0) return fd;
    MutexGuard files(&l->files_lock);
    RP_ASSERT(l->next_fd < 0);
    l->next_fd = fd;
    l->next_incr = incr;
    return 0;
}

static void cut_note(Log* l, Cut cut) {
    if (l->cut_count == kCutsMax) {
        l->cut_count--;
        memmove(&l->cuts[0], &l->cuts[1], l->cut_count * sizeof(Cut));
    }
    l->cuts[l->cut_count++] = cut;
}

static void turn_to(Log* l, int fd, int64_t incr) {
    auto* old = static_cast<OldIncrement*>(mem_alloc(sizeof(OldIncrement)));
    MutexGuard guard(&l->files_lock);
    *old = {nullptr, l->fd, l->incr.load(std::memory_order_relaxed)};
    OldIncrement** end = &l->old;
    while (*end != nullptr)
        end = &(*end)->next;
    *end = old;
    l->old_count.fetch_add(1, std::memory_order_seq_cst);
    l->fd = fd;
    l->incr.store(incr, std::memory_order_seq_cst);
    cut_note(l, {incr, l->written_seq.load(std::memory_order_relaxed)});
    l->other_bytes.fetch_add(l->file_bytes.exchange(0));
}

int log_turn(Log* l) {
    int64_t incr = l->incr.load(std::memory_order_relaxed) + 1;
    // Else its end is synced meanwhile, and what is written from now on is void without it.
    if (l->policy.load(std::memory_order_relaxed) == FsyncPolicy::always) log_sync_now(l, true);
    int fd = take_prepared(l, incr);
    if (fd < 0) {
        MutexGuard guard(&l->manifest_lock);
        fd = take_prepared(l, incr);  // made while we waited for the lock
        if (fd < 0) fd = make_increment(l, incr);
    }
    if (fd < 0) return fd;
    turn_to(l, fd, incr);
    nap_wake(&l->sync_nap);
    nap_wake(&l->pace_nap);
    log_notify(l);
    return 0;
}

// ---- rewriting --------------------------------------------------------------------------------

static bool wait_turn(Log* l, int64_t incr) {
    int64_t until_ms = clock_mono_ms() + kTurnWaitMs;
    bool there = false;
    l->waiters.fetch_add(1, std::memory_order_seq_cst);
    for (;;) {
        uint32_t seen = l->moved.load(std::memory_order_seq_cst);
        there = l->incr.load(std::memory_order_seq_cst) >= incr;
        int64_t left_ms = until_ms - clock_mono_ms();
        if (there || left_ms <= 0) break;
        futex_wait_for(&l->moved, seen, left_ms * 1000000);
    }
    l->waiters.fetch_sub(1, std::memory_order_seq_cst);
    return there;
}

// Increments of which everything is in the base need no sync.
static void close_old(Log* l, int64_t first_incr) {
    OldIncrement* gone = nullptr;
    mutex_lock(&l->sync_lock);
    mutex_lock(&l->files_lock);
    while (l->old != nullptr && l->old->incr < first_incr) {
        OldIncrement* o = l->old;
        l->old = o->next;
        l->old_count.fetch_sub(1, std::memory_order_relaxed);
        o->next = gone;
        gone = o;
    }
    mutex_unlock(&l->files_lock);
    mutex_unlock(&l->sync_lock);
    while (gone != nullptr) {  // now: it may take long to free a large file
        OldIncrement* next = gone->next;
        l->files->close(l->files->arg, gone->fd);
        mem_free(gone, sizeof(OldIncrement));
        gone = next;
    }
}

// The numbers that are in the base.
static uint64_t cut_seq(Log* l, int64_t first_incr) {
    MutexGuard guard(&l->files_lock);
    for (size_t i = 0; i < l->cut_count; i++) {
        if (l->cuts[i].incr == first_incr) return l->cuts[i].seq;
    }
    return 0;
}

int64_t log_next_base_seq(Log* l) {
    MutexGuard guard(&l->manifest_lock);
    const AofFile* base = manifest_base(&l->manifest);
    int64_t last = base != nullptr ? base->seq : 0;
    return (last > l->base_tried ? last : l->base_tried) + 1;
}

int64_t log_current_incr(Log* l) { return l->asked_incr.load(std::memory_order_seq_cst); }

int log_rebase(Log* l, int64_t base_seq, int64_t first_incr) {
    if (!wait_turn(l, first_incr)) return -ETIMEDOUT;
    MutexGuard guard(&l->manifest_lock);
    l->base_tried = base_seq;
    Manifest m = manifest_copy(&l->manifest);
    manifest_rebase(&m, l->name, base_seq, first_incr);
    int err = manifest_save(l->files, l->dir, l->name, &m);
    if (err != 0) {
        if (first_incr < l->maybe_named) l->maybe_named = first_incr;
        manifest_free(&m);
        return err;
    }
    manifest_free(&l->manifest);
    l->manifest = m;
    l->founding.store(false, std::memory_order_seq_cst);
    if (l->marked) unmark_founding(l);
    log_raise(&l->synced_seq, cut_seq(l, first_incr));
    log_note_base(l, first_incr);
    close_old(l, first_incr);
    delete_history(l);
    l->other_bytes.store(others_size(l));
    l->base_bytes.store(l->other_bytes.load() + l->file_bytes.load());
    return 0;
}

void log_close_files(Log* l) {
    close_old(l, INT64_MAX);
    if (l->next_fd >= 0) l->files->close(l->files->arg, l->next_fd);
    if (l->fd >= 0) l->files->close(l->files->arg, l->fd);
    l->fd = l->next_fd = -1;
    MutexGuard guard(&l->manifest_lock);
    if (!l->founding.load()) return;
    give_up_hidden(l, INT64_MAX);
    delete_history(l);
    if (l->maybe_named == INT64_MAX) unmark_founding(l);
}

}  // namespace rp
