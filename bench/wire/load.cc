// bench/wire/load.cc: a light load generator for servers that speak RESP2.
//
// Each connection sends a batch of P commands, waits for its P replies, and sends the next one.
// The batch is built once per connection; before each round only the 12 digits of every key are
// overwritten, values longer than kInlineMax are shared by all connections (writev), and the
// bodies of long replies are dropped in the kernel. So a command costs the generator a fraction
// of what it costs any server, and the server is what gets measured.
//
//   batch    [*2 $3 GET $16 key:000000000042][*2 $3 GET $16 key:000000091137] ...  P commands
//                               ^ patched                   ^ patched
//
// Threads  main measures the window; workers own their connections and share only the counters
//          in Worker that are atomic.
// Output   one JSON line. Exit 0; 1 on any error reply, surprise or lost connection; 2 on usage.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "histogram.h"
#include "options.h"
#include "procstat.h"
#include "replies.h"

namespace {

constexpr size_t kInlineMax = 1024;       // longer values are not copied into each batch
constexpr size_t kReadBytes = 256 << 10;  // one buffer per worker
constexpr size_t kReadShort = 4096;       // first read when bodies are long enough to drop
constexpr uint64_t kDropMin = 16 << 10;   // bodies with more left than this are dropped unread
constexpr int kIovMax = 128;              // pieces per sendmsg
constexpr uint64_t kWarmBatchBytes = 256 << 10;
constexpr uint64_t kWarmPipelineMax = 128;
constexpr int kWarmClients = 8;
constexpr int kWaitMs = 1000;
constexpr int kStallMs = 30'000;  // no reply for so long is a failure

char g_digits[1000][3];  // "000".."999"

[[noreturn]] void die(const char* fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fprintf(stderr, "rp_load: %s\n", text);
    exit(1);
}

uint64_t now_ns() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

// What all workers of one phase (warm-up or the measured run) share.
struct Phase {
    const Options* opt = nullptr;
    Op op = Op::get;
    int pipeline = 1;
    int clients = 1;
    bool sequential = false;   // keys in order, each once: the warm-up
    uint64_t batches_max = 0;  // 0: until `stop`
    std::string value;
    std::atomic<uint64_t> batches_started{0};
    std::atomic<uint64_t> key_next{0};
    std::atomic<int> connected{0};  // workers ready to start
    std::atomic<bool> go{false};
    std::atomic<bool> stop{false};
};

struct Conn {
    int fd = -1;
    bool busy = false;         // a batch is out
    bool wants_write = false;  // EPOLLOUT is set
    uint64_t sent_at_ns = 0;
    uint64_t replies_due = 0;  // parser count at which the batch is complete
    size_t iov_at = 0;         // first piece not wholly written
    size_t iov_skip = 0;       // bytes of it already written
    std::string text;          // everything but shared values
    std::vector<iovec> iov;
    std::vector<char*> keys;  // where each key's 12 digits are, inside text
    ReplyParser parser;
    ReplyCounts counts;
};

struct Worker {
    // Constant after the start.
    Phase* phase = nullptr;
    int cpu = -1;
    bool tcp = true;
    // This thread only.
    int ep = -1;
    int busy_n = 0;
    uint64_t rng = 0;
    std::vector<Conn> conns;
    std::vector<char> buf;
    Histogram latency;
    uint64_t seen = 0;  // replies already added to ops
    // Read by main.
    std::atomic<uint64_t> ops{0};
};

void pin_to(int cpu) {
    if (cpu < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) die("--cpu %d: %s", cpu, strerror(errno));
}

// ---- connections ----

int connect_unix(const Options& o) {
    sockaddr_un at = {};
    at.sun_family = AF_UNIX;
    if (o.unix_path.size() >= sizeof at.sun_path) die("--unix: the path is too long");
    memcpy(at.sun_path, o.unix_path.c_str(), o.unix_path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
        die("cannot connect to %s: %s", o.unix_path.c_str(), strerror(errno));
    }
    return fd;
}

int connect_tcp(const Options& o) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<uint16_t>(o.port));
    if (inet_pton(AF_INET, o.host.c_str(), &at.sin_addr) != 1) {
        die("--host %s: not an IPv4 address", o.host.c_str());
    }
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
        die("cannot connect to %s:%d: %s", o.host.c_str(), o.port, strerror(errno));
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// ---- batches ----

