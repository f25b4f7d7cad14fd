// engine/tracking.h: CLIENT TRACKING: clients keep what they have read and are told of its changes.
//
//   read    --> TrackedKey (by name) --> ids of who has read it            default mode
//   change  --> TrackedKey taken out --> a message to each of those ids
//   change  --> Prefix.pending --(end of the turn)--> one message to each member        BCAST
//
//   id --> Party --> ports (cmd/mailbox.h) --> the client, or the one it redirects to
//
// A Party is what is known of a session that tracks, has tracked, or is redirected to. Its modes
// are in Session.tracking. An id in the table may be of a session that is gone: then it is nobody.
//
// Promise    a client never keeps, without a message on its way, a value that has been changed
//            since it was read:
//            K1  default mode: a read of a client that tracks runs with the segments of its keys
//                locked, and its id is in the table before they are unlocked (cmd/dispatch.cc,
//                run_tracked). A writer looks the key up once its change is made, under the same
//                lock. So it finds the id of every earlier reader, or the reader finds the change.
//            K2  an id leaves the table only towards a message to it, posted by who took it out:
//                a writer before he unlocks the segment.
//            K3  BCAST: a client reads without locks. A writer looks for prefixes once its change
//                is published; a new prefix is made visible to all threads by a fence before CLIENT
//                TRACKING is answered. So a writer sees the prefix, or the client reads what was
//                written. (Without membarrier(2) the fence is of one side only: a write that is in
//                a processor's store buffer while the first prefix appears may be missed.)
//            K4  the message is behind the reply that it makes void: it is posted after the change,
//                the value of the reply is from before it, and a mailbox is emptied between two
//                commands only, by the thread that writes the reply.
//            K5  it is in the receiver's mailbox before the writer's own reply leaves: default mode
//                by K2; BCAST, for the writer's turn ends with tracking_flush (a turn that has more
//                to say than a client's output may hold sends some of it earlier).
// Order      messages about a client's own changes stand behind the reply of the command, or of its
//            EXEC, as in Redis; those of BCAST at the end of the turn, prefixes and keys sorted.
// Differs    from Redis 7.0: an expired or evicted key is told to a NOLOOP client as well, though
//            its own command met it; prefixes that overlap are one error, never an error and an OK.
// Limits     keys: tracking-table-max-keys, beyond it random ones are dropped and told. Ids of one
//            key: the dead are taken out before it grows. BCAST: kPendingMax bytes, then it is told
//            at once. Messages: the limits of the mailbox and of a client's output; who does not
//            take them is cut off.
// Locks      segment -> bcast_lock -> lock -> TrackedShelf.lock; lock -> Clients.lock, Mailbox.lock
// Threads    tracking_changed, tracking_flushed, tracking_flush, counters: any. tracking_cron: the
//            cron's. The rest: the session's thread.
#pragma once
#include "cmd/mailbox.h"
#include "engine/engine.h"
#include "engine/hash_nodes.h"

