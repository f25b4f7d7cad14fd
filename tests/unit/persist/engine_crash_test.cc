// A whole store over a simulated disk: commands, SAVE, rewrites, the log switched off and on; the
// power fails at operations all over the run, and another store starts from what is left.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <random>
#include <string>

#include "base/log.h"
#include "engine/persistence.h"
#include "unit/engine/harness.h"
#include "unit/persist/sim_disk.h"

namespace rp::test {
namespace {

// The lock file is a real one: the folder is there both on the disk and on the simulated one.
struct Folder {
    std::string name = ::testing::TempDir() + "engine-crash-XXXXXX";
    const char* path = name.c_str();
    Folder() { EXPECT_NE(mkdtemp(name.data()), nullptr); }
    ~Folder() {
        unlink((name + "/rustypotato.lock").c_str());
        rmdir(path);
    }
};

// A server without a network, from its start to its end.
struct Life {
    FileOps files;
    EngineFixture engine;
    Client* c = nullptr;
    PersistErr err;
    bool loaded = false;

    Life(SimDisk* disk, const char* dir, const char* policy, bool logs)
        : files(sim_ops(disk)),
          engine((std::string("dir ") + dir + "\nsave \"\"\nappendfsync " + policy +
                  "\nappendonly " + (logs ? "yes" : "no") + "\n")
                     .c_str()) {
        engine.e->persistence->files = &files;
        loaded = persistence_open(engine.e, true, &err) && persistence_load(engine.e, &err);
        c = new Client(&engine);
    }
    ~Life() { delete c; }

    bool ok(const char* line) {
        std::string reply = (*c)(line);
        return reply[0] != '-';
    }
    // One change of two keys, acknowledged as the policy wants it. False: the disk is dead.
    bool put(uint64_t i) {
        std::string n = std::to_string(i);
        if (c->run({"MULTI"})[0] == '-' || c->run({"SET", "last", n})[0] == '-') return false;
        if (c->run({"RPUSH", "list", n})[0] == '-' || c->run({"EXEC"})[0] != '*') return false;
        Journal* j = engine.e->core.journal.load();
        while (j != nullptr && !j->wait(j, c->session.rests_on, 5)) {
            if (j->refuses.load()) return journal_acked(j, c->session.rests_on);
        }
        return true;
    }
    bool rewrite() {
        if (persistence_rewrite(engine.e) != SnapshotAsked::started) return false;
        persistence_wait(engine.e);
        return engine.e->persistence->rewrite_ok.load();
    }
    // How many changes are there, or -1: they are no prefix.
    int64_t prefix() {
        std::string list = (*c)("LRANGE list 0 -1"), want;
        int64_t n = 0;
        std::string length = (*c)("LLEN list");
        n = atoll(length.c_str() + 1);
        want = "*" + std::to_string(n) + "\r\n";
        for (int64_t i = 1; i <= n; i++) {
            std::string word = std::to_string(i);
            want += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
        }
        std::string last = std::to_string(n);
        std::string both =
            n == 0 ? "$-1\r\n" : "$" + std::to_string(last.size()) + "\r\n" + last + "\r\n";
        return list == want && (*c)("GET last") == both ? n : -1;
    }
};

// Everything that writes to the disk. What a later start must find when the power fails now.
struct Story {
    SimDisk* disk;
    const char* dir;
    const char* policy;
    uint64_t made = 0;
    uint64_t promised = 0;

    bool puts(Life* life, int n, bool promise) {
        for (int i = 0; i < n; i++) {
            if (!life->put(made + 1)) {
                made++;  // it may be there
                return false;
            }
            made++;
            if (promise) promised = made;
        }
        return true;
    }
    bool snapshot_alone() {
        Life life(disk, dir, policy, false);
        if (!life.loaded || !puts(&life, 3, false) || !life.ok("SAVE")) return false;
        promised = made;
        return puts(&life, 1, false) && life.ok("SAVE") && (promised = made, true);
    }
    bool logged() {
        Life life(disk, dir, policy, true);  // the first base is made of the snapshot
        if (!life.loaded || !puts(&life, 4, true)) return false;
        if (!life.rewrite() || !puts(&life, 3, true)) return false;
        if (!life.ok("CONFIG SET appendonly no") || !puts(&life, 2, false)) return false;
        if (!life.ok("CONFIG SET appendonly yes")) return false;
        promised = made;
        return puts(&life, 3, true) && life.ok("SAVE") && puts(&life, 2, true) && life.rewrite() &&
               puts(&life, 2, true);
    }
    bool again() {
        Life life(disk, dir, policy, true);
        return life.loaded && puts(&life, 2, true);
    }
    bool all() { return snapshot_alone() && logged() && again(); }
};

struct EnginePower : ::testing::TestWithParam<const char*> {
    Folder folder;
    SimPtr disk;
    void SetUp() override { log_set_quiet(true); }

