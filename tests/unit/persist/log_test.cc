// What the log promises while the disk does what it is told. Its errors are in log_fault_test.cc.
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "unit/persist/log_fixture.h"

namespace rp::test {

using Log_ = LogTest;

TEST_F(Log_, FirstStartMakesAnIncrementAndTheManifestThatNamesIt) {
    ASSERT_TRUE(open());
    std::string text;
    ASSERT_TRUE(sim_get(disk.get(), path_of("appendonly.aof.manifest"), &text));
    EXPECT_EQ(text, "file appendonly.aof.1.incr.aof seq 1 type i\n");
    ASSERT_TRUE(sim_get(disk.get(), incr_path(1), &text));
    EXPECT_EQ(text, "");
    EXPECT_TRUE(close());
}

TEST_F(Log_, ARecordIsWrittenWithItsAnnotationAndItsDatabase) {
    ASSERT_TRUE(open());
    Voice v(journal);
    ASSERT_TRUE(wait(v.put(3, "hello")));
    std::string text, body = "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n" + set_command(1, "hello");
    char head[80];
    snprintf(head, sizeof head, "#RP1 1 1 %zu %08x\r\n", body.size(),
             crc32c(0, {body.data(), body.size()}));
    ASSERT_TRUE(sim_get(disk.get(), incr_path(1), &text));
    EXPECT_EQ(text, head + body);
    EXPECT_EQ(stats().file_bytes, text.size());
    EXPECT_EQ(stats().written_seq, 1u);
}

TEST_F(Log_, ManyThreadsRecordsStandInTheOrderOfTheirNumbers) {
    constexpr int kThreads = 4, kBatches = 400;
    ASSERT_TRUE(open());
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
        threads.emplace_back([this, t] {
            Voice v(journal);
            uint64_t x = static_cast<uint64_t>(t) * 7919 + 1;
            for (int b = 0; b < kBatches; b++) {
                for (int i = 0; i <= b % 7; i++) {
                    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
                    if (x >> 61 == 0) {
                        v.add_empty();
                    } else {
                        v.add(x >> 40 & 3, std::string(x >> 32 & 255, 'x'));
                    }
                }
                v.submit();
            }
        });
    }
    for (std::thread& t : threads)
        t.join();
    uint64_t last = journal->next_seq.load() - 1;
    ASSERT_TRUE(wait(last));
    EXPECT_EQ(journal->waiting_bytes.load(), 0u);
    EXPECT_TRUE(close());
    Read r = read_all(disk.get());
    EXPECT_EQ(r.wrong, "");
    EXPECT_FALSE(r.torn);
    for (size_t i = 1; i < r.seqs.size(); i++)
        ASSERT_LT(r.seqs[i - 1], r.seqs[i]);
    EXPECT_LE(r.behind, last + 1);
    EXPECT_GT(r.seqs.size(), last / 2);
}

TEST_F(Log_, AMissingNumberHoldsWhatComesAfterIt) {
    ASSERT_TRUE(open());
    Voice a(journal), b(journal);
    uint64_t first = a.draw();
    ASSERT_EQ(b.put(), 2u);
    EXPECT_FALSE(log_wait(log, 2, 50));
    EXPECT_EQ(stats().written_seq, 0u);
    a.add_at(first, 0, "late");
    a.submit();
    EXPECT_TRUE(wait(2));
    EXPECT_EQ(prefix_of(read_all(disk.get())), 2u);
}

TEST_F(Log_, EmptyRecordsAreAcknowledgedAndTakeNoSpace) {
    ASSERT_TRUE(open(FsyncPolicy::always));
    Voice v(journal);
    v.add_empty();
    v.add_empty();
    EXPECT_TRUE(wait(v.submit()));
    std::string text;
    ASSERT_TRUE(sim_get(disk.get(), incr_path(1), &text));
    EXPECT_EQ(text, "");
    EXPECT_EQ(stats().syncs, 0u);
    v.add();
    v.add_empty();
    EXPECT_TRUE(wait(v.submit()));
    Read r = read_all(disk.get());
    EXPECT_EQ(r.wrong, "");
    EXPECT_EQ(r.seqs, std::vector<uint64_t>{3});
    EXPECT_EQ(r.behind, 5u);
}

