// Snapshots: who waits for them and who does not, what they keep alive, what a crash leaves.
#include "persist/snapshot.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "unit/persist/held_files.h"
#include "unit/persist/snapshot_kit.h"

namespace rp::test {

namespace {

constexpr int kFields = 30000;  // more than the snapshot writes in one go

struct SnapshotTest : ::testing::Test {
    EngineFixture engine;
    Client c{&engine};
    SimPtr disk = sim_new();

    SnapshotTest() {
        log_set_quiet(true);
        sim_mkdir(disk.get(), kSnapshotDir);
    }
    Store* store() { return &engine.e->core.store; }
    Preserve* preserve() { return &store()->preserve; }

    void fill_hash(const std::string& key, int fields) {
        for (int i = 0; i < fields;) {
            Words words = {"HSET", key};
            for (int end = std::min(fields, i + 1000); i < end; i++) {
                words.push_back("field-" + std::to_string(i));
                words.push_back("a value of some length " + std::to_string(i * 7919));
            }
            c.run(words);
        }
    }
    const Entry* entry_of(const std::string& key) {
        Bytes k = {key.data(), key.size()};
        return table_find(store()->dbs[0].table, k, table_hash(k));
    }
    const Box* box_of(const std::string& key) { return entry_box(entry_of(key)); }
    bool is_unseen(const std::string& key) { return entry_of(key)->mark != preserve()->id; }
    static std::string key_name(int i) { return "key:" + std::to_string(1000 + i); }
    State loaded(const std::string& name = "dump.rdb") {
        FileOps files = sim_ops(disk.get());
        std::string why;
        State state = loaded_state(&files, name, &why);
        EXPECT_EQ(why, "");
        return state;
    }
};

// A snapshot whose disk does not answer; while it lasts.
struct SlowDisk : SnapshotTest {
    HeldFiles files;
    Shot shot{&engine, disk.get()};

