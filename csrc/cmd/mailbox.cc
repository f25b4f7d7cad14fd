#include "cmd/mailbox.h"

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

// Arrays of items beyond this are given back once they are empty.
constexpr size_t kItemsKeep = 4096;
constexpr size_t kItemsMin = 64;

static thread_local Mailbox* t_here = nullptr;

void mailbox_here(Mailbox* b) { t_here = b; }

static size_t item_bytes(const Blob* wire) { return wire->len + sizeof(MailItem); }

// ---- ports ------------------------------------------------------------------------------------

Port* port_new(Mailbox* b, Framing framing, Bytes prefix) {
    auto* p = static_cast<Port*>(mem_alloc(sizeof(Port) + prefix.len));
    *p = {};
    p->box = b;
    p->framing = framing;
    p->prefix_len = static_cast<uint32_t>(prefix.len);
    if (prefix.len != 0) memcpy(p->prefix, prefix.ptr, prefix.len);
    return p;
}

static void port_free(Port* take) { mem_free(take, sizeof(Port) + take->prefix_len); }

static void ports_free(Port* take) {
    while (take != nullptr) {
        Port* next = take->next_dead;
        port_free(take);
        take = next;
    }
}

static uint64_t next_seq(Mailbox* b) {
    MutexGuard guard(&b->lock);
    return b->next_seq;
}

void port_join(Port* p, Receiver* r, Session* s) {
    p->members++;
    *r = {};
    r->session = s;
    r->port = p;
    r->since = next_seq(p->box);
    r->prev = p->tail;
    (p->tail != nullptr ? p->tail->next : p->head) = r;
    p->tail = r;
}

bool port_leave(Port* p, Receiver* r) {
    r->until = next_seq(p->box);
    return --p->members != 0;
}

void port_forget(Port* p, Receiver* r, bool gone) {
    (r->prev != nullptr ? r->prev->next : p->head) = r->next;
    (r->next != nullptr ? r->next->prev : p->tail) = r->prev;
    if (!gone) return;
    RP_DCHECK(p->head == nullptr);
    Mailbox* b = p->box;
    mutex_lock(&b->lock);
    bool named = b->count != 0 || b->over != nullptr;  // by something that waits
    mutex_unlock(&b->lock);
    if (!named) return port_free(p);
    p->next_dead = b->dead;
    b->dead = p;
}

// ---- posting ----------------------------------------------------------------------------------

static void grow(Mailbox* b) {
    size_t cap = b->cap == 0 ? kItemsMin : 2 * b->cap;
    auto* items = static_cast<MailItem*>(mem_alloc(cap * sizeof(MailItem)));
    if (b->count != 0) memcpy(items, b->items, b->count * sizeof(MailItem));
    mem_free(b->items, b->cap * sizeof(MailItem));
    b->items = items;
    b->cap = cap;
}

// REQUIRES: b->lock.
static void drop(Mailbox* b, Port* p) {
    if (p->over) return;
    p->over = true;
    p->next_over = b->over;
    b->over = p;
}

static void add(Mailbox* b, Port* p, Blob* wire) {
    if (b->count == b->cap) grow(b);
    b->items[b->count++] = {p, blob_ref(wire)};
    b->bytes += item_bytes(wire);
    b->next_seq++;
    if (b->full == nullptr || b->is_full || b->bytes <= b->soft_bytes) return;
    b->is_full = true;
    b->full->fetch_add(1, std::memory_order_relaxed);
}

void port_post(Port* p, Blob* wire) {
    Mailbox* b = p->box;
    mutex_lock(&b->lock);
    // A port that has a gap gets nothing behind it.
    bool fits = !p->over && b->bytes + item_bytes(wire) <= b->hard_bytes;
    if (RP_LIKELY(fits)) {
        add(b, p, wire);
    } else {
        drop(b, p);
    }
    bool first = !b->waiting.load(std::memory_order_relaxed);
    if (first) b->waiting.store(true, std::memory_order_release);
    mutex_unlock(&b->lock);
    if (first && b != t_here) b->wake(b->wake_arg);
}

// ---- delivering -------------------------------------------------------------------------------

