// net/loop.h: one thread, one uv_loop, its clients and its worker.
//
// A turn:  idle     clients that were not finished last turn (only while there are some)
//          prepare  the turn ends, as in check, for what timers and idle did; retired memory is
//                   given back
//          poll     reads, write completions, the mailbox; replies pile up in sessions
//          check    the turn ends: what was changed is handed to the log, messages are delivered,
//                   every client with replies is flushed once, those with messages when a round is
//                   due (rounds.h), and those whose changes the log has acknowledged meanwhile
//          closing  closed clients are freed
//
// What a turn takes between two polls is what a client waits at worst for being read: the longest
// is kept in Worker.gap_max_us (INFO: rustypotato_loop_gap_max_usec).
//
// A loop with held clients (conn.h) says in `waits_for` what it waits for while it is in poll, and
// only then: the log wakes no loop that looks by itself.
//
// Invariants  L1 the dirty list is empty between check and the next turn.
//             L2 between callbacks the thread is not pinned.
// Threads     fields under "any thread" are shared; the rest is the loop's own.
#pragma once
#include <pthread.h>
#include <uv.h>

#include "cmd/mailbox.h"
#include "engine/engine.h"
#include "net/conn.h"
#include "net/rounds.h"
#include "net/tls.h"

namespace rp {

struct Net;

// Bits of Loop.signals.
enum LoopSignal : uint32_t {
    kLoopMail = 1u << 0,  // connections wait in the mailbox
    kLoopWake = 1u << 1,  // kill flags or the pause changed
    kLoopStop = 1u << 2,
    kLoopListeners = 1u << 3,  // loop 0: the set of listeners changed
    kLoopAcked = 1u << 4,      // the log has acknowledged what it waits for
    kLoopMessages = 1u << 5,   // its mailbox has messages: the end of the turn delivers them
};

struct alignas(64) Loop {
    // Constant once started.
    Net* net = nullptr;
    uint32_t index = 0;
    pthread_t thread;
    bool started = false;
    // Any thread.
    alignas(64) std::atomic<uint32_t> signals{0};
    std::atomic<uint64_t> waits_for{0};   // the lowest number that a held client waits for; 0: none
    std::atomic<bool> wants_room{false};  // clients are paused because the log is full
    std::atomic<bool> wants_moves{false};  // clients wait in WAIT, WAITAOF: whatever the log does
    std::atomic<uint64_t> conn_count{0};   // posted or alive: the load
    std::atomic<uint64_t> buffer_bytes{0};
    Mutex mail_lock;
    Conn* mail = nullptr;  // under mail_lock; newest first
    Mailbox messages;      // for its clients (cmd/mailbox.h)
    // Loop thread.
    alignas(64) uv_loop_t uv;
    uv_async_t async;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t tick;
    uv_timer_t alarm;      // the first of the clients in WAIT is through with waiting
    int64_t alarm_ms = 0;  // when, by clock_mono_ms; 0: it is not set
    Worker worker;
    uint64_t turn = 1;
    uint64_t reclaimed_ms = 0;
    uint64_t polled_ns = 0, idle_ns = 0;  // when it last went to poll, and its idle time until then
    uint64_t tick_ms = 0;                 // period of the timer
    Conn* conns = nullptr;
    Conn* cursor = nullptr;  // next to be tended
    size_t alive = 0;        // started and not freed
    Conn* dirty = nullptr;
    Rounds rounds;
    Conn* ready = nullptr;
    Conn** ready_end = nullptr;
    Conn* held = nullptr;
    uint64_t held_min = UINT64_MAX;  // no mark_seq on the list is lower
    size_t paused = 0;               // a hint: some may wait for CLIENT PAUSE
    bool stopping = false;
    uint64_t stop_at_ms = 0;
    OutChunk* chunks = nullptr;
    size_t chunk_count = 0;
    char* read_buffer = nullptr;
    TlsBuffers tls;  // empty before the first client with TLS
    ArgPool args;
    Command commands[kBatchMax];
    Bytes slots[kArgSlots];
};

// Only loop_deinit may follow a failure.
Status loop_init(Loop* l, Net* net, uint32_t index);
Status loop_start(Loop* l);
// REQUIRES: kLoopStop was signalled.
void loop_join(Loop* l);
// REQUIRES: joined or never started, and nobody signals any more.
void loop_deinit(Loop* l);

void loop_signal(Loop* l, uint32_t bits);  // any thread
void loop_post(Loop* l, Conn* take);       // any thread

// Loop thread.
inline uint64_t loop_now_ms(const Loop* l) { return uv_now(&l->uv); }
void loop_link(Loop* l, Conn* c);
void loop_unlink(Loop* l, Conn* c);
void loop_freed(Loop* l);  // a Conn of this loop is gone
void loop_mark_ready(Loop* l, Conn* c);
void loop_hold(Loop* l, Conn* c);  // REQUIRES: mark_seq is set
void loop_unhold(Loop* l, Conn* c);
// A client was paused, by anything but its own WAIT or WAITAOF.
void loop_note_paused(Loop* l, PausedBy what);
// It waits in WAIT or WAITAOF, until then at most.
void loop_note_waiting(Loop* l, int64_t until_ms);
void loop_count_bytes(Loop* l, int64_t delta);
// Reply chunks for sessions: from and to the loop's small store, so that a turn allocates nothing.
void loop_lend_chunk(Loop* l, Out* out);
void loop_take_chunk(Loop* l, Out* out);  // REQUIRES: everything in out has been sent

}  // namespace rp
