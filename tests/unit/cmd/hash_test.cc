// The hash commands through the dispatcher, where a sanitizer watches: random ones beside a map,
// and what no test beside redis-server can ask (refusals of our own).
#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/random.h"
#include "harness.h"

namespace rp::test {

using Model = std::map<std::string, std::string>;

class HashCommands : public ::testing::Test {
  protected:
    void SetUp() override {
        const char* given = getenv("RP_SEED");
        uint64_t seed = given != nullptr ? strtoull(given, nullptr, 10) : 0;
        if (seed == 0) random_secret(&seed, sizeof(seed));
        printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
        random_seed(seed);
    }
    static std::string integer(size_t n) { return ":" + std::to_string(n) + "\r\n"; }
    static std::string bulk(const std::string& s) {
        return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n";
    }
    static std::string some_value() {
        return std::string(random_below(random_below(40) == 0 ? 100 : 20), 'v');
    }

    void set_some(uint64_t range) {
        std::vector<std::string> words = {"HSET", "h"};
        size_t before = model.size();
        for (uint64_t n = 1 + random_below(4); n != 0; n--) {
            std::string field = std::to_string(random_below(range)), value = some_value();
            words.push_back(field);
            words.push_back(value);
            model[field] = value;
        }
        ASSERT_EQ(integer(model.size() - before), c.run(words));
    }
    void erase_some(uint64_t range) {
        std::vector<std::string> words = {"HDEL", "h"};
        size_t before = model.size();
        for (uint64_t n = 1 + random_below(6); n != 0; n--) {
            words.push_back(std::to_string(random_below(range)));
            model.erase(words.back());
        }
        ASSERT_EQ(integer(before - model.size()), c.run(words));
    }
    void share_the_box() {
        std::string all = c("HGETALL h");
        c("COPY h other REPLACE");
        if (random_below(2) == 0) c("RENAME other h");
        ASSERT_EQ(all, c("HGETALL h"));
    }
    void expect_same(uint64_t range) {
        std::string field = std::to_string(random_below(range));
        auto found = model.find(field);
        ASSERT_EQ(found == model.end() ? "$-1\r\n" : bulk(found->second), c("HGET h " + field));
        ASSERT_EQ(integer(model.size()), c("HLEN h"));
        ASSERT_EQ(model.empty() ? ":0\r\n" : ":1\r\n", c("EXISTS h"));
        std::string count = "*" + std::to_string(2 * std::min<size_t>(model.size(), 7)) + "\r\n";
        std::string some = c("HRANDFIELD h 7 WITHVALUES");
        ASSERT_EQ(count, some.substr(0, count.size()));
    }

    TestEngine e{1};
    Client c{&e};
    Model model;
};

TEST_F(HashCommands, DoWhatAMapDoes) {
    for (int round = 0; round < 30; round++) {
        uint64_t range = 1 + random_below(900);
        bool grows = random_below(3) != 0;
        for (int i = 0; i < 400; i++) {
            if (random_below(4) != (grows ? 0 : 1)) {
                grows ? set_some(range) : erase_some(range);
            } else if (random_below(8) == 0) {
                share_the_box();
            } else {
                grows ? erase_some(range) : set_some(range);
            }
            expect_same(range);
            if (HasFatalFailure()) return;
        }
    }
}

TEST_F(HashCommands, CountersGoThroughEveryForm) {
    for (int64_t i = 1; i <= 2000; i++) {
        std::string field = std::to_string(i);
        ASSERT_EQ(":7\r\n", c("HINCRBY h " + field + " 7"));
        ASSERT_EQ(bulk("7.25"), c("HINCRBYFLOAT h " + field + " 0.25"));
        ASSERT_EQ(":" + std::to_string(i) + "\r\n", c("HINCRBY h n 1"));
    }
    EXPECT_EQ(":2001\r\n", c("HLEN h"));
}

TEST_F(HashCommands, RepliesOfPicksAreBounded) {
    const std::string refused = "-ERR value is out of range\r\n";
    c("HSET h f v");
    EXPECT_EQ(refused, c("HRANDFIELD h -50000000"));
    EXPECT_EQ(refused, c("HRANDFIELD h -9223372036854775807"));
    EXPECT_EQ(refused, c("HRANDFIELD h -4611686018427387903 WITHVALUES"));
    EXPECT_EQ("*2\r\n$1\r\nf\r\n$1\r\nf\r\n", c("HRANDFIELD h -2"));
    c.run({"HSET", "h", "f", std::string(1 << 20, 'v')});
    std::string reply =
        c.pipeline({{"HLEN", "h"}, {"HRANDFIELD", "h", "-130", "WITHVALUES"}, {"HLEN", "h"}});
    EXPECT_EQ(":1\r\n" + refused + ":1\r\n", reply);
}

}  // namespace rp::test
