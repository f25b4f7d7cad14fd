#include "store/preserve.h"

#include "mem/mem.h"
#include "store/db.h"

namespace rp {

bool preserve_claim(Preserve* p, Entry* e) {
    uint8_t id = p->id.load(std::memory_order_relaxed);
    // Acquire and release, S1: what the snapshot reads before it claims stays before, and whoever
    // finds an entry claimed changes it after that.
    if (e->mark.load(std::memory_order_acquire) == id) return false;
    return e->mark.exchange(id, std::memory_order_acq_rel) != id;
}

Entry* preserve_copy(const Entry* e) {
    Entry* copy = entry_copy(e, entry_key(e), entry_expiry_ms(e));
    entry_hold(copy);
    return copy;
}

void preserve_copy_free(Entry* take) {
    entry_let_go(take);
    entry_free(take);
}

// ---- writers ----------------------------------------------------------------------------------

static void push(std::atomic<SavedEntry*>* list, const SavedEntry& what) {
    auto* s = static_cast<SavedEntry*>(mem_alloc(sizeof(SavedEntry)));
    *s = what;
    s->next = list->load(std::memory_order_relaxed);
    // Release: the snapshot sees the entry it takes.
    while (!list->compare_exchange_weak(s->next, s, std::memory_order_release,
                                        std::memory_order_relaxed)) {}
}

static void save(Access* a, Entry* take, bool unlinked) {
    Preserve* p = &a->store->preserve;
    size_t cost = entry_cost(take);
    p->saved_bytes.fetch_add(cost, std::memory_order_relaxed);
    push(&p->saved, {nullptr, db_table(a), take, cost, unlinked});
}

void preserve_before_change(Access* a, Entry* e) {
    Preserve* p = &a->store->preserve;
    if (RP_LIKELY(!p->active.load(std::memory_order_relaxed)) || !preserve_claim(p, e)) return;
    RP_YIELD();
    save(a, preserve_copy(e), false);
}

void preserve_or_retire(Access* a, Entry* old) {
    Preserve* p = &a->store->preserve;
    if (RP_LIKELY(!p->active.load(std::memory_order_relaxed)) || !preserve_claim(p, old)) {
        return entry_retire(a->slot, old);
    }
    entry_hold(old);
    save(a, old, true);
}

bool preserve_table(Preserve* p, Table* take) {
    MutexGuard guard(&p->lock);
    if (!p->active.load(std::memory_order_relaxed)) return false;
    auto* k = static_cast<KeptTable*>(mem_alloc(sizeof(KeptTable)));
    *k = {p->kept, take};
    p->kept = k;
    return true;
}

// ---- waiting ----------------------------------------------------------------------------------

// Of a Box only its holder may know more.
static bool may_be_large(const Entry* e) {
    return entry_encoding(e) == Encoding::boxed ||
           (entry_encoding(e) == Encoding::blob && entry_value_len(e) > kCopiedBlobMax);
}

// REQUIRES its segment's lock.
static bool is_large(const Entry* e) {
    if (!may_be_large(e)) return false;
    return entry_encoding(e) == Encoding::blob || box_cost(entry_box(e)) > kCopiedBoxMax;
}

static void hand_over(Preserve* p, const Table* t, Entry* e) {
    if (!preserve_claim(p, e)) return;
    Entry* copy = preserve_copy(e);
    size_t cost = mem_cost(entry_bytes(copy));
    p->saved_bytes.fetch_add(cost, std::memory_order_relaxed);
    push(&p->urgent, {nullptr, t, copy, cost, false});
}

bool preserve_must_wait(Preserve* p, Table* t, Bytes key, uint64_t hash) {
    const Entry* seen = table_find(t, key, hash);
    if (RP_LIKELY(seen == nullptr || !may_be_large(seen))) return false;
    MutexGuard guard(&table_segment(t, hash)->lock);
    Entry* e = table_locate(t, key, hash).entry;
    if (e == nullptr || !is_large(e)) return false;
    hand_over(p, t, e);
    if (!entry_held(e)) return false;
    // Said before the last look: the snapshot lets go first and then asks who waits.
    p->awaited.store(true, std::memory_order_seq_cst);
    return entry_held(e);
}

bool preserve_must_wait_for_room(Preserve* p) {
    p->awaited.store(true, std::memory_order_seq_cst);
    return p->saved_bytes.load(std::memory_order_seq_cst) > kSavedBytesMax;
}

// ---- the snapshot's side ----------------------------------------------------------------------

SavedEntry* preserve_take(std::atomic<SavedEntry*>* list) {
    if (list->load(std::memory_order_relaxed) == nullptr) return nullptr;
    return list->exchange(nullptr, std::memory_order_acquire);
}

void saved_free(Preserve* p, EpochSlot* s, SavedEntry* take) {
    entry_let_go(take->entry);
    take->unlinked ? entry_retire(s, take->entry) : entry_free(take->entry);
    p->saved_bytes.fetch_sub(take->cost, std::memory_order_seq_cst);
    mem_free(take, sizeof(SavedEntry));
}

bool preserve_wake(Preserve* p) {
    if (RP_LIKELY(!p->awaited.load(std::memory_order_seq_cst))) return false;
    p->awaited.store(false, std::memory_order_seq_cst);
    p->let_go.fetch_add(1, std::memory_order_seq_cst);
    futex_wake_all(&p->let_go);
    return true;
}

// Ids are 1..255.
constexpr uint32_t kUnfinishedMax = 200;

bool preserve_note_seen(Preserve* p, bool all) {
    p->unfinished = all ? 0 : p->unfinished + 1;
    return p->unfinished < kUnfinishedMax;
}

static KeptTable* stop(Preserve* p) {
    MutexGuard guard(&p->lock);
    p->active.store(false, std::memory_order_relaxed);
    KeptTable* kept = p->kept;
    p->kept = nullptr;
    return kept;
}

static void free_all(Preserve* p, EpochSlot* s, std::atomic<SavedEntry*>* list) {
    for (SavedEntry* e = preserve_take(list); e != nullptr;) {
        SavedEntry* next = e->next;
        saved_free(p, s, e);
        e = next;
    }
}

void preserve_end(Preserve* p, EpochSlot* s) {
    KeptTable* kept = stop(p);
    while (kept != nullptr) {
        KeptTable* next = kept->next;
        store_free_table(s, kept->table);
        mem_free(kept, sizeof(KeptTable));
        kept = next;
    }
    // A cancelled snapshot's writers may still be pushing: those who saw `active` are gone once
    // every reader of that moment is.
    epoch_synchronize(s);
    free_all(p, s, &p->urgent);
    free_all(p, s, &p->saved);
    epoch_reclaim(s);
}

}  // namespace rp
