// A Net in this process and raw sockets to talk to it. Every wait has a deadline.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "net/net.h"

namespace rp {

constexpr int kWaitMs = 20000;

// One client. Bytes are compared as strings.
struct Client {
    int fd = -1;
    std::string got;  // received and not consumed

    Client() = default;
    Client(Client&& other) : fd(other.fd), got(std::move(other.got)) { other.fd = -1; }
    ~Client() { shut(); }
    void shut() {
        if (fd >= 0) close(fd);
        fd = -1;
    }

    bool tcp(int port, int receive_bytes = 0) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (receive_bytes != 0) {
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        }
        sockaddr_in a = {};
        a.sin_family = AF_INET;
        a.sin_port = htons(static_cast<uint16_t>(port));
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0;
    }

    bool unix_path(const std::string& path) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un a = {};
        a.sun_family = AF_UNIX;
        snprintf(a.sun_path, sizeof a.sun_path, "%s", path.c_str());
        return connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0;
    }

    // False when the server closed the connection.
    bool send(const std::string& bytes) {
        for (size_t at = 0; at < bytes.size();) {
            ssize_t n = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
            if (n <= 0) return false;
            at += static_cast<size_t>(n);
        }
        return true;
    }

    // One more piece of input: 1, 0 at the end or on reset, -1 after kWaitMs.
    int receive() {
        pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, kWaitMs) <= 0) return -1;
        static thread_local char piece[256 * 1024];
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0) return 0;
        got.append(piece, static_cast<size_t>(n));
        return 1;
    }

    // The next `len` bytes, or fewer if the connection ends.
    std::string take(size_t len) {
        while (got.size() < len && receive() == 1) {}
        std::string out = got.substr(0, len);
        got.erase(0, out.size());
        return out;
    }

    void expect(const std::string& reply) {
        std::string seen = take(reply.size());
        ASSERT_EQ(seen.size(), reply.size()) << "got: " << seen.substr(0, 200);
        ASSERT_TRUE(seen == reply) << "got: " << seen.substr(0, 200);
    }

    // Everything up to the end of the connection.
    std::string rest() {
        int r;
        while ((r = receive()) == 1) {}
        EXPECT_EQ(r, 0) << "the server did not close";
        std::string out;
        out.swap(got);
        return out;
    }

    std::string line() {
        size_t end;
        while ((end = got.find("\r\n")) == std::string::npos) {
            if (receive() != 1) return "";
        }
        return take(end + 2);
    }

    // Nothing arrives although all loops had the time to answer another client's PING.
    bool silent() {
        pollfd p = {fd, POLLIN, 0};
        return got.empty() && poll(&p, 1, 0) == 0;
    }
};

inline std::string wire(std::initializer_list<std::string> words) {
    std::string out = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& w : words)
        out += "$" + std::to_string(w.size()) + "\r\n" + w + "\r\n";
    return out;
}

inline std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

struct Server : ::testing::Test {
    Config* config = nullptr;
    Engine* engine = nullptr;
    Net* net = nullptr;
    NetOptions options;
    int port = 0;
    size_t loops = 2;

    void SetUp() override {
        log_set_quiet(true);
        ASSERT_EQ(config_new(&config), Status::ok);
        ConfigErr err;
        std::string text = "bind 127.0.0.1\nio-threads " + std::to_string(loops) + "\n";
        ASSERT_TRUE(config_load_text(config, {text.data(), text.size()}, "test", false, &err))
            << err.text;
        ASSERT_EQ(engine_open(config, &engine), Status::ok);
        options.port_override = 0;
    }

    void start() {
        NetErr err;
        ASSERT_EQ(net_open(engine, options, &net, &err), Status::ok) << err.text;
        port = net_port(net);
    }

    Client client(int receive_bytes = 0) {
        Client c;
        EXPECT_TRUE(c.tcp(port, receive_bytes));
        return c;
    }

    void set(const std::string& name, const std::string& value) {
        Client c = client();
        c.send(wire({"CONFIG", "SET", name, value}));
        c.expect("+OK\r\n");
    }

    size_t connected() {
        MutexGuard guard(&engine->clients.lock);
        return engine->clients.count;
    }

    void wait_connected(size_t n) {
        for (int i = 0; i < kWaitMs && connected() != n; i++)
            poll(nullptr, 0, 1);
        ASSERT_EQ(connected(), n);
    }

    void TearDown() override {
        net_close(net);
        ASSERT_EQ(connected(), 0u);
        engine_close(engine);
    }
};

}  // namespace rp
