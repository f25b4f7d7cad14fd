// Listening sockets. What is done with those who knock is in accept.cc.
#include "net/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <new>

#include "base/log.h"
#include "mem/mem.h"
#include "net/accept.h"

namespace rp {

// What the settings ask for: addresses as they were written, without the '-' that makes one
// optional.
struct Wanted {
    char text[128];
    bool optional;
};

struct WantedList {
    Wanted items[kListenersMax];
    size_t len = 0;
    int port = 0;
    bool tls = false;
};

// The two kinds of TCP ports: [0] without TLS, [1] with.
constexpr size_t kPorts = 2;

static std::atomic<int>* port_in_use(Net* n, bool tls) { return tls ? &n->tls_port : &n->port; }

static Status fail(NetErr* err, const char* what, int cause) {
    snprintf(err->text, sizeof err->text, "%s: %s", what, strerror(cause));
    errno = cause;
    return cause == EADDRINUSE ? Status::in_use : Status::io;
}

// ---- TCP --------------------------------------------------------------------------------------

static bool family_missing(int cause) {
    return cause == EPROTONOSUPPORT || cause == EAFNOSUPPORT || cause == ESOCKTNOSUPPORT ||
           cause == EPFNOSUPPORT || cause == ENOPROTOOPT;
}

// -1 with errno, and *step = the call that failed.
static int tcp_listen(const struct addrinfo* a, int backlog, const char** step) {
    *step = "socket";
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) return -1;
    int on = 1;
    *step = "setsockopt";
    bool done = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                (a->ai_family != AF_INET6 ||
                 setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
    if (done) {
        *step = "bind";
        done = bind(fd, a->ai_addr, a->ai_addrlen) == 0;
    }
    if (done) {
        *step = "listen";
        done = listen(fd, backlog) == 0;
    }
    if (done) return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

static int bound_port(int fd) {
    sockaddr_storage a;
    socklen_t len = sizeof a;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&a), &len) != 0) return 0;
    if (a.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&a)->sin6_port);
    return ntohs(reinterpret_cast<sockaddr_in*>(&a)->sin_port);
}

static Listener* listener_new(Net* n, int fd, bool unix_socket, const char* text, int port) {
    void* memory = mem_alloc(sizeof(Listener));
    Listener* l = new (memory) Listener;
    l->net = n;
    l->fd = fd;
    l->unix_socket = unix_socket;
    l->port = port;
    snprintf(l->text, sizeof l->text, "%s", text);
    return l;
}

static void listener_free(Listener* take) {
    close(take->fd);
    mem_free(take, sizeof(Listener));
}

// *out: null if the address is optional and not there.
static Status tcp_open(Net* n, const Wanted* w, int port, bool tls, Listener** out, NetErr* err) {
    *out = nullptr;
    bool any4 = strcmp(w->text, "*") == 0, any6 = strcmp(w->text, "::*") == 0;
    addrinfo hints = {}, *found = nullptr;
    hints.ai_family = strchr(w->text, ':') != nullptr ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    char service[8], what[200];
    snprintf(service, sizeof service, "%d", port);
    snprintf(what, sizeof what, "Could not create server TCP listening socket %s:%d", w->text,
             port);
    int bad = getaddrinfo(any4 || any6 ? nullptr : w->text, service, &hints, &found);
    if (bad != 0) {
        snprintf(err->text, sizeof err->text, "%s: %s", what, gai_strerror(bad));
        errno = EINVAL;
        return Status::invalid;
    }
    const char* step;
    int fd = tcp_listen(found, static_cast<int>(config_num(n->engine->config->tcp_backlog)), &step);
    int cause = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        if (family_missing(cause) || (cause == EADDRNOTAVAIL && w->optional)) return Status::ok;
        char where[240];
        snprintf(where, sizeof where, "%s: %s", what, step);
        return fail(err, where, cause);
    }
    *out = listener_new(n, fd, false, w->text, port != 0 ? port : bound_port(fd));
    (*out)->tls = tls;
    return Status::ok;
}

// ---- the set ----------------------------------------------------------------------------------