namespace rp {

// A key that somebody has read, in whatever database.
struct TrackedKey {
    HashNode node;  // first
    uint64_t* ids;  // owned; &one while there is room for one only
    uint64_t one;
    uint32_t count, cap;
    uint32_t len;
    char name[];
    Bytes bytes() const { return {name, len}; }
};
constexpr size_t kTrackedShelves = 64;
struct alignas(64) TrackedShelf {
    Mutex lock;
    HashTable keys;
};

// A changed key that has not been told yet, and who changed it last.
struct PendingKey {
    HashNode node;  // first
    uint64_t by;    // 0: nobody, it expired
    uint32_t len;
    char name[];
    Bytes bytes() const { return {name, len}; }
};

struct Party;
struct Prefix;
// A client in BCAST mode that wants to hear of a prefix.
struct Member {
    Party* party;
    Prefix* prefix;
    Member* next;  // of the prefix
    Member* prev;
    Member* next_of_party;
};
struct Prefix {
    HashNode node;  // first
    HashTable pending;
    Prefix* next_pending;  // while it waits: in Tracking.pending
    bool waits;            // it is in there
    bool lost;  // there was no memory for a key: its members are told that all may have changed
    Member* members;
    uint32_t len;
    char text[];
    Bytes bytes() const { return {text, len}; }
};
// So many prefixes have this length.
struct PrefixLength {
    uint32_t len;
    uint32_t count;
};

struct Party {
    HashNode node;     // first
    uint64_t id;       // constant
    Session* session;  // constant; alive while it is in Tracking.parties
    bool tracks;       // it has tracked; under lock
    Member* members;   // under bcast_lock; changed by its owner, who may read it without
    // Under lock. Null: it has no mailbox, or needs none yet.
    Port* own;     // invalidations of its own
    Port* broken;  // its redirection leads nowhere
    Port* via;     // invalidations of others
    Receiver own_receiver, broken_receiver, via_receiver;
};

constexpr size_t kPendingMax = 256 * 1024;

struct Tracking {
    Engine* engine;
    std::atomic<bool>* tracked;  // Store.tracked: somebody tracks or has tracked
    TrackedShelf shelves[kTrackedShelves];
    std::atomic<uint64_t> keys{0}, items{0}, prefix_count{0}, clients{0};
    std::atomic<bool> any_pending{false};
    bool was_pending = false;  // when the cron looked; the cron only
    Mutex bcast_lock;
    HashTable prefixes;               // under bcast_lock, as all that follows
    PrefixLength* lengths = nullptr;  // of all prefixes
    size_t lengths_count = 0, lengths_cap = 0;
    Prefix* pending = nullptr;
    size_t pending_bytes = 0;
    Mutex lock;
    HashTable parties;      // by id; under lock
    uint64_t trackers = 0;  // parties that have tracked; under lock
};

Tracking* tracking_new(Engine* e);
// REQUIRES: no session is registered.
void tracking_free(Tracking* take);

// What CLIENT TRACKING ON asks for.
struct TrackingWish {
    uint32_t flags = 0;  // TrackingFlag
    int64_t redirect = 0;
    const Bytes* prefixes = nullptr;
    size_t prefix_count = 0;
};
enum class Started : uint8_t { yes, no_target, deaf_target, deaf };
// no_target: there is no client `redirect`. deaf: it, or without redirection s, has no mailbox.
// Prefixes are added to those there are.
Started tracking_start(Tracking* t, Session* s, const TrackingWish* wish);
// CLIENT TRACKING OFF, RESET: what was read while it was on is still in the table, as in Redis.
void tracking_stop(Tracking* t, Session* s);
// The session is gone from the list of clients.
void tracking_forget(Tracking* t, Session* s);
// Who gets its messages: an id, 0 = itself, -1 = nobody, it does not track. Any thread.
int64_t tracking_redirect(const Session* s);
// Does CLIENT TRACKING REDIRECT find it?
bool tracking_finds_client(const Tracking* t, int64_t id);

// DispatchHooks.on_read: c's client has read this key. REQUIRES: the key's segment is held.
void tracking_read(CmdCtx* c, const KeyHash* key);
// Store.on_change: the key was changed by client `by` (0: nobody). REQUIRES: its segment is held.
void tracking_changed(void* engine, uint64_t by, Bytes key, uint64_t hash);
// Store.on_flush: databases were emptied. REQUIRES: the gate is closed.
void tracking_flushed(void* engine);
// DispatchHooks.on_turn: what this thread has changed is posted to BCAST clients. Holds nothing.
void tracking_flush(Engine* e);
// The cron: tracking-table-max-keys may have been lowered; a thread may have no turns.
void tracking_cron(Tracking* t);

// ---- between the files ------------------------------------------------------------------------
// The order in which prefixes and keys are told: that of their bytes.
inline bool tracking_before(Bytes a, Bytes b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common != 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    return order != 0 ? order < 0 : a.len < b.len;
}
Party* tracking_party(const Tracking* t, uint64_t id);  // null: none. REQUIRES: lock
// To the party, or to whom it redirects. REQUIRES: lock.
void tracking_send(Tracking* t, Party* p, Blob* wire);
// `*n` and n keys. Null: no memory; a null is sent then, which says that anything may have changed.
Blob* tracking_keys_wire(const Bytes* keys, size_t count);
Blob* tracking_null_wire(uint8_t resp);
// tracking_bcast.cc
void bcast_changed(Tracking* t, uint64_t by, Bytes key, uint64_t hash);
void bcast_join(Tracking* t, Party* p, Bytes prefix);  // REQUIRES: bcast_lock
void bcast_leave(Tracking* t, Party* p);               // all prefixes. REQUIRES: bcast_lock
// tracking_keys.cc
void tracked_trim(Tracking* t);
void tracked_clear(Tracking* t);  // all keys, telling nobody. REQUIRES: lock

// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO (tracking_cmds.cc).
void cmd_client_tracking(CmdCtx* c, Args argv, Reply* out);
void cmd_client_caching(CmdCtx* c, Args argv, Reply* out);
void cmd_client_getredir(CmdCtx* c, Args argv, Reply* out);
void cmd_client_trackinginfo(CmdCtx* c, Args argv, Reply* out);

}  // namespace rp
