#include "persist/snapshot.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/clock.h"
#include "base/log.h"
#include "base/numbers.h"
#include "mem/mem.h"

namespace rp {

constexpr size_t kHoldEntries = 64;      // visited in one hold of a segment's lock
constexpr size_t kFlushBytes = 1 << 20;  // written in one go
constexpr uint64_t kSyncBytes = 32
                                << 20;  // synced now and then, so that the end is not one long wait
constexpr int kIovMax = 64;

struct CutTable {
    uint32_t db;
    const Table* table;
    uint64_t keys, ttl_keys;  // at the cut
    bool told;                // RESIZEDB was written
};

struct Snapshot {
    SnapshotOptions o;
    Store* store;
    // Its own thread; constant after the cut.
    CutTable* tables;
    size_t table_count;
    int64_t first_incr = 0, base_seq = 0;
    char name[kAofNameMax];
    char temporary[kAofNameMax];
    pthread_t thread;
    // Worker.
    Out out;
    RdbOut rdb;
    int fd = -1;
    uint64_t unsynced = 0;
    uint32_t selected = UINT32_MAX;
    char why[kPersistErrMax];
    bool ok = false;
    // Any thread.
    std::atomic<bool> cancelled{false};
    std::atomic<uint64_t> keys_done{0}, bytes{0};
    std::atomic<size_t> saved_peak{0};
    std::atomic<uint64_t> keys_total{0};
    std::atomic<int64_t> cut_us{0};
};

// ---- the file ---------------------------------------------------------------------------------

static bool fail(Snapshot* s, const char* doing, int negative_errno) {
    if (s->why[0] == '\0') {
        snprintf(s->why, sizeof s->why, "%s %s/%s: %s", doing, s->o.dir, s->temporary,
                 strerror(-negative_errno));
    }
    return false;
}

static bool file_begin(Snapshot* s) {
    char path[kPathMax];
    if (!path_join(path, s->o.dir, s->temporary)) return fail(s, "naming", -ENAMETOOLONG);
    s->fd = s->o.files->open_new(s->o.files->arg, path);
    return s->fd >= 0 || fail(s, "creating", s->fd);
}

static int gather(const Out* o, iovec parts[kIovMax]) {
    int n = 0;
    size_t skip = o->head_sent;
    for (const OutChunk* c = o->head; c != nullptr && n < kIovMax; c = c->next) {
        Bytes b = out_chunk_bytes(c);
        if (b.len > skip) parts[n++] = {const_cast<char*>(b.ptr) + skip, b.len - skip};
        skip = 0;
    }
    return n;
}

static bool file_flush(Snapshot* s) {
    const FileOps* f = s->o.files;
    while (s->out.bytes > 0) {
        iovec parts[kIovMax];
        int n = gather(&s->out, parts);
        ssize_t wrote = f->writev(f->arg, s->fd, parts, n);
        if (wrote <= 0) return fail(s, "writing", wrote == 0 ? -EIO : static_cast<int>(wrote));
        out_consume(&s->out, static_cast<size_t>(wrote));
        s->bytes.fetch_add(static_cast<uint64_t>(wrote), std::memory_order_relaxed);
        s->unsynced += static_cast<uint64_t>(wrote);
    }
    if (s->unsynced < kSyncBytes) return true;
    s->unsynced = 0;
    int code = f->sync_data(f->arg, s->fd);
    return code == 0 || fail(s, "syncing", code);
}

static bool file_end(Snapshot* s) {
    const FileOps* f = s->o.files;
    char from[kPathMax], to[kPathMax];
    if (!file_flush(s)) return false;
    int code = f->sync_data(f->arg, s->fd);
    if (code != 0) return fail(s, "syncing", code);
    f->close(f->arg, s->fd);
    s->fd = -1;
    path_join(from, s->o.dir, s->temporary);
    if (!path_join(to, s->o.dir, s->name)) return fail(s, "naming", -ENAMETOOLONG);
    code = f->rename(f->arg, from, to);
    if (code != 0) return fail(s, "renaming", code);
    code = f->sync_dir(f->arg, s->o.dir);
    return code == 0 || fail(s, "syncing the directory of", code);
}

static void file_give_up(Snapshot* s) {
    const FileOps* f = s->o.files;
    char path[kPathMax];
    if (s->fd >= 0) f->close(f->arg, s->fd);
    s->fd = -1;
    out_clear(&s->out);
    if (path_join(path, s->o.dir, s->temporary)) f->unlink(f->arg, path);
}

// ---- entries ----------------------------------------------------------------------------------

static void select_db(Snapshot* s, const Table* table) {
    for (size_t i = 0; i < s->table_count; i++) {
        CutTable* t = &s->tables[i];
        if (t->table != table || t->db == s->selected) continue;
        s->selected = t->db;
        rdb_select_db(&s->rdb, s->selected);
        if (!t->told) rdb_resize_db(&s->rdb, t->keys, t->ttl_keys);
        t->told = true;
    }
}

// `e` is one that may be followed: its segment is held, or the snapshot owns it.
static void encode(Snapshot* s, const Table* table, const Entry* e) {
    Type type = entry_type(e);
    select_db(s, table);
    rdb_key(&s->rdb, entry_key(e), type, entry_expiry_ms(e), -1, -1);
    char digits[kI64TextMax];
    switch (entry_encoding(e)) {
        case Encoding::integer:
            rdb_string(&s->rdb, {digits, format_i64(digits, entry_integer(e))});
            break;
        case Encoding::blob: rdb_string(&s->rdb, blob_bytes(entry_blob(e))); break;
        case Encoding::embstr:
        case Encoding::raw: rdb_string(&s->rdb, entry_inline(e)); break;
        case Encoding::listpack:
        case Encoding::intset: {
            Value v;
            v.form = entry_encoding(e) == Encoding::intset ? Form::intset : Form::listpack;
            v.flat = buf_borrow(entry_inline(e));
            rdb_value(&s->rdb, type, &v);
            break;
        }
        case Encoding::boxed: rdb_value(&s->rdb, type, &entry_box(e)->value); break;
    }
    s->keys_done.fetch_add(1, std::memory_order_relaxed);
}

static bool encode_saved(Snapshot* s, EpochSlot* slot) {
    Preserve* p = &s->store->preserve;
    size_t kept = p->saved_bytes.load(std::memory_order_relaxed);
    if (kept > s->saved_peak.load(std::memory_order_relaxed)) {
        s->saved_peak.store(kept, std::memory_order_relaxed);
    }
    bool ok = true;
    for (SavedEntry* e = preserve_take(p); e != nullptr;) {
        SavedEntry* next = e->next;
        if (ok) encode(s, e->table, e->entry);
        saved_free(p, slot, e);
        if (ok && s->out.bytes > kFlushBytes) ok = file_flush(s);
        e = next;
    }
    epoch_reclaim_due(slot);
    return ok;
}

// Where the walk over a segment is, and the Blobs and Boxes met in one hold of its lock, to be
// encoded once it is released.
struct Walk {
    Snapshot* s;
    const Table* table;
    size_t segment;
    uint64_t cursor = 0;
    bool done = false;
    Entry* later[kHoldEntries];
    size_t count = 0;
    size_t visited = 0;
    bool left_out = false;  // some found no room: their position has to be visited again
};

static void visit(Entry* e, void* arg) {
    auto* w = static_cast<Walk*>(arg);
    uint8_t id = w->s->store->preserve.id.load(std::memory_order_relaxed);
    w->visited++;
    if (e->mark.load(std::memory_order_relaxed) == id) return;
    Encoding enc = entry_encoding(e);
    bool large = enc == Encoding::blob || enc == Encoding::boxed;
    if (large && w->count == kHoldEntries) {
        w->left_out = true;
        return;
    }
    e->mark.store(id, std::memory_order_relaxed);
    if (large) {
        w->later[w->count++] = entry_copy(e, entry_key(e), entry_expiry_ms(e));
    } else {
        encode(w->s, w->table, e);
    }
}

// Some positions, in one hold of the segment's lock.
static void hold_some(Walk* w, EpochSlot* slot) {
    auto* seg = const_cast<Segment*>(&w->table->segments[w->segment]);
    w->count = w->visited = 0;
    w->left_out = false;
    gate_enter(&w->s->store->gate, slot);
    mutex_lock(&seg->lock);
    while (!w->done && !w->left_out && w->visited < kHoldEntries) {
        uint64_t next = table_scan_segment(w->table, w->segment, w->cursor, visit, w);
        if (w->left_out) break;
        w->cursor = next;
        w->done = next == 0;
    }
    mutex_unlock(&seg->lock);
    gate_leave(slot);
    for (size_t i = 0; i < w->count; i++) {
        encode(w->s, w->table, w->later[i]);
        entry_free(w->later[i]);
    }
}

static bool walk_segment(Snapshot* s, EpochSlot* slot, const Table* t, size_t segment) {
    Walk w;
    w.s = s;
    w.table = t;
    w.segment = segment;
    while (!w.done) {
        hold_some(&w, slot);
        if (!encode_saved(s, slot)) return false;
        if (s->out.bytes > kFlushBytes && !file_flush(s)) return false;
        if (s->cancelled.load(std::memory_order_relaxed)) {
            snprintf(s->why, sizeof s->why, "it was cancelled");
            return false;
        }
    }
    return true;
}

static bool write_all(Snapshot* s, EpochSlot* slot) {
    s->rdb = {.out = &s->out, .compress = s->o.compress, .checksum = s->o.checksum, .crc = 0};
    rdb_begin(&s->rdb, &s->o.head);
    for (size_t i = 0; i < s->table_count; i++) {
        const Table* t = s->tables[i].table;
        for (size_t segment = 0; segment < kSegments; segment++) {
            if (t->segments[segment].keys.load(std::memory_order_relaxed) == 0) continue;
            if (!walk_segment(s, slot, t, segment)) return false;
        }
    }
    // Whoever dropped an unseen entry held its segment: it has handed it over by now.
    if (!encode_saved(s, slot)) return false;
    rdb_end(&s->rdb);
    return file_end(s);
}

static bool publish(Snapshot* s) {
    if (s->o.goal != SnapshotGoal::aof_base) return true;
    int code = log_rebase(s->o.log, s->base_seq, s->first_incr);
    return code == 0 || fail(s, "publishing", code);
}

// ---- life -------------------------------------------------------------------------------------

// Behind the closed gate: from here on every entry of these tables is unseen.
static void cut(Snapshot* s, EpochSlot* slot) {
    Store* st = s->store;
    RP_ASSERT(!st->preserve.active.load(std::memory_order_relaxed));  // one at a time
    uint8_t id = st->preserve.id.load(std::memory_order_relaxed);
    st->preserve.id.store(id == 255 ? 1 : static_cast<uint8_t>(id + 1), std::memory_order_relaxed);
    st->preserve.active.store(true, std::memory_order_relaxed);
    for (uint32_t db = 0; db < st->db_count; db++) {
        uint64_t keys = table_keys(st->dbs[db].table);
        if (keys == 0) continue;
        s->keys_total.fetch_add(keys, std::memory_order_relaxed);
        const Table* table = st->dbs[db].table;
        s->tables[s->table_count++] = {db, table, keys, table_ttl_keys(table), false};
    }
    if (s->o.goal == SnapshotGoal::aof_base) s->first_incr = log_rotate(s->o.log, slot);
}

static void take_cut(Snapshot* s, EpochSlot* slot) {
    Gate* gate = &s->store->gate;
    gate_close(gate, slot);
    int64_t closed_us = clock_mono_us();
    cut(s, slot);
    s->cut_us.store(clock_mono_us() - closed_us, std::memory_order_relaxed);
    gate_open(gate, slot);
}

// Names, and what is slow of turning the log: here no loop waits for a disk.
static void prepare(Snapshot* s) {
    if (s->o.goal == SnapshotGoal::file) {
        snprintf(s->temporary, sizeof s->temporary, "temp-%d.rdb", getpid());
        return;
    }
    s->base_seq = log_next_base_seq(s->o.log);
    snprintf(s->name, sizeof s->name, "%s.%lld.base.rdb", s->o.name,
             static_cast<long long>(s->base_seq));
    snprintf(s->temporary, sizeof s->temporary, "temp-rewriteaof-bg-%d.aof", getpid());
    int code = log_prepare_rotate(s->o.log);
    if (code != 0) RP_LOG_WARNING("Preparing the next increment failed: %s", strerror(-code));
}

static void* snapshot_main(void* arg) {
    auto* s = static_cast<Snapshot*>(arg);
    pthread_setname_np(pthread_self(), "rp-snapshot");
    EpochSlot* slot = epoch_slot();
    prepare(s);
    take_cut(s, slot);
    bool ok = file_begin(s) && write_all(s, slot);
    preserve_end(&s->store->preserve, slot);
    if (ok) ok = publish(s);
    if (!ok) file_give_up(s);
    s->ok = ok;
    if (s->o.done != nullptr) s->o.done(s->o.done_arg, ok, s->why);
    return nullptr;
}

static bool start_thread(Snapshot* s) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&s->thread, nullptr, snapshot_main, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

static void snapshot_free(Snapshot* s) {
    mem_free(s->tables, s->store->db_count * sizeof(CutTable));
    s->~Snapshot();
    mem_free(s, sizeof(Snapshot));
}

Status snapshot_start(Store* st, const SnapshotOptions& options, Snapshot** out) {
    auto* s = new (mem_alloc(sizeof(Snapshot))) Snapshot;
    s->o = options;
    s->store = st;
    s->why[0] = '\0';
    s->table_count = 0;
    s->tables = static_cast<CutTable*>(mem_calloc(st->db_count * sizeof(CutTable)));
    snprintf(s->name, sizeof s->name, "%s", options.name);
    if (start_thread(s)) {
        *out = s;
        return Status::ok;
    }
    snapshot_free(s);
    return Status::limit;
}

void snapshot_progress(const Snapshot* s, SnapshotProgress* out) {
    *out = {.keys_done = s->keys_done.load(std::memory_order_relaxed),
            .keys_total = s->keys_total.load(std::memory_order_relaxed),
            .bytes = s->bytes.load(std::memory_order_relaxed),
            .saved_bytes = s->store->preserve.saved_bytes.load(std::memory_order_relaxed),
            .saved_bytes_peak = s->saved_peak.load(std::memory_order_relaxed),
            .cut_us = s->cut_us.load(std::memory_order_relaxed)};
}

void snapshot_cancel(Snapshot* s) { s->cancelled.store(true, std::memory_order_relaxed); }

bool snapshot_finish(Snapshot* take) {
    pthread_join(take->thread, nullptr);
    bool ok = take->ok;
    snapshot_free(take);
    return ok;
}

}  // namespace rp
