#include "net/net.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <new>

#include "base/assert.h"
#include "base/log.h"
#include "mem/mem.h"
#include "net/accept.h"
#include "net/listener.h"
#include "net/net_state.h"

namespace rp {

// ---- hooks: what the engine asks of us, from any thread ---------------------------------------

static void hook_wake_all(void* arg) {
    Net* n = static_cast<Net*>(arg);
    MutexGuard guard(&n->hook_lock);
    if (n->closed) return;
    for (size_t i = 0; i < n->loop_count; i++)
        loop_signal(&n->loops[i], kLoopWake);
}

// Wakes the loops that said, before they went to sleep, that they wait for this: each once.
static void hook_log_moved(void* arg) {
    Net* n = static_cast<Net*>(arg);
    MutexGuard guard(&n->hook_lock);
    const Journal* j = engine_core(n->engine)->journal.load(std::memory_order_acquire);
    if (n->closed || j == nullptr) return;
    uint64_t acked = j->acked.load(std::memory_order_seq_cst);
    bool room = journal_has_room(j);
    for (size_t i = 0; i < n->loop_count; i++) {
        Loop* l = &n->loops[i];
        uint32_t bits = 0;
        uint64_t seq = l->waits_for.load(std::memory_order_seq_cst);
        if (seq != 0 && seq <= acked && l->waits_for.exchange(0) != 0) bits |= kLoopAcked;
        bool wants = room && l->wants_room.load(std::memory_order_seq_cst);
        if (wants && l->wants_room.exchange(false)) bits |= kLoopWake;
        bool moves = l->wants_moves.load(std::memory_order_seq_cst);
        if (moves && l->wants_moves.exchange(false)) bits |= kLoopWake;
        if (bits != 0) loop_signal(l, bits);
    }
}

static void hook_request_stop(void* arg) { net_request_stop(static_cast<Net*>(arg)); }

// maxclients: what the descriptors do not allow is refused.
static bool apply_maxclients(Net* n, const char** why) {
    int64_t asked = config_num(n->engine->config->maxclients), fit = fd_limit_raise(asked);
    if (fit >= asked) return true;
    static thread_local char text[128];
    snprintf(
        text, sizeof text,
        "The operating system is not able to handle the specified number of clients, try with %lld",
        static_cast<long long>(fit));
    *why = text;
    return false;
}

// A new context for the clients that come next. On failure the one in use stays.
static bool renew_tls(Net* n, NetErr* err) {
    TlsContext* fresh;
    if (!tls_context_new(n->engine->config, &fresh, err->text, sizeof err->text)) return false;
    mutex_lock(&n->tls_lock);
    TlsContext* before = n->tls;
    n->tls = fresh;
    mutex_unlock(&n->tls_lock);
    tls_context_unref(before);
    return true;
}

// `port_only`: what is in use will do. (While the port was 0 settings may have changed unseen.)
static bool apply_tls(Net* n, bool port_only, const char** why) {
    if (config_num(n->engine->config->tls_port) == 0) return true;  // As Redis: looked at later.
    if (port_only && n->tls != nullptr && net_tls_port(n) != 0) return true;
    NetErr err;
    if (renew_tls(n, &err)) {
        RP_LOG_NOTICE("TLS: the settings and certificates for new clients were read");
        return true;
    }
    RP_LOG_WARNING("Failed to configure TLS: %s", err.text);
    *why = "Unable to update TLS configuration. Check server logs.";
    return false;
}

static bool apply_ports(Net* n, bool port, bool tls_port, const char** why) {
    if (!apply_tls(n, true, why)) return false;
    int override_before = n->options.port_override;
    if (port) n->options.port_override = -1;  // An explicit new port counts more than the start's.
    if (listeners_rebind(n, why)) return true;
    n->options.port_override = override_before;
    if (port || tls_port) *why = "Unable to listen on this port. Check server logs.";
    return false;
}

static bool hook_apply(void* arg, const char* setting, const char** why) {
    Net* n = static_cast<Net*>(arg);
    MutexGuard guard(&n->hook_lock);
    if (n->closed) return true;
    if (strcmp(setting, "maxclients") == 0) return apply_maxclients(n, why);
    if (tls_is_context_setting(setting)) return apply_tls(n, false, why);
    bool port = strcmp(setting, "port") == 0, tls_port = strcmp(setting, "tls-port") == 0;
    if (!port && !tls_port && strcmp(setting, "bind") != 0) return true;
    return apply_ports(n, port, tls_port, why);
}

// As INFO has it: of the two, the one without TLS.
static int hook_port(void* arg) {
    auto* n = static_cast<Net*>(arg);
    return net_port(n) != 0 ? net_port(n) : net_tls_port(n);
}

static uint64_t hook_buffer_bytes(void* arg) {
    Net* n = static_cast<Net*>(arg);
    uint64_t sum = 0;
    for (size_t i = 0; i < n->loop_count; i++) {
        sum += n->loops[i].buffer_bytes.load(std::memory_order_relaxed) + kReadBuffer;
    }
    return sum;
}

// ---- open -------------------------------------------------------------------------------------

static size_t loops_wanted(const Config* c) {
    int64_t n = config_num(c->io_threads);
    if (n < 1) return 1;
    return n > static_cast<int64_t>(kLoopsMax) ? kLoopsMax : static_cast<size_t>(n);
}

static Status loops_init(Net* n) {
    size_t wanted = loops_wanted(n->engine->config);
    n->loops_cap = wanted;
    n->loops = static_cast<Loop*>(mem_alloc_aligned(wanted * sizeof(Loop), alignof(Loop)));
    for (size_t i = 0; i < wanted; i++) {
        Loop* l = new (&n->loops[i]) Loop;
        n->loop_count = i + 1;
        Status s = loop_init(l, n, static_cast<uint32_t>(i));
        if (s != Status::ok) return s;
    }
    return Status::ok;
}

static void check_fd_limit(Net* n) {
    int64_t asked = config_num(n->engine->config->maxclients), fit = fd_limit_raise(asked);
    if (fit >= asked) return;
    RP_LOG_WARNING(
        "You requested maxclients of %lld, but the limit of open files leaves room for %lld "
        "clients: those beyond are turned away. Raise 'ulimit -n' or lower maxclients.",
        static_cast<long long>(asked), static_cast<long long>(fit));
}

static Status start_all(Net* n, NetErr* err) {
    Status s = loops_init(n);
    if (s != Status::ok) {
        snprintf(err->text, sizeof err->text, "Could not set up %zu event loops: %s", n->loops_cap,
                 status_text(s));
        return s;
    }
    NetErr why;
    if (config_num(n->engine->config->tls_port) != 0 && !renew_tls(n, &why)) {
        snprintf(err->text, sizeof err->text, "Failed to configure TLS: %.400s", why.text);
        return Status::invalid;
    }
    s = listeners_open(n, err);
    if (s != Status::ok) return s;
    n->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < n->loop_count; i++) {
        s = loop_start(&n->loops[i]);
        if (s != Status::ok) {
            snprintf(err->text, sizeof err->text,
                     "Could not start thread %zu of %zu: set io-threads lower", i + 1,
                     n->loop_count);
            return s;
        }
    }
    return Status::ok;
}

