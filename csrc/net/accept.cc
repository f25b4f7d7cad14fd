#include "net/accept.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "engine/acl.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/listener.h"

namespace rp {

static constexpr Bytes kTooMany = "-ERR max number of clients reached\r\n";

// The protocol's text for protected mode: clients show it to their users.
static constexpr Bytes kDenied =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password "
    "is set "
    "for the default user. In this mode connections are only accepted from the loopback interface. "
    "If you "
    "want to connect from external computers to Redis you may adopt one of the following "
    "solutions: 1) "
    "Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the "
    "loopback "
    "interface by connecting to Redis from the same host the server is running, however MAKE SURE "
    "Redis "
    "is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change "
    "permanent. 2) Alternatively you can just disable the protected mode by editing the Redis "
    "configuration file, and setting the protected mode option to 'no', and then restarting the "
    "server. "
    "3) If you started the server manually just for testing, restart it with the '--protected-mode "
    "no' "
    "option. 4) Setup a an authentication password for the default user. NOTE: You only need to do "
    "one "
    "of the above things in order for the server to start accepting connections from the "
    "outside.\r\n";

Bytes denied_text() { return kDenied; }

bool address_is_loopback(const sockaddr* a) {
    if (a->sa_family == AF_INET) {
        return ntohl(reinterpret_cast<const sockaddr_in*>(a)->sin_addr.s_addr) >> 24 == 127;
    }
    if (a->sa_family != AF_INET6) return true;  // a Unix socket
    const in6_addr* v6 = &reinterpret_cast<const sockaddr_in6*>(a)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

int64_t fd_limit_raise(int64_t clients) {
    rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return clients;
    rlim_t need = static_cast<rlim_t>(clients) + kFdsReserved;
    if (limit.rlim_cur < need) {
        rlimit raised = limit;
        raised.rlim_cur =
            limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= need ? need : limit.rlim_max;
        if (raised.rlim_cur > limit.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    if (limit.rlim_cur >= need) return clients;
    return limit.rlim_cur > kFdsReserved ? static_cast<int64_t>(limit.rlim_cur - kFdsReserved) : 1;
}

// ---- one connection ---------------------------------------------------------------------------

// With TLS there is no way to tell before the handshake.
static void refuse(const Listener* l, int fd, Bytes text) {
    l->net->engine->clients.rejected.fetch_add(1, std::memory_order_relaxed);
    if (!l->tls && send(fd, text.ptr, text.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        // It will see the end of the connection instead.
    }
    close(fd);
}

static void set_options(Net* n, int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int idle_s = static_cast<int>(config_num(n->engine->config->tcp_keepalive_s));
    if (idle_s == 0) return;
    int every_s = idle_s / 3 > 0 ? idle_s / 3 : 1, probes = 3;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

template <size_t N>
static void write_address(const sockaddr* a, char (&out)[N]) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (a->sa_family == AF_INET6) {
        auto* v6 = reinterpret_cast<const sockaddr_in6*>(a);
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out, N, "[%s]:%d", host, ntohs(v6->sin6_port));
    } else {
        auto* v4 = reinterpret_cast<const sockaddr_in*>(a);
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, N, "%s:%d", host, ntohs(v4->sin_port));
    }
}

static void write_names(const Listener* l, const sockaddr* peer, Session* s) {
    if (l->unix_socket) {
        snprintf(s->addr, sizeof s->addr, "%.60s:0", l->text);
        snprintf(s->laddr, sizeof s->laddr, "%.124s:0", l->text);
        return;
    }
    write_address(peer, s->addr);
    sockaddr_storage own;
    socklen_t len = sizeof own;
    if (getsockname(s->fd, reinterpret_cast<sockaddr*>(&own), &len) == 0) {
        write_address(reinterpret_cast<sockaddr*>(&own), s->laddr);
    }
}

static Loop* least_loaded(Net* n) {
    Loop* best = &n->loops[0];
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < n->loop_count; i++) {
        uint64_t load = n->loops[i].conn_count.load(std::memory_order_relaxed);
        if (load < least) {
            least = load;
            best = &n->loops[i];
        }
    }
    return best;
}

// The context of this moment: clients that are here keep theirs.
static bool attach_tls(Conn* c, bool denied) {
    Net* n = c->loop->net;
    TlsContext* context = nullptr;
    {
        MutexGuard guard(&n->tls_lock);
        if (n->tls != nullptr) context = tls_context_ref(n->tls);
    }
    if (context != nullptr && conn_tls_attach(c, context, denied)) return true;
    tls_context_unref(context);
    return false;
}

static bool admits_peer(const Listener* l, const sockaddr* peer) {
    Config* config = l->net->engine->config;
    if (l->unix_socket || address_is_loopback(peer)) return true;
    return config_num(config->protected_mode) == 0 ||
           !l->net->engine->acl->standard_nopass.load(std::memory_order_relaxed);
}

static void admit(Listener* l, int fd, const sockaddr* peer) {
    Net* n = l->net;
    Config* config = n->engine->config;
    if (n->conns.load(std::memory_order_relaxed) >=
        static_cast<uint64_t>(config_num(config->maxclients))) {
        return refuse(l, fd, kTooMany);
    }
    bool denied = !admits_peer(l, peer);
    if (denied && !l->tls) return refuse(l, fd, kDenied);
    if (!l->unix_socket) set_options(n, fd);
    Loop* loop = least_loaded(n);
    Conn* c = conn_new(loop, fd, l->unix_socket);
    if (c == nullptr) return refuse(l, fd, kTooMany);
    n->conns.fetch_add(1, std::memory_order_relaxed);
    if (l->tls && !attach_tls(c, denied)) {
        n->engine->clients.rejected.fetch_add(1, std::memory_order_relaxed);
        return conn_discard(c);
    }
    write_names(l, peer, &c->session);
    if (log_level() <= LogLevel::verbose) {
        RP_LOG_VERBOSE("Accepted connection to %s from %s", c->session.laddr, c->session.addr);
    }
    if (loop->index != 0) return loop_post(loop, c);
    loop->conn_count.fetch_add(1, std::memory_order_relaxed);
    conn_start(c);
}

// ---- the descriptor limit ---------------------------------------------------------------------

static void log_seldom(Net* n, int cause) {
    uint64_t now = loop_now_ms(&n->loops[0]);
    if (n->accept_logged_ms != 0 && now - n->accept_logged_ms < static_cast<uint64_t>(kAcceptLogMs))
        return;
    n->accept_logged_ms = now;
    RP_LOG_WARNING("Accepting client connection: %s", strerror(cause));
}

static void accept_pause(Net* n) {
    n->accept_paused_ms = loop_now_ms(&n->loops[0]) + kAcceptPauseMs;
    MutexGuard guard(&n->listen_lock);
    for (Listener* l = n->listeners; l != nullptr; l = l->next) {
        if (l->polled && !l->dead) listener_poll(l, false);
    }
}

// Gives up the spare descriptor for a moment, to tell those who wait that there is no room. Where
// even that fails, accepting rests.
static void turn_away(Listener* l) {
    Net* n = l->net;
    for (int i = 0; i < kAcceptsPerTurn && n->spare_fd >= 0; i++) {
        close(n->spare_fd);
        int fd = accept4(l->fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int cause = errno;
        if (fd >= 0) refuse(l, fd, kTooMany);
        n->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd < 0 && (cause == EAGAIN || cause == EWOULDBLOCK)) return;
        if (fd < 0) break;
    }
    accept_pause(n);
}

void listeners_tick(Net* n) {
    if (n->accept_paused_ms == 0 || loop_now_ms(&n->loops[0]) < n->accept_paused_ms) return;
    n->accept_paused_ms = 0;
    if (n->spare_fd < 0) n->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    MutexGuard guard(&n->listen_lock);
    for (Listener* l = n->listeners; l != nullptr; l = l->next) {
        if (l->polled && !l->dead) listener_poll(l, true);
    }
}

// ---- events -----------------------------------------------------------------------------------

static bool is_exhaustion(int cause) {
    return cause == EMFILE || cause == ENFILE || cause == ENOBUFS || cause == ENOMEM;
}

static void on_readable(uv_poll_t* handle, int, int) {
    Listener* l = static_cast<Listener*>(handle->data);
    for (int i = 0; i < kAcceptsPerTurn; i++) {
        sockaddr_storage peer;
        socklen_t len = sizeof peer;
        int fd =
            accept4(l->fd, reinterpret_cast<sockaddr*>(&peer), &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (len < sizeof peer.ss_family) peer.ss_family = AF_UNIX;
            admit(l, fd, reinterpret_cast<sockaddr*>(&peer));
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        if (errno == EINVAL) {  // Shut down: replaced or stopping; loop 0 will hear of it.
            uv_poll_stop(handle);
            return;
        }
        int cause = errno;
        log_seldom(l->net, cause);
        if (is_exhaustion(cause)) return turn_away(l);
        return accept_pause(l->net);
    }
}

void listener_poll(Listener* l, bool on) {
    if (on) {
        uv_poll_start(&l->poll, UV_READABLE, on_readable);
    } else {
        uv_poll_stop(&l->poll);
    }
}

}  // namespace rp
