#include "persist/load.h"

#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "persist/aof_chain.h"
#include "persist/load_rdb.h"

namespace rp {

constexpr int64_t kTellMs = 2000;

namespace {

struct Loader {
    const LoadOptions* o = nullptr;
    LoadProgress* progress = nullptr;
    PersistErr* err = nullptr;
    Access access;
    AofScan last_scan;  // of the last increment with numbers, if there was one
    int64_t start_ms = 0;
    int64_t told_ms = 0;
};

}  // namespace

static void note_bytes(void* arg, uint64_t bytes) {
    auto* l = static_cast<Loader*>(arg);
    l->progress->loaded_bytes.fetch_add(bytes, std::memory_order_relaxed);
    int64_t now = clock_mono_ms();
    if (now - l->told_ms < kTellMs) return;
    l->told_ms = now;
    const LoadProgress* p = l->progress;
    auto done = static_cast<double>(p->loaded_bytes.load(std::memory_order_relaxed));
    auto total = static_cast<double>(p->total_bytes.load(std::memory_order_relaxed));
    double seconds = static_cast<double>(now - l->start_ms) / 1000;
    RP_LOG_NOTICE("Loading: %.1f %%, %.1f MB/s, %llu keys", total > 0 ? 100 * done / total : 0,
                  done / 1e6 / seconds,
                  static_cast<unsigned long long>(p->keys.load(std::memory_order_relaxed)));
}

// ---- the snapshot -----------------------------------------------------------------------------

static void note_keys(void* arg, uint64_t bytes, uint64_t keys, uint64_t expired) {
    auto* l = static_cast<Loader*>(arg);
    l->progress->keys.fetch_add(keys, std::memory_order_relaxed);
    l->progress->expired.fetch_add(expired, std::memory_order_relaxed);
    note_bytes(l, bytes);
}

static bool load_snapshot_file(Loader* l, const char* path, bool base_of_log, uint64_t* used) {
    RdbLoad load = {.files = l->o->files,
                    .limits = l->o->limits,
                    .checksum = l->o->checksum,
                    .base_of_log = base_of_log,
                    .access = &l->access,
                    .cancel = l->o->cancel,
                    .progress = note_keys,
                    .progress_arg = l};
    return load_rdb(&load, path, used, l->err);
}

// ---- the log ----------------------------------------------------------------------------------

static uint64_t size_of(const Loader* l, const char* path) {
    const FileOps* f = l->o->files;
    int fd = f->open_read(f->arg, path);
    if (fd < 0) return 0;
    int64_t size = f->size(f->arg, fd);
    f->close(f->arg, fd);
    return size < 0 ? 0 : static_cast<uint64_t>(size);
}

// The last increment that holds anything: a crash while the log turned leaves an empty one behind
// it.
static const AofFile* last_written(const Loader* l, const Manifest* m) {
    const AofFile* found = nullptr;
    char path[kPathMax];
    for (size_t i = 0; i < m->count; i++) {
        bool incr = m->files[i].kind == AofKind::incr;
        if (incr && path_join(path, l->o->aof_dir, m->files[i].name) && size_of(l, path) != 0) {
            found = &m->files[i];
        }
    }
    return found;
}

// A power cut may have taken the end of an increment and left what was written behind it.
static bool scan_settled(Loader* l, const Manifest* m, const AofFile* file, const char* path,
                         AofScan* scan) {
    if (!aof_scan(l->o->files, path, scan, l->err)) return false;
    bool torn = scan->state == AofState::torn && file != last_written(l, m);
    if (!torn && aof_follows(&l->last_scan, scan)) return true;
    bool dropped;
    return aof_drop_void(l->o->files, l->o->aof_dir, m, l->o->truncated_ok, &dropped, l->err) &&
           (!dropped || aof_scan(l->o->files, path, scan, l->err));
}

// How far the file may be replayed. A torn tail of the last increment is cut, the cut bytes kept
// aside.
static bool judge(Loader* l, const Manifest* m, const AofFile* file, const char* path,
                  uint64_t* end) {
    AofScan scan;
    if (!scan_settled(l, m, file, path, &scan)) return false;
    bool last = file == last_written(l, m);
    *end = scan.good_bytes;
    if (!aof_follows(&l->last_scan, &scan)) {
        snprintf(l->err->text, sizeof l->err->text,
                 "%.800s: records are missing before it; restore a backup", path);
        return false;
    }
    if (scan.next_seq != 0) l->last_scan = scan;  // as aof_void_from
    if (scan.state == AofState::whole) return true;
    if (scan.state == AofState::torn && last && l->o->truncated_ok) {
        RP_LOG_WARNING("%s: %s: cutting %llu bytes, kept in %s.cut-%llu", path, scan.text,
                       static_cast<unsigned long long>(scan.file_bytes - scan.good_bytes), path,
                       static_cast<unsigned long long>(scan.good_bytes));
        return aof_cut(l->o->files, path, scan.good_bytes, l->err);
    }
    const char* hint = scan.state == AofState::torn && last
                           ? "set aof-load-truncated yes to start without them"
                           : "restore a backup, or see what `rustypotato check` says";
    snprintf(l->err->text, sizeof l->err->text, "%.600s: at byte %llu: %s; %s", path,
             static_cast<unsigned long long>(scan.good_bytes), scan.text, hint);
    return false;
}

static bool replay(Loader* l, const char* path, uint64_t from, uint64_t end) {
    Replay r;
    r.files = l->o->files;
    r.session = l->o->session;
    r.progress = note_bytes;
    r.progress_arg = l;
    r.cancel = l->o->cancel;
    return replay_file(&r, path, from, end, l->err);
}

static bool load_commands(Loader* l, const Manifest* m, const AofFile* file, const char* path) {
    uint64_t end;
    return judge(l, m, file, path, &end) && replay(l, path, 0, end);
}

// A base may be a snapshot with commands behind it, as Redis 6 wrote its log.
static bool load_base(Loader* l, const char* path) {
    uint64_t used, size = size_of(l, path);
    return load_snapshot_file(l, path, true, &used) &&
           (used == size || replay(l, path, used, size));
}

static bool is_rdb(const Loader* l, const char* path) {
    const FileOps* f = l->o->files;
    char magic[5] = {};
    int fd = f->open_read(f->arg, path);
    if (fd < 0) return false;
    ssize_t n = f->read(f->arg, fd, magic, sizeof magic);
    f->close(f->arg, fd);
    return n == sizeof magic && memcmp(magic, "REDIS", sizeof magic) == 0;
}

static bool load_file(Loader* l, const Manifest* m, const AofFile* file) {
    char path[kPathMax];
    if (!path_join(path, l->o->aof_dir, file->name) ||
        !l->o->files->exists(l->o->files->arg, path)) {
        snprintf(
            l->err->text, sizeof l->err->text,
            "%.600s/%s: the manifest names this file and it is not there: restore it from a backup",
            l->o->aof_dir, file->name);
        return false;
    }
    bool base = file->kind == AofKind::base;
    if (base && size_of(l, path) == 0) {
        snprintf(l->err->text, sizeof l->err->text,
                 "%.900s: the base of the log is empty: restore it from a backup", path);
        return false;
    }
    if (base && is_rdb(l, path)) return load_base(l, path);
    return load_commands(l, m, file, path);
}

static bool load_log(Loader* l, const Manifest* m) {
    uint64_t total = 0;
    char path[kPathMax];
    for (size_t i = 0; i < m->count; i++) {
        if (m->files[i].kind == AofKind::history) continue;
        if (path_join(path, l->o->aof_dir, m->files[i].name)) total += size_of(l, path);
    }
    l->progress->total_bytes.store(total, std::memory_order_relaxed);
    const AofFile* base = manifest_base(m);
    if (base != nullptr && !load_file(l, m, base)) return false;
    for (size_t i = 0; i < m->count; i++) {
        if (m->files[i].kind == AofKind::incr && !load_file(l, m, &m->files[i])) return false;
    }
    return true;
}

// ---- all --------------------------------------------------------------------------------------

static void summary(const Loader* l) {
    double seconds = static_cast<double>(clock_mono_ms() - l->start_ms) / 1000;
    double mb =
        static_cast<double>(l->progress->loaded_bytes.load(std::memory_order_relaxed)) / 1e6;
    uint64_t keys = 0;
    for (uint32_t db = 0; db < l->access.store->db_count; db++) {
        keys += table_keys(l->access.store->dbs[db].table);
    }
    RP_LOG_NOTICE("DB loaded from disk: %.3f seconds, %llu keys, %.1f MB, %.1f MB/s", seconds,
                  static_cast<unsigned long long>(keys), mb, seconds > 0 ? mb / seconds : 0);
}

static bool load_snapshot(Loader* l) {
    char path[kPathMax];
    if (!path_join(path, l->o->dir, l->o->dbfilename)) return true;
    if (!l->o->files->exists(l->o->files->arg, path)) return true;
    l->progress->total_bytes.store(size_of(l, path), std::memory_order_relaxed);
    if (l->o->aof_dir != nullptr) {
        RP_LOG_NOTICE("There is no append-only log yet: it begins with what %s holds", path);
    }
    uint64_t used;
    return load_snapshot_file(l, path, false, &used);
}

bool load_store(const LoadOptions& options, LoadProgress* progress, Manifest* manifest,
                PersistErr* err) {
    Loader l;
    l.o = &options;
    l.progress = progress;
    l.err = err;
    l.access.store = &engine_core(options.session->engine)->store;
    l.access.slot = options.session->worker->slot;
    l.access.stats = &options.session->worker->stats;
    l.access.locked = true;
    l.access.no_touch = true;
    l.access.age_clock = age_clock_now();
    *manifest = {};
    l.start_ms = l.told_ms = clock_mono_ms();
    bool found = false;
    if (options.aof_dir != nullptr &&
        !manifest_load(options.files, options.aof_dir, options.appendfilename, manifest, &found,
                       err)) {
        return false;
    }
    if (!(found ? load_log(&l, manifest) : load_snapshot(&l))) return false;
    summary(&l);
    return true;
}

}  // namespace rp
