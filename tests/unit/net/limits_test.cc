// Clients that do not behave: every bound holds and others are served meanwhile.
#include <sys/resource.h>

#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "mem/mem.h"
#include "net/limits.h"
#include "unit/net/fixture.h"

namespace rp {

using NetLimits = Server;

static std::string repeat(const std::string& s, int n) {
    std::string out;
    for (int i = 0; i < n; i++)
        out += s;
    return out;
}

// 1000 x GET of 1 MiB that nobody reads (CVE-2025-46686 class), then all of it is read after all.
static void unread(Server* t, size_t len, int count) {
    t->start();
    Client c = t->client(65536), other = t->client();
    std::string value(len, 'v');
    other.send(wire({"SET", "k", value}));
    other.expect("+OK\r\n");
    int64_t before = mem_used();
    c.send(repeat(wire({"GET", "k"}), count));
    for (int i = 0; i < 200; i++) {
        other.send("PING\r\n");
        other.expect("+PONG\r\n");
    }
    EXPECT_LT(mem_used() - before, 8 << 20);
    std::string want = bulk(value);
    for (int i = 0; i < count; i++)
        c.expect(want);
}

TEST_F(NetLimits, UnreadLargeRepliesHoldBackTheirClientOnly) { unread(this, 1 << 20, 1000); }
TEST_F(NetLimits, UnreadSmallRepliesHoldBackTheirClientOnly) { unread(this, 10000, 5000); }

// Each reply is 15 MB; a pipeline of 60 of them must not be built at once.
TEST_F(NetLimits, PipelinedMultiKeyRepliesAreBuiltOneByOne) {
    start();
    Client c = client(65536), other = client();
    other.send(wire({"SET", "k", std::string(15000, 'v')}));
    other.expect("+OK\r\n");
    std::string mget = "*1001\r\n" + bulk("MGET") + repeat(bulk("k"), 1000);
    int64_t before = mem_used();
    c.send(repeat(mget, 60));
    other.send("PING\r\n");
    other.expect("+PONG\r\n");
    EXPECT_LT(mem_used() - before, 64 << 20);
    std::string want = "*1000\r\n" + repeat(bulk(std::string(15000, 'v')), 1000);
    for (int i = 0; i < 60; i++)
        c.expect(want);
}

TEST_F(NetLimits, HardOutputLimitClosesTheClient) {
    start();
    set("client-output-buffer-limit", "normal 100000 0 0");
    Client c = client();
    c.send(wire({"SET", "k", std::string(200000, 'x')}) + "GET k\r\n");
    EXPECT_LT(c.rest().size(), 200000u);
}

TEST_F(NetLimits, QueryBufferLimitClosesTheClient) {
    start();
    set("client-query-buffer-limit", "1mb");
    Client c = client();
    std::string piece = repeat(bulk(std::string(1000, 'x')), 100);
    c.send("*1000000\r\n");
    for (int i = 0; i < 100 && c.send(piece); i++) {}
    EXPECT_EQ(c.rest(), "");
}

TEST_F(NetLimits, AnnouncedBytesCostNothing) {
    start();
    std::vector<Client> clients;
    int64_t before = mem_used();
    for (int i = 0; i < 100; i++) {
        clients.push_back(client());
        clients.back().send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc");
    }
    Client c = client();
    for (int i = 0; i < 10; i++) {
        c.send("PING\r\n");
        c.expect("+PONG\r\n");
    }
    EXPECT_LT(mem_used() - before, 16 << 20);
}

TEST_F(NetLimits, IdleClientsAreSmall) {
    start();
    std::vector<Client> clients;
    constexpr int kCount = 400;
    int64_t before = mem_used();
    for (int i = 0; i < kCount; i++) {
        clients.push_back(client());
        clients.back().send("PING\r\n");
        clients.back().expect("+PONG\r\n");
    }
    EXPECT_LT((mem_used() - before) / kCount, 5000);
}

TEST_F(NetLimits, TooManyClientsAreTold) {
    start();
    engine->config->maxclients.store(2);
    Client a = client(), b = client();
    a.send("PING\r\n");
    a.expect("+PONG\r\n");
    b.send("PING\r\n");
    b.expect("+PONG\r\n");
    Client c = client();
    EXPECT_EQ(c.rest(), "-ERR max number of clients reached\r\n");
    EXPECT_EQ(engine->clients.rejected.load(), 1u);
    b.shut();
    wait_connected(1);
    Client d = client();
    d.send("PING\r\n");
    d.expect("+PONG\r\n");
}

TEST_F(NetLimits, WithoutDescriptorsClientsAreTurnedAwayAndLaterServed) {
    start();
    Client first = client();
    first.send("PING\r\n");
    first.expect("+PONG\r\n");
    Client extra[4];
    for (Client& c : extra)
        c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rlimit before, tight;
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    tight.rlim_cur = static_cast<rlim_t>(extra[3].fd) + 1;  // No descriptor is free for the server.
    setrlimit(RLIMIT_NOFILE, &tight);
    sockaddr_in a = {};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<uint16_t>(port));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (Client& c : extra) {
        ASSERT_EQ(connect(c.fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
        EXPECT_EQ(c.rest(), "-ERR max number of clients reached\r\n");
    }
    first.send("PING\r\n");
    first.expect("+PONG\r\n");
    setrlimit(RLIMIT_NOFILE, &before);
    Client later = client();
    later.send("PING\r\n");
    later.expect("+PONG\r\n");
}

TEST_F(NetLimits, IdleClientsAreClosedAfterTimeout) {
    start();
    Client c = client();
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
    engine->config->timeout_s.store(1);
    int64_t since = clock_mono_ms();
    EXPECT_EQ(c.rest(), "");
    EXPECT_GE(clock_mono_ms() - since, 900);
}

TEST_F(NetLimits, HalvesOfCommandsAndResetsHurtNobody) {
    start();
    std::vector<Client> halves;
    for (int i = 0; i < 300; i++) {
        halves.push_back(client());
        halves.back().send("*2\r\n$3\r\nGET\r\n$10\r\nabc");
    }
    linger now = {1, 0};
    for (int i = 0; i < 300; i++) {
        Client c = client();
        c.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nabc");
        setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    wait_connected(300);
    for (Client& c : halves) {
        c.send("defghij\r\n");
        c.expect("$-1\r\n");
    }
}

TEST_F(NetLimits, WithoutPasswordLargeRequestsAreRefused) {
    ConfigErr err;
    ConfigPair pair = {"requirepass", "secret"};
    ASSERT_TRUE(config_set_many(config, &pair, 1, true, &err)) << err.text;
    start();
    Client c = client();
    c.send(repeat("x", 10) + "\r\n*20\r\n");
    EXPECT_NE(c.rest().find("-ERR Protocol error: unauthenticated multibulk length\r\n"),
              std::string::npos);
    Client d = client();
    d.send(wire({"AUTH", "secret"}) + wire({"SET", "k", std::string(20000, 'x')}));
    d.expect("+OK\r\n+OK\r\n");
}

TEST_F(NetLimits, RubbishIsAnsweredOrCutNeverHangs) {
    start();
    const std::string rubbish[] = {
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "*1\r\n*1\r\n",
        "*2147483647\r\n",
        "*9999999999999999999999\r\n",
        std::string(70000, '1'),
        "set k \"unbalanced\r\n",
    };
    for (const std::string& bytes : rubbish) {
        Client c = client();
        c.send(bytes);
        shutdown(c.fd, SHUT_WR);
        c.rest();
    }
    Client c = client();
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
}

}  // namespace rp
