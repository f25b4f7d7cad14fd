#include "persist/snapshot_file.h"

#include <cstdio>
#include <cstring>

namespace rp {

// Synced now and then, so that the end is not one long wait.
constexpr uint64_t kSyncBytes = 32 << 20;
constexpr size_t kGatherMax = 64;
constexpr int64_t kNapNs = 1000000;

static bool fail(SnapshotFile* f, const char* doing, int negative_errno) {
    if (!f->failed.load(std::memory_order_relaxed)) {
        snprintf(f->why, sizeof f->why, "%s %s/%s: %s", doing, f->dir, f->temporary,
                 strerror(-negative_errno));
        f->failed.store(true, std::memory_order_release);
    }
    return false;
}

// ---- its thread -------------------------------------------------------------------------------

static size_t gather(const Out* o, iovec parts[kGatherMax]) {
    size_t n = 0, skip = o->head_sent;
    for (const OutChunk* c = o->head; c != nullptr && n < kGatherMax; c = c->next) {
        Bytes b = out_chunk_bytes(c);
        if (b.len > skip) parts[n++] = {const_cast<char*>(b.ptr) + skip, b.len - skip};
        skip = 0;
    }
    return n;
}

static void note_moved(SnapshotFile* f, uint64_t bytes) {
    f->ahead.fetch_sub(bytes, std::memory_order_relaxed);
    f->moved.fetch_add(1, std::memory_order_release);
    futex_wake_all(&f->moved);
}

static bool sync_file(SnapshotFile* f) {
    f->unsynced = 0;
    int code = f->ops->sync_data(f->ops->arg, f->fd);
    return code == 0 || fail(f, "syncing", code);
}

static bool write_some(SnapshotFile* f, Out* batch) {
    iovec parts[kGatherMax];
    uint64_t wrote;
    int err = file_write_parts(f->ops, f->fd, parts, gather(batch, parts), &wrote, nullptr);
    if (err != 0) return fail(f, "writing", err);
    out_consume(batch, wrote);
    f->written.fetch_add(wrote, std::memory_order_relaxed);
    f->unsynced += wrote;
    note_moved(f, wrote);
    return f->unsynced < kSyncBytes || sync_file(f);
}

static void write_batch(SnapshotFile* f, Out* batch) {
    while (batch->bytes > 0 && !f->failed.load(std::memory_order_relaxed))
        write_some(f, batch);
    if (batch->bytes > 0) note_moved(f, batch->bytes);
    out_clear(batch);
}

static void take_given(SnapshotFile* f, Out* batch) {
    MutexGuard guard(&f->lock);
    out_splice(batch, &f->given);
}

static void* file_main(void* arg) {
    auto* f = static_cast<SnapshotFile*>(arg);
    pthread_setname_np(pthread_self(), "rp-snap-file");
    auto idle = [f] { return f->ahead.load() == 0 && !f->ending.load(); };
    do {
        nap_begin(&f->nap);
        if (idle()) nap_sleep(&f->nap, -1);
        nap_end(&f->nap);
        Out batch = {};
        take_given(f, &batch);
        write_batch(f, &batch);
    } while (f->ahead.load() != 0 || !f->ending.load());
    return nullptr;
}

// ---- the giver's ------------------------------------------------------------------------------

bool snapshot_file_begin(SnapshotFile* f, const FileOps* ops, const char* dir,
                         const char* temporary) {
    f->ops = ops;
    f->dir = dir;
    f->temporary = temporary;
    char path[kPathMax];
    if (!path_join(path, dir, temporary)) return fail(f, "naming", -ENAMETOOLONG);
    f->fd = ops->open_new(ops->arg, path);
    if (f->fd < 0) return fail(f, "creating", f->fd);
    int err = pthread_create(&f->thread, nullptr, file_main, f);
    f->started = err == 0;
    return f->started || fail(f, "starting a thread to write", -err);
}

void snapshot_file_give(SnapshotFile* f, Out* take) {
    f->ahead.fetch_add(take->bytes);
    {
        MutexGuard guard(&f->lock);
        out_splice(&f->given, take);
    }
    nap_wake(&f->nap);
}

void snapshot_file_nap(SnapshotFile* f, size_t bytes) {
    uint32_t seen = f->moved.load(std::memory_order_acquire);
    if (f->ahead.load(std::memory_order_relaxed) > bytes) futex_wait_for(&f->moved, seen, kNapNs);
}

static void join(SnapshotFile* f) {
    if (!f->started) return;
    f->ending.store(true);
    nap_wake(&f->nap);
    pthread_join(f->thread, nullptr);
    f->started = false;
}

static void close_file(SnapshotFile* f) {
    if (f->fd >= 0) f->ops->close(f->ops->arg, f->fd);
    f->fd = -1;
}

bool snapshot_file_end(SnapshotFile* f, const char* name) {
    char from[kPathMax], to[kPathMax];
    join(f);
    if (f->failed.load(std::memory_order_acquire) || !sync_file(f)) return false;
    close_file(f);
    path_join(from, f->dir, f->temporary);
    if (!path_join(to, f->dir, name)) return fail(f, "naming", -ENAMETOOLONG);
    int code = f->ops->rename(f->ops->arg, from, to);
    if (code != 0) return fail(f, "renaming", code);
    code = f->ops->sync_dir(f->ops->arg, f->dir);
    return code == 0 || fail(f, "syncing the directory of", code);
}

void snapshot_file_give_up(SnapshotFile* f) {
    f->failed.store(true, std::memory_order_release);  // what is given is not written any more
    join(f);
    out_clear(&f->given);
    close_file(f);
    char path[kPathMax];
    if (path_join(path, f->dir, f->temporary)) f->ops->unlink(f->ops->arg, path);
}

}  // namespace rp
