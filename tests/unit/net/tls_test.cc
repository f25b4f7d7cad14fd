// TLS: the state alone, byte by byte, and clients of a server.
#include "net/tls.h"

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "base/log.h"
#include "conf/value.h"
#include "mem/mem.h"
#include "net/limits.h"
#include "unit/net/fixture.h"
#include "unit/net/tls_fixture.h"

namespace rp {

static_assert(kTlsIn + kTlsRecord < kReadBuffer / 2, "H2: plain bytes of a read have room");

// ---- the state alone --------------------------------------------------------------------------

// A client and a Tls, connected by memory.
struct Pair {
    TestCertificate files;
    Config* config = nullptr;
    TlsContext* context = nullptr;
    TlsBuffers buffers;
    Tls* server = nullptr;
    SSL_CTX* client_context = SSL_CTX_new(TLS_client_method());
    SSL* client = nullptr;
    BIO *to_client = BIO_new(BIO_s_mem()), *to_server = BIO_new(BIO_s_mem());

    Pair() {
        EXPECT_EQ(config_new(&config), Status::ok);
        std::string text = files.settings();
        ConfigErr err;
        EXPECT_TRUE(config_load_text(config, bytes_of(text), "test", false, &err)) << err.text;
        char why[256];
        EXPECT_TRUE(tls_context_new(config, &context, why, sizeof why)) << why;
        EXPECT_TRUE(tls_buffers_init(&buffers));
        server = tls_new(context, &buffers);
        client = SSL_new(client_context);
        SSL_set_bio(client, to_client, to_server);
        SSL_set_connect_state(client);
    }
    ~Pair() {
        tls_free(server);
        tls_context_unref(context);
        tls_buffers_deinit(&buffers);
        SSL_free(client);
        SSL_CTX_free(client_context);
        config_free(config);
    }

