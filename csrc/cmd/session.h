// cmd/session.h: one client's conversation: identity, database, protocol, MULTI queue, WATCH. A
// connection (net/) and an in-process caller (embed/) each own one.
//
// Threads  owner only, except the fields marked shared (relaxed atomics, shown by CLIENT LIST) and
//          those under Clients.lock (names, which CLIENT LIST of another thread prints).
#pragma once
#include "cmd/row.h"
#include "resp/out.h"
#include "resp/parser.h"
#include "store/watch.h"
#include "sync/mutex.h"

namespace rp {

struct AclUser;  // engine/acl.h
struct Engine;
struct Worker;
struct Mailbox;
struct Subscriptions;
struct Receiver;

// A queued command: argv bytes copied into one allocation.
struct QueuedCmd {
    QueuedCmd* next;
    const Cmd* row;
    const Cmd* parent;
    uint32_t index;  // of row: CmdStat
    Blob* big;
    size_t big_index;
    size_t bytes;  // of the allocation
    size_t argc;
    Bytes argv[];  // followed by the bytes
};

struct Multi {
    QueuedCmd* head = nullptr;
    QueuedCmd* tail = nullptr;
    size_t count = 0;
    size_t bytes = 0;
    bool active = false;
    bool broken = false;  // a queue-time error: EXEC aborts
};

enum class ReplyMode : uint8_t { on, off, skip_next, skip_this };

// What a command that came back Ran::paused waits for.
enum class PausedBy : uint8_t {
    client_pause,  // CLIENT PAUSE
    log,           // it is full
    mail,          // a mailbox is too full to publish
    snapshot,      // it has too much to catch up with, or reads what would be changed
    command,       // the command itself: WAIT, WAITAOF
};

// CLIENT TRACKING (engine/tracking.h).
enum TrackingFlag : uint32_t {
    kTrackingOn = 1u << 0,
    kTrackingBcast = 1u << 1,
    kTrackingOptin = 1u << 2,
    kTrackingOptout = 1u << 3,
    kTrackingNoloop = 1u << 4,
    kTrackingCaching = 1u << 5,  // CLIENT CACHING was given for the next command
    kTrackingBroken = 1u << 6,   // the client it redirects to is gone
};

// Why messages that are no replies come to a session.
enum ListensFlag : uint32_t {
    kListensChannels = 1u << 0,
    kListensMonitor = 1u << 1,
    kListensTracking = 1u << 2,    // it tracks, or has tracked
    kListensRedirected = 1u << 3,  // others have redirected to it; set by any thread
};

struct Session {
    uint64_t id = 0;
    Engine* engine = nullptr;  // constant
    Worker* worker = nullptr;  // the thread that executes for it: constant while it executes
    Out out;                   // replies not yet handed to the transport
    // Owner only.
    uint8_t resp = 2;
    bool authenticated = true;   // it has logged in, or need not
    bool inside = false;         // in-process and not logged in as anybody: no rules hold
    bool embedded = false;       // no transport: QUIT, output limits and KILL mean less
    bool observer = false;       // CLIENT PAUSE does not hold back what it reads
    bool replay = false;         // the log is being replayed: nothing is logged, refused or expired
    size_t out_stop = SIZE_MAX;  // with more unsent bytes than this a batch ends early
    uint64_t rests_on = 0;       // the replies in `out` may leave once the log has got this far
    uint64_t wrote = 0;          // the highest number of the log that is of its changes
    int64_t waits_until_ms = 0;  // with `waits`: monotonic, INT64_MAX: for ever
    ReplyMode reply_mode = ReplyMode::on;
    PausedBy paused_by = PausedBy::client_pause;  // the last time
    Multi multi;
    Watcher watcher;
    // Messages (cmd/mailbox.h).
    Mailbox* mailbox =
        nullptr;  // of its owner; null: it cannot subscribe. Constant once registered
    Subscriptions* subs = nullptr;  // engine/pubsub.h; null: none yet. Changed under subs_lock
    uint32_t subscribed = 0;        // channels, patterns and shard channels together
    Receiver* monitor = nullptr;    // MONITOR; null: it does not
    size_t pushed_bytes = 0;        // of messages, since `out` was empty
    bool cut = false;               // it has missed messages or does not read them: no more of them
    bool silenced = false;          // a command runs whose replies are taken back: see `kept`
    Out kept;                       // what is said nevertheless meanwhile
    // Shared (relaxed): CLIENT LIST, CLIENT KILL.
    std::atomic<uint32_t> db{0};
    std::atomic<bool> kill{false};    // set by any thread; the owner closes it
    std::atomic<bool> waits{false};   // in WAIT or WAITAOF (engine/wait.h)
    std::atomic<uint8_t> unblock{0};  // CLIENT UNBLOCK, set by any thread
    // Each command has to be looked at before it runs: the client has not logged in, or its user
    // may not do everything (engine/acl.h). Changed under Clients.lock.
    std::atomic<bool> guarded{false};
    std::atomic<bool> no_evict{false};
    std::atomic<bool> no_touch{false};
    std::atomic<int64_t> last_ms{0};  // monotonic ms of the last command
    std::atomic<const Cmd*> last_row{nullptr};
    std::atomic<const Cmd*> last_parent{nullptr};  // of a subcommand: its container
    // Of its buffers: unread input and the room behind it, arguments of a command that is not all
    // there, unsent replies (bytes, memory, pieces).
    std::atomic<uint64_t> query_bytes{0}, query_free{0}, argv_bytes{0}, out_bytes{0}, out_memory{0},
        out_chunks{0}, multi_count{0};
    std::atomic<uint64_t> multi_bytes{0};  // Multi.bytes
    std::atomic<uint64_t> net_in{0}, net_out{0};
    std::atomic<bool> in_multi{0};
    std::atomic<uint8_t> shared_resp{2};
    std::atomic<uint32_t> watch_count{0};
    std::atomic<uint32_t> sub_counts[3] = {};  // by TopicKind
    std::atomic<uint32_t> listens{0};          // ListensFlag
    std::atomic<uint32_t> tracking{0};         // TrackingFlag; Broken is set by any thread
    std::atomic<int64_t> redirect{0};          // where to, while it tracks; 0: nowhere
    // Constant once registered.
    int64_t created_ms = 0;  // monotonic
    uint64_t own_bytes = 0;  // of the memory that is there while it does nothing
    int fd = -1;
    bool unix_socket = false;
    char addr[64] = {};  // "127.0.0.1:50512" or "/path:0"
    char laddr[128] = {};
    Mutex subs_lock;  // a leaf: what the session listens to, for who asks from outside
    // Under Clients.lock.
    AclUser* user = nullptr;  // a reference; null: no engine, everything is allowed
    char* name = nullptr;     // heap, or null
    char* lib_name = nullptr;
    char* lib_ver = nullptr;
    Session* next = nullptr;
    Session* prev = nullptr;
};

void multi_clear(Multi* m);
// Messages come to it that are no replies.
inline bool session_listens(const Session* s) {
    return s->listens.load(std::memory_order_relaxed) != 0;
}
// They come for another reason than what it reads: it may be silent for ever.
inline bool session_subscribes(const Session* s) {
    constexpr uint32_t kFor = kListensChannels | kListensMonitor;
    return (s->listens.load(std::memory_order_relaxed) & kFor) != 0;
}
// Owner. By whether it is `on`.
inline void session_listens_to(Session* s, ListensFlag what, bool on) {
    if (on) {
        s->listens.fetch_or(what, std::memory_order_relaxed);
    } else {
        s->listens.fetch_and(~uint32_t{what}, std::memory_order_relaxed);
    }
}

}  // namespace rp
