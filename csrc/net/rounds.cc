#include "net/rounds.h"

namespace rp {

static void on_timer(uv_timer_t* handle) { rounds_run(static_cast<Rounds*>(handle->data)); }

void rounds_init(Rounds* r, uv_loop_t* uv, int64_t free_ns) {
    r->free_ns = free_ns < 0 ? kRoundFreeNs : free_ns;
    uv_timer_init(uv, &r->timer);
    r->timer.data = r;
}

void rounds_add(Rounds* r, Conn* c) {
    r->messages++;
    if (c->on_pushed) return;
    c->on_pushed = true;
    c->next_pushed = r->pushed;
    r->pushed = c;
}

// Who has had replies meanwhile has nothing left; who was closed meanwhile was kept for us.
static void send_all(Rounds* r) {
    Conn* c = r->pushed;
    r->pushed = nullptr;
    r->messages = r->noted = r->turns = 0;
    while (c != nullptr) {
        Conn* next = c->next_pushed;
        c->on_pushed = false;
        if (c->closed) {
            conn_free_if_off_lists(c);
        } else {
            conn_flush(c);
        }
        c = next;
    }
}

// The first turn that ends behind the pause is as good as the timer.
static void put_off(Rounds* r) {
    r->waited = true;
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(&r->timer))) return;
    uv_timer_start(&r->timer, on_timer, 1, 0);
}

static void note_worth(Rounds* r) {
    if (r->unpaused != 0) r->unpaused--;
    if (r->waited && r->turns < 2) r->unpaused = kRoundsUnpaused;
    r->waited = false;
}

void rounds_run_slow(Rounds* r) {
    if (r->messages != r->noted) r->turns++;
    r->noted = r->messages;
    uint64_t begin_ns = uv_hrtime();
    if (begin_ns < r->next_ns) return put_off(r);
    note_worth(r);
    send_all(r);
    uint64_t end_ns = uv_hrtime(), took_ns = end_ns - begin_ns;
    if (static_cast<int64_t>(took_ns) < r->free_ns || r->unpaused != 0) return;
    uint64_t pause_ns = took_ns * kRoundPause;
    r->next_ns = end_ns + (pause_ns < kRoundPauseMaxNs ? pause_ns : kRoundPauseMaxNs);
}

}  // namespace rp
