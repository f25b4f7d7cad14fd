#include "store/preserve.h"

#include "mem/mem.h"
#include "store/db.h"

namespace rp {

static bool is_unseen(const Preserve* p, const Entry* e) {
    return e->mark.load(std::memory_order_relaxed) != p->id.load(std::memory_order_relaxed);
}

static void push(Access* a, Entry* take, bool unlinked) {
    Preserve* p = &a->store->preserve;
    auto* s = static_cast<SavedEntry*>(mem_alloc(sizeof(SavedEntry)));
    *s = {p->saved.load(std::memory_order_relaxed), db_table(a), take, unlinked};
    p->saved_bytes.fetch_add(entry_cost(take), std::memory_order_relaxed);
    // Release: the snapshot sees the entry it takes.
    while (!p->saved.compare_exchange_weak(s->next, s, std::memory_order_release,
                                           std::memory_order_relaxed)) {}
}

void preserve_before_change(Access* a, Entry* e) {
    Preserve* p = &a->store->preserve;
    if (RP_LIKELY(!p->active.load(std::memory_order_relaxed)) || !is_unseen(p, e)) return;
    push(a, entry_copy(e, entry_key(e), entry_expiry_ms(e)), false);
    e->mark.store(p->id.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void preserve_or_retire(Access* a, Entry* old) {
    Preserve* p = &a->store->preserve;
    if (RP_LIKELY(!p->active.load(std::memory_order_relaxed)) || !is_unseen(p, old)) {
        return entry_retire(a->slot, old);
    }
    push(a, old, true);
}

bool preserve_table(Preserve* p, Table* take) {
    MutexGuard guard(&p->lock);
    if (!p->active.load(std::memory_order_relaxed)) return false;
    auto* k = static_cast<KeptTable*>(mem_alloc(sizeof(KeptTable)));
    *k = {p->kept, take};
    p->kept = k;
    return true;
}

SavedEntry* preserve_take(Preserve* p) {
    return p->saved.exchange(nullptr, std::memory_order_acquire);
}

void saved_free(Preserve* p, EpochSlot* s, SavedEntry* take) {
    p->saved_bytes.fetch_sub(entry_cost(take->entry), std::memory_order_relaxed);
    take->unlinked ? entry_retire(s, take->entry) : entry_free(take->entry);
    mem_free(take, sizeof(SavedEntry));
}

static KeptTable* stop(Preserve* p) {
    MutexGuard guard(&p->lock);
    p->active.store(false, std::memory_order_relaxed);
    KeptTable* kept = p->kept;
    p->kept = nullptr;
    return kept;
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
    for (SavedEntry* e = preserve_take(p); e != nullptr;) {
        SavedEntry* next = e->next;
        saved_free(p, s, e);
        e = next;
    }
    epoch_reclaim(s);
}

}  // namespace rp