TEST_F(Log_, SelectStandsWhereTheDatabaseChanges) {
    ASSERT_TRUE(open());
    Voice v(journal);
    for (uint32_t db : {0u, 0u, 5u, 5u, 12u, 0u})
        v.add(db);
    EXPECT_TRUE(wait(v.submit()));
    EXPECT_TRUE(wait(v.put(0)));  // another run, the same database
    Read r = read_all(disk.get());
    EXPECT_EQ(prefix_of(r), 7u);
    EXPECT_EQ(r.dbs, (std::vector<int64_t>{0, 0, 5, 5, 12, 0, 0}));
}

TEST_F(Log_, TimeStampsAreWrittenWhenAskedFor) {
    options.timestamps = true;
    ASSERT_TRUE(open());
    clock_fake_ms(1700000000123);
    Voice v(journal);
    EXPECT_TRUE(wait(v.put()));
    EXPECT_TRUE(wait(v.put()));
    clock_fake_ms(0);
    std::string text;
    ASSERT_TRUE(sim_get(disk.get(), incr_path(1), &text));
    EXPECT_NE(text.find("\r\n#TS:1700000000\r\n*2\r\n$6\r\nSELECT"), std::string::npos);
    Read r = read_all(disk.get());
    EXPECT_EQ(prefix_of(r), 2u);
    EXPECT_EQ(r.stamps, 1u);
}

TEST_F(Log_, AnotherStartAppendsAndSelectsAgain) {
    ASSERT_TRUE(open());
    {
        Voice v(journal);
        v.put(4);
    }
    EXPECT_TRUE(close());
    ASSERT_TRUE(open());
    {
        Voice v(journal);
        v.put(4);
    }
    EXPECT_TRUE(close());
    Read r = read_all(disk.get());
    EXPECT_EQ(r.runs, 2u);
    EXPECT_EQ(r.seqs, (std::vector<uint64_t>{1, 1}));  // numbers begin again
    std::string text;
    ASSERT_TRUE(sim_get(disk.get(), incr_path(1), &text));
    EXPECT_NE(text.rfind("SELECT"), text.find("SELECT"));
}

TEST_F(Log_, CloseWritesAndSyncsWhatWasHandedIn) {
    for (FsyncPolicy policy : {FsyncPolicy::no, FsyncPolicy::everysec, FsyncPolicy::always}) {
        disk = sim_new();
        files = sim_ops(disk.get());
        sim_mkdir(disk.get(), kDir);
        ASSERT_TRUE(open(policy));
        {
            Voice v(journal);
            for (int i = 0; i < 500; i++)
                v.put(0, std::string(2000, 'x'));
        }
        EXPECT_TRUE(close());
        SimPtr after = sim_crash(*disk, 1);
        EXPECT_EQ(prefix_of(read_all(after.get())), 500u);
    }
}

TEST_F(Log_, AShortWriteIsContinued) {
    sim_set_short_writes(disk.get(), 7);
    ASSERT_TRUE(open());
    // Not the manifest's writes only: every record takes several.
    Voice v(journal);
    for (int i = 0; i < 20; i++)
        v.add(0, std::string(static_cast<size_t>(i), 'x'));
    EXPECT_TRUE(wait(v.submit()));
    EXPECT_FALSE(journal->refuses.load());
    EXPECT_EQ(prefix_of(read_all(disk.get())), 20u);
}

