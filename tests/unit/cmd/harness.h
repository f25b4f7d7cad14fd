// A store and sessions without engine or network: just enough to run commands through the
// dispatcher.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cmd/dispatch.h"
#include "cmd/families.h"
#include "unit/resp/out_text.h"

namespace rp::test {

inline void register_once() {
    static bool done = [] {
        for (const Cmd* family : {kStringCmds, kLcsCmds, kKeyCmds, kExpireCmds, kScanCmds,
                                  kDatabaseCmds, kObjectCmds, kTxnCmds, kHashCmds, kSetCmds,
                                  kSetOpCmds, kZsetCmds, kZsetRangeCmds, kZsetStoreCmds}) {
            commands_register(family);
        }
        return true;
    }();
    (void)done;
}

struct TestEngine {
    EngineCore core;

    explicit TestEngine(uint32_t databases = 16) {
        register_once();
        EXPECT_EQ(config_new(&core.config), Status::ok);
        EXPECT_EQ(store_init(&core.store, core.config, databases), Status::ok);
        core.hooks.count_error = [](Engine*, Bytes) {};
        core.hooks.is_paused = [](Engine*, const Session*, const Cmd*) { return false; };
    }
    ~TestEngine() {
        epoch_drain(epoch_slot());
        store_deinit(&core.store);
        config_free(core.config);
    }
    Engine* engine() { return reinterpret_cast<Engine*>(&core); }
};

// One client. Made and used by one thread.
struct Client {
    Session session;
    Worker worker;
    TestEngine* home;

    explicit Client(TestEngine* e) : home(e) {
        worker_init(&worker);
        worker.slot = epoch_slot();
        session.engine = e->engine();
        session.worker = &worker;
    }
    ~Client() {
        gate_enter(&home->core.store.gate, worker.slot);
        watch_clear(&home->core.store, &session.watcher);
        gate_leave(worker.slot);
        multi_clear(&session.multi);
        out_clear(&session.out);
        worker_deinit(&worker);
    }

    // The reply's wire bytes.
    std::string run(const std::vector<std::string>& words) { return pipeline({words}); }
    std::string pipeline(const std::vector<std::vector<std::string>>& commands) {
        std::vector<std::vector<Bytes>> argv(commands.size());
        std::vector<Command> batch(commands.size());
        for (size_t i = 0; i < commands.size(); i++) {
            for (const std::string& w : commands[i])
                argv[i].push_back({w.data(), w.size()});
            batch[i].argv = argv[i].data();
            batch[i].argc = argv[i].size();
        }
        size_t ran = 0;
        last = execute_batch(&session, batch.data(), batch.size(), &ran);
        std::string reply = out_text(&session.out);
        epoch_reclaim(worker.slot);
        return reply;
    }
    // "SET k v": words split at single spaces.
    std::string operator()(const std::string& line) {
        std::vector<std::string> words(1);
        for (char ch : line) {
            if (ch == ' ') {
                words.emplace_back();
            } else {
                words.back() += ch;
            }
        }
        return run(words);
    }
    Ran last = Ran::done;
};

}  // namespace rp::test
