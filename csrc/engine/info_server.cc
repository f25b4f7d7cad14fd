// Sections of INFO that tell what runs: server, clients, replication, cpu, cluster.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "engine/info.h"
#include "engine/tracking.h"

namespace rp {

constexpr size_t kPathMax = 4096;
constexpr int64_t kDaySeconds = 24 * 60 * 60;
constexpr uint32_t kLruClockMask = (1u << 24) - 1;

static uint64_t setting(const ConfigNum& n) { return static_cast<uint64_t>(config_num(n)); }

static void server_build(Info* i) {
    utsname os = {};
    uname(&os);
    info_text(i, "redis_version", kServerVersion);
    info_text(i, "redis_git_sha1", "00000000");
    info_line(i, "redis_git_dirty", 0);
    info_text(i, "redis_build_id", RP_VERSION);
    info_text(i, "redis_mode", "standalone");
    text_addf(&i->text, "os:%s %s %s\r\n", os.sysname, os.release, os.machine);
    info_line(i, "arch_bits", 8 * sizeof(void*));
    info_text(i, "monotonic_clock", "POSIX clock_gettime");
    info_text(i, "multiplexing_api", "epoll");
    info_text(i, "atomicvar_api", "c11-builtin");
#if defined(__GNUC__) && !defined(__clang__)
    text_addf(&i->text, "gcc_version:%d.%d.%d\r\n", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
    info_text(i, "gcc_version", "0.0.0");
#endif
}

// Who was told that the server is ready.
static const char* supervisor(const Config* config) {
    char asked[16];
    config_text(config, "supervised", asked, sizeof asked);
    bool any = strcmp(asked, "auto") == 0;
    if ((any || strcmp(asked, "systemd") == 0) && getenv("NOTIFY_SOCKET") != nullptr) {
        return "systemd";
    }
    return strcmp(asked, "upstart") == 0 ? "upstart" : "no";
}

static void server_paths(Info* i) {
    char path[kPathMax];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    info_text(i, "executable", path);
    config_file(i->engine->config, path, sizeof path);
    info_text(i, "config_file", path);
}

static size_t loops_running(const Engine* e) {
    return e->net.net == nullptr ? 0 : static_cast<size_t>(config_num(e->config->io_threads));
}

static uint64_t tcp_port(const Engine* e) {
    if (e->net.port != nullptr) return static_cast<uint64_t>(e->net.port(e->net.net));
    return setting(e->config->port);
}

void info_server(Info* i) {
    const Engine* e = i->engine;
    int64_t uptime_s = (clock_mono_ms() - e->start_mono_ms) / 1000;
    server_build(i);
    info_line(i, "process_id", static_cast<uint64_t>(getpid()));
    info_text(i, "process_supervised", supervisor(i->engine->config));
    info_text(i, "run_id", e->run_id);
    info_line(i, "tcp_port", tcp_port(e));
    info_line(i, "server_time_usec", static_cast<uint64_t>(clock_wall_us()));
    info_line(i, "uptime_in_seconds", static_cast<uint64_t>(uptime_s));
    info_line(i, "uptime_in_days", static_cast<uint64_t>(uptime_s / kDaySeconds));
    info_line(i, "hz", setting(e->config->hz));
    info_line(i, "configured_hz", setting(e->config->hz));
    info_line(i, "lru_clock", age_clock_now() & kLruClockMask);
    server_paths(i);
    info_line(i, "io_threads_active", loops_running(e) > 1);
}

// Of the last kPeakSeconds seconds, this moment included.
static ClientPeak clients_peak(Info* i) {
    Engine* e = i->engine;
    info_totals(i);  // also looks at the buffers
    int64_t second = clock_mono_ms() / 1000;
    ClientPeak worst = {};
    MutexGuard guard(&e->clients.lock);
    for (const ClientPeak& p : e->clients.peaks) {
        if (second - p.second >= static_cast<int64_t>(kPeakSeconds)) continue;
        if (p.in > worst.in) worst.in = p.in;
        if (p.out > worst.out) worst.out = p.out;
    }
    return worst;
}

// In WAIT or WAITAOF. In-process callers are no clients, as in connected_clients.
static uint64_t clients_blocked(Engine* e) {
    uint64_t n = 0;
    MutexGuard guard(&e->clients.lock);
    for (const Session* s = e->clients.head; s != nullptr; s = s->next)
        n += !s->embedded && s->waits.load(std::memory_order_relaxed);
    return n;
}

void info_clients(Info* i) {
    const Clients* list = &i->engine->clients;
    info_line(i, "connected_clients", list->connected.load(std::memory_order_relaxed));
    info_line(i, "cluster_connections", 0);
    info_line(i, "maxclients", setting(i->engine->config->maxclients));
    ClientPeak peak = clients_peak(i);
    info_line(i, "client_recent_max_input_buffer", peak.in);
    info_line(i, "client_recent_max_output_buffer", peak.out);
    info_line(i, "blocked_clients", clients_blocked(i->engine));
    info_line(i, "tracking_clients", i->engine->tracking->clients.load(std::memory_order_relaxed));
    info_line(i, "clients_in_timeout_table", 0);
}

void info_replication(Info* i) {
    info_text(i, "role", "master");
    info_line(i, "connected_slaves", 0);
    info_text(i, "master_failover_state", "no-failover");
    info_text(i, "master_replid", i->engine->replid);
    info_text(i, "master_replid2", "0000000000000000000000000000000000000000");
    info_line(i, "master_repl_offset", 0);
    info_text(i, "second_repl_offset", "-1");
    info_line(i, "repl_backlog_active", 0);
    char size[32];
    config_text(i->engine->config, "repl-backlog-size", size, sizeof size);
    info_text(i, "repl_backlog_size", size);
    info_line(i, "repl_backlog_first_byte_offset", 0);
    info_line(i, "repl_backlog_histlen", 0);
}

static void cpu_line(Info* i, const char* name, const timeval& t) {
    text_addf(&i->text, "%s:%lld.%06lld\r\n", name, static_cast<long long>(t.tv_sec),
              static_cast<long long>(t.tv_usec));
}

static timeval as_timeval(const std::atomic<int64_t>& us) {
    int64_t n = us.load(std::memory_order_relaxed);
    return {n / 1000000, n % 1000000};
}

void info_cpu(Info* i) {
    rusage self = {}, children = {};
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    cpu_line(i, "used_cpu_sys", self.ru_stime);
    cpu_line(i, "used_cpu_user", self.ru_utime);
    cpu_line(i, "used_cpu_sys_children", children.ru_stime);
    cpu_line(i, "used_cpu_user_children", children.ru_utime);
    cpu_line(i, "used_cpu_sys_main_thread", as_timeval(i->engine->main_sys_us));
    cpu_line(i, "used_cpu_user_main_thread", as_timeval(i->engine->main_user_us));
}

void info_modules(Info*) {}  // there are none

void info_cluster(Info* i) { info_line(i, "cluster_enabled", 0); }

}  // namespace rp
