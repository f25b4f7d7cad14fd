#include "engine/wait.h"

#include "base/clock.h"
#include "base/numbers.h"
#include "engine/families.h"
#include "engine/persistence.h"

namespace rp {

enum : uint8_t { kUnblockNo = 0, kUnblockTimeout = 1, kUnblockError = 2 };

// ---- parking ----------------------------------------------------------------------------------

static void begin(Session* s, int64_t timeout_ms) {
    int64_t until;
    bool for_ever = timeout_ms == 0 || __builtin_add_overflow(clock_mono_ms(), timeout_ms, &until);
    s->unblock.store(kUnblockNo, std::memory_order_relaxed);
    s->waits_until_ms = for_ever ? INT64_MAX : until;
    s->waits.store(true, std::memory_order_relaxed);
}

// Must it be presented again? `done`: what it waits for has happened.
static bool park(Session* s, bool done, int64_t timeout_ms) {
    if (done) return false;
    if (!s->waits.load(std::memory_order_relaxed)) begin(s, timeout_ms);
    if (s->unblock.load(std::memory_order_acquire) != kUnblockNo) return false;
    return clock_mono_ms() < s->waits_until_ms;
}

// It is over. False: CLIENT UNBLOCK ... ERROR has ended it, which was replied.
static bool leave(Session* s, Reply* out) {
    s->waits.store(false, std::memory_order_relaxed);
    s->waits_until_ms = 0;
    if (s->unblock.exchange(kUnblockNo) != kUnblockError) return true;
    reply_error(out, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
    return false;
}

bool wait_unblock(Session* s, bool with_error) {
    if (!s->waits.load(std::memory_order_relaxed)) return false;
    s->unblock.store(with_error ? kUnblockError : kUnblockTimeout, std::memory_order_release);
    return true;
}

void wait_nap(Engine* e, const Session* s) {
    constexpr int64_t kNapMs = 50;  // kill flags and a store that closes wake nobody
    constexpr int64_t kSyncedNapMs = 2;
    int64_t left = s->waits_until_ms - clock_mono_ms();
    if (left > kNapMs) left = kNapMs;
    if (left <= 0) return;
    uint32_t state = e->core.pause_state.load(std::memory_order_acquire);
    Log* log = e->persistence->log.load(std::memory_order_acquire);
    if (log != nullptr) {
        bool open = log_is_founding(log) || log_synced(log) < s->wrote;
        if (open) return log_wait_synced(log, s->wrote, left);
        // Synced, perhaps only now, when nobody wakes it any more; or it waits for replicas.
        if (left > kSyncedNapMs) left = kSyncedNapMs;
    }
    futex_wait_for(&e->core.pause_state, state, left * 1000000);
}

// ---- arguments --------------------------------------------------------------------------------

static bool parse_timeout(Bytes arg, int64_t* ms) { return parse_i64(arg, ms) && *ms >= 0; }

static bool arg_timeout(CmdCtx* c, Bytes arg, int64_t* ms) {
    if (!arg_i64_range(c, arg, INT64_MIN, INT64_MAX, ms,
                       "timeout is not an integer or out of range")) {
        return false;
    }
    if (*ms >= 0) return true;
    reply_error(c->out, "ERR timeout is negative");
    return false;
}

// ---- WAIT -------------------------------------------------------------------------------------

// There are no replicas: none has acknowledged anything.
static bool wait_waits(CmdCtx* c, Args argv) {
    int64_t replicas, timeout_ms;
    if (!parse_i64(argv[1], &replicas) || !parse_timeout(argv[2], &timeout_ms)) return false;
    return park(c->session, replicas <= 0, timeout_ms);
}

static void cmd_wait(CmdCtx* c, Args argv, Reply* out) {
    int64_t replicas, timeout_ms;
    if (!leave(c->session, out)) return;
    if (!arg_i64(c, argv[1], &replicas) || !arg_timeout(c, argv[2], &timeout_ms)) return;
    reply_int(out, 0);
}

// ---- WAITAOF ----------------------------------------------------------------------------------

static bool all_synced(const CmdCtx* c) {
    const Log* log = c->engine->persistence->log.load(std::memory_order_acquire);
    return log != nullptr && !log_is_founding(log) && log_synced(log) >= c->session->wrote;
}

static bool logs(const CmdCtx* c) { return config_num(c->config->appendonly) != 0; }

static bool waitaof_waits(CmdCtx* c, Args argv) {
    int64_t local, replicas, timeout_ms;
    bool fine = parse_i64(argv[1], &local) && parse_i64(argv[2], &replicas) &&
                parse_timeout(argv[3], &timeout_ms) && local >= 0 && local <= 1 && replicas >= 0;
    if (!fine || (local == 1 && !logs(c))) return false;
    return park(c->session, replicas == 0 && (local == 0 || all_synced(c)), timeout_ms);
}

static void cmd_waitaof(CmdCtx* c, Args argv, Reply* out) {
    int64_t local, replicas, timeout_ms;
    if (!leave(c->session, out)) return;
    if (!arg_i64(c, argv[1], &local)) return;
    if (local < 0 || local > 1) {
        return reply_error(out, "ERR value is out of range, value must between 0 and 1");
    }
    if (!arg_i64_range(c, argv[2], 0, INT64_MAX, &replicas,
                       "value is out of range, must be positive") ||
        !arg_timeout(c, argv[3], &timeout_ms)) {
        return;
    }
    if (local == 1 && !logs(c)) {
        return reply_error(
            out, "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
    }
    reply_array(out, 2);
    reply_int(out, all_synced(c));
    reply_int(out, 0);
}

// clang-format off: a row reads best as one block.
const Cmd kWaitCmds[] = {
    {.name = "WAIT",
     .run = cmd_wait,
     .arity = 3,
     .flags = kCmdNoScript,
     .acl = kAclConnection,
     .group = "generic",
     .syntax = "numreplicas:integer timeout:integer",
     .reply = Shape::integer,
     .since = "3.0.0",
     .cost = "O(1)",
     .about =
         "Waits until so many replicas have what this client wrote, or until the time is over.",
     .tips = {"request_policy:all_shards", "response_policy:agg_min"},
     .waits = wait_waits},
    {.name = "WAITAOF",
     .run = cmd_waitaof,
     .arity = 4,
     .flags = kCmdNoScript,
     .acl = kAclConnection,
     .group = "generic",
     .syntax = "numlocal:integer numreplicas:integer timeout:integer",
     .reply = Shape::array,
     .since = "7.2.0",
     .cost = "O(1)",
     .about = "Waits until what this client wrote is on the disk here, or until the time is over.",
     .tips = {"request_policy:all_shards", "response_policy:agg_min"},
     .waits = waitaof_waits},
    {},
};
// clang-format on

}  // namespace rp
