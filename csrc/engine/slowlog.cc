// SLOWLOG.
#include "engine/slowlog.h"

#include <cstdio>
#include <new>

#include "base/clock.h"
#include "cmd/redact.h"
#include "cmd/timing.h"
#include "engine/families.h"
#include "engine/latency.h"
#include "mem/mem.h"

namespace rp {

struct SlowEntry {
    SlowEntry* newer;
    SlowEntry* older;
    uint64_t id;
    int64_t time_s;
    uint64_t us;
    size_t bytes;  // of the allocation
    size_t argc;
    Bytes addr, name;
    Bytes argv[kSlowArgs];  // followed by their bytes
};

// ---- noting -----------------------------------------------------------------------------------

constexpr size_t kNoteMax = 64;  // "... (123 more bytes)"

// Arguments as the log keeps them: borrowed heads and, in `notes`, what was left out.
struct SlowArgs {
    Bytes head[kSlowArgs];
    Bytes note[kSlowArgs];
    char notes[kSlowArgs][kNoteMax];
    size_t argc;
};

static Bytes note(char out[kNoteMax], const char* format, size_t n) {
    int len = snprintf(out, kNoteMax, format, n);
    return {out, static_cast<size_t>(len)};
}

static void shorten(const CmdRef* ref, Args argv, SlowArgs* out) {
    out->argc = argv.len < kSlowArgs ? argv.len : kSlowArgs;
    for (size_t i = 0; i < out->argc; i++) {
        Bytes arg = arg_shown(ref->parent, ref->row, argv, i);
        out->note[i] = {};
        if (argv.len > kSlowArgs && i == kSlowArgs - 1) {
            arg = note(out->notes[i], "... (%zu more arguments)", argv.len - kSlowArgs + 1);
        } else if (arg.len > kSlowArgBytes) {
            out->note[i] = note(out->notes[i], "... (%zu more bytes)", arg.len - kSlowArgBytes);
            arg.len = kSlowArgBytes;
        }
        out->head[i] = arg;
    }
}

static Bytes copy(char** at, Bytes a, Bytes b = {}) {
    char* start = *at;
    for (Bytes part : {a, b}) {
        if (part.len != 0) memcpy(*at, part.ptr, part.len);
        *at += part.len;
    }
    return {start, a.len + b.len};
}

static SlowEntry* entry_new(const SlowArgs* args, Bytes addr, Bytes name) {
    size_t bytes = sizeof(SlowEntry) + addr.len + name.len;
    for (size_t i = 0; i < args->argc; i++)
        bytes += args->head[i].len + args->note[i].len;
    auto* e = static_cast<SlowEntry*>(mem_try_alloc(bytes));
    if (e == nullptr) return nullptr;
    e->bytes = bytes;
    e->argc = args->argc;
    char* at = reinterpret_cast<char*>(e + 1);
    e->addr = copy(&at, addr);
    e->name = copy(&at, name);
    for (size_t i = 0; i < args->argc; i++)
        e->argv[i] = copy(&at, args->head[i], args->note[i]);
    return e;
}

// REQUIRES: log->lock.
static void drop_oldest(SlowLog* log) {
    SlowEntry* old = log->oldest;
    log->oldest = old->newer;
    (old->newer != nullptr ? old->newer->older : log->newest) = nullptr;
    log->count--;
    mem_free(old, old->bytes);
}

static void slowlog_add(Engine* e, const Session* s, const CmdRef* ref, Args argv, uint64_t us) {
    SlowArgs args;
    shorten(ref, argv, &args);
    // The name is this thread's own to change.
    Bytes name = s->name != nullptr ? bytes_of(s->name) : Bytes();
    SlowEntry* fresh = entry_new(&args, bytes_of(s->addr), name);
    if (fresh == nullptr) return;
    fresh->us = us;
    fresh->time_s = clock_wall_ms() / 1000;
    auto most = static_cast<uint64_t>(config_num(e->config->slowlog_max_len));
    SlowLog* log = e->slowlog;
    MutexGuard guard(&log->lock);
    fresh->id = log->next_id++;
    fresh->newer = nullptr;
    fresh->older = log->newest;
    (log->newest != nullptr ? log->newest->newer : log->oldest) = fresh;
    log->newest = fresh;
    log->count++;
    while (log->count > most)
        drop_oldest(log);
}

static void slowlog_clear(SlowLog* log) {
    MutexGuard guard(&log->lock);
    while (log->count != 0)
        drop_oldest(log);
}

SlowLog* slowlog_new() { return new (mem_alloc(sizeof(SlowLog))) SlowLog; }

void slowlog_free(SlowLog* take) {
    slowlog_clear(take);
    mem_free(take, sizeof(SlowLog));
}

// ---- what is slow -----------------------------------------------------------------------------

void command_was_slow(Engine* e, const Session* s, const CmdRef* ref, Args argv, uint64_t ns) {
    int64_t limit_us = config_num(e->config->slowlog_log_slower_than);
    uint64_t us = ns / 1000;
    latency_note(e, ref->row->flags & kCmdFast ? "fast-command" : "command",
                 static_cast<int64_t>(us));
    if (limit_us < 0 || us < static_cast<uint64_t>(limit_us)) return;
    if (ref->row->flags & kCmdSkipSlowlog) return;
    slowlog_add(e, s, ref, argv, us);
}

void slow_settings_apply(Engine* e) {
    constexpr int64_t kLongestMs = 1000 * 1000;  // beyond that nothing is slow
    int64_t slow_us = config_num(e->config->slowlog_log_slower_than);
    int64_t event_ms = config_num(e->config->latency_monitor_threshold);
    int64_t ns = INT64_MAX;
    if (slow_us >= 0 && slow_us < kLongestMs * 1000) ns = slow_us * 1000;
    if (event_ms > 0 && event_ms < kLongestMs && event_ms * 1000000 < ns) ns = event_ms * 1000000;
    EngineCore* core = &e->core;
    uint64_t ticks = ns == INT64_MAX ? UINT64_MAX : clock_ns_ticks(static_cast<uint64_t>(ns));
    core->slow_is_short.store(ns < kCloseNs, std::memory_order_relaxed);
    core->slow_ticks.store(ticks, std::memory_order_relaxed);
}

// ---- the commands -----------------------------------------------------------------------------

static void reply_entry(Reply* out, const SlowEntry* e) {
    reply_array(out, 6);
    reply_int(out, static_cast<int64_t>(e->id));
    reply_int(out, e->time_s);
    reply_int(out, static_cast<int64_t>(e->us));
    reply_array(out, e->argc);
    for (size_t i = 0; i < e->argc; i++)
        reply_bulk(out, e->argv[i]);
    reply_bulk(out, e->addr);
    reply_bulk(out, e->name);
}

static void slowlog_get(CmdCtx* c, Args argv, Reply* out) {
    constexpr int64_t kDefault = 10;
    int64_t wanted = kDefault;
    if (argv.len > 3) return reply_err_subcommand(c, argv);
    if (argv.len == 3 && !arg_i64_range(c, argv[2], -1, INT64_MAX, &wanted,
                                        "count should be greater than or equal to -1")) {
        return;
    }
    SlowLog* log = c->engine->slowlog;
    MutexGuard guard(&log->lock);
    uint64_t n = log->count;
    if (wanted >= 0 && static_cast<uint64_t>(wanted) < n) n = static_cast<uint64_t>(wanted);
    reply_array(out, n);
    for (const SlowEntry* e = log->newest; n > 0; e = e->older, n--)
        reply_entry(out, e);
}

static void slowlog_len(CmdCtx* c, Args, Reply* out) {
    SlowLog* log = c->engine->slowlog;
    MutexGuard guard(&log->lock);
    reply_int(out, static_cast<int64_t>(log->count));
}

static void slowlog_reset(CmdCtx* c, Args, Reply* out) {
    slowlog_clear(c->engine->slowlog);
    reply_ok(out);
}

static void slowlog_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "GET [<count>]",
        "    The newest entries, 10 unless told, -1 = all: id, time, microseconds,",
        "    arguments, address and name of the client.",
        "LEN",
        "    How many entries there are.",
        "RESET",
        "    Forgets all entries.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

// ---- rows -------------------------------------------------------------------------------------

#define RP_SLOWLOG_ROW .flags = kCmdAdmin | kCmdLoading | kCmdStale, .group = "server"

static const Cmd kSlowlogSubcommands[] = {
    {.name = "GET",
     .run = slowlog_get,
     .arity = -2,
     RP_SLOWLOG_ROW,
     .syntax = "[count:integer]",
     .reply = Shape::array,
     .since = "2.2.12",
     .cost = "O(N), N = entries returned",
     .about = "Returns the newest entries of the slow log.",
     .tips = {"request_policy:all_nodes", "nondeterministic_output"},
     .history = {{"4.0.0", "Added address and name of the client."}}},
    {.name = "LEN",
     .run = slowlog_len,
     .arity = 2,
     RP_SLOWLOG_ROW,
     .reply = Shape::integer,
     .since = "2.2.12",
     .cost = "O(1)",
     .about = "Counts the entries of the slow log.",
     .tips = {"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"}},
    {.name = "RESET",
     .run = slowlog_reset,
     .arity = 2,
     RP_SLOWLOG_ROW,
     .reply = Shape::ok,
     .since = "2.2.12",
     .cost = "O(N), N = entries",
     .about = "Forgets the entries of the slow log.",
     .tips = {"request_policy:all_nodes", "response_policy:all_succeeded"}},
    {.name = "HELP",
     .run = slowlog_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .group = "server",
     .reply = Shape::array,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {},
};

const Cmd kSlowlogCmds[] = {
    {.name = "SLOWLOG",
     .arity = -2,
     .group = "server",
     .since = "2.2.12",
     .cost = "Depends on the subcommand",
     .about = "Commands that took long.",
     .subcommands = kSlowlogSubcommands},
    {},
};

}  // namespace rp
