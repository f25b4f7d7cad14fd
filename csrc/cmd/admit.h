// cmd/admit.h: whether a command may run, before anything is locked: are its words those of a
// command, is there memory, does the disk take what it would write. Each check has a short way for
// the command that may.
//
// Threads  as cmd/dispatch.h. Holds no lock; admit_memory may evict.
#pragma once
#include "cmd/dispatch.h"

namespace rp {

// Both return false.
[[gnu::format(printf, 2, 3)]] bool reject(Rejection* out, const char* format, ...);
bool reject_with(Rejection* out, Err e);

inline bool arity_fits(const Cmd* row, size_t argc) {
    return row->arity >= 0 ? argc == static_cast<size_t>(row->arity)
                           : argc >= static_cast<size_t>(-row->arity);
}
// Finds the row, which may be a subcommand's (*ref follows), and checks the argument count.
bool admit_words_slow(CmdRef* ref, Args argv, Rejection* why);
inline bool admit_words(CmdRef* ref, Args argv, Rejection* why) {
    const Cmd* row = ref->row;
    if (RP_LIKELY(row != nullptr && row->subcommands == nullptr && arity_fits(row, argv.len))) {
        return true;
    }
    return admit_words_slow(ref, argv, why);
}

// maxmemory.
bool admit_memory_slow(CmdCtx* c, Rejection* why);
inline bool admit_memory(CmdCtx* c, Rejection* why) {
    if (RP_LIKELY(c->config->maxmemory.load(std::memory_order_relaxed) == 0)) return true;
    return admit_memory_slow(c, why);
}

// MISCONF: writes are refused while they could not be kept, and PING, so that whoever watches the
// server hears of it.
bool admit_disk_slow(CmdCtx* c, Rejection* why);
inline bool admit_disk(CmdCtx* c, Rejection* why) {
    bool refused = engine_core(c->engine)->refuses_writes.load(std::memory_order_relaxed);
    if (RP_LIKELY(!refused && c->a.log == nullptr)) return true;
    if (c->row->flags & kCmdReadonly) return true;
    return admit_disk_slow(c, why);
}

// With a log: it has no room for what this command would add. It waits, and holds nothing
// meanwhile. In MULTI it is only queued. A disk that takes nothing any more is an error instead.
bool waits_for_log(const CmdCtx* c);
// The same while a snapshot has too much to catch up with, or reads a large value that this write
// would have to copy (store/preserve.h). REQUIRES: a snapshot is active.
bool waits_for_snapshot(CmdCtx* c, Args argv);
// Whatever may publish waits while a mailbox is too full (cmd/mailbox.h).
bool waits_for_mail(const CmdCtx* c);
// A client that has subscribed in RESP2, or that monitors: may this command run?
bool admit_subscriber(const CmdCtx* c, Rejection* why);
// Is it so for the command, or, if that is EXEC, for one that is queued?
bool runs_any(const Session* s, const Cmd* row, bool (*is)(const Cmd* row));

}  // namespace rp
