// Sorted sets under many threads: points that move from member to member are never lost, whatever
// form the set has; members are popped once; copies that share a box change apart.
#include <cstdlib>
#include <thread>

#include "../unit/cmd/harness.h"

namespace rp::test {

static int rounds() {
    const char* seconds = getenv("RP_TORTURE_SECONDS");
    return (seconds != nullptr ? atoi(seconds) : 2) * 1000;
}

static void fill(Client* c, const std::string& key, int members, int score) {
    std::vector<std::string> words = {"ZADD", key};
    for (int i = 0; i < members; i++) {
        words.push_back(std::to_string(score));
        words.push_back("m" + std::to_string(i));
    }
    c->run(words);
}

// The numbers in "*n $.. member $.. score ..." that stand for scores.
static double sum_of_scores(const std::string& reply) {
    double sum = 0;
    int bulk = 0;
    for (size_t at = reply.find("\r\n$"); at != std::string::npos;
         at = reply.find("\r\n$", at + 1)) {
        size_t text = reply.find("\r\n", at + 2) + 2;
        if (++bulk % 2 == 0) sum += strtod(reply.c_str() + text, nullptr);
    }
    return sum;
}

// Every transaction takes a point from one member and gives it to another: whoever reads the whole
// set sees the same sum. Of two sets the union of both is read, by lookups that lock nothing while
// the sets are small.
static void move_points(int members) {
    TestEngine e;
    {
        Client c(&e);
        fill(&c, "a", members, 100);
        fill(&c, "b", members, 100);
    }
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0}, reads{0};
    auto reader = [&] {
        Client c(&e);
        while (!stop) {
            if (sum_of_scores(c("ZRANGE a 0 -1 WITHSCORES")) != 100.0 * members) wrong++;
            if (sum_of_scores(c("ZUNION 2 a b WITHSCORES")) != 200.0 * members) wrong++;
            if (c("ZCOUNT a -inf inf") != ":" + std::to_string(members) + "\r\n") wrong++;
            reads++;
        }
    };
    auto writer = [&](int seed) {
        Client c(&e);
        for (int i = 0; i < rounds(); i++) {
            std::string from = std::to_string((i * seed) % members);
            std::string to = std::to_string((i * 7 + seed) % members);
            std::string key = i % 2 == 0 ? "a" : "b";
            c("MULTI");
            c("ZINCRBY " + key + " -1 m" + from);
            c("ZINCRBY " + key + " 1 m" + to);
            c("EXEC");
        }
    };
    std::thread r1(reader), r2(reader), w1(writer, 3), w2(writer, 5);
    w1.join();
    w2.join();
    while (reads < 2)
        std::this_thread::yield();
    stop = true;
    r1.join();
    r2.join();
    EXPECT_EQ(wrong, 0);
}

TEST(ZsetTorture, PointsMoveAndNoneAreLostInSmallSets) { move_points(8); }
TEST(ZsetTorture, PointsMoveAndNoneAreLostInBoxedListpacks) { move_points(100); }
TEST(ZsetTorture, PointsMoveAndNoneAreLostInLargeSets) { move_points(400); }

TEST(ZsetTorture, PoppedMembersComeOnceEach) {
    constexpr int kSize = 3000, kThreads = 3;
    TestEngine e;
    {
        Client c(&e);
        fill(&c, "z", kSize, 1);
    }
    std::atomic<int> popped{0};
    std::vector<std::thread> threads;
    for (int id = 0; id < kThreads; id++) {
        threads.emplace_back([&, id] {
            Client c(&e);
            const char* how[] = {"ZPOPMIN z", "ZPOPMAX z", "ZMPOP 2 none z MIN"};
            for (;;) {
                std::string r = c(how[id]);
                if (r == "*0\r\n" || r == "*-1\r\n") return;
                popped++;
            }
        });
    }
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(popped, kSize);
    Client c(&e);
    EXPECT_EQ(c("EXISTS z"), ":0\r\n");
}

TEST(ZsetTorture, CopiesThatShareABoxChangeApart) {
    constexpr int kSize = 300, kThreads = 3;
    TestEngine e;
    {
        Client c(&e);
        fill(&c, "origin", kSize, 1);
    }
    std::atomic<int> wrong{0};
    auto copier = [&](int id) {
        Client c(&e);
        std::string mine = "copy" + std::to_string(id);
        for (int i = 0; i < rounds() / 4; i++) {
            c("COPY origin " + mine + " REPLACE");
            if (c("ZADD " + mine + " 5 mine") != ":1\r\n") wrong++;
            if (c("ZREMRANGEBYRANK " + mine + " 0 1") != ":2\r\n") wrong++;
            if (c("ZRANK " + mine + " mine") != ":" + std::to_string(kSize - 2) + "\r\n") wrong++;
            if (c("ZCARD origin") != ":" + std::to_string(kSize) + "\r\n") wrong++;
            if (i % 3 == 0) c("ZUNIONSTORE " + mine + " 2 " + mine + " origin");
            if (i % 5 == 0) c("DEL " + mine);
        }
    };
    std::vector<std::thread> threads;
    for (int id = 0; id < kThreads; id++)
        threads.emplace_back(copier, id);
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(wrong, 0);
    for (size_t i = 0; i < kSegments; i++)
        table_check_segment(e.core.store.dbs[0].table, i);
}

}  // namespace rp::test
