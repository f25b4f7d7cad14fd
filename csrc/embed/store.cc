// embed/store.cc: a store's life: open, serve, close.
#include "embed/store.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

#include "base/log.h"
#include "base/log_queue.h"
#include "conf/rows.h"
#include "engine/config_hooks.h"
#include "mem/mem.h"

using namespace rp;

namespace rp {

int store_enter(rp_store* store) {
    // seq_cst: the count is visible before the state is read (S1).
    store->guests.fetch_add(1, std::memory_order_seq_cst);
    if (store->state.load(std::memory_order_seq_cst) == StoreState::open) return RP_OK;
    store_leave(store);
    return RP_CLOSED;
}

void store_leave(rp_store* store) { store->guests.fetch_sub(1, std::memory_order_release); }

void store_unref(rp_store* store) {
    if (store->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    store->~rp_store();
    mem_free(store, sizeof(rp_store));
}

}  // namespace rp

static int status_code(Status s) {
    switch (s) {
        case Status::ok: return RP_OK;
        case Status::no_memory: return RP_NO_MEMORY;
        case Status::in_use: return RP_IN_USE;
        case Status::io:
        case Status::denied: return RP_IO;
        case Status::closed: return RP_CLOSED;
        case Status::foreign: return RP_FOREIGN;
        case Status::limit:
        case Status::not_found:
        case Status::exists:
        case Status::invalid: return RP_INVALID;
    }
    return RP_INVALID;
}

static int fail(char** error, int code, const char* text) {
    if (error != nullptr) *error = strdup(text);
    return code;
}

// ---- opening ----------------------------------------------------------------------------------

static bool is_set(Config* c, const char* name, char* out) {
    return config_text(c, bytes_of(name), out, kPathMax) != 0 && out[0] != '\0';
}

static bool is_yes(Config* c, const char* name) {
    char text[8];
    config_text(c, bytes_of(name), text, sizeof text);
    return strcmp(text, "yes") == 0;
}

static void syslog_start(Config* c) {
    static const struct {
        const char* name;
        int facility;
    } kFacilities[] = {{"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
                       {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
                       {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};
    char ident[64], facility[16];
    if (!is_yes(c, "syslog-enabled")) return log_to_syslog(nullptr, 0);
    config_text(c, "syslog-ident", ident, sizeof ident);
    config_text(c, "syslog-facility", facility, sizeof facility);
    for (const auto& f : kFacilities) {
        if (strcmp(f.name, facility) == 0) log_to_syslog(ident, f.facility);
    }
}

// Where the log goes and what is logged: the process' log, not the store's.
static int log_start(Config* c, unsigned flags, char** error) {
    char path[kPathMax], text[kPathMax + 128];
    bool to_file = is_set(c, "logfile", path);
    log_settings_apply(c);
    if (!to_file && !(flags & RP_SERVER)) {
        if (flags & RP_LOG_QUEUE) log_queue_start();
        if (epoch_fork_generation() == 0) log_set_quiet(true);
        return RP_OK;
    }
    if (log_open(to_file ? path : nullptr) != Status::ok) {
        snprintf(text, sizeof text, "'logfile': cannot open '%s': %s", path, strerror(errno));
        return fail(error, RP_IO, text);
    }
    if (!to_file) log_to_journal();
    if (flags & RP_SERVER) syslog_start(c);
    log_set_quiet(false);
    return RP_OK;
}

static int enter_folder(Config* c, char** error) {
    char path[kPathMax], text[kPathMax + 128];
    if (!is_set(c, "dir", path) || chdir(path) == 0) return RP_OK;
    snprintf(text, sizeof text, "'dir': cannot enter '%s': %s", path, strerror(errno));
    return fail(error, RP_IO, text);
}

static int load(Config* c, int argc, const char* const* argv, unsigned flags, char** error) {
    ConfigErr err;
    ConfigSources sources;
    sources.argc = argc;
    sources.argv = argv;
    if (flags & RP_USE_ENVIRONMENT) sources.environment = environ;
    if (!config_load(c, sources, &err)) return fail(error, RP_INVALID, err.text);
    if (!(flags & RP_SERVER) && is_yes(c, "daemonize")) {
        return fail(error, RP_INVALID, "'daemonize': only the server can leave the foreground");
    }
    int code = flags & RP_SERVER ? enter_folder(c, error) : RP_OK;
    return code == RP_OK ? log_start(c, flags, error) : code;
}

int rp_open(int argc, const char* const* argv, unsigned flags, rp_store** out, char** error) {
    *out = nullptr;
    if (error != nullptr) *error = nullptr;
    engine_register_commands();
    epoch_slot();  // also installs the fork hook
    Config* config;
    if (config_new(&config) != Status::ok) return fail(error, RP_NO_MEMORY, "out of memory");
    int code = load(config, argc, argv, flags, error);
    if (code != RP_OK) {
        config_free(config);
        return code;
    }
    Engine* engine;
    Status s = engine_open(config, &engine);
    if (s != Status::ok) return fail(error, status_code(s), status_text(s));
    ConfigErr wrong;
    if (!engine_configure(engine, &wrong)) {
        engine_close(engine);
        return fail(error, RP_INVALID, wrong.text);
    }
    PersistErr why;
    bool serving = (flags & RP_SERVER) != 0;
    if (!persistence_open(engine, serving, &why) || (!serving && !persistence_load(engine, &why))) {
        engine_close(engine);
        return fail(error, RP_DATA, why.text);
    }
    rp_store* store = new (mem_alloc(sizeof(rp_store))) rp_store;
    store->engine = engine;
    store->fork_generation = epoch_fork_generation();
    *out = store;
    return RP_OK;
}

char* rp_setting(int argc, const char* const* argv, unsigned flags, const char* name,
                 char** error) {
    if (error != nullptr) *error = nullptr;
    Config* config;
    char value[kPathMax];
    ConfigErr err;
    ConfigSources sources;
    sources.argc = argc;
    sources.argv = argv;
    if (flags & RP_USE_ENVIRONMENT) sources.environment = environ;
    if (config_new(&config) != Status::ok) return nullptr;
    char* found = nullptr;
    if (!config_load(config, sources, &err)) {
        fail(error, RP_INVALID, err.text);
    } else if (config_row_find(bytes_of(name)) != nullptr) {
        config_text(config, bytes_of(name), value, sizeof value);
        found = strdup(value);
    }
    config_free(config);
    return found;
}

// ---- the log ----------------------------------------------------------------------------------

static_assert(sizeof(rp_log_line::text) == kLogLineMax);

int rp_log_take(rp_log_line* line, int timeout_ms) {
    LogLine r;
    if (!log_queue_take(&r, timeout_ms)) return 0;
    line->level = static_cast<int>(r.level);
    line->time_ms = r.time_ms;
    line->lost = r.lost;
    line->len = r.len;
    memcpy(line->text, r.text, r.len);
    return 1;
}

int rp_log_queued(void) { return log_queue_running() ? 1 : 0; }

void rp_log_wake(void) { log_queue_wake(); }

int rp_log_reopen(char** error) {
    char text[256];
    if (log_reopen() == Status::ok) return RP_OK;
    snprintf(text, sizeof text, "'logfile': cannot be opened again: %s", strerror(errno));
    return fail(error, RP_IO, text);
}

void rp_log_say(int level, const char* text) {
    if (level < RP_LOG_DEBUG_LEVEL || level > RP_LOG_WARNING_LEVEL) return;
    log_line(static_cast<LogLevel>(level), "%s", text);
}

// ---- what the log says ------------------------------------------------------------------------

struct Names {
    char text[512];
    size_t used;
};

static void add_name(void* arg, Bytes name, Bytes) {
    auto* list = static_cast<Names*>(arg);
    if (list->used + name.len + 3 > sizeof list->text) return;
    if (list->used != 0) {
        memcpy(list->text + list->used, ", ", 2);
        list->used += 2;
    }
    memcpy(list->text + list->used, name.ptr, name.len);
    list->used += name.len;
}

static void log_banner(Config* c) {
    RP_LOG_NOTICE("RustyPotato %s, compatible with Redis %s, pid %d, %lld event loops", RP_VERSION,
                  kServerVersion, static_cast<int>(getpid()),
                  static_cast<long long>(config_num(c->io_threads)));
    Names names = {};
    config_unused(c, {add_name, &names});
    if (names.used == 0) return;
    RP_LOG_NOTICE("Settings without effect here: %.*s", static_cast<int>(names.used), names.text);
}

// ---- closing ----------------------------------------------------------------------------------

static void wait_a_little(int turn) {
    if (turn < 16) {
        sched_yield();
        return;
    }
    timespec nap = {0, 50 * 1000};
    nanosleep(&nap, nullptr);
}

static bool somebody_executes(rp_store* store) {
    if (store->guests.load(std::memory_order_acquire) != 0) return true;
    MutexGuard guard(&store->lock);
    for (const rp_session* s = store->sessions; s != nullptr; s = s->next) {
        // Pairs with the release in session_leave: what that call did is over.
        if (s->busy.load(std::memory_order_acquire) != 0) return true;
    }
    return false;
}

static void stop_serving(rp_store* store) {
    if (!store->serving) return;
    net_stop(store->net);
    store->serving = false;
    RP_LOG_NOTICE("Stopped: no longer accepting connections");
}

void rp_close(rp_store* store) {
    if (!store_is_mine(store)) return;
    MutexGuard guard(&store->admin);
    if (store->state.load(std::memory_order_relaxed) == StoreState::closed) return;
    stop_serving(store);
    store->state.store(StoreState::closing, std::memory_order_seq_cst);
    engine_request_stop(store->engine);  // who waits for CLIENT PAUSE or in rp_wait_stop comes back
    epoch_fence_all();                   // S1
    for (int turn = 0; somebody_executes(store); turn++)
        wait_a_little(turn);
    mutex_lock(&store->lock);
    for (rp_session* s = store->sessions; s != nullptr; s = s->next)
        session_detach(s);
    mutex_unlock(&store->lock);
    net_close(store->net);
    store->net = nullptr;
    engine_close(store->engine);
    store->engine = nullptr;
    store->state.store(StoreState::closed, std::memory_order_release);
}

void rp_free(rp_store* take) {
    if (take == nullptr || !store_is_mine(take)) return;
    rp_close(take);
    store_unref(take);
}

int rp_check(const rp_store* store) {
    if (!store_is_mine(store)) return RP_FOREIGN;
    return store->state.load(std::memory_order_acquire) == StoreState::open ? RP_OK : RP_CLOSED;
}

// ---- serving ----------------------------------------------------------------------------------

// The setting follows, so that CONFIG GET tells the truth.
static int set_bind(rp_store* store, const char* addresses, char** error) {
    ConfigErr err;
    ConfigPair pair = {"bind", bytes_of(addresses)};
    if (config_set_many(store->engine->config, &pair, 1, true, &err)) return RP_OK;
    return fail(error, RP_INVALID, err.text);
}

static int serve(rp_store* store, const rp_address* address, int* port, char** error) {
    if (store->state.load(std::memory_order_relaxed) != StoreState::open) {
        return fail(error, RP_CLOSED, "the store is closed");
    }
    if (store->serving) {
        return fail(error, RP_INVALID, "the store is being served already: stop that first");
    }
    int code = address->bind != nullptr ? set_bind(store, address->bind, error) : RP_OK;
    if (code != RP_OK) return code;
    NetOptions options;
    options.port_override = address->port;
    options.unixsocket = address->unixsocket;
    NetErr err;
    log_banner(store->engine->config);
    store->engine->stop.store(StopState::running, std::memory_order_relaxed);
    persistence_stop_over(store->engine);
    Net* net;
    Status s = net_open(store->engine, options, &net, &err);
    if (s != Status::ok) return fail(error, status_code(s), err.text);
    store->net = net;
    store->serving = true;
    *port = net_port(net);
    return RP_OK;
}

int rp_listen(rp_store* store, const rp_address* address, int* port, char** error) {
    if (error != nullptr) *error = nullptr;
    *port = 0;
    if (!store_is_mine(store)) return fail(error, RP_FOREIGN, rp_status_text(RP_FOREIGN));
    MutexGuard guard(&store->admin);
    return serve(store, address, port, error);
}

int rp_load(rp_store* store, char** error) {
    if (error != nullptr) *error = nullptr;
    if (!store_is_mine(store)) return fail(error, RP_FOREIGN, rp_status_text(RP_FOREIGN));
    int code = store_enter(store);
    if (code != RP_OK) return fail(error, code, rp_status_text(code));
    PersistErr why;
    Engine* e = store->engine;
    bool ok = persistence_load(e, &why);
    bool stopped = e->stop.load(std::memory_order_acquire) != StopState::running;
    if (ok && store->serving) RP_LOG_NOTICE("Ready to accept connections");
    store_leave(store);
    if (ok) return RP_OK;
    return fail(error, stopped ? RP_CLOSED : RP_DATA, why.text);
}

int rp_stop(rp_store* store) {
    if (!store_is_mine(store)) return RP_FOREIGN;
    MutexGuard guard(&store->admin);
    stop_serving(store);
    return RP_OK;
}

// Not futex_wait of sync/mutex.h: a signal must bring this one back, so that its handler can run.
static void nap_until_stop(Engine* e, int timeout_ms) {
    timespec limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
    syscall(SYS_futex, &e->stop, FUTEX_WAIT_PRIVATE, static_cast<uint32_t>(StopState::running),
            timeout_ms < 0 ? nullptr : &limit, nullptr, 0);
}

int rp_wait_stop(rp_store* store, int timeout_ms) {
    if (!store_is_mine(store)) return RP_FOREIGN;
    int code = store_enter(store);
    if (code != RP_OK) return code;
    Engine* e = store->engine;
    if (e->stop.load(std::memory_order_acquire) == StopState::running) {
        nap_until_stop(e, timeout_ms);
    }
    bool asked = e->stop.load(std::memory_order_acquire) != StopState::running;
    store_leave(store);
    return asked ? 1 : 0;
}

int rp_prepare_stop(rp_store* store) {
    if (!store_is_mine(store)) return RP_FOREIGN;
    int code = store_enter(store);
    if (code != RP_OK) return code;
    bool fine = persistence_prepare_stop(store->engine, LastSave::by_save_points, false);
    store_leave(store);
    return fine ? RP_OK : RP_DATA;
}

int rp_request_stop(rp_store* store) {
    if (!store_is_mine(store)) return RP_FOREIGN;
    int code = store_enter(store);
    if (code != RP_OK) return code;
    store->engine->persistence->stop_loading.store(true, std::memory_order_relaxed);
    engine_request_stop(store->engine);
    store_leave(store);
    return RP_OK;
}

// ---- about ------------------------------------------------------------------------------------

const char* rp_status_text(int status) {
    switch (status) {
        case RP_OK: return "ok";
        case RP_BUSY: return "it would have to wait";
        case RP_INVALID: return "invalid argument";
        case RP_NO_MEMORY: return "out of memory";
        case RP_CLOSED: return "the store or session is closed";
        case RP_FOREIGN:
            return "the store belongs to the parent process: after fork() open a new one in the "
                   "child";
        case RP_IN_USE: return "the address is in use";
        case RP_IO: return "the operating system refused";
        case RP_CUT: return "the subscriber was cut off: it did not take its messages";
        case RP_DATA: return "the data could not be brought back";
        default: return "unknown status";
    }
}

static char* print_to_text(void (*print)(FILE* out)) {
    char* text = nullptr;
    size_t size = 0;
    FILE* file = open_memstream(&text, &size);
    if (file == nullptr) return nullptr;
    print(file);
    fclose(file);
    return text;
}

char* rp_docs(const char* which) {
    engine_register_commands();
    if (strcmp(which, "commands") == 0) return engine_commands_markdown();
    if (strcmp(which, "configuration") == 0) return print_to_text(config_docs_markdown);
    if (strcmp(which, "redis.conf") == 0) return print_to_text(config_docs_conf);
    return nullptr;
}

const char* rp_version(void) { return RP_VERSION; }
const char* rp_redis_version(void) { return kServerVersion; }
