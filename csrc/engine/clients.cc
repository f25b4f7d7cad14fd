#include "engine/clients.h"

#include <cstdio>

#include "base/clock.h"
#include "engine/acl.h"
#include "engine/pubsub.h"
#include "engine/tracking.h"
#include "mem/mem.h"

namespace rp {

// ---- the list ---------------------------------------------------------------------------------

static void name_embedded(Session* s) {
    if (s->addr[0] == 0) snprintf(s->addr, sizeof s->addr, "%s", kEmbeddedAddr);
    if (s->laddr[0] == 0) snprintf(s->laddr, sizeof s->laddr, "%s", kEmbeddedAddr);
}

void engine_add_session(Engine* e, Session* s, Worker* w) {
    Clients* list = &e->clients;
    s->engine = e;
    s->worker = w;
    s->shared_resp.store(s->resp, std::memory_order_relaxed);
    if (s->created_ms == 0) s->created_ms = clock_mono_ms();
    if (s->last_ms.load(std::memory_order_relaxed) == 0) {
        s->last_ms.store(s->created_ms, std::memory_order_relaxed);
    }
    if (s->embedded) name_embedded(s);
    if (s->own_bytes == 0) s->own_bytes = sizeof(Session);
    MutexGuard guard(&list->lock);
    acl_session_start(e->acl, s);
    s->id = list->next_id.fetch_add(1, std::memory_order_relaxed);
    s->prev = list->tail;
    s->next = nullptr;
    (list->tail != nullptr ? list->tail->next : list->head) = s;
    list->tail = s;
    list->count++;
    if (s->embedded) return;
    list->connected.fetch_add(1, std::memory_order_relaxed);
    list->received.fetch_add(1, std::memory_order_relaxed);
}

static void free_text(char** field) {
    if (*field != nullptr) mem_free(*field, strlen(*field) + 1);
    *field = nullptr;
}

// What it returns is to be let go.
[[nodiscard]] static AclUser* unlink_session(Clients* list, Session* s) {
    MutexGuard guard(&list->lock);
    (s->prev != nullptr ? s->prev->next : list->head) = s->next;
    (s->next != nullptr ? s->next->prev : list->tail) = s->prev;
    s->next = s->prev = nullptr;
    list->count--;
    list->closed_net_in.fetch_add(s->net_in.load(std::memory_order_relaxed),
                                  std::memory_order_relaxed);
    list->closed_net_out.fetch_add(s->net_out.load(std::memory_order_relaxed),
                                   std::memory_order_relaxed);
    if (!s->embedded) list->connected.fetch_sub(1, std::memory_order_relaxed);
    return acl_session_end(s);
}

void session_leave_multi(Engine* e, Session* s) {
    multi_clear(&s->multi);
    watch_clear(&e->core.store, &s->watcher);
    s->in_multi.store(false, std::memory_order_relaxed);
    s->multi_count.store(0, std::memory_order_relaxed);
    s->multi_bytes.store(0, std::memory_order_relaxed);
    s->watch_count.store(0, std::memory_order_relaxed);
}

void engine_remove_session(Engine* e, Session* s) {
    pubsub_forget(e, s);
    // WATCH lists hang in tables that a FLUSH may take away: the gate keeps it out meanwhile.
    EpochSlot* slot = epoch_slot();
    gate_enter(&e->core.store.gate, slot);
    session_leave_multi(e, s);
    gate_leave(slot);
    acl_user_unref(unlink_session(&e->clients, s));
    tracking_forget(e->tracking, s);
    free_text(&s->name);
    free_text(&s->lib_name);
    free_text(&s->lib_ver);
}

// ---- texts ------------------------------------------------------------------------------------

bool session_text_valid(Bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text[i] < '!' || text[i] > '~') return false;
    }
    return true;
}

bool session_set_text(Engine* e, char** field, Bytes text) {
    char* fresh = nullptr;
    if (text.len != 0) {
        fresh = static_cast<char*>(mem_try_alloc(text.len + 1));
        if (fresh == nullptr) return false;
        memcpy(fresh, text.ptr, text.len);
        fresh[text.len] = 0;
    }
    mutex_lock(&e->clients.lock);
    char* old = *field;
    *field = fresh;
    mutex_unlock(&e->clients.lock);
    free_text(&old);
    return true;
}

// ---- CLIENT LIST ------------------------------------------------------------------------------

// Row and container are published one after the other: a pair that does not belong together is half
// of an update, and the row alone is right then.
static const Cmd* parent_of(const Cmd* row, const Cmd* parent) {
    if (parent == nullptr) return nullptr;
    for (const Cmd* sub = parent->subcommands; sub != nullptr && sub->name != nullptr; sub++) {
        if (sub == row) return parent;
    }
    return nullptr;
}

