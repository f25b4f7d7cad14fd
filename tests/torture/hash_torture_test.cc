// Hashes under many threads: fields that are set together are read together whatever form the hash
// has, increments add up, and a walk finds what stays while others come and go.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <thread>

#include "../unit/cmd/harness.h"

namespace rp::test {

static int rounds() {
    const char* seconds = getenv("RP_TORTURE_SECONDS");
    return (seconds != nullptr ? atoi(seconds) : 2) * 2000;
}

static void fill(Client* c, const std::string& key, const std::string& prefix, int count) {
    std::vector<std::string> words = {"HSET", key};
    for (int i = 0; i < count; i++) {
        words.push_back(prefix + std::to_string(i));
        words.push_back("v");
    }
    c->run(words);
}

// Both values of an "HMGET h a b" reply are the same, or both are missing.
static bool are_twins(const std::string& reply) {
    std::string body = reply.substr(4);  // behind "*2\r\n"
    return body.size() % 2 == 0 && body.compare(0, body.size() / 2, body, body.size() / 2) == 0;
}

// `size` other fields decide the form: inline, or a Dict in a box; now and then the hash is
// deleted, and every form is passed through again.
static void twins_under_readers(int size) {
    TestEngine e;
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    auto reader = [&](bool in_exec) {
        Client c(&e);
        while (!stop) {
            std::string reply = c("HMGET h a b");
            if (!are_twins(reply)) wrong++;
            if (!in_exec) continue;
            reply = c.pipeline({{"MULTI"}, {"HGET", "h", "a"}, {"HGET", "h", "b"}, {"EXEC"}});
            if (!are_twins(reply.substr(reply.find("*2\r\n")))) wrong++;
        }
    };
    auto writer = [&](int first) {
        Client c(&e);
        for (int i = 0; i < rounds(); i++) {
            std::string value(static_cast<size_t>(first + i) % 90, 'x');
            c.run({"HSET", "h", "a", value, "b", value});
            if (i % 50 == 0) fill(&c, "h", "f", size);
            if (i % 500 == 499) c("DEL h");
            if (i % 7 == 0) c("HDEL h a b");
        }
    };
    std::thread r1(reader, false), r2(reader, true), w1(writer, 0), w2(writer, 17);
    w1.join();
    w2.join();
    stop = true;
    r1.join();
    r2.join();
    EXPECT_EQ(wrong, 0);
}

TEST(HashTorture, FieldsSetTogetherAreReadTogetherFromASmallHash) { twins_under_readers(3); }
TEST(HashTorture, FieldsSetTogetherAreReadTogetherFromALargeHash) { twins_under_readers(700); }

TEST(HashTorture, IncrementsOfManyThreadsAddUp) {
    for (int size : {0, 600}) {
        constexpr int kThreads = 3;
        TestEngine e;
        {
            Client c(&e);
            c("HSET h n 0 d 0");
            if (size != 0) fill(&c, "h", "f", size);
        }
        std::vector<std::thread> threads;
        for (int id = 0; id < kThreads; id++) {
            threads.emplace_back([&] {
                Client c(&e);
                for (int i = 0; i < rounds(); i++) {
                    c("HINCRBY h n 1");
                    c("HINCRBYFLOAT h d 0.5");
                }
            });
        }
        for (std::thread& t : threads)
            t.join();
        Client c(&e);
        EXPECT_EQ(c("HINCRBY h n 0"), ":" + std::to_string(kThreads * rounds()) + "\r\n");
        EXPECT_NE(c("HGET h d").find("\r\n" + std::to_string(kThreads * rounds() / 2) + "\r\n"),
                  std::string::npos);
    }
}

// One page of "HSCAN h cursor": adds the fields to `seen`, returns the next cursor.
static std::string scan_page(Client* c, const std::string& cursor, std::set<std::string>* seen) {
    std::string reply = c->run({"HSCAN", "h", cursor, "COUNT", "40"});
    std::vector<std::string> lines;
    for (size_t at = 0, end; (end = reply.find("\r\n", at)) != std::string::npos; at = end + 2)
        lines.push_back(reply.substr(at, end - at));
    for (size_t i = 5; i < lines.size(); i += 4)  // *2 $n cursor *m, then $n field $n value
        seen->insert(lines[i]);
    return lines[2];
}

TEST(HashTorture, AWalkFindsWhatStaysWhileOthersComeAndGo) {
    constexpr int kStays = 800;
    TestEngine e;
    {
        Client c(&e);
        fill(&c, "h", "stays", kStays);
    }
    std::atomic<bool> stop{false};
    auto writer = [&](const std::string& prefix) {
        Client c(&e);
        for (int i = 0; !stop; i++) {
            fill(&c, "h", prefix + std::to_string(i % 40) + ":", 50);
            std::vector<std::string> words = {"HDEL", "h"};
            for (int j = 0; j < 50; j++)
                words.push_back(prefix + std::to_string((i + 20) % 40) + ":" + std::to_string(j));
            c.run(words);
        }
    };
    std::thread w1(writer, "a"), w2(writer, "b");
    Client c(&e);
    for (int walk = 0; walk < rounds() / 100; walk++) {
        std::set<std::string> seen;
        std::string cursor = "0";
        do
            cursor = scan_page(&c, cursor, &seen);
        while (cursor != "0");
        int stayed = 0;
        for (const std::string& field : seen)
            stayed += field.compare(0, 5, "stays") == 0 ? 1 : 0;
        ASSERT_EQ(kStays, stayed);
    }
    stop = true;
    w1.join();
    w2.join();
}

}  // namespace rp::test
