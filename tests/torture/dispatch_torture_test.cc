// Many threads through the dispatcher at once: nobody ever sees half of a multi-key write (I6), no
// WATCH lets a lost update through, counters add up, and nothing hangs when somebody runs alone.
#include <cstdlib>
#include <thread>

#include "../unit/cmd/harness.h"

namespace rp::test {

static int rounds() {
    const char* seconds = getenv("RP_TORTURE_SECONDS");
    return (seconds != nullptr ? atoi(seconds) : 2) * 2000;
}

static std::string mset_reply(int i) {
    std::string v = std::to_string(i);
    std::string b = "$" + std::to_string(v.size()) + "\r\n" + v + "\r\n";
    return "*3\r\n" + b + b + b;
}

TEST(DispatchTorture, MgetNeverSeesHalfOfAnMset) {
    TestEngine e;
    {
        Client c(&e);
        c("MSET a 0 b 0 c 0");
    }
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        Client c(&e);
        for (int i = 1; i <= rounds(); i++) {
            std::string v = std::to_string(i);
            c("MSET a " + v + " b " + v + " c " + v);
        }
        stop = true;
    });
    std::atomic<int> torn{0};
    auto reader = [&] {
        Client c(&e);
        while (!stop) {
            std::string r = c("MGET a b c");
            int value = atoi(r.c_str() + r.find("\r\n", 4) + 2);
            if (r != mset_reply(value)) torn++;
        }
    };
    std::thread r1(reader), r2(reader);
    writer.join();
    r1.join();
    r2.join();
    EXPECT_EQ(torn, 0);
}

// k1 is read before k2 in one pipeline, without locks: k2 must never be older than k1.
TEST(DispatchTorture, PipelinedGetsNeverGoBackBehindAnMset) {
    TestEngine e;
    {
        Client c(&e);
        c("MSET k1 0 k2 0");
    }
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        Client c(&e);
        for (int i = 1; i <= rounds(); i++) {
            std::string v = std::to_string(i);
            if (i % 2) {
                c("MSET k1 " + v + " k2 " + v);
            } else {
                c.pipeline(
                    {{"MULTI"}, {"SET", "k2", v}, {"SET", "k1", "-1"}, {"SET", "k1", v}, {"EXEC"}});
            }
        }
        stop = true;
    });
    std::atomic<int> wrong{0};
    auto reader = [&] {
        Client c(&e);
        while (!stop) {
            std::string r = c.pipeline({{"GET", "k1"}, {"GET", "k2"}});
            size_t at = r.find("\r\n") + 2;
            int k1 = atoi(r.c_str() + at);
            at = r.find("\r\n", r.find("$", at)) + 2;
            int k2 = atoi(r.c_str() + at);
            if (k1 < 0 || k2 < k1) wrong++;  // -1: the inside of a transaction
        }
    };
    std::thread r1(reader), r2(reader);
    writer.join();
    r1.join();
    r2.join();
    EXPECT_EQ(wrong, 0);
}

TEST(DispatchTorture, WatchLosesNoUpdateAndIncrNeitherWhileOthersFlushOtherDatabases) {
    TestEngine e;
    {
        Client c(&e);
        c("MSET watched 0 counted 0");
    }
    int each = rounds() / 10;
    auto increment = [&] {
        Client c(&e);
        for (int i = 0; i < each; i++) {
            c("INCR counted");
            for (;;) {
                c("WATCH watched");
                std::string r = c("GET watched");
                int v = atoi(r.c_str() + r.find("\r\n") + 2);
                if (c.pipeline({{"MULTI"}, {"SET", "watched", std::to_string(v + 1)}, {"EXEC"}})
                        .find("*1") != std::string::npos) {
                    break;
                }
            }
        }
    };
    std::atomic<bool> stop{false};
    std::thread flusher([&] {
        Client c(&e);
        c.session.db = 5;
        while (!stop) {
            c("SET x 1");
            c("FLUSHDB");
            c("SWAPDB 6 7");
        }
    });
    std::thread a(increment), b(increment), d(increment);
    a.join();
    b.join();
    d.join();
    stop = true;
    flusher.join();
    Client c(&e);
    std::string total = std::to_string(each * 3);
    std::string reply = "$" + std::to_string(total.size()) + "\r\n" + total + "\r\n";
    EXPECT_EQ(c("GET watched"), reply);
    EXPECT_EQ(c("GET counted"), reply);
}

TEST(DispatchTorture, LargeValuesSwappedUnderReadersStayWhole) {
    TestEngine e;
    {
        Client c(&e);
        c.run({"SET", "k", std::string(20000, 'a')});
    }
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        Client c(&e);
        for (int i = 0; i < rounds() / 4; i++) {
            c.run({"SET", "k", std::string(20000, static_cast<char>('a' + i % 26))});
            if (i % 3 == 0) c("DEL k");
            if (i % 5 == 0) c("APPEND k " + std::string(17000, 'z'));
            if (i % 5 == 0) c("DEL k");
        }
        stop = true;
    });
    std::atomic<int> mixed{0};
    std::thread reader([&] {
        Client c(&e);
        while (!stop) {
            std::string r = c("GETRANGE k 0 19999");
            size_t at = r.find("\r\n") + 2;
            if (r.size() < at + 3) continue;
            size_t len = r.size() - 2 - at;
            if (len == 20000 && r.find_first_not_of(r[at], at) != at + len) mixed++;
        }
    });
    writer.join();
    reader.join();
    EXPECT_EQ(mixed, 0);
}

}  // namespace rp::test
