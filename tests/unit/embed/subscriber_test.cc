// Subscribing from inside the process by the C header.
#include <poll.h>

#include <thread>

#include "embed/store.h"
#include "fixture.h"

static bool readable(const rp_session* s) {
    pollfd p = {rp_subscriber_fd(s), POLLIN, 0};
    return poll(&p, 1, 0) == 1;
}

static std::string take(rp_session* s) {
    rp_reply reply;
    int code = rp_subscriber_take(s, &reply);
    return code == RP_OK ? text_of(reply) : rp_status_text(code);
}

static int subscribe(rp_session* s, const Words& words) {
    return rp_subscriber_run(s, words.items.size(), words.items.data());
}

struct SubscriberTest : EmbedTest {
    rp_session* open_subscriber(size_t bytes_max = 0) {
        rp_session* s = nullptr;
        EXPECT_EQ(rp_subscriber_open(store, 3, bytes_max, &s), RP_OK);
        return s;
    }
};

TEST_F(SubscriberTest, MessagesAndConfirmationsAreOneStreamAndTheDescriptorTellsOfIt) {
    rp_session* s = open_subscriber();
    EXPECT_FALSE(readable(s));
    EXPECT_EQ(subscribe(s, {"SUBSCRIBE", "a"}), RP_OK);
    EXPECT_TRUE(readable(s));
    EXPECT_EQ(take(s), ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    EXPECT_FALSE(readable(s));
    EXPECT_EQ(take(s), "");
    EXPECT_EQ(run(here(), {"PUBLISH", "a", "x"}), ":1\r\n");
    EXPECT_TRUE(readable(s));
    EXPECT_EQ(subscribe(s, {"UNSUBSCRIBE"}), RP_OK);
    EXPECT_EQ(run(here(), {"PUBLISH", "a", "y"}), ":0\r\n");
    EXPECT_EQ(take(s),
              ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n"
              ">3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n");
    rp_session_close(s);
}

TEST_F(SubscriberTest, OnlyCommandsThatSubscribeAreRun) {
    rp_session* s = open_subscriber();
    EXPECT_EQ(subscribe(s, {"SET", "k", "v"}), RP_INVALID);
    EXPECT_EQ(subscribe(s, {"NOSUCH"}), RP_INVALID);
    EXPECT_EQ(subscribe(s, {"PING"}), RP_OK);
    EXPECT_EQ(take(s), "+PONG\r\n");
    EXPECT_EQ(rp_subscriber_fd(here()), -1);
    rp_reply reply;
    EXPECT_EQ(rp_subscriber_take(here(), &reply), RP_INVALID);
    rp_session_close(s);
}

TEST_F(SubscriberTest, OneThatTakesNothingIsCutOffAndToldSo) {
    rp_session* s = open_subscriber(1000);
    subscribe(s, {"SUBSCRIBE", "a"});
    EXPECT_NE(take(s), "");
    std::string text(300, 'x');
    for (int i = 0; i < 10; i++)
        EXPECT_EQ(run(here(), {"PUBLISH", "a", text.c_str()}), ":1\r\n");
    std::string got = take(s);
    EXPECT_GT(got.size(), 300u);
    EXPECT_LT(got.size(), 1200u);
    EXPECT_EQ(take(s), rp_status_text(RP_CUT));
    rp_session_close(s);
}

TEST_F(SubscriberTest, ClosingTheStoreMakesItsDescriptorReadable) {
    rp_session* s = open_subscriber();
    EXPECT_FALSE(readable(s));
    rp_close(store);
    EXPECT_TRUE(readable(s));
    EXPECT_EQ(take(s), rp_status_text(RP_CLOSED));
    rp_session_close(s);
}

TEST_F(SubscriberTest, OneThatStillWaitsWhenTheStoreClosesIsToldThatNothingRan) {
    rp_session* s = open_subscriber();
    ASSERT_EQ(run(here(), {"CLIENT", "PAUSE", "100000", "ALL"}), "+OK\r\n");
    std::thread waiter([s] { EXPECT_EQ(subscribe(s, {"SUBSCRIBE", "a"}), RP_CLOSED); });
    while (s->busy.load() == 0)
        std::this_thread::yield();
    rp_close(store);
    waiter.join();
    EXPECT_EQ(take(s), rp_status_text(RP_CLOSED));
    rp_session_close(s);
}
