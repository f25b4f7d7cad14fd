// LATENCY.
#include "engine/latency.h"

#include <new>

#include "base/clock.h"
#include "engine/command.h"
#include "mem/mem.h"

namespace rp {

Latency* latency_new() { return new (mem_alloc(sizeof(Latency))) Latency; }
void latency_free(Latency* take) { mem_free(take, sizeof(Latency)); }

// ---- noting -----------------------------------------------------------------------------------

// REQUIRES: Latency.lock. Null: there are kLatencyEvents others.
static LatencyEvent* event_find(Latency* l, Bytes name, const char* add) {
    for (LatencyEvent& event : l->events) {
        if (event.name == nullptr) {
            event.name = add;
            return add != nullptr ? &event : nullptr;
        }
        if (bytes_equal(bytes_of(event.name), name)) return &event;
    }
    return nullptr;
}

// Of those that have happened since the last reset.
static LatencyEvent* event_known(Latency* l, Bytes name) {
    LatencyEvent* event = event_find(l, name, nullptr);
    return event != nullptr && event->count != 0 ? event : nullptr;
}

static void add_sample(LatencyEvent* event, int64_t now_s, uint32_t ms) {
    if (ms > event->max_ms) event->max_ms = ms;
    if (event->count != 0) {
        LatencySample* last = &event->samples[(event->count - 1) % kLatencySamples];
        if (last->time_s == now_s) {
            if (ms > last->ms) last->ms = ms;
            return;
        }
    }
    event->samples[event->count++ % kLatencySamples] = {now_s, ms};
}

void latency_note(Engine* e, const char* name, int64_t us) {
    int64_t threshold_ms = config_num(e->config->latency_monitor_threshold);
    int64_t ms = us / 1000;
    if (threshold_ms <= 0 || ms < threshold_ms) return;
    Latency* l = e->latency;
    MutexGuard guard(&l->lock);
    LatencyEvent* event = event_find(l, bytes_of(name), name);
    if (event == nullptr) return;
    add_sample(event, clock_wall_ms() / 1000,
               ms > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(ms));
}

void latency_hook(void* engine, const char* event, int64_t us) {
    latency_note(static_cast<Engine*>(engine), event, us);
}

// ---- LATEST HISTORY RESET GRAPH DOCTOR --------------------------------------------------------

static void latency_latest(CmdCtx* c, Args, Reply* out) {
    Latency* l = c->engine->latency;
    DeferredArray d;
    deferred_start(&d, out);
    MutexGuard guard(&l->lock);
    for (const LatencyEvent& event : l->events) {
        if (event.count == 0) continue;
        const LatencySample* last = latency_at(&event, latency_kept(&event) - 1);
        reply_array(&d.reply, 4);
        reply_bulk(&d.reply, bytes_of(event.name));
        reply_int(&d.reply, last->time_s);
        reply_int(&d.reply, last->ms);
        reply_int(&d.reply, event.max_ms);
        d.items++;
    }
    deferred_finish_array(&d, out);
}

static void latency_history(CmdCtx* c, Args argv, Reply* out) {
    Latency* l = c->engine->latency;
    MutexGuard guard(&l->lock);
    const LatencyEvent* event = event_known(l, argv[2]);
    size_t n = event != nullptr ? latency_kept(event) : 0;
    reply_array(out, n);
    for (size_t i = 0; i < n; i++) {
        const LatencySample* sample = latency_at(event, i);
        reply_array(out, 2);
        reply_int(out, sample->time_s);
        reply_int(out, sample->ms);
    }
}

static int64_t reset_event(LatencyEvent* event) {
    if (event == nullptr || event->count == 0) return 0;
    event->count = 0;
    event->max_ms = 0;
    return 1;
}

static void latency_reset(CmdCtx* c, Args argv, Reply* out) {
    Latency* l = c->engine->latency;
    int64_t resets = 0;
    MutexGuard guard(&l->lock);
    for (size_t i = 0; argv.len == 2 && i < kLatencyEvents; i++)
        resets += reset_event(&l->events[i]);
    for (size_t i = 2; i < argv.len; i++)
        resets += reset_event(event_known(l, argv[i]));
    reply_int(out, resets);
}

static void reply_text(Reply* out, Text* t) {
    reply_verbatim(out, t->bytes(), "txt");
    text_free(t);
}

static void latency_graph_command(CmdCtx* c, Args argv, Reply* out) {
    Latency* l = c->engine->latency;
    Text t;
    mutex_lock(&l->lock);
    const LatencyEvent* event = event_known(l, argv[2]);
    if (event != nullptr) latency_graph(&t, event, clock_wall_ms() / 1000);
    mutex_unlock(&l->lock);
    if (event != nullptr) return reply_text(out, &t);
    reply_errorf(out, "ERR No samples available for event '%.*s'",
                 static_cast<int>(argv[2].len < 128 ? argv[2].len : 128), argv[2].ptr);
}

static void latency_doctor_command(CmdCtx* c, Args, Reply* out) {
    Latency* l = c->engine->latency;
    Text t;
    mutex_lock(&l->lock);
    latency_doctor(&t, l, c->config);
    mutex_unlock(&l->lock);
    reply_text(out, &t);
}

// ---- HISTOGRAM --------------------------------------------------------------------------------

// Rows end at powers of two of nanoseconds. Redis counts in microseconds and names a row by the
// end of its first finer step: 16, 33, 66, 132 ...
static int64_t row_us(int log2) {
    return ((int64_t{1} << log2) + (int64_t{1} << (log2 - 7)) - 1) / 1000;
}

static void reply_distribution(Reply* out, const HistogramSum* sum, uint64_t calls) {
    constexpr int kFirstLog2 = 10;
    reply_map(out, 2);
    reply_bulk(out, "calls");
    reply_int(out, static_cast<int64_t>(calls));
    reply_bulk(out, "histogram_usec");
    DeferredArray d;
    deferred_start(&d, out);
    uint64_t seen = 0, told = 0;
    size_t b = 0;
    for (int log2 = kFirstLog2; log2 <= kHistogramMaxLog2 && seen < sum->total; log2++) {
        uint64_t end_ns = uint64_t{1} << log2;
        bool last = log2 == kHistogramMaxLog2;
        for (; b < kHistogramBuckets && (last || histogram_top_ns(b) < end_ns); b++)
            seen += sum->counts[b];
        if (seen == told) continue;
        reply_int(&d.reply, row_us(log2));
        reply_int(&d.reply, static_cast<int64_t>(seen));
        told = seen;
        d.items++;
    }
    deferred_finish_map(&d, out);
}

static void histogram_of(DeferredArray* d, Engine* e, const CmdRef& ref) {
    HistogramSum sum;
    engine_command_times(e, ref.index, &sum);
    if (sum.total == 0) return;
    char name[64];
    size_t len = cmd_full_name(ref.parent, ref.row, name);
    reply_bulk(&d->reply, {name, len});
    reply_distribution(&d->reply, &sum, sum.total);
    d->items++;
}

// A container stands for its subcommands.
static void histograms_named(DeferredArray* d, const CmdCtx* c, Bytes name) {
    Engine* e = c->engine;
    CmdRef ref = command_lookup(c, name);
    if (ref.row == nullptr) return;
    histogram_of(d, e, ref);
    if (ref.row->subcommands == nullptr) return;
    for (uint32_t i = ref.index + 1; i < command_count(); i++) {
        CmdRef sub = command_by_index(i);
        if (sub.parent != ref.row) break;
        histogram_of(d, e, sub);
    }
}

static void latency_histogram(CmdCtx* c, Args argv, Reply* out) {
    DeferredArray d;
    deferred_start(&d, out);
    for (uint32_t i = 0; argv.len == 2 && i < command_count(); i++)
        histogram_of(&d, c->engine, command_by_index(i));
    for (size_t i = 2; i < argv.len; i++)
        histograms_named(&d, c, argv[i]);
    deferred_finish_map(&d, out);
}

static void latency_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "DOCTOR",
        "    What took long, and what may help.",
        "GRAPH <event>",
        "    The samples of an event as a picture.",
        "HISTOGRAM [<command> ...]",
        "    How many calls took up to so many microseconds, of these commands or of all.",
        "HISTORY <event>",
        "    The samples of an event: time and milliseconds.",
        "LATEST",
        "    Of each event: name, time and milliseconds of the last sample, the longest ever.",
        "RESET [<event> ...]",
        "    Forgets the samples of these events, or of all.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

// ---- rows -------------------------------------------------------------------------------------

#define RP_LATENCY_ROW \
    .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale, .group = "server"
#define RP_LATENCY_TIPS \
    { "nondeterministic_output", "request_policy:all_nodes", "response_policy:special" }

static const Cmd kLatencySubcommands[] = {
    {.name = "DOCTOR",
     .run = latency_doctor_command,
     .arity = 2,
     RP_LATENCY_ROW,
     .reply = Shape::bulk,
     .since = "2.8.13",
     .cost = "O(1)",
     .about = "Tells what took long, and what may help.",
     .tips = RP_LATENCY_TIPS},
    {.name = "GRAPH",
     .run = latency_graph_command,
     .arity = 3,
     RP_LATENCY_ROW,
     .syntax = "event:string",
     .reply = Shape::bulk,
     .since = "2.8.13",
     .cost = "O(1)",
     .about = "Draws the samples of an event.",
     .tips = RP_LATENCY_TIPS},
    {.name = "HISTOGRAM",
     .run = latency_histogram,
     .arity = -2,
     RP_LATENCY_ROW,
     .syntax = "[command:string...]",
     .reply = Shape::map,
     .since = "7.0.0",
     .cost = "O(N), N = commands told of",
     .about = "Returns how many calls took up to how long, by command.",
     .tips = RP_LATENCY_TIPS},
    {.name = "HISTORY",
     .run = latency_history,
     .arity = 3,
     RP_LATENCY_ROW,
     .syntax = "event:string",
     .reply = Shape::array,
     .since = "2.8.13",
     .cost = "O(1)",
     .about = "Returns the samples of an event: time and milliseconds.",
     .tips = RP_LATENCY_TIPS},
    {.name = "LATEST",
     .run = latency_latest,
     .arity = 2,
     RP_LATENCY_ROW,
     .reply = Shape::array,
     .since = "2.8.13",
     .cost = "O(1)",
     .about = "Returns the last sample of each event and its longest.",
     .tips = RP_LATENCY_TIPS},
    {.name = "RESET",
     .run = latency_reset,
     .arity = -2,
     RP_LATENCY_ROW,
     .syntax = "[event:string...]",
     .reply = Shape::integer,
     .since = "2.8.13",
     .cost = "O(1)",
     .about = "Forgets the samples of these events, or of all; returns of how many.",
     .tips = {"request_policy:all_nodes", "response_policy:all_succeeded"}},
    {.name = "HELP",
     .run = latency_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .group = "server",
     .reply = Shape::array,
     .since = "2.8.13",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {},
};

const Cmd kLatencyCmds[] = {
    {.name = "LATENCY",
     .arity = -2,
     .group = "server",
     .since = "2.8.13",
     .cost = "Depends on the subcommand",
     .about = "What took long, and how long commands take.",
     .subcommands = kLatencySubcommands},
    {},
};

}  // namespace rp
