// CONFIG GET and SET against what redis-server 7.0.15 answered, and what it cannot tell us.
#include "conf/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "conf/rows.h"

namespace rp {
namespace {

using Map = std::vector<std::pair<std::string, std::string>>;

Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }

struct ConfigTest : testing::Test {
    Config* c = nullptr;
    ConfigErr err;

    void SetUp() override { ASSERT_EQ(config_new(&c), Status::ok); }
    void TearDown() override { config_free(c); }

    std::string text(const std::string& name) {
        const size_t len = config_text(c, bytes(name), nullptr, 0);
        std::string out(len + 1, '?');
        EXPECT_EQ(config_text(c, bytes(name), out.data(), out.size()), len);
        EXPECT_EQ(out.back(), '\0');
        out.pop_back();
        return out;
    }

    Map get(const std::vector<std::string>& patterns) {
        std::vector<Bytes> views;
        for (const std::string& p : patterns)
            views.push_back(bytes(p));
        Map out;
        const ConfigSink sink = {[](void* arg, Bytes name, Bytes value) {
                                     static_cast<Map*>(arg)->emplace_back(
                                         std::string(name.ptr, name.len),
                                         std::string(value.ptr, value.len));
                                 },
                                 &out};
        const size_t found = config_get(c, views.data(), views.size(), sink);
        EXPECT_EQ(found, out.size());
        EXPECT_EQ(config_get(c, views.data(), views.size(), {}), out.size());
        return out;
    }

