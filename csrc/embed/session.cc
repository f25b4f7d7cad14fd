// embed/session.cc: conversations with a store from inside the process; one session per thread.
#include <new>

#include "cmd/plan.h"
#include "embed/store.h"
#include "mem/mem.h"

using namespace rp;

static_assert(sizeof(rp_bytes) == sizeof(Bytes) && offsetof(rp_bytes, len) == offsetof(Bytes, len),
              "an rp_bytes is a Bytes");

// What a caller that holds a lock may let us copy, and how many keys.
constexpr size_t kQuickBytes = 16 * 1024;
constexpr size_t kQuickArgs = 64;
// Arguments at least this long become Blobs: the value is adopted, not copied under the segment's
// lock.
constexpr size_t kAdoptMin = kBigArg;

// ---- birth and death --------------------------------------------------------------------------

static void session_attach(rp_session* s) {
    s->session.embedded = true;
    s->session.resp = s->protocol;
    worker_init(&s->worker);
    engine_add_worker(s->store->engine, &s->worker);
    engine_add_session(s->store->engine, &s->session, &s->worker);
    s->attached = true;
}

namespace rp {

void session_detach(rp_session* s) {
    if (!s->attached) return;
    s->attached = false;
    s->worker.slot = epoch_slot();
    engine_remove_session(s->store->engine, &s->session);
    if (s->event_fd >= 0) subscriber_wake(s);  // its owner may wait
    engine_remove_worker(s->store->engine, &s->worker);
    worker_deinit(&s->worker);
}

}  // namespace rp

static void session_link(rp_session* s) {
    rp_store* store = s->store;
    s->next = store->sessions;
    if (s->next != nullptr) s->next->prev = s;
    store->sessions = s;
}

static void session_unlink(rp_session* s) {
    (s->prev != nullptr ? s->prev->next : s->store->sessions) = s->next;
    if (s->next != nullptr) s->next->prev = s->prev;
}

int rp_session_open(rp_store* store, int protocol, rp_session** out) {
    return session_make(store, protocol, -1, 0, out);
}

int rp::session_make(rp_store* store, int protocol, int event_fd, size_t bytes_max,
                     rp_session** out) {
    *out = nullptr;
    if (!store_is_mine(store)) return RP_FOREIGN;
    if (protocol != 2 && protocol != 3) return RP_INVALID;
    int code = store_enter(store);
    if (code != RP_OK) return code;
    auto* s = new (mem_alloc_aligned(sizeof(rp_session), alignof(rp_session))) rp_session;
    s->store = store;
    s->protocol = static_cast<uint8_t>(protocol);
    if (event_fd >= 0) subscriber_init(s, event_fd, bytes_max);
    store->refs.fetch_add(1, std::memory_order_relaxed);
    mutex_lock(&store->lock);
    session_attach(s);
    session_link(s);
    mutex_unlock(&store->lock);
    store_leave(store);
    *out = s;
    return RP_OK;
}

void rp_session_observe(rp_session* session) { session->session.observer = true; }

void rp_session_close(rp_session* take) {
    if (take == nullptr || !store_is_mine(take->store)) return;
    rp_store* store = take->store;
    mutex_lock(&store->lock);
    session_detach(take);
    session_unlink(take);
    mutex_unlock(&store->lock);
    out_clear(&take->session.out);
    out_clear(&take->session.kept);
    if (take->event_fd >= 0) subscriber_deinit(take);
    take->~rp_session();
    mem_free_aligned(take, sizeof(rp_session));
    store_unref(store);
}

// After QUIT or CLIENT KILL a thread goes on with a fresh session; one that was opened stays
// closed.
static int session_restart(rp_session* s) {
    if (!s->own) return RP_CLOSED;
    rp_store* store = s->store;
    int code = store_enter(store);
    if (code != RP_OK) return code;
    mutex_lock(&store->lock);
    session_detach(s);
    Out out = s->session.out;  // its chunk is used again
    s->session.~Session();
    s->worker.~Worker();
    new (&s->session) Session;
    new (&s->worker) Worker;
    s->session.out = out;
    session_attach(s);
    mutex_unlock(&store->lock);
    store_leave(store);
    s->ended = false;
    return RP_OK;
}

// ---- the thread's own -------------------------------------------------------------------------

// Sessions of one thread, one per store it used.
struct ThreadSessions {
    rp_session** items = nullptr;
    size_t count = 0;
    size_t cap = 0;
    ~ThreadSessions();
};

// The last one used: trivial and initial-exec, so that finding it is a load and not a call.
[[gnu::tls_model("initial-exec")]] static constinit thread_local rp_session* t_last = nullptr;
static thread_local ThreadSessions t_sessions;

ThreadSessions::~ThreadSessions() {
    t_last = nullptr;
    for (size_t i = 0; i < count; i++)
        rp_session_close(items[i]);
    mem_free(items, cap * sizeof(rp_session*));
}

// Sessions of closed stores go; a forked child's inherited ones only leave the list.
static void forget_closed(ThreadSessions* t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        rp_session* s = t->items[i];
        int state = rp_check(s->store);
        if (state == RP_OK) t->items[kept++] = s;
        if (state == RP_CLOSED) rp_session_close(s);
    }
    t->count = kept;
}

