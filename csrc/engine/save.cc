// SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE. A snapshot holds nobody up, so SAVE differs from BGSAVE
// only in that its caller waits.
#include "engine/families.h"
#include "engine/persistence.h"
#include "engine/step_out.h"

namespace rp {

static void reply_asked(Reply* out, SnapshotAsked asked, Bytes started, Bytes scheduled) {
    switch (asked) {
        case SnapshotAsked::started: return reply_simple(out, started);
        case SnapshotAsked::scheduled: return reply_simple(out, scheduled);
        case SnapshotAsked::busy_save:
            return reply_error(out, "ERR Background save already in progress");
        case SnapshotAsked::busy_rewrite:
            return reply_error(
                out,
                "ERR Another child process is active (AOF?): can't BGSAVE right now. "
                "Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever "
                "possible.");
        case SnapshotAsked::no_log:
            return reply_error(out, "ERR there is no log to rewrite: appendonly is no");
        case SnapshotAsked::failed:
            return reply_error(out, "ERR the snapshot could not be started, see the log");
    }
}

static bool keeps_data(CmdCtx* c) {
    if (c->engine->persistence->on) return true;
    reply_error(c->out, "ERR this store is kept in memory only: open it with a path to save it");
    return false;
}

static void cmd_save(CmdCtx* c, Args, Reply* out) {
    if (!keeps_data(c)) return;
    SnapshotAsked asked;
    bool ok;
    {
        StepOut outside(c);
        ok = persistence_save_now(c->engine, &asked);
    }
    if (ok) return reply_ok(out);
    if (asked == SnapshotAsked::busy_save || asked == SnapshotAsked::busy_rewrite) {
        return reply_error(out, "ERR Background save already in progress");
    }
    reply_error(out, "ERR the snapshot could not be written, see the log");
}

static void cmd_bgsave(CmdCtx* c, Args argv, Reply* out) {
    bool schedule = argv.len == 2 && arg_is(argv[1], "SCHEDULE");
    if (argv.len > 1 && !schedule) return reply_err(out, Err::syntax);
    if (!keeps_data(c)) return;
    SnapshotAsked asked = persistence_save(c->engine, schedule);
    reply_asked(out, asked, "Background saving started", "Background saving scheduled");
}

static void cmd_bgrewriteaof(CmdCtx* c, Args, Reply* out) {
    if (!keeps_data(c)) return;
    SnapshotAsked asked = persistence_rewrite(c->engine);
    if (asked == SnapshotAsked::busy_rewrite) {
        return reply_error(out, "ERR Background append only file rewriting already in progress");
    }
    reply_asked(out, asked, "Background append only file rewriting started",
                "Background append only file rewriting scheduled");
}

static void cmd_lastsave(CmdCtx* c, Args, Reply* out) {
    reply_int(out, c->engine->persistence->last_save_s.load(std::memory_order_relaxed));
}

// clang-format off: a row reads best as one block.
const Cmd kSaveCmds[] = {
    {.name = "SAVE",
     .run = cmd_save,
     .arity = 1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading | kCmdNoMulti,
     .group = "server",
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(N), N = keys; other loops go on meanwhile",
     .about = "Writes a snapshot and waits for it."},
    {.name = "BGSAVE",
     .run = cmd_bgsave,
     .arity = -1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading,
     .group = "server",
     .syntax = "[SCHEDULE@3.2.2]",
     .reply = Shape::simple,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Starts to write a snapshot.",
     .history = {{"3.2.2", "New option `SCHEDULE`."}}},
    {.name = "BGREWRITEAOF",
     .run = cmd_bgrewriteaof,
     .arity = 1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading,
     .group = "server",
     .reply = Shape::simple,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Starts to write the log anew, without what is no longer needed."},
    {.name = "LASTSAVE",
     .run = cmd_lastsave,
     .arity = 1,
     .flags = kCmdLoading | kCmdStale | kCmdFast,
     .acl = kAclAdmin | kAclDangerous,
     .group = "server",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Returns when the last good snapshot was written, in seconds since 1970.",
     .tips = {"nondeterministic_output"}},
    {},
};
// clang-format on

}  // namespace rp
