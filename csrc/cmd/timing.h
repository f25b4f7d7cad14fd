// cmd/timing.h: how long commands take: the totals of commandstats, the histograms of latencystats,
// and who was slow.
//
//     batch   GET GET GET GET | GET GET | LRANGE | SET SET SET SET | SET
//     clock  ^                ^         ^        ^                 ^     ^
//
// Reading the clock is a twentieth of a short command, so quick commands of the same row share a
// reading: at most kTimedTogether of them, and each counts as their mean. Where a share took as
// long as a slow command, the one with the most bytes of arguments (else the last) is taken for it,
// for the others can hardly have been slow as well; and for a while afterwards every command is
// timed by itself. So it is, too, while "slow" means less than kCloseNs.
//
// Of in-process callers' quick commands, which cost less than the two readings would, one in
// kTimedOneIn is timed and counts for all.
//
// Threads  as cmd/dispatch.h: the worker's.
#pragma once
#include "base/clock.h"
#include "cmd/dispatch.h"

namespace rp {

constexpr uint32_t kTimedTogether = 4;
constexpr int64_t kCloseNs = 1000000;
constexpr uint32_t kCloseCommands = 4096;  // timed by themselves after a slow share
constexpr uint64_t kTimedOneIn = 16;

// The share that is running now.
struct RunTimer {
    CmdCtx* c;
    const Command* commands;  // the batch
    uint64_t since = 0;
    size_t first = 0;  // its first command in the batch
    uint32_t index = 0;
    uint32_t count = 0, most = 0;
    uint32_t ran = 0;  // of them: neither refused nor queued
    bool any = false;
};

// `ran` commands of this row took `ticks` together, and stand for `times` as many.
void timing_add(CmdCtx* c, uint32_t index, uint64_t ticks, uint64_t ran, uint64_t times);

// One command that took long: `slow_ticks` of the engine say what long is.
void timing_slow(CmdCtx* c, uint32_t index, Args argv, uint64_t ticks);
inline bool timing_is_slow(const CmdCtx* c, uint64_t ticks) {
    return RP_UNLIKELY(ticks >= engine_core(c->engine)->slow_ticks.load(std::memory_order_relaxed));
}

inline bool timing_by_itself(Engine* e) {
    return engine_core(e)->slow_is_short.load(std::memory_order_relaxed);
}

// Ends the share if command `at` of the batch (its row's index, or none) does not belong to it.
void timer_turn(RunTimer* t, size_t at, uint32_t index, bool known);
inline void timer_next(RunTimer* t, size_t at, uint32_t index, bool known) {
    if (t->any && known && index == t->index && t->count < t->most) {
        t->count++;
        return;
    }
    timer_turn(t, at, index, known);
}
inline void timer_end(RunTimer* t) { timer_turn(t, 0, 0, false); }
// The command that was just tried: which row it turned out to be (a subcommand's), and whether it
// ran.
inline void timer_tell(RunTimer* t, uint32_t index, bool ran) {
    t->index = index;
    t->ran += ran;
}

}  // namespace rp
