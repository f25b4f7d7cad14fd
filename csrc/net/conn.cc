// Life of a connection and the way in. The way out is conn_out.cc.
#include "net/conn.h"

#include <poll.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <new>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/acl.h"
#include "mem/mem.h"
#include "net/conn_tls.h"
#include "net/loop.h"
#include "net/net_state.h"

namespace rp {

// Why the execution of a client's input ended.
enum class Stop : uint8_t {
    go_on,
    drained,  // needs more bytes
    again,    // had its share of this turn
    blocked,  // too much output
    paused,   // Session.paused_by
    finish,   // send what is there, then close
    closed,   // conn_close was called
};

static Engine* engine_of(const Conn* c) { return c->loop->net->engine; }

const char* conn_text(const Conn* c, char out[kConnTextMax]) {
    const Session* s = &c->session;
    snprintf(out, kConnTextMax,
             "id=%" PRIu64 " addr=%s laddr=%s fd=%d age=%" PRId64 " qbuf=%zu omem=%zu", s->id,
             s->addr, s->laddr, s->fd, (clock_mono_ms() - s->created_ms) / 1000,
             c->in_len + parser_taken(c->parser), s->out.bytes);
    return out;
}

// ---- held commands ----------------------------------------------------------------------------

static size_t held_bytes(const Command* commands, size_t n) {
    size_t sum = sizeof(Held) + n * sizeof(Command);
    for (size_t i = 0; i < n; i++) {
        sum += commands[i].argc * sizeof(Bytes);
        for (size_t a = 0; a < commands[i].argc; a++)
            sum += commands[i].argv[a].len;
    }
    return sum;
}

// Copies commands so that they outlive the buffer and the batch; a big argument is shared, not
// copied.
static Held* held_new(const Command* commands, size_t n) {
    size_t bytes = held_bytes(commands, n);
    Held* h = static_cast<Held*>(mem_try_alloc(bytes));
    if (h == nullptr) return nullptr;
    h->bytes = bytes;
    h->count = n;
    h->at = 0;
    Bytes* slot = reinterpret_cast<Bytes*>(h->commands + n);
    size_t slots = 0;
    for (size_t i = 0; i < n; i++)
        slots += commands[i].argc;
    char* text = reinterpret_cast<char*>(slot + slots);
    for (size_t i = 0; i < n; i++) {
        Command* to = new (&h->commands[i]) Command(commands[i]);
        to->argv = slot;
        if (to->big != nullptr) blob_ref(to->big);
        for (size_t a = 0; a < to->argc; a++) {
            Bytes arg = commands[i].argv[a];
            if (to->big == nullptr || a != to->big_index) {
                if (arg.len > 0) memcpy(text, arg.ptr, arg.len);
                arg.ptr = text;
                text += arg.len;
            }
            new (slot++) Bytes(arg);
        }
    }
    return h;
}

void held_free(Held* take) {
    if (take == nullptr) return;
    for (size_t i = 0; i < take->count; i++)
        blob_unref(take->commands[i].big);
    mem_free(take, take->bytes);
}

// ---- the client's own input bytes -------------------------------------------------------------

static void in_release(Conn* c) {
    mem_free(c->in, c->in_cap);
    c->in = nullptr;
    c->in_len = c->in_cap = 0;
}

// Room to read into behind a long partial command.
static bool in_grow(Conn* c) {
    if (c->in_cap - c->in_len >= kReadBuffer / 2) return true;
    size_t cap = 2 * c->in_cap + kReadBuffer;
    void* grown = mem_try_realloc(c->in, c->in_cap, cap);
    if (grown == nullptr) return false;
    c->in = static_cast<char*>(grown);
    c->in_cap = cap;
    return true;
}

// What is left of the input becomes the client's own. `rest` may lie in c->in.
static bool in_keep(Conn* c, const char* rest, size_t len) {
    if (RP_LIKELY(len == 0)) {
        if (c->in_cap != 0) in_release(c);
        return true;
    }
    bool too_large = c->in_cap > kPartialSmall && c->in_cap / 8 > len;
    if (len <= c->in_cap && !too_large) {
        memmove(c->in, rest, len);
    } else {
        size_t cap = (len + 63) & ~size_t{63};
        char* fresh = static_cast<char*>(mem_try_alloc(cap));
        if (fresh == nullptr) return false;
        memcpy(fresh, rest, len);
        mem_free(c->in, c->in_cap);
        c->in = fresh;
        c->in_cap = cap;
    }
    c->in_len = len;
    return true;
}

static bool over_query_limit(const Conn* c) {
    size_t held = c->in_len + parser_taken(c->parser);
    return held > static_cast<size_t>(config_num(engine_of(c)->config->client_query_buffer_limit));
}

// ---- executing --------------------------------------------------------------------------------

static Stop run_commands(Conn* c, Command* commands, size_t n, size_t* ran) {
    Session* s = &c->session;
    if (s->out.head == nullptr) loop_lend_chunk(c->loop, &s->out);
    Ran result = execute_batch(s, commands, n, ran);
    if (RP_UNLIKELY(result == Ran::close)) return Stop::finish;
    if (RP_UNLIKELY(result == Ran::paused)) return Stop::paused;
    // A crowd in one turn: replies leave at once, or each of them would need a chunk of its own.
    bool crowded = c->loop->chunk_count == 0 && s->rests_on == 0;
    if (RP_UNLIKELY(s->out.bytes > kOutStop || crowded)) {
        conn_flush(c);
        if (c->closing) return Stop::closed;
        if (s->out.bytes > kOutStop) return Stop::blocked;
    }
    return Stop::go_on;
}

// A fresh batch; commands that have to wait are moved to c->held.
static Stop run_batch(Conn* c, Command* commands, size_t n) {
    size_t ran = 0;
    Stop stop = run_commands(c, commands, n, &ran);
    if (RP_LIKELY(ran == n) || stop == Stop::finish || stop == Stop::closed) return stop;
    c->held = held_new(commands + ran, n - ran);
    if (c->held != nullptr) return stop;
    conn_close(c);
    return Stop::closed;
}

static Stop run_held(Conn* c) {
    Held* h = c->held;
    size_t ran = 0;
    Stop stop = run_commands(c, h->commands + h->at, h->count - h->at, &ran);
    if (stop == Stop::closed) return stop;  // With c->held.
    h->at += ran;
    if (h->at == h->count || stop == Stop::finish) {
        held_free(h);
        c->held = nullptr;
    }
    return stop;
}

// Parses up to a batch. On `more` *len is cut to what has to be kept of the partial command.
static Parse parse_batch(Conn* c, char* data, size_t* len, size_t* pos, size_t* n, Bytes* error) {
    Loop* l = c->loop;
    ParserLimits limits = {static_cast<int64_t>(value_max(engine_of(c)->config)),
                           acl_trusted(engine_of(c)->acl, &c->session)};
    size_t most = limits.authenticated ? kBatchMax : 1;  // The one may be AUTH.
    l->args.used = 0;
    *n = 0;
    while (*n < most) {
        if (*pos == *len) return Parse::more;
        Parse got =
            parser_next(c->parser, &limits, &l->args, data, *len, pos, &l->commands[*n], error);
        if (RP_LIKELY(got == Parse::command)) {
            ++*n;
        } else if (got != Parse::empty) {
            if (got == Parse::more) *len = *pos + parser_keep(c->parser);
            return got;
        }
    }
    return Parse::full;
}

static void log_attack(Conn* c) {
    static std::atomic<int64_t> logged_ms{0};
    int64_t now = clock_mono_ms(), before = logged_ms.load(std::memory_order_relaxed);
    if (before != 0 && now - before < 60000) return;
    if (!logged_ms.compare_exchange_strong(before, now, std::memory_order_relaxed)) return;
    char text[kConnTextMax];
    RP_LOG_WARNING(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: "
        "commands to Redis. This is likely due to an attacker attempting to use Cross "
        "Protocol Scripting to compromise your Redis instance. Connection aborted. (%s)",
        conn_text(c, text));
}

static Stop protocol_error(Conn* c, Bytes error) {
    if (error.len == 0) {
        log_attack(c);
        return Stop::finish;
    }
    Reply reply;
    reply.out = &c->session.out;
    reply.resp = c->session.resp;
    reply_errorf(&reply, "ERR %.*s", static_cast<int>(error.len), error.ptr);
    Engine* e = engine_of(c);
    if (e->core.hooks.count_error != nullptr) e->core.hooks.count_error(e, Bytes("ERR"));
    if (log_level() <= LogLevel::verbose) {
        char text[kConnTextMax];
        RP_LOG_VERBOSE("Closing client: %.*s: %s", static_cast<int>(error.len), error.ptr,
                       conn_text(c, text));
    }
    return Stop::finish;
}

// Runs what is in data[*pos .. *len), held commands first, as far as this turn allows.
static Stop run_input(Conn* c, char* data, size_t* len, size_t* pos) {
    for (size_t batches = 0; batches < kTurnBatches; batches++) {
        if (RP_UNLIKELY(c->held != nullptr)) {
            Stop stop = run_held(c);
            if (stop != Stop::go_on) return stop;
            continue;
        }
        Bytes error;
        size_t n;
        Parse last = parse_batch(c, data, len, pos, &n, &error);
        if (n > 0) {
            Stop stop = run_batch(c, c->loop->commands, n);
            parser_reset_command(c->parser);
            if (RP_UNLIKELY(stop != Stop::go_on)) return stop;
            if (RP_UNLIKELY(c->held != nullptr)) continue;
        }
        switch (last) {
            case Parse::more: return Stop::drained;
            case Parse::error: return protocol_error(c, error);
            case Parse::command:
            case Parse::empty:
            case Parse::full: break;
        }
    }
    return Stop::again;
}

static void log_query_limit(const Conn* c) {
    char text[kConnTextMax];
    RP_LOG_WARNING("Closing client that reached max query buffer length: %s", conn_text(c, text));
}

// For CLIENT LIST. Mostly nothing is there and nothing was there.
static void note_input(Conn* c) {
    Session* s = &c->session;
    uint64_t taken = parser_taken(c->parser) + (c->held != nullptr ? c->held->bytes : 0);
    if (RP_LIKELY(c->in_len == s->query_bytes.load(std::memory_order_relaxed) &&
                  taken == s->argv_bytes.load(std::memory_order_relaxed))) {
        return;
    }
    s->query_bytes.store(c->in_len, std::memory_order_relaxed);
    s->query_free.store(c->in_cap - c->in_len, std::memory_order_relaxed);
    s->argv_bytes.store(taken, std::memory_order_relaxed);
}

static void conn_input(Conn* c, char* data, size_t len) {
    size_t pos = 0;
    Stop stop = run_input(c, data, &len, &pos);
    switch (stop) {
        case Stop::closed: return;
        case Stop::go_on:
        case Stop::drained: break;
        case Stop::again: loop_mark_ready(c->loop, c); break;
        case Stop::blocked: c->blocked = true; break;
        case Stop::paused:
            c->paused = true;
            if (c->session.paused_by == PausedBy::command) {
                loop_note_waiting(c->loop, c->session.waits_until_ms);
            } else {
                loop_note_paused(c->loop, c->session.paused_by);
            }
            break;
        case Stop::finish:
            c->close_when_sent = true;
            pos = len;
            break;
    }
    if (!in_keep(c, data + pos, len - pos)) return conn_close(c);
    if (RP_UNLIKELY(c->in_len != 0 && over_query_limit(c))) {
        log_query_limit(c);
        return conn_close(c);
    }
    note_input(c);
    conn_want_read(c);
    Out* out = &c->session.out;
    if (RP_LIKELY(out->bytes > 0 || c->close_when_sent)) {
        conn_mark_dirty(c);
    } else if (out->head != nullptr) {
        loop_take_chunk(c->loop, out);  // It was lent, but nothing was said.
    }
}

void conn_resume(Conn* c) {
    if (c->blocked || c->paused || c->close_when_sent) return;
    conn_input(c, c->in, c->in_len);
    if (RP_UNLIKELY(conn_tls_over(c))) conn_ended(c);
}

// ---- reading ----------------------------------------------------------------------------------

bool conn_room(Conn* c, char** at, size_t* cap) {
    if (RP_UNLIKELY(c->in_len > kPartialSmall)) {
        if (!in_grow(c)) return false;
        c->into = ReadInto::own;
        *at = c->in + c->in_len;
        *cap = c->in_cap - c->in_len;
    } else {
        c->into = ReadInto::shared;
        *at = c->loop->read_buffer + c->in_len;
        *cap = kReadBuffer - c->in_len;
    }
    return true;
}

// Nothing may be stopped or closed in here: libuv calls on_read next, whatever happens.
static void on_alloc(uv_handle_t* handle, size_t, uv_buf_t* buf) {
    Conn* c = static_cast<Conn*>(handle->data);
    Loop* l = c->loop;
    *buf = uv_buf_init(nullptr, 0);  // Not now; the socket stays readable.
    if (c->turn != l->turn) {
        c->turn = l->turn;
        c->turn_bytes = 0;
    }
    if (RP_UNLIKELY(c->on_ready || c->turn_bytes >= kTurnReadBytes)) return;
    if (c->tls != nullptr) return conn_tls_room(c, buf);
    size_t cap;
    if (RP_UNLIKELY(parser_big_window(c->parser, &buf->base, &cap))) {
        c->into = ReadInto::big;
        buf->len = cap < kBigRead ? cap : kBigRead;
    } else if (conn_room(c, &buf->base, &cap)) {
        buf->len = cap;
    } else {
        c->close_when_sent = true;
    }
}

static void log_ended(const Conn* c) {
    if (log_level() > LogLevel::verbose) return;
    char text[kConnTextMax];
    RP_LOG_VERBOSE("Client closed connection %s", conn_text(c, text));
}

// What it sent has been executed: while input waits nothing is read.
void conn_ended(Conn* c) {
    log_ended(c);
    if (c->session.out.bytes == 0 && conn_tls_unsent(c) == 0) return conn_close(c);
    c->close_when_sent = true;
    conn_want_read(c);
    conn_mark_dirty(c);
}

static void on_end(Conn* c, ssize_t why) {
    if (why == UV_ENOBUFS || why == 0) {
        if (c->close_when_sent) conn_close(c);  // No memory for its partial command.
        return;
    }
    if (why == UV_EOF) return conn_ended(c);
    log_ended(c);
    conn_close(c);
}

void conn_received(Conn* c, size_t big, size_t rest) {
    Loop* l = c->loop;
    Session* s = &c->session;
    uint64_t seen = s->net_in.load(std::memory_order_relaxed);
    s->net_in.store(seen + big + rest, std::memory_order_relaxed);
    if (big > 0) parser_big_filled(c->parser, big);
    size_t before = c->in_len;
    if (rest == 0 || c->into == ReadInto::own) return conn_input(c, c->in, before + rest);
    if (RP_UNLIKELY(seen == 0 && c->tls == nullptr && is_tls_hello(l->read_buffer, rest))) {
        log_refused(c, "it speaks TLS, and this port is without");
        return conn_close(c);
    }
    if (before != 0) memcpy(l->read_buffer, c->in, before);
    conn_input(c, l->read_buffer, before + rest);
}

static void on_read(uv_stream_t* stream, ssize_t nread, const uv_buf_t*) {
    Conn* c = static_cast<Conn*>(stream->data);
    if (RP_UNLIKELY(nread <= 0)) return on_end(c, nread);
    size_t n = static_cast<size_t>(nread);
    c->turn_bytes += n;
    stat_add(&c->loop->worker.reads);
    c->last_io_ms = loop_now_ms(c->loop);
    c->session.last_ms.store(static_cast<int64_t>(c->last_io_ms), std::memory_order_relaxed);
    if (c->tls != nullptr) return conn_tls_read(c, n);
    bool big = c->into == ReadInto::big;
    conn_received(c, big ? n : 0, big ? 0 : n);
}

void conn_want_read(Conn* c) {
    bool want = !c->blocked && !c->paused && !c->close_when_sent && !c->closing;
    if (RP_LIKELY(want == c->reading)) return;
    c->reading = want;
    if (!want) {
        uv_read_stop(&c->stream);
    } else if (uv_read_start(&c->stream, on_alloc, on_read) != 0) {
        conn_close(c);
    }
}

// ---- life -------------------------------------------------------------------------------------

Conn* conn_new(Loop* loop, int fd, bool unix_socket) {
    void* memory = slabs_take(&loop->net->slabs);
    if (memory == nullptr) return nullptr;
    Conn* c = new (memory) Conn;
    c->loop = loop;
    c->parser = parser_new();
    c->session.fd = fd;
    c->session.own_bytes = sizeof(Conn) + parser_memory(c->parser);
    c->session.out_stop = kOutStop;
    c->session.unix_socket = unix_socket;
    c->session.created_ms = clock_mono_ms();
    c->session.last_ms.store(c->session.created_ms, std::memory_order_relaxed);
    return c;
}

static void conn_delete(Conn* take) {
    Slabs* slabs = &take->loop->net->slabs;
    held_free(take->held);
    in_release(take);
    out_clear(&take->session.out);
    out_clear(&take->session.kept);
    parser_free(take->parser);
    conn_tls_free(take);
    slabs_give(slabs, take);
}

void conn_discard(Conn* take) {
    close(take->session.fd);
    take->loop->net->conns.fetch_sub(1, std::memory_order_relaxed);
    conn_delete(take);
}

void conn_free_if_off_lists(Conn* c) {
    if (c->on_ready || c->on_pushed) return;
    Loop* l = c->loop;
    conn_delete(c);
    loop_freed(l);
}

static void on_closed(uv_handle_t* handle) {
    Conn* c = static_cast<Conn*>(handle->data);
    c->closed = true;
    conn_free_if_off_lists(c);
}

static int conn_open(Conn* c) {
    uv_loop_t* uv = &c->loop->uv;
    if (c->session.unix_socket) {
        uv_pipe_init(uv, &c->pipe, 0);
        c->handle.data = c;
        return uv_pipe_open(&c->pipe, c->session.fd);
    }
    uv_tcp_init(uv, &c->tcp);
    c->handle.data = c;
    return uv_tcp_open(&c->tcp, c->session.fd);
}

void conn_start(Conn* take) {
    Conn* c = take;
    Loop* l = c->loop;
    loop_link(l, c);
    c->last_io_ms = loop_now_ms(l);
    int err = conn_open(c);
    c->session.mailbox = &l->messages;
    engine_add_session(engine_of(c), &c->session, &l->worker);
    loop_count_bytes(l, static_cast<int64_t>(c->counted_bytes = sizeof(Conn)));
    if (err != 0) {
        RP_LOG_WARNING("Accepting client connection: %s", uv_strerror(err));
        close(c->session.fd);
        return conn_close(c);
    }
    if (l->stopping) return conn_close(c);
    if (c->tls != nullptr && !conn_tls_start(c)) {
        log_refused(c, "no memory for TLS");
        return conn_close(c);
    }
    conn_want_read(c);
}

void conn_close(Conn* c) {
    if (c->closing) return;
    conn_tls_close(c);
    c->closing = true;
    Loop* l = c->loop;
    conn_unhold(c);
    loop_unlink(l, c);
    l->net->conns.fetch_sub(1, std::memory_order_relaxed);
    engine_remove_session(engine_of(c), &c->session);
    loop_count_bytes(l, -static_cast<int64_t>(c->counted_bytes));
    held_free(c->held);
    c->held = nullptr;
    uv_close(&c->handle, on_closed);
}

void conn_finish(Conn* c) {
    if (c->closing) return;
    c->close_when_sent = true;
    held_free(c->held);
    c->held = nullptr;
    conn_want_read(c);
    conn_flush(c);
}

static size_t conn_memory(const Conn* c) {
    return sizeof(Conn) + c->in_cap + parser_memory(c->parser) + out_memory(&c->session.out) +
           conn_tls_memory(c) + (c->held != nullptr ? c->held->bytes : 0);
}

// Nothing is read from it meanwhile.
static bool hung_up_waiting(const Conn* c) {
    if (!c->session.waits.load(std::memory_order_relaxed)) return false;
    pollfd ask = {c->session.fd, POLLRDHUP, 0};
    return poll(&ask, 1, 0) == 1 && (ask.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void conn_tend(Conn* c) {
    size_t bytes = conn_memory(c);
    loop_count_bytes(c->loop, static_cast<int64_t>(bytes) - static_cast<int64_t>(c->counted_bytes));
    c->counted_bytes = bytes;
    if (c->session.kill.load(std::memory_order_relaxed)) return conn_close(c);
    if (conn_over_output_limit(c) || hung_up_waiting(c) || conn_tls_late(c)) return conn_close(c);
    if (c->session.waits.load(std::memory_order_relaxed)) return;
    auto idle_max_ms = static_cast<uint64_t>(config_num(engine_of(c)->config->timeout_s)) * 1000;
    if (idle_max_ms != 0 && c->mark_seq == 0 && !session_subscribes(&c->session) &&
        loop_now_ms(c->loop) - c->last_io_ms > idle_max_ms) {
        RP_LOG_VERBOSE("Closing idle client");
        conn_close(c);
    }
}

}  // namespace rp
