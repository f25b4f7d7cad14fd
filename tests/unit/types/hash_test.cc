// A hash beside std::map, in both forms and through the conversion. The seed is printed;
// RP_SEED=<n> replays it.
#include "types/hash.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "base/hash.h"
#include "base/random.h"
#include "types/dict.h"
#include "types/each.h"

namespace rp {

using Model = std::map<std::string, std::string>;
constexpr HashLimits kLimits = {128, 64};

static Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }
static std::string text(Bytes b) { return std::string(b.ptr, b.len); }

class HashTest : public ::testing::Test {
  protected:
    void SetUp() override {
        const char* given = getenv("RP_SEED");
        uint64_t seed = given != nullptr ? strtoull(given, nullptr, 10) : 0;
        if (seed == 0) random_secret(&seed, sizeof(seed));
        printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
        random_seed(seed);
        hash_seed(seed);
    }
    void TearDown() override { value_free(&v); }

    bool set(const std::string& field, const std::string& value, HashLimits limits = kLimits) {
        return hash_set(&v, bytes(field), bytes(value), limits);
    }
    std::string get(const std::string& field) {
        Bytes out;
        return hash_get(&v, bytes(field), &out) ? text(out) : "(absent)";
    }
    bool is_small() const { return v.form == Form::listpack; }

    Value v;
};

TEST_F(HashTest, FieldsKeepTheirOrderWhileTheyAreFew) {
    EXPECT_TRUE(set("b", "1"));
    EXPECT_TRUE(set("a", "2"));
    EXPECT_FALSE(set("b", "a longer one"));
    std::string seen;
    auto visit = [](const Element* e, void* arg) {
        *static_cast<std::string*>(arg) += text(e->key) + "=" + text(e->value) + " ";
    };
    value_each(&v, Type::hash, visit, &seen);
    EXPECT_EQ("b=a longer one a=2 ", seen);
}

TEST_F(HashTest, AValueIsNeverTakenForAField) {
    set("a", "b");
    set("c", "a");
    EXPECT_EQ("(absent)", get("b"));
    EXPECT_EQ("b", get("a"));
    EXPECT_FALSE(hash_erase(&v, "b"));
    EXPECT_TRUE(hash_erase(&v, "a"));
    EXPECT_EQ("(absent)", get("a"));
    EXPECT_EQ("a", get("c"));
}

TEST_F(HashTest, OneFieldMoreThanTheLimitMakesItADict) {
    for (size_t i = 0; i < 128; i++)
        set("f" + std::to_string(i), "v");
    EXPECT_TRUE(is_small());
    set("f5", "changed");
    EXPECT_TRUE(is_small());
    set("f128", "v");
    EXPECT_FALSE(is_small());
    EXPECT_EQ(129u, hash_count(&v));
    EXPECT_EQ("changed", get("f5"));
    hash_erase(&v, "f5");
    EXPECT_FALSE(is_small()) << "there is no way back";
}

TEST_F(HashTest, OneByteMoreThanTheLimitMakesItADict) {
    for (bool in_field : {false, true}) {
        std::string most(64, 'x'), more(65, 'x');
        set(in_field ? most : "f", in_field ? "v" : most);
        EXPECT_TRUE(is_small());
        set(in_field ? more : "f", in_field ? "v" : more);
        EXPECT_FALSE(is_small());
        hash_check(&v);
        value_free(&v);
    }
}

TEST_F(HashTest, LimitsOfZeroMakeADictOfTheFirstField) {
    set("f", "", {0, 64});
    EXPECT_FALSE(is_small());
    value_free(&v);
    set("", "", {128, 0});
    EXPECT_TRUE(is_small());
    set("f", "", {128, 0});
    EXPECT_FALSE(is_small());
    EXPECT_EQ(2u, hash_count(&v));
}

TEST_F(HashTest, BorrowedBytesAreCopiedBeforeTheyAreChanged) {
    set("a", "1");
    set("b", "2");
    std::string before = text(buf_bytes(&v.flat));
    for (int change = 0; change < 4; change++) {
        Value w;
        w.flat = buf_borrow(buf_bytes(&v.flat));
        if (change == 0) hash_set(&w, "a", "9", kLimits);
        if (change == 1) hash_erase(&w, "a");
        if (change == 2) hash_set(&w, "c", "9", kLimits);
        if (change == 3) hash_set(&w, "c", "9", {2, 64});
        EXPECT_EQ(change == 3, w.form == Form::dict);
        hash_check(&w);
        value_free(&w);
        EXPECT_EQ(before, text(buf_bytes(&v.flat)));
    }
}

class HashModel : public HashTest {
  protected:
    static std::string some_value() {
        size_t most = random_below(50) == 0 ? 70 : 12;
        return std::string(random_below(most), static_cast<char>('a' + random_below(26)));
    }
    void step(uint64_t range) {
        std::string field = std::to_string(random_below(range));
        if (random_below(3) != 0) {
            std::string value = some_value();
            ASSERT_EQ(model.count(field) == 0, set(field, value));
            model[field] = value;
        } else {
            ASSERT_EQ(model.erase(field) == 1, hash_erase(&v, bytes(field)));
        }
    }
    void expect_same() {
        hash_check(&v);
        ASSERT_EQ(model.size(), hash_count(&v));
        Model seen;
        auto visit = [](const Element* e, void* arg) {
            (*static_cast<Model*>(arg))[text(e->key)] = text(e->value);
        };
        value_each(&v, Type::hash, visit, &seen);
        ASSERT_EQ(model, seen);
        for (auto& [field, value] : model)
            ASSERT_EQ(value, get(field));
    }

    Model model;
};

TEST_F(HashModel, DoesWhatAMapDoesInBothForms) {
    int dicts = 0;
    for (int round = 0; round < 25; round++) {
        uint64_t range = 1 + random_below(250);
        for (int i = 0; i < 300; i++) {
            step(range);
            expect_same();
            if (HasFatalFailure()) return;
        }
        dicts += is_small() ? 0 : 1;
        model.clear();
        value_free(&v);
    }
    EXPECT_GT(dicts, 0);
    EXPECT_LT(dicts, 25);
}

}  // namespace rp
