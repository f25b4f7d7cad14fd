// CLIENT PAUSE: a moment on the monotonic clock until which commands are held back.
//
// EngineCore.pause_state is what the dispatcher looks at before every command (0 none, 1 writes,
// 2 all, 3 none but a shutdown under way), and the futex on which in-process callers sleep. It
// changes under Pause.lock only.
#include "base/clock.h"
#include "cmd/admit.h"
#include "engine/clients.h"
#include "engine/persistence.h"
#include "engine/wait.h"

namespace rp {

enum : uint32_t { kPauseNone = 0, kPauseWrites = 1, kPauseAll = 2, kPauseStop = 3 };

// In-process callers look up at least so often: kill flags and stops wake nobody.
constexpr int64_t kPauseNapMs = 50;
constexpr int64_t kMsNs = 1000000;

void pause_start(Engine* e, int64_t until_ms, bool all) {
    Pause* p = &e->pause;
    MutexGuard guard(&p->lock);
    bool under_way = p->until_ms.load(std::memory_order_relaxed) > clock_mono_ms();
    if (under_way) {
        if (p->all.load(std::memory_order_relaxed)) all = true;
        int64_t before = p->until_ms.load(std::memory_order_relaxed);
        if (before > until_ms) until_ms = before;
    }
    p->until_ms.store(until_ms, std::memory_order_relaxed);
    p->all.store(all, std::memory_order_relaxed);
    e->core.pause_state.store(all ? kPauseAll : kPauseWrites, std::memory_order_release);
}

static void wake_everybody(Engine* e) {
    futex_wake_all(&e->core.pause_state);
    engine_wake_loops(e);
}

// While a shutdown is prepared it does not fall back to none. REQUIRES: lock.
static uint32_t idle_state(const Engine* e) {
    return e->persistence->stopping.load(std::memory_order_relaxed) ? kPauseStop : kPauseNone;
}

void pause_for_stop(Engine* e, bool on) {
    Pause* p = &e->pause;
    mutex_lock(&p->lock);
    e->persistence->stopping.store(on, std::memory_order_relaxed);
    uint32_t state = e->core.pause_state.load(std::memory_order_relaxed);
    if (state == kPauseNone || state == kPauseStop) {
        e->core.pause_state.store(idle_state(e), std::memory_order_release);
    }
    mutex_unlock(&p->lock);
    if (!on) wake_everybody(e);
}

// True if this call ended it.
static bool end_if(Engine* e, int64_t now_ms) {
    Pause* p = &e->pause;
    MutexGuard guard(&p->lock);
    uint32_t state = e->core.pause_state.load(std::memory_order_relaxed);
    if (state == kPauseNone || state == kPauseStop) return false;
    if (p->until_ms.load(std::memory_order_relaxed) > now_ms) return false;
    p->until_ms.store(0, std::memory_order_relaxed);
    p->all.store(false, std::memory_order_relaxed);
    e->core.pause_state.store(idle_state(e), std::memory_order_release);
    return true;
}

void pause_end(Engine* e) {
    if (end_if(e, INT64_MAX)) wake_everybody(e);
}

void pause_end_if_over(Engine* e) {
    if (e->core.pause_state.load(std::memory_order_relaxed) == kPauseNone) return;
    if (end_if(e, clock_mono_ms())) wake_everybody(e);
}

static bool may_write(const Session* s, const Cmd* row) {
    return runs_any(
        s, row, [](const Cmd* one) { return (one->flags & (kCmdWrite | kCmdMayReplicate)) != 0; });
}

bool pause_holds(Engine* e, const Session* s, const Cmd* row) {
    pause_end_if_over(e);
    uint32_t state = e->core.pause_state.load(std::memory_order_acquire);
    if (s->observer && !may_write(s, row)) return false;
    if (state == kPauseAll || (state == kPauseWrites && may_write(s, row))) return true;
    // In-process callers go on: their store may outlive its being served.
    return e->persistence->stopping.load(std::memory_order_relaxed) && !s->embedded &&
           may_write(s, row);
}

// A full log holds writes back, too, and so do a full mailbox and a snapshot: those may have gone
// on just before this nap, which is short. `state`: pause_state, as it was seen.
static void wait_for_room(Engine* e, const Session* s, uint32_t state) {
    constexpr int64_t kShortNapNs = 2 * kMsNs;
    Journal* j = e->core.journal.load(std::memory_order_acquire);
    if (j != nullptr && journal_full(j)) j->wait_room(j, kPauseNapMs);
    if (s->paused_by == PausedBy::mail && e->core.mail_full.load(std::memory_order_relaxed) != 0) {
        return futex_wait_for(&e->core.pause_state, state, kShortNapNs);
    }
    Preserve* p = &e->core.store.preserve;
    if (s->paused_by != PausedBy::snapshot || !p->active.load(std::memory_order_relaxed)) return;
    futex_wait_for(&p->let_go, p->let_go.load(std::memory_order_relaxed), kShortNapNs);
}

void engine_pause_wait(Engine* e, const Session* s) {
    if (s->waits.load(std::memory_order_relaxed)) return wait_nap(e, s);
    for (;;) {
        pause_end_if_over(e);
        uint32_t state = e->core.pause_state.load(std::memory_order_acquire);
        if (s->kill.load(std::memory_order_relaxed)) return;
        if (state == kPauseNone || state == kPauseStop) {
            return wait_for_room(e, s, state);
        }
        int64_t left = e->pause.until_ms.load(std::memory_order_relaxed) - clock_mono_ms();
        if (left > kPauseNapMs) left = kPauseNapMs;
        if (left > 0) futex_wait_for(&e->core.pause_state, state, left * kMsNs);
        // Behind the nap: a caller that comes back because its store is still open does not spin.
        if (e->stop.load(std::memory_order_relaxed) != StopState::running) return;
    }
}

}  // namespace rp
