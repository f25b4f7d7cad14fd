// MEMORY: where the bytes are.
#include <malloc.h>

#include <cstdlib>

#include "engine/families.h"
#include "engine/step_out.h"
#include "engine/sums.h"
#include "engine/text.h"
#include "mem/mem.h"

namespace rp {

// A key's share of its bucket: 64 bytes for at most 7 keys.
constexpr size_t kSlotShare = 10;

// ---- USAGE ------------------------------------------------------------------------------------

// SAMPLES bounds Redis' guess at nested values: here every byte is counted, so it is only checked.
static bool parse_samples(CmdCtx* c, Args argv) {
    for (size_t i = 3; i < argv.len; i += 2) {
        int64_t samples;
        if (arg_is(argv[i], "SAMPLES") && i + 1 < argv.len) {
            if (!arg_i64(c, argv[i + 1], &samples)) return false;
            if (samples >= 0) continue;
        }
        reply_err(c->out, Err::syntax);
        return false;
    }
    return true;
}

static void memory_usage(CmdCtx* c, Args argv, Reply* out) {
    if (!parse_samples(c, argv)) return;
    const Entry* e = db_peek(&c->a, argv[2]);
    if (e == nullptr) return reply_null(out);
    if (entry_encoding(e) == Encoding::boxed && !c->a.locked) {  // E1
        c->a.need_lock = true;
        return;
    }
    reply_int(out, static_cast<int64_t>(entry_cost(e) + kSlotShare));
}

// ---- STATS ------------------------------------------------------------------------------------

static void put_int(DeferredArray* d, Bytes name, int64_t value) {
    reply_bulk(&d->reply, name);
    reply_int(&d->reply, value);
    d->items++;
}

static void put_double(DeferredArray* d, Bytes name, double value) {
    reply_bulk(&d->reply, name);
    reply_double(&d->reply, value);
    d->items++;
}

static void put_databases(DeferredArray* d, const Store* st) {
    for (uint32_t db = 0; db < st->db_count; db++) {
        TableSums sums;
        table_sums_add(&sums, st->dbs[db].table);
        if (sums.keys == 0) continue;
        char name[16];
        int n = snprintf(name, sizeof name, "db.%u", db);
        reply_bulk(&d->reply, {name, static_cast<size_t>(n)});
        reply_map(&d->reply, 3);
        d->items++;
        DeferredArray inner;  // the fields of the inner map are not the outer one's
        inner.reply = d->reply;
        put_int(&inner, "overhead.hashtable.main", static_cast<int64_t>(sums.overhead));
        put_int(&inner, "overhead.hashtable.expires", 0);  // expiries live in their entries
        put_int(&inner, "overhead.hashtable.slot-to-keys", 0);
    }
}

static double ratio(int64_t part, int64_t whole) { return percent(part, whole) / 100; }

static void memory_stats(CmdCtx* c, Args, Reply* out) {
    DeferredArray d;
    TableSums sums = store_sums(c->store);
    MemoryNumbers m;
    memory_numbers(c->engine, &sums, &m);
    int64_t net = m.used - m.startup;
    auto keys = static_cast<int64_t>(sums.keys);
    deferred_start(&d, out);
    put_int(&d, "peak.allocated", m.peak);
    put_int(&d, "total.allocated", m.used);
    put_int(&d, "startup.allocated", m.startup);
    put_int(&d, "replication.backlog", 0);
    put_int(&d, "clients.slaves", 0);
    put_int(&d, "clients.normal", m.clients);
    put_int(&d, "cluster.links", 0);
    put_int(&d, "aof.buffer", 0);
    put_int(&d, "lua.caches", 0);
    put_int(&d, "functions.caches", 0);
    put_databases(&d, c->store);
    put_int(&d, "overhead.total", m.overhead);
    put_int(&d, "keys.count", keys);
    put_int(&d, "keys.bytes-per-key", keys != 0 && net > 0 ? net / keys : 0);
    put_int(&d, "dataset.bytes", m.dataset);
    put_double(&d, "dataset.percentage", percent(m.dataset, net));
    put_double(&d, "peak.percentage", percent(m.used, m.peak));
    put_int(&d, "allocator.allocated", m.used);
    put_int(&d, "allocator.active", m.rss);
    put_int(&d, "allocator.resident", m.rss);
    put_double(&d, "allocator-fragmentation.ratio", m.fragmentation);
    put_int(&d, "allocator-fragmentation.bytes", m.rss - m.used);
    put_double(&d, "allocator-rss.ratio", ratio(m.rss, m.rss));
    put_int(&d, "allocator-rss.bytes", 0);
    put_double(&d, "rss-overhead.ratio", ratio(m.rss, m.rss));
    put_int(&d, "rss-overhead.bytes", 0);
    put_double(&d, "fragmentation", m.fragmentation);
    put_int(&d, "fragmentation.bytes", m.rss - m.used);
    deferred_finish_map(&d, out);
}

// ---- DOCTOR -----------------------------------------------------------------------------------

constexpr int64_t kDoctorUsedMin = 5 << 20;  // below that, proportions say nothing
constexpr int64_t kDoctorBytesMin = 10 << 20;
constexpr int64_t kDoctorClientBytes = 200 * 1024;  // per connection
constexpr uint32_t kDoctorChain = 8;

struct Finding {
    bool found;
    const char* text;
};

static void doctor_report(CmdCtx* c, Text* t) {
    TableSums sums = store_sums(c->store);
    MemoryNumbers m;
    memory_numbers(c->engine, &sums, &m);
    if (m.used < kDoctorUsedMin) {
        text_add(t, "There is too little data here to judge the use of memory.\n");
        return;
    }
    auto connected =
        static_cast<int64_t>(c->engine->clients.connected.load(std::memory_order_relaxed));
    const Finding findings[] = {
        {m.peak > m.used + m.used / 2,
         "Peak: more than 1.5 times the memory in use was once needed. What was freed may still be "
         "with the allocator; MEMORY PURGE gives it back to the system.\n"},
        {m.fragmentation > 1.4 && m.rss - m.used > kDoctorBytesMin,
         "Fragmentation: the process is much larger than the sum of its allocations. MEMORY PURGE "
         "may help; a restart does.\n"},
        {m.waiting > m.used / 10 && m.waiting > kDoctorBytesMin,
         "Waiting: much memory waits for readers before it can be freed. A thread seems to stay "
         "inside one operation for long.\n"},
        {connected > 0 && m.clients / connected > kDoctorClientBytes,
         "Clients: connections hold large buffers. Look for slow readers in CLIENT LIST (omem) and "
         "at client-output-buffer-limit.\n"},
        {sums.chain_max > kDoctorChain,
         "Collisions: a hash chain is unusually long. Keys may have been crafted to collide.\n"},
    };
    for (const Finding& f : findings) {
        if (f.found) text_add(t, bytes_of(f.text));
    }
    if (t->len == 0) text_add(t, "Nothing is wrong with the use of memory.\n");
}

static void memory_doctor(CmdCtx* c, Args, Reply* out) {
    Text t;
    doctor_report(c, &t);
    reply_verbatim(out, t.bytes(), "txt");
    text_free(&t);
}

// ---- PURGE, MALLOC-STATS ----------------------------------------------------------------------

static void memory_purge(CmdCtx* c, Args, Reply* out) {
    StepOut outside(c);
    mem_purge();
    reply_ok(out);
}

static void memory_malloc_stats(CmdCtx* c, Args, Reply* out) {
    char* text = nullptr;
    size_t len = 0;
    {
        StepOut outside(c);
        FILE* f = open_memstream(&text, &len);
        if (f == nullptr) return reply_err(out, Err::no_memory);
        malloc_info(0, f);
        fclose(f);
    }
    reply_verbatim(out, {text, len}, "txt");
    free(text);
}

static void memory_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "DOCTOR",
        "    What looks wrong with the use of memory, if anything does.",
        "MALLOC-STATS",
        "    The allocator's own report (XML).",
        "PURGE",
        "    Gives free memory back to the system.",
        "STATS",
        "    Where the memory is, as numbers.",
        "USAGE <key> [SAMPLES <count>]",
        "    Bytes a key takes with its value.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

// ---- rows -------------------------------------------------------------------------------------

#define RP_MEMORY_TIPS \
    { "nondeterministic_output", "request_policy:all_shards", "response_policy:special" }

static const Cmd kMemorySubcommands[] = {
    {.name = "USAGE",
     .run = memory_usage,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {{.flags = kKeyRO, .index = 2}},
     .group = "server",
     .syntax = "key:key [SAMPLES count:integer]",
     .reply = Shape::any,
     .since = "4.0.0",
     .cost = "O(1)",
     .about = "Returns the bytes a key takes with its value."},
    {.name = "STATS",
     .run = memory_stats,
     .arity = 2,
     .group = "server",
     .reply = Shape::map,
     .since = "4.0.0",
     .cost = "O(1)",
     .about = "Tells where the memory is.",
     .tips = RP_MEMORY_TIPS},
    {.name = "DOCTOR",
     .run = memory_doctor,
     .arity = 2,
     .group = "server",
     .reply = Shape::bulk,
     .since = "4.0.0",
     .cost = "O(1)",
     .about = "Tells what looks wrong with the use of memory.",
     .tips = RP_MEMORY_TIPS},
    {.name = "PURGE",
     .run = memory_purge,
     .arity = 2,
     .group = "server",
     .reply = Shape::ok,
     .since = "4.0.0",
     .cost = "O(N), N = free blocks",
     .about = "Gives free memory back to the system.",
     .tips = {"request_policy:all_shards", "response_policy:all_succeeded"}},
    {.name = "MALLOC-STATS",
     .run = memory_malloc_stats,
     .arity = 2,
     .group = "server",
     .reply = Shape::bulk,
     .since = "4.0.0",
     .cost = "O(N), N = allocator arenas",
     .about = "Returns the allocator's own report.",
     .tips = RP_MEMORY_TIPS},
    {.name = "HELP",
     .run = memory_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .group = "server",
     .reply = Shape::array,
     .since = "4.0.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {},
};

const Cmd kMemoryCmds[] = {
    {.name = "MEMORY",
     .arity = -2,
     .group = "server",
     .since = "4.0.0",
     .cost = "Depends on the subcommand",
     .about = "Tells where the memory is.",
     .subcommands = kMemorySubcommands},
    {},
};

}  // namespace rp
