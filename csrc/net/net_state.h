// net/net_state.h: what the loops of one Net share.
#pragma once
#include "net/loop.h"
#include "net/net.h"
#include "net/slabs.h"

namespace rp {

struct Listener;

struct Net {
    // Constant after net_open.
    Engine* engine = nullptr;
    Loop* loops = nullptr;
    size_t loop_count = 0;  // initialised ones
    size_t loops_cap = 0;
    NetOptions options;
    char unixsocket[108] = {};  // as long as sockaddr_un's
    Net* older = nullptr;       // stopped before this one was opened; freed with it
    // Any thread.
    Slabs slabs;                     // of Conn
    std::atomic<uint64_t> conns{0};  // accepted and not closed: what maxclients bounds
    std::atomic<int> port{0};        // 0: none
    std::atomic<int> tls_port{0};    // likewise
    Mutex tls_lock;
    TlsContext* tls = nullptr;  // under tls_lock: for the clients that come next; owns a reference
    // Hooks run under it, so that net_stop can wait for them.
    Mutex hook_lock;
    bool closed = false;  // under hook_lock: the loops are gone
    Mutex stop_lock;
    bool stopped = false;  // under stop_lock
    // The set of listeners; polled by loop 0 only.
    Mutex listen_lock;
    Listener* listeners = nullptr;  // under listen_lock
    // Loop 0.
    int spare_fd = -1;              // given up for a moment to turn clients away at the fd limit
    uint64_t accept_paused_ms = 0;  // accepting starts again then; 0 = it goes on
    uint64_t accept_logged_ms = 0;
};

}  // namespace rp
