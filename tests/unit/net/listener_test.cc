// Listening, replacing what is listened on, and stopping.
#include <sys/stat.h>

#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "unit/net/fixture.h"

namespace rp {

struct Listening : Server {
    std::string dir, path;

    void SetUp() override {
        Server::SetUp();
        dir = ::testing::TempDir() + "rp-net-XXXXXX";
        ASSERT_NE(mkdtemp(dir.data()), nullptr);
        path = dir + "/sock";
    }
    void TearDown() override {
        Server::TearDown();
        unlink(path.c_str());
        rmdir(dir.c_str());
    }
    bool apply(const char* setting, const char** why) {
        return engine->net.apply(engine->net.net, setting, why);
    }
};

static int free_port() {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a = {};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof a;
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&a), &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

TEST_F(Listening, UnixSocketServesWithItsModeAndIsRemoved) {
    engine->config->unixsocketperm.store(0700);
    options.unixsocket = path.c_str();
    start();
    struct stat st;
    ASSERT_EQ(stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0700u);
    Client c;
    ASSERT_TRUE(c.unix_path(path));
    c.send("SET a 1\r\nGET a\r\n");
    c.expect("+OK\r\n" + bulk("1"));
    net_stop(net);
    EXPECT_NE(stat(path.c_str(), &st), 0);
}

TEST_F(Listening, StaleUnixSocketIsReplacedButNotAFileAndNotALiveOne) {
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un a = {};
    a.sun_family = AF_UNIX;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path.c_str());
    ASSERT_EQ(bind(stale, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    ASSERT_EQ(listen(stale, 1), 0);
    options.unixsocket = path.c_str();
    NetErr err;
    EXPECT_EQ(net_open(engine, options, &net, &err), Status::in_use);
    EXPECT_NE(std::string(err.text).find("a server is listening there"), std::string::npos)
        << err.text;
    close(stale);
    start();
    net_close(net);
    net = nullptr;
    FILE* file = fopen(path.c_str(), "w");
    fclose(file);
    EXPECT_EQ(net_open(engine, options, &net, &err), Status::in_use);
    EXPECT_NE(std::string(err.text).find("not a socket"), std::string::npos) << err.text;
}

TEST_F(Listening, PortInUseIsOneClearLine) {
    start();
    Net* second = nullptr;
    NetErr err;
    NetOptions same;
    same.port_override = port;
    EXPECT_EQ(net_open(engine, same, &second, &err), Status::in_use);
    EXPECT_EQ(std::string(err.text), "Could not create server TCP listening socket 127.0.0.1:" +
                                         std::to_string(port) + ": bind: Address already in use");
    Client c = client();
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
}

TEST_F(Listening, PortCanBeChangedWhileClientsStay) {
    start();
    Client old = client();
    old.send("PING\r\n");
    old.expect("+PONG\r\n");
    int before = port, next = free_port();
    const char* why = "";
    config->port.store(next);
    ASSERT_TRUE(apply("port", &why)) << why;
    EXPECT_EQ(net_port(net), next);
    port = next;
    Client c = client();
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
    old.send("PING\r\n");
    old.expect("+PONG\r\n");
    Client refused;
    EXPECT_FALSE(refused.tcp(before));
}

TEST_F(Listening, PortThatIsTakenIsVetoedAndTheOldOneStays) {
    start();
    int taken = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a = {};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    ASSERT_EQ(listen(taken, 1), 0);
    socklen_t len = sizeof a;
    getsockname(taken, reinterpret_cast<sockaddr*>(&a), &len);
    const char* why = "";
    config->port.store(ntohs(a.sin_port));
    EXPECT_FALSE(apply("port", &why));
    EXPECT_STREQ(why, "Unable to listen on this port. Check server logs.");
    close(taken);
    for (int i = 0; i < 3; i++) {
        Client c = client();
        c.send("PING\r\n");
        c.expect("+PONG\r\n");
    }
}

TEST_F(Listening, BindCanBeWidenedAndNarrowed) {
    start();
    for (const char* addresses : {"bind 127.0.0.1 127.0.0.2\n", "bind 127.0.0.2 127.0.0.1 -::1\n",
                                  "bind *\n", "bind 127.0.0.1\n"}) {
        ConfigErr err;
        ASSERT_TRUE(config_load_text(config, bytes_of(addresses), "test", false, &err)) << err.text;
        const char* why = "";
        ASSERT_TRUE(apply("bind", &why)) << addresses << why;
        EXPECT_EQ(net_port(net), port);
        Client c = client();
        c.send("PING\r\n");
        c.expect("+PONG\r\n");
    }
}

TEST_F(Listening, StopClosesClientsIsIdempotentAndServingMayStartAgain) {
    start();
    Client c = client();
    c.send("SET a 1\r\n");
    c.expect("+OK\r\n");
    std::thread other([this] { net_stop(net); });
    net_stop(net);
    other.join();
    net_stop(net);
    EXPECT_EQ(c.rest(), "");
    EXPECT_EQ(connected(), 0u);
    Client refused;
    EXPECT_FALSE(refused.tcp(port));
    engine->net.wake_all(engine->net.net);
    engine->net.request_stop(engine->net.net);
    start();
    Client d = client();
    d.send("GET a\r\n");
    d.expect(bulk("1"));
}

TEST_F(Listening, StopSendsWhatIsPendingToThoseWhoRead) {
    start();
    std::string value(3 << 20, 's');
    Client c = client();
    c.send(wire({"SET", "k", value}));
    c.expect("+OK\r\n");
    c.send("GET k\r\n");
    c.receive();
    std::thread stopper([this] { net_stop(net); });
    EXPECT_EQ(c.rest().size(), bulk(value).size());
    stopper.join();
}

TEST_F(Listening, StopDoesNotWaitLongForThoseWhoDoNotRead) {
    start();
    Client c = client(4096);
    c.send(wire({"SET", "k", std::string(8 << 20, 's')}) + "GET k\r\n");
    c.expect("+OK\r\n");
    int64_t since = clock_mono_ms();
    net_stop(net);
    EXPECT_LT(clock_mono_ms() - since, 5000);
}

// The loops still wait for somebody to read while their listeners are closed already.
TEST_F(Listening, PortMayBeChangedWhileTheLoopsStop) {
    start();
    Client slow = client(4096);
    slow.send(wire({"SET", "k", std::string(8 << 20, 's')}) + "GET k\r\n");
    slow.expect("+OK\r\n");
    net_request_stop(net);
    for (bool accepts = true; accepts;) {
        Client c;
        accepts = c.tcp(port);
    }
    const char* why = nullptr;
    engine->config->port.store(free_port());
    EXPECT_TRUE(apply("port", &why)) << why;
    net_stop(net);
    EXPECT_EQ(connected(), 0u);
}

TEST_F(Listening, ShutdownClosesEverybody) {
    start();
    Client c = client(), other = client();
    other.send("PING\r\n");
    other.expect("+PONG\r\n");
    c.send("SHUTDOWN NOSAVE\r\n");
    EXPECT_EQ(c.rest(), "");
    EXPECT_EQ(other.rest(), "");
    net_stop(net);
    EXPECT_EQ(connected(), 0u);
}

TEST_F(Listening, ConfigSetReachesTheListeners) {
    start();
    int next = free_port();
    set("port", std::to_string(next));
    port = next;
    set("maxclients", "1");
    wait_connected(0);
    Client c = client(), d = client();
    EXPECT_EQ(d.rest(), "-ERR max number of clients reached\r\n");
}

TEST_F(Listening, StopUnderLoadLosesNoThread) {
    for (int round = 0; round < 10; round++) {
        start();
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; t++) {
            threads.emplace_back([this] {
                for (int i = 0; i < 10000; i++) {
                    Client c;
                    if (!c.tcp(port)) return;
                    if (!c.send("SET a 1\r\nGET a\r\n")) return;
                    if (c.take(12).empty()) return;
                }
            });
        }
        Client c = client();
        c.send("PING\r\n");
        c.expect("+PONG\r\n");
        net_request_stop(net);
        net_stop(net);
        for (std::thread& t : threads)
            t.join();
        ASSERT_EQ(connected(), 0u);
    }
}

}  // namespace rp
