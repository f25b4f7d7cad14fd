// net/rounds.h: messages leave a loop in rounds: one round writes to every client that has been
// given some since the last one.
//
// A round costs a write(2) per receiver, so with many of them it is what PUBLISH costs. One that
// took kRoundFreeNs or more is therefore followed by a pause of kRoundPause times as long, at most
// kRoundPauseMaxNs: what comes meanwhile leaves together, in one write per receiver. Messages that
// come one by one, or go to a few, leave at the end of their turn. When a pause has gathered
// nothing (whoever publishes waits for the message to arrive), the next kRoundsUnpaused rounds are
// followed by none. Replies never wait; those of a receiver take its messages along.
//
// Threads  the loop's.
#pragma once
#include <uv.h>

#include "net/conn.h"

namespace rp {

constexpr int64_t kRoundFreeNs = 50 * 1000;
constexpr uint64_t kRoundPause = 4;
constexpr uint64_t kRoundPauseMaxNs = 2 * 1000 * 1000;
constexpr uint32_t kRoundsUnpaused = 32;

struct Rounds {
    Conn* pushed = nullptr;  // who was given messages; a Conn on it is not freed
    size_t messages = 0;     // how many they were given, all together
    size_t noted = 0;        // of `messages`, at the end of the last turn
    uint32_t turns = 0;      // in which some came
    int64_t free_ns = 0;     // constant: kRoundFreeNs
    uint64_t next_ns = 0;    // uv_hrtime: the next round does not begin before
    bool waited = false;     // this round was put off
    uint32_t unpaused = 0;   // so many rounds are followed by no pause
    uv_timer_t timer;        // the pause is over
};

// Before the loop runs; the timer is closed with the loop's handles. free_ns < 0: kRoundFreeNs.
void rounds_init(Rounds* r, uv_loop_t* uv, int64_t free_ns);
// One more message for c.
void rounds_add(Rounds* r, Conn* c);
void rounds_run_slow(Rounds* r);
// The end of a turn: a round, if one is due.
inline void rounds_run(Rounds* r) {
    if (RP_UNLIKELY(r->pushed != nullptr)) rounds_run_slow(r);
}

}  // namespace rp