static void last_command(const Session* s, const CmdCtx* asking, char out[64]) {
    const Cmd* row = s->last_row.load(std::memory_order_relaxed);
    const Cmd* parent = s->last_parent.load(std::memory_order_relaxed);
    if (asking != nullptr && asking->session == s) {
        row = asking->row;
        parent = asking->parent;
        if (asking->in_exec) {
            snprintf(out, 64, "exec");
            return;
        }
    }
    if (row == nullptr) {
        snprintf(out, 64, "NULL");
    } else {
        cmd_full_name(parent_of(row, parent), row, out);
    }
}

static unsigned sub_count(const Session* s, size_t kind) {
    return s->sub_counts[kind].load(std::memory_order_relaxed);
}

bool client_subscribed(const Session* s) {
    return (sub_count(s, 0) | sub_count(s, 1) | sub_count(s, 2)) != 0;
}

static void flags_text(const Session* s, char out[16]) {
    char* at = out;
    if (s->listens.load(std::memory_order_relaxed) & kListensMonitor) *at++ = 'O';
    if (client_subscribed(s)) *at++ = 'P';
    if (s->in_multi.load(std::memory_order_relaxed)) *at++ = 'x';
    if (s->waits.load(std::memory_order_relaxed)) *at++ = 'b';
    uint32_t tracking = s->tracking.load(std::memory_order_relaxed);
    if (tracking & kTrackingOn) *at++ = 't';
    if (tracking & kTrackingBroken) *at++ = 'R';
    if (tracking & kTrackingBcast) *at++ = 'B';
    if (s->watcher.dirty.load(std::memory_order_relaxed)) *at++ = 'd';
    if (s->kill.load(std::memory_order_relaxed)) *at++ = 'A';
    if (s->unix_socket) *at++ = 'U';
    if (s->no_evict.load(std::memory_order_relaxed)) *at++ = 'e';
    if (s->no_touch.load(std::memory_order_relaxed)) *at++ = 'T';
    if (at == out) *at++ = 'N';
    *at = 0;
}

static unsigned long long count_of(const std::atomic<uint64_t>& n) {
    return n.load(std::memory_order_relaxed);
}

uint64_t session_memory(const Session* s) {
    return s->own_bytes + count_of(s->query_bytes) + count_of(s->query_free) +
           count_of(s->argv_bytes) + count_of(s->multi_bytes) + count_of(s->out_memory);
}

void client_describe(Text* t, const Session* s, const CmdCtx* asking) {
    int64_t now = clock_mono_ms();
    char flags[16], command[64];
    flags_text(s, flags);
    last_command(s, asking, command);
    unsigned long long query = count_of(s->query_bytes), args = count_of(s->argv_bytes);
    unsigned long long queued = count_of(s->multi_bytes), out = count_of(s->out_bytes);
    bool in_multi = s->in_multi.load(std::memory_order_relaxed);
    long long multi = in_multi ? static_cast<long long>(count_of(s->multi_count)) : -1;
    const char* events = s->embedded ? "" : out != 0 ? "rw" : "r";
    long long age_s = (now - s->created_ms) / 1000;
    long long idle_s = (now - s->last_ms.load(std::memory_order_relaxed)) / 1000;
    text_addf(t, "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%u",
              static_cast<unsigned long long>(s->id), s->addr, s->laddr, s->fd,
              s->name != nullptr ? s->name : "", age_s, idle_s, flags,
              s->db.load(std::memory_order_relaxed));
    text_addf(t, " sub=%u psub=%u ssub=%u", sub_count(s, 0), sub_count(s, 1), sub_count(s, 2));
    text_addf(t, " multi=%lld qbuf=%llu qbuf-free=%llu argv-mem=%llu", multi, query,
              count_of(s->query_free), args);
    // There is no fixed reply buffer: all unsent bytes are in the list of chunks.
    Bytes user = acl_session_user(s);
    text_addf(t,
              " multi-mem=%llu rbs=0 rbp=0 obl=0 oll=%llu omem=%llu tot-mem=%llu events=%s"
              " cmd=%s user=%.*s",
              queued, count_of(s->out_chunks), count_of(s->out_memory),
              static_cast<unsigned long long>(session_memory(s)), events, command,
              static_cast<int>(user.len), user.ptr);
    text_addf(t, " redir=%lld resp=%u lib-name=%s lib-ver=%s\n",
              static_cast<long long>(tracking_redirect(s)),
              unsigned{s->shared_resp.load(std::memory_order_relaxed)},
              s->lib_name != nullptr ? s->lib_name : "", s->lib_ver != nullptr ? s->lib_ver : "");
}

}  // namespace rp
