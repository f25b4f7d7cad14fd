// Replies that wait for the log: a journal whose acknowledgements the test gives.
#include <atomic>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "persist/log.h"
#include "unit/net/fixture.h"

namespace rp {

// Takes everything, acknowledges when told.
struct HandJournal : Journal {
    std::atomic<uint64_t> seen{0};  // highest number handed in
    std::atomic<size_t> batches{0};
    bool keep_waiting = false;  // what is handed in goes on counting as unwritten

    HandJournal() {
        submit = [](Journal* j, LogBatch* take) {
            auto* self = static_cast<HandJournal*>(j);
            uint64_t last = take->records[take->count - 1].seq, before = self->seen.load();
            while (before < last && !self->seen.compare_exchange_weak(before, last)) {}
            self->batches.fetch_add(1);
            if (!self->keep_waiting) self->waiting_bytes.fetch_sub(log_batch_waiting(take));
            log_batch_free(take);
        };
        refusal = [](Journal*, char* out, size_t size) {
            return static_cast<size_t>(snprintf(out, size, "MISCONF no"));
        };
    }
};

struct Held_ : Server {
    HandJournal journal;

    void start_logged() {
        start();
        engine_set_journal(engine, &journal);
    }
    void ack(uint64_t seq) {
        journal.acked.store(seq);
        engine_log_moved(engine);
    }
    void wait_seen(uint64_t seq) {
        for (int i = 0; i < kWaitMs && journal.seen.load() < seq; i++)
            poll(nullptr, 0, 1);
        ASSERT_GE(journal.seen.load(), seq);
    }
    // Both loops have come round since.
    void turn_round() {
        for (int i = 0; i < 4; i++) {
            Client c = client();
            c.send("PING\r\n");
            c.expect("+PONG\r\n");
        }
    }
};

struct HeldOneLoop : Held_ {
    HeldOneLoop() { loops = 1; }
};
struct HeldThreeLoops : Held_ {
    HeldThreeLoops() { loops = 3; }
};

TEST_F(Held_, AReplyToAChangeLeavesOnlyWhenItIsAcknowledged) {
    start_logged();
    Client c = client();
    c.send(wire({"SET", "k", "v"}));
    wait_seen(1);
    turn_round();
    EXPECT_TRUE(c.silent());
    ack(1);
    c.expect("+OK\r\n");
}

TEST_F(Held_, ReadersAreNotHeldByWhatOthersChange) {
    start_logged();
    Client writer = client(), second = client();
    writer.send(wire({"SET", "k", "v"}));
    second.send(wire({"SET", "l", "v"}));
    wait_seen(2);
    std::vector<Client> readers;
    for (int i = 0; i < 6; i++)
        readers.push_back(client());
    for (Client& r : readers)
        r.send(wire({"GET", "k"}));
    for (Client& r : readers)
        r.expect(bulk("v"));
    EXPECT_TRUE(writer.silent());
    ack(2);
    writer.expect("+OK\r\n");
    second.expect("+OK\r\n");
}

// The same, with both commands in one turn of one loop.
TEST_F(HeldOneLoop, ReadersAreNotHeldByWhatOthersChangeInTheSameTurn) {
    start_logged();
    Client first = client(), writer = client(), reader = client();
    EpochSlot* slot = epoch_slot();
    gate_close(&engine->core.store.gate, slot);
    first.send("PING\r\n");
    poll(nullptr, 0, 20);  // the loop stands at the gate, or will find all three at once
    writer.send(wire({"SET", "k", "v"}));
    reader.send(wire({"GET", "other"}));
    gate_open(&engine->core.store.gate, slot);
    first.expect("+PONG\r\n");
    reader.expect("$-1\r\n");
    wait_seen(1);
    EXPECT_TRUE(writer.silent());
    ack(1);
    writer.expect("+OK\r\n");
}

TEST_F(Held_, TheLogWakesTheLoopNotItsTimer) {
    start_logged();
    set("hz", "1");  // acknowledged by nobody: no change of a key
    Client c = client();
    int64_t since_ms = clock_mono_ms();
    for (uint64_t i = 1; i <= 20; i++) {
        c.send(wire({"INCR", "n"}));
        wait_seen(i);
        poll(nullptr, 0, 5);  // it sleeps
        ack(i);
        c.expect(":" + std::to_string(i) + "\r\n");
    }
    EXPECT_LT(clock_mono_ms() - since_ms, 5000);
}

TEST_F(Held_, WhatWasReadBehindAChangeComesBehindItsReply) {
    start_logged();
    Client c = client();
    c.send(wire({"GET", "k"}) + wire({"SET", "k", "v"}) + wire({"GET", "k"}));
    wait_seen(1);
    turn_round();
    ack(1);
    c.expect("$-1\r\n+OK\r\n" + bulk("v"));
    c.send(wire({"GET", "k"}));  // nothing is held any more
    c.expect(bulk("v"));
}

TEST_F(Held_, RepliesLeaveInPortionsWhileTheClientGoesOn) {
    start_logged();
    Client c = client();
    c.send(wire({"INCR", "n"}));
    wait_seen(1);
    c.send(wire({"INCR", "n"}));
    wait_seen(2);
    turn_round();
    ack(1);
    c.expect(":1\r\n");
    turn_round();
    EXPECT_TRUE(c.silent());
    ack(2);
    c.expect(":2\r\n");
}

TEST_F(Held_, ATurnsChangesAreHandedInTogether) {
    start_logged();
    Client c = client();
    std::string all;
    for (int i = 0; i < 200; i++)
        all += wire({"INCR", "n"});
    c.send(all);
    wait_seen(200);
    EXPECT_LT(journal.batches.load(), 20u);
    ack(200);
    std::string want;
    for (int i = 1; i <= 200; i++)
        want += ":" + std::to_string(i) + "\r\n";
    c.expect(want);
}

TEST_F(Held_, AClientWithTooMuchHeldIsNotReadUntilTheLogMovesOn) {
    start_logged();
    std::string value(100000, 'v');
    Client c = client();
    c.send(wire({"SET", "k", value}));
    wait_seen(1);
    ack(1);
    c.expect("+OK\r\n");
    constexpr int kRounds = 60;  // six megabytes of replies, all behind a change
    std::string all = wire({"INCR", "n"}), want = ":1\r\n";
    for (int i = 0; i < kRounds; i++) {
        all += wire({"GET", "k"}) + wire({"INCR", "n"});
        want += bulk(value) + ":" + std::to_string(i + 2) + "\r\n";
    }
    c.send(all);
    wait_seen(5);
    turn_round();
    EXPECT_TRUE(c.silent());
    EXPECT_LT(journal.seen.load(), kRounds);  // it was stopped
    std::atomic<bool> stop{false};
    std::thread log([&] {
        while (!stop) {
            ack(journal.seen.load());
            poll(nullptr, 0, 1);
        }
    });
    c.expect(want);
    stop = true;
    log.join();
}

TEST_F(Held_, QuitAndTheEndOfInputWaitForTheLog) {
    start_logged();
    Client quits = client(), ends = client();
    quits.send(wire({"SET", "a", "1"}) + "QUIT\r\n");
    wait_seen(1);
    ends.send(wire({"SET", "b", "1"}));
    shutdown(ends.fd, SHUT_WR);
    wait_seen(2);
    turn_round();
    EXPECT_TRUE(quits.silent());
    EXPECT_TRUE(ends.silent());
    ack(2);
    EXPECT_EQ(quits.rest(), "+OK\r\n+OK\r\n");
    EXPECT_EQ(ends.rest(), "+OK\r\n");
}

TEST_F(Held_, AClosedClientLeavesNothingOnTheList) {
    start_logged();
    {
        Client c = client();
        c.send(wire({"SET", "a", "1"}));
        wait_seen(1);
        Client other = client();
        other.send(wire({"CLIENT", "KILL", "TYPE", "normal"}));
        other.expect(":1\r\n");
        EXPECT_EQ(c.rest(), "");
    }
    ack(1);
    turn_round();
}

TEST_F(Held_, StoppingWaitsForHeldReplies) {
    start_logged();
    Client c = client();
    c.send(wire({"SET", "a", "1"}));
    wait_seen(1);
    std::thread stopper([&] { net_stop(net); });
    poll(nullptr, 0, 50);
    EXPECT_TRUE(c.silent());
    ack(1);
    EXPECT_EQ(c.rest(), "+OK\r\n");
    stopper.join();
}

TEST_F(Held_, StoppingDoesNotWaitForEver) {
    start_logged();
    Client c = client();
    c.send(wire({"SET", "a", "1"}));
    wait_seen(1);
    net_stop(net);
    EXPECT_EQ(c.rest(), "");
}

TEST_F(Held_, AFullLogPausesWritersUntilHalfIsWritten) {
    start_logged();
    journal.waiting_max = 1000;
    journal.waiting_bytes = 1001;
    Client writer = client(), reader = client();
    writer.send(wire({"SET", "a", "1"}));
    reader.send(wire({"GET", "a"}));
    reader.expect("$-1\r\n");
    turn_round();
    EXPECT_EQ(journal.seen.load(), 0u);
    journal.waiting_bytes = 500;
    engine_log_moved(engine);
    wait_seen(1);
    ack(1);
    writer.expect("+OK\r\n");
}

TEST_F(HeldThreeLoops, ManyClientsOnManyLoopsAllGetTheirReplies) {
    start_logged();
    constexpr int kClients = 60, kRounds = 40;
    std::atomic<bool> stop{false};
    std::thread log([&] {  // acknowledges a little late, and not everything
        uint64_t behind = 0;
        while (!stop) {
            uint64_t seen = journal.seen.load();
            ack(behind < seen ? behind : seen);
            behind = seen;
            if (seen % 3 == 0) std::this_thread::yield();
        }
        ack(journal.seen.load());
    });
    std::vector<Client> clients;
    for (int i = 0; i < kClients; i++)
        clients.push_back(client());
    for (int round = 0; round < kRounds; round++) {
        for (int i = 0; i < kClients; i++)
            clients[static_cast<size_t>(i)].send(wire({"INCR", "n" + std::to_string(i)}));
        for (Client& c : clients)
            c.expect(":" + std::to_string(round + 1) + "\r\n");
    }
    stop = true;
    log.join();
}

TEST_F(Held_, TurningTheLogOffLetsGoOfWhatIsHeld) {
    start_logged();
    Client c = client();
    c.send(wire({"SET", "a", "1"}));
    wait_seen(1);
    engine_set_journal(engine, nullptr);
    c.send(wire({"GET", "a"}));
    c.expect("+OK\r\n" + bulk("1"));
}

// ---- the real one -----------------------------------------------------------------------------

struct Logged_ : Server {
    std::string dir = ::testing::TempDir() + "rp-held-XXXXXX";
    Log* log = nullptr;