static Out* push_out(const Port* p, Session* s, size_t bytes) {
    Out* o = session_push_out(s);
    s->pushed_bytes = o->bytes == 0 ? bytes : s->pushed_bytes + bytes;
    if (o->head == nullptr && o == &s->out && p->box->lend != nullptr) p->box->lend(s);
    return o;
}

// What stands before the messages of a port for one of its receivers.
struct Front {
    char mark;  // 0: none
    Bytes prefix;
};

// False: it does not get them.
static bool front_of(const Port* p, const Session* s, Front* out) {
    *out = {s->resp == 3 ? '>' : '*', {p->prefix, p->prefix_len}};
    switch (p->framing) {
        case Framing::none: out->mark = 0; return true;
        case Framing::push: return true;
        case Framing::push3: return s->resp == 3;
        case Framing::invalidation:
            if (s->resp == 3) return true;
            out->prefix = "3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";
            return s->subscribed != 0;
    }
    return false;
}

static void push(const Port* p, Session* s, Blob* wire) {
    Front f;
    if (!front_of(p, s, &f)) return;
    Out* o = push_out(p, s, f.prefix.len + wire->len);
    size_t mark = f.mark != 0 ? 1 : 0;
    size_t front = mark + f.prefix.len;
    bool by_reference = wire->len >= kOutBlobMin;
    size_t copied = front + (by_reference ? 0 : wire->len);
    if (RP_LIKELY(copied <= kOutChunkMax)) {
        char* at = out_reserve(o, copied);
        if (mark != 0) *at = f.mark;
        memcpy(at + mark, f.prefix.ptr, f.prefix.len);
        if (!by_reference) memcpy(at + front, wire->data, wire->len);
        out_commit(o, copied);
    } else {
        if (mark != 0) out_write(o, {&f.mark, 1});
        out_write(o, f.prefix);
        if (!by_reference) out_write(o, blob_bytes(wire));
    }
    if (by_reference) out_blob(o, wire, 0, wire->len);
    if (p->box->pushed != nullptr) p->box->pushed(s);
}

// What was published after a client was closed (CLIENT KILL, ACL SETUSER) is not for it.
static bool is_gone(const Session* s) { return s->cut || s->kill.load(std::memory_order_relaxed); }

static void deliver(const Port* p, Blob* wire, uint64_t seq) {
    for (Receiver* r = p->head; r != nullptr; r = r->next) {
        if (RP_UNLIKELY(seq < r->since || seq >= r->until || is_gone(r->session))) continue;
        push(p, r->session, wire);
    }
}

// Messages of one port in a row. Put together once, they are one copy for each who gets them all.
struct Run {
    const Port* port;
    const MailItem* items;
    size_t count;
    uint64_t seq;         // of the first
    size_t bytes;         // with marks and prefixes
    Blob* whole[2] = {};  // as RESP2 and RESP3 have it; made when needed
};

constexpr size_t kRunMax = 64 * 1024;

static size_t framed_bytes(const Port* p, const Blob* wire) {
    return (p->framing == Framing::push ? 1 : 0) + p->prefix_len + wire->len;
}

// As many of the items as belong together; at least one.
static Run run_of(const MailItem* items, size_t count, uint64_t seq) {
    Run run = {items->port, items, 0, seq, 0};
    while (run.count < count && items[run.count].port == run.port) {
        size_t bytes = framed_bytes(run.port, items[run.count].wire);
        if (run.count != 0 && run.bytes + bytes > kRunMax) break;
        run.bytes += bytes;
        run.count++;
    }
    return run;
}

static Blob* run_whole(Run* run, uint8_t resp) {
    Blob** whole = &run->whole[resp == 3 ? 1 : 0];
    if (*whole != nullptr) return *whole;
    *whole = blob_new(run->bytes);
    char* at = (*whole)->data;
    const Port* p = run->port;
    for (size_t i = 0; i < run->count; i++) {
        const Blob* wire = run->items[i].wire;
        if (p->framing == Framing::push) *at++ = resp == 3 ? '>' : '*';
        memcpy(at, p->prefix, p->prefix_len);
        memcpy(at + p->prefix_len, wire->data, wire->len);
        at += p->prefix_len + wire->len;
    }
    (*whole)->len = run->bytes;
    return *whole;
}

