// engine/slowlog.h: the slow log: the last commands that took slowlog-log-slower-than microseconds
// or more, with their arguments (shortened, secrets hidden) and their client.
//
// Ownership  the engine's; an entry is one allocation.
// Threads    any. SlowLog.lock is a leaf: commands inside EXEC are noted with their keys locked.
// Limits     slowlog-max-len entries, each at most kSlowArgs arguments of kSlowArgBytes bytes.
#pragma once
#include "engine/engine.h"

namespace rp {

constexpr size_t kSlowArgs = 32;  // one of them says how many more there were
constexpr size_t kSlowArgBytes = 128;

struct SlowEntry;
struct SlowLog {
    Mutex lock;
    SlowEntry* newest = nullptr;
    SlowEntry* oldest = nullptr;
    uint64_t count = 0;
    uint64_t next_id = 0;
};

SlowLog* slowlog_new();
void slowlog_free(SlowLog* take);

// DispatchHooks.on_slow: tells the slow log and the latency monitor.
void command_was_slow(Engine* e, const Session* s, const CmdRef* ref, Args argv, uint64_t ns);
// Tells the dispatcher from when on it has to call that. After any of the settings changed.
void slow_settings_apply(Engine* e);

}  // namespace rp