    void start_logged(FsyncPolicy policy) {
        start();
        ASSERT_NE(mkdtemp(dir.data()), nullptr);
        LogOptions o;
        o.dir = dir.c_str();
        o.appendfilename = "a";
        o.policy = policy;
        o.wake = engine_log_moved;
        o.wake_arg = engine;
        Manifest none;
        PersistErr err;
        ASSERT_EQ(log_open(o, &none, &log, &err), Status::ok) << err.text;
        engine_set_journal(engine, log_journal(log));
    }
    std::string increment() const { return dir + "/a.1.incr.aof"; }
    size_t commands_in_file() {
        FILE* f = fopen(increment().c_str(), "rb");
        std::string text(64 << 20, 0);
        text.resize(fread(text.data(), 1, text.size(), f));
        fclose(f);
        size_t n = 0;
        for (size_t at = 0; (at = text.find("\r\nSET\r\n", at)) != std::string::npos; at++)
            n++;
        return n;
    }
    void TearDown() override {
        net_stop(net);
        engine_set_journal(engine, nullptr);
        EXPECT_TRUE(log_close(log));
        Server::TearDown();
        unlink(increment().c_str());
        unlink((dir + "/a.manifest").c_str());
        rmdir(dir.c_str());
    }
    void run(int clients, int rounds, int pipeline) {
        std::vector<std::thread> threads;
        for (int t = 0; t < clients; t++) {
            threads.emplace_back([=, this] {
                Client c = client();
                std::string all, want;
                for (int i = 0; i < pipeline; i++) {
                    all += wire({"SET", "k" + std::to_string(t * 1000 + i), std::string(100, 'v')});
                    want += "+OK\r\n";
                }
                for (int i = 0; i < rounds; i++) {
                    c.send(all);
                    c.expect(want);
                }
            });
        }
        for (std::thread& t : threads)
            t.join();
        EXPECT_EQ(commands_in_file(), static_cast<size_t>(clients * rounds * pipeline));
    }
};

TEST_F(Logged_, WhatWasAnsweredIsInTheFile) {
    start_logged(FsyncPolicy::everysec);
    run(6, 100, 16);
}

TEST_F(Logged_, SingleCommandsToo) {
    start_logged(FsyncPolicy::everysec);
    run(10, 200, 1);
}

TEST_F(Logged_, AlwaysAnswersEverybodyAfterASync) {
    start_logged(FsyncPolicy::always);
    run(10, 30, 4);
    LogStats s;
    log_stats(log, &s);
    EXPECT_EQ(s.synced_seq, s.written_seq);
    EXPECT_LT(s.syncs, 300u);  // shared: one for each would be that many
}

TEST_F(Logged_, AFullLogHoldsNobodyForEver) {
    start_logged(FsyncPolicy::everysec);
    log_journal(log)->waiting_max = 20000;
    run(8, 60, 60);
}

}  // namespace rp