static bool want_tcp(Net* n, bool tls, WantedList* out, NetErr* err) {
    out->tls = tls;
    char text[2048];
    size_t len = config_text(n->engine->config, "bind", text, sizeof text);
    if (len >= sizeof text) {
        snprintf(err->text, sizeof err->text, "bind: more than %zu bytes of addresses",
                 sizeof text - 1);
        return false;
    }
    const Config* config = n->engine->config;
    int override_port = tls ? -1 : n->options.port_override;
    out->port = static_cast<int>(config_num(tls ? config->tls_port : config->port));
    if (override_port >= 0) out->port = override_port;
    if (override_port < 0 && out->port == 0) return true;  // As Redis: no TCP.
    char* save = nullptr;
    for (char* word = strtok_r(text, " ", &save); word != nullptr;
         word = strtok_r(nullptr, " ", &save)) {
        bool optional = word[0] == '-';
        const char* name = word + (optional ? 1 : 0);
        if (out->len == kListenersMax || strlen(name) >= sizeof(Wanted::text)) {
            snprintf(err->text, sizeof err->text, "bind: too many addresses, or too long: %.64s",
                     name);
            return false;
        }
        Wanted* w = &out->items[out->len++];
        w->optional = optional;
        snprintf(w->text, sizeof w->text, "%s", name);
    }
    return true;
}

static void list_free(Listener* first) {
    while (first != nullptr) {
        Listener* next = first->next;
        listener_free(first);
        first = next;
    }
}

static bool is_the(const Listener* l, const char* text, int port, bool tls) {
    return !l->unix_socket && l->tls == tls && l->port == port && strcmp(l->text, text) == 0;
}

static Listener* find(Listener* first, const char* text, int port, bool tls) {
    for (Listener* l = first; l != nullptr; l = l->next) {
        if (!l->dead && is_the(l, text, port, tls)) return l;
    }
    return nullptr;
}

// Opens what is wanted and not in `have`. Several addresses share one port, also a chosen one.
static Status open_missing(Net* n, const WantedList* want, Listener* have, Listener** out,
                           int* port, NetErr* err) {
    *out = nullptr;
    *port = want->port;
    for (size_t i = 0; i < want->len; i++) {
        if (find(have, want->items[i].text, *port, want->tls) != nullptr) continue;
        Listener* l;
        Status s = tcp_open(n, &want->items[i], *port, want->tls, &l, err);
        if (s != Status::ok) {
            list_free(*out);
            *out = nullptr;
            return s;
        }
        if (l == nullptr) continue;
        *port = l->port;
        l->next = *out;
        *out = l;
    }
    return Status::ok;
}

static void list_append(Net* n, Listener* more) {
    Listener** at = &n->listeners;
    while (*at != nullptr)
        at = &(*at)->next;
    *at = more;
}

// ---- Unix socket ------------------------------------------------------------------------------

// A socket that a dead server left behind may go; a living one, or anything else, stays.
static Status clear_stale(const sockaddr_un* a, const char* what, NetErr* err) {
    struct stat st;
    if (lstat(a->sun_path, &st) != 0) return errno == ENOENT ? Status::ok : fail(err, what, errno);
    if (!S_ISSOCK(st.st_mode)) {
        snprintf(err->text, sizeof err->text, "%s: the path exists and is not a socket", what);
        return Status::in_use;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) return fail(err, what, errno);
    int connected = connect(probe, reinterpret_cast<const sockaddr*>(a), sizeof *a);
    int cause = errno;
    close(probe);
    if (connected == 0 || cause == EAGAIN) {
        snprintf(err->text, sizeof err->text, "%s: a server is listening there", what);
        return Status::in_use;
    }
    if (cause != ECONNREFUSED) return fail(err, what, cause);
    if (unlink(a->sun_path) != 0 && errno != ENOENT) return fail(err, what, errno);
    return Status::ok;
}