// On a real file system, which refuses more parts than IOV_MAX at once.
TEST_F(Log_, ManyPartsAndLargeBlobsArriveWhole) {
    std::string dir = ::testing::TempDir() + "rp-log-XXXXXX";
    ASSERT_NE(mkdtemp(dir.data()), nullptr);
    options.files = &kSystemFiles;
    options.dir = dir.c_str();
    Manifest none;
    PersistErr err;
    ASSERT_EQ(log_open(options, &none, &log, &err), Status::ok) << err.text;
    journal = log_journal(log);
    Blob* blob = blob_new(3 << 20);
    blob->len = blob->cap;
    memset(blob->data, 'b', blob->len);
    std::string many, large(blob->len, 'b');
    {
        Voice v(journal);
        LogRecord* r = v.next(v.draw());
        for (int i = 0; i < 3000; i++) {
            out_write(&v.batch->bytes, "-");
            out_blob(&v.batch->bytes, blob, static_cast<size_t>(i) * 1000, 900);
            many += "-" + std::string(900, 'b');
        }
        r->len = v.batch->bytes.bytes;
        out_blob(&v.batch->bytes, blob, 0, blob->len);
        v.next(v.draw())->len = blob->len;
        v.submit();
        EXPECT_TRUE(wait(2));
    }
    EXPECT_TRUE(log_close(log));
    log = nullptr;
    EXPECT_EQ(refs_count(&blob->refs), 1u);
    blob_unref(blob);
    std::string path = dir + "/appendonly.aof.1.incr.aof";
    FILE* f = fopen(path.c_str(), "rb");
    ASSERT_NE(f, nullptr);
    std::string text(8 << 20, 0);
    text.resize(fread(text.data(), 1, text.size(), f));
    fclose(f);
    size_t second = text.find("#RP1 2 1 ");
    EXPECT_EQ(text.find("#RP1 1 1 "), 0u);
    ASSERT_NE(second, std::string::npos);
    EXPECT_TRUE(text.substr(second - many.size(), many.size()) == many);
    EXPECT_TRUE(text.substr(text.size() - large.size()) == large);
    unlink(path.c_str());
    unlink((dir + "/appendonly.aof.manifest").c_str());
    rmdir(dir.c_str());
}

// ---- syncing ----------------------------------------------------------------------------------

// A gate in front of every fdatasync of an increment.
struct SlowSync {
    std::mutex lock;
    std::condition_variable changed;
    bool closed = false;
    int waiting = 0;

    void install(SimDisk* disk) {
        sim_set_hook(disk, [this](const SimOp& op) {
            if (op.kind != SimKind::sync || op.path.find(".incr.aof") == std::string::npos) return;
            std::unique_lock guard(lock);
            waiting++;
            changed.notify_all();
            changed.wait(guard, [this] { return !closed; });
            waiting--;
        });
    }
    void set(bool shut) {
        std::unique_lock guard(lock);
        closed = shut;
        changed.notify_all();
    }
    void wait_for_one() {
        std::unique_lock guard(lock);
        changed.wait(guard, [this] { return waiting > 0; });
    }
};

TEST_F(Log_, AlwaysAcknowledgesNothingBeforeItIsSynced) {
    ASSERT_TRUE(open(FsyncPolicy::always));
    SlowSync slow;
    slow.install(disk.get());
    slow.set(true);
    Voice v(journal);
    uint64_t seq = v.put();
    slow.wait_for_one();
    EXPECT_FALSE(journal_acked(journal, seq));
    slow.set(false);
    EXPECT_TRUE(wait(seq));
    EXPECT_EQ(stats().synced_seq, seq);
}

TEST_F(Log_, OneSyncServesEverybodyWhoCameMeanwhile) {
    ASSERT_TRUE(open(FsyncPolicy::always));
    SlowSync slow;
    slow.install(disk.get());
    slow.set(true);
    Voice v(journal);
    v.put();
    slow.wait_for_one();
    for (int i = 0; i < 1000; i++)
        v.put();
    slow.set(false);
    EXPECT_TRUE(wait(v.last));
    EXPECT_EQ(stats().syncs, 2u);
}

