// Clients that behave, in every order the network can deliver their bytes.
#include <thread>
#include <vector>

#include "base/log.h"
#include "unit/net/fixture.h"

namespace rp {

using Net_ = Server;

TEST_F(Net_, PingIsAnswered) {
    start();
    Client c = client();
    c.send("PING\r\n" + wire({"PING", "hi"}));
    c.expect("+PONG\r\n" + bulk("hi"));
}

TEST_F(Net_, OneByteAtATimeGivesTheSameReplies) {
    start();
    Client c = client();
    std::string all = wire({"SET", "k", "value"}) + "PING\r\n" + wire({"GET", "k"}) + "\r\n*0\r\n" +
                      wire({"STRLEN", "k"});
    for (char byte : all)
        c.send(std::string(1, byte));
    c.expect("+OK\r\n+PONG\r\n" + bulk("value") + ":5\r\n");
}

TEST_F(Net_, LongPipelineKeepsItsOrder) {
    start();
    Client c = client();
    constexpr int kCount = 100000;
    std::string all, want;
    for (int i = 0; i < kCount; i++) {
        all += wire({"INCR", "n"});
        want += ":" + std::to_string(i + 1) + "\r\n";
    }
    std::thread sender([&] { c.send(all); });
    c.expect(want);
    sender.join();
}

TEST_F(Net_, EverySplitOfAPipelineWorks) {
    start();
    Client c = client();
    std::string all = wire({"SET", "key", "some value"}) + wire({"GET", "key"});
    for (size_t at = 1; at < all.size(); at++) {
        c.send(all.substr(0, at));
        c.send(all.substr(at));
        c.expect("+OK\r\n" + bulk("some value"));
    }
}

TEST_F(Net_, BigValuesSurviveTheRoundTrip) {
    start();
    Client c = client();
    for (size_t len : {size_t{100}, size_t{16383}, size_t{16384}, size_t{32767}, size_t{32768},
                       size_t{131072}, size_t{200000}, size_t{5} << 20}) {
        std::string value(len, 'x');
        for (size_t i = 0; i < len; i += 997)
            value[i] = static_cast<char>('a' + i % 26);
        std::thread sender([&] {
            c.send(wire({"SET", "k", value}) + wire({"GET", "k"}) + "PING\r\n");
        });
        c.expect("+OK\r\n" + bulk(value) + "+PONG\r\n");
        sender.join();
    }
}

TEST_F(Net_, ManySmallWordsBeyondThePartialBufferAreOneCommand) {
    start();
    Client c = client();
    constexpr int kKeys = 20000;
    std::string all = "*" + std::to_string(kKeys + 1) + "\r\n" + bulk("EXISTS");
    for (int i = 0; i < kKeys; i++)
        all += bulk("key number " + std::to_string(i));
    for (size_t at = 0; at < all.size(); at += 5000)
        c.send(all.substr(at, 5000));
    c.expect(":0\r\n");
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
}

TEST_F(Net_, HalfClosedClientGetsEveryReply) {
    start();
    std::string value(100000, 'v');
    Client c = client();
    std::string all = wire({"SET", "k", value}), want = "+OK\r\n";
    for (int i = 0; i < 200; i++) {
        all += wire({"GET", "k"});
        want += bulk(value);
    }
    c.send(all);
    shutdown(c.fd, SHUT_WR);
    c.expect(want);
    EXPECT_EQ(c.rest(), "");
}

TEST_F(Net_, QuitAnswersClosesAndRunsNothingBehindIt) {
    start();
    Client c = client();
    c.send("SET a 1\r\nQUIT\r\nSET a 2\r\n");
    EXPECT_EQ(c.rest(), "+OK\r\n+OK\r\n");
    Client d = client();
    d.send("GET a\r\n");
    d.expect(bulk("1"));
}

TEST_F(Net_, ProtocolErrorComesAfterTheRepliesBeforeIt) {
    start();
    Client c = client();
    c.send("PING\r\nPING\r\n*1\r\n$-1\r\nPING\r\n");
    EXPECT_EQ(c.rest(), "+PONG\r\n+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
}

TEST_F(Net_, HttpIsCutOffWithoutAnAnswer) {
    start();
    Client c = client();
    c.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET evil 1\r\n");
    EXPECT_EQ(c.rest(), "");
    Client d = client();
    d.send("EXISTS evil\r\n");
    d.expect(":0\r\n");
}

TEST_F(Net_, ClientsOnAllLoopsSeeOneStore) {
    start();
    ASSERT_EQ(net_loops(net), 2u);
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([this] {
            Client c = client();
            std::string all;
            for (int i = 0; i < 500; i++)
                all += wire({"INCR", "n"});
            c.send(all);
            for (int i = 0; i < 500; i++)
                ASSERT_EQ(c.line()[0], ':');
        });
    }
    for (std::thread& t : threads)
        t.join();
    Client c = client();
    c.send("GET n\r\n");
    c.expect(bulk("4000"));
}

TEST_F(Net_, ABusyPipelineDoesNotStarveOthers) {
    loops = 1;
    net_close(net);
    net = nullptr;
    config->io_threads.store(1);
    start();
    Client busy = client(4 << 20), other = client();
    std::string part;
    for (int i = 0; i < 20000; i++)
        part += "INCR n\r\n";
    std::atomic<bool> stop{false};
    std::thread feeder([&] {
        while (!stop && busy.send(part)) {}
    });
    std::thread drain([&] {
        char sink[65536];
        while (recv(busy.fd, sink, sizeof sink, 0) > 0) {}
    });
    for (int i = 0; i < 50; i++) {
        other.send("PING\r\n");
        other.expect("+PONG\r\n");
    }
    stop = true;
    shutdown(busy.fd, SHUT_RDWR);
    feeder.join();
    drain.join();
}

TEST_F(Net_, PausedCommandsRunLaterInOrder) {
    start();
    Client admin = client(), c = client();
    std::string value(300000, 'p');
    admin.send("CLIENT PAUSE 100000 WRITE\r\n");
    admin.expect("+OK\r\n");
    c.send("SET a 1\r\n" + wire({"SET", "b", value}) + "APPEND a 2\r\n" + wire({"STRLEN", "b"}));
    for (int i = 0; i < 20; i++) {
        admin.send("CLIENT ID\r\n");
        EXPECT_NE(admin.line(), "");
    }
    EXPECT_TRUE(c.silent());
    admin.send("CLIENT UNPAUSE\r\n");
    admin.expect("+OK\r\n");
    c.expect("+OK\r\n+OK\r\n:2\r\n:300000\r\n");
    c.send("GET a\r\n");
    c.expect(bulk("12"));
}

TEST_F(Net_, PauseEndsByItself) {
    start();
    Client c = client();
    c.send("CLIENT PAUSE 50\r\nSET a 1\r\nGET a\r\n");
    c.expect("+OK\r\n+OK\r\n" + bulk("1"));
}

TEST_F(Net_, KilledClientIsClosedWithDataPending) {
    start();
    Client victim = client(4096), admin = client();
    victim.send("CLIENT ID\r\n");
    std::string id = victim.line().substr(1);
    id.resize(id.size() - 2);
    std::string value(1 << 20, 'v');
    victim.send(wire({"SET", "k", value}));
    victim.expect("+OK\r\n");
    std::string gets;
    for (int i = 0; i < 50; i++)
        gets += "GET k\r\n";
    victim.send(gets);
    admin.send("CLIENT KILL ID " + id + "\r\n");
    admin.expect(":1\r\n");
    victim.rest();
    wait_connected(1);
    admin.send("PING\r\n");
    admin.expect("+PONG\r\n");
}

TEST_F(Net_, KillingOneselfAnswersFirst) {
    start();
    Client c = client();
    c.send("CLIENT ID\r\n");
    std::string id = c.line().substr(1);
    id.resize(id.size() - 2);
    c.send("CLIENT KILL ID " + id + " SKIPME no\r\nPING\r\n");
    EXPECT_EQ(c.rest(), ":1\r\n");
}

}  // namespace rp
