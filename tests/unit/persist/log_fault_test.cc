// What the log promises when the disk fails: full, broken, slow, or without power.
#include <unistd.h>

#include "unit/persist/log_fixture.h"

namespace rp::test {

using LogFault = LogTest;

static uint32_t bits(SimKind kind) { return static_cast<uint32_t>(kind); }

// ---- writing ----------------------------------------------------------------------------------

TEST_F(LogFault, AFullDiskRefusesWritesAndRecoversByItself) {
    ASSERT_TRUE(open());
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    uint64_t whole = stats().file_bytes;
    sim_set_space(disk.get(), 100);  // the next run does not fit: part of it is written
    uint64_t seq = v.put(0, std::string(1000, 'x'));
    ASSERT_TRUE(comes([&] { return journal->refuses.load(); }));
    EXPECT_FALSE(journal_acked(journal, seq));
    EXPECT_FALSE(stats().write_ok);
    EXPECT_FALSE(stats().needs_rewrite);
    char text[200];
    size_t len = journal->refusal(journal, text, sizeof text);
    EXPECT_EQ(std::string(text, len),
              "MISCONF Errors writing to the AOF file: No space left on device");
    std::string file;
    ASSERT_TRUE(comes([&] {
        return sim_get(disk.get(), incr_path(1), &file) && file.size() == whole;
    })) << "the torn run is still there";
    v.put(0, "accepted before the refusal was seen");
    sim_set_space(disk.get(), 1 << 20);
    ASSERT_TRUE(wait(v.last));
    EXPECT_TRUE(comes([&] { return !journal->refuses.load(); }));
    EXPECT_TRUE(stats().write_ok);
    Read r = read_all(disk.get());
    EXPECT_EQ(prefix_of(r), 3u);
    EXPECT_FALSE(r.torn);
}

TEST_F(LogFault, AFailedWriteIsRepeatedWhole) {
    ASSERT_TRUE(open(FsyncPolicy::always));
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    sim_set_short_writes(disk.get(), 50);
    sim_fail(disk.get(), {.kinds = bits(SimKind::write), .path_part = "incr", .after = 2});
    for (int i = 0; i < 10; i++)
        v.add(0, std::string(100, 'x'));
    ASSERT_TRUE(wait(v.submit()));
    Read r = read_all(disk.get());
    EXPECT_EQ(prefix_of(r), 11u);
    EXPECT_EQ(r.dbs, std::vector<int64_t>(11, 0));
}

TEST_F(LogFault, NothingIsWrittenBehindATornRunThatCannotBeCut) {
    ASSERT_TRUE(open());
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    sim_set_short_writes(disk.get(), 50);
    sim_fail(disk.get(), {.kinds = bits(SimKind::write), .path_part = "incr", .after = 1});
    sim_fail(disk.get(), {.kinds = bits(SimKind::truncate), .times = 2});
    ASSERT_TRUE(wait(v.put(0, std::string(200, 'x'))));
    EXPECT_EQ(prefix_of(read_all(disk.get())), 2u);
}

TEST_F(LogFault, AClosedLogSaysThatItIsIncomplete) {
    ASSERT_TRUE(open());
    {
        Voice v(journal);
        ASSERT_TRUE(wait(v.put()));
        sim_set_space(disk.get(), 10);
        v.put(0, std::string(1000, 'x'));
        ASSERT_TRUE(comes([&] { return journal->refuses.load(); }));
    }
    EXPECT_FALSE(close());
    Read r = read_all(disk.get());
    EXPECT_EQ(prefix_of(r), 1u);
    EXPECT_FALSE(r.torn);
}

TEST_F(LogFault, CloseTriesOnceMore) {
    ASSERT_TRUE(open());
    {
        Voice v(journal);
        sim_fail(disk.get(), {.kinds = bits(SimKind::write), .path_part = "incr"});
        v.put();
        ASSERT_TRUE(comes([&] { return journal->refuses.load(); }));
    }
    EXPECT_TRUE(close());
    EXPECT_EQ(prefix_of(read_all(disk.get())), 1u);
}

// ---- syncing ----------------------------------------------------------------------------------

TEST_F(LogFault, AFailedSyncIsNotTriedAgainAndARewriteHelps) {
    for (FsyncPolicy policy : {FsyncPolicy::everysec, FsyncPolicy::always}) {
        disk = sim_new();
        files = sim_ops(disk.get());
        sim_mkdir(disk.get(), kDir);
        ASSERT_TRUE(open(policy));
        Voice v(journal);
        sim_fail(disk.get(), {.kinds = bits(SimKind::sync), .path_part = "incr"});
        uint64_t seq = v.put();
        ASSERT_TRUE(comes([&] { return journal->refuses.load(); }));
        EXPECT_TRUE(stats().needs_rewrite);
        uint64_t syncs = stats().syncs;
        // Accepted before the refusal was seen: written, but not certain to be on the disk.
        v.put();
        if (policy == FsyncPolicy::always) {
            EXPECT_FALSE(log_wait(log, seq, 100));
        } else {
            EXPECT_TRUE(wait(v.last));
        }
        EXPECT_TRUE(comes([&] { return stats().written_seq == 2; }));
        EXPECT_EQ(stats().synced_seq, 0u);
        ASSERT_EQ(log_prepare_rotate(log), 0);
        int64_t incr = rotate();
        uint64_t cut = journal->next_seq.load() - 1;
        v.put();
        EXPECT_TRUE(comes([&] { return stats().written_seq == 4; }));
        EXPECT_TRUE(journal->refuses.load());
        EXPECT_EQ(stats().syncs, syncs);  // the new file's would prove nothing
        ASSERT_EQ(rebase(incr, cut), 0);
        EXPECT_FALSE(journal->refuses.load());
        EXPECT_TRUE(wait(4));
        EXPECT_TRUE(comes([&] { return stats().synced_seq == 4; }));
        EXPECT_TRUE(close());
        EXPECT_EQ(prefix_of(read_all(sim_crash(*disk, 1).get())), 4u);
    }
}

TEST_F(LogFault, ARewriteOfAnEarlierCutDoesNotHelpALaterFile) {
    ASSERT_TRUE(open(FsyncPolicy::always));
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    int64_t incr = rotate();
    ASSERT_TRUE(wait(v.put()));
    sim_fail(disk.get(), {.kinds = bits(SimKind::sync), .path_part = ".2.incr"});
    v.put();
    ASSERT_TRUE(comes([&] { return journal->refuses.load(); }));
    ASSERT_EQ(rebase(incr, 2), 0);
    EXPECT_TRUE(journal->refuses.load());
    EXPECT_FALSE(journal_acked(journal, v.last));
}

// ---- increments -------------------------------------------------------------------------------

TEST_F(LogFault, AnIncrementThatCannotBeMadeIsTriedAgain) {
    ASSERT_TRUE(open());
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    sim_fail(disk.get(), {.kinds = bits(SimKind::rename)});
    EXPECT_LT(log_prepare_rotate(log), 0);
    sim_fail(disk.get(), {.kinds = bits(SimKind::open), .path_part = ".2.incr"});
    EXPECT_EQ(rotate(), 2);
    v.put();
    ASSERT_TRUE(comes([&] { return journal->refuses.load(); }));
    EXPECT_TRUE(wait(v.last));
    EXPECT_TRUE(comes([&] { return !journal->refuses.load(); }));
    Read r = read_all(disk.get());
    EXPECT_EQ(r.wrong, "");
    EXPECT_EQ(r.seqs, (std::vector<uint64_t>{1, 3}));
}

TEST_F(LogFault, ARewriteThatCannotBePublishedLeavesTheOldFilesInForce) {
    ASSERT_TRUE(open());
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    ASSERT_EQ(log_prepare_rotate(log), 0);
    int64_t incr = rotate();
    ASSERT_TRUE(wait(v.put()));
    sim_fail(disk.get(), {.kinds = bits(SimKind::rename), .path_part = "manifest"});
    EXPECT_LT(rebase(incr, 2), 0);
    EXPECT_EQ(log_next_base_seq(log), 2);  // not the name that may be in force already
    Read r = read_all(disk.get());
    EXPECT_EQ(r.wrong, "");
    EXPECT_EQ(r.seqs, (std::vector<uint64_t>{1, 3}));
    ASSERT_EQ(rebase(incr, 2), 0);
    EXPECT_EQ(prefix_of(read_all(disk.get())), 3u);
}

TEST_F(LogFault, AnIncrementThatCannotBeOpenedIsALineThatSaysWhy) {
    sim_fail(disk.get(), {.kinds = bits(SimKind::open), .path_part = "incr", .error = EACCES});
    Manifest none;
    PersistErr err;
    EXPECT_EQ(log_open(options, &none, &log, &err), Status::io);
    EXPECT_EQ(std::string(err.text),
              "/d/appendonlydir: the append-only file cannot be opened: Permission denied: check "
              "the directory");
    EXPECT_EQ(log, nullptr);
}

// ---- power ------------------------------------------------------------------------------------

// Some work with everything in it. What was acknowledged when the power went.
struct Work {
    LogTest* t;
    uint64_t acked = 0;
    bool dead = false;