    void deliver() {
        BIO_write(to_client, buffers.out, static_cast<int>(buffers.out_len));
        buffers.out_len = 0;
    }
    // What the client has said, at most `most` bytes of it.
    bool feed(size_t most) {
        int n = BIO_read(to_server, buffers.in, static_cast<int>(most < kTlsIn ? most : kTlsIn));
        if (n <= 0) return false;
        tls_feed(server, buffers.in, static_cast<size_t>(n));
        return true;
    }
    void shake(size_t piece) {
        TlsStep step = TlsStep::more;
        while (step != TlsStep::done) {
            if (SSL_do_handshake(client) != 1) {
                ASSERT_EQ(SSL_get_error(client, -1), SSL_ERROR_WANT_READ);
            }
            while (step != TlsStep::done && feed(piece)) {
                step = tls_handshake(server);
                ASSERT_NE(step, TlsStep::failed);
                deliver();
            }
        }
        SSL_do_handshake(client);
    }
};

TEST(TlsState, HandshakesInPiecesOfAnySize) {
    for (size_t piece : {size_t{1}, size_t{7}, kTlsIn}) {
        Pair p;
        p.shake(piece);
        ASSERT_TRUE(tls_established(p.server));
        EXPECT_STREQ(SSL_get_version(p.client), "TLSv1.3");
    }
}

TEST(TlsState, OneFeedGivesNoMorePlainBytesThanItsLengthAndARecord) {
    Pair p;
    p.shake(kTlsIn);
    std::string text(10 * kTlsRecord, 'x');
    ASSERT_EQ(SSL_write(p.client, text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
    std::string got, room(kReadBuffer, '\0');
    while (p.feed(kTlsIn)) {
        size_t n, sum = 0;
        TlsStep step;
        while ((step = tls_read(p.server, room.data(), room.size(), &n)) == TlsStep::done) {
            got.append(room, 0, n);
            sum += n;
        }
        ASSERT_EQ(step, TlsStep::more);
        ASSERT_LE(sum, kTlsIn + kTlsRecord);
    }
    EXPECT_TRUE(got == text);
}

TEST(TlsState, AFlushOfRecordsFitsIntoTheBuffer) {
    Pair p;
    p.shake(kTlsIn);
    std::string text(kTlsRecord, 'x');
    for (size_t sum = 0; sum < kTlsFlush; sum += text.size())
        ASSERT_TRUE(tls_write(p.server, bytes_of(text)));
    EXPECT_LE(p.buffers.out_len, kTlsOut);
    p.deliver();
    std::string got(kTlsFlush, '\0');
    size_t at = 0;
    for (int n; at < got.size(); at += static_cast<size_t>(n)) {
        n = SSL_read(p.client, got.data() + at, static_cast<int>(got.size() - at));
        ASSERT_GT(n, 0);
    }
    EXPECT_TRUE(got == std::string(kTlsFlush, 'x'));
}

TEST(TlsState, ABrokenRecordFailsForGoodWithAnAlertAndAReason) {
    Pair p;
    p.shake(kTlsIn);
    SSL_write(p.client, "PING", 4);
    ASSERT_TRUE(BIO_ctrl_pending(p.to_server) > 0);
    int n = BIO_read(p.to_server, p.buffers.in, static_cast<int>(kTlsIn));
    p.buffers.in[n - 1] = static_cast<char>(p.buffers.in[n - 1] ^ 1);
    tls_feed(p.server, p.buffers.in, static_cast<size_t>(n));
    char byte;
    size_t got;
    EXPECT_EQ(tls_read(p.server, &byte, 1, &got), TlsStep::failed);
    EXPECT_GT(p.buffers.out_len, 0u);
    char why[256];
    tls_why(p.server, why, sizeof why);
    EXPECT_STREQ(why, "decryption failed or bad record mac");
    EXPECT_EQ(tls_read(p.server, &byte, 1, &got), TlsStep::failed);
    EXPECT_FALSE(tls_write(p.server, "x"));
}

TEST(TlsState, PlainBytesAreToldApart) {
    for (const char* text : {"PING\r\n", "*1\r\n$4\r\nPING\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
        Pair p;
        tls_feed(p.server, text, strlen(text));
        ASSERT_EQ(tls_handshake(p.server), TlsStep::failed);
        char why[256];
        tls_why(p.server, why, sizeof why);
        EXPECT_NE(std::string(why).find("does not speak TLS"), std::string::npos) << why;
    }
}

TEST(TlsState, GoodbyeIsHeardByTheOtherSide) {
    Pair p;
    p.shake(kTlsIn);
    tls_goodbye(p.server);
    p.deliver();
    char byte;
    EXPECT_EQ(SSL_read(p.client, &byte, 1), 0);
    EXPECT_EQ(SSL_get_error(p.client, 0), SSL_ERROR_ZERO_RETURN);
}

// ---- contexts ---------------------------------------------------------------------------------

static std::string context_error(const std::string& text) {
    Config* config;
    EXPECT_EQ(config_new(&config), Status::ok);
    ConfigErr err;
    EXPECT_TRUE(config_load_text(config, bytes_of(text), "test", false, &err)) << err.text;
    TlsContext* context;
    char why[512] = "";
    if (tls_context_new(config, &context, why, sizeof why)) tls_context_unref(context);
    config_free(config);
    return why;
}

TEST(TlsContexts, ErrorsNameTheSettingAndTheReason) {
    TestCertificate a, b;
    EXPECT_EQ(context_error(a.settings()), "");
    EXPECT_EQ(context_error(""), "tls-cert-file: TLS needs the server's certificate: not set");
    EXPECT_EQ(context_error("tls-cert-file " + a.cert),
              "tls-key-file: TLS needs the certificate's private key: not set");
    EXPECT_EQ(context_error(a.settings() + "tls-cert-file /nowhere/x\n"),
              "tls-cert-file /nowhere/x: No such file or directory");
    EXPECT_EQ(context_error(a.settings() + "tls-key-file " + b.key),
              "tls-key-file " + b.key + ": key values mismatch");
    EXPECT_EQ(context_error(a.settings() + "tls-cert-file " + a.key),
              "tls-cert-file " + a.key + ": not in PEM format");
    EXPECT_EQ(context_error(a.settings() + "tls-auth-clients yes\n"),
              "tls-auth-clients: clients are asked for certificates, so tls-ca-cert-file or "
              "tls-ca-cert-dir must name the authorities; or set tls-auth-clients no");
    EXPECT_EQ(context_error(a.settings() + "tls-ca-cert-file /nowhere/x\n"),
              "tls-ca-cert-file /nowhere/x: No such file or directory");
    EXPECT_EQ(context_error(a.settings() + "tls-protocols \"TLSv1.2 SSLv3\"\n"),
              "tls-protocols TLSv1.2 SSLv3: use any of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3");
    EXPECT_EQ(context_error(a.settings() + "tls-ciphers nonsense\n"),
              "tls-ciphers nonsense: no cipher match");
    EXPECT_EQ(context_error(a.settings() + "tls-dh-params-file " + a.cert),
              "tls-dh-params-file " + a.cert + ": no Diffie-Hellman parameters");
}

// ---- clients of a server ----------------------------------------------------------------------

struct TlsClient {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = nullptr;
    Client socket;

    explicit TlsClient(int port, int receive_bytes = 0, int version = TLS1_3_VERSION) {
        SSL_CTX_set_max_proto_version(context, version);
        EXPECT_TRUE(socket.tcp(port, receive_bytes));
        timeval deadline = {kWaitMs / 1000, 0};
        setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
        ssl = SSL_new(context);
        SSL_set_fd(ssl, socket.fd);
    }
    ~TlsClient() {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
    bool shake() { return SSL_connect(ssl) == 1; }
    bool send(const std::string& bytes) {
        for (size_t at = 0, n; at < bytes.size(); at += n) {
            if (SSL_write_ex(ssl, bytes.data() + at, bytes.size() - at, &n) != 1) return false;
        }
        return true;
    }
    std::string take(size_t len) {
        std::string out(len, '\0');
        size_t at = 0, n;
        while (at < len && SSL_read_ex(ssl, out.data() + at, len - at, &n) == 1)
            at += n;
        out.resize(at);
        return out;
    }
    void expect(const std::string& reply) {
        std::string seen = take(reply.size());
        ASSERT_EQ(seen.size(), reply.size()) << "got: " << seen.substr(0, 200);
        ASSERT_TRUE(seen == reply) << "got: " << seen.substr(0, 200);
    }
    // The server says goodbye before it closes.
    bool ends_well() {
        char byte;
        int n = SSL_read(ssl, &byte, 1);
        return n == 0 && SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
    }
};

struct TlsServer : Server {
    TestCertificate files;
    int tls = 0;

    void SetUp() override {
        Server::SetUp();
        signal(SIGPIPE, SIG_IGN);  // OpenSSL's clients write() to servers that have closed.
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in a = {};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t len = sizeof a;
        bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a);
        getsockname(fd, reinterpret_cast<sockaddr*>(&a), &len);
        close(fd);
        std::string text = files.settings() + "tls-port " + std::to_string(ntohs(a.sin_port));
        ConfigErr err;
        ASSERT_TRUE(config_load_text(config, bytes_of(text), "test", false, &err)) << err.text;
        start();
        tls = net_tls_port(net);
        ASSERT_NE(tls, 0);
    }
};

TEST_F(TlsServer, BothVersionsAndBothPortsServeTheSameData) {
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient c(tls, 0, version);
        ASSERT_TRUE(c.shake());
        ASSERT_EQ(SSL_version(c.ssl), version);
        c.send("SET a 1\r\nGET a\r\n");
        c.expect("+OK\r\n" + bulk("1"));
        c.send("QUIT\r\n");
        c.expect("+OK\r\n");
        EXPECT_TRUE(c.ends_well());
    }
    Client plain = client();
    plain.send("GET a\r\n");
    plain.expect(bulk("1"));
}

TEST_F(TlsServer, BigValuesBehindAndBeforeSmallCommandsArriveWhole) {
    TlsClient c(tls);
    ASSERT_TRUE(c.shake());
    for (size_t len : {kTlsRecord - 9, kTlsRecord, 3 * kTlsIn + 1, size_t{5} << 20}) {
        std::string value(len, 'v');
        for (size_t i = 0; i < len; i += 61)
            value[i] = static_cast<char>('a' + i / 61 % 26);
        // Many small words before the big one make a long partial command.
        std::string words;
        for (int i = 0; i < 2000; i++)
            words += "$3\r\nk" + std::to_string(i % 90 + 10) + "\r\n$5\r\nabcde\r\n";
        std::string mset = "*4003\r\n$4\r\nMSET\r\n" + words + "$3\r\nbig\r\n" + bulk(value);
        std::thread sender([&] {
            c.send(wire({"SET", "k", value}) + wire({"PING"}) + mset + wire({"GET", "big"}) +
                   wire({"GET", "k"}));
        });
        sender.join();
        c.expect("+OK\r\n+PONG\r\n+OK\r\n" + bulk(value) + bulk(value));
    }
}

// All of it is in one read, more than a turn executes: the goodbye must not overtake commands.
TEST_F(TlsServer, EverythingBeforeTheGoodbyeIsExecuted) {
    TlsClient c(tls);
    ASSERT_TRUE(c.shake());
    std::string text, replies;
    for (size_t i = 1; i <= 5000; i++) {
        text += "INCR n\r\n";
        replies += ":" + std::to_string(i) + "\r\n";
    }
    c.send(text);
    SSL_shutdown(c.ssl);
    c.expect(replies);
    EXPECT_TRUE(c.ends_well());
}

TEST_F(TlsServer, AClientThatDoesNotReadIsNotReadFromEither) {
    TlsClient c(tls, 4096);
    ASSERT_TRUE(c.shake());
    c.send(wire({"SET", "k", std::string(100000, 'x')}));
    c.expect("+OK\r\n");
    constexpr size_t kAsked = 400;
    int64_t before = mem_used();
    for (size_t i = 0; i < kAsked; i++)
        c.send(wire({"GET", "k"}));
    Client other = client();
    for (int i = 0; i < 20; i++) {
        other.send("PING\r\n");
        other.expect("+PONG\r\n");
    }
    EXPECT_LT(mem_used() - before, static_cast<int64_t>(kOutStop) + (int64_t{2} << 20));
    std::string reply = bulk(std::string(100000, 'x'));
    for (size_t i = 0; i < kAsked; i++)
        c.expect(reply);
}

// What TLS itself answers is no reply that a limit of replies would see.
TEST_F(TlsServer, AClientThatOnlyRenewsItsKeysIsCutWhenItDoesNotRead) {
    TlsClient c(tls, 2048);
    ASSERT_TRUE(c.shake());
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
    {  // So that the server's side of the socket is soon full.
        MutexGuard guard(&engine->clients.lock);
        int bytes = 4096;
        setsockopt(engine->clients.head->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    int64_t before = mem_used();
    int renewed = 0;
    while (renewed < 200000 && SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
           SSL_do_handshake(c.ssl) == 1) {
        renewed++;
    }
    EXPECT_LT(renewed, 200000);
    EXPECT_LT(mem_used() - before, int64_t{1} << 20);
    wait_connected(0);
}

TEST_F(TlsServer, PlainClientsOnTheTlsPortAndTheReverseAreClosed) {
    Client plain;
    ASSERT_TRUE(plain.tcp(tls));
    plain.send("PING\r\n");
    EXPECT_EQ(plain.rest().find("PONG"), std::string::npos);
    TlsClient wrong(port);
    EXPECT_FALSE(wrong.shake());
    wait_connected(0);
}

TEST_F(TlsServer, HalfHandshakesCountAsClientsAndAreForgotten) {
    config->maxclients.store(3);
    std::vector<Client> half(3);
    for (Client& c : half) {
        ASSERT_TRUE(c.tcp(tls));
        c.send(std::string("\x16\x03\x01", 3));
    }
    wait_connected(3);
    TlsClient refused(tls);
    EXPECT_FALSE(refused.shake());
    half.clear();
    wait_connected(0);
    TlsClient c(tls);
    EXPECT_TRUE(c.shake());
}

TEST_F(TlsServer, AContextIsReplacedUnderLoad) {
    std::atomic<bool> over{false};
    std::atomic<int> served{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; i++) {
        clients.emplace_back([&] {
            TlsClient stays(tls);
            ASSERT_TRUE(stays.shake());
            while (!over) {
                TlsClient comes(tls);
                ASSERT_TRUE(comes.shake());
                for (TlsClient* c : {&stays, &comes}) {
                    ASSERT_TRUE(c->send("INCR n\r\n"));
                    ASSERT_EQ(c->take(1), ":");
                    while (c->take(1) != "\n") {}
                }
                served++;
            }
        });
    }
    const char* why = "";
    for (int i = 0; i < 30 || served < 30; i++)
        ASSERT_TRUE(engine->net.apply(engine->net.net, "tls-cert-file", &why)) << why;
    over = true;
    for (std::thread& t : clients)
        t.join();
}

TEST_F(TlsServer, ABrokenCertificateIsVetoedAndTheOldOneStays) {
    ConfigErr err;
    std::string text = "tls-cert-file /nowhere/x";
    ASSERT_TRUE(config_load_text(config, bytes_of(text), "test", false, &err)) << err.text;
    const char* why = "";
    EXPECT_FALSE(engine->net.apply(engine->net.net, "tls-cert-file", &why));
    EXPECT_STREQ(why, "Unable to update TLS configuration. Check server logs.");
    TlsClient c(tls);
    EXPECT_TRUE(c.shake());
}

TEST_F(TlsServer, PortsCanBeExchanged) {
    config->port.store(tls);
    config->tls_port.store(port);
    const char* why = "";
    ASSERT_TRUE(engine->net.apply(engine->net.net, "port", &why)) << why;
    EXPECT_EQ(net_port(net), tls);
    EXPECT_EQ(net_tls_port(net), port);
    TlsClient c(port);
    EXPECT_TRUE(c.shake());
    Client plain;
    ASSERT_TRUE(plain.tcp(tls));
    plain.send("PING\r\n");
    plain.expect("+PONG\r\n");
}

TEST_F(TlsServer, StoppingSaysGoodbye) {
    TlsClient c(tls);
    ASSERT_TRUE(c.shake());
    c.send("PING\r\n");
    c.expect("+PONG\r\n");
    net_stop(net);
    EXPECT_TRUE(c.ends_well());
}

}  // namespace rp