    Story run(size_t dies_after) {
        disk = sim_new();
        sim_mkdir(disk.get(), folder.path);
        if (dies_after != SIZE_MAX) sim_die_after(disk.get(), dies_after);
        Story r = {disk.get(), folder.path, GetParam()};
        bool whole = r.all();
        EXPECT_TRUE(whole || dies_after != SIZE_MAX);
        return r;
    }
    void restart(const Story& r, uint64_t seed) {
        SimPtr after = sim_crash(*disk, seed);
        Life life(after.get(), folder.path, GetParam(), true);
        ASSERT_TRUE(life.loaded) << life.err.text;
        int64_t there = life.prefix();
        ASSERT_GE(there, 0) << "no prefix: " << (*life.c)("LRANGE list 0 -1");
        ASSERT_LE(there, static_cast<int64_t>(r.made));
        if (std::string(GetParam()) == "always") {
            ASSERT_GE(there, static_cast<int64_t>(r.promised));
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Policies, EnginePower, ::testing::Values("always", "everysec", "no"));

TEST_P(EnginePower, FailsAllOverALifeAndNothingPromisedIsLost) {
    run(SIZE_MAX);
    size_t operations = sim_changes(disk.get());
    ASSERT_GT(operations, 60u);
    const char* asked = getenv("RP_CRASH_SEED");
    uint64_t seed = asked != nullptr ? strtoull(asked, nullptr, 10) : std::random_device()();
    std::mt19937_64 random(seed);
    // All of them with RP_CRASH_ALL; else about every fourth, others each time.
    uint64_t step = getenv("RP_CRASH_ALL") != nullptr ? 1 : 7;
    for (size_t at = random() % step; at < operations; at += 1 + random() % step) {
        Story r = run(at);
        for (int i = 0; i < 2; i++) {
            uint64_t crash = random();
            SCOPED_TRACE("RP_CRASH_SEED=" + std::to_string(seed) + " operation " +
                         std::to_string(at) + " crash " + std::to_string(crash));
            restart(r, crash);
            if (HasFailure()) return;
        }
    }
}

// kill -9 takes nothing that was written.
TEST_P(EnginePower, WhileTheLogIsFoundedAStartFindsWhatWasBefore) {
    disk = sim_new();
    sim_mkdir(disk.get(), folder.path);
    std::string aof = std::string(folder.path) + "/appendonlydir";
    Story r = {disk.get(), folder.path, GetParam()};
    ASSERT_TRUE(r.snapshot_alone());
    Life life(disk.get(), folder.path, GetParam(), false);
    ASSERT_TRUE(life.loaded);
    ASSERT_TRUE(r.puts(&life, 2, false));
    sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(SimKind::write),
                          .path_part = "temp-rewriteaof",
                          .times = -1});
    std::string reply = (*life.c)("CONFIG SET appendonly yes");
    EXPECT_EQ(reply,
              "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to "
              "turn on AOF. Check server logs.\r\n");
    EXPECT_EQ((*life.c)("CONFIG GET appendonly"), "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n");
    EXPECT_EQ(sim_list(disk.get(), aof), std::vector<std::string>{}) << "nothing stays of it";
    sim_mend(disk.get());
    EXPECT_EQ((*life.c)("CONFIG SET appendonly yes"), "+OK\r\n");
    EXPECT_EQ(sim_list(disk.get(), aof).size(), 3u) << "base, increment, manifest";
    EXPECT_EQ((*life.c)("CONFIG SET appendonly no save nonsense"),
              "-ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save "
              "parameters\r\n");
    EXPECT_EQ((*life.c)("CONFIG SET appendonly yes"), "+OK\r\n") << "it is on";
    ASSERT_TRUE(r.puts(&life, 2, false));
    EXPECT_EQ((*life.c)("CONFIG SET appendonly no"), "+OK\r\n");
    EXPECT_EQ((*life.c)("CONFIG SET appendonly no"), "+OK\r\n");
    ASSERT_TRUE(r.puts(&life, 2, false)) << "nobody waits for a log that is off";
    EXPECT_EQ((*life.c)("CONFIG SET appendonly yes"), "+OK\r\n");
    ASSERT_TRUE(r.puts(&life, 1, false));
    EXPECT_EQ(life.prefix(), static_cast<int64_t>(r.made));
}

TEST_P(EnginePower, WaitAofWaitsForTheDisk) {
    disk = sim_new();
    sim_mkdir(disk.get(), folder.path);
    Life life(disk.get(), folder.path, GetParam(), true);
    ASSERT_TRUE(life.loaded);
    Client* c = life.c;
    c->check({{"WAITAOF 2 0 0", "-ERR value is out of range, value must between 0 and 1"},
              {"WAITAOF x 0 0", "-ERR value is not an integer or out of range"},
              {"WAITAOF 0 -1 0", "-ERR value is out of range, must be positive"},
              {"WAITAOF 0 0 -1", "-ERR timeout is negative"},
              {"WAITAOF 0 0 x", "-ERR timeout is not an integer or out of range"},
              {"WAITAOF 0 0 0", "*2\r\n:1\r\n:0"},
              {"WAITAOF 1 0 0", "*2\r\n:1\r\n:0"}});  // nothing was written
    bool syncs = std::string(GetParam()) != "no";
    (*c)("SET k v");
    std::string reply;
    do {
        reply = (*c)("WAITAOF 1 0 20");
        if (c->last == Ran::paused) engine_pause_wait(life.engine.e, &c->session);
    } while (c->last == Ran::paused || (syncs && reply == "*2\r\n:0\r\n:0\r\n"));
    EXPECT_EQ(reply, syncs ? "*2\r\n:1\r\n:0\r\n" : "*2\r\n:0\r\n:0\r\n");
    LogStats s;
    log_stats(life.engine.e->persistence->log.load(), &s);
    EXPECT_EQ(s.synced_seq >= c->session.wrote, syncs);
    (*c)("MULTI");
    (*c)("WAITAOF 1 1 0");
    EXPECT_EQ((*c)("EXEC"), std::string("*1\r\n*2\r\n:") + (syncs ? "1" : "0") + "\r\n:0\r\n")
        << "it does not wait in a transaction";
    // Who waits is told when there is nothing to wait for any more.
    EXPECT_EQ((*c)("WAITAOF 1 1 0"), "");
    EXPECT_EQ(c->last, Ran::paused);
    Client other(&life.engine);
    EXPECT_EQ(other("CONFIG SET appendonly no"), "+OK\r\n");
    EXPECT_EQ((*c)("WAITAOF 1 1 0"),
              "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n");
    // CLIENT UNBLOCK.
    std::string unblock = "CLIENT UNBLOCK " + std::to_string(c->session.id);
    EXPECT_EQ(other(unblock), ":0\r\n");
    for (const char* how : {"", " ERROR"}) {
        EXPECT_EQ((*c)("WAIT 1 0"), "");
        EXPECT_EQ(c->last, Ran::paused);
        EXPECT_EQ(other(unblock + how), ":1\r\n");
        EXPECT_EQ((*c)("WAIT 1 0"),
                  how[0] == '\0' ? ":0\r\n" : "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    }
}

TEST(EngineStop, AShutdownThatCannotSaveGoesOnServing) {
    log_set_quiet(true);
    Folder folder;
    SimPtr disk = sim_new();
    sim_mkdir(disk.get(), folder.path);
    Life life(disk.get(), folder.path, "always", true);
    ASSERT_TRUE(life.loaded);
    ASSERT_TRUE(life.put(1));
    Engine* e = life.engine.e;
    sim_fail(disk.get(),
             {.kinds = static_cast<uint32_t>(SimKind::sync), .path_part = "temp-", .times = -1});
    EXPECT_EQ((*life.c)("SHUTDOWN SAVE"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    EXPECT_EQ(e->stop.load(), StopState::running);
    EXPECT_TRUE(life.put(2)) << "writes go on";
    sim_mend(disk.get());
    sim_fail(
        disk.get(),
        {.kinds = static_cast<uint32_t>(SimKind::write), .path_part = ".incr.aof", .times = -1});
    (*life.c)("SET unwritten x");
    EXPECT_EQ((*life.c)("SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    EXPECT_EQ(e->stop.load(), StopState::running);
    EXPECT_EQ((*life.c)("SHUTDOWN FORCE"), "");
    EXPECT_EQ(e->stop.load(), StopState::requested);
    sim_mend(disk.get());
    EXPECT_EQ((*life.c)("SET held back"), "");
    EXPECT_EQ(life.c->last, Ran::paused) << "what is written now would miss the last save";
}

}  // namespace
}  // namespace rp::test
