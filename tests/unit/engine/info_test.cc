#include "engine/info.h"

#include <cctype>

#include "engine/config_hooks.h"
#include "harness.h"

namespace rp::test {

// The text behind the bulk header.
static std::string body(const std::string& reply) {
    size_t at = reply.find("\r\n");
    return reply.substr(at + 2, reply.size() - at - 4);
}

// The value of a field, "?" if there is none.
static std::string field(const std::string& info, const std::string& name) {
    size_t at = info.find("\r\n" + name + ":");
    if (at == std::string::npos) return "?";
    at += name.size() + 3;
    return info.substr(at, info.find("\r\n", at) - at);
}

TEST(Info, SectionsAreChosenByNameInFixedOrder) {
    EngineFixture f;
    Client c(&f);
    std::string two = body(c("INFO keyspace SERVER nosuch"));
    EXPECT_EQ(two.substr(0, 10), "# Server\r\n");
    EXPECT_TRUE(contains(two, "\r\n\r\n# Keyspace\r\n"));
    EXPECT_FALSE(contains(two, "# Clients"));
    EXPECT_EQ(c("INFO nosuch"), "$0\r\n\r\n");
    EXPECT_EQ(body(c("INFO cluster")), "# Cluster\r\ncluster_enabled:0\r\n");
    EXPECT_EQ(body(c("INFO modules")), "# Modules\r\n");
}

TEST(Info, DefaultLeavesOutCommandAndLatencyStats) {
    EngineFixture f;
    Client c(&f);
    for (const char* line : {"INFO", "INFO default"}) {
        std::string info = body(c(line));
        for (const char* title :
             {"Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU",
              "Modules", "Errorstats", "Cluster", "Keyspace", "RustyPotato"}) {
            EXPECT_TRUE(contains(info, std::string("# ") + title + "\r\n")) << title;
        }
        EXPECT_FALSE(contains(info, "# Commandstats"));
        EXPECT_FALSE(contains(info, "# Latencystats"));
    }
    EXPECT_TRUE(contains(c("INFO everything"), "# Commandstats"));
    EXPECT_TRUE(contains(c("INFO ALL"), "# Latencystats"));
}

TEST(Info, IsAVerbatimTextInResp3) {
    EngineFixture f;
    Client c(&f);
    c("HELLO 3");
    EXPECT_EQ(c("INFO cluster"), "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n");
}

TEST(Info, EveryLineIsATitleOrAField) {
    EngineFixture f;
    Client c(&f);
    c("SET k v EX 100");
    c("NOPE");
    std::string info = body(c("INFO everything"));
    for (size_t at = 0; at < info.size();) {
        size_t end = info.find("\r\n", at);
        ASSERT_NE(end, std::string::npos);
        std::string line = info.substr(at, end - at);
        at = end + 2;
        if (line.empty() || line[0] == '#') continue;
        EXPECT_NE(line.find(':'), std::string::npos) << line;
        EXPECT_TRUE(islower(static_cast<unsigned char>(line[0])) != 0) << line;
    }
}

TEST(Info, CountsWhatHappened) {
    EngineFixture f;
    Client c(&f);
    c("SET k v EX 100");
    c("SET plain v");
    c("GET k");
    c("GET missing");
    c("GET");
    c("INCR k");
    std::string info = body(c("INFO everything"));
    EXPECT_EQ(field(info, "redis_version"), "7.0.15");
    EXPECT_EQ(field(info, "connected_clients"), "1");
    EXPECT_EQ(field(info, "keyspace_hits"), "1");
    EXPECT_EQ(field(info, "keyspace_misses"), "1");
    EXPECT_EQ(field(info, "rdb_changes_since_last_save"), "2");
    EXPECT_EQ(field(info, "total_commands_processed"), "5");  // the refused one is none
    EXPECT_EQ(field(info, "total_error_replies"), "2");
    EXPECT_EQ(field(info, "errorstat_ERR"), "count=2");
    EXPECT_EQ(field(info, "role"), "master");
    std::string get = field(info, "cmdstat_get");
    EXPECT_EQ(get.substr(0, 8), "calls=2,");
    EXPECT_TRUE(contains(get, ",rejected_calls=1,failed_calls=0"));
    EXPECT_TRUE(contains(field(info, "cmdstat_incr"), "rejected_calls=0,failed_calls=1"));
    EXPECT_EQ(field(info, "cmdstat_lcs"), "?");
}

TEST(Info, KeyspaceTellsKeysAndExpiries) {
    EngineFixture f;
    Client c(&f);
    clock_fake_ms(1000000);
    c("SET a v PX 4000");
    c("SET b v");
    c("SELECT 5");
    c("SET c v");
    EXPECT_EQ(body(c("INFO keyspace")),
              "# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=4000\r\n"
              "db5:keys=1,expires=0,avg_ttl=0\r\n");
    clock_fake_ms(0);
}

TEST(Info, MemoryAddsUp) {
    EngineFixture f;
    Client c(&f);
    engine_config_hooks(f.e);
    c.run({"SET", "k", std::string(1 << 20, 'x')});
    std::string info = body(c("INFO memory"));
    int64_t used = atoll(field(info, "used_memory").c_str());
    int64_t dataset = atoll(field(info, "used_memory_dataset").c_str());
    int64_t overhead = atoll(field(info, "used_memory_overhead").c_str());
    EXPECT_EQ(used, dataset + overhead);
    EXPECT_GE(dataset, 1 << 20);
    EXPECT_GE(atoll(field(info, "used_memory_peak").c_str()), used);
    EXPECT_EQ(field(info, "maxmemory_policy"), "noeviction");
}

TEST(Info, HumanSizes) {
    const struct {
        int64_t bytes;
        const char* text;
    } kCases[] = {
        {0, "0B"},
        {1023, "1023B"},
        {1024, "1.00K"},
        {1536, "1.50K"},
        {1152552, "1.10M"},
        {25276510208, "23.54G"},
        {int64_t{1} << 40, "1.00T"},
        {INT64_MAX, "8.00E"},
    };
    for (const auto& k : kCases) {
        char out[kHumanMax];
        human_bytes(k.bytes, out);
        EXPECT_STREQ(out, k.text);
    }
}

}  // namespace rp::test
