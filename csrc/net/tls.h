// net/tls.h: TLS without sockets: contexts (certificates, protocols) and the state of a connection.
// OpenSSL is seen by tls*.cc alone.
//
//   from the socket --> buffers.in --tls_feed--> Tls --tls_read---> plain bytes
//   to the socket   <-- buffers.out <----------- Tls <--tls_write-- plain bytes
//                        (records, also those that a handshake or an alert needs)
//
// Invariants  H1 what was fed is wholly inside the Tls, or read out of it, when tls_handshake or
//                tls_read says `more`: buffers.in is free again.
//             H2 from one feed of n bytes come at most n + kTlsRecord plain bytes.
//             H3 buffers.out is written by one Tls at a time: its user empties it before another
//                one is called.
// Ownership   a TlsContext is immutable and counted; a Tls holds a reference.
// Threads     TlsContext: any. Tls and TlsBuffers: single owner.
// Limits      a handshake message is bounded by OpenSSL (about 100 KB, a client hello 16 KB).
#pragma once
#include "base/bytes.h"
#include "conf/config.h"

namespace rp {

struct TlsContext;  // opaque
struct Tls;         // opaque

constexpr size_t kTlsRecord = 16 * 1024;  // plain bytes of a record
// One read from the socket. With a record that was incomplete before, its plain bytes fit behind a
// partial command: kTlsIn + kTlsRecord < kReadBuffer / 2.
constexpr size_t kTlsIn = 40 * 1024;
// Plain bytes that are encrypted before the socket is asked.
constexpr size_t kTlsFlush = 64 * 1024;
constexpr size_t kTlsOut = kTlsFlush + kTlsFlush / 8 + kTlsRecord;
// What OpenSSL holds for a connection at rest, about; for the memory counts.
constexpr size_t kTlsStateBytes = 12 * 1024;

// --- Contexts

// "tls-cert-file" and the others that a context is made from; "tls-port" is none.
bool tls_is_context_setting(const char* name);

// From the settings of c. On failure why is one line for the user: which setting, what is wrong.
[[nodiscard]] bool tls_context_new(const Config* c, TlsContext** out, char* why, size_t why_size);
TlsContext* tls_context_ref(TlsContext* borrow);
void tls_context_unref(TlsContext* take);  // null is fine

// --- One connection, the server's side

// Shared by the connections of a loop, so that one at rest owns no buffers.
struct TlsBuffers {
    char* in = nullptr;     // kTlsIn bytes
    char* out = nullptr;    // kTlsOut bytes
    char* plain = nullptr;  // kTlsRecord bytes, for joining small pieces
    size_t out_len = 0;
};
constexpr size_t kTlsBuffersBytes = kTlsIn + kTlsOut + kTlsRecord;

bool tls_buffers_init(TlsBuffers* b);  // false: no memory
void tls_buffers_deinit(TlsBuffers* b);

enum class TlsStep : uint8_t {
    done,    // handshake: finished; read: *n > 0 bytes
    more,    // needs bytes from the other side
    send,    // buffers.out is full: empty it and call again
    closed,  // the other side has said that it sends no more
    failed,  // for good; tls_why tells. An alert may be in buffers.out.
};

// Null without memory. `buffers` outlives it.
Tls* tls_new(TlsContext* borrow, TlsBuffers* buffers);
void tls_free(Tls* take);  // null is fine

// REQUIRES: the last step said `more`, or nothing was fed yet. The bytes stay the caller's; they
// must not move until a step says `more`.
void tls_feed(Tls* t, const char* bytes, size_t n);
[[nodiscard]] TlsStep tls_handshake(Tls* t);
bool tls_established(const Tls* t);
// REQUIRES: established, cap > 0.
[[nodiscard]] TlsStep tls_read(Tls* t, char* out, size_t cap, size_t* n);
// One record. REQUIRES: established, 0 < b.len <= kTlsRecord, room for it in buffers.out. False:
// failed.
[[nodiscard]] bool tls_write(Tls* t, Bytes b);
// Tells the other side, in buffers.out, that nothing more comes; nothing after a failure.
void tls_goodbye(Tls* t);
// After `failed`: one line.
void tls_why(const Tls* t, char* out, size_t size);

}  // namespace rp
