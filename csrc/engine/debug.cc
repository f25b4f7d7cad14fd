// DEBUG: for tests and for looking inside. The row is exclusive: whatever a subcommand does, it is
// alone (R5), and SLEEP stops everybody as it does in Redis.
#include <cmath>
#include <cstdlib>
#include <ctime>

#include "base/log.h"
#include "base/numbers.h"
#include "base/random.h"
#include "engine/config_hooks.h"
#include "engine/digest.h"
#include "engine/families.h"
#include "engine/sums.h"
#include "engine/text.h"
#include "mem/mem.h"
#include "store/journal.h"
#include "types/each.h"

namespace rp {

constexpr size_t kNumberTextMax = 64;
constexpr double kSleepSecondsMax = 24 * 60 * 60;

static const Entry* look(CmdCtx* c, Bytes key) {
    // An expired key is shown as it lies there.
    return table_find(db_table(&c->a), key, db_hash(&c->a, key));
}

// ---- DIGEST, DIGEST-VALUE ---------------------------------------------------------------------

static void reply_digest(Reply* out, const Digest* d) {
    char hex[kDigestHexLen];
    digest_hex(d, hex);
    reply_simple(out, {hex, sizeof hex});
}

static void debug_digest(CmdCtx* c, Args, Reply* out) {
    Digest d;
    digest_store(c, &d);
    reply_digest(out, &d);
}

static void debug_digest_value(CmdCtx* c, Args argv, Reply* out) {
    reply_array(out, argv.len - 2);
    for (size_t i = 2; i < argv.len; i++) {
        Digest d;
        const Entry* e = look(c, argv[i]);
        if (e != nullptr) digest_mix_value(c, e, &d);
        reply_digest(out, &d);
    }
}

// ---- OBJECT -----------------------------------------------------------------------------------

// Bytes of a length in an RDB file: 6, 14 or 32 bits.
static size_t rdb_length_bytes(size_t n) {
    return n < 64 ? 1 : n < 16384 ? 2 : n <= UINT32_MAX ? 5 : 9;
}

// An integer as an RDB string: 8, 16 or 32 bits behind a byte, or its digits. 0: only digits fit.
static size_t rdb_integer_bytes(int64_t v) {
    if (v >= INT8_MIN && v <= INT8_MAX) return 2;
    if (v >= INT16_MIN && v <= INT16_MAX) return 3;
    if (v >= INT32_MIN && v <= INT32_MAX) return 5;
    return 0;
}

static size_t rdb_text_bytes(Bytes text) {
    constexpr size_t kIntegerTextMax = 11;
    int64_t n;
    if (text.len <= kIntegerTextMax && parse_i64(text, &n) && rdb_integer_bytes(n) != 0) {
        return rdb_integer_bytes(n);
    }
    return rdb_length_bytes(text.len) + text.len;
}

struct RdbBytes {
    Type type;
    size_t elements, total;
};

static void rdb_add_element(const Element* e, void* arg) {
    auto* sum = static_cast<RdbBytes*>(arg);
    sum->elements++;
    sum->total += rdb_text_bytes(e->key);
    if (sum->type == Type::hash) sum->total += rdb_text_bytes(e->value);
    if (sum->type == Type::zset) sum->total += sizeof e->score;
}

// What an RDB file takes for the value, element by element and not compressed.
static size_t rdb_value_bytes(CmdCtx* c, const Entry* e) {
    if (entry_type(e) == Type::string) {
        StringView v;
        db_value(&c->a, e, &v);
        return rdb_text_bytes(v.bytes);
    }
    Value v;
    RdbBytes sum = {entry_type(e), 0, 0};
    db_view(&c->a, e, &v);
    value_each(&v, entry_type(e), rdb_add_element, &sum);
    return rdb_length_bytes(sum.elements) + sum.total;
}

static void debug_object(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = look(c, argv[2]);
    if (e == nullptr) return reply_err(out, Err::no_such_key);
    Bytes encoding = encoding_name(e);
    uint32_t lru = uint32_t{e->clock.load(std::memory_order_relaxed)} << 8 |
                   e->freq.load(std::memory_order_relaxed);
    char line[256];
    int n =
        snprintf(line, sizeof line,
                 "Value at:%p refcount:1 encoding:%.*s serializedlength:%zu lru:%u "
                 "lru_seconds_idle:%lld",
                 static_cast<const void*>(e), static_cast<int>(encoding.len), encoding.ptr,
                 rdb_value_bytes(c, e), lru, static_cast<long long>(age_idle_ms(&c->a, e) / 1000));
    reply_simple(out, {line, static_cast<size_t>(n)});
}

// ---- HTSTATS ----------------------------------------------------------------------------------

static void debug_htstats(CmdCtx* c, Args argv, Reply* out) {
    int64_t db;
    if (!arg_i64(c, argv[2], &db)) return;
    if (db < 0 || db >= c->store->db_count) return reply_error(out, "ERR Out of range database");
    TableSums sums;
    table_sums_add(&sums, c->store->dbs[db].table);
    size_t segments = 0;
    for (const Segment& s : c->store->dbs[db].table->segments) {
        segments += s.array.load(std::memory_order_relaxed) != 0;
    }
    auto n = [](uint64_t v) { return static_cast<unsigned long long>(v); };
    Text t;
    text_addf(&t,
              "[Dictionary HT]\n"
              " segments in use: %llu of %llu\n number of elements: %llu\n"
              " elements with an expiry: %llu\n bytes of elements: %llu\n bytes of arrays: %llu\n"
              " child buckets: %llu\n max chain length: %llu\n watched keys: %llu\n",
              n(segments), n(kSegments), n(sums.keys), n(sums.ttl_keys), n(sums.cost),
              n(sums.overhead), n(sums.children), n(sums.chain_max), n(sums.watched));
    reply_verbatim(out, t.bytes(), "txt");
    text_free(&t);
}

// ---- the small ones ---------------------------------------------------------------------------

// Null or a NUL-terminated copy in buf: for strtod and strtol, which take anything, as Redis does.
static const char* number_text(Bytes arg, char buf[kNumberTextMax]) {
    size_t len = arg.len < kNumberTextMax ? arg.len : kNumberTextMax - 1;
    memcpy(buf, arg.ptr, len);
    buf[len] = 0;
    return buf;
}

static void debug_sleep(CmdCtx*, Args argv, Reply* out) {
    char buf[kNumberTextMax];
    double seconds = strtod(number_text(argv[2], buf), nullptr);
    if (seconds > kSleepSecondsMax) seconds = kSleepSecondsMax;
    if (seconds > 0) {  // and not a NaN
        timespec t;
        t.tv_sec = static_cast<time_t>(seconds);
        t.tv_nsec = static_cast<long>((seconds - std::floor(seconds)) * 1e9);
        nanosleep(&t, nullptr);
    }
    reply_ok(out);
}

static void debug_set_active_expire(CmdCtx* c, Args argv, Reply* out) {
    char buf[kNumberTextMax];
    bool on = strtol(number_text(argv[2], buf), nullptr, 10) != 0;
    c->store->active_expire.store(on, std::memory_order_relaxed);
    reply_ok(out);
}

static void debug_change_repl_id(CmdCtx* c, Args, Reply* out) {
    random_hex(c->engine->replid, sizeof c->engine->replid - 1);
    reply_ok(out);
}

static void debug_log(CmdCtx*, Args argv, Reply* out) {
    RP_LOG_WARNING("DEBUG LOG: %.*s", static_cast<int>(argv[2].len < 512 ? argv[2].len : 512),
                   argv[2].ptr);
    reply_ok(out);
}

static void debug_error(CmdCtx*, Args argv, Reply* out) { reply_error(out, argv[2]); }

// POPULATE count [prefix] [size]: prefix:0 = "value:0" and so on; what exists stays.
static void debug_populate(CmdCtx* c, Args argv, Reply* out) {
    int64_t count, size = 0;
    if (!arg_i64_range(c, argv[2], 0, INT64_MAX, &count,
                       "value is out of range, must be positive")) {
        return;
    }
    Bytes prefix = argv.len > 3 ? argv[3] : Bytes("key");
    if (argv.len > 4 && !arg_i64_range(c, argv[4], 0, config_num(c->config->proto_max_bulk_len),
                                       &size, "value is out of range, must be positive")) {
        return;
    }
    Text key, value;
    for (int64_t i = 0; i < count; i++) {
        key.len = value.len = 0;
        text_add(&key, prefix);
        text_addf(&key, ":%lld", static_cast<long long>(i));
        text_addf(&value, "value:%lld", static_cast<long long>(i));
        while (value.len < static_cast<size_t>(size))
            text_add(&value, Bytes("\0", 1));
        if (size != 0) value.len = static_cast<size_t>(size);
        Handle h = db_open(&c->a, key.bytes());
        if (h.at.entry != nullptr) continue;
        const Bytes said[] = {"SET", key.bytes(), value.bytes()};
        record_add(&c->a, said, 3, nullptr, 0);
        db_put(&c->a, &h, db_make_string(key.bytes(), value.bytes(), nullptr, kNoExpiry));
    }
    text_free(&key);
    text_free(&value);
    reply_ok(out);
}

static void debug_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "CHANGE-REPL-ID",
        "    Draws a new replication id.",
        "DIGEST",
        "    A fingerprint of all databases; equal data give equal digits, in Redis too.",
        "DIGEST-VALUE <key> [<key> ...]",
        "    A fingerprint of each value.",
        "ERROR <string>",
        "    Replies <string> as an error.",
        "HTSTATS <dbid>",
        "    Size and shape of the hash table of a database.",
        "LOG <message>",
        "    Writes <message> to the server log.",
        "OBJECT <key>",
        "    How the value of <key> is kept.",
        "POPULATE <count> [<prefix>] [<size>]",
        "    Makes <count> keys <prefix>:<number>, without touching those that exist.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    0: expired keys are deleted only when somebody meets them.",
        "SLEEP <seconds>",
        "    Everything stands still for <seconds>.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

// ---- dispatch ---------------------------------------------------------------------------------

struct DebugCmd {
    Bytes name;
    CmdFn run;
    size_t argc_min, argc_max;
};

static const DebugCmd kDebugTable[] = {
    {"CHANGE-REPL-ID", debug_change_repl_id, 2, 2},
    {"DIGEST", debug_digest, 2, 2},
    {"DIGEST-VALUE", debug_digest_value, 2, SIZE_MAX},
    {"ERROR", debug_error, 3, 3},
    {"HELP", debug_help, 2, 2},
    {"HTSTATS", debug_htstats, 3, 3},
    {"LOG", debug_log, 3, 3},
    {"OBJECT", debug_object, 3, 3},
    {"POPULATE", debug_populate, 3, 5},
    {"SET-ACTIVE-EXPIRE", debug_set_active_expire, 3, 3},
    {"SLEEP", debug_sleep, 3, 3},
};

static bool allowed(const CmdCtx* c) {
    switch (static_cast<DebugAccess>(config_num(c->config->enable_debug_command))) {
        case DebugAccess::no: return false;
        case DebugAccess::yes: return true;
        case DebugAccess::local: return session_is_local(c->session);
    }
    return false;
}

static void cmd_debug(CmdCtx* c, Args argv, Reply* out) {
    if (!allowed(c)) {
        return reply_error(
            out,
            "ERR DEBUG command not allowed. If the enable-debug-command option is set "
            "to \"local\", you can run it from a local connection, otherwise you need "
            "to set this option in the configuration file, and then restart the "
            "server.");
    }
    for (const DebugCmd& d : kDebugTable) {
        if (!arg_is(argv[1], d.name) || argv.len < d.argc_min || argv.len > d.argc_max) continue;
        return d.run(c, argv, out);
    }
    reply_errorf(
        out, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
        static_cast<int>(argv[1].len < 128 ? argv[1].len : 128), argv[1].ptr, c->row->name);
}

const Cmd kDebugCmds[] = {
    {.name = "DEBUG",
     .run = cmd_debug,
     .arity = -2,
     .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale | kCmdProtected | kCmdSyscmd |
              kCmdExclusive,
     .group = "server",
     .reply = Shape::any,
     .since = "1.0.0",
     .cost = "Depends on the subcommand; everybody else waits",
     .about = "Looks inside, for tests and for finding faults."},
    {},
};

}  // namespace rp
