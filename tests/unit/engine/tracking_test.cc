// Client tracking without a network: what is remembered, told and forgotten. Sessions that
// redis-server answers alike are in tests/integration/test_tracking.py.
#include "engine/tracking.h"

#include "harness.h"

namespace rp::test {

// A client of a loop of its own, which takes its messages when it asks.
struct OwnBox {
    Mailbox box;
    ~OwnBox() { mailbox_deinit(&box); }
};
struct Peer : OwnBox {
    std::atomic<int> wakes{0};
    Client client;
    explicit Peer(EngineFixture* f, int resp = 3) : client(f) {
        box.wake = [](void* arg) { ++*static_cast<std::atomic<int>*>(arg); };
        box.wake_arg = &wakes;
        box.cut = [](Session*) {};
        client.session.mailbox = &box;
        if (resp == 3) client("HELLO 3");
    }
    std::string operator()(const std::string& line) { return client(line); }
    std::string take() {
        engine_end_turn(client.e);
        mailbox_drain(&box);
        return out_text(&client.session.out);
    }
};

static std::string told(std::initializer_list<std::string> keys) {
    std::string out = ">2\r\n$10\r\ninvalidate\r\n*" + std::to_string(keys.size()) + "\r\n";
    for (const std::string& k : keys)
        out += "$" + std::to_string(k.size()) + "\r\n" + k + "\r\n";
    return out;
}

TEST(Tracking, ARememberedKeyIsToldOnceAndForgotten) {
    EngineFixture f;
    Peer a(&f);
    Client b(&f);
    a("CLIENT TRACKING ON");
    a("GET k");
    a("GET k");
    EXPECT_EQ(f.e->tracking->keys, 1u);
    EXPECT_EQ(f.e->tracking->items, 1u);
    b("SET k 1");
    EXPECT_EQ(a.wakes, 1);
    EXPECT_EQ(a.take(), told({"k"}));
    EXPECT_EQ(f.e->tracking->keys, 0u);
    b("SET k 2");
    EXPECT_EQ(a.take(), "");
}

TEST(Tracking, NobodyPaysOnceTheLastTrackerIsGone) {
    EngineFixture f;
    EXPECT_FALSE(f.e->core.store.tracked);
    Client c(&f);
    {
        Peer a(&f);
        a("CLIENT TRACKING ON");
        EXPECT_TRUE(f.e->core.store.tracked);
        a("MGET a b c");
        a("CLIENT TRACKING OFF");
        // What was read still counts, should it be turned on again: as in Redis.
        EXPECT_EQ(f.e->tracking->keys, 3u);
        EXPECT_TRUE(f.e->core.store.tracked);
    }
    EXPECT_FALSE(f.e->core.store.tracked);
    EXPECT_EQ(f.e->tracking->keys, 0u);
    EXPECT_EQ(f.e->tracking->items, 0u);
    EXPECT_EQ(c("SET a 1"), "+OK\r\n");
}

TEST(Tracking, OnlyReadsThatTheModeAsksForAreRemembered) {
    EngineFixture f;
    Peer a(&f);
    a("CLIENT TRACKING ON BCAST PREFIX x");
    a("GET k");
    EXPECT_EQ(f.e->tracking->keys, 0u);
    a("CLIENT TRACKING OFF");
    a("CLIENT TRACKING ON OPTIN");
    a("GET k");
    EXPECT_EQ(f.e->tracking->keys, 0u);
    a("CLIENT CACHING YES");
    a("OBJECT ENCODING k");
    EXPECT_EQ(f.e->tracking->keys, 1u);
}

TEST(Tracking, TheTableIsHeldBelowItsLimitAndWhatIsDroppedIsTold) {
    EngineFixture f;
    f.set("tracking-table-max-keys", "10");
    Peer a(&f);
    a("CLIENT TRACKING ON NOLOOP");
    std::string all;
    for (int i = 0; i < 100; i++)
        all += a("GET k" + std::to_string(i));
    EXPECT_EQ(f.e->tracking->keys, 10u);
    size_t messages = 0;
    for (size_t at = 0; (at = all.find("invalidate", at)) != std::string::npos; at++)
        messages++;
    EXPECT_EQ(messages, 90u);
    f.set("tracking-table-max-keys", "3");
    engine_cron(f.e);
    EXPECT_EQ(f.e->tracking->keys, 3u);
    f.set("tracking-table-max-keys", "0");
    for (int i = 0; i < 100; i++)
        a("GET l" + std::to_string(i));
    EXPECT_EQ(f.e->tracking->keys, 103u);
}

TEST(Tracking, IdsOfTheDeadDoNotPileUpAtAKeyThatNeverChanges) {
    EngineFixture f;
    Peer stays(&f);
    stays("CLIENT TRACKING ON");
    for (int i = 0; i < 1000; i++) {
        Peer passes(&f);
        passes("CLIENT TRACKING ON");
        passes("GET k");
    }
    EXPECT_LE(f.e->tracking->items, 64u);
    stays("GET k");
    Client b(&f);
    b("SET k 1");
    EXPECT_EQ(stays.take(), told({"k"}));
    EXPECT_EQ(f.e->tracking->items, 0u);
}

TEST(Tracking, BroadcastsAreSortedAndTellEachKeyOnceATurn) {
    EngineFixture f;
    Peer a(&f);
    Client b(&f);
    a("CLIENT TRACKING ON BCAST PREFIX u: PREFIX b");
    for (const char* line : {"SET u:2 1", "SET u:10 1", "SET x 1", "SET b 1", "SET u:2 2", "DEL b"})
        b(line);
    EXPECT_EQ(a.take(), told({"b"}) + told({"u:10", "u:2"}));
    EXPECT_EQ(a.take(), "");
    EXPECT_EQ(f.e->tracking->pending_bytes, 0u);
}

TEST(Tracking, BroadcastKeysOfALongTurnAreTightlyBounded) {
    EngineFixture f;
    Peer a(&f);
    Client b(&f);
    a("CLIENT TRACKING ON BCAST");
    std::string key(1000, 'k');
    for (int i = 0; i < 2000; i++) {
        b("SET " + key + std::to_string(i) + " v");
        EXPECT_LE(f.e->tracking->pending_bytes, kPendingMax);
    }
    std::string all = a.take();
    for (int i : {0, 999, 1999})
        EXPECT_TRUE(contains(all, key + std::to_string(i) + "\r\n")) << i;
}

TEST(Tracking, InProcessCallersTellAtOnceAndAreNotTold) {
    EngineFixture f;
    Peer a(&f);
    Client inside(&f, true);
    a("CLIENT TRACKING ON BCAST");
    inside("SET k v");
    EXPECT_EQ(f.e->tracking->any_pending, false);
    mailbox_drain(&a.box);
    EXPECT_TRUE(contains(a("PING"), told({"k"})));
    EXPECT_TRUE(contains(inside("CLIENT TRACKING ON"), "needs REDIRECT here"));
    std::string id = a("CLIENT ID").substr(1);
    id.resize(id.size() - 2);
    EXPECT_EQ(inside("CLIENT TRACKING ON REDIRECT " + id), "+OK\r\n");
    a("CLIENT TRACKING OFF");
    inside("GET k");
    inside("SET k 2");
    EXPECT_EQ(a.take(), told({"k"}));
    std::string own = inside("CLIENT ID").substr(1);
    own.resize(own.size() - 2);
    EXPECT_TRUE(contains(a("CLIENT TRACKING ON REDIRECT " + own), "gets no invalidation messages"));
}

TEST(Tracking, AnExpiredOrEvictedKeyIsToldToItsNoloopReader) {
    EngineFixture f;
    Peer a(&f);
    a("CLIENT TRACKING ON NOLOOP");
    a("SET k v PX 1");
    int64_t until = clock_wall_ms() + 3;
    a("GET k");
    while (clock_wall_ms() < until) {}
    EXPECT_EQ(a("GET k"), "_\r\n" + told({"k"}));
    EXPECT_EQ(a("SET k v"), "+OK\r\n");
    a("GET k");
    f.set("maxmemory-policy", "allkeys-random");
    f.set("maxmemory", "1");
    EXPECT_TRUE(contains(a("PING"), told({"k"})));
    f.set("maxmemory", "0");
}

TEST(Tracking, ATargetThatVanishesIsReportedByEveryMessageForIt) {
    EngineFixture f;
    Peer a(&f);
    Client b(&f);
    std::string id;
    {
        Peer target(&f);
        id = target("CLIENT ID").substr(1);
        id.resize(id.size() - 2);
        EXPECT_EQ(a("CLIENT TRACKING ON REDIRECT " + id), "+OK\r\n");
        a("GET k");
        b("SET k 1");
        EXPECT_EQ(target.take(), told({"k"}));
        a("GET k");
        b("SET k 2");  // lost with the target
    }
    std::string broken = ">2\r\n$21\r\ntracking-redir-broken\r\n:" + id + "\r\n";
    for (int i = 0; i < 2; i++) {
        a("GET k");
        b("SET k 3");
        EXPECT_EQ(a.take(), broken);
    }
    EXPECT_TRUE(contains(a("CLIENT TRACKINGINFO"), "broken_redirect"));
    EXPECT_TRUE(contains(a("CLIENT INFO"), "flags=tR "));
    a("CLIENT TRACKING ON");
    EXPECT_TRUE(contains(a("CLIENT INFO"), "flags=t "));
}

TEST(Tracking, PrefixesThatOverlapAreOneError) {
    EngineFixture f;
    Peer a(&f);
    std::string reply = a("CLIENT TRACKING ON BCAST PREFIX x PREFIX a PREFIX ab");
    EXPECT_EQ(reply,
              "-ERR Prefix 'a' overlaps with another provided prefix 'ab'. Prefixes for a single "
              "client must not overlap.\r\n");
    EXPECT_TRUE(contains(a("CLIENT TRACKINGINFO"), "$3\r\noff"));
    EXPECT_EQ(f.e->tracking->prefix_count, 0u);
}

}  // namespace rp::test
