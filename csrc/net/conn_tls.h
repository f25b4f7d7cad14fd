// net/conn_tls.h: TLS between a Conn and its socket.
//
//   socket --> buffers.in --> Tls --> where a plain read would have gone --> conn_input
//   session.out --> Tls --> buffers.out --> socket
//                                  |  what it does not take
//                                  v
//                               unsent --> uv_write
//
// Records are made when the socket is ready for them: `unsent` holds no more than one round of
// them, the rest waits in session.out as plain bytes, by reference where it was.
//
// Invariants  C5 while unsent.bytes > 0 nothing else is encrypted, except what TLS itself has to
//                say; Conn.inflight counts bytes of `unsent`.
//             C6 all plain bytes of a read are handed on at once: a client that is not read from
//                has none inside its Tls.
// Limits      kHandshakeMs for a handshake, kTlsUnsentMax bytes that TLS itself has to say.
// Threads     as Conn.
#pragma once
#include "net/conn.h"
#include "net/tls.h"
#include "resp/out.h"

namespace rp {

struct ConnTls {
    TlsContext* context = nullptr;
    Tls* state = nullptr;  // from conn_start on
    Out unsent;            // records
    bool denied = false;   // protected mode: it is told so, and nothing else
    bool ended = false;    // it has said that it sends no more
};

// REQUIRES: before conn_start. False: no memory; the reference stays the caller's then.
bool conn_tls_attach(Conn* c, TlsContext* take, bool denied);
// Part of conn_start, on the loop's thread.
bool conn_tls_start(Conn* c);
void conn_tls_free(Conn* c);  // part of the Conn's own end

// Room for the next read.
void conn_tls_room(Conn* c, uv_buf_t* buf);
// n bytes are in the room. They have been counted, not yet looked at.
void conn_tls_read(Conn* c, size_t n);
// Nothing is left to run of a client that has said it sends no more.
bool conn_tls_over(const Conn* c);

// As uv_try_write, in plain bytes: how many were encrypted (all of them), UV_EAGAIN while unsent
// holds some. REQUIRES: iov holds `total` bytes, kTlsFlush at most.
int conn_tls_try_write(Conn* c, const uv_buf_t* iov, unsigned n, size_t total);
// As above, into unsent, without asking the socket. False: failed.
bool conn_tls_queue(Conn* c, const uv_buf_t* iov, unsigned n);
// Says goodbye if the socket takes it.
void conn_tls_close(Conn* c);
bool conn_tls_late(Conn* c);  // in its handshake for too long; logged
size_t conn_tls_memory(const Conn* c);
inline size_t conn_tls_unsent(const Conn* c) {
    return c->tls != nullptr ? c->tls->unsent.bytes : 0;
}

// The first bytes of a client on a port without TLS: a hello of TLS.
inline bool is_tls_hello(const char* bytes, size_t n) {
    return n >= 3 && bytes[0] == 0x16 && bytes[1] == 3 && bytes[2] <= 4;
}
// One line about a client that did not get in; bounded per second.
void log_refused(const Conn* c, const char* why);

}  // namespace rp
