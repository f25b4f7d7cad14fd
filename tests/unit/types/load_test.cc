// What loaders use: many elements at once that ought to be different ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "types/dict.h"
#include "types/hash.h"
#include "types/listpack.h"
#include "types/zset.h"

namespace rp {

static Bytes as_bytes(const std::string& s) { return {s.data(), s.size()}; }

TEST(LpDistinct, OneThatComesTwiceIsFoundAtAnyLength) {
    for (size_t count : {2, 3, 16, 17, 100, 512, 513, 3000}) {
        Buf lp;
        for (size_t i = 0; i < count; i++) {
            lp_append(&lp, as_bytes("field" + std::to_string(i)));
            lp_append(&lp, "the same value");
        }
        EXPECT_TRUE(lp_distinct(buf_bytes(&lp), 2)) << count;
        EXPECT_FALSE(lp_distinct(buf_bytes(&lp), 1)) << count;
        for (size_t twice : {size_t{0}, count / 2, count - 1}) {
            Buf more = buf_clone(&lp);
            lp_append(&more, as_bytes("field" + std::to_string(twice)));
            lp_append(&more, "");
            EXPECT_FALSE(lp_distinct(buf_bytes(&more), 2)) << count << " " << twice;
            buf_free(&more);
        }
        buf_free(&lp);
    }
    EXPECT_TRUE(lp_distinct({}, 2));
}

TEST(HashLoad, GivesWhatHashSetGives) {
    for (size_t count : {1, 10, 128, 129, 1000}) {
        for (size_t len : {1, 65}) {
            Value set, loaded;
            HashLimits limits = {128, 64};
            for (size_t i = 0; i < count; i++) {
                std::string field = std::to_string(i), value(len, 'v');
                hash_set(&set, as_bytes(field), as_bytes(value), limits);
                EXPECT_TRUE(hash_load(&loaded, as_bytes(field), as_bytes(value), limits));
            }
            EXPECT_TRUE(hash_load_end(&loaded));
            hash_check(&loaded);
            EXPECT_EQ(set.form, loaded.form) << count << " of " << len;
            EXPECT_EQ(hash_count(&set), hash_count(&loaded));
            Bytes value;
            EXPECT_TRUE(hash_get(&loaded, as_bytes(std::to_string(count - 1)), &value));
            value_free(&set);
            value_free(&loaded);
        }
    }
}

TEST(HashLoad, AFieldThatComesTwiceIsFoundInEveryForm) {
    for (size_t count : {1, 127, 128, 129, 1000}) {
        Value v;
        HashLimits limits = {128, 64};
        bool good = true;
        for (size_t i = 0; i < count; i++)
            good = good && hash_load(&v, as_bytes(std::to_string(i)), "v", limits);
        EXPECT_TRUE(good);
        good = hash_load(&v, "0", "w", limits) && hash_load_end(&v);
        EXPECT_FALSE(good) << count;
        value_free(&v);
    }
}

static Buf run_of(const std::vector<std::pair<double, std::string>>& pairs) {
    Buf run;
    for (const auto& [score, member] : pairs) {
        lp_append(&run, as_bytes(member));
        lp_append(&run, {reinterpret_cast<const char*>(&score), sizeof score});
    }
    return run;
}

TEST(ZsetFromRun, AnyOrderBecomesOrder) {
    std::mt19937_64 random(3);
    for (size_t count : {1, 2, 5, 100, 128, 129, 700}) {
        std::vector<std::pair<double, std::string>> pairs;
        for (size_t i = 0; i < count; i++)
            pairs.emplace_back(static_cast<double>(random() % 10) - 5, "m" + std::to_string(i));
        for (int order = 0; order < 3; order++) {
            if (order == 1) std::sort(pairs.begin(), pairs.end());
            if (order == 2) std::reverse(pairs.begin(), pairs.end());
            Buf run = run_of(pairs);
            Value v;
            ASSERT_TRUE(zset_from_run(&run, {128, 64}, &v));
            zset_check(&v);
            EXPECT_EQ(count, zset_count(&v));
            EXPECT_EQ(count <= 128 ? Form::listpack : Form::zset, v.form);
            value_free(&v);
            pairs.emplace_back(order == 2 ? -9 : 9, pairs[count / 2].second);
            run = run_of(pairs);
            pairs.pop_back();
            EXPECT_FALSE(zset_from_run(&run, {128, 64}, &v)) << count << " " << order;
            EXPECT_EQ(0u, value_elements(&v));
        }
    }
}

TEST(ZsetFromRun, LongMembersAndMinusZero) {
    Value v;
    Buf run = run_of({{-0.0, "a"}, {0.0, "b"}});
    ASSERT_TRUE(zset_from_run(&run, {128, 64}, &v));
    zset_check(&v);
    EXPECT_FALSE(std::signbit(zset_find(&v, "a").score));
    value_free(&v);
    run = run_of({{-0.0, "a"}, {0.0, std::string(65, 'b')}});
    ASSERT_TRUE(zset_from_run(&run, {128, 64}, &v));
    EXPECT_EQ(Form::zset, v.form);
    EXPECT_TRUE(std::signbit(zset_find(&v, "a").score));
    value_free(&v);
    run = {};
    ASSERT_TRUE(zset_from_run(&run, {128, 64}, &v));
    EXPECT_EQ(0u, value_elements(&v));
}

}  // namespace rp
