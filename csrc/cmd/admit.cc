#include "cmd/admit.h"

#include <cstdarg>
#include <cstdio>

#include "base/clock.h"
#include "cmd/txn.h"
#include "store/evict.h"

namespace rp {

constexpr size_t kQuotedMax = 128;  // bytes of a client's words that an error repeats
bool reject(Rejection* out, const char* format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out->text, sizeof out->text, format, args);
    va_end(args);
    out->len =
        static_cast<size_t>(n) < sizeof out->text ? static_cast<size_t>(n) : sizeof out->text - 1;
    return false;
}

bool reject_with(Rejection* out, Err e) {
    Bytes text = err_text(e);
    return reject(out, "%.*s", static_cast<int>(text.len), text.ptr);
}

static int quoted_len(Bytes word, size_t max) {
    return static_cast<int>(word.len < max ? word.len : max);
}

static bool reject_unknown(Args argv, Rejection* out) {
    reject(out, "ERR unknown command '%.*s', with args beginning with: ",
           quoted_len(argv[0], kQuotedMax), argv[0].ptr);
    size_t limit = out->len + kQuotedMax;
    for (size_t i = 1; i < argv.len && out->len < limit; i++) {
        int n = snprintf(out->text + out->len, sizeof out->text - out->len, "'%.*s' ",
                         quoted_len(argv[i], limit - out->len), argv[i].ptr);
        out->len += static_cast<size_t>(n);
    }
    return false;
}

static bool reject_subcommand(Args argv, Rejection* out) {
    char name[kQuotedMax];  // as the client calls it
    size_t len = static_cast<size_t>(quoted_len(argv[0], sizeof name));
    for (size_t i = 0; i < len; i++)
        name[i] = ascii_upper(argv[0][i]);
    return reject(out, "ERR unknown subcommand '%.*s'. Try %.*s HELP.",
                  quoted_len(argv[1], kQuotedMax), argv[1].ptr, static_cast<int>(len), name);
}

bool admit_words_slow(CmdRef* ref, Args argv, Rejection* out) {
    if (ref->row == nullptr) return reject_unknown(argv, out);
    if (ref->row->subcommands != nullptr && argv.len >= 2) {
        CmdRef sub = command_find_sub(ref, argv[1]);
        if (sub.row == nullptr && ref->row->run == nullptr) {
            return reject_subcommand(argv, out);
        }
        if (sub.row != nullptr) *ref = sub;
    }
    if (arity_fits(ref->row, argv.len)) return true;
    char name[64];
    cmd_full_name(ref->parent, ref->row, name);
    return reject(out, "ERR wrong number of arguments for '%s' command", name);
}

bool runs_any(const Session* s, const Cmd* row, bool (*is)(const Cmd* row)) {
    if (is(row)) return true;
    if (!s->multi.active || !row_is(row, "EXEC")) return false;
    for (const QueuedCmd* q = s->multi.head; q != nullptr; q = q->next) {
        if (is(q->row)) return true;
    }
    return false;
}

// Needs no memory, and leaves MULTI one way or another.
static bool ends_multi(const Cmd* row) {
    return row_is(row, "EXEC") || row_is(row, "DISCARD") || row_is(row, "RESET") ||
           row_is(row, "QUIT");
}

static bool evict_timed(CmdCtx* c) {
    uint64_t evicted = c->a.stats->evicted.load(std::memory_order_relaxed);
    int64_t since_us = clock_mono_us();
    bool fits = evict_until_fits(&c->a);
    auto on_latency = engine_core(c->engine)->hooks.on_latency;
    if (c->a.stats->evicted.load(std::memory_order_relaxed) != evicted && on_latency != nullptr) {
        on_latency(c->engine, "eviction-cycle", clock_mono_us() - since_us);
    }
    return fits;
}

