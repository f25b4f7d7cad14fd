// The executor without a network: batches of commands as a loop runs them, 100,000 keys with values
// of 64 bytes. Arguments: commands in a batch. The least of several repetitions is what to compare:
// it is steady where the median of a busy machine is not.
#include <benchmark/benchmark.h>

#include "cmd/dispatch.h"
#include "cmd/families.h"
#include "keys.h"

using namespace rp;
using namespace rp_bench;

constexpr size_t kBatch = kBatchMax;
constexpr size_t kValueBytes = 64;

namespace {

struct Home {
    EngineCore core;
    Worker worker;
    Session session;
    char value[kValueBytes];

    Home() {
        for (const Cmd* family : {kStringCmds, kKeyCmds})
            commands_register(family);
        if (config_new(&core.config) != Status::ok) abort();
        if (store_init(&core.store, core.config, 1) != Status::ok) abort();
        core.hooks.count_error = [](Engine*, Bytes) {};
        worker_init(&worker);
        worker.slot = epoch_slot();
        session.engine = reinterpret_cast<Engine*>(&core);
        session.worker = &worker;
        memset(value, 'v', sizeof value);
    }
};

Home* home() {
    static Home* h = new Home;
    return h;
}

}  // namespace

// Runs batches of "name key [value]" with keys at random.
static void run_batches(benchmark::State& state, Bytes name, size_t argc) {
    Home* h = home();
    auto n = static_cast<size_t>(state.range(0));
    Key keys[kBatch];
    Bytes args[kBatch][3];
    Command commands[kBatch];
    Walk walk(7);
    for (size_t i = 0; i < n; i++) {
        args[i][0] = name;
        args[i][2] = {h->value, kValueBytes};
        commands[i] = {};
        commands[i].argv = args[i];
        commands[i].argc = argc;
    }
    for (auto _ : state) {
        for (size_t i = 0; i < n; i++) {
            keys[i] = key_of(walk.next(kFew));
            args[i][1] = key_bytes(keys[i]);
        }
        size_t ran;
        execute_batch(&h->session, commands, n, &ran);
        out_consume(&h->session.out, h->session.out.bytes);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(n));
}

static void execute_set(benchmark::State& state) { run_batches(state, "SET", 3); }
static void execute_get(benchmark::State& state) { run_batches(state, "GET", 2); }

BENCHMARK(execute_set)->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(execute_get)->Arg(1)->Arg(16)->Arg(64);
