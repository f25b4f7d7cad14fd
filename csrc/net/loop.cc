#include "net/loop.h"

#include <csignal>
#include <cstdio>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "net/listener.h"
#include "net/net_state.h"

namespace rp {

static Loop* loop_of(void* handle) {
    return static_cast<Loop*>(static_cast<uv_handle_t*>(handle)->data);
}

// ---- lists ------------------------------------------------------------------------------------

void loop_link(Loop* l, Conn* c) {
    c->prev = nullptr;
    c->next = l->conns;
    if (l->conns != nullptr) l->conns->prev = c;
    l->conns = c;
    l->alive++;
}

void loop_unlink(Loop* l, Conn* c) {
    if (l->cursor == c) l->cursor = c->next;
    if (c->prev != nullptr) {
        c->prev->next = c->next;
    } else {
        l->conns = c->next;
    }
    if (c->next != nullptr) c->next->prev = c->prev;
    c->next = c->prev = nullptr;
}

void loop_freed(Loop* l) {
    l->alive--;
    l->conn_count.fetch_sub(1, std::memory_order_relaxed);
    if (l->stopping && l->alive == 0) uv_stop(&l->uv);
}

static void on_idle(uv_idle_t* handle);

void loop_mark_ready(Loop* l, Conn* c) {
    if (c->on_ready) return;
    c->on_ready = true;
    c->next_ready = nullptr;
    if (l->ready == nullptr) {
        l->ready_end = &l->ready;
        uv_idle_start(&l->idle, on_idle);
    }
    *l->ready_end = c;
    l->ready_end = &c->next_ready;
}

// ---- clients whose replies wait for the log ---------------------------------------------------

static const Journal* journal_of(const Loop* l) {
    return engine_core(l->net->engine)->journal.load(std::memory_order_acquire);
}

void loop_hold(Loop* l, Conn* c) {
    c->prev_held = nullptr;
    c->next_held = l->held;
    if (l->held != nullptr) l->held->prev_held = c;
    l->held = c;
    if (c->mark_seq < l->held_min) l->held_min = c->mark_seq;
}

void loop_unhold(Loop* l, Conn* c) {
    (c->prev_held != nullptr ? c->prev_held->next_held : l->held) = c->next_held;
    if (c->next_held != nullptr) c->next_held->prev_held = c->prev_held;
    c->next_held = c->prev_held = nullptr;
    if (l->held == nullptr) l->held_min = UINT64_MAX;
}

// seq_cst: pairs with the log's threads in hook_log_moved.
static uint64_t acked_now(const Loop* l) {
    const Journal* j = journal_of(l);
    return j != nullptr ? j->acked.load(std::memory_order_seq_cst) : UINT64_MAX;
}

// Sends what may leave by now. Clients that go on waiting, with a new mark, are put in front of the
// list: they are not met again.
static void release_held(Loop* l) {
    if (RP_LIKELY(l->held == nullptr)) return;
    uint64_t acked = acked_now(l);
    if (acked < l->held_min) return;
    l->held_min = UINT64_MAX;
    for (Conn *c = l->held, *next; c != nullptr; c = next) {
        next = c->next_held;
        if (c->mark_seq <= acked) {
            conn_release(c);
        } else if (c->mark_seq < l->held_min) {
            l->held_min = c->mark_seq;
        }
    }
}

// Before poll: the log has acknowledged it already, or will see waits_for and wake this loop.
static void await_log(Loop* l) {
    while (RP_UNLIKELY(l->held != nullptr)) {
        l->waits_for.store(l->held_min, std::memory_order_seq_cst);
        if (acked_now(l) < l->held_min) return;
        release_held(l);
    }
}

void loop_note_paused(Loop* l, PausedBy what) {
    l->paused++;
    if (what != PausedBy::log) return;
    const Journal* j = journal_of(l);
    l->wants_room.store(true, std::memory_order_seq_cst);
    // It has become empty meanwhile.
    if (j == nullptr || journal_has_room(j)) loop_signal(l, kLoopWake);
}

static void on_alarm(uv_timer_t* handle);

void loop_note_waiting(Loop* l, int64_t until_ms) {
    l->paused++;
    // The log may have moved before we said that we want to know: those look once more.
    if (!l->wants_moves.exchange(true, std::memory_order_seq_cst)) loop_signal(l, kLoopWake);
    if (until_ms == INT64_MAX || (l->alarm_ms != 0 && l->alarm_ms <= until_ms)) return;
    l->alarm_ms = until_ms;
    int64_t left_ms = until_ms - clock_mono_ms();
    // uv_now may be a little behind; the timer counts from there.
    uv_update_time(&l->uv);
    uv_timer_start(&l->alarm, on_alarm, left_ms > 0 ? static_cast<uint64_t>(left_ms) : 0, 0);
}

// Hands what this turn has changed to the log.
static void submit_turn(Loop* l) {
    LogVoice* v = &l->worker.voice;
    if (RP_LIKELY(!v->waits)) return;
    v->waits = false;
    gate_enter(&engine_core(l->net->engine)->store.gate, l->worker.slot);
    journal_submit(v);
    gate_leave(l->worker.slot);
}

void loop_count_bytes(Loop* l, int64_t delta) {
    uint64_t now = l->buffer_bytes.load(std::memory_order_relaxed);
    l->buffer_bytes.store(now + static_cast<uint64_t>(delta), std::memory_order_relaxed);
}

// ---- reply chunks -----------------------------------------------------------------------------

void loop_lend_chunk(Loop* l, Out* out) {
    OutChunk* c = l->chunks;
    if (c == nullptr) return;  // Then the Out makes its own, small one.
    l->chunks = c->next;
    l->chunk_count--;
    c->next = nullptr;
    c->len = 0;
    out->head = out->tail = c;
}

void loop_take_chunk(Loop* l, Out* out) {
    OutChunk* c = out->head;
    if (c == nullptr) return;
    if (c != out->tail || c->blob != nullptr || c->cap != kOutChunkMax ||
        l->chunk_count == kChunksKept) {
        return out_clear(out);
    }
    c->next = l->chunks;
    l->chunks = c;
    l->chunk_count++;
    *out = {};
}

// The store starts full: at rest it is what all the loop's clients share.
static void chunks_fill(Loop* l) {
    while (l->chunk_count < kChunksKept) {
        auto* c = static_cast<OutChunk*>(mem_alloc(sizeof(OutChunk) + kOutChunkMax));
        *c = {};
        c->cap = kOutChunkMax;
        c->next = l->chunks;
        l->chunks = c;
        l->chunk_count++;
    }
}

static void chunks_drop(Loop* l) {
    while (l->chunks != nullptr) {
        Out one = {};
        loop_lend_chunk(l, &one);
        out_clear(&one);
    }
}

// ---- signals and mailbox ----------------------------------------------------------------------

// uv_async_send looks at its flag with a relaxed load. Unless that load is kept behind our store,
// the loop may clear the flag, miss our bits, and nobody would wake it again.
static void fence_before_send(Loop* l) {
#if defined(__SANITIZE_THREAD__)
    l->signals.fetch_or(0, std::memory_order_seq_cst);  // TSan does not know fences.
#else
    (void)l;
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

void loop_signal(Loop* l, uint32_t bits) {
    l->signals.fetch_or(bits, std::memory_order_seq_cst);
    fence_before_send(l);
    uv_async_send(&l->async);
}

void loop_post(Loop* l, Conn* take) {
    l->conn_count.fetch_add(1, std::memory_order_relaxed);
    mutex_lock(&l->mail_lock);
    take->next = l->mail;
    l->mail = take;
    mutex_unlock(&l->mail_lock);
    loop_signal(l, kLoopMail);
}

static Conn* mail_take(Loop* l) {
    MutexGuard guard(&l->mail_lock);
    Conn* newest = l->mail;
    l->mail = nullptr;
    return newest;
}

static void start_posted(Loop* l) {
    Conn* oldest = nullptr;
    for (Conn* c = mail_take(l); c != nullptr;) {
        Conn* next = c->next;
        c->next = oldest;
        oldest = c;
        c = next;
    }
    while (oldest != nullptr) {
        Conn* c = oldest;
        oldest = c->next;
        c->next = nullptr;
        conn_start(c);
    }
}

static void wake_conns(Loop* l) {
    l->paused = 0;
    l->wants_room.store(false, std::memory_order_relaxed);
    for (Conn *c = l->conns, *next; c != nullptr; c = next) {
        next = c->next;
        if (c->session.kill.load(std::memory_order_relaxed)) {
            conn_close(c);
        } else if (c->paused) {
            c->paused = false;
            loop_mark_ready(l, c);
        }
    }
}

static void on_alarm(uv_timer_t* handle) {
    Loop* l = loop_of(handle);
    l->alarm_ms = 0;
    if (!l->stopping) wake_conns(l);
}

// ---- stopping ---------------------------------------------------------------------------------

static void close_all(Loop* l, bool held_too) {
    for (Conn *c = l->conns, *next; c != nullptr; c = next) {
        next = c->next;
        if (held_too || c->mark_seq == 0) conn_close(c);
    }
}

static void tick_set(Loop* l, uint64_t period_ms);

static void begin_stop(Loop* l) {
    if (l->stopping) return;
    l->stopping = true;
    l->stop_at_ms = loop_now_ms(l) + kStopFlushMs;
    if (l->index == 0) listeners_detach(l->net);
    for (Conn *c = l->conns, *next; c != nullptr; c = next) {
        next = c->next;
        conn_finish(c);
    }
    tick_set(l, 20);
    if (l->alive == 0) uv_stop(&l->uv);
}

static void on_async(uv_async_t* handle) {
    Loop* l = loop_of(handle);
    uint32_t bits = l->signals.exchange(0, std::memory_order_seq_cst);
    if (bits & kLoopMail) start_posted(l);
    // Once the loop stops its handles are closing: new listeners wait for listeners_close.
    if ((bits & kLoopListeners) && !l->stopping) listeners_attach(l->net);
    if (bits & kLoopWake) wake_conns(l);
    if (bits & kLoopStop) begin_stop(l);
}

// ---- the turn ---------------------------------------------------------------------------------

// A client that is not finished afterwards puts itself on the list again, for the next turn.
static void on_idle(uv_idle_t* handle) {
    Loop* l = loop_of(handle);
    Conn* c = l->ready;
    l->ready = nullptr;
    uv_idle_stop(&l->idle);
    while (c != nullptr) {
        Conn* next = c->next_ready;
        c->on_ready = false;
        if (c->closed) {
            conn_free_if_off_lists(c);
        } else if (!c->closing) {
            conn_resume(c);
        }
        c = next;
    }
}

static void end_turn(Loop* l) {
    submit_turn(l);
    engine_end_turn(l->net->engine);
    mailbox_drain(&l->messages);
    Conn* c = l->dirty;
    l->dirty = nullptr;
    while (c != nullptr) {
        Conn* next = c->next_dirty;
        c->on_dirty = false;
        conn_flush(c);
        c = next;
    }
    rounds_run(&l->rounds);
    release_held(l);
}

static void reclaim_due(Loop* l) {
    if (l->worker.slot->waiting == 0 || loop_now_ms(l) == l->reclaimed_ms) return;
    l->reclaimed_ms = loop_now_ms(l);
    epoch_reclaim(l->worker.slot);
}

// Since it last went to poll, but for the time it slept there.
static void note_gap(Loop* l) {
    uint64_t now_ns = uv_hrtime(), idle_ns = uv_metrics_idle_time(&l->uv);
    uint64_t gap_us = (now_ns - l->polled_ns - (idle_ns - l->idle_ns)) / 1000;
    l->polled_ns = now_ns;
    l->idle_ns = idle_ns;
    std::atomic<uint64_t>* most = &l->worker.gap_max_us;
    if (RP_UNLIKELY(gap_us > most->load(std::memory_order_relaxed))) {
        most->store(gap_us, std::memory_order_relaxed);
    }
}

static void on_prepare(uv_prepare_t* handle) {
    Loop* l = loop_of(handle);
    RP_DCHECK(!epoch_pinned(l->worker.slot));
    end_turn(l);
    await_log(l);
    reclaim_due(l);
    note_gap(l);
}

static void on_check(uv_check_t* handle) {
    Loop* l = loop_of(handle);
    l->turn++;
    if (l->held != nullptr) l->waits_for.store(0, std::memory_order_relaxed);
    end_turn(l);
}

// About every client once a second.
static void tend_some(Loop* l) {
    size_t todo = l->alive * l->tick_ms / 1000 + 1;
    for (; todo > 0 && l->conns != nullptr; todo--) {
        if (l->cursor == nullptr) l->cursor = l->conns;
        Conn* c = l->cursor;
        l->cursor = c->next;
        conn_tend(c);
    }
}

static void on_tick(uv_timer_t* handle) {
    Loop* l = loop_of(handle);
    if (l->stopping) {
        uint64_t now_ms = loop_now_ms(l);
        if (now_ms >= l->stop_at_ms) close_all(l, now_ms >= l->stop_at_ms + kStopHeldMs);
        return;
    }
    Engine* e = l->net->engine;
    if (l->index == 0) {
        engine_cron(e);
        listeners_tick(l->net);
    }
    engine_crawl(e, &l->worker);
    if (l->paused != 0) wake_conns(l);
    tend_some(l);
    tick_set(l, 1000 / static_cast<uint64_t>(config_num(e->config->hz)));
}

static void tick_set(Loop* l, uint64_t period_ms) {
    if (l->tick_ms == period_ms) return;
    l->tick_ms = period_ms;
    uv_timer_start(&l->tick, on_tick, period_ms, period_ms);
}

// ---- the thread -------------------------------------------------------------------------------

static void* loop_main(void* arg) {
    Loop* l = static_cast<Loop*>(arg);
    char name[16];
    snprintf(name, sizeof name, "rp-loop-%u", l->index % 1000);
    pthread_setname_np(pthread_self(), name);
    l->worker.slot = epoch_slot();
    mailbox_here(&l->messages);
    uv_update_time(&l->uv);
    l->polled_ns = uv_hrtime();
    if (l->index == 0) listeners_attach(l->net);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    RP_ASSERT(l->stopping && l->alive == 0);
    submit_turn(l);
    return nullptr;
}

Status loop_start(Loop* l) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&l->thread, nullptr, loop_main, l);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    l->started = err == 0;
    return err == 0 ? Status::ok : Status::no_memory;
}