// The mode is set between bind and listen: nobody can connect before it holds (CVE-2023-45145).
static Status unix_bind(Net* n, int fd, const sockaddr_un* a, const char* what, NetErr* err) {
    if (bind(fd, reinterpret_cast<const sockaddr*>(a), sizeof *a) != 0)
        return fail(err, what, errno);
    auto mode = static_cast<mode_t>(config_num(n->engine->config->unixsocketperm));
    if (mode != 0 && chmod(a->sun_path, mode) != 0) return fail(err, what, errno);
    if (listen(fd, static_cast<int>(config_num(n->engine->config->tcp_backlog))) != 0) {
        return fail(err, what, errno);
    }
    return Status::ok;
}

static Status unix_open(Net* n, const char* path, NetErr* err) {
    char what[256];
    sockaddr_un a = {};
    a.sun_family = AF_UNIX;
    snprintf(what, sizeof what, "Could not create server Unix socket %.128s", path);
    if (strlen(path) >= sizeof a.sun_path) {
        snprintf(err->text, sizeof err->text, "%s: longer than %zu bytes", what,
                 sizeof a.sun_path - 1);
        return Status::invalid;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    Status s = clear_stale(&a, what, err);
    if (s != Status::ok) return s;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(err, what, errno);
    s = unix_bind(n, fd, &a, what, err);
    if (s != Status::ok) {
        close(fd);
        return s;
    }
    memcpy(n->unixsocket, a.sun_path, sizeof n->unixsocket);
    Listener* l = listener_new(n, fd, true, path, 0);
    struct stat st;
    if (lstat(path, &st) == 0) {
        l->dev = st.st_dev;
        l->ino = st.st_ino;
    }
    list_append(n, l);
    return Status::ok;
}

// Only the file that this server made.
static void unix_remove(const Listener* l) {
    struct stat st;
    if (lstat(l->text, &st) != 0 || st.st_dev != l->dev || st.st_ino != l->ino) return;
    RP_LOG_NOTICE("Removing the unix socket file.");
    unlink(l->text);
}

// ---- open, rebind, close ----------------------------------------------------------------------

static Status open_tcp(Net* n, bool tls, NetErr* err) {
    WantedList want;
    if (!want_tcp(n, tls, &want, err)) return Status::invalid;
    Status s = Status::ok;
    // A port chosen for the first address may be taken at the second.
    for (int tries = want.port == 0 ? 16 : 1; tries > 0; tries--) {
        int port;
        Listener* opened;
        s = open_missing(n, &want, nullptr, &opened, &port, err);
        if (s == Status::ok) {
            list_append(n, opened);
            port_in_use(n, tls)->store(opened != nullptr ? port : 0, std::memory_order_relaxed);
            return s;
        }
        if (s != Status::in_use) return s;
    }
    return s;
}

Status listeners_open(Net* n, NetErr* err) {
    MutexGuard guard(&n->listen_lock);
    Status s = open_tcp(n, false, err);
    if (s == Status::ok) s = open_tcp(n, true, err);
    if (s != Status::ok) return s;
    char path[512];
    if (n->options.unixsocket != nullptr) {
        snprintf(path, sizeof path, "%s", n->options.unixsocket);
    } else {
        config_text(n->engine->config, "unixsocket", path, sizeof path);
    }
    if (path[0] != '\0') {
        s = unix_open(n, path, err);
        if (s != Status::ok) return s;
    }
    if (n->listeners == nullptr) {
        snprintf(err->text, sizeof err->text,
                 "Configured to not listen anywhere: set port, tls-port or unixsocket");
        return Status::invalid;
    }
    return Status::ok;
}

static bool is_wanted(const Listener* l, const WantedList* want) {
    for (size_t i = 0; i < want->len; i++) {
        if (is_the(l, want->items[i].text, want->port, want->tls)) return true;
    }
    return false;
}

// A listening socket that is shut down frees its address at once, though loop 0 still polls it.
static void replaced_shut(Net* n, const WantedList* want) {
    for (Listener* l = n->listeners; l != nullptr; l = l->next) {
        if (l->unix_socket || l->dead || l->tls != want->tls || is_wanted(l, want)) continue;
        l->dead = l->shut = true;
        shutdown(l->fd, SHUT_RDWR);
    }
}

// The new set failed: what was shut is opened again.
static void replaced_restore(Net* n) {
    for (Listener *l = n->listeners, *next; l != nullptr; l = next) {
        next = l->next;
        if (!l->shut) continue;
        l->shut = false;
        Wanted again = {};
        snprintf(again.text, sizeof again.text, "%s", l->text);
        Listener* fresh = nullptr;
        NetErr err;
        if (tcp_open(n, &again, l->port, l->tls, &fresh, &err) != Status::ok) {
            RP_LOG_WARNING("%s", err.text);
        } else if (fresh != nullptr) {
            list_append(n, fresh);
        }
    }
}

// All or nothing. REQUIRES: what is not wanted any more is shut.
static bool open_wanted(Net* n, const WantedList* want) {
    Listener* opened[kPorts] = {};
    int port[kPorts];
    for (size_t i = 0; i < kPorts; i++) {
        NetErr err;
        if (open_missing(n, &want[i], n->listeners, &opened[i], &port[i], &err) == Status::ok)
            continue;
        RP_LOG_WARNING("%s", err.text);
        for (Listener* l : opened)
            list_free(l);
        return false;
    }
    for (size_t i = 0; i < kPorts; i++) {
        list_append(n, opened[i]);
        port_in_use(n, want[i].tls)->store(want[i].len > 0 ? port[i] : 0);
    }
    return true;
}

// Both kinds of ports at once: they may have been exchanged for each other.
bool listeners_rebind(Net* n, const char** why) {
    MutexGuard guard(&n->listen_lock);
    *why = "Failed to bind to specified addresses.";
    WantedList want[kPorts];
    for (size_t i = 0; i < kPorts; i++) {
        NetErr err;
        if (!want_tcp(n, i == 1, &want[i], &err)) {
            RP_LOG_WARNING("%s", err.text);
            return false;
        }
        if (want[i].port == 0) want[i].port = port_in_use(n, want[i].tls)->load();
    }
    for (const WantedList& w : want)
        replaced_shut(n, &w);
    bool done = open_wanted(n, want);
    if (!done) replaced_restore(n);
    for (Listener* l = n->listeners; l != nullptr; l = l->next)
        l->shut = false;
    loop_signal(&n->loops[0], kLoopListeners);
    return done;
}

void listeners_close(Net* n) {
    MutexGuard guard(&n->listen_lock);
    for (Listener* l = n->listeners; l != nullptr; l = l->next) {
        if (l->unix_socket) unix_remove(l);
    }
    list_free(n->listeners);
    n->listeners = nullptr;
}

// ---- loop 0 -----------------------------------------------------------------------------------

static void on_unpolled(uv_handle_t* handle) {
    listener_free(static_cast<Listener*>(handle->data));
}

static void attach(Listener* l) {
    Loop* loop = &l->net->loops[0];
    l->poll.data = l;
    if (uv_poll_init(&loop->uv, &l->poll, l->fd) != 0) {
        RP_LOG_WARNING("Could not accept connections on %s", l->text);
        return;
    }
    l->polled = true;
    listener_poll(l, true);
}

void listeners_attach(Net* n) {
    MutexGuard guard(&n->listen_lock);
    for (Listener** at = &n->listeners; *at != nullptr;) {
        Listener* l = *at;
        if (!l->dead) {
            if (!l->polled) attach(l);
            at = &l->next;
            continue;
        }
        *at = l->next;
        if (l->polled) {
            uv_close(reinterpret_cast<uv_handle_t*>(&l->poll), on_unpolled);
        } else {
            listener_free(l);
        }
    }
}

// The sockets stay open, and their Listeners in the list, until listeners_close.
void listeners_detach(Net* n) {
    MutexGuard guard(&n->listen_lock);
    for (Listener* l = n->listeners; l != nullptr; l = l->next) {
        if (l->polled) uv_close(reinterpret_cast<uv_handle_t*>(&l->poll), nullptr);
        shutdown(l->fd, SHUT_RDWR);  // From now on nobody waits in vain.
    }
}

}  // namespace rp