static void log_ready(const Net* n) {
    // While the data are loaded they get -LOADING; who loads says when that is over.
    bool loading = engine_core(n->engine)->loading.load(std::memory_order_relaxed);
    if ((net_port(n) != 0 || net_tls_port(n) != 0) && !loading)
        RP_LOG_NOTICE("Ready to accept connections");
    if (n->unixsocket[0] != '\0') {
        RP_LOG_NOTICE("The server is now ready to accept connections at %s", n->unixsocket);
    }
}

// Of a net that failed to open too.
static void tear_down(Net* n) {
    for (size_t i = 0; i < n->loop_count; i++) {
        if (n->loops[i].started) loop_signal(&n->loops[i], kLoopStop);
    }
    for (size_t i = 0; i < n->loop_count; i++)
        loop_join(&n->loops[i]);
    mutex_lock(&n->hook_lock);
    n->closed = true;
    mutex_unlock(&n->hook_lock);
    for (size_t i = 0; i < n->loop_count; i++)
        loop_deinit(&n->loops[i]);
    listeners_close(n);
    n->port.store(0, std::memory_order_relaxed);
    n->tls_port.store(0, std::memory_order_relaxed);
    if (n->spare_fd >= 0) close(n->spare_fd);
    n->spare_fd = -1;
}

static void net_free(Net* take) {
    for (size_t i = 0; i < take->loop_count; i++)
        take->loops[i].~Loop();
    tls_context_unref(take->tls);
    slabs_deinit(&take->slabs);
    mem_free_aligned(take->loops, take->loops_cap * sizeof(Loop));
    mem_free(take, sizeof(Net));
}

Status net_open(Engine* e, const NetOptions& options, Net** out, NetErr* err) {
    *out = nullptr;
    Net* n = new (mem_alloc(sizeof(Net))) Net;
    slabs_init(&n->slabs, sizeof(Conn));
    n->engine = e;
    n->options = options;
    check_fd_limit(n);
    Status s = start_all(n, err);
    if (s != Status::ok) {
        tear_down(n);
        net_free(n);
        return s;
    }
    n->options.unixsocket = nullptr;  // The caller's text; it has been used.
    n->older = static_cast<Net*>(e->net.net);
    e->net.net = n;
    e->net.wake_all = hook_wake_all;
    e->net.log_moved = hook_log_moved;
    e->net.request_stop = hook_request_stop;
    e->net.apply = hook_apply;
    e->net.buffer_bytes = hook_buffer_bytes;
    e->net.port = hook_port;
    log_ready(n);
    *out = n;
    return Status::ok;
}

// ---- stop -------------------------------------------------------------------------------------

void net_request_stop(Net* n) {
    MutexGuard guard(&n->hook_lock);
    if (n->closed) return;
    for (size_t i = 0; i < n->loop_count; i++)
        loop_signal(&n->loops[i], kLoopStop);
}

void net_stop(Net* n) {
    MutexGuard guard(&n->stop_lock);
    if (n->stopped) return;
    n->stopped = true;
    tear_down(n);
}

void net_close(Net* take) {
    if (take == nullptr) return;
    net_stop(take);
    mutex_lock(&take->engine->log_moved_lock);
    take->engine->net = {};
    mutex_unlock(&take->engine->log_moved_lock);
    for (Net *n = take, *older; n != nullptr; n = older) {
        older = n->older;
        net_free(n);
    }
}

int net_port(const Net* n) { return n->port.load(std::memory_order_relaxed); }
int net_tls_port(const Net* n) { return n->tls_port.load(std::memory_order_relaxed); }
size_t net_loops(const Net* n) { return n->loop_count; }

}  // namespace rp
