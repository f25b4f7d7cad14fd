// Who is timed, together with whom, and who is taken for the slow one.
#include "cmd/timing.h"

#include "harness.h"

namespace rp::test {

struct Slow {
    std::string command;
    uint64_t ns;
};
static std::vector<Slow> slow;

static void on_slow(Engine*, const Session*, const CmdRef*, Args argv, uint64_t ns) {
    std::string text;
    for (size_t i = 0; i < argv.len; i++)
        text += (i != 0 ? " " : "") + std::string(argv[i].ptr, argv[i].len);
    slow.push_back({text, ns});
}

class Timing : public testing::Test {
  protected:
    void SetUp() override {
        slow.clear();
        engine.core.hooks.on_slow = on_slow;
    }
    void everything_is_slow(bool shortly) {
        engine.core.slow_ticks.store(0);
        engine.core.slow_is_short.store(shortly);
    }
    uint64_t calls_timed(const char* name) {
        CmdRef ref = command_find(bytes_of(name));
        const Histogram* h = client.worker.cmd_stats[ref.index].times.load();
        HistogramSum sum;
        if (h != nullptr) histogram_sum_add(&sum, h);
        return sum.total;
    }
    TestEngine engine;
    Client client{&engine};
};

static std::vector<std::vector<std::string>> gets(int n) {
    std::vector<std::vector<std::string>> out;
    for (int i = 0; i < n; i++)
        out.push_back({"GET", "k" + std::to_string(i)});
    return out;
}

TEST_F(Timing, QuickCommandsOfOneRowShareAReading) {
    everything_is_slow(false);
    client.pipeline(gets(int{kTimedTogether}));
    ASSERT_EQ(1u, slow.size());
    EXPECT_EQ("GET k3", slow[0].command) << "of equals the last";
    EXPECT_EQ(kTimedTogether, calls_timed("GET"));
}

TEST_F(Timing, AfterASlowShareEachCommandIsTimedByItself) {
    everything_is_slow(false);
    client.pipeline(gets(2 * int{kTimedTogether}));
    // One share, then every command of its own.
    ASSERT_EQ(1 + kTimedTogether, slow.size());
    EXPECT_EQ("GET k4", slow[1].command);
    EXPECT_EQ("GET k7", slow.back().command);
    slow.clear();
    client.pipeline(gets(4));
    EXPECT_EQ(4u, slow.size());
}

TEST_F(Timing, TheOneWithTheMostBytesIsTakenForTheSlowOne) {
    everything_is_slow(false);
    client.pipeline({{"GET", "a"}, {"GET", "long key"}, {"GET", "b"}});
    ASSERT_EQ(1u, slow.size());
    EXPECT_EQ("GET long key", slow[0].command);
}

TEST_F(Timing, OtherRowsAndSlowRowsEndAShare) {
    everything_is_slow(false);
    client.pipeline({{"GET", "a"}, {"EXISTS", "a"}, {"KEYS", "x"}, {"KEYS", "y"}});
    std::vector<std::string> told;
    for (const Slow& s : slow)
        told.push_back(s.command);
    EXPECT_EQ((std::vector<std::string>{"GET a", "EXISTS a", "KEYS x", "KEYS y"}), told);
}

TEST_F(Timing, AShortLimitTimesEveryCommandByItself) {
    everything_is_slow(true);
    client.pipeline(gets(8));
    EXPECT_EQ(8u, slow.size());
}

TEST_F(Timing, CommandsThatDidNotRunAreNotTimed) {
    everything_is_slow(true);
    client.pipeline({{"GET"}, {"NOPE", "x"}, {"MULTI"}, {"GET", "k"}, {"SET", "k"}, {"DISCARD"}});
    std::vector<std::string> told;
    for (const Slow& s : slow)
        told.push_back(s.command);
    EXPECT_EQ((std::vector<std::string>{"MULTI", "DISCARD"}), told);
    EXPECT_EQ(0u, calls_timed("GET"));
}

TEST_F(Timing, CommandsInsideExecAreTimedOneByOne) {
    everything_is_slow(true);
    client.pipeline({{"MULTI"}, {"SET", "k", "v"}, {"GET", "k"}, {"EXEC"}});
    std::vector<std::string> told;
    for (const Slow& s : slow)
        told.push_back(s.command);
    EXPECT_EQ((std::vector<std::string>{"MULTI", "SET k v", "GET k", "EXEC"}), told);
}

TEST_F(Timing, AnEmbeddedCallerSQuickCommandsAreSampled) {
    client.session.embedded = true;
    for (uint64_t i = 0; i < 4 * kTimedOneIn; i++)
        client("GET k");
    EXPECT_EQ(4 * kTimedOneIn, calls_timed("GET"));
    everything_is_slow(false);
    slow.clear();
    for (uint64_t i = 0; i < 4 * kTimedOneIn; i++)
        client("GET k");
    EXPECT_EQ(4u, slow.size());
}

TEST_F(Timing, TrackingOffKeepsNoHistogram) {
    engine.core.config->latency_tracking.store(0);
    client.pipeline(gets(4));
    EXPECT_EQ(0u, calls_timed("GET"));
}

}  // namespace rp::test
