#include <thread>

#include "unit/embed/fixture.h"

TEST_F(EmbedTest, RepliesAreThoseOfTheServer) {
    rp_session* two = open_session(2);
    rp_session* three = open_session(3);
    EXPECT_EQ(run(two, {"GET", "k"}), "$-1\r\n");
    EXPECT_EQ(run(three, {"GET", "k"}), "_\r\n");
    EXPECT_EQ(run(two, {"NOPE"}), "-ERR unknown command 'NOPE', with args beginning with: \r\n");
    EXPECT_EQ(run(two, {"MSET", "a", "1", "b", "2"}), "+OK\r\n");
    EXPECT_EQ(run(three, {"MGET", "a", "x", "b"}), "*3\r\n$1\r\n1\r\n_\r\n$1\r\n2\r\n");
    rp_session_close(two);
    rp_session_close(three);
}

TEST_F(EmbedTest, EachSessionHasItsOwnDatabaseAndTransaction) {
    rp_session* one = open_session(2);
    EXPECT_EQ(run(one, {"SELECT", "3"}), "+OK\r\n");
    EXPECT_EQ(run(one, {"SET", "k", "three"}), "+OK\r\n");
    EXPECT_EQ(run(here(), {"GET", "k"}), "$-1\r\n");
    EXPECT_EQ(run(one, {"MULTI"}), "+OK\r\n");
    EXPECT_EQ(run(one, {"GET", "k"}), "+QUEUED\r\n");
    EXPECT_EQ(run(here(), {"GET", "k"}), "$-1\r\n");
    EXPECT_EQ(run(one, {"EXEC"}), "*1\r\n$5\r\nthree\r\n");
    rp_session_close(one);
}

TEST_F(EmbedTest, AThreadHasOneSessionPerStore) {
    rp_store* other = open_store();
    rp_session *first = here(), *second = nullptr;
    ASSERT_EQ(rp_session_here(other, 2, &second), RP_OK);
    EXPECT_NE(first, second);
    EXPECT_EQ(here(), first);
    std::thread([this, first] { EXPECT_NE(here(), first); }).join();
    rp_free(other);
    EXPECT_EQ(run(here(), {"PING"}), "+PONG\r\n");
}

TEST_F(EmbedTest, SessionsOfEndedThreadsAreForgotten) {
    for (int i = 0; i < 20; i++) {
        std::thread([this] {
            EXPECT_EQ(run(here(), {"CLIENT", "SETNAME", "thread"}), "+OK\r\n");
            EXPECT_EQ(run(here(), {"WATCH", "k"}), "+OK\r\n");
            EXPECT_EQ(run(here(), {"MULTI"}), "+OK\r\n");
        }).join();
    }
    EXPECT_EQ(run(here(), {"CLIENT", "LIST"}).find("name=thread"), std::string::npos);
}

TEST_F(EmbedTest, AThreadGoesOnAfterQuitButAnOpenedSessionDoesNot) {
    rp_session* opened = open_session(2);
    EXPECT_EQ(run(opened, {"QUIT"}), "+OK\r\n");
    EXPECT_EQ(run(opened, {"PING"}), rp_status_text(RP_CLOSED));
    EXPECT_EQ(run(here(), {"SELECT", "1"}), "+OK\r\n");
    EXPECT_EQ(run(here(), {"QUIT"}), "+OK\r\n");
    EXPECT_EQ(run(here(), {"SET", "k", "v"}), "+OK\r\n");
    EXPECT_EQ(run(here(), {"SELECT", "0"}), "+OK\r\n");
    EXPECT_EQ(run(here(), {"GET", "k"}), "$1\r\nv\r\n") << "database 0 again";
    rp_session_close(opened);
}

TEST_F(EmbedTest, LargeValuesAreAdoptedAndReferenced) {
    std::string value(3 << 20, 'x');
    rp_bytes set[] = {{"SET", 3}, {"big", 3}, {value.data(), value.size()}};
    rp_bytes get[] = {{"GET", 3}, {"big", 3}};
    rp_reply reply;
    ASSERT_EQ(rp_execute(here(), 3, set, &reply), RP_OK);
    ASSERT_EQ(rp_execute(here(), 2, get, &reply), RP_OK);
    EXPECT_NE(reply.next, nullptr) << "a piece of its own";
    rp_held* held = rp_reply_hold(here());
    EXPECT_EQ(run(here(), {"DEL", "big"}), ":1\r\n");
    EXPECT_EQ(text_of(reply), "$3145728\r\n" + value + "\r\n") << "held beyond its deletion";
    rp_held_free(held);
}

TEST_F(EmbedTest, ArgumentsBeyondTheLimitGetAnError) {
    run(here(), {"CONFIG", "SET", "proto-max-bulk-len", "1mb"});
    std::string value((1 << 20) + 1, 'x');
    rp_bytes set[] = {{"SET", 3}, {"big", 3}, {value.data(), value.size()}};
    rp_reply reply;
    ASSERT_EQ(rp_execute(here(), 3, set, &reply), RP_OK);
    EXPECT_EQ(text_of(reply).substr(0, 4), "-ERR");
    EXPECT_EQ(run(here(), {"EXISTS", "big"}), ":0\r\n");
}

TEST_F(EmbedTest, TryDeclinesWhatMayTakeLong) {
    rp_reply reply;
    Words get = {"GET", "k"}, keys = {"KEYS", "*"};
    EXPECT_EQ(rp_try_execute(here(), RP_IF_QUICK, 2, get.items.data(), &reply), RP_OK);
    EXPECT_EQ(text_of(reply), "$-1\r\n");
    EXPECT_EQ(rp_try_execute(here(), RP_IF_QUICK, 2, keys.items.data(), &reply), RP_BUSY);
    std::string value(1 << 20, 'x');
    rp_bytes set[] = {{"SET", 3}, {"big", 3}, {value.data(), value.size()}};
    EXPECT_EQ(rp_try_execute(here(), RP_IS_QUICK, 3, set, &reply), RP_BUSY);
    EXPECT_EQ(run(here(), {"EXISTS", "big"}), ":0\r\n") << "and has not run it";
}

TEST_F(EmbedTest, CallersWaitForClientPauseToEnd) {
    EXPECT_EQ(run(here(), {"CLIENT", "PAUSE", "100000", "WRITE"}), "+OK\r\n");
    rp_reply reply;
    Words set = {"SET", "k", "v"};
    EXPECT_EQ(rp_try_execute(here(), RP_IS_QUICK, 3, set.items.data(), &reply), RP_BUSY);
    std::thread waiter([this] { EXPECT_EQ(run(here(), {"SET", "k", "w"}), "+OK\r\n"); });
    EXPECT_EQ(run(here(), {"GET", "k"}), "$-1\r\n");
    EXPECT_EQ(run(here(), {"CLIENT", "UNPAUSE"}), "+OK\r\n");
    waiter.join();
    EXPECT_EQ(run(here(), {"GET", "k"}), "$1\r\nw\r\n");
}

TEST_F(EmbedTest, CountersOfManyThreadsAddUp) {
    constexpr int kThreads = 4, kRounds = 3000;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; i++) {
        threads.emplace_back([this] {
            for (int n = 0; n < kRounds; n++)
                run(here(), {"INCR", "n"});
        });
    }
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(run(here(), {"GET", "n"}), "$5\r\n12000\r\n");
}