static void remember(ThreadSessions* t, rp_session* s) {
    if (t->count == t->cap) {
        size_t cap = t->cap == 0 ? 8 : 2 * t->cap;
        auto** items = static_cast<rp_session**>(mem_alloc(cap * sizeof(rp_session*)));
        if (t->count != 0) memcpy(items, t->items, t->count * sizeof(rp_session*));
        mem_free(t->items, t->cap * sizeof(rp_session*));
        t->items = items;
        t->cap = cap;
    }
    t->items[t->count++] = s;
}

[[gnu::noinline]] static int session_find_here(rp_store* store, int protocol, rp_session** out) {
    t_last = nullptr;
    int code = rp_check(store);
    if (code != RP_OK) return code;
    epoch_slot();  // before t_sessions is made: then it outlives it
    ThreadSessions* t = &t_sessions;
    forget_closed(t);
    rp_session* found = nullptr;
    for (size_t i = 0; i < t->count && found == nullptr; i++) {
        if (t->items[i]->store == store) found = t->items[i];
    }
    if (found == nullptr) {
        code = rp_session_open(store, protocol, &found);
        if (code != RP_OK) return code;
        found->own = true;
        remember(t, found);
    }
    *out = t_last = found;
    return RP_OK;
}

int rp_session_here(rp_store* store, int protocol, rp_session** out) {
    // The store cannot be another one at the same address: the session holds a reference.
    rp_session* s = t_last;
    if (RP_LIKELY(s != nullptr && s->store == store)) {
        *out = s;
        return RP_OK;
    }
    return session_find_here(store, protocol, out);
}

// ---- running ----------------------------------------------------------------------------------

static inline int enter(rp_session* s) {
    const rp_store* store = s->store;
    if (RP_UNLIKELY(!store_is_mine(store))) return RP_FOREIGN;
    if (RP_UNLIKELY(s->ended)) {
        int code = session_restart(s);
        if (code != RP_OK) return code;
    }
    if (kEpochForceFence || RP_UNLIKELY(!g_epoch_membarrier)) {
        s->busy.exchange(1, std::memory_order_seq_cst);
    } else {
        s->busy.store(1, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);  // pairs with the fence in rp_close
    }
    if (RP_LIKELY(store->state.load(std::memory_order_acquire) == StoreState::open)) return RP_OK;
    s->busy.store(0, std::memory_order_release);
    return RP_CLOSED;
}

int rp::session_enter(rp_session* s) { return enter(s); }

// Empties it, but for one chunk of its own: most replies need no allocation then.
static inline void out_reuse(Out* o) {
    OutChunk* c = o->head;
    if (RP_LIKELY(c != nullptr && c->next == nullptr && c->blob == nullptr)) {
        c->len = 0;
        o->bytes = 0;
        return;
    }
    out_clear(o);
}

static inline Command command_of(size_t argc, const rp_bytes* argv) {
    auto* args = const_cast<Bytes*>(reinterpret_cast<const Bytes*>(argv));  // only read
    return {.argv = args, .argc = argc, .big = nullptr, .big_index = 0, .wire_bytes = 0};
}

static inline int run(rp_session* s, Command* cmd, bool may_wait) {
    Ran ran = execute(&s->session, cmd);
    while (RP_UNLIKELY(ran == Ran::paused)) {
        if (!may_wait) return RP_BUSY;
        engine_pause_wait(s->store->engine, &s->session);
        if (s->store->state.load(std::memory_order_acquire) != StoreState::open) return RP_CLOSED;
        ran = execute(&s->session, cmd);
    }
    if (RP_UNLIKELY(ran == Ran::close)) s->ended = true;
    return RP_OK;
}

int rp::session_run(rp_session* s, size_t argc, const rp_bytes* argv) {
    s->worker.slot = epoch_slot();
    Command cmd = command_of(argc, argv);
    return run(s, &cmd, true);
}

// While the log cannot acknowledge, callers look up at least so often: the store may be closed.
constexpr int64_t kSettleNapMs = 50;
// How long a closed store lets them wait.
constexpr int64_t kSettleClosedMs = 5000;

// Waits until what the reply rests on is safe. RP_CLOSED: nobody knows whether it will be.
static int settle(rp_session* s) {
    uint64_t seq = s->session.rests_on;
    if (RP_LIKELY(seq == 0)) return RP_OK;
    s->session.rests_on = 0;
    Journal* j = engine_core(s->store->engine)->journal.load(std::memory_order_acquire);
    if (j == nullptr || journal_acked(j, seq)) return RP_OK;
    int64_t closed_ms = 0;
    while (!j->wait(j, seq, kSettleNapMs)) {
        bool open = s->store->state.load(std::memory_order_acquire) == StoreState::open;
        if (!open && (closed_ms += kSettleNapMs) > kSettleClosedMs) return RP_CLOSED;
    }
    return RP_OK;
}