// Who was just acknowledged comes back at once: without waiting for those, there would be two
// groups that take turns, and two syncs for each round.
TEST_F(Log_, WhoComesBackAtOnceGoesWithTheNextSync) {
    constexpr int kThreads = 8, kEach = 15;
    ASSERT_TRUE(open(FsyncPolicy::always));
    sim_set_hook(disk.get(), [](const SimOp& op) {
        if (op.kind == SimKind::sync) usleep(40000);
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
        threads.emplace_back([this, t] {
            Voice v(journal);
            for (int i = 0; i < kEach; i++) {
                usleep(static_cast<unsigned>(t) * 150);  // a client's reply and next command travel
                EXPECT_TRUE(wait(v.put()));
            }
        });
    }
    for (std::thread& t : threads)
        t.join();
    EXPECT_LT(stats().syncs, kEach * 8 / 5u);
    sim_set_hook(disk.get(), nullptr);
}

TEST_F(Log_, ASlowSyncDelaysNoWriteUnderEverysec) {
    ASSERT_TRUE(open(FsyncPolicy::everysec));
    SlowSync slow;
    slow.install(disk.get());
    slow.set(true);
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    slow.wait_for_one();
    int64_t until_ms = clock_mono_ms() + 1500;
    while (clock_mono_ms() < until_ms) {
        int64_t since_ms = clock_mono_ms();
        ASSERT_TRUE(wait(v.put()));  // while the sync hangs
        ASSERT_LT(clock_mono_ms() - since_ms, 500);
    }
    EXPECT_EQ(stats().synced_seq, 0u);
    slow.set(false);
    EXPECT_TRUE(comes([&] { return stats().synced_seq == v.last; }));
    EXPECT_EQ(stats().delayed_syncs, 1u);
    EXPECT_GE(stats().last_sync_us, 0);
}

TEST_F(Log_, EverysecSyncsWithinAboutASecondAndNotMoreOften) {
    ASSERT_TRUE(open(FsyncPolicy::everysec));
    Voice v(journal);
    for (int i = 0; i < 300; i++) {
        ASSERT_TRUE(wait(v.put()));
        usleep(1000);
    }
    EXPECT_LE(stats().syncs, 2u);
    EXPECT_TRUE(comes([&] { return stats().synced_seq == v.last; }));
    EXPECT_LE(stats().syncs, 3u);
}

TEST_F(Log_, NoNeverSyncsAndAlwaysCatchesUp) {
    ASSERT_TRUE(open(FsyncPolicy::no));
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    EXPECT_EQ(stats().syncs, 0u);
    EXPECT_EQ(stats().synced_seq, 0u);
    log_set_policy(log, FsyncPolicy::always);
    EXPECT_TRUE(comes([&] { return stats().synced_seq == 1; }));
    ASSERT_TRUE(wait(v.put()));
    EXPECT_EQ(stats().synced_seq, 2u);
    log_set_policy(log, FsyncPolicy::everysec);
    ASSERT_TRUE(wait(v.put()));
    EXPECT_TRUE(comes([&] { return stats().synced_seq == 3; }));
}

// ---- waking -----------------------------------------------------------------------------------

TEST_F(Log_, WhoeverAskedIsToldOfEveryStep) {
    struct Told {
        std::atomic<int> count{0};
    } told;
    options.wake = [](void* arg) { static_cast<Told*>(arg)->count++; };
    options.wake_arg = &told;
    ASSERT_TRUE(open());
    Voice v(journal);
    ASSERT_TRUE(wait(v.put()));
    EXPECT_TRUE(comes([&] { return told.count > 0; }));
    EXPECT_TRUE(close());
}

TEST_F(Log_, AFullLogMakesRoom) {
    ASSERT_TRUE(open());
    journal->waiting_max = 100000;
    std::mutex held;
    held.lock();
    sim_set_hook(disk.get(), [&](const SimOp& op) {
        if (op.kind == SimKind::write) std::lock_guard guard(held);
    });
    Voice v(journal);
    while (!journal_full(journal))
        v.put(0, std::string(1000, 'x'));
    EXPECT_FALSE(journal->wait_room(journal, 0));
    std::thread waiter([&] { EXPECT_TRUE(journal->wait_room(journal, kLongMs)); });
    held.unlock();
    waiter.join();
    EXPECT_TRUE(journal_has_room(journal));
    ASSERT_TRUE(wait(v.last));
    sim_set_hook(disk.get(), nullptr);
}

// ---- increments -------------------------------------------------------------------------------

TEST_F(Log_, ACutSendsWhatFollowsToTheNextIncrement) {
    ASSERT_TRUE(open());
    Voice v(journal);
    v.put(7);
    ASSERT_EQ(log_prepare_rotate(log), 0);
    ASSERT_EQ(log_prepare_rotate(log), 0);  // is prepared
    EXPECT_EQ(rotate(), 2);
    EXPECT_TRUE(wait(v.put(7)));
    std::string text;
    ASSERT_TRUE(sim_get(disk.get(), path_of("appendonly.aof.manifest"), &text));
    EXPECT_EQ(text,
              "file appendonly.aof.1.incr.aof seq 1 type i\n"
              "file appendonly.aof.2.incr.aof seq 2 type i\n");
    Read old, now;
    ASSERT_TRUE(sim_get(disk.get(), incr_path(1), &text));
    read_increment(text, &old);
    EXPECT_EQ(old.seqs, std::vector<uint64_t>{1});
    ASSERT_TRUE(sim_get(disk.get(), incr_path(2), &text));
    now.behind = old.behind;
    read_increment(text, &now);
    EXPECT_EQ(now.wrong, "");
    EXPECT_EQ(now.seqs, std::vector<uint64_t>{3});
    EXPECT_EQ(now.dbs, std::vector<int64_t>{7});
}

// Under `everysec` and `no`. What hangs is every sync from before the cut on.
TEST_F(Log_, TurningWhileASyncHangsDelaysNoWrite) {
    for (FsyncPolicy policy : {FsyncPolicy::everysec, FsyncPolicy::no}) {
        ASSERT_TRUE(open(policy));
        SlowSync slow;
        slow.install(disk.get());
        Voice v(journal);
        ASSERT_TRUE(wait(v.put()));
        ASSERT_EQ(log_prepare_rotate(log), 0);
        slow.set(true);
        ASSERT_TRUE(wait(v.put()));
        int64_t incr = rotate();
        ASSERT_TRUE(wait(v.put())) << "while the old increment's sync hangs";
        slow.wait_for_one();
        ASSERT_TRUE(wait(v.put()));
        EXPECT_LT(stats().synced_seq, v.last);
        std::string text;
        ASSERT_TRUE(sim_get(disk.get(), incr_path(incr), &text));
        Read r;
        read_increment(text, &r);
        EXPECT_EQ(r.seqs.size(), 2u);
        EXPECT_EQ(r.whole_lines, 0u) << "nobody knows that yet";
        slow.set(false);
        EXPECT_TRUE(comes([&] {
            return sim_get(disk.get(), incr_path(incr), &text) &&
                   text.find(RP_AOF_WHOLE_LINE) != std::string::npos;
        }));
        v.submit();
        EXPECT_TRUE(close());
        sim_set_hook(disk.get(), nullptr);
    }
}

TEST_F(Log_, WhatStandsBehindAMissingEndIsDroppedOnlyIfThatEndWasNeverSynced) {
    for (bool settled : {false, true}) {
        disk = sim_new();
        files = sim_ops(disk.get());
        sim_mkdir(disk.get(), kDir);
        ASSERT_TRUE(open(FsyncPolicy::no));
        {
            Voice v(journal);
            for (int i = 0; i < 3; i++)
                ASSERT_TRUE(wait(v.put()));
            rotate();
            ASSERT_TRUE(wait(v.put()));
        }
        ASSERT_TRUE(close());
        std::string old, later;
        ASSERT_TRUE(sim_get(disk.get(), incr_path(1), &old));
        ASSERT_TRUE(sim_get(disk.get(), incr_path(2), &later));
        size_t at = later.find(RP_AOF_WHOLE_LINE);
        ASSERT_NE(at, std::string::npos);
        if (!settled) later.erase(at, strlen(RP_AOF_WHOLE_LINE));
        sim_put(disk.get(), incr_path(1), old.substr(0, old.size() - 5));
        sim_put(disk.get(), incr_path(2), later);
        Read r = read_all(disk.get());
        if (settled) {
            EXPECT_EQ(r.wrong, "something stands behind a torn increment");
        } else {
            EXPECT_EQ(r.wrong, "");
            EXPECT_EQ(r.seqs, (std::vector<uint64_t>{1, 2}));
            std::string kept;
            ASSERT_TRUE(sim_get(disk.get(), incr_path(2) + ".cut-0", &kept));
            EXPECT_EQ(kept, later);
        }
    }
}

TEST_F(Log_, ACutWithoutPreparationMakesItsIncrement) {
    ASSERT_TRUE(open(FsyncPolicy::always));
    Voice v(journal);
    v.put();
    EXPECT_EQ(rotate(), 2);
    EXPECT_EQ(rotate(), 3);
    EXPECT_TRUE(wait(v.put()));
    EXPECT_EQ(log_current_incr(log), 3);
    Read r = read_all(disk.get());
    EXPECT_EQ(r.seqs, (std::vector<uint64_t>{1, 4}));
    EXPECT_EQ(r.wrong, "");
}

TEST_F(Log_, ARewriteReplacesBaseAndOldIncrements) {
    ASSERT_TRUE(open());
    Voice v(journal);
    for (uint64_t round = 1; round <= 3; round++) {
        for (int i = 0; i < 10; i++)
            v.put(0, std::string(100, 'x'));
        ASSERT_EQ(log_prepare_rotate(log), 0);
        int64_t incr = rotate();
        uint64_t cut = journal->next_seq.load() - 1;
        v.put();
        EXPECT_EQ(log_next_base_seq(log), static_cast<int64_t>(round));
        ASSERT_EQ(rebase(incr, cut), 0);
        EXPECT_TRUE(wait(v.last));
        std::string n = std::to_string(round), next = std::to_string(round + 1);
        EXPECT_EQ(sim_list(disk.get(), kDir),
                  (std::vector<std::string>{"appendonly.aof." + n + ".base.rdb",
                                            "appendonly.aof." + next + ".incr.aof",
                                            "appendonly.aof.manifest"}));
        LogStats s = stats();
        EXPECT_EQ(s.total_bytes - s.file_bytes, ("upto " + std::to_string(cut)).size());
        EXPECT_GE(s.synced_seq, cut);
    }
    EXPECT_TRUE(close());
    EXPECT_EQ(prefix_of(read_all(disk.get())), 33u + 3u);
}

TEST_F(Log_, ThreadsGoOnThroughRewrites) {
    ASSERT_TRUE(open(FsyncPolicy::always));
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; t++) {
        threads.emplace_back([&] {
            Voice v(journal);
            while (!stop)
                EXPECT_TRUE(wait(v.put()));
        });
    }
    for (int round = 0; round < 10; round++) {
        if (round % 2 == 0) {
            ASSERT_EQ(log_prepare_rotate(log), 0);
        }
        uint64_t cut;
        int64_t incr;
        {
            EpochPin pin(epoch_slot());
            cut = journal->next_seq.load();  // about: numbers around it are in both, or in neither
            incr = log_rotate(log, epoch_slot());
        }
        (void)cut;
        ASSERT_TRUE(comes([&] { return stats().written_seq > cut; }));
        ASSERT_EQ(rebase(incr, 0), 0);
    }
    stop = true;
    for (std::thread& t : threads)
        t.join();
    EXPECT_TRUE(close());
    Read r = read_all(disk.get());
    EXPECT_FALSE(r.torn);
}

}  // namespace rp::test
