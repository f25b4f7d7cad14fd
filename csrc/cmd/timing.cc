#include "cmd/timing.h"

#include <new>

#include "cmd/plan.h"
#include "mem/mem.h"

namespace rp {

[[gnu::noinline]] static Histogram* histogram_make(CmdStat* stat) {
    static_assert(std::atomic<uint64_t>::is_always_lock_free);
    auto* h = new (mem_calloc(sizeof(Histogram))) Histogram;
    stat->times.store(h, std::memory_order_release);
    return h;
}

void timing_add(CmdCtx* c, uint32_t index, uint64_t ticks, uint64_t ran, uint64_t times) {
    CmdStat* stat = &c->worker->cmd_stats[index];
    stat_add(&stat->ticks, ticks * times);
    if (config_num(c->config->latency_tracking) == 0) return;
    Histogram* h = stat->times.load(std::memory_order_relaxed);
    if (RP_UNLIKELY(h == nullptr)) h = histogram_make(stat);
    histogram_add(h, static_cast<uint64_t>(clock_ticks_ns(ticks / ran)), ran * times);
}

void timing_slow(CmdCtx* c, uint32_t index, Args argv, uint64_t ticks) {
    auto on_slow = engine_core(c->engine)->hooks.on_slow;
    if (on_slow == nullptr || c->session->replay) return;
    CmdRef ref = command_by_index(index);
    on_slow(c->engine, c->session, &ref, argv, static_cast<uint64_t>(clock_ticks_ns(ticks)));
}

static size_t argument_bytes(const Command* cmd) {
    size_t sum = 0;
    for (size_t i = 0; i < cmd->argc; i++)
        sum += cmd->argv[i].len;
    return sum;
}

static const Command* likeliest(const RunTimer* t) {
    const Command* most = &t->commands[t->first];
    for (uint32_t i = 1; i < t->count; i++) {
        const Command* other = &t->commands[t->first + i];
        if (argument_bytes(other) >= argument_bytes(most)) most = other;
    }
    return most;
}

[[gnu::noinline]] static void share_was_slow(RunTimer* t, uint64_t ticks) {
    const Command* cmd = likeliest(t);
    timing_slow(t->c, t->index, {cmd->argv, cmd->argc}, ticks);
    if (t->most > 1) t->c->worker->closely = kCloseCommands;
}

// How many commands of this row may share a reading.
static uint32_t share_of(const CmdCtx* c, uint32_t index) {
    Worker* w = c->worker;
    if (!command_plan(index).quick || timing_by_itself(c->engine)) return 1;
    if (RP_LIKELY(w->closely == 0)) return kTimedTogether;
    w->closely--;
    return 1;
}

void timer_turn(RunTimer* t, size_t at, uint32_t index, bool known) {
    uint64_t now = clock_ticks();
    if (t->any && t->ran != 0) {
        uint64_t ticks = now - t->since;
        timing_add(t->c, t->index, ticks, t->ran, 1);
        if (timing_is_slow(t->c, ticks)) share_was_slow(t, ticks);
    }
    t->since = now;
    t->any = known;
    t->ran = 0;
    if (!known) return;
    t->first = at;
    t->index = index;
    t->count = 1;
    t->most = share_of(t->c, index);
}

}  // namespace rp
