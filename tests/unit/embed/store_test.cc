#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "unit/embed/fixture.h"

using namespace std::string_literals;

TEST_F(EmbedTest, BadSettingsAreNamedInOneLine) {
    const char* argv[] = {"--maxmemory", "12x"};
    rp_store* other = nullptr;
    char* error = nullptr;
    EXPECT_EQ(rp_open(2, argv, 0, &other, &error), RP_INVALID);
    EXPECT_EQ(other, nullptr);
    ASSERT_NE(error, nullptr);
    EXPECT_NE(std::string(error).find("maxmemory"), std::string::npos);
    EXPECT_EQ(std::string(error).find('\n'), std::string::npos);
    free(error);
}

TEST_F(EmbedTest, CloseTwiceThenEverythingIsClosed) {
    rp_session* mine = here();
    rp_session* opened = open_session(2);
    EXPECT_EQ(run(mine, {"SET", "k", "v"}), "+OK\r\n");
    rp_close(store);
    rp_close(store);
    EXPECT_EQ(rp_check(store), RP_CLOSED);
    rp_reply reply;
    Words get = {"GET", "k"};
    EXPECT_EQ(rp_execute(mine, 2, get.items.data(), &reply), RP_CLOSED);
    EXPECT_EQ(rp_try_execute(opened, RP_IS_QUICK, 2, get.items.data(), &reply), RP_CLOSED);
    rp_session* late = nullptr;
    EXPECT_EQ(rp_session_open(store, 2, &late), RP_CLOSED);
    rp_address address = {0, "127.0.0.1", nullptr};
    int port;
    char* error = nullptr;
    EXPECT_EQ(rp_listen(store, &address, &port, &error), RP_CLOSED);
    free(error);
    EXPECT_EQ(rp_wait_stop(store, 0), RP_CLOSED);
    EXPECT_EQ(rp_stop(store), RP_OK);
    rp_session_close(opened);
}

TEST_F(EmbedTest, SessionsOutliveTheHandle) {
    rp_session* opened = open_session(3);
    rp_store* other = open_store();
    rp_session* of_other = nullptr;
    ASSERT_EQ(rp_session_open(other, 2, &of_other), RP_OK);
    EXPECT_EQ(run(of_other, {"SET", "k", "v"}), "+OK\r\n");
    rp_free(other);
    EXPECT_EQ(run(of_other, {"GET", "k"}), rp_status_text(RP_CLOSED));
    rp_session_close(of_other);
    EXPECT_EQ(run(opened, {"GET", "k"}), "_\r\n");
    rp_session_close(opened);
}

TEST_F(EmbedTest, CloseWaitsForCallsOfOtherThreads) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([this, &stop] {
            for (int n = 0; !stop.load(); n++) {
                rp_session* s;
                if (rp_session_here(store, 2, &s) != RP_OK) return;
                std::string got = run(s, {"INCR", "n"});
                if (got == rp_status_text(RP_CLOSED)) return;
                EXPECT_EQ(got[0], ':');
            }
        });
    }
    while (run(here(), {"STRLEN", "n"}) < ":4"s)
        std::this_thread::yield();
    rp_close(store);
    stop = true;
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(rp_check(store), RP_CLOSED);
}

static std::string ask(int port, const std::string& bytes) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string out;
    if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 &&
        send(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size())) {
        char part[4096];
        ssize_t got = recv(fd, part, sizeof part, 0);
        if (got > 0) out.assign(part, static_cast<size_t>(got));
    }
    close(fd);
    return out;
}

TEST_F(EmbedTest, ServesTheSameDataAndMayDoSoAgain) {
    run(here(), {"SET", "k", "v"});
    rp_address address = {0, "127.0.0.1", nullptr};
    for (int i = 0; i < 2; i++) {
        int port = 0;
        char* error = nullptr;
        ASSERT_EQ(rp_listen(store, &address, &port, &error), RP_OK) << error;
        EXPECT_EQ(ask(port, "GET k\r\n"), "$1\r\nv\r\n");
        EXPECT_EQ(rp_listen(store, &address, &port, &error), RP_INVALID);
        free(error);
        EXPECT_EQ(rp_stop(store), RP_OK);
        EXPECT_EQ(rp_stop(store), RP_OK);
        EXPECT_EQ(run(here(), {"GET", "k"}), "$1\r\nv\r\n");
    }
}

TEST_F(EmbedTest, AskingForAStopWakesTheWaiter) {
    rp_address address = {0, "127.0.0.1", nullptr};
    int port;
    ASSERT_EQ(rp_listen(store, &address, &port, nullptr), RP_OK);
    EXPECT_EQ(rp_wait_stop(store, 0), 0);
    std::thread waiter([this] { EXPECT_EQ(rp_wait_stop(store, 60000), 1); });
    EXPECT_EQ(rp_request_stop(store), RP_OK);
    waiter.join();
    EXPECT_EQ(rp_stop(store), RP_OK);
}

TEST_F(EmbedTest, AForkedChildIsToldAndCanOpenItsOwn) {
    rp_session* mine = here();
    rp_session* opened = open_session(2);
    run(mine, {"SET", "k", "v"});
    pid_t pid = fork();
    if (pid == 0) {
        rp_session* s;
        bool fine = rp_check(store) == RP_FOREIGN;
        fine = fine && run(mine, {"GET", "k"}) == rp_status_text(RP_FOREIGN);
        fine = fine && run(opened, {"GET", "k"}) == rp_status_text(RP_FOREIGN);
        rp_session_close(opened);
        rp_free(store);
        rp_store* own = open_store();
        fine = fine && rp_session_here(own, 2, &s) == RP_OK && run(s, {"GET", "k"}) == "$-1\r\n";
        rp_free(own);
        _exit(fine ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(run(opened, {"GET", "k"}), "$1\r\nv\r\n");
    rp_session_close(opened);
}

TEST(EmbedDocs, HaveCommandsAndSettings) {
    char* commands = rp_docs("commands");
    char* settings = rp_docs("configuration");
    EXPECT_NE(std::string(commands).find("GETRANGE"), std::string::npos);
    EXPECT_NE(std::string(settings).find("maxmemory-policy"), std::string::npos);
    EXPECT_EQ(rp_docs("nothing"), nullptr);
    free(commands);
    free(settings);
}
