#include "cmd/dispatch.h"

#include "cmd/admit.h"
#include "cmd/locks.h"
#include "cmd/mailbox.h"
#include "cmd/plan.h"
#include "cmd/timing.h"
#include "cmd/txn.h"
#include "mem/mem.h"
#include "sync/yield.h"
#include "types/graveyard.h"

namespace rp {

// Scratch beyond this is given back after the command that needed it.
constexpr size_t kScratchKeep = 4096;

CmdStat* cmd_stats_new() {
    return static_cast<CmdStat*>(mem_calloc(command_count() * sizeof(CmdStat)));
}

void cmd_stats_free(CmdStat* take) {
    for (size_t i = 0; take != nullptr && i < command_count(); i++)
        mem_free(take[i].times.load(std::memory_order_relaxed), sizeof(Histogram));
    mem_free(take, command_count() * sizeof(CmdStat));
}

void worker_init(Worker* w) { w->cmd_stats = cmd_stats_new(); }

static void free_scratch(Worker* w) {
    mem_free(w->hashes, w->hashes_cap * sizeof(KeyHash));
    mem_free(w->locks, w->locks_cap * sizeof(LockRef));
    w->hashes = nullptr;
    w->locks = nullptr;
    w->hashes_cap = w->locks_cap = 0;
}

void worker_deinit(Worker* w) {
    voice_deinit(&w->voice);
    free_scratch(w);
    cmd_stats_free(w->cmd_stats);
    w->cmd_stats = nullptr;
}

// ---- the log ----------------------------------------------------------------------------------

static void call(CmdCtx* c, Args argv) { c->row->run(c, argv, c->out); }

// A command, and what it did in its own words unless it has found others (cmd/effect.h).
static void call_and_tell(CmdCtx* c, Args argv) {
    c->effect_said = false;
    call(c, argv);
    if (c->a.changes == 0 || c->effect_said) return;
    // The log knows no rename-command; whoever shows the command later shows what was sent.
    auto* words = const_cast<Bytes*>(argv.items);
    Bytes sent = words[0];
    if (RP_UNLIKELY(engine_core(c->engine)->renames != nullptr)) {
        words[0] = bytes_of((c->parent != nullptr ? c->parent : c->row)->name);
    }
    record_add(&c->a, words, argv.len, c->big, c->big_index);
    words[0] = sent;
}

[[gnu::noinline]] static void call_logged(CmdCtx* c, Args argv) {
    if (c->exec_writes) {
        record_open(&c->a);
        record_multi(&c->a);
        call(c, argv);  // each queued command tells for itself
    } else if (c->row->flags & kCmdWrite) {
        record_open(&c->a);
        call_and_tell(c, argv);
    } else {
        return call(c, argv);
    }
    record_close(&c->a);
}

// With all its locks held.
[[gnu::always_inline]] static inline void call_locked(CmdCtx* c, Args argv) {
    c->a.locked = true;
    if (RP_LIKELY(c->a.log == nullptr)) return call(c, argv);
    call_logged(c, argv);
}

// ---- the five rules ---------------------------------------------------------------------------

static void run_locked_segment(CmdCtx* c, Args argv, Segment* seg) {
    mutex_lock(&seg->lock);
    call_locked(c, argv);
    mutex_unlock(&seg->lock);
}

// What a read did so far is forgotten: reply and side counters.
static void rewind_read(CmdCtx* c, OutMark mark, uint64_t hits, uint64_t misses) {
    out_rewind(c->out->out, mark);
    c->out->errors = 0;
    c->a.need_lock = false;
    c->a.stats->hits.store(hits, std::memory_order_relaxed);
    c->a.stats->misses.store(misses, std::memory_order_relaxed);
    stat_add(&c->a.stats->read_retries);
}

// R2. The txn word is compared before and after (T6), so that a lock-free read sees nothing of a
// multi-key write or all of it, and no state in between.
static void run_read_one(CmdCtx* c, Args argv, uint64_t hash) {
    Segment* seg = table_segment(db_table(&c->a), hash);
    OutMark mark = out_mark(c->out->out);
    uint64_t hits = c->a.stats->hits.load(std::memory_order_relaxed);
    uint64_t misses = c->a.stats->misses.load(std::memory_order_relaxed);
    for (int i = 0; i < kReadTries; i++) {
        uint32_t txn = seg->txn.load(std::memory_order_acquire);
        if (txn & 1) break;  // being rewritten: queue up on the lock
        call(c, argv);
        if (RP_LIKELY(!c->a.need_lock && seg->txn.load(std::memory_order_acquire) == txn)) return;
        bool locked_only = c->a.need_lock;
        rewind_read(c, mark, hits, misses);
        if (locked_only) break;
    }
    stat_add(&c->a.stats->read_locked);
    run_locked_segment(c, argv, seg);
}

static bool collect(CmdCtx* c, Args argv, LockSet* set) {
    if (!locks_collect(c->worker, c->store, c->row, argv, c->a.db, set, &c->a.hash_count)) {
        return false;
    }
    c->a.hashes = c->worker->hashes;
    return true;
}

static void run_under(CmdCtx* c, Args argv, LockSet* set, bool txn) {
    locks_sort(set);
    locks_take(c->store, set, txn);
    c->a.hash_next = 0;
    call_locked(c, argv);
    locks_release(c->store, set, txn);
}

// R4. The versions of all segments before and after; unchanged and unlocked means one instant.
static void run_read_many(CmdCtx* c, Args argv, LockSet* set) {
    OutMark mark = out_mark(c->out->out);
    uint64_t hits = c->a.stats->hits.load(std::memory_order_relaxed);
    uint64_t misses = c->a.stats->misses.load(std::memory_order_relaxed);
    for (int i = 0; i < kReadTries; i++) {
        if (!versions_read(c->store, set)) continue;
        c->a.hash_next = 0;
        call(c, argv);
        if (!c->a.need_lock && versions_unchanged(c->store, set)) return;
        bool locked_only = c->a.need_lock;
        rewind_read(c, mark, hits, misses);
        if (locked_only) break;
    }
    stat_add(&c->a.stats->read_locked);
    run_under(c, argv, set, false);
}

static void free_garbage(CmdCtx* c) {
    Worker* w = c->worker;
    auto later = engine_core(c->engine)->hooks.free_later;
    for (size_t i = 0; i < w->garbage_count; i++) {
        if (preserve_table(&c->store->preserve, w->garbage[i])) continue;
        if (w->garbage_later && later != nullptr) {
            later(c->engine, w->garbage[i]);
        } else {
            store_free_table(w->slot, w->garbage[i]);
        }
    }
    w->garbage_count = 0;
    w->garbage_later = false;
}

// R5. Leaves the gate that the batch entered, takes it alone, and enters it again.
static void run_exclusive(CmdCtx* c, Args argv) {
    Gate* gate = &c->store->gate;
    EpochSlot* slot = c->worker->slot;
    ctx_submit_now(c);
    gate_leave(slot);
    gate_close(gate, slot);
    ctx_find_log(c);
    call_locked(c, argv);
    ctx_submit_now(c);  // what it took away may take long to free
    gate_open(gate, slot);
    free_garbage(c);
    ctx_enter(c);
}

static void run_exec(CmdCtx* c, Args argv) {
    if (!c->session->multi.active) return call(c, argv);
    ExecPlan plan;
    exec_plan(c->worker, c->session, &plan);
    c->exec_writes = plan.writes;
    if (plan.exclusive) {
        run_exclusive(c, argv);
    } else {
        run_under(c, argv, &plan.locks, plan.writes);
    }
    c->exec_writes = false;
}

// ---- clients that keep what they read -----------------------------------------------------------

// CLIENT TRACKING: does this session want to know when a key changes that it reads now?
static bool remembers(const Session* s, const Cmd* row) {
    if (!(row->flags & kCmdReadonly)) return false;
    uint32_t modes = s->tracking.load(std::memory_order_relaxed);
    if (!(modes & kTrackingOn) || (modes & kTrackingBcast)) return false;
    bool given = (modes & kTrackingCaching) != 0;
    if (modes & kTrackingOptin) return given;
    return !(modes & kTrackingOptout) || !given;
}

static void remember_keys(CmdCtx* c, const KeyHash* keys, size_t count) {
    auto on_read = engine_core(c->engine)->hooks.on_read;
    for (size_t i = 0; i < count; i++)
        on_read(c, &keys[i]);
}

// Nothing is changed between what it reads and that it is remembered.
[[gnu::noinline]] static void run_tracked(CmdCtx* c, Args argv, LockSet* set) {
    locks_sort(set);
    locks_take(c->store, set, false);
    c->a.hash_next = 0;
    call_locked(c, argv);
    RP_YIELD();
    remember_keys(c, c->a.hashes, c->a.hash_count);
    locks_release(c->store, set, false);
}

// Inside EXEC, which holds all locks.
[[gnu::noinline]] static void remember_queued(CmdCtx* c, const QueuedCmd* q, Args argv) {
    size_t keys;
    if ((q->row->flags & kCmdPubsub) || !remembers(c->session, q->row)) return;
    if (keys_collect(c->worker, q->row, argv, &keys)) remember_keys(c, c->worker->hashes, keys);
}

[[gnu::noinline]] static Rule rule_of_listener(const CmdCtx* c, Rule rule) {
    bool reads = rule == Rule::read_one || rule == Rule::read_many;
    return reads && remembers(c->session, c->row) ? Rule::tracked_read : rule;
}

// Messages about what the command has changed are behind its reply.
[[gnu::noinline]] static void end_tracked(Session* s) {
    if (!(s->listens.load(std::memory_order_relaxed) & kListensTracking)) return;
    // CLIENT CACHING holds for one command or transaction, other CLIENTs not counted.
    const Cmd* row = s->last_parent.load(std::memory_order_relaxed);
    if (row == nullptr) row = s->last_row.load(std::memory_order_relaxed);
    bool keeps = s->multi.active || (row != nullptr && row_is(row, "CLIENT"));
    if (!keeps) s->tracking.fetch_and(~uint32_t{kTrackingCaching}, std::memory_order_relaxed);
    if (s->mailbox != nullptr) mailbox_drain(s->mailbox);
}

// ---- rules, continued --------------------------------------------------------------------------

static void run_rule(CmdCtx* c, Args argv, Plan plan, uint64_t hash) {
    LockSet set;
    if (plan.rule == Rule::read_many || plan.rule == Rule::write_many ||
        plan.rule == Rule::locked_read || plan.rule == Rule::tracked_read) {
        if (!collect(c, argv, &set)) return call(c, argv);  // malformed keys: it replies the error
    }
    switch (plan.rule) {
        case Rule::keyless: return call(c, argv);
        case Rule::exec: return run_exec(c, argv);
        case Rule::read_one: return run_read_one(c, argv, hash);
        case Rule::write_one:
            return run_locked_segment(c, argv, table_segment(db_table(&c->a), hash));
        case Rule::read_many: return run_read_many(c, argv, &set);
        case Rule::write_many: return run_under(c, argv, &set, true);
        case Rule::locked_read: return run_under(c, argv, &set, false);
        case Rule::tracked_read: return run_tracked(c, argv, &set);
        case Rule::exclusive: return run_exclusive(c, argv);
    }
}

// Whose error replies they are: of a queued command, not of its EXEC.
static void count_errors(CmdCtx* c, CmdStat* failed) {
    if (RP_LIKELY(c->out->errors == 0)) return;
    if (failed != nullptr) stat_add(&failed->failed);
    engine_core(c->engine)->hooks.count_error(c->engine, c->out->error_code());
    c->out->errors = 0;
}

static void tell_monitors(CmdCtx* c, const Cmd* row, Args argv) {
    EngineCore* core = engine_core(c->engine);
    if (RP_LIKELY(core->monitors.load(std::memory_order_relaxed) == 0)) return;
    core->hooks.on_command(c, row, argv);
}

// The user's rules may have changed since the command was queued.
static bool admit_queued(CmdCtx* c, const QueuedCmd* q, Args argv) {
    Rejection why;
    CmdRef ref = {q->row, q->parent, q->index};
    if (engine_core(c->engine)->hooks.admit(c, &ref, argv, &why)) return true;
    reply_error(c->out, {why.text, why.len});
    count_errors(c, nullptr);
    return false;
}

void execute_locked(CmdCtx* exec, QueuedCmd* q) {
    Session* s = exec->session;
    CmdCtx c = *exec;
    c.row = q->row;
    c.parent = q->parent;
    c.big = q->big;
    c.big_index = q->big_index;
    c.in_exec = true;
    c.a.db = s->db.load(std::memory_order_relaxed);
    c.a.hashes = nullptr;
    c.a.hash_count = 0;
    c.a.changes = 0;
    uint64_t since = clock_ticks();
    Args argv = {q->argv, q->argc};
    if (RP_UNLIKELY(s->guarded.load(std::memory_order_relaxed)) && !admit_queued(&c, q, argv)) {
        return;
    }
    if (c.a.log != nullptr && (c.row->flags & kCmdWrite)) {
        call_and_tell(&c, argv);
    } else {
        call(&c, argv);
    }
    if (RP_UNLIKELY(session_listens(s))) remember_queued(&c, q, argv);
    tell_monitors(&c, q->row, argv);
    CmdStat* stat = &exec->worker->cmd_stats[q->index];
    uint64_t ticks = clock_ticks() - since;
    timing_add(&c, q->index, ticks, 1, 1);
    if (timing_is_slow(&c, ticks)) timing_slow(&c, q->index, argv, ticks);
    stat_add(&exec->worker->commands);
    stat_add(&stat->calls);
    count_errors(&c, stat);
    exec->a.changes += c.a.changes;
    exec->request_close |= c.request_close;
}

// ---- one command ------------------------------------------------------------------------------

// A command that is refused before it runs; inside MULTI that breaks the transaction, and a refused
// EXEC ends it.
static void reply_rejected(CmdCtx* c, const CmdRef* ref, Args argv, const Rejection* why) {
    Bytes text = {why->text, why->len};
    if (ref->row != nullptr) stat_add(&c->worker->cmd_stats[ref->index].rejected);
    if (ref->row == nullptr || command_plan(ref->index).rule != Rule::exec) {
        if (c->session->multi.active) c->session->multi.broken = true;
        return reply_error(c->out, text);
    }
    exec_abandon(c);
    tell_monitors(c, ref->row, argv);  // of what was queued they have heard
    Bytes code = "ERR ";
    if (text.len > code.len && bytes_equal(bytes_slice(text, 0, code.len), code)) {
        text = bytes_slice(text, code.len, text.len - code.len);
    }
    reply_errorf(c->out, "EXECABORT Transaction discarded because of: %.*s",
                 static_cast<int>(text.len), text.ptr);
}

// Copies the command into the queue of its MULTI. False: no room, the connection is to be closed.
static bool queue_command(CmdCtx* c, const CmdRef* ref, Command* cmd) {
    if (c->row->flags & kCmdNoMulti) {
        Rejection why;
        reject(&why, "ERR Command not allowed inside a transaction");
        reply_rejected(c, ref, {cmd->argv, cmd->argc}, &why);
        return true;
    }
    auto limit = static_cast<size_t>(config_num(c->config->client_query_buffer_limit));
    if (c->a.replay) limit = SIZE_MAX;
    if (!multi_queue(c->session, ref, cmd, limit)) return false;
    reply_simple(c->out, "QUEUED");
    return true;
}

// Everything between "there are bytes of a command" and "its function runs".
static bool admit(CmdCtx* c, CmdRef* ref, Args argv, Rejection* why) {
    if (RP_UNLIKELY(!admit_words(ref, argv, why))) return false;
    c->row = ref->row;
    c->parent = ref->parent;
    if (RP_UNLIKELY(c->session->guarded.load(std::memory_order_relaxed)) &&
        !engine_core(c->engine)->hooks.admit(c, ref, argv, why)) {
        return false;
    }
    if (RP_UNLIKELY(engine_core(c->engine)->loading.load(std::memory_order_relaxed)) &&
        !(c->row->flags & kCmdLoading) && !c->session->replay) {
        return reject_with(why, Err::loading);
    }
    if (RP_UNLIKELY(session_listens(c->session))) {
        return admit_subscriber(c, why);
    }
    return true;
}

// CLIENT REPLY OFF and SKIP: what the command wrote is taken back.
[[gnu::noinline]] static void apply_reply_mode(Session* s, const OutMark* before) {
    out_rewind(&s->out, *before);
    if (s->reply_mode == ReplyMode::skip_next) {  // CLIENT REPLY SKIP itself
        s->reply_mode = ReplyMode::skip_this;
    } else if (s->reply_mode == ReplyMode::skip_this) {
        s->reply_mode = ReplyMode::on;
    }
}

// Messages and confirmations of SUBSCRIBE are no replies: they stay.
[[gnu::noinline]] static void end_silence(Session* s) {
    s->silenced = false;
    out_splice(&s->out, &s->kept);
}

// Fresh permissions for one command.
static void access_reset(CmdCtx* c) {
    c->a.db = c->session->db.load(std::memory_order_relaxed);
    c->a.locked = false;
    c->a.need_lock = false;
    c->a.now_ms = 0;
    c->a.changes = 0;
    c->a.hash_next = 0;
    c->a.hash_count = 0;
}

static void run_admitted(CmdCtx* c, const CmdRef* ref, uint64_t hash, Command* cmd) {
    Args argv = {cmd->argv, cmd->argc};
    Plan plan = command_plan(ref->index);
    KeyHash first_key;
    c->big = cmd->big;
    c->big_index = cmd->big_index;
    // A read that may take long does not keep back what this batch has written.
    if (c->a.log != nullptr && !(c->row->flags & (kCmdWrite | kCmdFast))) ctx_submit_now(c);
    access_reset(c);
    if (plan.rule == Rule::read_one || plan.rule == Rule::write_one) {
        // Of a subcommand the batch could not know where its key is.
        if (ref->parent != nullptr) hash = table_hash(argv[plan.first_key]);
        first_key = {argv[plan.first_key], hash};
        c->a.hashes = &first_key;
        c->a.hash_count = 1;
    }
    if (RP_UNLIKELY(session_listens(c->session))) plan.rule = rule_of_listener(c, plan.rule);
    run_rule(c, argv, plan, hash);
    c->ran = true;
    CmdStat* stat = &c->worker->cmd_stats[ref->index];
    stat_add(&c->worker->commands);
    stat_add(&stat->calls);
    tell_monitors(c, ref->row, argv);
    count_errors(c, stat);
    if (c->a.changes != 0) stat_add(&c->worker->changes, c->a.changes);
}

// CLIENT LIST's cmd=: queued, refused and unknown commands too.
static void note_last(Session* s, const CmdRef* ref) {
    s->last_row.store(ref->row, std::memory_order_relaxed);
    s->last_parent.store(ref->parent, std::memory_order_relaxed);
}

static bool paused_by(Session* s, PausedBy what) {
    s->paused_by = what;
    return true;
}

// Must an admitted command wait, outside of all locks? Session.paused_by says for what.
static bool must_wait(CmdCtx* c, Args argv) {
    Session* s = c->session;
    EngineCore* core = engine_core(c->engine);
    if (RP_UNLIKELY(core->pause_state.load(std::memory_order_relaxed) != 0) && !s->replay &&
        core->hooks.is_paused(c->engine, s, c->row)) {
        return paused_by(s, PausedBy::client_pause);
    }
    if (RP_UNLIKELY(core->mail_full.load(std::memory_order_relaxed) != 0) && waits_for_mail(c)) {
        return paused_by(s, PausedBy::mail);
    }
    if (c->a.log != nullptr && RP_UNLIKELY(waits_for_log(c))) return paused_by(s, PausedBy::log);
    if (RP_UNLIKELY(c->row->waits != nullptr) && !s->multi.active) {
        ctx_submit_now(c);  // what it waits for
        if (c->row->waits(c, argv)) return paused_by(s, PausedBy::command);
    }
    return RP_UNLIKELY(c->store->preserve.active.load(std::memory_order_relaxed)) &&
           waits_for_snapshot(c, argv) && paused_by(s, PausedBy::snapshot);
}

// *ref becomes the subcommand's, if it is one.
static Ran execute_one(CmdCtx* c, CmdRef* ref, uint64_t hash, Command* cmd) {
    Session* s = c->session;
    OutMark mark = out_mark(&s->out);
    Rejection why;
    c->out->errors = 0;
    c->request_close = false;
    c->ran = false;
    bool admitted = admit(c, ref, {cmd->argv, cmd->argc}, &why);
    note_last(s, ref);
    // Nothing is evicted during a pause, so it comes first.
    if (admitted && must_wait(c, {cmd->argv, cmd->argc})) return Ran::paused;
    if (RP_UNLIKELY(s->reply_mode != ReplyMode::on)) s->silenced = true;
    if (!admitted || !admit_memory(c, &why) || !admit_disk(c, &why)) {
        reply_rejected(c, ref, {cmd->argv, cmd->argc}, &why);
    } else if (RP_UNLIKELY(s->multi.active) && !(c->row->flags & kCmdImmediate)) {
        if (!queue_command(c, ref, cmd)) return Ran::close;
    } else {
        run_admitted(c, ref, hash, cmd);
    }
    count_errors(c, nullptr);  // of a command that did not run
    if (RP_UNLIKELY(s->reply_mode != ReplyMode::on)) apply_reply_mode(s, &mark);
    if (RP_UNLIKELY(s->silenced)) end_silence(s);
    if (RP_UNLIKELY(session_listens(s))) end_tracked(s);
    return c->request_close ? Ran::close : Ran::done;
}

// ---- batches ----------------------------------------------------------------------------------

// Without initializers: an array of kBatchMax costs nothing until it is filled.
struct Prepared {
    const Cmd* row;
    const Cmd* parent;
    uint32_t index;
    uint64_t hash;
};

static void prepare_one(const Renames* renames, const Command* cmd, Prepared* out) {
    CmdRef ref = command_find_as(renames, cmd->argv[0]);
    *out = {ref.row, ref.parent, ref.index, 0};
    if (RP_UNLIKELY(ref.row == nullptr)) return;
    Plan plan = command_plan(ref.index);
    if (plan.first_key != 0 && plan.first_key < cmd->argc) {
        out->hash = table_hash(cmd->argv[plan.first_key]);
    }
}

// Looks every command up and brings its first key's bucket, then its entry, into the cache: two
// waves of overlapping misses instead of two per command.
static void prepare(const Table* t, const Renames* renames, const Command* commands, size_t n,
                    Prepared* out) {
    for (size_t i = 0; i < n; i++) {
        prepare_one(renames, &commands[i], &out[i]);
        if (out[i].hash != 0) table_prefetch_bucket(t, out[i].hash);
    }
    for (size_t i = 0; i < n; i++) {
        if (out[i].hash == 0) continue;
        table_prefetch_entry(t, out[i].hash, (out[i].row->flags & kCmdReadonly) != 0);
    }
}

// Lines fetched ahead of more commands than these push each other out of the first-level cache.
constexpr size_t kPrepareMax = 16;

static void context_init(CmdCtx* c, Session* s, Reply* reply) {
    EngineCore* core = engine_core(s->engine);
    c->session = s;
    c->engine = s->engine;
    c->store = &core->store;
    c->config = core->config;
    c->worker = s->worker;
    c->out = reply;
    c->a.store = &core->store;
    c->a.slot = s->worker->slot;
    c->a.stats = &s->worker->stats;
    c->a.client = s->id;
    c->a.no_touch = s->no_touch;
    c->a.replay = s->replay;
    c->a.age_clock = age_clock_now();
    if (s->embedded) {  // of others net/ knows better
        s->last_ms.store(int64_t{c->a.age_clock} * 1000, std::memory_order_relaxed);
    }
    c->a.db = s->db.load(std::memory_order_relaxed);
}

static CmdRef prepared_ref(const Prepared* p) { return {p->row, p->parent, p->index}; }

// A command that let go of this much at once (DEL of many keys) leaves nothing for later calls.
constexpr size_t kWaitingLarge = 1024 * 1024;
constexpr int kGraceSteps = 4;  // E2: a node is free three epochs on

// After a batch: nothing is pinned or locked.
static void tidy_up(Worker* w) {
    epoch_reclaim_due(w->slot);
    size_t buried = graveyard_waiting();
    if (RP_UNLIKELY(buried != 0)) graveyard_dig(dig_share(buried));
    for (int i = 0; i < kGraceSteps && epoch_slot_waiting_bytes(w->slot) > kWaitingLarge; i++) {
        epoch_reclaim(w->slot);
    }
    if (w->hashes_cap > kScratchKeep || w->locks_cap > kScratchKeep) free_scratch(w);
}

// What was published before these commands came is in front of their replies.
static void take_messages(Session* s) {
    if (RP_UNLIKELY(session_listens(s)) && s->mailbox != nullptr) mailbox_drain(s->mailbox);
}

// A loop tells when its turn ends; in-process callers have none.
static void end_embedded_turn(Session* s) {
    EngineCore* core = engine_core(s->engine);
    if (s->embedded && core->store.tracked.load(std::memory_order_relaxed)) {
        core->hooks.on_turn(s->engine);
    }
}

Ran execute_batch(Session* s, Command* commands, size_t n, size_t* ran) {
    RP_DCHECK(n <= kBatchMax);
    *ran = 1;
    if (n == 1) {
        Ran outcome = execute(s, commands);
        if (outcome == Ran::paused) *ran = 0;
        return outcome;
    }
    Worker* w = s->worker;
    Gate* gate = &engine_core(s->engine)->store.gate;
    Prepared prepared[kBatchMax];
    Reply reply;
    reply.out = &s->out;
    reply.resp = s->resp;
    CmdCtx c;
    Ran outcome = Ran::done;
    size_t i = 0;
    take_messages(s);
    context_init(&c, s, &reply);
    ctx_enter(&c);
    RunTimer timer = {.c = &c, .commands = commands};
    size_t ready = 0;  // commands before this one are prepared
    for (; i < n && outcome == Ran::done; i++) {
        if (i == ready) {
            size_t more = n - i < kPrepareMax ? n - i : kPrepareMax;
            prepare(db_table(&c.a), session_renames(s), commands + i, more, prepared + i);
            ready += more;
        }
        timer_next(&timer, i, prepared[i].index, prepared[i].row != nullptr);
        if (RP_UNLIKELY(gate_wanted(gate))) {  // somebody wants to be alone: give way
            ctx_leave(&c);
            ctx_enter(&c);
        }
        CmdRef ref = prepared_ref(&prepared[i]);
        outcome = execute_one(&c, &ref, prepared[i].hash, &commands[i]);
        timer_tell(&timer, ref.index, c.ran);
        if (outcome == Ran::paused) break;
        reply.resp = s->resp;
        if (RP_UNLIKELY(s->kill.load(std::memory_order_relaxed))) outcome = Ran::close;
        if (RP_UNLIKELY(s->out.bytes > s->out_stop)) n = i + 1;  // the rest once these are sent
    }
    timer_end(&timer);
    ctx_leave(&c);
    end_embedded_turn(s);
    tidy_up(w);
    *ran = i;
    return outcome;
}

// Of these only one in kTimedOneIn is timed. Of a client whose command came over a socket every one
// is: next to that, the clock costs nothing.
static bool are_sampled(const Session* s, const Prepared* p) {
    return s->embedded && command_plan(p->index).quick && !timing_by_itself(s->engine);
}

Ran execute(Session* s, Command* command) {
    Worker* w = s->worker;
    Prepared p;
    Reply reply;
    reply.out = &s->out;
    reply.resp = s->resp;
    CmdCtx c;
    prepare_one(session_renames(s), command, &p);
    CmdRef ref = prepared_ref(&p);
    bool samples = are_sampled(s, &p);
    bool timed = !samples || w->commands.load(std::memory_order_relaxed) % kTimedOneIn == 0;
    uint64_t since = timed ? clock_ticks() : 0;
    take_messages(s);
    context_init(&c, s, &reply);
    ctx_enter(&c);
    Ran outcome = execute_one(&c, &ref, p.hash, command);
    ctx_leave(&c);
    if (timed && c.ran) {
        uint64_t ticks = clock_ticks() - since;
        timing_add(&c, ref.index, ticks, 1, samples ? kTimedOneIn : 1);
        Args argv = {command->argv, command->argc};
        if (timing_is_slow(&c, ticks)) timing_slow(&c, ref.index, argv, ticks);
    }
    if (RP_UNLIKELY(s->kill.load(std::memory_order_relaxed))) outcome = Ran::close;
    end_embedded_turn(s);
    tidy_up(w);
    return outcome;
}

}  // namespace rp