void put_bulk_head(std::string* out, size_t n) {
    *out += '$';
    *out += std::to_string(n);
    *out += "\r\n";
}

void put_bulk(std::string* out, const std::string& s) {
    put_bulk_head(out, s.size());
    *out += s;
    *out += "\r\n";
}

// Offsets into Conn::text while it still grows; turned into pointers by batch_build.
struct BatchPlan {
    std::vector<size_t> keys;
    std::vector<size_t> cuts;  // a shared value comes at each of these
};

void put_key(std::string* out, BatchPlan* plan) {
    put_bulk_head(out, 16);
    plan->keys.push_back(out->size() + 4);
    *out += "key:000000000000\r\n";
}

void put_value(std::string* out, BatchPlan* plan, const std::string& value) {
    if (value.size() <= kInlineMax) return put_bulk(out, value);
    put_bulk_head(out, value.size());
    plan->cuts.push_back(out->size());
    *out += "\r\n";
}

void put_command(std::string* out, BatchPlan* plan, const Phase& p) {
    static const char* const kNames[] = {"GET", "SET", "INCR", "MSET", "PING"};
    const int pairs = p.op == Op::mset ? p.opt->mset_keys : 1;
    const int args = p.op == Op::ping ? 1 : p.op == Op::set || p.op == Op::mset ? 1 + 2 * pairs : 2;
    *out += '*';
    *out += std::to_string(args);
    *out += "\r\n";
    put_bulk(out, kNames[static_cast<int>(p.op)]);
    if (p.op == Op::ping) return;
    for (int i = 0; i < pairs; i++) {
        put_key(out, plan);
        if (p.op == Op::set || p.op == Op::mset) put_value(out, plan, p.value);
    }
}

void batch_build(Conn* c, Phase* p) {
    BatchPlan plan;
    for (int i = 0; i < p->pipeline; i++)
        put_command(&c->text, &plan, *p);
    for (size_t at : plan.keys)
        c->keys.push_back(c->text.data() + at);
    size_t from = 0;
    for (size_t cut : plan.cuts) {
        c->iov.push_back({c->text.data() + from, cut - from});
        c->iov.push_back({p->value.data(), p->value.size()});
        from = cut;
    }
    c->iov.push_back({c->text.data() + from, c->text.size() - from});
}

uint64_t key_random(Worker* w) {
    w->rng ^= w->rng >> 12;
    w->rng ^= w->rng << 25;
    w->rng ^= w->rng >> 27;
    const uint64_t r = w->rng * 0x2545F4914F6CDD1Du;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(r) * w->phase->opt->keys) >> 64);
}

void key_write(char* at, uint64_t key) {
    for (int i = 3; i >= 0; i--) {
        memcpy(at + 3 * i, g_digits[key % 1000], 3);
        key /= 1000;
    }
}

void batch_patch(Worker* w, Conn* c) {
    Phase* p = w->phase;
    const uint64_t n = p->opt->keys;
    if (p->sequential) {  // past the last key the last one is simply set again
        uint64_t key = p->key_next.fetch_add(c->keys.size(), std::memory_order_relaxed);
        for (char* at : c->keys)
            key_write(at, key++ < n ? key - 1 : n - 1);
        return;
    }
    if (n == 1) return;
    for (char* at : c->keys)
        key_write(at, key_random(w));
}

// ---- sending and receiving ----

void conn_watch_write(Worker* w, Conn* c, bool on) {
    if (c->wants_write == on) return;
    c->wants_write = on;
    epoll_event ev = {};
    ev.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN;
    ev.data.ptr = c;
    if (epoll_ctl(w->ep, EPOLL_CTL_MOD, c->fd, &ev) != 0) die("epoll_ctl: %s", strerror(errno));
}

// Moves the write position on by n bytes.
void conn_wrote(Conn* c, size_t n) {
    n += c->iov_skip;
    while (c->iov_at < c->iov.size() && n >= c->iov[c->iov_at].iov_len) {
        n -= c->iov[c->iov_at++].iov_len;
    }
    c->iov_skip = n;
}

