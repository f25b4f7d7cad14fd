// What the log costs per SET, on the executing thread and on the log's own: batches of SETs as a
// loop runs them, 100,000 keys with values of 64 bytes, everysec.
//
// Arguments: commands in a batch, batches in a turn (they are handed in together), and where the
// file is: 0 there is no log, 1 nowhere (writes are thrown away), 2 /dev/shm, 3 the current
// directory. Counters: exec_ns, log_ns = processor time per SET. Compare exec_ns with that of 0.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <unistd.h>

#include <ctime>
#include <string>

#include "base/log.h"
#include "cmd/dispatch.h"
#include "cmd/families.h"
#include "keys.h"
#include "persist/log.h"

using namespace rp;
using namespace rp_bench;

namespace {

constexpr size_t kValueBytes = 64;

enum Target { kNone, kNowhere, kShm, kHere };

FileOps nowhere() {
    FileOps f = kSystemFiles;
    f.writev = [](void*, int, const iovec* parts, int count) {
        size_t sum = 0;
        for (int i = 0; i < count; i++)
            sum += parts[i].iov_len;
        return static_cast<ssize_t>(sum);
    };
    f.sync_data = [](void*, int) { return 0; };
    return f;
}

struct Home {
    EngineCore core;
    Worker worker;
    Session session;
    char value[kValueBytes];
    char dir[64] = {};
    FileOps files = kSystemFiles;
    Log* log = nullptr;

    explicit Home(Target place) {
        static bool registered = [] {
            for (const Cmd* family : {kStringCmds, kKeyCmds})
                commands_register(family);
            log_set_quiet(true);
            return true;
        }();
        (void)registered;
        if (config_new(&core.config) != Status::ok) abort();
        if (store_init(&core.store, core.config, 1) != Status::ok) abort();
        core.hooks.count_error = [](Engine*, Bytes) {};
        worker_init(&worker);
        worker.slot = epoch_slot();
        session.engine = reinterpret_cast<Engine*>(&core);
        session.worker = &worker;
        memset(value, 'v', sizeof value);
        if (place != kNone) open(place);
    }
    void open(Target place) {
        snprintf(dir, sizeof dir, "%s/rp-log-bench-XXXXXX", place == kHere ? "." : "/dev/shm");
        if (mkdtemp(dir) == nullptr) abort();
        if (place == kNowhere) files = nowhere();
        LogOptions o;
        o.files = &files;
        o.dir = dir;
        o.appendfilename = "a";
        Manifest none;
        PersistErr err;
        if (log_open(o, &none, &log, &err) != Status::ok) abort();
        worker.voice.journal = log_journal(log);
        worker.voice.later = true;
    }
    ~Home() {
        if (log != nullptr) {
            log_close(log);
            for (const char* name : {"/a.1.incr.aof", "/a.manifest"})
                unlink((std::string(dir) + name).c_str());
            rmdir(dir);
        }
        epoch_drain(epoch_slot());
        store_deinit(&core.store);
        worker_deinit(&worker);
        config_free(core.config);
        out_clear(&session.out);
    }
};

int64_t cpu_ns(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

}  // namespace

static void log_set(benchmark::State& state) {
    Home h(static_cast<Target>(state.range(2)));
    auto n = static_cast<size_t>(state.range(0)), batches = static_cast<size_t>(state.range(1));
    Journal* j = h.worker.voice.journal;
    Key keys[kBatchMax];
    Bytes args[kBatchMax][3];
    Command commands[kBatchMax];
    Walk walk(7);
    for (size_t i = 0; i < n; i++) {
        args[i][0] = "SET";
        args[i][2] = {h.value, kValueBytes};
        commands[i] = {};
        commands[i].argv = args[i];
        commands[i].argc = 3;
    }
    int64_t own = cpu_ns(CLOCK_THREAD_CPUTIME_ID), all = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (auto _ : state) {
        for (size_t b = 0; b < batches; b++) {
            for (size_t i = 0; i < n; i++) {
                keys[i] = key_of(walk.next(kFew));
                args[i][1] = key_bytes(keys[i]);
            }
            size_t ran;
            execute_batch(&h.session, commands, n, &ran);
            if (ran != n) abort();
            out_consume(&h.session.out, h.session.out.bytes);
        }
        if (j == nullptr) continue;
        journal_submit(&h.worker.voice);
        if (journal_full(j)) j->wait_room(j, -1);
    }
    if (j != nullptr) j->wait(j, h.session.rests_on, -1);
    own = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - own;
    all = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - all;
    auto items = static_cast<int64_t>(static_cast<size_t>(state.iterations()) * n * batches);
    state.SetItemsProcessed(items);
    state.counters["exec_ns"] = static_cast<double>(own) / static_cast<double>(items);
    state.counters["log_ns"] = static_cast<double>(all - own) / static_cast<double>(items);
    if (h.log == nullptr) return;
    LogStats s;
    log_stats(h.log, &s);
    state.counters["sets_per_write"] = static_cast<double>(items) / static_cast<double>(s.writes);
}

BENCHMARK(log_set)
    ->ArgsProduct({{1, 16}, {1, 50}, {kNone, kNowhere, kShm, kHere}})
    ->ArgNames({"batch", "turn", "place"})
    ->UseRealTime();