    void start_held() {
        files.hold();
        shot.o.files = &files.ops;
        shot.start();
        files.wait_stuck();
    }
    ~SlowDisk() override { files.let_go(); }
};

// With a snapshot under way that may not encode ahead: it is stuck in the value of `big`.
struct StuckSnapshot : SlowDisk {
    StuckSnapshot() { shot.o.ahead_max = 0; }
};

}  // namespace

// ---- large values -----------------------------------------------------------------------------

TEST_F(StuckSnapshot, AWriteToALargeValueWaitsUntilItIsWrittenAndCopiesNothing) {
    fill_hash("big", kFields);
    const Box* box = box_of("big");
    start_held();
    std::string reply;
    std::atomic<int> pauses{0};
    std::thread writer([&] {
        PatientClient w(&engine);
        std::thread look([&] {
            while (w.pauses == 0)
                std::this_thread::yield();
            pauses = 1;
            pauses.notify_all();
        });
        reply = w.run_patiently({"HSET", "big", "field-1", "changed"});
        look.join();
    });
    pauses.wait(0);
    EXPECT_EQ(c("HGET big field-1"), "$27\r\na value of some length 7919\r\n") << "reads go on";
    EXPECT_EQ(c("SET other x"), "+OK\r\n") << "so do other keys";
    EXPECT_LT(preserve()->saved_bytes.load(), 10000u);
    files.let_go();
    writer.join();
    EXPECT_EQ(reply, ":0\r\n");
    EXPECT_TRUE(shot.finish());
    EXPECT_EQ(box_of("big"), box) << "changed in place";
    EXPECT_EQ(c("HGET big field-1"), "$7\r\nchanged\r\n");
    EXPECT_GT(shot.wakes, 0);
}

TEST_F(StuckSnapshot, ASmallValueIsCopiedInstead) {
    fill_hash("big", kFields);
    for (int i = 0; i < 20; i++)
        fill_hash(key_name(i), 100);
    start_held();
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(c("HSET " + key_name(i) + " field-1 changed"), ":0\r\n");
    EXPECT_EQ(c.last, Ran::done);
    files.let_go();
    EXPECT_TRUE(shot.finish());
}

TEST_F(StuckSnapshot, EveryWriteThatTouchesTheValueWaitsByWhateverNameAndInWhateverDatabase) {
    fill_hash("big", kFields);
    c("COPY big same");  // one Box, two names
    start_held();
    for (const char* line :
         {"HSET big a b", "HDEL big field-1", "DEL big", "RENAME big x", "COPY big x", "MOVE big 3",
          "EXPIRE big 100", "DEL nothing big", "HINCRBY same n 1", "UNLINK same"}) {
        c(line);
        EXPECT_EQ(c.last, Ran::paused) << line;
    }
    EXPECT_EQ(c("MULTI"), "+OK\r\n");
    EXPECT_EQ(c("HSET big a b"), "+QUEUED\r\n");
    c("EXEC");
    EXPECT_EQ(c.last, Ran::paused) << "EXEC";
    EXPECT_EQ(c("DISCARD"), "+OK\r\n");
    Client other(&engine);
    other("SELECT 1");
    other("MULTI");
    other("SELECT 0");
    other("HDEL big a");
    other("EXEC");
    EXPECT_EQ(other.last, Ran::paused) << "in the database it selects";
    EXPECT_EQ(other("DISCARD"), "+OK\r\n");
    other("HSET big a b");
    EXPECT_EQ(other.last, Ran::done) << "another key of that name";
    for (const char* line : {"HLEN big", "TYPE big", "SET x y", "DEL x", "TTL big"}) {
        c(line);
        EXPECT_EQ(c.last, Ran::done) << line;
    }
    files.let_go();
    EXPECT_TRUE(shot.finish());
}

TEST_F(StuckSnapshot, WhatIsWaitedForIsWrittenBeforeTheRest) {
    constexpr int kKeys = 40;
    for (int i = 0; i < kKeys; i++)
        fill_hash(key_name(i), 1800);
    sim_set_hook(disk.get(), [&](const SimOp& op) {
        if (op.kind == SimKind::write) files.ops.writev(&files, 0, nullptr, 0);
    });
    files.hold();
    shot.start();
    files.wait_stuck();
    std::vector<int> urgent, rest;
    for (int i = 0; i < kKeys; i++)
        if (is_unseen(key_name(i))) (urgent.size() < 4 ? urgent : rest).push_back(i);
    ASSERT_GT(rest.size(), 10u);
    for (int i : urgent) {
        c("HSET " + key_name(i) + " a b");
        EXPECT_EQ(c.last, Ran::paused);
    }
    EXPECT_LT(preserve()->saved_bytes.load(), 1000u) << "what lives costs nothing";
    files.let_go();
    EXPECT_TRUE(shot.finish());
    std::string text;
    ASSERT_TRUE(sim_get(disk.get(), "/d/dump.rdb", &text));
    for (int u : urgent)
        for (int i : rest)
            EXPECT_LT(text.find(key_name(u)), text.find(key_name(i)));
    EXPECT_EQ(difference(shot.at_cut, loaded()), "");
}

TEST_F(StuckSnapshot, ALongStringThatIsChangedInPlaceWaitsToo) {
    for (int i = 0; i < 8; i++)
        c("SETRANGE s" + std::to_string(i) + " 3000000 x");
    shot.o.compress = false;
    start_held();
    int paused = 0;
    for (int i = 0; i < 8; i++) {
        c("APPEND s" + std::to_string(i) + " y");
        paused += c.last == Ran::paused;
    }
    EXPECT_GT(paused, 5) << "all but the first that are written";
    files.let_go();
    EXPECT_TRUE(shot.finish());
}

TEST_F(StuckSnapshot, WhenItIsCancelledWhoeverWaitsGoesOn) {
    fill_hash("big", kFields);
    start_held();
    c("HSET big a b");
    EXPECT_EQ(c.last, Ran::paused);
    snapshot_cancel(shot.s);
    files.let_go();
    EXPECT_FALSE(shot.finish());
    EXPECT_GT(shot.wakes, 0);
    EXPECT_EQ(c("HSET big a b"), ":1\r\n");
    EXPECT_FALSE(box_shared(box_of("big")));
}

TEST_F(SlowDisk, DelaysNoWriterOfALargeValue) {
    constexpr int kKeys = 8;
    for (int i = 0; i < kKeys; i++)
        fill_hash(key_name(i), kFields);
    start_held();
    PatientClient w(&engine);
    for (int i = 0; i < kKeys; i++)
        EXPECT_EQ(w.run_patiently({"HSET", key_name(i), "field-1", "changed"}), ":0\r\n");
    EXPECT_TRUE(files.held) << "not one byte was written";
    EXPECT_FALSE(shot.ended);
    files.let_go();
    EXPECT_TRUE(shot.finish());
}

TEST_F(SlowDisk, WhatIsEncodedMeanwhileIsBounded) {
    constexpr int kKeys = 60;
    constexpr int64_t kValue = 2000000;
    for (int i = 0; i < kKeys; i++)
        c.run({"SET", key_name(i), std::string(static_cast<size_t>(kValue), 'a')});
    shot.o.compress = false;
    shot.o.ahead_max = 20 * kValue;
    int64_t before = mem_used();
    start_held();
    std::vector<bool> done(kKeys);
    auto try_all = [&] {
        for (int i = 0; i < kKeys; i++) {
            if (done[static_cast<size_t>(i)]) continue;
            c("SETRANGE " + key_name(i) + " 0 b");
            done[static_cast<size_t>(i)] = c.last == Ran::done;
        }
        EXPECT_LT(mem_used(), before + 25 * kValue);
        usleep(1000);
        return std::count(done.begin(), done.end(), true);
    };
    int64_t until_ms = clock_mono_ms() + 20000;
    while (try_all() < 18)
        ASSERT_LT(clock_mono_ms(), until_ms);
    for (int i = 0; i < 100; i++)
        EXPECT_LE(try_all(), 25);
    files.let_go();
    EXPECT_TRUE(shot.finish());
}

// ---- what is kept alive -----------------------------------------------------------------------

TEST_F(StuckSnapshot, WhatItKeepsAliveIsBoundedAndEverythingGoesOnWhenItDoes) {
    constexpr size_t kValue = 300000;
    constexpr int kKeys = 400, kThreads = 4;  // 120 MB, of which about half may be kept
    for (int i = 0; i < kKeys; i++)
        c.run({"SET", "k" + std::to_string(i), std::string(kValue, 'a')});
    shot.o.compress = false;  // it is stuck in the first few
    start_held();
    std::vector<std::thread> writers;
    std::atomic<int> waiting{0}, next{0};
    for (int t = 0; t < kThreads; t++) {
        writers.emplace_back([&] {
            PatientClient w(&engine);
            bool told = false;
            for (int i; (i = next++) < kKeys;) {
                Words set = {"SET", "k" + std::to_string(i), "changed"};
                std::string reply = w.run(set);
                if (w.last == Ran::paused && !told) {
                    told = true;
                    waiting++;
                    waiting.notify_all();
                }
                if (w.last == Ran::paused) reply = w.run_patiently(set);
                EXPECT_EQ(reply, "+OK\r\n");
            }
        });
    }
    for (int seen; (seen = waiting) < kThreads;)
        waiting.wait(seen);
    size_t kept = preserve()->saved_bytes.load();
    EXPECT_GT(kept, kSavedBytesMax);
    EXPECT_LT(kept, kSavedBytesMax + kThreads * (kValue + 100000));
    EXPECT_EQ(c("STRLEN k399"), ":300000\r\n") << "reads go on";
    EXPECT_EQ(c("GET k0"), "$7\r\nchanged\r\n");
    files.let_go();
    for (std::thread& t : writers)
        t.join();
    EXPECT_TRUE(shot.finish());
    EXPECT_EQ(c("STRLEN k399"), ":7\r\n");
    EXPECT_EQ(preserve()->saved_bytes.load(), 0u);
}

TEST_F(SnapshotTest, AfterAnyNumberOfSnapshotsThatFailedTheNextOneIsWhole) {
    c("SET k v");
    c("SADD s a b c");
    fill_hash("h", 500);
    Shot good(&engine, disk.get());
    ASSERT_TRUE(good.take());
    // Before they have looked at anything.
    SimFault fault;
    fault.kinds = static_cast<uint32_t>(SimKind::open);
    fault.times = -1;
    sim_fail(disk.get(), fault);
    for (int i = 0; i < 254; i++) {  // the ids come round
        Shot bad(&engine, disk.get());
        ASSERT_FALSE(bad.take());
    }
    sim_mend(disk.get());
    Shot last(&engine, disk.get());
    ASSERT_TRUE(last.take());
    EXPECT_EQ(difference(last.at_cut, loaded()), "");
}

// ---- the disk ---------------------------------------------------------------------------------

TEST_F(SnapshotTest, APowerCutAtAnyMomentLeavesTheOldSnapshotOrTheNewOne) {
    c("SET k old");
    Shot before(&engine, disk.get());
    ASSERT_TRUE(before.take());
    c("SET k new");
    fill_hash("h", 300);
    size_t olds = 0, news = 0;
    for (size_t operations = 0;; operations++) {
        sim_die_after(disk.get(), operations);
        Shot shot(&engine, disk.get());
        bool ok = shot.take();
        for (uint64_t seed = 0; seed < 20; seed++) {
            SimPtr found = sim_crash(*disk, seed);
            FileOps files = sim_ops(found.get());
            std::string why;
            State state = loaded_state(&files, "dump.rdb", &why);
            ASSERT_EQ(why, "") << "after " << operations << " operations, seed " << seed;
            bool is_new = difference(shot.at_cut, state).empty();
            bool is_old = difference(before.at_cut, state).empty();
            ASSERT_TRUE(is_new || is_old) << difference(shot.at_cut, state);
            ASSERT_TRUE(is_new || !ok) << "it was said to be durable";
            (is_new ? news : olds)++;
        }
        if (ok) break;
        // The disk comes back as it was before: the file that was begun is overwritten.
        disk = sim_new();
        sim_mkdir(disk.get(), kSnapshotDir);
        Shot again(&engine, disk.get());
        again.o.at_cut = nullptr;
        c("SET k old");
        c("DEL h");
        ASSERT_TRUE(again.take());
        c("SET k new");
        fill_hash("h", 300);
    }
    EXPECT_GT(olds, 50u);
    EXPECT_GT(news, 10u);
}

}  // namespace rp::test