ssize_t conn_write_some(Conn* c) {
    if (c->iov.size() == 1) {
        const char* base = static_cast<const char*>(c->iov[0].iov_base);
        const size_t left = c->iov[0].iov_len - c->iov_skip;
        return send(c->fd, base + c->iov_skip, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    iovec part[kIovMax];
    size_t n = 0;
    while (n < kIovMax && c->iov_at + n < c->iov.size()) {
        part[n] = c->iov[c->iov_at + n];
        n++;
    }
    part[0].iov_base = static_cast<char*>(part[0].iov_base) + c->iov_skip;
    part[0].iov_len -= c->iov_skip;
    msghdr msg = {};
    msg.msg_iov = part;
    msg.msg_iovlen = n;
    return sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void conn_write(Worker* w, Conn* c) {
    while (c->iov_at < c->iov.size()) {
        const ssize_t n = conn_write_some(c);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return conn_watch_write(w, c, true);
        if (n < 0) die("the server closed a connection while we sent: %s", strerror(errno));
        conn_wrote(c, static_cast<size_t>(n));
    }
    conn_watch_write(w, c, false);
}

void conn_start_batch(Worker* w, Conn* c) {
    Phase* p = w->phase;
    if (p->stop.load(std::memory_order_relaxed)) return;
    if (p->batches_max > 0 &&
        p->batches_started.fetch_add(1, std::memory_order_relaxed) >= p->batches_max) {
        return;
    }
    batch_patch(w, c);
    c->iov_at = 0;
    c->iov_skip = 0;
    c->replies_due = c->counts.replies + static_cast<uint64_t>(p->pipeline);
    c->busy = true;
    w->busy_n++;
    c->sent_at_ns = now_ns();
    conn_write(w, c);
}

// Reads once; returns false when the socket is empty.
bool conn_read_once(Worker* w, Conn* c) {
    const bool drop = w->tcp && c->parser.skip > kDropMin;
    const bool long_bodies = w->tcp && w->phase->value.size() > kDropMin;
    const uint64_t ask = drop ? c->parser.skip : c->parser.skip + kReadShort;
    const size_t want = drop || long_bodies ? std::min<uint64_t>(ask, kReadBytes) : kReadBytes;
    const ssize_t got = recv(c->fd, w->buf.data(), want, MSG_DONTWAIT | (drop ? MSG_TRUNC : 0));
    if (got < 0 && errno == EINTR) return true;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) die("the server closed a connection: %s", got < 0 ? strerror(errno) : "EOF");
    const size_t n = static_cast<size_t>(got);
    if (drop) {
        reply_skip(&c->parser, &c->counts, n);
    } else if (!reply_feed(&c->parser, &c->counts, w->buf.data(), n)) {
        die("not a RESP2 reply: %.80s", c->counts.first_problem);
    }
    return n == want;
}

// Reads what is there. Returns true when the batch is complete.
bool conn_read(Worker* w, Conn* c) {
    const uint64_t before = c->counts.replies;
    while (conn_read_once(w, c)) {
        if (c->counts.replies >= c->replies_due) break;
    }
    w->seen += c->counts.replies - before;
    w->ops.store(w->seen, std::memory_order_relaxed);
    if (!c->busy || c->counts.replies < c->replies_due) return false;
    if (c->counts.replies > c->replies_due) die("the server sent more replies than commands");
    hist_add(&w->latency, now_ns() - c->sent_at_ns);
    c->busy = false;
    w->busy_n--;
    return true;
}

// One turn: first take all replies that are there, then send all next batches, so that the
// server finds a burst of ready connections, as it would under load from many machines.
void worker_turn(Worker* w, epoll_event* events, int n, std::vector<Conn*>* ready) {
    ready->clear();
    for (int i = 0; i < n; i++) {
        Conn* c = static_cast<Conn*>(events[i].data.ptr);
        if ((events[i].events & EPOLLOUT) != 0) conn_write(w, c);
        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && conn_read(w, c)) {
            ready->push_back(c);
        }
    }
    for (Conn* c : *ready)
        conn_start_batch(w, c);
}

void worker_open(Worker* w, int conns) {
    Phase* p = w->phase;
    w->tcp = p->opt->unix_path.empty();
    w->buf.resize(kReadBytes);
    w->conns = std::vector<Conn>(static_cast<size_t>(conns));
    w->ep = epoll_create1(EPOLL_CLOEXEC);
    if (w->ep < 0) die("epoll_create1: %s", strerror(errno));
    static const char kTypes[] = {'$', '+', ':', '+', '+'};
    for (Conn& c : w->conns) {
        c.fd = w->tcp ? connect_tcp(*p->opt) : connect_unix(*p->opt);
        c.parser.expect_type = kTypes[static_cast<int>(p->op)];
        if (p->op == Op::get) c.parser.expect_len = static_cast<int64_t>(p->opt->value_bytes);
        batch_build(&c, p);
        epoll_event ev = {};
        ev.events = EPOLLIN;
        ev.data.ptr = &c;
        if (epoll_ctl(w->ep, EPOLL_CTL_ADD, c.fd, &ev) != 0) die("epoll_ctl: %s", strerror(errno));
    }
}

void worker_run(Worker* w, int conns) {
    pin_to(w->cpu);
    worker_open(w, conns);
    w->phase->connected.fetch_add(1);
    w->phase->connected.notify_one();
    w->phase->go.wait(false);
    for (Conn& c : w->conns)
        conn_start_batch(w, &c);
    std::vector<epoll_event> events(w->conns.size());
    std::vector<Conn*> ready;
    uint64_t seen_last = 0;
    int idle_ms = 0;
    while (w->busy_n > 0) {
        const int n = epoll_wait(w->ep, events.data(), static_cast<int>(events.size()), kWaitMs);
        if (n < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
        if (n > 0) {
            worker_turn(w, events.data(), n, &ready);
            continue;
        }
        idle_ms = w->seen == seen_last ? idle_ms + kWaitMs : 0;
        seen_last = w->seen;
        if (idle_ms >= kStallMs) die("no reply for %d s", kStallMs / 1000);
    }
    for (Conn& c : w->conns)
        close(c.fd);
    close(w->ep);
}

// ---- measuring ----

struct Snapshot {
    uint64_t at_ns = 0;
    uint64_t ops = 0;
    double load_cpu_s = 0;
    CpuTime server;
};

double load_cpu_s() {
    rusage u = {};
    getrusage(RUSAGE_SELF, &u);
    return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

Snapshot snapshot(const Options& o, const std::vector<Worker>& workers) {
    Snapshot s;
    if (o.server_pid > 0 && !process_cpu(o.server_pid, &s.server)) {
        die("--server-pid %d: %s", o.server_pid, strerror(errno));
    }
    s.load_cpu_s = load_cpu_s();
    s.at_ns = now_ns();
    for (const Worker& w : workers)
        s.ops += w.ops.load(std::memory_order_relaxed);
    return s;
}

void sleep_s(double s) {
    timespec t;
    t.tv_sec = static_cast<time_t>(s);
    t.tv_nsec = static_cast<long>((s - static_cast<double>(t.tv_sec)) * 1e9);
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {}
}

struct Result {
    Snapshot from;
    Snapshot to;
    Histogram latency;
    uint64_t errors = 0;
    uint64_t unexpected = 0;
    uint64_t misses = 0;
    std::string problem;
};

void result_collect(Result* r, const std::vector<Worker>& workers) {
    for (const Worker& w : workers) {
        hist_merge(&r->latency, w.latency);
        for (const Conn& c : w.conns) {
            r->errors += c.counts.errors;
            r->unexpected += c.counts.unexpected;
            r->misses += c.counts.misses;
            if (r->problem.empty()) r->problem = c.counts.first_problem;
        }
    }
}

// Runs one phase to its end. With a time given, the window starts after the ramp and ends
// before the drain, so only steady load is counted; else it is the whole phase.
void phase_run(Phase* p, double seconds, Result* r) {
    const Options& o = *p->opt;
    const int threads = o.threads < p->clients ? o.threads : p->clients;
    std::vector<Worker> workers(static_cast<size_t>(threads));
    std::vector<std::thread> running;
    for (int i = 0; i < threads; i++) {
        Worker& w = workers[static_cast<size_t>(i)];
        w.phase = p;
        w.rng = (o.seed + static_cast<uint64_t>(i) + 1) * 0x9E3779B97F4A7C15u | 1;
        if (!o.cpus.empty()) w.cpu = o.cpus[static_cast<size_t>(i) % o.cpus.size()];
        const int conns = p->clients / threads + (i < p->clients % threads ? 1 : 0);
        running.emplace_back(worker_run, &w, conns);
    }
    for (int n = 0; n < threads; n = p->connected.load())
        p->connected.wait(n);
    p->go.store(true);
    p->go.notify_all();
    if (seconds > 0) sleep_s(o.ramp_s);
    r->from = snapshot(o, workers);
    if (seconds > 0) {
        sleep_s(seconds);
        r->to = snapshot(o, workers);
        p->stop.store(true);
    }
    for (std::thread& t : running)
        t.join();
    if (seconds <= 0) r->to = snapshot(o, workers);
    result_collect(r, workers);
}

bool result_good(const Result& r, const char* phase) {
    if (r.errors + r.unexpected == 0) return true;
    fprintf(stderr, "rp_load: %s: %llu error replies, %llu unexpected replies; first: %s\n", phase,
            static_cast<unsigned long long>(r.errors),
            static_cast<unsigned long long>(r.unexpected), r.problem.c_str());
    return false;
}

void result_print(const Options& o, const Result& r) {
    const double s = static_cast<double>(r.to.at_ns - r.from.at_ns) / 1e9;
    const uint64_t ops = r.to.ops - r.from.ops;
    printf(
        "{\"op\": \"%s\", \"pipeline\": %d, \"clients\": %d, \"threads\": %d, "
        "\"keys\": %llu, \"value_bytes\": %llu, \"ops\": %llu, \"seconds\": %.6f, "
        "\"ops_per_s\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
        "\"errors\": %llu, \"misses\": %llu, \"load_cpu_s\": %.6f",
        o.op_name.c_str(), o.pipeline, o.clients, o.threads,
        static_cast<unsigned long long>(o.keys), static_cast<unsigned long long>(o.value_bytes),
        static_cast<unsigned long long>(ops), s, static_cast<double>(ops) / s,
        hist_quantile_us(r.latency, 0.5), hist_quantile_us(r.latency, 0.99),
        hist_quantile_us(r.latency, 0.999),
        static_cast<unsigned long long>(r.errors + r.unexpected),
        static_cast<unsigned long long>(r.misses), r.to.load_cpu_s - r.from.load_cpu_s);
    if (o.server_pid > 0) {
        printf(", \"server_cpu_s\": %.6f, \"server_wait_s\": %.6f",
               r.to.server.run_s - r.from.server.run_s, r.to.server.wait_s - r.from.server.wait_s);
    }
    printf("}\n");
}

// Sets every key once, in order.
bool warm_up(const Options& o) {
    Phase p;
    p.opt = &o;
    p.op = Op::set;
    p.sequential = true;
    p.value = o.op == Op::incr ? "0" : std::string(o.value_bytes, 'v');
    const uint64_t fit = kWarmBatchBytes / (o.value_bytes + 64) + 1;
    p.pipeline = static_cast<int>(fit < kWarmPipelineMax ? fit : kWarmPipelineMax);
    p.clients = kWarmClients;
    const uint64_t per_batch = static_cast<uint64_t>(p.pipeline);
    p.batches_max = (o.keys + per_batch - 1) / per_batch;
    Result r;
    phase_run(&p, 0, &r);
    return result_good(r, "warm-up");
}

bool measure(const Options& o, Result* r) {
    Phase p;
    p.opt = &o;
    p.op = o.op;
    p.pipeline = o.pipeline;
    p.clients = o.clients;
    p.value = std::string(o.value_bytes, 'v');
    const uint64_t per_batch = static_cast<uint64_t>(o.pipeline);
    p.batches_max = (o.requests + per_batch - 1) / per_batch;
    phase_run(&p, o.seconds, r);
    return result_good(*r, "run");
}

}  // namespace

int main(int argc, char** argv) {
    Options o;
    if (!options_parse(argc, argv, &o)) return 2;
    for (int i = 0; i < 1000; i++) {
        g_digits[i][0] = static_cast<char>('0' + i / 100);
        g_digits[i][1] = static_cast<char>('0' + i / 10 % 10);
        g_digits[i][2] = static_cast<char>('0' + i % 10);
    }
    if (o.warm && !warm_up(o)) return 1;
    if (o.seconds <= 0 && o.requests == 0) return 0;  // only the warm-up was asked for
    Result r;
    const bool good = measure(o, &r);
    result_print(o, r);
    return good ? 0 : 1;
}
