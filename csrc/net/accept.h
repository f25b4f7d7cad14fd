// net/accept.h: a listening socket's events: who may come in, and to which loop.
//
// Threads  loop 0, except the descriptor limit (before the loops start).
#pragma once
#include <sys/socket.h>
#include <sys/types.h>

#include "net/net_state.h"

namespace rp {

struct Listener {
    Net* net = nullptr;
    int fd = -1;
    bool unix_socket = false;
    bool tls = false;
    int port = 0;
    char text[128] = {};  // the address as the setting has it, or the path
    dev_t dev = 0;        // of the Unix socket's file
    ino_t ino = 0;
    bool shut = false;  // under listen_lock: replaced just now
    bool dead = false;  // under listen_lock: loop 0 closes it
    // Loop 0.
    bool polled = false;
    uv_poll_t poll;
    Listener* next = nullptr;
};

void listener_poll(Listener* l, bool on);

// Raises the soft descriptor limit so that `clients` fit, as far as the system lets us; returns how
// many clients do fit.
int64_t fd_limit_raise(int64_t clients);

// What protected mode says to a client from elsewhere.
Bytes denied_text();

// 127.0.0.0/8, ::1, and the former mapped into IPv6.
bool address_is_loopback(const sockaddr* a);

}  // namespace rp
