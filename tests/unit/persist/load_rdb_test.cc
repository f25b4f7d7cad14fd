#include "persist/load_rdb.h"

#include "../cmd/harness.h"
#include "persist/rdb_format.h"
#include "unit/persist/rdb_kit.h"
#include "unit/persist/sim_disk.h"

namespace rp::test {

struct Told {
    uint64_t bytes = 0, keys = 0, expired = 0, calls = 0;
};

struct LoadRdb : ::testing::Test {
    TestEngine e{2};
    Client c{&e};
    Told told;
    std::string error;
    uint64_t used = 0;
    bool base_of_log = false;
    std::atomic<bool> cancel{false};

    bool load(const std::string& bytes) {
        auto disk = sim_new();
        sim_put(disk.get(), "/d/dump.rdb", bytes);
        FileOps files = sim_ops(disk.get());
        Access access;
        access.store = &e.core.store;
        access.slot = c.worker.slot;
        access.stats = &c.worker.stats;
        access.locked = true;
        RdbLoad o = {.files = &files, .limits = kLimits, .base_of_log = base_of_log};
        o.access = &access;
        o.cancel = &cancel;
        o.progress = [](void* arg, uint64_t b, uint64_t keys, uint64_t expired) {
            auto* t = static_cast<Told*>(arg);
            *t = {t->bytes + b, t->keys + keys, t->expired + expired, t->calls + 1};
        };
        o.progress_arg = &told;
        PersistErr err;
        bool good = load_rdb(&o, "/d/dump.rdb", &used, &err);
        error = err.text;
        return good;
    }
};

static std::string string_key(const std::string& key, const std::string& value) {
    return std::string(1, '\0') + text(key) + text(value);
}

static std::string resize(uint32_t keys) {
    std::string out = "\xfb\x80";
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(keys >> shift);
    return out + std::string(1, '\0');
}

static std::string many(size_t n) {
    std::string body;
    for (size_t i = 0; i < n; i++)
        body += string_key("key:" + std::to_string(i), "v" + std::to_string(i));
    return body;
}

TEST_F(LoadRdb, EveryKeyIsThereHoweverManyDoNotFillTheLastLot) {
    ASSERT_TRUE(load(file_of(many(1000)))) << error;
    EXPECT_EQ(c("DBSIZE"), ":1000\r\n");
    for (int i : {0, 63, 64, 999})
        EXPECT_EQ(c("GET key:" + std::to_string(i)).find("v" + std::to_string(i)), 4u) << i;
}

TEST_F(LoadRdb, ProgressAddsUpToTheFile) {
    std::string file = file_of(many(20000));
    ASSERT_GT(file.size(), 2u * 128 * 1024) << "more than one window";
    ASSERT_TRUE(load(file)) << error;
    EXPECT_EQ(told.bytes, file.size());
    EXPECT_EQ(told.keys, 20000u);
    EXPECT_GT(told.calls, 2u);
}

TEST_F(LoadRdb, ProgressLeavesOutTheCommandsBehindTheSnapshot) {
    std::string file = file_of(many(10));
    ASSERT_TRUE(load(file + "*1\r\n$4\r\nPING\r\n")) << error;
    EXPECT_EQ(used, file.size());
    EXPECT_EQ(told.bytes, file.size());
}

TEST_F(LoadRdb, AKeyThatComesTwiceEndsTheLoadWhereverItStands) {
    for (size_t between : {0, 10, 64, 200}) {
        c("FLUSHALL");
        std::string body = string_key("twice", "a") + many(between) + string_key("twice", "b");
        EXPECT_FALSE(load(file_of(body + many(0)))) << between;
        EXPECT_NE(error.find("/d/dump.rdb: the key 'twice' is there twice"), std::string::npos)
            << error;
    }
}

TEST_F(LoadRdb, TheSameKeyInTwoDatabasesIsTwoKeys) {
    std::string body = string_key("k", "a") + "\xfe\x01" + string_key("k", "b");
    ASSERT_TRUE(load(file_of(body))) << error;
    EXPECT_EQ(c("GET k"), "$1\r\na\r\n");
    c.session.db = 1;
    EXPECT_EQ(c("GET k"), "$1\r\nb\r\n");
}

TEST_F(LoadRdb, ADatabaseThatIsNotThereIsNamed) {
    EXPECT_FALSE(load(file_of("\xfe\x02" + string_key("k", "a"))));
    EXPECT_NE(error.find("it holds database 2 and `databases` is 2: raise it"), std::string::npos)
        << error;
}

TEST_F(LoadRdb, AnExpiredKeyIsLeftOutOfASnapshotAndKeptInABase) {
    std::string body = "\xfc" + number(1, 8) + string_key("old", "v") + string_key("new", "v");
    ASSERT_TRUE(load(file_of(body))) << error;
    EXPECT_EQ(told.expired, 1u);
    EXPECT_EQ(c("DBSIZE"), ":1\r\n");
    c("FLUSHALL");
    base_of_log = true;
    ASSERT_TRUE(load(file_of(body))) << error;
    EXPECT_EQ(c("DBSIZE"), ":2\r\n");
}

TEST_F(LoadRdb, TheTableHasItsRoomBeforeTheKeysCome) {
    Table* t = e.core.store.dbs[0].table;
    std::string body = resize(300000) + many(1) + std::string(900000, 'x');
    EXPECT_FALSE(load("REDIS0010" + body)) << "what follows is no key";
    EXPECT_GE(table_overhead(t), 300000u / 7 * 64);
    EXPECT_EQ(table_keys(t), 1u) << error;
}

TEST_F(LoadRdb, ASizeThatTheFileCannotHoldIsNotBelieved) {
    int64_t before = mem_used();
    ASSERT_TRUE(load(file_of(resize(0xffffffff) + many(1)))) << error;
    EXPECT_LT(mem_used() - before, 1 << 20);
}

TEST_F(LoadRdb, ACancelledLoadStops) {
    cancel = true;
    EXPECT_FALSE(load(file_of(many(10))));
    EXPECT_EQ(c("DBSIZE"), ":0\r\n");
}

}  // namespace rp::test
