// cmd/mailbox.h: messages from any thread to the clients of one owner: a loop, or one in-process
// subscriber.
//
//   publisher (any thread) --post--> Mailbox --drain (owner)--> Session.out of every receiver
//                                       |
//        Topic --> Port (one per mailbox) --> Receiver --> Receiver ...   the sessions behind it
//
// A message is one Blob, made once: its bytes as they go out, but for what differs between
// receivers (the protocol's mark and the prefix of the port). A large one is sent by reference.
//
// Order      Whoever posts to the ports of a topic holds the topic's lock from the first post to
//            the last: every mailbox has the messages of one topic in the same order, and a mailbox
//            delivers in the order of its posts. A receiver gets exactly what was posted between
//            its joining and its leaving (`since`, `until`), both noted under that lock. The owner
//            drains before it executes for a session that receives, and before it confirms that a
//            session has left: what was counted for it is in front of that.
// Wakes      the first post into an empty mailbox wakes the owner; posts of the owner itself do
//            not, it drains when its turn ends.
// Limits     above soft_bytes of undelivered messages *full counts this mailbox and publishers
//            wait (cmd/admit.h). What comes above hard_bytes, from those that cannot wait, is
//            dropped, and the receivers of that port are cut off, never left with a gap.
// Threads    post: any, under the topic's lock. Fields say what is the owner's. Mailbox.lock is a
//            leaf: below segments and topics, nothing is locked under it.
#pragma once
#include "cmd/session.h"
#include "sync/mutex.h"

namespace rp {

struct Mailbox;
struct Port;

struct Receiver {
    Session* session = nullptr;
    Port* port = nullptr;
    uint64_t since = 0;           // the first post it gets
    uint64_t until = UINT64_MAX;  // the first it does not
    Receiver* next = nullptr;
    Receiver* prev = nullptr;
};

// What is written in front of a message: nothing, or a mark and the prefix.
enum class Framing : uint8_t {
    none,
    push,          // '>' (RESP3) or '*'
    push3,         // '>'; a RESP2 client does not get it
    invalidation,  // '>'; a RESP2 client that has subscribed gets one of __redis__:invalidate
};

struct Port {
    Mailbox* box;      // constant
    Framing framing;   // constant
    uint32_t members;  // under the topic's lock: receivers that have not left
    Port* next;        // under the topic's lock
    Receiver* head;    // owner
    Receiver* tail;    // owner
    Port* next_dead;   // owner
    Port* next_over;   // under box->lock
    bool over;         // under box->lock: something was dropped
    uint32_t prefix_len;
    char prefix[];
};

struct MailItem {
    Port* port;
    Blob* wire;
};

constexpr size_t kMailSoftBytes = 32 * 1024 * 1024;
constexpr size_t kMailHardBytes = 256 * 1024 * 1024;

struct Mailbox {
    // Constant once in use.
    void (*wake)(void* arg) = nullptr;  // any thread; must not block
    void* wake_arg = nullptr;
    void (*lend)(Session* s) = nullptr;     // owner: s->out is empty; may be null
    void (*pushed)(Session* s) = nullptr;   // owner: something was added to s->out; may be null
    void (*cut)(Session* s) = nullptr;      // owner: close it soon, it has missed something
    std::atomic<uint32_t>* full = nullptr;  // counts mailboxes above soft_bytes; null: nobody waits
    void (*drained)(void* arg) = nullptr;   // owner: it is below soft_bytes again
    size_t soft_bytes = kMailSoftBytes;
    size_t hard_bytes = kMailHardBytes;
    // Any thread.
    std::atomic<bool> waiting{false};  // there are messages
    Mutex lock;
    MailItem* items = nullptr;  // under lock, as all that follows
    size_t count = 0;
    size_t cap = 0;
    size_t bytes = 0;
    uint64_t next_seq = 0;
    Port* over = nullptr;
    bool is_full = false;
    // Owner.
    MailItem* spare = nullptr;
    size_t spare_cap = 0;
    Port* dead = nullptr;
};

// REQUIRES: nobody joins or posts any more.
void mailbox_deinit(Mailbox* b);
// The mailbox that this thread owns: posts from here wake nobody. Null: none.
void mailbox_here(Mailbox* b);

// The caller's lock protects the topic; the port is new and not yet in its list.
Port* port_new(Mailbox* b, Framing framing, Bytes prefix);
// Owner, under the topic's lock: from now on r gets what is posted to p.
void port_join(Port* p, Receiver* r, Session* s);
// Owner, under the topic's lock: what is posted from now on is not for r. False: p has no members
// left; the caller takes it out of the topic's list.
bool port_leave(Port* p, Receiver* r);
// Owner, behind that and without the lock: r is forgotten. `gone`: so is its port.
void port_forget(Port* p, Receiver* r, bool gone);

// Takes its own reference. REQUIRES: the topic's lock.
void port_post(Port* p, Blob* wire);

// Owner. Delivers everything that waits.
void mailbox_drain_slow(Mailbox* b);
inline void mailbox_drain(Mailbox* b) {
    if (RP_UNLIKELY(b->waiting.load(std::memory_order_acquire))) mailbox_drain_slow(b);
}

// Where pushes of this session go: behind its replies, or past CLIENT REPLY OFF.
inline Out* session_push_out(Session* s) { return s->silenced ? &s->kept : &s->out; }

}  // namespace rp