static void push_run(Run* run, Session* s) {
    Blob* whole = run_whole(run, s->resp);
    Out* o = push_out(run->port, s, whole->len);
    if (whole->len >= kOutBlobMin) {
        out_blob(o, whole, 0, whole->len);
    } else {
        out_write(o, blob_bytes(whole));
    }
    if (run->port->box->pushed != nullptr) run->port->box->pushed(s);
}

static void deliver_run(Run* run) {
    const Port* p = run->port;
    bool same = p->framing == Framing::none || p->framing == Framing::push;  // but for the mark
    bool together = same && run->count > 1 && p->head != p->tail && run->bytes <= kRunMax;
    if (!together) {
        for (size_t i = 0; i < run->count; i++)
            deliver(p, run->items[i].wire, run->seq + i);
        return;
    }
    for (Receiver* r = p->head; r != nullptr; r = r->next) {
        if (RP_UNLIKELY(is_gone(r->session))) continue;
        if (RP_LIKELY(run->seq >= r->since && run->seq + run->count <= r->until)) {
            push_run(run, r->session);
            continue;
        }
        for (size_t i = 0; i < run->count; i++) {  // it joined or left in between
            uint64_t seq = run->seq + i;
            if (seq >= r->since && seq < r->until) push(p, r->session, run->items[i].wire);
        }
    }
    blob_unref(run->whole[0]);
    blob_unref(run->whole[1]);
}

static void cut_all(const Port* p) {
    for (Receiver* r = p->head; r != nullptr; r = r->next) {
        if (r->session->cut) continue;
        r->session->cut = true;
        p->box->cut(r->session);
    }
}

// What waited, taken out under the lock.
struct Taken {
    MailItem* items;
    size_t count, cap;
    uint64_t first_seq;
    Port* over;
    bool was_full;
};

static Taken take_all(Mailbox* b) {
    MutexGuard guard(&b->lock);
    Taken t = {b->items, b->count, b->cap, b->next_seq - b->count, b->over, b->is_full};
    for (Port* p = t.over; p != nullptr; p = p->next_over)
        p->over = false;
    b->items = b->spare;
    b->cap = b->spare_cap;
    b->count = b->bytes = 0;
    b->over = nullptr;
    b->is_full = false;
    b->waiting.store(false, std::memory_order_relaxed);
    b->spare = nullptr;
    b->spare_cap = 0;
    return t;
}

static void keep_or_free(Mailbox* b, MailItem* items, size_t cap) {
    if (cap > kItemsKeep || b->spare != nullptr) return mem_free(items, cap * sizeof(MailItem));
    b->spare = items;
    b->spare_cap = cap;
}

void mailbox_drain_slow(Mailbox* b) {
    Port* dead = b->dead;  // what names them is taken now
    b->dead = nullptr;
    Taken t = take_all(b);
    for (size_t i = 0; i < t.count;) {
        Run run = run_of(t.items + i, t.count - i, t.first_seq + i);
        deliver_run(&run);
        i += run.count;
    }
    for (size_t i = 0; i < t.count; i++)
        blob_unref(t.items[i].wire);
    for (Port *p = t.over, *next; p != nullptr; p = next) {
        next = p->next_over;
        cut_all(p);
    }
    ports_free(dead);
    keep_or_free(b, t.items, t.cap);
    if (!t.was_full) return;
    b->full->fetch_sub(1, std::memory_order_relaxed);
    if (b->drained != nullptr) b->drained(b->wake_arg);
}

void mailbox_deinit(Mailbox* b) {
    for (size_t i = 0; i < b->count; i++)
        blob_unref(b->items[i].wire);
    if (b->is_full) b->full->fetch_sub(1, std::memory_order_relaxed);
    ports_free(b->dead);
    mem_free(b->items, b->cap * sizeof(MailItem));
    mem_free(b->spare, b->spare_cap * sizeof(MailItem));
    b->items = b->spare = nullptr;
    b->count = b->cap = b->spare_cap = 0;
    b->dead = nullptr;
}

}  // namespace rp