bool admit_memory_slow(CmdCtx* c, Rejection* why) {
    if (c->a.replay) return true;  // it has fitted before
    if (evict_fits(c->store) || evict_timed(c)) return true;
    bool queues = c->session->multi.active && !row_is(c->row, "EXEC");
    bool needs = queues ? !ends_multi(c->row) : runs_any(c->session, c->row, [](const Cmd* row) {
        return (row->flags & kCmdDenyOom) != 0;
    });
    return needs ? reject_with(why, Err::oom) : true;
}

static bool is_write(const CmdCtx* c) {
    return runs_any(c->session, c->row,
                    [](const Cmd* row) { return (row->flags & kCmdWrite) != 0; });
}

// In MULTI a command is only queued.
static bool runs_now(const CmdCtx* c) {
    return !c->session->multi.active || (c->row->flags & kCmdImmediate);
}

bool waits_for_log(const CmdCtx* c) {
    if (!is_write(c)) return false;
    const Journal* j = c->a.log->journal;
    if (RP_LIKELY(!journal_full(j)) || j->refuses.load(std::memory_order_relaxed)) return false;
    return runs_now(c);
}

struct LargeKeys {
    Store* store;
    bool wait;
};

// All of them are asked for at once: none waits for another's turn.
static void ask_for_large(void* arg, uint32_t db, const KeyHash* key) {
    auto* k = static_cast<LargeKeys*>(arg);
    Table* t = k->store->dbs[db].table;
    k->wait |= preserve_must_wait(&k->store->preserve, t, key->key, key->hash);
}

static bool wants_large(CmdCtx* c, Args argv) {
    LargeKeys keys = {c->store, false};
    if (c->session->multi.active) {
        exec_each_write_key(c->worker, c->session, ask_for_large, &keys);
    } else {
        uint32_t db = c->session->db.load(std::memory_order_relaxed);
        keys_each_db(c->worker, c->store, c->row, argv, db, ask_for_large, &keys);
    }
    return keys.wait;
}

bool waits_for_snapshot(CmdCtx* c, Args argv) {
    if (!is_write(c) || !runs_now(c) || c->a.replay) return false;
    Preserve* p = &c->store->preserve;
    if (RP_UNLIKELY(preserve_full(p)) && preserve_must_wait_for_room(p)) return true;
    return wants_large(c, argv);
}

// A write, by the events of its keys.
static bool may_publish(const Cmd* row) {
    return (row->flags & kCmdWrite) || (row->channels.flags & kChannelPublish);
}

bool waits_for_mail(const CmdCtx* c) {
    return !c->a.replay && runs_now(c) && runs_any(c->session, c->row, may_publish);
}

static bool touches_keys(const CmdCtx* c) {
    return (c->row->flags & (kCmdWrite | kCmdReadonly | kCmdMayReplicate)) != 0;
}

bool admit_subscriber(const CmdCtx* c, Rejection* why) {
    const Session* s = c->session;
    if (s->subscribed != 0 && s->resp == 2 && !(c->row->flags & kCmdSubscriber)) {
        char name[64];
        cmd_full_name(c->parent, c->row, name);
        return reject(why,
                      "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                      "QUIT / RESET are allowed in this context",
                      name);
    }
    if (s->monitor != nullptr && touches_keys(c)) {
        return reject(why, "ERR Replica can't interact with the keyspace");
    }
    return true;
}

bool admit_disk_slow(CmdCtx* c, Rejection* why) {
    EngineCore* core = engine_core(c->engine);
    bool refused = core->refuses_writes.load(std::memory_order_relaxed);
    Journal* j = c->a.log != nullptr ? c->a.log->journal : nullptr;
    if (!refused && (j == nullptr || !j->refuses.load(std::memory_order_relaxed))) return true;
    if (c->a.replay || (!is_write(c) && !row_is(c->row, "PING"))) return true;
    why->len = refused ? core->hooks.write_refusal(c->engine, why->text, sizeof why->text)
                       : j->refusal(j, why->text, sizeof why->text);
    if (why->len > sizeof why->text) why->len = sizeof why->text;
    return false;
}

}  // namespace rp
