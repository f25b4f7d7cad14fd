// BCAST: clients that hear of every change of keys with their prefixes, whoever has read what.
//
// A changed key waits in each of its prefixes until the turn ends; then every member of the prefix
// gets all of them as one message. A prefix is found by hash, once per length that prefixes have.
#include <algorithm>

#include "base/hash.h"
#include "engine/tracking.h"
#include "mem/mem.h"

namespace rp {

static Prefix* prefix_of(HashNode* n) { return reinterpret_cast<Prefix*>(n); }
static PendingKey* pending_of(HashNode* n) { return reinterpret_cast<PendingKey*>(n); }

static Prefix* find_prefix(const Tracking* t, Bytes text) {
    uint64_t hash = hash_bytes(text);
    for (HashNode* n = nodes_first(&t->prefixes, hash); n != nullptr; n = n->next) {
        if (n->hash == hash && bytes_equal(prefix_of(n)->bytes(), text)) return prefix_of(n);
    }
    return nullptr;
}

// ---- lengths ----------------------------------------------------------------------------------

static void lengths_add(Tracking* t, uint32_t len) {
    for (size_t i = 0; i < t->lengths_count; i++) {
        if (t->lengths[i].len != len) continue;
        t->lengths[i].count++;
        return;
    }
    if (t->lengths_count == t->lengths_cap) {
        size_t cap = t->lengths_cap == 0 ? 4 : 2 * t->lengths_cap;
        auto* more = static_cast<PrefixLength*>(mem_alloc(cap * sizeof(PrefixLength)));
        if (t->lengths_count != 0) {
            memcpy(more, t->lengths, t->lengths_count * sizeof(PrefixLength));
        }
        mem_free(t->lengths, t->lengths_cap * sizeof(PrefixLength));
        t->lengths = more;
        t->lengths_cap = cap;
    }
    t->lengths[t->lengths_count++] = {len, 1};
}

static void lengths_remove(Tracking* t, uint32_t len) {
    size_t i = 0;
    while (t->lengths[i].len != len)
        i++;
    if (--t->lengths[i].count == 0) t->lengths[i] = t->lengths[--t->lengths_count];
}

// ---- members ----------------------------------------------------------------------------------

static Prefix* prefix_new(Tracking* t, Bytes text) {
    auto* p = static_cast<Prefix*>(mem_alloc(sizeof(Prefix) + text.len));
    *p = {};
    p->node.hash = hash_bytes(text);
    p->len = static_cast<uint32_t>(text.len);
    if (text.len != 0) memcpy(p->text, text.ptr, text.len);
    nodes_add(&t->prefixes, &p->node);
    lengths_add(t, p->len);
    t->prefix_count.fetch_add(1, std::memory_order_relaxed);
    return p;
}

static void pending_drop(Tracking* t, Prefix* p) {
    for (HashNode *n = nodes_take_all(&p->pending), *next; n != nullptr; n = next) {
        next = n->next;
        size_t bytes = sizeof(PendingKey) + pending_of(n)->len;
        t->pending_bytes -= bytes;
        mem_free(n, bytes);
    }
    p->lost = false;
}

static void prefix_free(Tracking* t, Prefix* take) {
    if (take->waits) {
        Prefix** at = &t->pending;
        while (*at != take)
            at = &(*at)->next_pending;
        *at = take->next_pending;
        if (t->pending == nullptr) t->any_pending.store(false, std::memory_order_relaxed);
    }
    pending_drop(t, take);
    nodes_remove(&t->prefixes, &take->node);
    lengths_remove(t, take->len);
    t->prefix_count.fetch_sub(1, std::memory_order_relaxed);
    mem_free(take, sizeof(Prefix) + take->len);
}

void bcast_join(Tracking* t, Party* party, Bytes text) {
    Prefix* p = find_prefix(t, text);
    if (p == nullptr) p = prefix_new(t, text);
    for (const Member* m = party->members; m != nullptr; m = m->next_of_party) {
        if (m->prefix == p) return;
    }
    auto* m = static_cast<Member*>(mem_alloc(sizeof(Member)));
    *m = {party, p, p->members, nullptr, party->members};
    if (p->members != nullptr) p->members->prev = m;
    p->members = m;
    party->members = m;
}

void bcast_leave(Tracking* t, Party* party) {
    while (party->members != nullptr) {
        Member* m = party->members;
        party->members = m->next_of_party;
        (m->prev != nullptr ? m->prev->next : m->prefix->members) = m->next;
        if (m->next != nullptr) m->next->prev = m->prev;
        if (m->prefix->members == nullptr) prefix_free(t, m->prefix);
        mem_free(m, sizeof(Member));
    }
}

// ---- telling ----------------------------------------------------------------------------------

// The pending keys of one prefix, sorted.
struct Changed {
    Bytes* keys;
    uint64_t* by;  // of each
    size_t count;
};

static Changed changed_of(const Prefix* p) {
    Changed c = {};
    c.count = p->pending.count;
    auto** nodes = static_cast<PendingKey**>(mem_alloc(c.count * sizeof(PendingKey*)));
    size_t n = 0;
    for (size_t i = 0; i < p->pending.cap; i++) {
        for (HashNode* node = p->pending.slots[i]; node != nullptr; node = node->next)
            nodes[n++] = pending_of(node);
    }
    std::sort(nodes, nodes + n, [](const PendingKey* a, const PendingKey* b) {
        return tracking_before(a->bytes(), b->bytes());
    });
    c.keys = static_cast<Bytes*>(mem_alloc(n * sizeof(Bytes)));
    c.by = static_cast<uint64_t*>(mem_alloc(n * sizeof(uint64_t)));
    for (size_t i = 0; i < n; i++) {
        c.keys[i] = nodes[i]->bytes();
        c.by[i] = nodes[i]->by;
    }
    mem_free(nodes, c.count * sizeof(PendingKey*));
    return c;
}

static void changed_free(Changed* c) {
    mem_free(c->keys, c->count * sizeof(Bytes));
    mem_free(c->by, c->count * sizeof(uint64_t));
}

static Blob* wire_or_null(const Bytes* keys, size_t count) {
    Blob* wire = tracking_keys_wire(keys, count);
    return wire != nullptr ? wire : tracking_null_wire(2);
}

// NOLOOP: without what it has changed itself. Null: nothing is left.
static Blob* wire_without(const Changed* c, uint64_t id) {
    auto* keys = static_cast<Bytes*>(mem_alloc(c->count * sizeof(Bytes)));
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->by[i] != id) keys[n++] = c->keys[i];
    }
    Blob* wire = n != 0 ? wire_or_null(keys, n) : nullptr;
    mem_free(keys, c->count * sizeof(Bytes));
    return wire;
}

