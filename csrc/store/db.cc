#include "store/db.h"

#include "base/numbers.h"
#include "store/journal.h"
#include "store/notify.h"
#include "store/watch.h"

namespace rp {

uint64_t db_hash_slow(Access* a, Bytes key) {
    // Commands mostly ask in argument order; look from the last hit on, then give up and compute.
    for (size_t i = 0; i < a->hash_count && i < 8; i++) {
        size_t at = a->hash_next + i;
        if (at >= a->hash_count) at -= a->hash_count;
        if (is_argument(&a->hashes[at], key)) {
            a->hash_next = at;
            return a->hashes[at].hash;
        }
    }
    return table_hash(key);
}

// ---- changes: the one place where watchers and counters learn of them (D3) --------------------

[[gnu::noinline, gnu::cold]] static void tell_change(Access* a, Bytes key, uint64_t hash,
                                                     bool deleted) {
    Segment* seg = table_segment(db_table(a), hash);
    if (seg->watched.load(std::memory_order_relaxed) != 0) {
        watch_touch(a, seg, key, hash, deleted);
    }
    const Store* st = a->store;
    if (st->tracked.load(std::memory_order_relaxed)) {
        st->on_change(st->on_change_arg, a->client, key, hash);
    }
}

static void note_change(Access* a, Bytes key, uint64_t hash, bool deleted) {
    a->changes++;
    const Segment* seg = table_segment(db_table(a), hash);
    bool watched = seg->watched.load(std::memory_order_relaxed) != 0;
    if (RP_UNLIKELY(watched || a->store->tracked.load(std::memory_order_relaxed))) {
        tell_change(a, key, hash, deleted);
    }
}

static void remove_entry(Access* a, Bytes key, uint64_t hash, Place at) {
    Entry* old = table_remove(a->slot, db_table(a), hash, at);
    note_change(a, key, hash, true);
    preserve_or_retire(a, old);
}

// An expired key is deleted by whoever meets it under lock; that is not a change made by the
// command.
static void remove_expired(Access* a, Bytes key, uint64_t hash, Place at) {
    uint64_t changes = a->changes, client = a->client;
    record_delete(a, key);
    a->client = 0;
    remove_entry(a, key, hash, at);
    a->client = client;
    a->changes = changes;
    stat_add(&a->stats->expired);
    notify(a, kNotifyExpired, "expired", key);
}

// ---- reading ----------------------------------------------------------------------------------

// Null when absent or expired. D2: under lock an expired key goes now; without, the dispatcher is
// asked to come back with the lock, so that reading an expired key deletes it, as in Redis.
static Entry* find_live(Access* a, Bytes key) {
    uint64_t hash = db_hash(a, key);
    Entry* e = table_find(db_table(a), key, hash);
    if (e == nullptr) return nullptr;
    if (RP_LIKELY(!(e->flags & kEntryExpiry)) || !entry_expired(a, e)) return e;
    if (!a->locked) {
        a->need_lock = true;
        return nullptr;
    }
    remove_expired(a, key, hash, table_locate(db_table(a), key, hash));
    return nullptr;
}

Entry* db_peek(Access* a, Bytes key) { return find_live(a, key); }

Entry* db_find_notouch(Access* a, Bytes key) {
    Entry* e = find_live(a, key);
    if (e == nullptr && notify_wanted(a, kNotifyKeyMiss)) {
        // A read without lock may run several times: this is told once.
        if (!a->locked) a->need_lock = true;
        if (a->locked) notify_slow(a, "keymiss", key);
    }
    if (!a->need_lock) stat_add(e != nullptr ? &a->stats->hits : &a->stats->misses);
    return e;
}

Entry* db_find(Access* a, Bytes key) {
    Entry* e = db_find_notouch(a, key);
    if (e != nullptr && !a->no_touch) age_touch(a, e);
    return e;
}

void db_value(Access* a, const Entry* e, StringView* out) {
    out->ok = true;
    out->blob = nullptr;
    switch (entry_encoding(e)) {
        case Encoding::integer:
            out->bytes = {out->digits, format_i64(out->digits, entry_integer(e))};
            return;
        case Encoding::blob:
            if (!a->locked) {
                a->need_lock = true;
                out->ok = false;
                return;
            }
            out->blob = entry_blob(e);
            out->bytes = blob_bytes(out->blob);
            return;
        case Encoding::embstr:
        case Encoding::raw: out->bytes = entry_inline(e); return;
        case Encoding::listpack:
        case Encoding::intset:
        case Encoding::boxed: RP_ASSERT(!"db_value is for strings");
    }
}

bool db_view(Access* a, const Entry* e, Value* out) {
    RP_DCHECK(entry_type(e) != Type::string);
    if (entry_encoding(e) != Encoding::boxed) {
        out->form = entry_encoding(e) == Encoding::intset ? Form::intset : Form::listpack;
        out->flat = buf_borrow(entry_inline(e));
        return true;
    }
    if (!a->locked) {
        a->need_lock = true;
        return false;
    }
    *out = entry_box(e)->value;
    return true;
}

size_t db_value_len(const Entry* e) {
    return entry_encoding(e) == Encoding::integer ? i64_text_len(entry_integer(e))
                                                  : entry_value_len(e);
}

// ---- writing ----------------------------------------------------------------------------------

Handle db_open(Access* a, Bytes key) {
    RP_DCHECK(a->locked);
    uint64_t hash = db_hash(a, key);
    // Built where it is returned: a copy of what was just stored piecewise stalls the processor.
    Handle h = {key, hash, table_locate(db_table(a), key, hash)};
    if (h.at.entry == nullptr) return h;
    if (RP_UNLIKELY(entry_expired(a, h.at.entry))) {
        remove_expired(a, key, h.hash, h.at);
        h.at = {};
    } else if (!a->no_touch) {
        age_touch(a, h.at.entry);
    }
    return h;
}

static void publish(Access* a, Handle* h, Entry* take) {
    // New: no snapshot under way is to see it.
    take->mark.store(a->store->preserve.id.load(std::memory_order_relaxed),
                     std::memory_order_relaxed);
    Table* t = db_table(a);
    std::atomic<bool>* has_ttl = &a->store->dbs[a->db].has_ttl;
    if ((take->flags & kEntryExpiry) && !has_ttl->load(std::memory_order_relaxed)) {
        has_ttl->store(true, std::memory_order_relaxed);
    }
    if (h->at.entry == nullptr) {
        table_insert(a->slot, t, h->hash, take);
        h->at = {};
        note_change(a, h->key, h->hash, false);
        notify(a, kNotifyNew, "new", h->key);
        return;
    }
    Entry* old = table_replace(t, h->hash, h->at, take);
    h->at.entry = take;
    note_change(a, h->key, h->hash, false);
    preserve_or_retire(a, old);
}

void db_put(Access* a, Handle* h, Entry* take) {
    age_init(a, take);
    publish(a, h, take);
}

void db_put_keep_age(Access* a, Handle* h, Entry* take) {
    if (h->at.entry != nullptr) {
        age_copy(take, h->at.entry);
    } else {
        age_init(a, take);
    }
    publish(a, h, take);
}

void db_put_as_is(Access* a, Handle* h, Entry* take) { publish(a, h, take); }

void db_delete(Access* a, Handle* h) {
    remove_entry(a, h->key, h->hash, h->at);
    h->at = {};
}

void db_set_expiry(Access* a, Handle* h, int64_t expiry_ms) {
    Entry* e = h->at.entry;
    if (e->flags & kEntryExpiry) {
        preserve_before_change(a, e);
        table_set_expiry(db_table(a), h->hash, e, expiry_ms);
        note_change(a, h->key, h->hash, false);
    } else if (expiry_ms != kNoExpiry) {
        db_put_keep_age(a, h, entry_copy(e, h->key, expiry_ms));
    }
}

void db_set_integer(Access* a, Handle* h, int64_t value) {
    preserve_before_change(a, h->at.entry);
    table_set_integer(db_table(a), h->hash, h->at.entry, value);
    note_change(a, h->key, h->hash, false);
}

void db_recount_box(Access* a, Handle* h, size_t cost_before) {
    table_touch(db_table(a), h->hash, cost_before, box_cost(entry_box(h->at.entry)));
}

void db_changed_box(Access* a, Handle* h, size_t cost_before) {
    db_recount_box(a, h, cost_before);
    note_change(a, h->key, h->hash, false);
}

Entry* db_make_string(Bytes key, Bytes value, Blob* big, int64_t expiry_ms) {
    int64_t number;
    if (value.len <= kI64TextMax && parse_i64(value, &number)) {
        return entry_new_integer(key, number, expiry_ms);
    }
    if (big != nullptr && value.len >= kBlobMin) {
        return entry_new_blob(key, blob_ref(big), expiry_ms);
    }
    return entry_new_string(key, value, Encoding::embstr, expiry_ms);
}

}  // namespace rp
