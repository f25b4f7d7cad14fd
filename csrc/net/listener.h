// net/listener.h: listening sockets: made, replaced (CONFIG SET port, bind), accepted from.
//
// The sockets are made by whoever opens or reconfigures, so that errors have an answer; loop 0
// polls them. They are plain descriptors under uv_poll and not uv_listen: several connections are
// accepted per event, and at the descriptor limit clients are turned away and told why.
//
// Threads  listeners_open, listeners_rebind, listeners_close: any; they take Net.listen_lock.
//          The others: loop 0.
#pragma once
#include "net/net_state.h"

namespace rp {

struct Listener;

// Binds and listens as the settings say. *err: one line.
Status listeners_open(Net* n, NetErr* err);
// The settings port, tls-port or bind changed. False: nothing changed, *why says so in Redis'
// words.
bool listeners_rebind(Net* n, const char** why);
// Closes all sockets and removes the Unix socket's file. REQUIRES: loop 0 has ended.
void listeners_close(Net* n);

void listeners_attach(Net* n);  // polls new ones, closes those that were replaced
void listeners_detach(Net* n);  // stops polling all of them, for good
void listeners_tick(Net* n);    // accepts again after a pause

}  // namespace rp
