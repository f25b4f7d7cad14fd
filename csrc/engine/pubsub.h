// engine/pubsub.h: who listens to what: channels, shard channels and patterns, and publishing to
// them.
//
//   PubSub -> shelf (by hash of the name) -> Topic -> Port per mailbox -> Receiver per session
//   Session.subs -> Sub (a Receiver and its Topic) by name
//
// Order      a message is posted to all mailboxes under the lock of its channel's shelf, to those
//            of patterns too (their lock is taken below it): all subscribers of a channel, on
//            whatever loop or in-process, get its messages in one order. cmd/mailbox.h has the
//            rest.
// Counts     PUBLISH returns how many receivers its message was posted for: all that had joined
//            and not left, at one instant per channel and per pattern.
// Locks      shelf -> patterns -> Mailbox.lock, all below the segments: a command may publish with
//            its keys locked (keyspace events, EXEC). No callback is called under them but a
//            mailbox' wake.
// Threads    pubsub_publish and the questions: any. The rest: the session's thread, which changes
//            the order of its subscriptions under Session.subs_lock: others may walk it there.
#pragma once
#include "cmd/mailbox.h"
#include "engine/engine.h"
#include "engine/hash_nodes.h"

namespace rp {

enum class TopicKind : uint8_t { channel, pattern, shard };
constexpr size_t kTopicKinds = 3;

struct Topic;

// One subscription of one session.
struct Sub {
    HashNode node;  // first: in Subscriptions.by_name
    Receiver receiver;
    Topic* topic;
    Sub* next;  // in the order of subscribing
    Sub* prev;
};
struct Subscriptions {
    HashTable by_name[kTopicKinds];
    Sub* first[kTopicKinds] = {};
    Sub* last[kTopicKinds] = {};
};

constexpr size_t kShelves = 64;
struct alignas(64) Shelf {
    Mutex lock;
    HashTable topics;
};
struct PubSub {
    Shelf channels[kShelves];
    Shelf shards[kShelves];
    Shelf patterns;
    std::atomic<uint64_t> topics[kTopicKinds] = {};  // by kind: how many there are
    // MONITOR.
    Mutex monitors_lock;
    Port* monitors = nullptr;  // under monitors_lock
};

PubSub* pubsub_new();
// REQUIRES: nobody is subscribed.
void pubsub_free(PubSub* take);

// False: it was subscribed already. REQUIRES: s->mailbox.
bool pubsub_subscribe(PubSub* p, Session* s, TopicKind kind, Bytes name);
// False: it was not. Messages published until now are in s->out when this returns.
bool pubsub_unsubscribe(PubSub* p, Session* s, TopicKind kind, Bytes name);
// A copy of the name of its first subscription of that kind: REQUIRES one. The caller unrefs it.
Blob* pubsub_first_name(const Session* s, TopicKind kind);
// The session ends, or RESET: nothing is said, nothing more arrives.
void pubsub_forget(Engine* e, Session* s);

// kind: channel or shard. False: there is no memory for it, and nobody gets it.
bool pubsub_publish(PubSub* p, TopicKind kind, Bytes channel, Bytes message, uint64_t* receivers);
// Whether anybody could be interested: one or two loads.
inline bool pubsub_anybody(const PubSub* p, TopicKind kind) {
    auto count = [p](TopicKind k) {
        return p->topics[static_cast<size_t>(k)].load(std::memory_order_relaxed);
    };
    return count(kind) != 0 || (kind == TopicKind::channel && count(TopicKind::pattern) != 0);
}

uint64_t pubsub_count(PubSub* p, TopicKind kind, Bytes name);  // subscribers of one
// Does it listen to anything that is not `allowed`? Any thread while the session cannot go away:
// its own, or under Clients.lock. allowed() must not lock.
bool pubsub_listens_beyond(Session* s, bool (*allowed)(const void* arg, TopicKind kind, Bytes name),
                           const void* arg);
// Names of a kind, one shelf at a time under its lock: visit must not lock.
void pubsub_each(PubSub* p, TopicKind kind, void (*visit)(void* arg, Bytes name), void* arg);

// Store.on_event (engine/notify.cc).
void engine_notify(void* engine, uint32_t db, Bytes event, Bytes key);

// A list of ports, one per mailbox; under its owner's lock. Null: none for that mailbox.
Port* port_find(Port* list, const Mailbox* box);
void port_unlink(Port** list, Port* p);  // REQUIRES: it is in there

// MONITOR (engine/monitor.cc).
void monitor_stop(Engine* e, Session* s);
// DispatchHooks.on_command.
void monitor_tell(CmdCtx* c, const Cmd* row, Args argv);

}  // namespace rp
