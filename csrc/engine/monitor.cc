// MONITOR: every command that runs, told to those who watch, by way of their mailboxes.
//
// Secrets  are left out: commands of administrators are not told at all, of others the arguments
//          that hold passwords are replaced (cmd/redact.h).
#include <ctime>
#include <new>

#include "cmd/redact.h"
#include "engine/families.h"
#include "engine/pubsub.h"
#include "engine/text.h"
#include "mem/mem.h"

namespace rp {

static void monitor_start(Engine* e, Session* s) {
    if (s->monitor != nullptr) return;
    s->monitor = new (mem_alloc(sizeof(Receiver))) Receiver;
    PubSub* p = e->pubsub;
    mutex_lock(&p->monitors_lock);
    Port* port = port_find(p->monitors, s->mailbox);
    if (port == nullptr) {
        port = port_new(s->mailbox, Framing::none, {});
        port->next = p->monitors;
        p->monitors = port;
    }
    port_join(port, s->monitor, s);
    mutex_unlock(&p->monitors_lock);
    session_listens_to(s, kListensMonitor, true);
    e->core.monitors.fetch_add(1, std::memory_order_relaxed);
}

void monitor_stop(Engine* e, Session* s) {
    if (s->monitor == nullptr) return;
    PubSub* p = e->pubsub;
    Port* port = s->monitor->port;
    mutex_lock(&p->monitors_lock);
    bool gone = !port_leave(port, s->monitor);
    if (gone) port_unlink(&p->monitors, port);
    mutex_unlock(&p->monitors_lock);
    port_forget(port, s->monitor, gone);
    mem_free(s->monitor, sizeof(Receiver));
    s->monitor = nullptr;
    session_listens_to(s, kListensMonitor, false);
    e->core.monitors.fetch_sub(1, std::memory_order_relaxed);
}

// ---- the line ---------------------------------------------------------------------------------

static void add_byte(Text* t, unsigned char b) {
    switch (b) {
        case '\\': return text_add(t, "\\\\");
        case '"': return text_add(t, "\\\"");
        case '\n': return text_add(t, "\\n");
        case '\r': return text_add(t, "\\r");
        case '\t': return text_add(t, "\\t");
        case '\a': return text_add(t, "\\a");
        case '\b': return text_add(t, "\\b");
        default: break;
    }
    if (b >= 0x20 && b < 0x7f) {
        char c = static_cast<char>(b);
        return text_add(t, {&c, 1});
    }
    text_addf(t, "\\x%02x", b);
}

static void add_quoted(Text* t, Bytes b) {
    text_add(t, " \"");
    size_t from = 0;  // runs of plain bytes are copied whole
    for (size_t i = 0; i < b.len; i++) {
        auto byte = static_cast<unsigned char>(b[i]);
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') continue;
        text_add(t, bytes_slice(b, from, i - from));
        add_byte(t, byte);
        from = i + 1;
    }
    text_add(t, bytes_slice(b, from, b.len - from));
    text_add(t, "\"");
}

static void add_head(Text* t, const Session* s) {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    text_addf(t, "+%lld.%06ld [%u ", static_cast<long long>(now.tv_sec), now.tv_nsec / 1000,
              s->db.load(std::memory_order_relaxed));
    if (s->unix_socket) {
        // Without the port that CLIENT LIST shows behind the path.
        const char* colon = strrchr(s->laddr, ':');
        size_t len = colon != nullptr ? static_cast<size_t>(colon - s->laddr) : strlen(s->laddr);
        text_addf(t, "unix:%.*s]", static_cast<int>(len), s->laddr);
    } else {
        text_addf(t, "%s]", s->addr);
    }
}

void monitor_tell(CmdCtx* c, const Cmd* row, Args argv) {
    if (row->flags & (kCmdSkipMonitor | kCmdAdmin)) return;
    if (c->a.replay) return;
    Text t;
    add_head(&t, c->session);
    for (size_t i = 0; i < argv.len; i++)
        add_quoted(&t, arg_shown(c->parent, row, argv, i));
    text_add(&t, "\r\n");
    Blob* wire = blob_try_new(t.len);
    if (wire != nullptr) {
        memcpy(wire->data, t.ptr, t.len);
        wire->len = t.len;
        PubSub* p = c->engine->pubsub;
        mutex_lock(&p->monitors_lock);
        for (Port* port = p->monitors; port != nullptr; port = port->next)
            port_post(port, wire);
        mutex_unlock(&p->monitors_lock);
        blob_unref(wire);
    }
    text_free(&t);
    if (c->session->monitor != nullptr && !c->in_exec) mailbox_drain(c->session->mailbox);
}

// ---- the command ------------------------------------------------------------------------------

static void cmd_monitor(CmdCtx* c, Args, Reply* out) {
    if (c->session->mailbox == nullptr || c->in_exec) {
        return reply_error(out, "ERR MONITOR isn't allowed for DENY BLOCKING client");
    }
    if (c->session->monitor != nullptr) return;  // as in Redis: it says nothing
    monitor_start(c->engine, c->session);
    reply_ok(out);
}

const Cmd kMonitorCmds[] = {
    {.name = "MONITOR",
     .run = cmd_monitor,
     .arity = 1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale,
     .group = "server",
     .reply = Shape::ok,
     .since = "1.0.0",
     .about = "Shows this connection every command that runs from now on."},
    {},
};

}  // namespace rp
