// Snapshots of an engine onto a simulated disk, and engines loaded from what lies there.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "persist/load.h"
#include "persist/snapshot.h"
#include "unit/engine/replay.h"
#include "unit/persist/sim_disk.h"

namespace rp::test {

constexpr const char* kSnapshotDir = "/d";

// One snapshot, from its start to its end.
struct Shot {
    EngineFixture* from;
    FileOps files;
    std::string name;
    SnapshotOptions o;
    rp::Snapshot* s = nullptr;
    State at_cut;
    std::function<void()> behind_gate = [] {};
    std::atomic<int> wakes{0};
    std::atomic<bool> ended{false};
    SnapshotProgress end = {};

    Shot(EngineFixture* f, SimDisk* disk, std::string file = "dump.rdb")
        : from(f), files(sim_ops(disk)), name(std::move(file)) {
        o.files = &files;
        o.dir = kSnapshotDir;
        o.name = name.c_str();
        o.at_cut = [](void* arg) {
            auto* me = static_cast<Shot*>(arg);
            me->at_cut = state_of(me->from->e, epoch_slot());
            me->behind_gate();
        };
        o.at_cut_arg = this;
        o.done = [](void* arg, bool, const char*) {
            auto* me = static_cast<Shot*>(arg);
            me->ended = true;
            me->ended.notify_all();
        };
        o.done_arg = this;
        o.wake = [](void* arg) { static_cast<Shot*>(arg)->wakes++; };
        o.wake_arg = this;
    }
    Shot(const Shot&) = delete;
    Shot& operator=(const Shot&) = delete;
    ~Shot() { finish(); }

    void start() { ASSERT_EQ(snapshot_start(&from->e->core.store, o, &s), Status::ok); }
    bool finish() {
        if (s == nullptr) return false;
        ended.wait(false);
        snapshot_progress(s, &end);
        bool ok = snapshot_finish(s);
        s = nullptr;
        return ok;
    }
    bool take() {
        start();
        return finish();
    }
};

// What a new engine holds that was loaded from what `o` names; expired keys too, if the clock says
// so. False: the load was refused, and *why says so.
inline bool load_new(LoadOptions o, State* state, std::string* why) {
    EngineFixture engine;
    Client c(&engine);
    c.session.replay = true;
    o.session = &c.session;
    o.limits = rdb_limits(engine.config);
    LoadProgress progress;
    Manifest manifest;
    PersistErr err;
    bool ok = load_store(o, &progress, &manifest, &err);
    *why = ok ? "" : err.text;
    manifest_free(&manifest);
    *state = ok ? state_of(engine.e, c.worker.slot) : State{};
    return ok;
}

// The same of a snapshot; empty when it was refused.
inline State loaded_state(const FileOps* files, const std::string& name, std::string* why) {
    LoadOptions o;
    o.files = files;
    o.dir = kSnapshotDir;
    o.dbfilename = name.c_str();
    State state;
    load_new(o, &state, why);
    return state;
}

// A client that waits as an in-process caller does, and says how often it was told to.
struct PatientClient : Client {
    using Client::Client;
    std::atomic<int> pauses{0};

    std::string run_patiently(const std::vector<std::string>& words) {
        std::string reply = run(words);
        while (last == Ran::paused) {
            pauses++;
            engine_pause_wait(e, &session);
            reply = run(words);
        }
        return reply;
    }
};

}  // namespace rp::test