    void put(Voice* v, int records) {
        for (int i = 0; i < records && !dead; i++) {
            v->add(static_cast<uint32_t>(i % 3 == 2),
                   std::string(static_cast<size_t>(i) * 37, 'x'));
            uint64_t seq = v->submit();
            if (t->log_wait_or_dead(seq)) {
                acked = seq;
            } else {
                dead = true;
            }
        }
    }
    // What is written right before a cut is not yet synced when the next increment is there.
    void run(FsyncPolicy policy) {
        if (!t->open(policy)) return;
        {
            Voice v(t->journal);
            put(&v, 4);
            for (int round = 0; round < 2 && !dead; round++) {
                if (round == 0) log_prepare_rotate(t->log);
                v.add(0, "before the cut, not synced when the log gets there");
                v.add();
                int64_t incr = t->rotate();
                uint64_t cut = t->journal->next_seq.load() - 1;
                v.add(0, "behind the cut, there at the same time");
                v.submit();
                put(&v, 3);
                if (dead) break;
                t->rebase(incr, cut);
                put(&v, 3);
            }
        }
        t->close();
    }
};

struct LogPower : LogFault, ::testing::WithParamInterface<FsyncPolicy> {};
INSTANTIATE_TEST_SUITE_P(Policies, LogPower,
                         ::testing::Values(FsyncPolicy::always, FsyncPolicy::everysec,
                                           FsyncPolicy::no));

// Whatever instant the power fails at and whatever of the unsynced the disk keeps: what is there is
// a prefix, and with `always` what was acknowledged is in it.
TEST_P(LogPower, FailsAtEveryOperation) {
    Work whole = {this};
    whole.run(GetParam());
    size_t operations = sim_changes(disk.get());
    ASSERT_FALSE(whole.dead);
    ASSERT_GT(operations, 50u);
    for (size_t at = 0; at < operations; at++) {
        disk = sim_new();
        files = sim_ops(disk.get());
        sim_mkdir(disk.get(), kDir);
        sim_die_after(disk.get(), at);
        Work work = {this};
        work.run(GetParam());
        for (uint64_t seed = 0; seed < 24; seed++) {
            SCOPED_TRACE("operation " + std::to_string(at) + " seed " + std::to_string(seed));
            SimPtr after = sim_crash(*disk, seed);
            Read r = read_all(after.get());
            EXPECT_EQ(r.wrong, "");
            if (GetParam() == FsyncPolicy::always) {
                EXPECT_GE(r.seqs.empty() ? 0 : r.seqs.back(), work.acked);
            }
            for (size_t i = 1; i < r.seqs.size(); i++)
                ASSERT_LT(r.seqs[i - 1], r.seqs[i]);
        }
        if (HasFailure()) return;
    }
}

}  // namespace rp::test
