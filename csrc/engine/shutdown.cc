// SHUTDOWN. What has to be on the disk is written first, while everything still runs: if that
// fails, the server goes on, unless FORCE. There are no replicas, so NOW asks for nothing. A
// network client gets no reply: its connection closes. An in-process caller gets OK; what a
// requested stop means for the store, embed/ decides.
#include "engine/engine.h"
#include "engine/families.h"
#include "engine/persistence.h"
#include "engine/step_out.h"

namespace rp {

struct ShutdownWords {
    bool save = false, nosave = false, now = false, force = false, abort = false;
};

static bool* word_flag(ShutdownWords* w, Bytes arg) {
    if (arg_is(arg, "NOSAVE")) return &w->nosave;
    if (arg_is(arg, "SAVE")) return &w->save;
    if (arg_is(arg, "NOW")) return &w->now;
    if (arg_is(arg, "FORCE")) return &w->force;
    if (arg_is(arg, "ABORT")) return &w->abort;
    return nullptr;
}

static void cmd_shutdown(CmdCtx* c, Args argv, Reply* out) {
    ShutdownWords w;
    for (size_t i = 1; i < argv.len; i++) {
        bool* flag = word_flag(&w, argv[i]);
        if (flag == nullptr) return reply_err(out, Err::syntax);
        *flag = true;
    }
    bool others = w.save || w.nosave || w.now || w.force;
    if ((w.save && w.nosave) || (w.abort && others)) return reply_err(out, Err::syntax);
    // There are no replicas to wait for: a shutdown that began cannot be called back.
    if (w.abort) return reply_error(out, "ERR No shutdown in progress.");
    LastSave last = w.save ? LastSave::yes : w.nosave ? LastSave::no : LastSave::by_save_points;
    bool fine;
    {
        StepOut outside(c);
        fine = persistence_prepare_stop(c->engine, last, w.force);
    }
    if (!fine) return reply_error(out, "ERR Errors trying to SHUTDOWN. Check logs.");
    engine_request_stop(c->engine);
    if (c->session->embedded) return reply_ok(out);
    c->request_close = true;
}

const Cmd kShutdownCmds[] = {
    {.name = "SHUTDOWN",
     .run = cmd_shutdown,
     .arity = -1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale | kCmdNoMulti | kCmdAllowBusy,
     .group = "server",
     .syntax = "[nosave_save=(NOSAVE|SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
     .reply = Shape::nothing,
     .since = "1.0.0",
     .cost = "O(N), N = connected clients",
     .about = "Sends what is left to send and stops the server.",
     .history = {{"7.0.0", "Added `NOW`, `FORCE` and `ABORT`."}}},
    {},
};

}  // namespace rp
