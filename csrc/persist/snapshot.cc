#include "persist/snapshot.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/clock.h"
#include "base/log.h"
#include "base/numbers.h"
#include "mem/mem.h"
#include "persist/snapshot_file.h"

namespace rp {

constexpr size_t kStepEntries = 64;  // visited in one pin
constexpr int64_t kGiveWayUs = 500;
constexpr size_t kLargeMax = 16;         // Blobs and Boxes held at a time ...
constexpr size_t kLargeBytes = 1 << 20;  // ... and how much they come to, the last one not counted

struct CutTable {
    uint32_t db;
    Table* table;
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
    SnapshotFile file;
    uint32_t selected = UINT32_MAX;
    int64_t gave_way_us = 0;
    char why[kPersistErrMax];
    bool ok = false;
    // Any thread.
    std::atomic<bool> cancelled{false};
    std::atomic<uint64_t> keys_done{0};
    std::atomic<size_t> saved_peak{0};
    std::atomic<uint64_t> keys_total{0};
    std::atomic<int64_t> cut_us{0};
};

// ---- the file ---------------------------------------------------------------------------------

static bool fail(Snapshot* s, const char* why) {
    if (s->why[0] == '\0') snprintf(s->why, sizeof s->why, "%s", why);
    return false;
}

// Whether the file is still wanted and can be written.
static bool wanted(Snapshot* s) {
    if (s->cancelled.load(std::memory_order_relaxed)) return fail(s, "it was cancelled");
    if (s->file.failed.load(std::memory_order_acquire)) return fail(s, s->file.why);
    return true;
}

static bool is_ahead(const Snapshot* s, size_t bytes) {
    return s->file.ahead.load(std::memory_order_relaxed) > bytes;
}

// Hands over what is encoded. When the file is not wanted, it is dropped: what is under way ends
// soon, and nothing piles up until then.
static void drain(void* arg) {
    auto* s = static_cast<Snapshot*>(arg);
    if (!wanted(s)) return out_clear(&s->out);
    snapshot_file_give(&s->file, &s->out);
    while (is_ahead(s, s->o.ahead_max) && wanted(s))
        snapshot_file_nap(&s->file, s->o.ahead_max);
}

// Between two entries. False: it is to end.
static bool go_on(Snapshot* s) {
    if (s->out.bytes >= kRdbDrainBytes) drain(s);
    return wanted(s);
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

// What changes in place: read before the entry is claimed (S1).
struct Instant {
    int64_t expiry_ms;
    int64_t integer;
};

static Instant instant_of(const Entry* e) {
    bool counts = entry_encoding(e) == Encoding::integer;
    return {entry_expiry_ms(e), counts ? entry_integer(e) : 0};
}

static void encode_flat(Snapshot* s, const Entry* e) {
    Value v;
    v.form = entry_encoding(e) == Encoding::intset ? Form::intset : Form::listpack;
    v.flat = buf_borrow(entry_inline(e));
    rdb_value(&s->rdb, entry_type(e), &v);
}

// Of an entry with a Blob or Box the reference is the snapshot's.
static void encode(Snapshot* s, const Table* table, const Entry* e, const Instant& at) {
    Type type = entry_type(e);
    select_db(s, table);
    rdb_key(&s->rdb, entry_key(e), type, at.expiry_ms, -1, -1);
    char digits[kI64TextMax];
    switch (entry_encoding(e)) {
        case Encoding::integer:
            rdb_string(&s->rdb, {digits, format_i64(digits, at.integer)});
            break;
        case Encoding::blob: rdb_string(&s->rdb, blob_bytes(entry_blob(e))); break;
        case Encoding::embstr:
        case Encoding::raw: rdb_string(&s->rdb, entry_inline(e)); break;
        case Encoding::listpack:
        case Encoding::intset: encode_flat(s, e); break;
        case Encoding::boxed: rdb_value(&s->rdb, type, &entry_box(e)->value); break;
    }
    s->keys_done.fetch_add(1, std::memory_order_relaxed);
}

// An entry that is the snapshot's, with nothing held: it may be written in between.
static void encode_owned(Snapshot* s, const Table* table, const Entry* e) {
    s->rdb.drain = drain;
    encode(s, table, e, instant_of(e));
    s->rdb.drain = nullptr;
}

static void wake(Snapshot* s) {
    if (preserve_wake(&s->store->preserve) && s->o.wake != nullptr) s->o.wake(s->o.wake_arg);
}

static void encode_list(Snapshot* s, EpochSlot* slot, std::atomic<SavedEntry*>* list);

// What clients wait for.
static void encode_urgent(Snapshot* s, EpochSlot* slot) {
    std::atomic<SavedEntry*>* urgent = &s->store->preserve.urgent;
    while (urgent->load(std::memory_order_relaxed) != nullptr) {
        encode_list(s, slot, urgent);
        wake(s);
    }
}

// Whoever waits for room goes on at half: neither at the first entry that makes some, nor at the
// last.
static bool has_much(const Preserve* p) {
    return p->saved_bytes.load(std::memory_order_relaxed) > kSavedBytesMax / 2;
}

static void encode_list(Snapshot* s, EpochSlot* slot, std::atomic<SavedEntry*>* list) {
    Preserve* p = &s->store->preserve;
    for (SavedEntry* e = preserve_take(list); e != nullptr;) {
        SavedEntry* next = e->next;
        if (go_on(s)) encode_owned(s, e->table, e->entry);
        bool much = has_much(p);
        saved_free(p, slot, e);
        if (much && !has_much(p)) wake(s);
        if (list != &p->urgent) encode_urgent(s, slot);
        e = next;
    }
}

static void note_peak(Snapshot* s) {
    size_t kept = s->store->preserve.saved_bytes.load(std::memory_order_relaxed);
    if (kept > s->saved_peak.load(std::memory_order_relaxed)) {
        s->saved_peak.store(kept, std::memory_order_relaxed);
    }
}

// All that was handed over so far.
static bool encode_saved(Snapshot* s, EpochSlot* slot) {
    note_peak(s);
    encode_urgent(s, slot);
    encode_list(s, slot, &s->store->preserve.saved);
    wake(s);
    epoch_reclaim_due(slot);
    return go_on(s);
}

// ---- the walk ---------------------------------------------------------------------------------

// Where the walk over a segment is, and the Blobs and Boxes met in one step of it.
struct Walk {
    Snapshot* s;
    Table* table;
    size_t segment;
    uint64_t cursor = 0;
    bool done = false;
    Entry* met[kLargeMax];    // while pinned
    Entry* large[kLargeMax];  // copies with what they hold
    size_t met_count = 0, large_count = 0;
    size_t visited = 0;
    bool left_out = false;  // some found no room: the step has to be made again
};

// Without a lock: what is claimed here was as it is read.
static void visit(Entry* e, void* arg) {
    auto* w = static_cast<Walk*>(arg);
    Preserve* p = &w->s->store->preserve;
    w->visited++;
    if (e->mark.load(std::memory_order_acquire) == p->id.load(std::memory_order_relaxed)) return;
    Encoding enc = entry_encoding(e);
    if (enc != Encoding::blob && enc != Encoding::boxed) {
        Instant at = instant_of(e);
        RP_YIELD();
        if (preserve_claim(p, e)) encode(w->s, w->table, e, at);
    } else if (w->met_count < kLargeMax) {
        w->met[w->met_count++] = e;
    } else {
        w->left_out = true;
    }
}

// Takes references to the Blobs and Boxes that were met, if they are still there: a few, for others
// wait until all of them are written. REQUIRES: pinned since they were met.
static void hold_large(Walk* w) {
    Preserve* p = &w->s->store->preserve;
    size_t bytes = 0;
    MutexGuard guard(&w->table->segments[w->segment].lock);
    for (size_t i = 0; i < w->met_count; i++) {
        Entry* e = w->met[i];
        Bytes key = entry_key(e);
        if (table_locate(w->table, key, table_hash(key)).entry != e) continue;
        if (bytes > kLargeBytes) {
            w->left_out = true;
            return;
        }
        if (!preserve_claim(p, e)) continue;
        bytes += entry_cost(e);
        w->large[w->large_count++] = preserve_copy(e);
    }
}

static void step_pinned(Walk* w) {
    uint64_t from = w->cursor;
    w->met_count = w->large_count = w->visited = 0;
    w->left_out = false;
    while (!w->done && !w->left_out && w->visited < kStepEntries) {
        w->cursor = table_scan_segment(w->table, w->segment, w->cursor, visit, w);
        w->done = w->cursor == 0;
    }
    if (w->met_count != 0) hold_large(w);
    if (!w->left_out) return;
    w->cursor = from;
    w->done = false;
}

static void encode_large(Walk* w, EpochSlot* slot) {
    for (size_t i = 0; i < w->large_count; i++) {
        if (go_on(w->s)) encode_owned(w->s, w->table, w->large[i]);
        preserve_copy_free(w->large[i]);
        wake(w->s);
        encode_urgent(w->s, slot);
    }
}

// Whoever has something to do goes first, now and then: a whole slice of the scheduler, some
// milliseconds, is what a loop on a busy machine would otherwise wait for. But it must not fall
// behind what writers hand over, or they will have to wait.
static void give_way(Snapshot* s) {
    int64_t now_us = clock_mono_us();
    if (now_us - s->gave_way_us < kGiveWayUs) return;
    size_t kept = s->store->preserve.saved_bytes.load(std::memory_order_relaxed);
    if (kept < kSavedBytesMax / 4) sched_yield();
    s->gave_way_us = clock_mono_us();
}

// While the disk is behind, the walk waits, and serves those who write.
static bool keep_pace(Snapshot* s, EpochSlot* slot) {
    while (is_ahead(s, kSnapshotAheadWalk)) {
        snapshot_file_nap(&s->file, kSnapshotAheadWalk);
        if (!encode_saved(s, slot)) return false;
    }
    return true;
}

static bool walk_segment(Snapshot* s, EpochSlot* slot, Table* t, size_t segment) {
    Walk w;
    w.s = s;
    w.table = t;
    w.segment = segment;
    while (!w.done) {
        gate_enter(&s->store->gate, slot);
        step_pinned(&w);
        gate_leave(slot);
        encode_large(&w, slot);
        if (!encode_saved(s, slot) || !keep_pace(s, slot)) return false;
        give_way(s);
    }
    return true;
}

static bool walk(Snapshot* s, EpochSlot* slot) {
    for (size_t i = 0; i < s->table_count; i++) {
        Table* t = s->tables[i].table;
        for (size_t segment = 0; segment < kSegments; segment++) {
            if (t->segments[segment].keys.load(std::memory_order_relaxed) == 0) continue;
            if (!walk_segment(s, slot, t, segment)) return false;
        }
    }
    return true;
}

static bool write_all(Snapshot* s, EpochSlot* slot) {
    if (!snapshot_file_begin(&s->file, s->o.files, s->o.dir, s->temporary)) {
        return fail(s, s->file.why);
    }
    s->rdb.out = &s->out;
    s->rdb.compress = s->o.compress;
    s->rdb.checksum = s->o.checksum;
    s->rdb.drain_arg = s;
    rdb_begin(&s->rdb, &s->o.head);
    if (!walk(s, slot)) return false;
    // Whoever has claimed an entry hands it over before it unpins.
    epoch_synchronize(slot);
    if (!encode_saved(s, slot)) return false;
    rdb_end(&s->rdb);
    drain(s);
    if (!wanted(s)) return false;
    return snapshot_file_end(&s->file, s->name) || fail(s, s->file.why);
}

static void claim_only(Entry* e, void* arg) { preserve_claim(static_cast<Preserve*>(arg), e); }

// After many that have failed: the walk without the writing.
static void claim_all(Snapshot* s, EpochSlot* slot) {
    for (size_t i = 0; i < s->table_count * kSegments; i++) {
        const Table* t = s->tables[i / kSegments].table;
        uint64_t cursor = 0;
        do {
            gate_enter(&s->store->gate, slot);
            cursor = table_scan_segment(t, i % kSegments, cursor, claim_only, &s->store->preserve);
            gate_leave(slot);
        } while (cursor != 0);
    }
    preserve_note_seen(&s->store->preserve, true);
}

static bool publish(Snapshot* s) {
    if (s->o.goal != SnapshotGoal::aof_base) return true;
    int code = log_rebase(s->o.log, s->base_seq, s->first_incr);
    if (code == 0) return true;
    snprintf(s->why, sizeof s->why, "publishing %s/%s: %s", s->o.dir, s->name, strerror(-code));
    return false;
}

static void give_up(Snapshot* s) {
    out_clear(&s->out);
    snapshot_file_give_up(&s->file);
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
        Table* table = st->dbs[db].table;
        s->tables[s->table_count++] = {db, table, keys, table_ttl_keys(table), false};
    }
    if (s->o.goal == SnapshotGoal::aof_base) s->first_incr = log_rotate(s->o.log, slot);
    if (s->o.at_cut != nullptr) s->o.at_cut(s->o.at_cut_arg);
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
    bool ok = write_all(s, slot);
    if (!preserve_note_seen(&s->store->preserve, ok)) claim_all(s, slot);
    preserve_end(&s->store->preserve, slot);
    wake(s);
    if (ok) ok = publish(s);
    if (!ok) give_up(s);
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
            .bytes = s->file.written.load(std::memory_order_relaxed),
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
