// embed/store.h: what rustypotato.h's two opaque types are.
//
//   rp_store ---- Engine, Net
//      |  `------ list of rp_session (under lock)
//      `- refs: the handle and every rp_session, so that a session may outlive rp_close and rp_free
//
// Invariants  S1  state only moves open -> closing -> closed. Whoever uses the engine is either
//                 `busy` (sessions) or counted in `guests` (everybody else), and has seen `open`
//                 AFTER it said so; rp_close sets `closing` first and then waits for both. The
//                 fence between the two is paid by rp_close (epoch_fence_all), as epochs do it.
//             S2  in a forked child nothing but fork_generation is read and nothing is freed.
// Lock order  admin, then lock; neither while executing.
#pragma once
#include "cmd/mailbox.h"
#include "embed/rustypotato.h"
#include "engine/persistence.h"
#include "net/net.h"

enum class StoreState : uint32_t { open, closing, closed };

struct rp_store {
    rp::Engine* engine = nullptr;  // null once closed
    uint32_t fork_generation = 0;
    std::atomic<StoreState> state{StoreState::open};
    std::atomic<uint32_t> guests{0};
    std::atomic<uint32_t> refs{1};
    rp::Mutex admin;         // one of rp_listen, rp_stop, rp_close at a time
    rp::Net* net = nullptr;  // under admin
    bool serving = false;    // under admin: net runs
    rp::Mutex lock;
    rp_session* sessions = nullptr;  // under lock
};

struct alignas(64) rp_session {
    std::atomic<uint32_t> busy{0};
    bool own = false;            // belongs to a thread, see session.cc
    bool ended = false;          // QUIT or CLIENT KILL
    bool attached = false;       // the engine knows it; under store->lock
    uint8_t protocol = 2;        // as opened
    rp_store* store = nullptr;   // constant, counted
    rp_session* next = nullptr;  // under store->lock
    rp_session* prev = nullptr;
    rp::Session session;
    rp::Worker worker;
    // Of a subscriber (embed/subscriber.cc).
    int event_fd = -1;  // -1: an ordinary session
    size_t bytes_max = 0;
    bool taken = false;  // what is in session.out has been handed out
    rp::Mailbox messages;
};

struct rp_held {
    rp::Out out;
};

namespace rp {

inline bool store_is_mine(const rp_store* store) {
    return store->fork_generation == epoch_fork_generation();
}
// RP_OK, and then a store_leave must follow, or why not. REQUIRES: store_is_mine.
int store_enter(rp_store* store);
void store_leave(rp_store* store);
void store_unref(rp_store* store);

// REQUIRES: store->lock is held, nobody executes with it.
void session_detach(rp_session* s);
// Makes a session and attaches it; event_fd: a subscriber's, or -1.
int session_make(rp_store* store, int protocol, int event_fd, size_t bytes_max, rp_session** out);
// After RP_OK the engine stays until session_leave (S1).
int session_enter(rp_session* s);
inline void session_leave(rp_session* s) { s->busy.store(0, std::memory_order_release); }
// Runs a command, waiting for whatever holds it up; its reply is added to session.out. RP_CLOSED:
// the store closed while it waited, it has not run. REQUIRES: session_enter.
int session_run(rp_session* s, size_t argc, const rp_bytes* argv);

// A view of what is in `o`.
inline rp_reply reply_of(const Out* o) {
    const OutChunk* head = o->head;
    if (RP_UNLIKELY(head == nullptr)) return {};
    Bytes b = out_chunk_bytes(head);
    return {{b.ptr, b.len}, o->bytes, head->next};
}

// embed/subscriber.cc: before the session is attached, after it is detached.
void subscriber_init(rp_session* s, int event_fd, size_t bytes_max);
void subscriber_wake(rp_session* s);
void subscriber_deinit(rp_session* s);

}  // namespace rp
