// The way out: from session.out to the socket.
//
// Usually one uv_try_write per turn empties it. What the socket does not take goes to uv_write,
// whose callback continues; nothing else is written meanwhile, so the order holds.
#include <cstddef>
#include <cstdio>

#include "base/log.h"
#include "engine/acl.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/loop.h"
#include "net/net_state.h"

namespace rp {

void conn_mark_dirty(Conn* c) {
    if (c->on_dirty) return;
    c->on_dirty = true;
    c->next_dirty = c->loop->dirty;
    c->loop->dirty = c;
}

// Up to `most` of the unsent bytes.
static unsigned gather(const Out* o, size_t most, uv_buf_t iov[kIovMax], size_t* total) {
    unsigned n = 0;
    size_t skip = o->head_sent;
    *total = 0;
    for (const OutChunk* c = o->head; c != nullptr && n < kIovMax && *total < most; c = c->next) {
        Bytes b = out_chunk_bytes(c);
        if (b.len > skip) {
            size_t len = b.len - skip, left = most - *total;
            iov[n].base = const_cast<char*>(b.ptr) + skip;
            iov[n].len = len < left ? len : left;
            *total += iov[n++].len;
        }
        skip = 0;
    }
    return n;
}

// ---- waiting for the log ----------------------------------------------------------------------

void conn_unhold(Conn* c) {
    if (c->mark_seq == 0) return;
    loop_unhold(c->loop, c);
    c->mark_seq = 0;
}

// How many of the unsent bytes of a client that has changed something may leave.
[[gnu::noinline]] static size_t sendable_logged(Conn* c) {
    Session* s = &c->session;
    const Journal* j = engine_core(c->loop->net->engine)->journal.load(std::memory_order_acquire);
    if (j == nullptr || journal_acked(j, s->rests_on)) {
        conn_unhold(c);
        s->rests_on = 0;
        c->free_bytes = 0;
        return s->out.bytes;
    }
    if (c->mark_seq != 0 && journal_acked(j, c->mark_seq)) {
        c->free_bytes = c->mark_bytes;
        conn_unhold(c);
    }
    if (c->mark_seq == 0) {
        c->mark_seq = s->rests_on;
        c->mark_bytes = s->out.bytes;
        loop_hold(c->loop, c);
    }
    return c->free_bytes;
}

static size_t sendable(Conn* c) {
    size_t unsent = c->session.out.bytes;
    return RP_LIKELY(c->session.rests_on == 0 || unsent == 0) ? unsent : sendable_logged(c);
}

static size_t less_of(size_t a, size_t b) { return a < b ? a : b; }
static size_t less(size_t n, size_t by) { return n > by ? n - by : 0; }

// ---- sending ----------------------------------------------------------------------------------

static void note_sent(Conn* c, size_t n) {
    Session* s = &c->session;
    stat_add(&c->loop->worker.writes);
    s->net_out.store(s->net_out.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    Out* o = &s->out;
    c->free_bytes = less(c->free_bytes, n);
    c->mark_bytes = less(c->mark_bytes, n);
    if (n < o->bytes) return out_consume(o, n);
    RP_DCHECK(n == o->bytes);
    o->bytes = 0;
    o->head_sent = 0;
    loop_take_chunk(c->loop, o);
}

static void note_unsent(Conn* c) {
    Session* s = &c->session;
    if (RP_LIKELY(s->out_bytes.load(std::memory_order_relaxed) == s->out.bytes)) return;
    size_t chunks = 0;
    size_t memory = s->out.bytes == 0 ? 0 : out_memory(&s->out, &chunks);
    s->out_bytes.store(s->out.bytes, std::memory_order_relaxed);
    s->out_memory.store(memory, std::memory_order_relaxed);
    s->out_chunks.store(chunks, std::memory_order_relaxed);
}

// Enough of its output is gone: it may go on.
static void unblock(Conn* c) {
    if (c->closing || !c->blocked || c->session.out.bytes > kOutResume) return;
    c->blocked = false;
    loop_mark_ready(c->loop, c);
}

static void on_written(uv_write_t* req, int status) {
    Conn* c = static_cast<Conn*>(req->handle->data);
    size_t n = c->inflight;
    c->inflight = 0;
    if (c->closing) return;
    if (status < 0) return conn_close(c);
    c->tls != nullptr ? out_consume(&c->tls->unsent, n) : note_sent(c, n);
    c->last_io_ms = loop_now_ms(c->loop);
    conn_flush(c);
    unblock(c);
}

void conn_release(Conn* c) {
    conn_flush(c);
    unblock(c);
}

// With TLS: first, if there are none, what are the next records is decided.
static bool fill_unsent(Conn* c, size_t most) {
    if (c->tls->unsent.bytes != 0) return true;
    if (!tls_established(c->tls->state)) return false;  // Its handshake comes first.
    uv_buf_t iov[kIovMax];
    size_t total;
    unsigned n = gather(&c->session.out, less_of(most, kTlsFlush), iov, &total);
    if (!conn_tls_queue(c, iov, n)) return conn_close(c), false;
    note_sent(c, total);
    return true;
}

void conn_write_later(Conn* c, size_t most) {
    uv_buf_t iov[kIovMax];
    size_t total;
    const Out* from = &c->session.out;
    if (c->tls != nullptr) {
        if (!fill_unsent(c, most)) return;
        from = &c->tls->unsent;
        most = from->bytes;
    }
    unsigned n = gather(from, most, iov, &total);
    c->inflight = total;
    if (uv_write(&c->write, &c->stream, iov, n, on_written) != 0) {
        c->inflight = 0;
        conn_close(c);
    }
}

static void log_output_limit(const Conn* c) {
    char text[kConnTextMax];
    RP_LOG_WARNING("Client %s closed for overcoming of output buffer limits.", conn_text(c, text));
}

// client-output-buffer-limit. MONITOR is a normal client, as in Redis; where those have no limit,
// the one of replicas bounds it.
static const ClientLimit* limit_of(const Conn* c) {
    const ClientLimit* limits = c->loop->net->engine->config->client_limits;
    const ClientLimit* normal = &limits[static_cast<size_t>(ClientClass::normal)];
    if (c->session.subscribed != 0) return &limits[static_cast<size_t>(ClientClass::pubsub)];
    if (RP_LIKELY(c->session.monitor == nullptr) || config_num(normal->hard_bytes) != 0)
        return normal;
    return &limits[static_cast<size_t>(ClientClass::replica)];
}

bool conn_over_output_limit(Conn* c) {
    const ClientLimit* limit = limit_of(c);
    auto hard = static_cast<size_t>(config_num(limit->hard_bytes));
    auto soft = static_cast<size_t>(config_num(limit->soft_bytes));
    if (RP_LIKELY(hard == 0 && soft == 0 && !c->session.cut)) return false;
    size_t unsent = c->session.out.bytes;
    bool over = hard != 0 && unsent >= hard;
    if (soft == 0 || unsent < soft) {
        c->soft_since_ms = 0;
    } else if (c->soft_since_ms == 0) {
        c->soft_since_ms = loop_now_ms(c->loop);
    } else {
        auto allowed_ms = static_cast<uint64_t>(config_num(limit->soft_seconds)) * 1000;
        over |= loop_now_ms(c->loop) - c->soft_since_ms > allowed_ms;
    }
    over |= c->session.cut;
    if (over) log_output_limit(c);
    return over;
}

// What the socket did not take of a client that nobody knows: it gets no room to wait in.
static bool is_deaf_stranger(const Conn* c) {
    if (RP_LIKELY(c->session.out.bytes + conn_tls_unsent(c) <= kStrangerOut)) return false;
    if (acl_trusted(c->loop->net->engine->acl, &c->session)) return false;
    log_output_limit(c);
    return true;
}

// ---- messages ---------------------------------------------------------------------------------

static Conn* conn_of(Session* s) {
    return reinterpret_cast<Conn*>(reinterpret_cast<char*>(s) - offsetof(Conn, session));
}

void conn_lend(Session* s) {
    Conn* c = conn_of(s);
    loop_lend_chunk(c->loop, &s->out);
}

// A client that tracks keys is a normal one, whose replies have no limit of their own. What it has
// not asked for is bounded as MONITOR is.
static bool pushed_too_much(const Conn* c) {
    if (session_subscribes(&c->session)) return false;
    const ClientLimit* limits = c->loop->net->engine->config->client_limits;
    auto most = static_cast<size_t>(
        config_num(limits[static_cast<size_t>(ClientClass::replica)].hard_bytes));
    return most != 0 && c->session.pushed_bytes >= most;
}

// Nothing is closed in here: the loop is on its way through the receivers.
void conn_pushed(Session* s) {
    Conn* c = conn_of(s);
    rounds_add(&c->loop->rounds, c);
    auto hard = static_cast<size_t>(config_num(limit_of(c)->hard_bytes));
    bool over = hard != 0 ? s->out.bytes >= hard : pushed_too_much(c);
    if (RP_LIKELY(!over)) return;
    s->cut = true;  // conn_flush closes it
    conn_mark_dirty(c);
}

void conn_cut(Session* s) { conn_mark_dirty(conn_of(s)); }

// ---- sending, continued -----------------------------------------------------------------------

void conn_flush(Conn* c) {
    if (c->closing) return;
    Out* o = &c->session.out;
    if (RP_UNLIKELY(conn_over_output_limit(c))) return conn_close(c);
    if (c->inflight != 0) {
        if (RP_UNLIKELY(is_deaf_stranger(c))) return conn_close(c);
        return note_unsent(c);
    }
    size_t most = sendable(c), sent = 0;
    while (most > 0 && sent < kFlushBytes) {
        uv_buf_t iov[kIovMax];
        size_t total;
        unsigned n = gather(o, c->tls != nullptr ? less_of(most, kTlsFlush) : most, iov, &total);
        int wrote = c->tls != nullptr ? conn_tls_try_write(c, iov, n, total)
                                      : uv_try_write(&c->stream, iov, n);
        if (wrote == UV_EAGAIN) break;
        if (wrote < 0) return conn_close(c);
        note_sent(c, static_cast<size_t>(wrote));
        sent += static_cast<size_t>(wrote);
        most -= static_cast<size_t>(wrote);
        if (static_cast<size_t>(wrote) < total) break;
    }
    if (RP_UNLIKELY(most > 0 || conn_tls_unsent(c) > 0)) {
        if (is_deaf_stranger(c)) return conn_close(c);
        conn_write_later(c, most);
    } else if (RP_UNLIKELY(c->close_when_sent && o->bytes == 0)) {
        conn_close(c);
    }
    note_unsent(c);
}

}  // namespace rp
