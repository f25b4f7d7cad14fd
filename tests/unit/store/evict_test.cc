#include "store/evict.h"

#include "../cmd/harness.h"
#include "mem/mem.h"

namespace rp::test {

constexpr const char* kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

static void set_policy(TestEngine* e, EvictPolicy p, int64_t room) {
    e->core.config->maxmemory_policy = static_cast<int64_t>(p);
    e->core.config->maxmemory = mem_used() + room;
}

static std::string key_name(const char* prefix, int i) { return prefix + std::to_string(i); }

// Writes until the limit must have been met several times over; returns how many were refused.
static int fill(Client* c, const char* prefix, int count, bool expiring) {
    std::string value(1000, 'v');
    int refused = 0;
    for (int i = 0; i < count; i++) {
        std::vector<std::string> words = {"SET", key_name(prefix, i), value};
        if (expiring) words.insert(words.end(), {"EX", "1000"});
        refused += c->run(words) == kOom;
    }
    return refused;
}

class EveryEvictingPolicy : public testing::TestWithParam<EvictPolicy> {};

TEST_P(EveryEvictingPolicy, KeepsMemoryBelowTheLimitWithoutRefusingWrites) {
    TestEngine e;
    Client c(&e);
    set_policy(&e, GetParam(), 300000);
    EXPECT_EQ(fill(&c, "k", 2000, true), 0);
    epoch_drain(epoch_slot());
    EXPECT_LE(mem_used(), e.core.config->maxmemory + 64 * 1024);
    EXPECT_GT(c.worker.stats.evicted.load(), 1000u);
    EXPECT_GT(table_keys(e.core.store.dbs[0].table), 100u);
    e.core.config->maxmemory = 0;
}

INSTANTIATE_TEST_SUITE_P(Policies, EveryEvictingPolicy,
                         testing::Values(EvictPolicy::volatile_lru, EvictPolicy::volatile_lfu,
                                         EvictPolicy::volatile_random, EvictPolicy::volatile_ttl,
                                         EvictPolicy::allkeys_lru, EvictPolicy::allkeys_lfu,
                                         EvictPolicy::allkeys_random));

TEST(Evict, NoevictionRefusesWritesAndStillReads) {
    TestEngine e;
    Client c(&e);
    c("SET k v");
    set_policy(&e, EvictPolicy::noeviction, -1);
    EXPECT_EQ(c("SET k w"), kOom);
    EXPECT_EQ(c("GET k"), "$1\r\nv\r\n");
    EXPECT_EQ(c("DEL k"), ":1\r\n");
    e.core.config->maxmemory = 0;
}

TEST(Evict, VolatilePoliciesNeverTouchKeysWithoutExpiry) {
    TestEngine e;
    Client c(&e);
    fill(&c, "plain", 200, false);
    set_policy(&e, EvictPolicy::volatile_lru, 200000);
    EXPECT_EQ(fill(&c, "ttl", 1000, true), 0);
    for (int i = 0; i < 200; i++)
        EXPECT_EQ(c("EXISTS " + key_name("plain", i)), ":1\r\n") << i;
    e.core.config->maxmemory = 0;
}

// Sampling is by chance: what holds is that few of the last go while most of the first do.
TEST(Evict, VolatileTtlTakesTheSoonestFirst) {
    TestEngine e;
    Client c(&e);
    std::string value(1000, 'v');
    for (int i = 0; i < 200; i++) {
        c.run({"SET", key_name("k", i), value, "EX", std::to_string(1000 + i * 1000)});
    }
    set_policy(&e, EvictPolicy::volatile_ttl, -100000);
    c.run({"SET", "x", "1"});
    int soon = 0, late = 0;
    for (int i = 0; i < 50; i++)
        soon += c("EXISTS " + key_name("k", i)) == ":1\r\n";
    for (int i = 150; i < 200; i++)
        late += c("EXISTS " + key_name("k", i)) == ":1\r\n";
    EXPECT_LT(soon, 25);
    EXPECT_GE(late, 45);
    e.core.config->maxmemory = 0;
}

TEST(Evict, LfuKeepsWhatIsUsedOften) {
    TestEngine e;
    Client c(&e);
    e.core.config->maxmemory_policy = static_cast<int64_t>(EvictPolicy::allkeys_lfu);
    fill(&c, "hot", 20, false);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 20; i++)
            c("GET " + key_name("hot", i));
    }
    set_policy(&e, EvictPolicy::allkeys_lfu, 200000);
    fill(&c, "cold", 1000, false);
    int kept = 0;
    for (int i = 0; i < 20; i++)
        kept += c("EXISTS " + key_name("hot", i)) == ":1\r\n";
    EXPECT_GE(kept, 15);
    e.core.config->maxmemory = 0;
}

TEST(Evict, ReadsRefreshTheLruHintAndObjectIdletimeShowsIt) {
    TestEngine e;
    Client c(&e);
    c("SET k v");
    Entry* entry = table_find(e.core.store.dbs[0].table, "k", table_hash("k"));
    uint32_t past = age_clock_now() - 100;
    entry->clock = static_cast<uint16_t>(past >> 8);
    entry->freq = static_cast<uint8_t>(past);
    std::string idle = c("OBJECT IDLETIME k");
    EXPECT_TRUE(idle == ":100\r\n" || idle == ":101\r\n") << idle;
    c("GET k");
    idle = c("OBJECT IDLETIME k");
    EXPECT_TRUE(idle == ":0\r\n" || idle == ":1\r\n") << idle;
}

// However large a segment is and wherever in it the only keys with an expiry are.
TEST(Evict, VolatilePoliciesFindAFewKeysAmongMany) {
    TestEngine e(1);
    Client c(&e);
    Table* t = e.core.store.dbs[0].table;
    size_t segment = segment_index(table_hash("0"));
    for (int i = 0, found = 0; found < 4000; i++) {
        std::string key = std::to_string(i);
        if (segment_index(table_hash({key.data(), key.size()})) != segment) continue;
        bool last = ++found > 3990;
        last ? c.run({"SET", key, "v", "EX", "1000"}) : c.run({"SET", key, "v"});
    }
    ASSERT_EQ(table_ttl_keys(t), 10u);
    set_policy(&e, EvictPolicy::volatile_random, -100000000);
    EXPECT_EQ(c("SET x 1"), kOom);
    EXPECT_EQ(table_ttl_keys(t), 0u);
    EXPECT_EQ(c.worker.stats.evicted.load(), 10u);
    EXPECT_EQ(e.core.store.evict_failures.load(), 1u);
    e.core.config->maxmemory = 0;
}

}  // namespace rp::test
