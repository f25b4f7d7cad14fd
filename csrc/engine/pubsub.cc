#include "engine/pubsub.h"

#include <cstdio>
#include <new>

#include "base/glob.h"
#include "base/hash.h"
#include "mem/mem.h"

namespace rp {

struct Topic {
    HashNode node;  // first
    Port* ports;
    uint64_t members;
    uint32_t len;
    char name[];
    Bytes bytes() const { return {name, len}; }
};

static Topic* topic_of(HashNode* n) { return reinterpret_cast<Topic*>(n); }
static Sub* sub_of(HashNode* n) { return reinterpret_cast<Sub*>(n); }
static size_t at(TopicKind kind) { return static_cast<size_t>(kind); }

static Topic* find_topic(HashTable* t, Bytes name, uint64_t hash) {
    for (HashNode* n = nodes_first(t, hash); n != nullptr; n = n->next) {
        if (n->hash == hash && bytes_equal(topic_of(n)->bytes(), name)) return topic_of(n);
    }
    return nullptr;
}

static Sub* find_sub(HashTable* t, Bytes name, uint64_t hash) {
    for (HashNode* n = nodes_first(t, hash); n != nullptr; n = n->next) {
        if (n->hash == hash && bytes_equal(sub_of(n)->topic->bytes(), name)) return sub_of(n);
    }
    return nullptr;
}

// ---- topics -----------------------------------------------------------------------------------

PubSub* pubsub_new() { return new (mem_alloc_aligned(sizeof(PubSub), alignof(PubSub))) PubSub; }

void pubsub_free(PubSub* take) {
    if (take == nullptr) return;
    for (const auto& count : take->topics)
        RP_ASSERT(count.load(std::memory_order_relaxed) == 0);
    RP_ASSERT(take->monitors == nullptr);
    mem_free_aligned(take, sizeof(PubSub));
}

static Shelf* shelf_of(PubSub* p, TopicKind kind, uint64_t hash) {
    if (kind == TopicKind::pattern) return &p->patterns;
    // Other bits than those that choose the slot within.
    size_t i = (hash >> 32) % kShelves;
    return kind == TopicKind::channel ? &p->channels[i] : &p->shards[i];
}

static Topic* topic_new(PubSub* p, TopicKind kind, Shelf* shelf, Bytes name, uint64_t hash) {
    auto* t = static_cast<Topic*>(mem_alloc(sizeof(Topic) + name.len));
    *t = {};
    t->node.hash = hash;
    t->len = static_cast<uint32_t>(name.len);
    if (name.len != 0) memcpy(t->name, name.ptr, name.len);
    nodes_add(&shelf->topics, &t->node);
    p->topics[at(kind)].fetch_add(1, std::memory_order_relaxed);
    return t;
}

static void topic_drop(PubSub* p, TopicKind kind, Shelf* shelf, Topic* t) {
    nodes_remove(&shelf->topics, &t->node);
    p->topics[at(kind)].fetch_sub(1, std::memory_order_relaxed);
    mem_free(t, sizeof(Topic) + t->len);
}

Port* port_find(Port* list, const Mailbox* box) {
    while (list != nullptr && list->box != box)
        list = list->next;
    return list;
}

void port_unlink(Port** list, Port* p) {
    while (*list != p)
        list = &(*list)->next;
    *list = p->next;
}

constexpr size_t kHeadMax = 64;  // of what stands before a pattern's text

// The port of a topic behind this mailbox. A message is `*3 message channel text` or
// `*4 pmessage pattern channel text`; its Blob begins with the channel.
static Port* port_of(Topic* t, TopicKind kind, Mailbox* box) {
    Port* p = port_find(t->ports, box);
    if (p != nullptr) return p;
    if (kind == TopicKind::pattern) {
        size_t cap = kHeadMax + t->len;
        auto* head = static_cast<char*>(mem_alloc(cap));
        int n = snprintf(head, cap, "4\r\n$8\r\npmessage\r\n$%u\r\n", t->len);
        auto len = static_cast<size_t>(n);
        memcpy(head + len, t->name, t->len);
        memcpy(head + len + t->len, "\r\n", 2);
        p = port_new(box, Framing::push, {head, len + t->len + 2});
        mem_free(head, cap);
    } else {
        bool shard = kind == TopicKind::shard;
        p = port_new(box, Framing::push,
                     shard ? Bytes("3\r\n$8\r\nsmessage\r\n") : Bytes("3\r\n$7\r\nmessage\r\n"));
    }
    p->next = t->ports;
    t->ports = p;
    return p;
}

// ---- joining and leaving ----------------------------------------------------------------------

static void note_counts(Session* s, TopicKind kind) {
    size_t n = s->subs->by_name[at(kind)].count;
    s->sub_counts[at(kind)].store(static_cast<uint32_t>(n), std::memory_order_relaxed);
    s->subscribed = 0;
    for (const HashTable& t : s->subs->by_name)
        s->subscribed += static_cast<uint32_t>(t.count);
    session_listens_to(s, kListensChannels, s->subscribed != 0);
}

static void link_sub(Session* s, TopicKind kind, Sub* sub) {
    MutexGuard guard(&s->subs_lock);
    sub->next = nullptr;
    sub->prev = s->subs->last[at(kind)];
    (sub->prev != nullptr ? sub->prev->next : s->subs->first[at(kind)]) = sub;
    s->subs->last[at(kind)] = sub;
}

static void unlink_sub(Session* s, TopicKind kind, const Sub* sub) {
    MutexGuard guard(&s->subs_lock);
    (sub->prev != nullptr ? sub->prev->next : s->subs->first[at(kind)]) = sub->next;
    (sub->next != nullptr ? sub->next->prev : s->subs->last[at(kind)]) = sub->prev;
}

static void replace_subs(Session* s, Subscriptions* take) {
    mutex_lock(&s->subs_lock);
    Subscriptions* old = s->subs;
    s->subs = take;
    mutex_unlock(&s->subs_lock);
    if (old != nullptr) mem_free(old, sizeof(Subscriptions));
}

bool pubsub_subscribe(PubSub* p, Session* s, TopicKind kind, Bytes name) {
    uint64_t hash = hash_bytes(name);
    if (s->subs == nullptr) replace_subs(s, new (mem_alloc(sizeof(Subscriptions))) Subscriptions);
    HashTable* mine = &s->subs->by_name[at(kind)];
    if (find_sub(mine, name, hash) != nullptr) return false;
    Sub* sub = new (mem_alloc(sizeof(Sub))) Sub;
    sub->node.hash = hash;
    Shelf* shelf = shelf_of(p, kind, hash);
    mutex_lock(&shelf->lock);
    Topic* t = find_topic(&shelf->topics, name, hash);
    if (t == nullptr) t = topic_new(p, kind, shelf, name, hash);
    port_join(port_of(t, kind, s->mailbox), &sub->receiver, s);
    t->members++;
    mutex_unlock(&shelf->lock);
    sub->topic = t;
    link_sub(s, kind, sub);
    nodes_add(mine, &sub->node);
    note_counts(s, kind);
    return true;
}

// `deliver`: first of all what has been published for it.
static void leave(PubSub* p, Session* s, TopicKind kind, Sub* sub, bool deliver) {
    Port* port = sub->receiver.port;
    Shelf* shelf = shelf_of(p, kind, sub->node.hash);
    unlink_sub(s, kind, sub);  // first: its topic may go
    mutex_lock(&shelf->lock);
    bool gone = !port_leave(port, &sub->receiver);
    sub->topic->members--;
    if (gone) port_unlink(&sub->topic->ports, port);
    nodes_remove(&s->subs->by_name[at(kind)], &sub->node);
    if (sub->topic->ports == nullptr) topic_drop(p, kind, shelf, sub->topic);
    mutex_unlock(&shelf->lock);
    if (deliver) mailbox_drain(s->mailbox);
    port_forget(port, &sub->receiver, gone);
    mem_free(sub, sizeof(Sub));
    note_counts(s, kind);
}

bool pubsub_unsubscribe(PubSub* p, Session* s, TopicKind kind, Bytes name) {
    if (s->subs == nullptr) return false;
    Sub* sub = find_sub(&s->subs->by_name[at(kind)], name, hash_bytes(name));
    if (sub == nullptr) return false;
    leave(p, s, kind, sub, true);
    return true;
}

Blob* pubsub_first_name(const Session* s, TopicKind kind) {
    Bytes name = s->subs->first[at(kind)]->topic->bytes();
    Blob* copy = blob_new(name.len);
    if (name.len != 0) memcpy(copy->data, name.ptr, name.len);
    copy->len = name.len;
    return copy;
}

void pubsub_forget(Engine* e, Session* s) {
    monitor_stop(e, s);
    if (s->subs == nullptr) return;
    for (TopicKind kind : {TopicKind::channel, TopicKind::pattern, TopicKind::shard}) {
        while (s->subs->first[at(kind)] != nullptr)
            leave(e->pubsub, s, kind, s->subs->first[at(kind)], false);
    }
    replace_subs(s, nullptr);
}

// ---- publishing -------------------------------------------------------------------------------

constexpr size_t kLengthMax = 32;  // "$18446744073709551615\r\n"

static char* put_bulk(char* to, Bytes b) {
    to += snprintf(to, kLengthMax, "$%zu\r\n", b.len);
    if (b.len != 0) memcpy(to, b.ptr, b.len);
    memcpy(to + b.len, "\r\n", 2);
    return to + b.len + 2;
}

static Blob* message_new(Bytes channel, Bytes message) {
    Blob* b = blob_try_new(2 * kLengthMax + channel.len + message.len + 4);
    if (b == nullptr) return nullptr;
    b->len = static_cast<size_t>(put_bulk(put_bulk(b->data, channel), message) - b->data);
    return b;
}

struct Publish {
    Bytes channel, message;
    Blob* wire;  // made for the first who listens
    uint64_t receivers;
    bool failed;  // no memory for it: nobody got it
};

static void post_all(Publish* out, const Topic* t) {
    if (out->wire == nullptr) out->wire = message_new(out->channel, out->message);
    if (out->wire == nullptr) {
        out->failed = true;
        return;
    }
    for (Port* p = t->ports; p != nullptr; p = p->next)
        port_post(p, out->wire);
    out->receivers += t->members;
}

static void post_to_patterns(PubSub* p, Publish* out) {
    Shelf* shelf = &p->patterns;
    MutexGuard guard(&shelf->lock);
    for (size_t i = 0; i < shelf->topics.cap; i++) {
        for (HashNode* n = shelf->topics.slots[i]; n != nullptr; n = n->next) {
            if (glob_match(topic_of(n)->bytes(), out->channel)) post_all(out, topic_of(n));
        }
    }
}

bool pubsub_publish(PubSub* p, TopicKind kind, Bytes channel, Bytes message, uint64_t* receivers) {
    *receivers = 0;
    if (!pubsub_anybody(p, kind)) return true;
    Publish out = {channel, message, nullptr, 0, false};
    uint64_t hash = hash_bytes(channel);
    Shelf* shelf = shelf_of(p, kind, hash);
    mutex_lock(&shelf->lock);
    const Topic* t = find_topic(&shelf->topics, channel, hash);
    if (t != nullptr) post_all(&out, t);
    bool patterns = p->topics[at(TopicKind::pattern)].load(std::memory_order_relaxed) != 0;
    if (kind == TopicKind::channel && patterns) post_to_patterns(p, &out);
    mutex_unlock(&shelf->lock);
    blob_unref(out.wire);
    *receivers = out.receivers;
    return !out.failed;
}

// ---- questions --------------------------------------------------------------------------------

uint64_t pubsub_count(PubSub* p, TopicKind kind, Bytes name) {
    uint64_t hash = hash_bytes(name);
    Shelf* shelf = shelf_of(p, kind, hash);
    MutexGuard guard(&shelf->lock);
    const Topic* t = find_topic(&shelf->topics, name, hash);
    return t != nullptr ? t->members : 0;
}

bool pubsub_listens_beyond(Session* s, bool (*allowed)(const void* arg, TopicKind kind, Bytes name),
                           const void* arg) {
    MutexGuard guard(&s->subs_lock);
    if (s->subs == nullptr) return false;
    for (TopicKind kind : {TopicKind::pattern, TopicKind::channel, TopicKind::shard}) {
        for (const Sub* sub = s->subs->first[at(kind)]; sub != nullptr; sub = sub->next) {
            if (!allowed(arg, kind, sub->topic->bytes())) return true;
        }
    }
    return false;
}

static void each_of(Shelf* shelf, void (*visit)(void* arg, Bytes name), void* arg) {
    MutexGuard guard(&shelf->lock);
    for (size_t i = 0; i < shelf->topics.cap; i++) {
        for (HashNode* n = shelf->topics.slots[i]; n != nullptr; n = n->next)
            visit(arg, topic_of(n)->bytes());
    }
}

void pubsub_each(PubSub* p, TopicKind kind, void (*visit)(void* arg, Bytes name), void* arg) {
    if (kind == TopicKind::pattern) return each_of(&p->patterns, visit, arg);
    for (Shelf& shelf : kind == TopicKind::channel ? p->channels : p->shards)
        each_of(&shelf, visit, arg);
}

}  // namespace rp