// The longest argument, if it is long. False: one is longer than allowed.
static bool find_big(const rp_session* s, size_t argc, const rp_bytes* argv, size_t* at) {
    size_t limit = value_max(s->store->engine->config);
    size_t longest = kAdoptMin - 1;
    *at = argc;
    for (size_t i = 0; i < argc; i++) {
        if (argv[i].len > limit) return false;
        if (argv[i].len > longest) {
            longest = argv[i].len;
            *at = i;
        }
    }
    return true;
}

static int refuse(rp_session* s, const char* text) {
    Reply reply;
    reply.out = &s->session.out;
    reply_error(&reply, bytes_of(text));
    return RP_OK;
}

// With a copy of the long argument that the store may keep.
static int run_big(rp_session* s, size_t argc, const rp_bytes* argv, size_t big) {
    Blob* blob = blob_try_new(argv[big].len);
    auto* args = static_cast<Bytes*>(mem_try_alloc(argc * sizeof(Bytes)));
    int code = RP_NO_MEMORY;
    if (blob != nullptr && args != nullptr) {
        memcpy(blob->data, argv[big].ptr, argv[big].len);
        blob->len = argv[big].len;
        memcpy(static_cast<void*>(args), argv, argc * sizeof(Bytes));
        args[big] = blob_bytes(blob);
        Command cmd = {.argv = args, .argc = argc, .big = blob, .big_index = big, .wire_bytes = 0};
        code = run(s, &cmd, true);
    }
    mem_free(args, argc * sizeof(Bytes));
    blob_unref(blob);
    return code;
}

static int run_any(rp_session* s, size_t argc, const rp_bytes* argv, bool may_wait) {
    size_t big = argc;
    if (may_wait && !find_big(s, argc, argv, &big)) {
        return refuse(s, "ERR an argument is longer than proto-max-bulk-len allows");
    }
    if (big != argc) return run_big(s, argc, argv, big);
    Command cmd = command_of(argc, argv);
    return run(s, &cmd, may_wait);
}

int rp_execute(rp_session* s, size_t argc, const rp_bytes* argv, rp_reply* reply) {
    *reply = {};
    if (argc == 0) return RP_INVALID;
    int code = enter(s);
    if (code != RP_OK) return code;
    s->worker.slot = epoch_slot();
    out_reuse(&s->session.out);
    code = run_any(s, argc, argv, true);
    if (code == RP_OK) code = settle(s);
    session_leave(s);
    if (code == RP_OK) *reply = reply_of(&s->session.out);
    return code;
}

// ---- quick ones -------------------------------------------------------------------------------

static bool row_is_quick(Bytes name) {
    CmdRef ref = command_find(name);
    if (ref.row == nullptr) return true;  // the error is
    if (ref.row->flags & kCmdFast) return true;
    return strcmp(ref.row->name, "SET") == 0;
}

// A change waits for the log, and that takes system calls of another thread.
[[gnu::noinline]] static bool may_change(Bytes name) {
    CmdRef ref = command_find(name);
    return ref.row == nullptr || (ref.row->flags & kCmdWrite) || strcmp(ref.row->name, "EXEC") == 0;
}

static inline bool is_quick(const rp_session* s, int hint, size_t argc, const rp_bytes* argv) {
    if (argc > kQuickArgs) return false;
    size_t bytes = 0;
    for (size_t i = 0; i < argc; i++)
        bytes += argv[i].len;
    if (bytes > kQuickBytes) return false;
    const EngineCore* core = engine_core(s->store->engine);
    if (config_num(core->config->maxmemory) != 0 || gate_wanted(&core->store.gate)) return false;
    Bytes name = {argv[0].ptr, argv[0].len};
    if (core->journal.load(std::memory_order_relaxed) != nullptr && may_change(name)) return false;
    return hint == RP_IS_QUICK || row_is_quick(name);
}

int rp_try_execute(rp_session* s, int hint, size_t argc, const rp_bytes* argv, rp_reply* reply) {
    int code = enter(s);
    if (RP_UNLIKELY(code != RP_OK)) return code;
    if (RP_UNLIKELY(argc == 0 || !is_quick(s, hint, argc, argv))) {
        session_leave(s);
        return RP_BUSY;
    }
    s->worker.slot = epoch_slot();
    out_reuse(&s->session.out);
    code = run_any(s, argc, argv, false);
    session_leave(s);
    if (RP_LIKELY(code == RP_OK)) *reply = reply_of(&s->session.out);
    return code;
}

// ---- replies ----------------------------------------------------------------------------------

const void* rp_reply_piece(const void* next, rp_bytes* piece) {
    const auto* chunk = static_cast<const OutChunk*>(next);
    Bytes b = out_chunk_bytes(chunk);
    *piece = {b.ptr, b.len};
    return chunk->next;
}

void rp_reply_drop(rp_session* s) { out_reuse(&s->session.out); }

rp_held* rp_reply_hold(rp_session* s) {
    auto* held = new (mem_alloc(sizeof(rp_held))) rp_held;
    held->out = s->session.out;
    s->session.out = {};
    return held;
}

void rp_held_free(rp_held* take) {
    out_clear(&take->out);
    mem_free(take, sizeof(rp_held));
}
