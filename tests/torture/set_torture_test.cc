// Sets under many threads: moves are seen whole or not at all whatever form a set has, copies that
// share a box change apart, and what was dropped is freed while others work.
#include <algorithm>
#include <cstdlib>
#include <thread>

#include "../unit/cmd/harness.h"

namespace rp::test {

static int rounds() {
    const char* seconds = getenv("RP_TORTURE_SECONDS");
    return (seconds != nullptr ? atoi(seconds) : 2) * 2000;
}

static void fill(Client* c, const std::string& key, const std::string& prefix, int from, int to) {
    std::vector<std::string> words = {"SADD", key};
    for (int i = from; i < to; i++)
        words.push_back(prefix + std::to_string(i));
    c->run(words);
}

// Members go to and fro between a and b: a reader finds each in exactly one of them. Sets of 8 lie
// inline (read without lock), of 100 words and 1000 integers in boxes.
static void move_under_readers(const std::string& prefix, int size) {
    TestEngine e;
    {
        Client c(&e);
        fill(&c, "a", prefix, 0, size);
        fill(&c, "b", prefix, size, 2 * size);
    }
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::string all = "*" + std::to_string(2 * size) + "\r\n";
    auto reader = [&] {
        Client c(&e);
        while (!stop) {
            if (c("SINTERCARD 2 a b") != ":0\r\n") wrong++;
            if (c("SUNION a b").compare(0, all.size(), all) != 0) wrong++;
            if (c("SINTER a b") != "*0\r\n") wrong++;
        }
    };
    auto writer = [&](int first) {
        Client c(&e);
        for (int i = 0; i < rounds(); i++) {
            std::string member = prefix + std::to_string((first + i) % (2 * size));
            c("SMOVE a b " + member);
            c("SMOVE b a " + prefix + std::to_string((first + i * 7) % (2 * size)));
        }
    };
    std::thread r1(reader), r2(reader), w1(writer, 0), w2(writer, 3);
    w1.join();
    w2.join();
    stop = true;
    r1.join();
    r2.join();
    EXPECT_EQ(wrong, 0);
}

TEST(SetTorture, AMovedMemberIsAlwaysInOneOfTwoSmallSets) {
    move_under_readers("", 8);
    move_under_readers("w", 8);
}

TEST(SetTorture, AMovedMemberIsAlwaysInOneOfTwoLargeSets) {
    move_under_readers("w", 100);
    move_under_readers("", 1000);
}

TEST(SetTorture, CopiesThatShareABoxChangeApart) {
    constexpr int kSize = 300, kThreads = 3;
    TestEngine e;
    {
        Client c(&e);
        fill(&c, "origin", "w", 0, kSize);
    }
    std::atomic<int> wrong{0};
    std::string whole = "*" + std::to_string(kSize) + "\r\n";
    auto copier = [&](int id) {
        Client c(&e);
        std::string mine = "copy" + std::to_string(id);
        for (int i = 0; i < rounds(); i++) {
            c("COPY origin " + mine + " REPLACE");
            if (c("SADD " + mine + " mine") != ":1\r\n") wrong++;
            if (c("SREM " + mine + " w1 w2 w3") != ":3\r\n") wrong++;
            if (c("SCARD " + mine) != ":" + std::to_string(kSize - 2) + "\r\n") wrong++;
            if (c("SMEMBERS origin").compare(0, whole.size(), whole) != 0) wrong++;
            if (i % 3 == 0) c("RENAME " + mine + " " + mine + "x");
            if (i % 5 == 0) c("DEL " + mine + " " + mine + "x");
        }
    };
    std::vector<std::thread> threads;
    for (int id = 0; id < kThreads; id++)
        threads.emplace_back(copier, id);
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(wrong, 0);
    Client c(&e);
    EXPECT_EQ(c("SISMEMBER origin mine"), ":0\r\n");
    for (size_t i = 0; i < kSegments; i++)
        table_check_segment(e.core.store.dbs[0].table, i);
}

TEST(SetTorture, PoppedMembersComeOnceEach) {
    constexpr int kSize = 3000, kThreads = 3;
    TestEngine e;
    {
        Client c(&e);
        fill(&c, "s", "w", 0, kSize);
    }
    std::vector<std::vector<std::string>> got(kThreads);
    std::vector<std::thread> threads;
    for (int id = 0; id < kThreads; id++) {
        threads.emplace_back([&, id] {
            Client c(&e);
            for (;;) {
                std::string r = c("SPOP s");
                if (r == "$-1\r\n") return;
                got[static_cast<size_t>(id)].push_back(r);
            }
        });
    }
    for (std::thread& t : threads)
        t.join();
    std::vector<std::string> all;
    for (auto& part : got)
        all.insert(all.end(), part.begin(), part.end());
    EXPECT_EQ(all.size(), size_t{kSize});
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

}  // namespace rp::test
