#include "net/conn_tls.h"

#include <cinttypes>
#include <new>

#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "net/accept.h"
#include "net/loop.h"

namespace rp {

// ---- log ----------------------------------------------------------------------------------------

// Anybody may knock: at most kRefusedLogsMax lines a second; the next one says how many are
// missing.
void log_refused(const Conn* c, const char* why) {
    static std::atomic<int64_t> second{0};
    static std::atomic<uint64_t> in_second{0};
    int64_t now = clock_mono_ms() / 1000, before = second.load(std::memory_order_relaxed);
    uint64_t left_out = 0;
    if (now != before && second.compare_exchange_strong(before, now, std::memory_order_relaxed)) {
        uint64_t sum = in_second.exchange(0, std::memory_order_relaxed);
        left_out = sum > kRefusedLogsMax ? sum - kRefusedLogsMax : 0;
    }
    if (left_out != 0) {
        RP_LOG_WARNING("%" PRIu64 " more clients were refused, without a line for each", left_out);
    }
    if (in_second.fetch_add(1, std::memory_order_relaxed) >= kRefusedLogsMax) return;
    RP_LOG_WARNING("Error accepting a client connection: %s (addr=%s laddr=%s)", why,
                   c->session.addr, c->session.laddr);
}

// ---- life ---------------------------------------------------------------------------------------

bool conn_tls_attach(Conn* c, TlsContext* take, bool denied) {
    void* memory = mem_try_alloc(sizeof(ConnTls));
    if (memory == nullptr) return false;
    c->tls = new (memory) ConnTls;
    c->tls->context = take;
    c->tls->denied = denied;
    return true;
}

// The first client with TLS brings the loop its buffers.
static bool buffers_ready(Loop* l) {
    if (l->tls.in != nullptr) return true;
    if (!tls_buffers_init(&l->tls)) return false;
    loop_count_bytes(l, static_cast<int64_t>(kTlsBuffersBytes));
    return true;
}

bool conn_tls_start(Conn* c) {
    if (!buffers_ready(c->loop)) return false;
    c->tls->state = tls_new(c->tls->context, &c->loop->tls);
    return c->tls->state != nullptr;
}

void conn_tls_free(Conn* c) {
    if (c->tls == nullptr) return;
    tls_free(c->tls->state);
    tls_context_unref(c->tls->context);
    out_clear(&c->tls->unsent);
    mem_free(c->tls, sizeof(ConnTls));
    c->tls = nullptr;
}

size_t conn_tls_memory(const Conn* c) {
    if (c->tls == nullptr) return 0;
    return sizeof(ConnTls) + kTlsStateBytes + out_memory(&c->tls->unsent);
}

bool conn_tls_late(Conn* c) {
    if (c->tls == nullptr || tls_established(c->tls->state)) return false;
    if (clock_mono_ms() - c->session.created_ms < kHandshakeMs) return false;
    log_refused(c, "the TLS handshake takes too long");
    return true;
}

// ---- records on their way out -------------------------------------------------------------------

// buffers.out becomes empty: to the socket, as far as it takes it, then to unsent. False: the
// connection is broken, or does not read what TLS has to say.
static bool push(Conn* c, bool ask_socket) {
    TlsBuffers* b = &c->loop->tls;
    size_t len = b->out_len, sent = 0;
    b->out_len = 0;
    if (ask_socket && len > 0 && c->tls->unsent.bytes == 0) {
        uv_buf_t buf = uv_buf_init(b->out, static_cast<unsigned>(len));
        int wrote = uv_try_write(&c->stream, &buf, 1);
        if (wrote < 0 && wrote != UV_EAGAIN) return false;
        sent = wrote > 0 ? static_cast<size_t>(wrote) : 0;
    }
    if (RP_LIKELY(sent == len)) return true;
    if (c->tls->unsent.bytes > kTlsUnsentMax) return false;
    out_write(&c->tls->unsent, {b->out + sent, len - sent});
    return true;
}

// The same, when no flush of the client follows.
static bool push_own(Conn* c) {
    if (c->loop->tls.out_len != 0 && !push(c, true)) return false;
    if (conn_tls_unsent(c) != 0 && c->inflight == 0) conn_write_later(c, 0);
    return !c->closing;
}

// Pieces shorter than a record are joined: a record costs about as much as encrypting 1 KB.
static bool encrypt(Conn* c, const uv_buf_t* iov, unsigned n) {
    Tls* t = c->tls->state;
    char* plain = c->loop->tls.plain;
    size_t joined = 0;
    for (unsigned i = 0; i < n; i++) {
        const char* at = iov[i].base;
        for (size_t left = iov[i].len; left > 0;) {
            size_t part = kTlsRecord - joined;
            if (part > left) part = left;
            bool alone = joined == 0 && (part == kTlsRecord || (part == left && i + 1 == n));
            if (alone) {
                if (!tls_write(t, {at, part})) return false;
            } else {
                memcpy(plain + joined, at, part);
                joined += part;
            }
            at += part;
            left -= part;
            if (joined < kTlsRecord) continue;
            if (!tls_write(t, {plain, joined})) return false;
            joined = 0;
        }
    }
    return joined == 0 || tls_write(t, {plain, joined});
}

int conn_tls_try_write(Conn* c, const uv_buf_t* iov, unsigned n, size_t total) {
    if (c->tls->unsent.bytes != 0 || !tls_established(c->tls->state)) return UV_EAGAIN;
    if (!encrypt(c, iov, n) || !push(c, true)) return UV_ECONNRESET;
    return static_cast<int>(total);
}

bool conn_tls_queue(Conn* c, const uv_buf_t* iov, unsigned n) {
    return encrypt(c, iov, n) && push(c, false);
}

void conn_tls_close(Conn* c) {
    if (c->tls == nullptr || c->tls->state == nullptr) return;
    TlsBuffers* b = &c->loop->tls;
    b->out_len = 0;
    if (c->inflight != 0 || c->tls->unsent.bytes != 0) return;  // It would cut a record in two.
    tls_goodbye(c->tls->state);
    if (b->out_len == 0) return;
    uv_buf_t buf = uv_buf_init(b->out, static_cast<unsigned>(b->out_len));
    (void)uv_try_write(&c->stream, &buf, 1);  // It will see the end of the connection instead.
    b->out_len = 0;
}

// ---- the way in ---------------------------------------------------------------------------------

void conn_tls_room(Conn* c, uv_buf_t* buf) { *buf = uv_buf_init(c->loop->tls.in, kTlsIn); }

static void give_up(Conn* c) {
    char why[256];
    tls_why(c->tls->state, why, sizeof why);
    if (!tls_established(c->tls->state)) {
        log_refused(c, why);
    } else if (log_level() <= LogLevel::verbose) {
        char text[kConnTextMax];
        RP_LOG_VERBOSE("Closing client: TLS: %s: %s", why, conn_text(c, text));
    }
    if (c->inflight == 0 && !push(c, true)) {
        // It does not hear why.
    }
    conn_close(c);
}

// True: the handshake is finished, and the client is let in.
static bool shake_hands(Conn* c) {
    TlsStep step;
    while ((step = tls_handshake(c->tls->state)) == TlsStep::send) {
        if (!push(c, true)) return conn_close(c), false;
    }
    if (step == TlsStep::failed || step == TlsStep::closed) return give_up(c), false;
    if (!push_own(c)) return conn_close(c), false;
    if (step == TlsStep::more) return false;
    if (!c->tls->denied) return true;
    out_write(&c->session.out, denied_text());
    c->close_when_sent = true;
    conn_want_read(c);
    conn_mark_dirty(c);
    return false;
}

// Decrypts until there is no more, or no room.
static TlsStep fill(Conn* c, char* at, size_t cap, size_t* filled) {
    TlsStep step = TlsStep::done;
    *filled = 0;
    while (*filled < cap) {
        size_t n;
        step = tls_read(c->tls->state, at + *filled, cap - *filled, &n);
        *filled += n;
        if (step == TlsStep::send) {
            if (!push(c, true)) return TlsStep::failed;
        } else if (step != TlsStep::done) {
            return step;
        }
    }
    return step;
}

// First into the big argument that is being read, if there is one; what follows it, behind the
// partial command.
static TlsStep decrypt(Conn* c, size_t* big, size_t* rest) {
    char* at;
    size_t cap;
    TlsStep step = TlsStep::done;
    *big = *rest = 0;
    if (parser_big_window(c->parser, &at, &cap)) {
        step = fill(c, at, cap, big);
        if (step != TlsStep::done) return step;
    }
    if (!conn_room(c, &at, &cap)) return TlsStep::failed;
    step = fill(c, at, cap, rest);
    return step == TlsStep::done ? TlsStep::failed : step;  // H2: there is always room.
}

static bool has_work(const Conn* c) {
    return c->on_ready || c->blocked || c->paused || c->held != nullptr;
}

bool conn_tls_over(const Conn* c) {
    return c->tls != nullptr && c->tls->ended && !c->closing && !has_work(c);
}

void conn_tls_read(Conn* c, size_t n) {
    tls_feed(c->tls->state, c->loop->tls.in, n);
    if (!tls_established(c->tls->state) && !shake_hands(c)) return;
    size_t big, rest;
    TlsStep step = decrypt(c, &big, &rest);
    if (step == TlsStep::failed) return give_up(c);
    if (!push_own(c)) return conn_close(c);
    if (step == TlsStep::closed) c->tls->ended = true;
    if (big + rest > 0) conn_received(c, big, rest);
    if (conn_tls_over(c)) conn_ended(c);
}

}  // namespace rp
