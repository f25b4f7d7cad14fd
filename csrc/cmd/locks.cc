#include "cmd/locks.h"

#include <algorithm>

#include "mem/mem.h"

namespace rp {

static Segment* ref_segment(Store* st, const LockRef* r) {
    return &st->dbs[r->rank >> kSegmentsLog2].table->segments[r->rank & (kSegments - 1)];
}

template <typename T>
static void scratch_grow(T** items, size_t* cap) {
    size_t more = *cap == 0 ? 64 : *cap * 2;
    T* bigger = static_cast<T*>(mem_alloc(more * sizeof(T)));
    if (*cap != 0) memcpy(bigger, *items, *cap * sizeof(T));
    mem_free(*items, *cap * sizeof(T));
    *items = bigger;
    *cap = more;
}

struct KeyCollector {
    Worker* w;
    Args argv;
    size_t count;
};

static void collect_key(void* arg, size_t index, uint32_t /*flags*/) {
    auto* k = static_cast<KeyCollector*>(arg);
    if (k->count == k->w->hashes_cap) scratch_grow(&k->w->hashes, &k->w->hashes_cap);
    Bytes key = k->argv[index];
    k->w->hashes[k->count++] = {key, table_hash(key)};
}

bool keys_collect(Worker* w, const Cmd* row, Args argv, size_t* count) {
    KeyCollector k = {w, argv, 0};
    bool ok = row_each_key(row, argv, collect_key, &k);
    *count = k.count;
    return ok;
}

// Of the collected keys; inlined with its visitor.
static inline void each_db(Worker* w, const Store* st, const Cmd* row, Args argv, uint32_t db,
                           size_t keys, DbKeyVisit visit, void* arg) {
    int64_t other = row->other_db != nullptr ? row->other_db(argv) : -1;
    for (size_t i = 0; i < keys; i++) {
        visit(arg, db, &w->hashes[i]);
        if (other >= 0 && other < st->db_count) {
            visit(arg, static_cast<uint32_t>(other), &w->hashes[i]);
        }
    }
}

bool keys_each_db(Worker* w, const Store* st, const Cmd* row, Args argv, uint32_t db,
                  DbKeyVisit visit, void* arg) {
    size_t keys;
    if (!keys_collect(w, row, argv, &keys)) return false;
    each_db(w, st, row, argv, db, keys, visit, arg);
    return true;
}

struct LockCollector {
    Worker* w;
    LockSet* set;
};

static void collect_lock(void* arg, uint32_t db, const KeyHash* key) {
    auto* to = static_cast<LockCollector*>(arg);
    locks_add(to->w, to->set, db, key->hash);
}

bool locks_collect(Worker* w, const Store* st, const Cmd* row, Args argv, uint32_t db, LockSet* set,
                   size_t* keys) {
    if (!keys_collect(w, row, argv, keys)) return false;
    LockCollector to = {w, set};
    each_db(w, st, row, argv, db, *keys, collect_lock, &to);
    return true;
}

void locks_add(Worker* w, LockSet* set, uint32_t db, uint64_t hash) {
    if (set->count == w->locks_cap) scratch_grow(&w->locks, &w->locks_cap);
    set->refs = w->locks;
    auto rank = static_cast<uint32_t>(db * kSegments + segment_index(hash));
    set->refs[set->count++] = {rank, 0};
}

void locks_sort(LockSet* set) {
    if (set->count < 2) return;
    LockRef* end = set->refs + set->count;
    std::sort(set->refs, end, [](LockRef a, LockRef b) { return a.rank < b.rank; });
    end = std::unique(set->refs, end, [](LockRef a, LockRef b) { return a.rank == b.rank; });
    set->count = static_cast<size_t>(end - set->refs);
}

void locks_take(Store* st, const LockSet* set, bool txn) {
    for (size_t i = 0; i < set->count; i++) {
        RP_DCHECK(i == 0 || set->refs[i - 1].rank < set->refs[i].rank);  // I4
        mutex_lock(&ref_segment(st, &set->refs[i])->lock);
    }
    if (!txn) return;
    for (size_t i = 0; i < set->count; i++)
        segment_txn_begin(ref_segment(st, &set->refs[i]));
}

void locks_release(Store* st, const LockSet* set, bool txn) {
    for (size_t i = 0; txn && i < set->count; i++) {
        segment_txn_end(ref_segment(st, &set->refs[i]));
    }
    for (size_t i = 0; i < set->count; i++)
        mutex_unlock(&ref_segment(st, &set->refs[i])->lock);
}

bool versions_read(Store* st, LockSet* set) {
    for (size_t i = 0; i < set->count; i++) {
        const Segment* seg = ref_segment(st, &set->refs[i]);
        // Version first: a writer that locks in between bumps it before it unlocks (T7).
        set->refs[i].version = seg->version.load(std::memory_order_acquire);
        if (mutex_held(&seg->lock)) return false;
    }
    return true;
}

bool versions_unchanged(Store* st, const LockSet* set) {
    for (size_t i = 0; i < set->count; i++) {
        const Segment* seg = ref_segment(st, &set->refs[i]);
        // The lock first: found free, every finished writer's bump is visible below.
        if (seg->lock.state.load(std::memory_order_acquire) != 0) return false;
        if (seg->version.load(std::memory_order_acquire) != set->refs[i].version) return false;
    }
    return true;
}

}  // namespace rp