    // "" or the error.
    std::string set(const std::vector<std::string>& words, bool local_client = true) {
        std::vector<ConfigPair> pairs;
        for (size_t i = 0; i + 1 < words.size(); i += 2) {
            pairs.push_back({bytes(words[i]), bytes(words[i + 1])});
        }
        err = {};
        const bool fine = config_set_many(c, pairs.data(), pairs.size(), local_client, &err);
        EXPECT_EQ(fine, err.text[0] == '\0');
        return err.text;
    }
};

std::string refused(const std::string& name, const std::string& why) {
    return "ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why;
}

struct Default {
    const char* name;
    const char* value;
    bool listed;
};
constexpr Default kDefaults[] = {
#include "redis_defaults.inc"
};

TEST_F(ConfigTest, KnowsEveryNameAndDefaultOfRedis) {
    std::map<std::string, std::string> all;
    for (const auto& [name, value] : get({"*"}))
        all[name] = value;
    for (const Default& it : kDefaults) {
        if (strcmp(it.name, "io-threads") == 0) continue;
        EXPECT_EQ(text(it.name), it.value) << it.name;
        EXPECT_EQ(all.count(it.name), it.listed ? 1u : 0u) << it.name;
    }
    // What is left: dir, which depends on where the recording server ran, and what Redis lacks.
    std::set<std::string> left;
    for (const auto& [name, value] : all)
        left.insert(name);
    for (const Default& it : kDefaults)
        left.erase(it.name);
    EXPECT_EQ(left, (std::set<std::string>{"dir", "log-format", "metrics-auth", "metrics-auth-file",
                                           "metrics-bind", "metrics-port"}));
}

TEST_F(ConfigTest, DirIsTheWorkingDirectory) {
    char here[PATH_MAX];
    ASSERT_NE(getcwd(here, sizeof here), nullptr);
    EXPECT_EQ(text("dir"), here);
}

TEST_F(ConfigTest, IoThreadsAreTheCpusAndAtMostEight) {
    EXPECT_GE(config_num(c->io_threads), 1);
    EXPECT_LE(config_num(c->io_threads), 8);
}

struct SetFact {
    const char* name;
    const char* value;
    const char* reply;
    const char* after;
};
constexpr SetFact kSetFacts[] = {
#include "redis_config_set.inc"
};

TEST_F(ConfigTest, SetAnswersAsRedisDid) {
    for (const SetFact& it : kSetFacts) {
        const bool ok = strcmp(it.reply, "OK") == 0;
        if (strcmp(it.name, "io-threads") == 0) continue;
        EXPECT_EQ(set({it.name, it.value}), ok ? "" : refused(it.name, it.reply))
            << it.name << " " << it.value;
        EXPECT_EQ(text(it.name), it.after) << it.name << " " << it.value;
    }
}

TEST_F(ConfigTest, BoundsBeyondTheIntegersAreRefused) {
    EXPECT_EQ(set({"maxmemory", "9223372036854775808"}),
              refused("maxmemory", "argument must be between 0 and 9223372036854775807 inclusive"));
    EXPECT_EQ(set({"maxmemory", "99999999999gb"}),
              refused("maxmemory", "argument must be between 0 and 9223372036854775807 inclusive"));
    EXPECT_EQ(set({"client-output-buffer-limit", "normal 0 0 99999999999"}),
              refused("client-output-buffer-limit",
                      "Error in hard, soft or soft_seconds setting in buffer limit "
                      "configuration."));
}

TEST_F(ConfigTest, AUserAndAPasswordHaveAColonBetween) {
    const char* kWrong = "user:password is expected";
    const ConfigRow* row = config_row_find("metrics-auth");
    ASSERT_NE(row, nullptr);
    for (const std::string value : {"", "a:b", "a:b:c"})
        EXPECT_TRUE(row->check(bytes(value)) == nullptr) << value;
    for (const std::string value : {"a", ":", "a:", ":b"})
        EXPECT_STREQ(row->check(bytes(value)), kWrong) << value;
    EXPECT_NE(row->flags & kConfigSensitive, 0);
}

TEST_F(ConfigTest, UnixSocketPermissionsAreOctal) {
    EXPECT_TRUE(config_load_text(c, "unixsocketperm 0700", "t", false, &err));
    EXPECT_EQ(config_num(c->unixsocketperm), 0700);
    EXPECT_EQ(text("unixsocketperm"), "700");
}

TEST_F(ConfigTest, TypedFieldsFollow) {
    EXPECT_EQ(set({"maxmemory", "1mb", "dynamic-hz", "no", "maxmemory-policy", "allkeys-lfu",
                   "client-output-buffer-limit", "replica 1kb 2 3", "maxmemory-clients", "7%",
                   "requirepass", "secret", "bind", "127.0.0.1 -::1"}),
              "");
    EXPECT_EQ(config_num(c->maxmemory), 1 << 20);
    EXPECT_EQ(config_num(c->dynamic_hz), 0);
    EXPECT_EQ(config_num(c->maxmemory_policy), 5);
    const ClientLimit& limit = c->client_limits[static_cast<size_t>(ClientClass::replica)];
    EXPECT_EQ(config_num(limit.hard_bytes), 1024);
    EXPECT_EQ(config_num(limit.soft_bytes), 2);
    EXPECT_EQ(config_num(limit.soft_seconds), 3);
    EXPECT_EQ(config_num(c->maxmemory_clients), -7);
    EXPECT_EQ(text("requirepass"), "secret");
    EXPECT_EQ(text("bind"), "127.0.0.1 -::1");
    EXPECT_EQ(set({"requirepass", ""}), "");
    EXPECT_EQ(text("requirepass"), "");
}

TEST_F(ConfigTest, TextIsCutToTheRoomAndTerminated) {
    EXPECT_EQ(set({"requirepass", "abcdef"}), "");
    char small[4];
    EXPECT_EQ(config_text(c, "requirepass", small, sizeof small), 6u);
    EXPECT_STREQ(small, "abc");
}

TEST_F(ConfigTest, SetIsAllOrNothing) {
    EXPECT_EQ(set({"timeout", "7", "hz", "zz"}),
              refused("hz", "argument couldn't be parsed into an integer"));
    EXPECT_EQ(text("timeout"), "0");
}

TEST_F(ConfigTest, WrongNamesBeatWrongValues) {
    const std::string unknown = "ERR Unknown option or number of arguments for CONFIG SET - 'nope'";
    EXPECT_EQ(set({"nope", "1", "timeout", "zz"}), unknown);
    EXPECT_EQ(set({"timeout", "zz", "nope", "1"}), unknown);
    EXPECT_EQ(set({"timeout", "zz", "daemonize", "yes"}),
              refused("daemonize", "can't set immutable config"));
    EXPECT_EQ(set({"timeout", "9", "timeout", "zz"}), refused("timeout", "duplicate parameter"));
    EXPECT_EQ(set({"min-replicas-to-write", "1", "min-slaves-to-write", "1"}),
              refused("min-slaves-to-write", "duplicate parameter"));
}

TEST_F(ConfigTest, ErrorsAreOneLine) {
    EXPECT_EQ(set({"a\r\nb", "1"}),
              "ERR Unknown option or number of arguments for CONFIG SET - 'a  b'");
    EXPECT_EQ(set({std::string(5000, 'x'), "1"}).size(), kConfigErrMax - 1);
}

TEST_F(ConfigTest, ProtectedSettingsAreOpenToWhomTheFileSays) {
    const std::string no = refused("dir", "can't set protected config");
    EXPECT_EQ(set({"dir", "/"}), no);
    ASSERT_TRUE(config_load_text(c, "enable-protected-configs local", "t", false, &err));
    EXPECT_EQ(set({"dir", "/"}, false), no);
    EXPECT_EQ(set({"dir", "/"}, true), "");
    EXPECT_EQ(text("dir"), "/");
    EXPECT_EQ(set({"dir", "usr"}), "");
    EXPECT_EQ(text("dir"), "/usr");
    EXPECT_EQ(set({"dir", ".."}), "");
    EXPECT_EQ(text("dir"), "/");
    EXPECT_EQ(set({"dir", "/nonexistent"}), refused("dir", "No such file or directory"));
    EXPECT_EQ(set({"dir", "/dev/null"}), refused("dir", "Not a directory"));
    EXPECT_EQ(set({"dir", ""}), refused("dir", "No such file or directory"));
    EXPECT_EQ(set({"dbfilename", "a/b"}),
              refused("dbfilename", "dbfilename can't be a path, just a filename"));
}

TEST_F(ConfigTest, GetFindsEachNameOnceInTheOrderOfTheTable) {
    EXPECT_EQ(get({"timeout", "TIMEOUT", "tim*"}), (Map{{"timeout", "0"}}));
    EXPECT_EQ(get({"TimeOut"}), (Map{{"TimeOut", "0"}}));
    EXPECT_EQ(get({"TIMEOU*"}), (Map{{"timeout", "0"}}));
    EXPECT_EQ(get({"slave-priority", "*-priority"}),
              (Map{{"replica-priority", "100"}, {"slave-priority", "100"}}));
    EXPECT_EQ(get({"m?xmemory"}), (Map{{"maxmemory", "0"}}));
    EXPECT_EQ(get({"nope", "[bad", "*zz*"}), Map{});
}

TEST_F(ConfigTest, HiddenNamesAreFoundByNameOnly) {
    EXPECT_EQ(get({"rdb-key*"}), Map{});
    EXPECT_EQ(get({"rdb-key-save-delay"}), (Map{{"rdb-key-save-delay", "0"}}));
}

struct Applied {
    Config* c;
    std::vector<std::string> names;
    std::string vetoed;
};

bool on_apply(void* arg, const ConfigRow* row, char* why, size_t why_size) {
    Applied* a = static_cast<Applied*>(arg);
    char value[64];
    config_text(a->c, bytes_of(row->name), value, sizeof value);
    a->names.push_back(std::string(row->name) + "=" + value);
    if (a->vetoed != row->name || strcmp(value, "1") == 0) return true;
    snprintf(why, why_size, "Unable to listen on this port. Check server logs.");
    return false;
}

TEST_F(ConfigTest, OnlyChangedRowsAreApplied) {
    Applied a = {c, {}, ""};
    config_on_apply(c, on_apply, &a);
    EXPECT_EQ(set({"timeout", "0", "hz", "10", "maxclients", "5"}), "");
    EXPECT_EQ(a.names, (std::vector<std::string>{"maxclients=5"}));
}

TEST_F(ConfigTest, AVetoPutsEveryValueBackAndAppliesItAgain) {
    EXPECT_EQ(set({"port", "1", "timeout", "2"}), "");
    Applied a = {c, {}, "port"};
    config_on_apply(c, on_apply, &a);
    EXPECT_EQ(set({"timeout", "3", "port", "4", "hz", "20"}),
              refused("port", "Unable to listen on this port. Check server logs."));
    EXPECT_EQ(a.names, (std::vector<std::string>{"timeout=3", "port=4", "timeout=2", "port=1"}));
    EXPECT_EQ(text("timeout"), "2");
    EXPECT_EQ(text("port"), "1");
    EXPECT_EQ(text("hz"), "10");
}

TEST_F(ConfigTest, UnusedListsStoredSettingsThatWereChanged) {
    EXPECT_EQ(config_unused(c, {}), 0u);
    EXPECT_EQ(set({"cluster-announce-port", "5", "timeout", "5", "masterauth", "secret"}), "");
    Map out;
    config_unused(c, {[](void* arg, Bytes name, Bytes value) {
                          static_cast<Map*>(arg)->emplace_back(std::string(name.ptr, name.len),
                                                               std::string(value.ptr, value.len));
                      },
                      &out});
    EXPECT_EQ(out, (Map{{"masterauth", "(hidden)"}, {"cluster-announce-port", "5"}}));
}

TEST_F(ConfigTest, ReadersAndWritersOnManyThreadsSeeWholeTexts) {
    std::atomic<bool> stop{false};
    std::thread reader([&] {
        while (!stop.load()) {
            char room[64];
            const std::string value(room, config_text(c, "masterauth", room, sizeof room));
            EXPECT_TRUE(value.empty() || value.find_first_not_of(value[0]) == std::string::npos);
            get({"max*"});
        }
    });
    std::vector<std::thread> writers;
    for (char letter : {'a', 'b'}) {
        writers.emplace_back([this, letter] {
            for (size_t i = 0; i < 300; i++) {
                const std::string value(i % 50, letter);
                const ConfigPair pair = {"masterauth", bytes(value)};
                ConfigErr own;
                EXPECT_TRUE(config_set_many(c, &pair, 1, true, &own));
            }
        });
    }
    for (std::thread& t : writers)
        t.join();
    stop = true;
    reader.join();
}

TEST(ConfigRows, EveryRowIsWhole) {
    for (size_t i = 0; i < config_row_count(); i++) {
        const ConfigRow* row = config_row_at(i);
        EXPECT_NE(row->about, nullptr) << row->name;
        EXPECT_EQ(config_row_index(row), i);
        EXPECT_EQ(config_row_find(bytes_of(row->name)), row) << "twice: " << row->name;
        if (row->alias) {
            EXPECT_EQ(config_row_find(bytes_of(row->alias)), row) << row->alias;
        }
        const bool chosen = row->kind == ConfigKind::choice || row->kind == ConfigKind::choice_set;
        EXPECT_EQ(row->choices != nullptr, chosen) << row->name;
        if (row->kind == ConfigKind::integer || row->kind == ConfigKind::memory) {
            EXPECT_LE(row->lower, row->number) << row->name;
            EXPECT_GE(row->upper, row->number) << row->name;
        }
    }
}

TEST(ConfigDocs, NameEveryRowOnce) {
    char* text = nullptr;
    size_t len = 0;
    FILE* out = open_memstream(&text, &len);
    ASSERT_NE(out, nullptr);
    config_docs_markdown(out);
    fclose(out);
    const std::string docs(text, len);
    free(text);
    for (size_t i = 0; i < config_row_count(); i++) {
        const std::string start = std::string("\n| `") + config_row_at(i)->name + "`";
        const size_t at = docs.find(start);
        EXPECT_NE(at, std::string::npos) << start;
        EXPECT_EQ(docs.find(start, at + 1), std::string::npos) << start;
    }
}

}  // namespace
}  // namespace rp
