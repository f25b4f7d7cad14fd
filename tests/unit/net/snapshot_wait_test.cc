// Over the wire: what a loop keeps itself from polling for, and clients that wait for a snapshot
// while their loop does not.
#include "base/log.h"
#include "persist/snapshot.h"
#include "unit/net/fixture.h"
#include "unit/persist/held_files.h"

namespace rp {

namespace {

struct OneLoop : Server {
    OneLoop() { loops = 1; }

    static int64_t gap_us(Client* c) {
        c->send("INFO rustypotato\r\n");
        std::string head = c->line();
        std::string text = c->take(std::stoul(head.substr(1)) + 2);
        std::string name = "rustypotato_loop_gap_max_usec:";
        size_t at = text.find(name);
        EXPECT_NE(at, std::string::npos) << text;
        return std::stoll(text.substr(at + name.size()));
    }
};

TEST_F(OneLoop, TheLongestGapBetweenTwoPollsIsKeptUntilResetstat) {
    config->enable_debug_command = 1;
    start();
    Client c = client();
    c.send("DEBUG SLEEP 0.3\r\n");
    c.expect("+OK\r\n");
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
    EXPECT_GE(gap_us(&c), 300000);
    c.send("CONFIG RESETSTAT\r\n");
    c.expect("+OK\r\n");
    EXPECT_LT(gap_us(&c), 300000);
}

TEST_F(OneLoop, SleepingInPollIsNoGap) {
    start();
    Client c = client();
    c.send("CONFIG SET hz 1\r\n");
    c.expect("+OK\r\n");
    c.send("CONFIG RESETSTAT\r\n");
    c.expect("+OK\r\n");
    poll(nullptr, 0, 700);
    EXPECT_LT(gap_us(&c), 600000);
}

TEST_F(OneLoop, AClientWaitsForTheSnapshotOfALargeValueAndNobodyElseDoes) {
    start();
    Client filler = client(), writer = client(), other = client();
    for (int i = 0; i < 40; i++) {
        std::string command = "*2002\r\n$4\r\nHSET\r\n$3\r\nbig\r\n";
        for (int f = 0; f < 1000; f++) {
            command += bulk("field-" + std::to_string(i * 1000 + f));
            command += bulk("a value of some length " + std::to_string(f * 7919));
        }
        filler.send(command);
        filler.expect(":1000\r\n");
    }
    test::HeldFiles files;
    files.hold();
    SnapshotOptions o;
    o.files = &files.ops;
    o.dir = "/nowhere";
    o.name = "dump.rdb";
    o.ahead_max = 0;  // it waits for the disk with the value half written
    o.wake = engine_wake_clients;
    o.wake_arg = engine;
    rp::Snapshot* snapshot;
    ASSERT_EQ(snapshot_start(&engine->core.store, o, &snapshot), Status::ok);
    files.wait_stuck();
    writer.send("HSET big field-1 changed\r\nPING\r\n");
    for (int i = 0; i < 20; i++) {
        other.send("HGET big field-1\r\nSET x y\r\n");
        other.expect("$27\r\na value of some length 7919\r\n+OK\r\n");
    }
    EXPECT_TRUE(writer.silent());
    files.let_go();
    writer.expect(":0\r\n+PONG\r\n");
    EXPECT_TRUE(snapshot_finish(snapshot));
    other.send("HGET big field-1\r\n");
    other.expect("$7\r\nchanged\r\n");
}

}  // namespace

}  // namespace rp
