#include "cmd/txn.h"

#include "cmd/families.h"

#include "base/numbers.h"
#include "mem/mem.h"

namespace rp {

// ---- the queue --------------------------------------------------------------------------------

bool multi_queue(Session* s, const CmdRef* ref, const Command* cmd, size_t bytes_max) {
    Multi* m = &s->multi;
    size_t bytes = sizeof(QueuedCmd) + cmd->argc * sizeof(Bytes);
    for (size_t i = 0; i < cmd->argc; i++) {
        if (cmd->big == nullptr || i != cmd->big_index) bytes += cmd->argv[i].len;
    }
    size_t held = bytes + (cmd->big != nullptr ? cmd->big->len : 0);
    if (m->bytes + held > bytes_max) return false;
    auto* q = static_cast<QueuedCmd*>(mem_try_alloc(bytes));
    if (q == nullptr) return false;
    q->next = nullptr;
    q->row = ref->row;
    q->parent = ref->parent;
    q->index = ref->index;
    q->big = cmd->big != nullptr ? blob_ref(cmd->big) : nullptr;
    q->big_index = cmd->big_index;
    q->bytes = bytes;
    q->argc = cmd->argc;
    char* at = reinterpret_cast<char*>(q->argv + q->argc);
    for (size_t i = 0; i < cmd->argc; i++) {
        if (q->big != nullptr && i == q->big_index) {
            q->argv[i] = cmd->argv[i];  // inside the blob, which q now holds
            continue;
        }
        if (cmd->argv[i].len != 0) memcpy(at, cmd->argv[i].ptr, cmd->argv[i].len);
        q->argv[i] = {at, cmd->argv[i].len};
        at += cmd->argv[i].len;
    }
    (m->tail != nullptr ? m->tail->next : m->head) = q;
    m->tail = q;
    m->count++;
    m->bytes += held;
    s->multi_count.store(m->count, std::memory_order_relaxed);
    s->multi_bytes.store(m->bytes, std::memory_order_relaxed);
    return true;
}

void multi_clear(Multi* m) {
    for (QueuedCmd* q = m->head; q != nullptr;) {
        QueuedCmd* next = q->next;
        blob_unref(q->big);
        mem_free(q, q->bytes);
        q = next;
    }
    *m = {};
}

static void leave_multi(Session* s) {
    multi_clear(&s->multi);
    s->in_multi.store(false, std::memory_order_relaxed);
    s->multi_count.store(0, std::memory_order_relaxed);
    s->multi_bytes.store(0, std::memory_order_relaxed);
    s->watch_count.store(0, std::memory_order_relaxed);
}

// ---- planning EXEC ----------------------------------------------------------------------------

// The database a queued SELECT leads to; anything malformed fails when it runs and changes nothing.
static uint32_t after_select(const QueuedCmd* q, uint32_t db, uint32_t db_count) {
    int64_t to;
    if (!bytes_equal(bytes_of(q->row->name), "SELECT") || q->argc != 2) return db;
    if (!parse_i64(q->argv[1], &to) || to < 0 || to >= db_count) return db;
    return static_cast<uint32_t>(to);
}

void exec_each_write_key(Worker* w, const Session* s, DbKeyVisit visit, void* arg) {
    const Store* st = &engine_core(s->engine)->store;
    uint32_t db = s->db.load(std::memory_order_relaxed);
    for (const QueuedCmd* q = s->multi.head; q != nullptr; q = q->next) {
        Args argv = {q->argv, q->argc};
        if (q->row->flags & kCmdWrite) keys_each_db(w, st, q->row, argv, db, visit, arg);
        db = after_select(q, db, st->db_count);
    }
}

void exec_plan(Worker* w, const Session* s, ExecPlan* out) {
    const Store* st = &engine_core(s->engine)->store;
    uint32_t db = s->db.load(std::memory_order_relaxed);
    for (const QueuedCmd* q = s->multi.head; q != nullptr; q = q->next) {
        if (q->row->flags & (kCmdExclusive | kCmdKeyspace)) out->exclusive = true;
        if (q->row->flags & kCmdWrite) out->writes = true;
        if (out->exclusive) continue;
        Args argv = {q->argv, q->argc};
        size_t keys;
        if (!locks_collect(w, st, q->row, argv, db, &out->locks, &keys)) out->exclusive = true;
        db = after_select(q, db, st->db_count);
    }
    for (const WatchNode* n = s->watcher.nodes; n != nullptr; n = n->next_of_watcher) {
        locks_add(w, &out->locks, n->db, n->hash);
    }
    locks_sort(&out->locks);
}

// ---- the commands -----------------------------------------------------------------------------

static void cmd_multi(CmdCtx* c, Args, Reply* out) {
    Session* s = c->session;
    if (s->multi.active) return reply_error(out, "ERR MULTI calls can not be nested");
    s->multi.active = true;
    s->in_multi.store(true, std::memory_order_relaxed);
    reply_ok(out);
}

void exec_abandon(CmdCtx* c) {
    leave_multi(c->session);
    watch_clear(c->store, &c->session->watcher);
}

static void cmd_discard(CmdCtx* c, Args, Reply* out) {
    if (!c->session->multi.active) return reply_error(out, "ERR DISCARD without MULTI");
    exec_abandon(c);
    reply_ok(out);
}

// The dispatcher has taken the locks of exec_plan (or the gate) if the session is in MULTI.
static void cmd_exec(CmdCtx* c, Args, Reply* out) {
    Session* s = c->session;
    if (!s->multi.active) return reply_error(out, "ERR EXEC without MULTI");
    db_now(&c->a);  // one instant for all of it: no key expires half-way
    bool changed =
        s->watcher.dirty.load(std::memory_order_relaxed) || watch_expired(&c->a, &s->watcher);
    watch_clear_locked(c->store, &s->watcher);
    if (s->multi.broken || changed) {
        bool broken = s->multi.broken;
        leave_multi(s);
        return broken ? reply_err(out, Err::exec_abort) : reply_null_array(out);
    }
    Multi queue = s->multi;  // the session is out of MULTI while its commands run
    s->multi = {};
    reply_array(out, queue.count);
    for (QueuedCmd* q = queue.head; q != nullptr; q = q->next)
        execute_locked(c, q);
    multi_clear(&queue);
    leave_multi(s);
}

static void cmd_watch(CmdCtx* c, Args argv, Reply* out) {
    Session* s = c->session;
    if (s->multi.active) return reply_error(out, "ERR WATCH inside MULTI is not allowed");
    // No point in watching more once EXEC is bound to fail.
    for (size_t i = 1; i < argv.len && !s->watcher.dirty.load(std::memory_order_relaxed); i++) {
        watch_add(&c->a, &s->watcher, argv[i]);
    }
    s->watch_count.store(static_cast<uint32_t>(s->watcher.count), std::memory_order_relaxed);
    reply_ok(out);
}

static void cmd_unwatch(CmdCtx* c, Args, Reply* out) {
    // Inside EXEC the watches are gone already.
    if (!c->in_exec) watch_clear(c->store, &c->session->watcher);
    c->session->watch_count.store(0, std::memory_order_relaxed);
    reply_ok(out);
}

// clang-format off: a row reads best as one block.
const Cmd kTxnCmds[] = {
    {.name = "MULTI",
     .run = cmd_multi,
     .arity = 1,
     .flags = kCmdNoScript | kCmdLoading | kCmdStale | kCmdFast | kCmdAllowBusy | kCmdImmediate,
     .acl = kAclTransaction,
     .group = "transactions",
     .reply = Shape::ok,
     .since = "1.2.0",
     .cost = "O(1)",
     .about = "Starts a transaction: commands are queued until EXEC or DISCARD."},
    {.name = "EXEC",
     .run = cmd_exec,
     .arity = 1,
     .flags = kCmdNoScript | kCmdLoading | kCmdStale | kCmdSkipSlowlog | kCmdImmediate,
     .acl = kAclTransaction,
     .group = "transactions",
     .reply = Shape::array,
     .since = "1.2.0",
     .cost = "The sum of the queued commands",
     .about = "Runs all queued commands as one, unless a watched key has changed."},
    {.name = "DISCARD",
     .run = cmd_discard,
     .arity = 1,
     .flags = kCmdNoScript | kCmdLoading | kCmdStale | kCmdFast | kCmdAllowBusy | kCmdImmediate,
     .acl = kAclTransaction,
     .group = "transactions",
     .reply = Shape::ok,
     .since = "2.0.0",
     .cost = "O(N), N = queued commands",
     .about = "Drops the queued commands and all watches."},
    {.name = "WATCH",
     .run = cmd_watch,
     .arity = -2,
     .flags = kCmdNoScript | kCmdLoading | kCmdStale | kCmdFast | kCmdAllowBusy | kCmdImmediate |
              kCmdLockedRead,
     .acl = kAclTransaction,
     .keys = {{.flags = kKeyRO, .index = 1, .last = -1}},
     .group = "transactions",
     .syntax = "key:key...",
     .reply = Shape::ok,
     .since = "2.2.0",
     .cost = "O(1) per key",
     .about = "Lets the next EXEC of this session fail if one of the keys changes before it."},
    {.name = "UNWATCH",
     .run = cmd_unwatch,
     .arity = 1,
     .flags = kCmdNoScript | kCmdLoading | kCmdStale | kCmdFast | kCmdAllowBusy,
     .acl = kAclTransaction,
     .group = "transactions",
     .reply = Shape::ok,
     .since = "2.2.0",
     .cost = "O(1) per watched key",
     .about = "Forgets all watched keys of this session."},
    {},
};
// clang-format on

}  // namespace rp
