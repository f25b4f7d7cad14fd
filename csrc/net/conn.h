// net/conn.h: one client: a socket, its session, and the bytes between the two.
//
//   socket --> read buffer --> parser --> commands --> execute_batch --> session.out --> socket
//               |   ^                        |
//               v   | partial command        v  not executed: CLIENT PAUSE, too much output
//              in[..in_len)                 held
//
// `held` is older than `in`: it runs first. While either waits for a reason (`blocked`, `paused`,
// the loop's ready list) nothing is read from the socket, so both are bounded by one read.
//
// A reply that rests on a change stays in session.out until the log has acknowledged that
// (Session.rests_on): the client is `held`. Of one that goes on sending, replies leave in portions:
// a mark says which bytes wait for which number, and is set anew when that has come.
//
//   session.out   [ free: may be sent | mark: rests on mark_seq | written since: on rests_on ]
//
// Invariants  C1 in_len > 0 means: the parser is inside a command, or the client is parked with
//                whole commands in `in`.
//             C2 bytes under uv_write are the first `inflight` bytes of session.out, with TLS of
//                tls->unsent (conn_tls.h); nobody consumes them before the callback.
//             C3 a Conn is freed in its close callback, or when it leaves the ready list or the
//                round of messages it was still on then.
//             C4 mark_seq != 0 exactly while on the loop's held list; free_bytes <= mark_bytes <=
//                session.out.bytes then.
// Threads     its loop's thread; before conn_start the accepting thread.
#pragma once
#include <uv.h>

#include "cmd/session.h"
#include "net/limits.h"

namespace rp {

struct Loop;
struct ConnTls;

// Commands that were parsed but could not run yet: one block with copies of their arguments.
struct Held {
    size_t bytes;  // of the block
    size_t count;
    size_t at;           // next to run
    Command commands[];  // followed by the argument slots and their bytes
};

// Where the next read goes.
enum class ReadInto : uint8_t { shared, own, big };

struct Conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    Session session;
    Loop* loop = nullptr;
    Parser* parser = nullptr;
    ConnTls* tls = nullptr;  // null: without
    // Input.
    char* in = nullptr;
    size_t in_len = 0;
    size_t in_cap = 0;
    Held* held = nullptr;
    size_t turn_bytes = 0;  // read in turn number `turn`
    uint64_t turn = 0;
    ReadInto into = ReadInto::shared;
    // Output.
    uv_write_t write;
    size_t inflight = 0;         // bytes under uv_write; 0 = none
    uint64_t soft_since_ms = 0;  // over the soft limit since; 0 = not
    uint64_t mark_seq = 0;       // 0: nothing waits for the log
    size_t mark_bytes = 0;
    size_t free_bytes = 0;
    // State.
    bool reading = false;
    bool blocked = false;  // waits for its output to drain
    bool paused = false;   // waits for CLIENT PAUSE to end
    bool close_when_sent = false;
    bool closing = false;  // uv_close was called
    bool closed = false;   // its callback has run; freed when off the lists of C3
    bool on_dirty = false;
    bool on_ready = false;
    bool on_pushed = false;
    uint64_t last_io_ms = 0;   // uv_now
    size_t counted_bytes = 0;  // its share of loop->buffer_bytes
    // Lists of the loop.
    Conn* next = nullptr;  // all; before conn_start: the mailbox
    Conn* prev = nullptr;
    Conn* next_dirty = nullptr;
    Conn* next_ready = nullptr;
    Conn* next_pushed = nullptr;  // Rounds
    Conn* next_held = nullptr;
    Conn* prev_held = nullptr;
};

// Null without memory; the socket is then still the caller's. The caller fills session.addr, laddr.
Conn* conn_new(Loop* loop, int fd, bool unix_socket);
// A Conn that will not be started: closes and frees.
void conn_discard(Conn* take);
// Registers with libuv and the engine and starts reading. Closes the connection on failure.
void conn_start(Conn* take);
// Forgets the session and closes the socket; the memory goes later. Idempotent.
void conn_close(Conn* c);
// Runs what is held and parked, as far as it may; called from the ready list.
void conn_resume(Conn* c);
// Sends what the socket takes and queues the rest; closes on errors, limits and when asked for.
void conn_flush(Conn* c);
// Of the loop's mailbox: a message comes to this client, has come, was missed.
void conn_lend(Session* s);
void conn_pushed(Session* s);
void conn_cut(Session* s);
// Takes it off the loop's held list, if it is there.
void conn_unhold(Conn* c);
// The log has acknowledged mark_seq.
void conn_release(Conn* c);
// The loop stops: no more input, close as soon as everything is sent.
void conn_finish(Conn* c);
// Once a second or so: idle timeout, soft limit, kill flag, memory count.
void conn_tend(Conn* c);

// Within conn*.cc.
void conn_free_if_off_lists(Conn* c);  // C3. REQUIRES: closed
void conn_mark_dirty(Conn* c);
void conn_want_read(Conn* c);
// Room for plain bytes behind the partial command; false: no memory.
bool conn_room(Conn* c, char** at, size_t* cap);
// Plain bytes arrived: `big` in the parser's window, then `rest` in conn_room's.
void conn_received(Conn* c, size_t big, size_t rest);
// The client will send no more. REQUIRES: what it sent has been executed.
void conn_ended(Conn* c);
// The rest goes out as the socket takes it. REQUIRES: inflight is 0.
void conn_write_later(Conn* c, size_t most);
bool conn_over_output_limit(Conn* c);
// "id=7 addr=127.0.0.1:50512 ...", for log lines.
constexpr size_t kConnTextMax = 320;
const char* conn_text(const Conn* c, char out[kConnTextMax]);
void held_free(Held* take);

}  // namespace rp
