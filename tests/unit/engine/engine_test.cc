#include "harness.h"

#include <thread>

#include "engine/reaper.h"

namespace rp::test {

static EngineTotals totals_of(Engine* e) {
    EngineTotals t;
    engine_totals(e, &t);
    return t;
}

static std::vector<CmdTotals> command_totals(Engine* e) {
    std::vector<CmdTotals> all(command_count());
    engine_command_totals(e, all.data());
    return all;
}

TEST(Engine, TwoStoresInOneProcessAreApart) {
    EngineFixture a, b;
    Client ca(&a), cb(&b);
    ca("SET k a");
    EXPECT_EQ(cb("GET k"), "$-1\r\n");
    EXPECT_STRNE(a.e->run_id, b.e->run_id);
    EXPECT_EQ(strlen(a.e->run_id), 40u);
    EXPECT_TRUE(engine_is_mine(a.e));
}

TEST(Engine, TotalsOutliveWorkersAndResetStartsAfresh) {
    EngineFixture f;
    Client keeper(&f);
    {
        Client c(&f);
        c("SET k v");
        c("GET k");
        c("GET none");
        c("GET");
        c.session.net_in = 100;
    }
    keeper("GET k");
    EngineTotals t = totals_of(f.e);
    EXPECT_EQ(t.commands, 4u) << "a refused command has not been processed";
    EXPECT_EQ(t.hits, 2u);
    EXPECT_EQ(t.misses, 1u);
    EXPECT_EQ(t.net_in, 100u);
    EXPECT_EQ(t.changes, 1u);
    uint32_t get = command_find("GET").index;
    EXPECT_EQ(command_totals(f.e)[get].calls, 3u);
    EXPECT_EQ(command_totals(f.e)[get].rejected, 1u);
    EXPECT_EQ(f.e->errors.total.load(), 1u);
    engine_stats_reset(f.e);
    keeper("GET k");
    t = totals_of(f.e);
    EXPECT_EQ(t.commands, 1u);
    EXPECT_EQ(t.hits, 1u);
    EXPECT_EQ(t.misses, 0u);
    EXPECT_EQ(t.net_in, 0u);
    EXPECT_EQ(t.changes, 1u) << "INFO persistence is no statistic";
    EXPECT_EQ(command_totals(f.e)[get].calls, 1u);
    EXPECT_EQ(f.e->errors.used, 0u);
    EXPECT_EQ(f.e->clients.received.load(), 0u);
}

TEST(Engine, ErrorsAreCountedByCodeAndBounded) {
    EngineFixture f;
    Client c(&f);
    c("GET");
    c("NOPE");
    c("HELLO 9");
    ASSERT_EQ(f.e->errors.used, 2u);
    EXPECT_STREQ(f.e->errors.items[0].code, "ERR");
    EXPECT_EQ(f.e->errors.items[0].count, 2u);
    EXPECT_STREQ(f.e->errors.items[1].code, "NOPROTO");
    for (int i = 0; i < 200; i++) {
        std::string code = "E" + std::to_string(i);
        f.e->core.hooks.count_error(f.e, {code.data(), code.size()});
    }
    EXPECT_EQ(f.e->errors.used, kErrorCodesMax);
    EXPECT_STREQ(f.e->errors.items[kErrorCodesMax - 1].code, "OTHER");
    EXPECT_EQ(f.e->errors.items[kErrorCodesMax - 1].count, 200 - (kErrorCodesMax - 3));
    EXPECT_EQ(f.e->errors.total.load(), 203u);
}

TEST(Engine, FlushAsyncIsBuriedByTheReaper) {
    EngineFixture f;
    Client c(&f);
    for (int i = 0; i < 1000; i++)
        c.run({"SET", "k" + std::to_string(i), "v"});
    EXPECT_EQ(c("FLUSHALL ASYNC"), "+OK\r\n");
    EXPECT_EQ(c("DBSIZE"), ":0\r\n");
    int64_t deadline = clock_mono_ms() + 10000;
    while (reaper_freed(f.e->reaper) != 1000 && clock_mono_ms() < deadline) {
        epoch_reclaim(c.worker.slot);
        std::this_thread::yield();
    }
    EXPECT_EQ(reaper_freed(f.e->reaper), 1000u);
    EXPECT_EQ(reaper_waiting(f.e->reaper), 0u);
    c("SET k v");
    EXPECT_EQ(c("FLUSHALL ASYNC"), "+OK\r\n");  // closing waits for what is left
}

TEST(Engine, CronMeasuresOperationsPerSecond) {
    EngineFixture f;
    Client c(&f);
    engine_cron(f.e);
    int64_t start = clock_mono_ms();
    for (int i = 0; i < 1600; i++)
        c("PING");
    while (clock_mono_ms() - start < 110)
        std::this_thread::yield();
    engine_cron(f.e);
    uint64_t rate = f.e->ops_per_sec.load();
    EXPECT_GT(rate, 0u);
    EXPECT_LE(rate, 1600u * 1000 / 110 / kRateSamples + 1);
    EXPECT_EQ(f.e->cron_ticks.load(), 2u);
}

TEST(Engine, CrawlDeletesWhatHasExpired) {
    EngineFixture f;
    Client c(&f);
    clock_fake_ms(1000000);
    for (int i = 0; i < 500; i++)
        c.run({"SET", "k" + std::to_string(i), "v", "PX", "10"});
    c("SET stays v");
    clock_fake_ms(1000100);
    EXPECT_EQ(c("DBSIZE"), ":501\r\n");
    int64_t deadline = clock_mono_ms() + 10000;
    while (c("DBSIZE") != ":1\r\n" && clock_mono_ms() < deadline)
        engine_crawl(f.e, &c.worker);
    EXPECT_EQ(c("DBSIZE"), ":1\r\n");
    EXPECT_EQ(totals_of(f.e).expired, 500u);
    clock_fake_ms(0);
}

TEST(Shutdown, WordsAreChecked) {
    EngineFixture f;
    Client c(&f);
    c.check({{"SHUTDOWN x", "-ERR syntax error"},
             {"SHUTDOWN ABORT", "-ERR No shutdown in progress."},
             {"SHUTDOWN ABORT ABORT", "-ERR No shutdown in progress."},
             {"SHUTDOWN ABORT SAVE", "-ERR syntax error"},
             {"SHUTDOWN NOW ABORT", "-ERR syntax error"},
             {"SHUTDOWN SAVE NOSAVE", "-ERR syntax error"},
             {"MULTI", "+OK"},
             {"SHUTDOWN", "-ERR Command not allowed inside a transaction"}});
    EXPECT_EQ(f.e->stop.load(), StopState::running);
}

TEST(Shutdown, AsksTheTransportToStopAndAnswersNothing) {
    EngineFixture f;
    static int stops;
    stops = 0;
    f.e->net.request_stop = [](void*) { stops++; };
    Client c(&f);
    EXPECT_EQ(c("SHUTDOWN NOSAVE NOW FORCE"), "");
    EXPECT_EQ(c.last, Ran::close);
    EXPECT_EQ(stops, 1);
    EXPECT_EQ(f.e->stop.load(), StopState::requested);
}

TEST(Shutdown, AnInProcessCallerGetsAnAnswer) {
    EngineFixture f;
    Client c(&f, true);
    EXPECT_EQ(c("SHUTDOWN"), "+OK\r\n");
    EXPECT_EQ(f.e->stop.load(), StopState::requested);
}

TEST(Server, TimeAndLolwut) {
    EngineFixture f;
    Client c(&f);
    clock_fake_ms(0);
    EXPECT_EQ(c("TIME").substr(0, 10), "*2\r\n$10\r\n1");
    c.check({{"TIME x", "-ERR wrong number of arguments for 'time' command"},
             {"LOLWUT VERSION 99", "$18\r\nRedis ver. 7.0.15\n"},
             {"LOLWUT VERSION 5 x", "-ERR value is not an integer or out of range"},
             {"LOLWUT VERSION x", "-ERR value is not an integer or out of range"}});
    for (const char* line : {"LOLWUT", "LOLWUT x", "LOLWUT VERSION", "LOLWUT VERSION 6 1000 1000",
                             "LOLWUT VERSION 5 -3 0"}) {
        std::string text = c(line);
        EXPECT_TRUE(contains(text, "Redis ver. 7.0.15\n\r\n")) << line;
        EXPECT_LT(text.size(), 12000u) << line;
    }
    c("HELLO 3");
    EXPECT_EQ(c("LOLWUT")[0], '=');
}

}  // namespace rp::test
