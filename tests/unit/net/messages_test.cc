// Messages between loops, over sockets: one order, slow subscribers, bounds, who waits for whom.
#include <thread>
#include <vector>

#include "base/log.h"
#include "fixture.h"
#include "mem/mem.h"

namespace rp {

static std::string message(const std::string& channel, const std::string& text) {
    return "*3\r\n" + bulk("message") + bulk(channel) + bulk(text);
}

static std::string subscribed(const std::string& channel, int n) {
    return "*3\r\n" + bulk("subscribe") + bulk(channel) + ":" + std::to_string(n) + "\r\n";
}

static Client subscriber(Server* s, const std::string& channel, int receive_bytes = 0) {
    Client c = s->client(receive_bytes);
    c.send(wire({"SUBSCRIBE", channel}));
    c.expect(subscribed(channel, 1));
    return c;
}

TEST_F(Server, SubscribersOnAllLoopsGetOneOrder) {
    loops = 2;
    start();
    constexpr int kMessages = 2000, kPublishers = 3;
    std::vector<Client> all;
    for (int i = 0; i < 6; i++)
        all.push_back(subscriber(this, "ch"));
    std::vector<std::thread> publishers;
    for (int p = 0; p < kPublishers; p++) {
        publishers.emplace_back([this, p] {
            Client c = client();
            for (int i = 0; i < kMessages; i += 100) {
                std::string batch;
                for (int k = 0; k < 100; k++)
                    batch += wire({"PUBLISH", "ch", std::to_string(10000 * p + 10000 + i + k)});
                c.send(batch);
                for (int k = 0; k < 100; k++)
                    c.expect(":6\r\n");
            }
        });
    }
    size_t len = message("ch", "12345").size() * kMessages * kPublishers;
    std::string first = all[0].take(len);
    EXPECT_EQ(first.size(), len);
    for (size_t i = 1; i < all.size(); i++)
        EXPECT_TRUE(all[i].take(len) == first);
    for (std::thread& t : publishers)
        t.join();
}

// The reply to the publisher came first; whoever heard of it there finds the message in front of
// what it asks.
TEST_F(Server, AMessageIsInFrontOfTheReplyToWhatIsAskedAfterIt) {
    loops = 2;
    start();
    Client publisher = client();
    std::vector<Client> all;
    for (int i = 0; i < 4; i++)
        all.push_back(subscriber(this, "ch"));
    for (int i = 0; i < 300; i++) {
        publisher.send(wire({"PUBLISH", "ch", "text"}));
        publisher.expect(":4\r\n");
        for (Client& c : all) {
            c.send(wire({"PING"}));
            c.expect(message("ch", "text") + "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
        }
    }
}

TEST_F(Server, ASubscriberThatNeverReadsIsCutOffAndTheOthersGoOn) {
    start();
    set("client-output-buffer-limit", "pubsub 4mb 0 0");
    Client slow = subscriber(this, "ch", 4096), quick = subscriber(this, "ch");
    Client publisher = client();
    std::string text(200000, 'x');
    int receivers = 2;
    for (int i = 0; i < 1000 && receivers == 2; i++) {
        publisher.send(wire({"PUBLISH", "ch", text}));
        std::string reply = publisher.line();
        receivers = atoi(reply.c_str() + 1);
        quick.expect(message("ch", text));
    }
    EXPECT_EQ(receivers, 1) << "still there after 200 MB";
    wait_connected(2);
}

TEST_F(Server, ALargeMessageIsHeldOnceForAllWhoDoNotReadYet) {
    start();
    set("client-output-buffer-limit", "pubsub 0 0 0");
    std::vector<Client> all;
    for (int i = 0; i < 20; i++)
        all.push_back(subscriber(this, "ch", 4096));
    Client publisher = client();
    std::string text(4 << 20, 'x');
    int64_t before = mem_used();
    publisher.send(wire({"PUBLISH", "ch", text}));
    publisher.expect(":20\r\n");
    publisher.send(wire({"PING"}));
    publisher.expect("+PONG\r\n");
    EXPECT_LT(mem_used() - before, 16 << 20);
    for (Client& c : all)
        c.expect(message("ch", text));
}

// One loop: it has a message as soon as PUBLISH has run.
struct RoundsTest : Server {
    RoundsTest() { loops = 1; }
};

static uint64_t writes(Client* c) {
    c->send("INFO stats\r\n");
    std::string head = c->line(), text = c->take(std::stoul(head.substr(1)) + 2);
    std::string name = "total_writes_processed:";
    return std::stoull(text.substr(text.find(name) + name.size()));
}

// Each message in its order, in fewer writes than there are messages for somebody; who leaves
// between two rounds is forgotten.
TEST_F(RoundsTest, MessagesToManyLeaveInRounds) {
    options.round_free_ns = 0;  // every round takes long enough
    start();
    constexpr int kReceivers = 200, kMessages = 300;
    std::vector<Client> all;
    for (int i = 0; i < kReceivers; i++)
        all.push_back(subscriber(this, "ch"));
    Client publisher = client();
    uint64_t before = writes(&publisher);
    std::string expected;
    for (int i = 0; i < kMessages; i++) {
        publisher.send(wire({"PUBLISH", "ch", std::to_string(i)}));
        publisher.line();
        expected += message("ch", std::to_string(i));
        if (i % 30 == 29) all.pop_back();  // closes it
    }
    for (Client& c : all)
        c.expect(expected);
    EXPECT_LT(writes(&publisher) - before, kReceivers * kMessages / 2u);
    wait_connected(static_cast<int>(all.size()) + 1);
}

TEST_F(RoundsTest, WithoutALongRoundAMessageLeavesWhenItsTurnEnds) {
    options.round_free_ns = INT64_MAX;  // none does, however busy the machine
    start();
    constexpr int kMessages = 300;
    Client one = subscriber(this, "ch"), publisher = client();
    uint64_t before = writes(&publisher);
    for (int i = 0; i < kMessages; i++) {
        publisher.send(wire({"PUBLISH", "ch", "text"}));
        publisher.expect(":1\r\n");
    }
    // The message and the reply, each time; the reply to INFO.
    EXPECT_EQ(writes(&publisher) - before, 2 * kMessages + 1u);
    for (int i = 0; i < kMessages; i++)
        one.expect(message("ch", "text"));
}

}  // namespace rp