// REQUIRES: bcast_lock, lock.
static void tell_members(Tracking* t, const Prefix* p) {
    Changed c = changed_of(p);
    Blob* all = p->lost ? tracking_null_wire(2) : wire_or_null(c.keys, c.count);
    for (const Member* m = p->members; m != nullptr; m = m->next) {
        uint32_t modes = m->party->session->tracking.load(std::memory_order_relaxed);
        if (RP_LIKELY(!(modes & kTrackingNoloop) || p->lost)) {
            tracking_send(t, m->party, all);
            continue;
        }
        Blob* others = wire_without(&c, m->party->id);
        if (others != nullptr) tracking_send(t, m->party, others);
        blob_unref(others);
    }
    blob_unref(all);
    changed_free(&c);
}

// The list of those that wait, by their text.
static Prefix* sorted(Prefix* list) {
    size_t n = 0;
    for (const Prefix* p = list; p != nullptr; p = p->next_pending)
        n++;
    if (n < 2) return list;
    auto** all = static_cast<Prefix**>(mem_alloc(n * sizeof(Prefix*)));
    size_t i = 0;
    for (Prefix* p = list; p != nullptr; p = p->next_pending)
        all[i++] = p;
    std::sort(all, all + n, [](const Prefix* a, const Prefix* b) {
        return tracking_before(a->bytes(), b->bytes());
    });
    for (i = 0; i < n; i++)
        all[i]->next_pending = i + 1 < n ? all[i + 1] : nullptr;
    list = all[0];
    mem_free(all, n * sizeof(Prefix*));
    return list;
}

// REQUIRES: bcast_lock. `any_pending` is cleared when all is posted, not before: whoever finds it
// set waits on the lock for that.
static void flush(Tracking* t) {
    MutexGuard guard(&t->lock);
    for (Prefix *p = sorted(t->pending), *next; p != nullptr; p = next) {
        next = p->next_pending;
        tell_members(t, p);
        pending_drop(t, p);
        p->waits = false;
        p->next_pending = nullptr;
    }
    t->pending = nullptr;
    t->any_pending.store(false, std::memory_order_release);
}

static void flush_if_any(Tracking* t) {
    if (!t->any_pending.load(std::memory_order_acquire)) return;
    MutexGuard guard(&t->bcast_lock);
    flush(t);
}

// This thread has noted a change since it flushed. Others flush for themselves: so a pipeline is
// one message, whatever they do meanwhile.
static thread_local bool t_noted = false;

void tracking_flush(Engine* e) {
    if (RP_LIKELY(!t_noted)) return;
    t_noted = false;
    flush_if_any(e->tracking);
}

void tracking_cron(Tracking* t) {
    tracked_trim(t);
    // Not what somebody is about to tell.
    if (t->was_pending) flush_if_any(t);
    t->was_pending = t->any_pending.load(std::memory_order_relaxed);
}

// ---- noting -----------------------------------------------------------------------------------

static PendingKey* find_pending(const Prefix* p, Bytes key, uint64_t hash) {
    for (HashNode* n = nodes_first(&p->pending, hash); n != nullptr; n = n->next) {
        if (n->hash == hash && bytes_equal(pending_of(n)->bytes(), key)) return pending_of(n);
    }
    return nullptr;
}

static void add_pending(Tracking* t, Prefix* p, Bytes key, uint64_t hash, uint64_t by) {
    PendingKey* k = find_pending(p, key, hash);
    if (k != nullptr) {
        k->by = by;
        return;
    }
    size_t bytes = sizeof(PendingKey) + key.len;
    k = static_cast<PendingKey*>(mem_try_alloc(bytes));
    if (k != nullptr) {
        *k = {};
        k->node.hash = hash;
        k->by = by;
        k->len = static_cast<uint32_t>(key.len);
        if (key.len != 0) memcpy(k->name, key.ptr, key.len);
        nodes_add(&p->pending, &k->node);
        t->pending_bytes += bytes;
    } else {
        p->lost = true;
    }
    if (p->waits) return;
    p->waits = true;
    p->next_pending = t->pending;
    t->pending = p;
    t->any_pending.store(true, std::memory_order_relaxed);
}

void bcast_changed(Tracking* t, uint64_t by, Bytes key, uint64_t hash) {
    t_noted = true;
    MutexGuard guard(&t->bcast_lock);
    for (size_t i = 0; i < t->lengths_count; i++) {
        if (t->lengths[i].len > key.len) continue;
        Prefix* p = find_prefix(t, bytes_slice(key, 0, t->lengths[i].len));
        if (p != nullptr) add_pending(t, p, key, hash, by);
    }
    if (t->pending_bytes > kPendingMax) flush(t);
}

}  // namespace rp
