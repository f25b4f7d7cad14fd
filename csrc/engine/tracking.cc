// Who tracks, and how messages reach them.
#include "engine/tracking.h"

#include <cstdio>
#include <new>

#include "base/hash.h"
#include "mem/mem.h"

namespace rp {

// ---- messages ---------------------------------------------------------------------------------

constexpr size_t kLengthMax = 24;  // "$18446744073709551615\r\n"
constexpr Bytes kInvalidate = "2\r\n$10\r\ninvalidate\r\n";
constexpr Bytes kBroken = "2\r\n$21\r\ntracking-redir-broken\r\n";

Blob* tracking_keys_wire(const Bytes* keys, size_t count) {
    size_t cap = kLengthMax;
    for (size_t i = 0; i < count; i++)
        cap += kLengthMax + keys[i].len + 2;
    Blob* b = blob_try_new(cap);
    if (b == nullptr) return nullptr;
    char* to = b->data + snprintf(b->data, kLengthMax, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        to += snprintf(to, kLengthMax, "$%zu\r\n", keys[i].len);
        if (keys[i].len != 0) memcpy(to, keys[i].ptr, keys[i].len);
        memcpy(to + keys[i].len, "\r\n", 2);
        to += keys[i].len + 2;
    }
    b->len = static_cast<size_t>(to - b->data);
    return b;
}

Blob* tracking_null_wire(uint8_t resp) {
    Bytes null = resp == 3 ? Bytes("_\r\n") : Bytes("$-1\r\n");
    Blob* b = blob_new(null.len);
    memcpy(b->data, null.ptr, null.len);
    b->len = null.len;
    return b;
}

// ---- parties ----------------------------------------------------------------------------------

static uint64_t id_hash(uint64_t id) {
    return hash_bytes({reinterpret_cast<char*>(&id), sizeof id});
}

Party* tracking_party(const Tracking* t, uint64_t id) {
    uint64_t hash = id_hash(id);
    for (HashNode* n = nodes_first(&t->parties, hash); n != nullptr; n = n->next) {
        auto* p = reinterpret_cast<Party*>(n);
        if (p->id == id) return p;
    }
    return nullptr;
}

// REQUIRES: lock, and s is alive for as long as it is held.
static Party* party_of(Tracking* t, Session* s) {
    Party* p = tracking_party(t, s->id);
    if (p != nullptr) return p;
    p = new (mem_alloc(sizeof(Party))) Party{};
    p->node.hash = id_hash(s->id);
    p->id = s->id;
    p->session = s;
    nodes_add(&t->parties, &p->node);
    return p;
}

// One receiver per port: each client has its own messages. Nobody has seen the port yet, so its
// list may be filled by a thread that does not own the mailbox.
static void open_port(Port** port, Receiver* r, Session* s, Framing framing, Bytes prefix) {
    if (*port != nullptr || s->mailbox == nullptr) return;
    *port = port_new(s->mailbox, framing, prefix);
    port_join(*port, r, s);
}

static void listen(Session* s, uint32_t what) {
    s->listens.fetch_or(what, std::memory_order_relaxed);
}

// REQUIRES: lock.
static void send_broken(Party* p, int64_t target) {
    p->session->tracking.fetch_or(kTrackingBroken, std::memory_order_relaxed);
    if (p->broken == nullptr) return;
    Blob* b = blob_new(kLengthMax);
    b->len = static_cast<size_t>(
        snprintf(b->data, kLengthMax, ":%lld\r\n", static_cast<long long>(target)));
    port_post(p->broken, b);
    blob_unref(b);
}

void tracking_send(Tracking* t, Party* p, Blob* wire) {
    int64_t target = p->session->redirect.load(std::memory_order_relaxed);
    if (target == 0) {
        if (p->own != nullptr) port_post(p->own, wire);
        return;
    }
    const Party* to = tracking_party(t, static_cast<uint64_t>(target));
    if (to == nullptr) return send_broken(p, target);
    port_post(to->via, wire);
}

// ---- starting, stopping -----------------------------------------------------------------------

// Null: there is none. REQUIRES: lock. It stays as long as that is held: whoever ends a session
// unlinks it first and comes to tracking_forget afterwards.
static Session* find_session(const Tracking* t, int64_t id) {
    Clients* list = &t->engine->clients;
    MutexGuard guard(&list->lock);
    for (Session* s = list->head; s != nullptr; s = s->next) {
        if (static_cast<int64_t>(s->id) != id) continue;
        // Seen by its end, which looks once it is unlinked.
        if (s->mailbox != nullptr && !s->embedded) listen(s, kListensRedirected);
        return s;
    }
    return nullptr;
}

bool tracking_finds_client(const Tracking* t, int64_t id) {
    Clients* list = &t->engine->clients;
    MutexGuard guard(&list->lock);
    for (const Session* s = list->head; s != nullptr; s = s->next) {
        if (static_cast<int64_t>(s->id) == id) return true;
    }
    return false;
}

// REQUIRES: lock.
static Started open_ports(Tracking* t, Session* s, int64_t redirect) {
    if (redirect != 0) {
        Session* target = find_session(t, redirect);
        if (target == nullptr) return Started::no_target;
        if (target->mailbox == nullptr || target->embedded) return Started::deaf_target;
        Party* to = party_of(t, target);
        open_port(&to->via, &to->via_receiver, target, Framing::invalidation, kInvalidate);
    } else if (s->mailbox == nullptr || s->embedded) {
        return Started::deaf;
    }
    Party* p = party_of(t, s);
    open_port(&p->own, &p->own_receiver, s, Framing::push3, kInvalidate);
    open_port(&p->broken, &p->broken_receiver, s, Framing::push3, kBroken);
    return Started::yes;
}

// REQUIRES: lock.
static void set_modes(Tracking* t, Party* p, const TrackingWish* wish) {
    Session* s = p->session;
    uint32_t before = s->tracking.load(std::memory_order_relaxed);
    if (!(before & kTrackingOn)) t->clients.fetch_add(1, std::memory_order_relaxed);
    s->redirect.store(wish->redirect, std::memory_order_relaxed);
    s->tracking.store((before & kTrackingCaching) | kTrackingOn | wish->flags,
                      std::memory_order_relaxed);
    listen(s, kListensTracking);
    if (!p->tracks) t->trackers++;
    p->tracks = true;
    t->tracked->store(true, std::memory_order_relaxed);
}

Started tracking_start(Tracking* t, Session* s, const TrackingWish* wish) {
    mutex_lock(&t->bcast_lock);
    mutex_lock(&t->lock);
    Started started = open_ports(t, s, wish->redirect);
    if (started == Started::yes) {
        Party* p = party_of(t, s);
        set_modes(t, p, wish);
        for (size_t i = 0; i < wish->prefix_count; i++)
            bcast_join(t, p, wish->prefixes[i]);
        if ((wish->flags & kTrackingBcast) && wish->prefix_count == 0) bcast_join(t, p, {});
    }
    mutex_unlock(&t->lock);
    mutex_unlock(&t->bcast_lock);
    if (started == Started::yes) epoch_fence_all();  // K3
    return started;
}

// REQUIRES: bcast_lock, lock.
static void stop(Tracking* t, Party* p) {
    bcast_leave(t, p);
    uint32_t before = p->session->tracking.exchange(0, std::memory_order_relaxed);
    if (before & kTrackingOn) t->clients.fetch_sub(1, std::memory_order_relaxed);
}

void tracking_stop(Tracking* t, Session* s) {
    if (s->tracking.load(std::memory_order_relaxed) == 0) return;
    MutexGuard bcast(&t->bcast_lock);
    MutexGuard guard(&t->lock);
    stop(t, tracking_party(t, s->id));
}

static void close_port(Port* p, Receiver* r) {
    if (p != nullptr) port_forget(p, r, true);
}

// REQUIRES: bcast_lock, lock. Afterwards nobody posts to it.
static void unlink_party(Tracking* t, Party* p) {
    stop(t, p);
    nodes_remove(&t->parties, &p->node);
    if (p->own != nullptr) port_leave(p->own, &p->own_receiver);
    if (p->broken != nullptr) port_leave(p->broken, &p->broken_receiver);
    if (p->via != nullptr) port_leave(p->via, &p->via_receiver);
    if (!p->tracks || --t->trackers != 0) return;
    // All ids in the table are of sessions that are gone.
    tracked_clear(t);
    t->tracked->store(false, std::memory_order_relaxed);
}

void tracking_forget(Tracking* t, Session* s) {
    if (!(s->listens.load(std::memory_order_relaxed) & (kListensTracking | kListensRedirected))) {
        return;
    }
    mutex_lock(&t->bcast_lock);
    mutex_lock(&t->lock);
    Party* p = tracking_party(t, s->id);
    if (p != nullptr) unlink_party(t, p);
    mutex_unlock(&t->lock);
    mutex_unlock(&t->bcast_lock);
    if (p == nullptr) return;  // a redirection to it was refused
    close_port(p->own, &p->own_receiver);
    close_port(p->broken, &p->broken_receiver);
    close_port(p->via, &p->via_receiver);
    mem_free(p, sizeof(Party));
}

// ---- flushes ----------------------------------------------------------------------------------

void tracking_flushed(void* engine) {
    Tracking* t = static_cast<Engine*>(engine)->tracking;
    MutexGuard guard(&t->lock);
    Blob* nulls[2] = {tracking_null_wire(2), tracking_null_wire(3)};
    for (size_t i = 0; i < t->parties.cap; i++) {
        for (HashNode* n = t->parties.slots[i]; n != nullptr; n = n->next) {
            auto* p = reinterpret_cast<Party*>(n);
            if (!(p->session->tracking.load(std::memory_order_relaxed) & kTrackingOn)) continue;
            // In the words of who tracks, wherever they go, as in Redis.
            bool three = p->session->shared_resp.load(std::memory_order_relaxed) == 3;
            tracking_send(t, p, nulls[three ? 1 : 0]);
        }
    }
    blob_unref(nulls[0]);
    blob_unref(nulls[1]);
    tracked_clear(t);
}

// ---- the whole --------------------------------------------------------------------------------

Tracking* tracking_new(Engine* e) {
    auto* t = new (mem_alloc_aligned(sizeof(Tracking), alignof(Tracking))) Tracking;
    t->engine = e;
    t->tracked = &e->core.store.tracked;
    return t;
}

void tracking_free(Tracking* take) {
    if (take == nullptr) return;
    RP_ASSERT(take->parties.count == 0);
    RP_ASSERT(take->prefixes.count == 0);
    RP_ASSERT(take->keys.load(std::memory_order_relaxed) == 0);
    mem_free(take->lengths, take->lengths_cap * sizeof(PrefixLength));
    mem_free_aligned(take, sizeof(Tracking));
}

}  // namespace rp
