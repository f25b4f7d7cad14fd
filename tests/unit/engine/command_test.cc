// COMMAND, CONFIG, DEBUG and MEMORY through the executor. What Redis 7.0.15 replied is written
// here.
#include "engine/config_hooks.h"
#include "harness.h"

namespace rp::test {

constexpr const char* kDebugOn = "enable-debug-command yes\n";

// ---- COMMAND ----------------------------------------------------------------------------------

TEST(Command, InfoTellsArityFlagsKeysAndCategories) {
    EngineFixture f;
    Client c(&f);
    EXPECT_EQ(c("COMMAND INFO get nosuch client|nosuch"),
              "*3\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
              "*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n"
              "*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n"
              "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n"
              "*2\r\n$5\r\nindex\r\n:1\r\n"
              "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
              "*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n"
              "*0\r\n*-1\r\n*-1\r\n");
}

TEST(Command, InfoMergesTheKeyRangesOfNeighbours) {
    EngineFixture f;
    Client c(&f);
    EXPECT_TRUE(contains(c("COMMAND INFO rename"), "+write\r\n:1\r\n:2\r\n:1\r\n"));
    EXPECT_TRUE(contains(c("COMMAND INFO mset"), "+denyoom\r\n:1\r\n:-1\r\n:2\r\n"));
    EXPECT_TRUE(contains(c("COMMAND INFO ping"), "+fast\r\n:0\r\n:0\r\n:0\r\n"));
}

TEST(Command, DocsHasTheArgumentTree) {
    EngineFixture f;
    Client c(&f);
    std::string docs = c("COMMAND DOCS getrange nosuch");
    EXPECT_EQ(docs.substr(0, 20), "*2\r\n$8\r\ngetrange\r\n*1");
    EXPECT_TRUE(contains(docs,
                         "$9\r\narguments\r\n*3\r\n*6\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n"
                         "$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n"));
    EXPECT_TRUE(contains(c("COMMAND DOCS substr"),
                         "$9\r\ndoc_flags\r\n*1\r\n+deprecated\r\n$16\r\ndeprecated_since\r\n"
                         "$5\r\n2.0.0\r\n$11\r\nreplaced_by\r\n$10\r\n`GETRANGE`\r\n"));
    EXPECT_TRUE(contains(c("COMMAND DOCS debug"), "+syscmd"));
    EXPECT_EQ(c("COMMAND DOCS nosuch"), "*0\r\n");
}

TEST(Command, ListFilters) {
    EngineFixture f;
    Client c(&f);
    EXPECT_EQ(c("COMMAND LIST FILTERBY MODULE x"), "*0\r\n");
    EXPECT_EQ(c("COMMAND LIST FILTERBY ACLCAT nosuch"), "*0\r\n");
    EXPECT_EQ(c("COMMAND LIST FILTERBY PATTERN CONFIG|S*"), "*1\r\n$10\r\nconfig|set\r\n");
    EXPECT_TRUE(contains(c("COMMAND LIST FILTERBY ACLCAT Transaction"), "$7\r\nunwatch\r\n"));
    EXPECT_EQ(c("COMMAND LIST FILTERBY X y"), "-ERR syntax error\r\n");
    EXPECT_EQ(c("COMMAND FOO"), "-ERR unknown subcommand 'FOO'. Try COMMAND HELP.\r\n");
}

TEST(Command, CountIsTheNumberOfCommandsListed) {
    EngineFixture f;
    Client c(&f);
    std::string all = c("COMMAND");
    EXPECT_EQ(":" + all.substr(1, all.find('\r')) + "\n", c("COMMAND COUNT"));
}

TEST(Command, GetKeysReadsTheKeySpecs) {
    EngineFixture f;
    Client c(&f);
    EXPECT_EQ(c("COMMAND GETKEYS mset a b c d"), "*2\r\n$1\r\na\r\n$1\r\nc\r\n");
    EXPECT_EQ(c("COMMAND GETKEYS object encoding a"), "*1\r\n$1\r\na\r\n");
    EXPECT_EQ(c("COMMAND GETKEYS nosuch a"), "-ERR Invalid command specified\r\n");
    EXPECT_EQ(c("COMMAND GETKEYS ping a"), "-ERR The command has no key arguments\r\n");
    EXPECT_EQ(c("COMMAND GETKEYS get a b"),
              "-ERR Invalid number of arguments specified for command\r\n");
    EXPECT_EQ(c("COMMAND GETKEYSANDFLAGS set a b"),
              "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n");
    EXPECT_EQ(c("COMMAND GETKEYSANDFLAGS set a b GET"),
              "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n");
}

// ---- CONFIG -----------------------------------------------------------------------------------

TEST(ConfigCommand, GetsAndSets) {
    EngineFixture f;
    Client c(&f);
    c.check({
        {"CONFIG SET maxmemory 1mb hz 20", "+OK"},
        {"CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$7\r\n1048576"},
        {"CONFIG GET nosuch", "*0"},
        {"CONFIG SET a b c", "-ERR syntax error"},
        {"CONFIG GET", "-ERR wrong number of arguments for 'config|get' command"},
        {"CONFIG FOO", "-ERR unknown subcommand 'FOO'. Try CONFIG HELP."},
        {"CONFIG REWRITE", "-ERR The server is running without a config file"},
    });
    EXPECT_TRUE(contains(c("CONFIG SET nosuch 1"), "-ERR Unknown option or number of arguments"));
    EXPECT_EQ(config_num(f.config->hz), 20);
}

TEST(ConfigCommand, TheTransportMayVeto) {
    EngineFixture f;
    Client c(&f);
    engine_config_hooks(f.e);
    f.e->net.apply = [](void*, const char* setting, const char** why) {
        *why = "no such port here";
        return strcmp(setting, "port") != 0;
    };
    EXPECT_EQ(
        c("CONFIG SET hz 30 port 7777"),
        "-ERR CONFIG SET failed (possibly related to argument 'port') - no such port here\r\n");
    EXPECT_EQ(c("CONFIG GET hz"), "*2\r\n$2\r\nhz\r\n$2\r\n10\r\n");
    f.e->net.apply = nullptr;
}

TEST(ConfigCommand, ResetStatStartsTheCountersAgain) {
    EngineFixture f;
    Client c(&f);
    c("GET missing");
    c("NOPE");
    EXPECT_TRUE(contains(c("INFO stats"), "keyspace_misses:1\r\n"));
    EXPECT_EQ(c("CONFIG RESETSTAT"), "+OK\r\n");
    std::string stats = c("INFO everything");
    EXPECT_TRUE(contains(stats, "keyspace_misses:0\r\n"));
    EXPECT_FALSE(contains(stats, "cmdstat_get:"));
    EXPECT_FALSE(contains(stats, "errorstat_ERR"));
}

// ---- DEBUG ------------------------------------------------------------------------------------

TEST(Debug, IsRefusedUnlessItIsEnabled) {
    EngineFixture f;
    Client c(&f);
    EXPECT_EQ(c("DEBUG SLEEP 0"),
              "-ERR DEBUG command not allowed. If the enable-debug-command option is set to "
              "\"local\", you can run it from a local connection, otherwise you need to set this "
              "option in the configuration file, and then restart the server.\r\n");
}

TEST(Debug, LocalMeansThisMachine) {
    EngineFixture f("enable-debug-command local\n");
    Client near(&f), far(&f, false, "10.0.0.1:5000"), inside(&f, true);
    EXPECT_EQ(near("DEBUG SLEEP 0"), "+OK\r\n");
    EXPECT_EQ(inside("DEBUG SLEEP 0"), "+OK\r\n");
    EXPECT_TRUE(contains(far("DEBUG SLEEP 0"), "-ERR DEBUG command not allowed"));
}

TEST(Debug, DigestsAreThoseOfRedis) {
    EngineFixture f(kDebugOn);
    Client c(&f);
    c.check({
        {"DEBUG DIGEST", "+0000000000000000000000000000000000000000"},
        {"SET a b", "+OK"},
        {"DEBUG DIGEST", "+479783d7290f02957dfbe3408a858ba13eea1709"},
        {"DEBUG DIGEST-VALUE a nokey",
         "*2\r\n+b78559cd22bce6e6df712eb99ce7f3b08e8f8f1f\r\n"
         "+0000000000000000000000000000000000000000"},
        {"EXPIRE a 1000", ":1"},
        {"SET n 12345", "+OK"},
        {"SELECT 3", "+OK"},
        {"MSET q 1 w 2", "+OK"},
        {"DEBUG DIGEST", "+f1c8544a9d80a6bb02d1a6d428ce2a507f2b4316"},
    });
}

TEST(Debug, ObjectTellsWhatAnRdbStringTakes) {
    EngineFixture f(kDebugOn);
    Client c(&f);
    auto length = [&](const std::string& value) {
        c.run({"SET", "k", value});
        std::string line = c("DEBUG OBJECT k");
        size_t at = line.find("serializedlength:");
        return at == std::string::npos ? -1 : atoi(line.c_str() + at + 17);
    };
    EXPECT_EQ(length("1"), 2);
    EXPECT_EQ(length("300"), 3);
    EXPECT_EQ(length("70000"), 5);
    EXPECT_EQ(length("3000000000"), 11);
    EXPECT_EQ(length("abc"), 4);
    EXPECT_EQ(length("012"), 4);
    EXPECT_EQ(length(""), 1);
    EXPECT_TRUE(
        contains(c("DEBUG OBJECT k"), " refcount:1 encoding:embstr serializedlength:1 lru:"));
    EXPECT_EQ(c("DEBUG OBJECT nokey"), "-ERR no such key\r\n");
}

TEST(Debug, PopulateLeavesWhatExists) {
    EngineFixture f(kDebugOn);
    Client c(&f);
    c.check({
        {"SET key:1 mine", "+OK"},
        {"DEBUG POPULATE 3", "+OK"},
        {"DBSIZE", ":3"},
        {"MGET key:0 key:1", "*2\r\n$7\r\nvalue:0\r\n$4\r\nmine"},
        {"DEBUG POPULATE 1 p 3", "+OK"},
        {"GET p:0", "$3\r\nval"},
        {"DEBUG POPULATE -1", "-ERR value is out of range, must be positive"},
        {"DEBUG FOO",
         "-ERR unknown subcommand or wrong number of arguments for 'FOO'. Try DEBUG HELP."},
        {"DEBUG ERROR X y",
         "-ERR unknown subcommand or wrong number of arguments for 'ERROR'. Try "
         "DEBUG HELP."},
    });
}

TEST(Debug, ChangeReplIdDrawsAnother) {
    EngineFixture f(kDebugOn);
    Client c(&f);
    engine_config_hooks(f.e);
    std::string before = f.e->replid;
    EXPECT_EQ(c("DEBUG CHANGE-REPL-ID"), "+OK\r\n");
    EXPECT_EQ(before.size(), 40u);
    EXPECT_NE(before, f.e->replid);
}

TEST(Debug, SetActiveExpire) {
    EngineFixture f(kDebugOn);
    Client c(&f);
    c("DEBUG SET-ACTIVE-EXPIRE 0");
    EXPECT_FALSE(f.e->core.store.active_expire.load());
    c("DEBUG SET-ACTIVE-EXPIRE 1");
    EXPECT_TRUE(f.e->core.store.active_expire.load());
}

// ---- MEMORY -----------------------------------------------------------------------------------

TEST(Memory, UsageGrowsWithTheValue) {
    EngineFixture f;
    Client c(&f);
    c("SET k v");
    int small = atoi(c("MEMORY USAGE k").c_str() + 1);
    c.run({"SET", "k", std::string(100000, 'x')});
    int large = atoi(c("MEMORY USAGE k SAMPLES 0").c_str() + 1);
    EXPECT_GT(small, 16);
    EXPECT_LT(small, 100);
    EXPECT_GT(large, 100000);
    c.check({
        {"MEMORY USAGE nokey", "$-1"},
        {"MEMORY USAGE k SAMPLES -1", "-ERR syntax error"},
        {"MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range"},
        {"MEMORY USAGE k FOO 1", "-ERR syntax error"},
    });
}

TEST(Memory, StatsHaveRedisFieldNames) {
    EngineFixture f;
    Client c(&f);
    c("SET k v");
    std::string stats = c("MEMORY STATS");
    for (const char* name : {"peak.allocated", "db.0", "overhead.hashtable.main", "keys.count",
                             "dataset.percentage", "fragmentation.bytes"}) {
        EXPECT_TRUE(contains(stats, std::string("\r\n") + name + "\r\n")) << name;
    }
    EXPECT_EQ(stats.substr(0, 5), "*56\r\n");
    EXPECT_EQ(c("MEMORY PURGE"), "+OK\r\n");
    EXPECT_EQ(c("MEMORY DOCTOR")[0], '$');
    EXPECT_TRUE(contains(c("MEMORY MALLOC-STATS"), "malloc"));
}

TEST(Memory, CommandsThatStepOutOfTheGateWorkInsideExec) {
    EngineFixture f;
    Client c(&f);
    c("MULTI");
    c("SET k v");
    c("MEMORY PURGE");
    c("CONFIG SET hz 25");
    EXPECT_EQ(c("EXEC"), "*3\r\n+OK\r\n+OK\r\n+OK\r\n");
}

}  // namespace rp::test
