// net/net.h: serves an engine over TCP, TLS and Unix sockets with N libuv loops.
//
//   listener --accept--> least loaded loop --read--> parser --> execute_batch --> Session.out
//   (loop 0)              (mailbox)                                                   |
//                                     one write per client and turn  <----------------+
//
// Ownership  net_open/net_close. The engine outlives the Net; net_open fills engine->net.
// Threads    net_stop: any that is not a loop. net_request_stop, net_port and the hooks: any.
//            net_open and net_close: one at a time.
// Signals    loop threads block all of them; the process' handlers are left alone.
#pragma once
#include "engine/engine.h"

namespace rp {

struct Net;  // opaque

struct NetOptions {
    int port_override = -1;            // >= 0 replaces the setting `port`; 0 = any free port
    const char* unixsocket = nullptr;  // replaces the setting `unixsocket`, if not null
    int64_t round_free_ns = -1;        // tests: >= 0 replaces kRoundFreeNs (net/rounds.h)
};

constexpr size_t kNetErrMax = 512;
struct NetErr {
    char text[kNetErrMax] = {};
};

// Binds, listens and starts the loops. An engine may be served again after net_stop: the new Net
// takes the old one along. On failure (in_use, invalid, io, no_memory) err->text is one line for
// the user.
Status net_open(Engine* e, const NetOptions& options, Net** out, NetErr* err);

// Asks the loops to stop: accepting ends, running commands finish, replies are flushed for at most
// kStopFlushMs. Returns at once. Not for signal handlers.
void net_request_stop(Net* n);
// net_request_stop, then joins the loops and closes everything. Idempotent. The struct stays, since
// another thread may be on its way into a hook.
void net_stop(Net* n);
// net_stop, then frees. REQUIRES: no other thread executes on the engine. Null is fine.
void net_close(Net* take);

int net_port(const Net* n);      // the TCP port without TLS, 0 without one
int net_tls_port(const Net* n);  // likewise with TLS
size_t net_loops(const Net* n);

}  // namespace rp