void loop_join(Loop* l) {
    if (!l->started) return;
    pthread_join(l->thread, nullptr);
    l->started = false;
}

// ---- messages ---------------------------------------------------------------------------------

static void wake_for_messages(void* arg) { loop_signal(static_cast<Loop*>(arg), kLoopMessages); }

// Publishers wait, on any loop.
static void messages_drained(void* arg) {
    Engine* e = static_cast<Loop*>(arg)->net->engine;
    engine_wake_loops(e);
}

static void messages_init(Loop* l) {
    l->messages.wake = wake_for_messages;
    l->messages.wake_arg = l;
    l->messages.lend = conn_lend;
    l->messages.pushed = conn_pushed;
    l->messages.cut = conn_cut;
    l->messages.full = &engine_core(l->net->engine)->mail_full;
    l->messages.drained = messages_drained;
}

// ---- life -------------------------------------------------------------------------------------

Status loop_init(Loop* l, Net* net, uint32_t index) {
    l->net = net;
    l->uv.data = nullptr;
    l->index = index;
    if (uv_loop_init(&l->uv) != 0) return Status::io;
    l->uv.data = l;  // Non-null: there is a loop to close.
    uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME);
    l->read_buffer = static_cast<char*>(mem_try_alloc(kReadBuffer));
    if (l->read_buffer == nullptr) return Status::no_memory;
    l->args = {l->slots, kArgSlots, 0};
    chunks_fill(l);
    if (uv_async_init(&l->uv, &l->async, on_async) != 0) return Status::io;
    uv_prepare_init(&l->uv, &l->prepare);
    uv_check_init(&l->uv, &l->check);
    uv_idle_init(&l->uv, &l->idle);
    uv_timer_init(&l->uv, &l->tick);
    uv_timer_init(&l->uv, &l->alarm);
    rounds_init(&l->rounds, &l->uv, net->options.round_free_ns);
    for (void* h : {static_cast<void*>(&l->async), static_cast<void*>(&l->prepare),
                    static_cast<void*>(&l->check), static_cast<void*>(&l->idle),
                    static_cast<void*>(&l->tick), static_cast<void*>(&l->alarm)}) {
        static_cast<uv_handle_t*>(h)->data = l;
    }
    uv_prepare_start(&l->prepare, on_prepare);
    uv_check_start(&l->check, on_check);
    tick_set(l, 1000 / static_cast<uint64_t>(config_num(net->engine->config->hz)));
    messages_init(l);
    worker_init(&l->worker);
    l->worker.voice.later = true;
    engine_add_worker(net->engine, &l->worker);
    return Status::ok;
}

// The thread ended between two commands: what was posted since is closed unseen.
static void drop_posted(Loop* l) {
    for (Conn *c = mail_take(l), *next; c != nullptr; c = next) {
        next = c->next;
        conn_discard(c);
    }
}

void loop_deinit(Loop* l) {
    if (l->uv.data == nullptr) return;
    RP_ASSERT(!l->started);
    drop_posted(l);
    if (l->worker.cmd_stats != nullptr) {
        engine_remove_worker(l->net->engine, &l->worker);
        worker_deinit(&l->worker);
    }
    uv_walk(
        &l->uv,
        [](uv_handle_t* h, void*) {
            if (!uv_is_closing(h)) uv_close(h, nullptr);
        },
        nullptr);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    int err = uv_loop_close(&l->uv);
    RP_ASSERT(err == 0);
    l->uv.data = nullptr;
    mailbox_deinit(&l->messages);
    chunks_drop(l);
    mem_free(l->read_buffer, kReadBuffer);
    l->read_buffer = nullptr;
    tls_buffers_deinit(&l->tls);
}

}  // namespace rp
