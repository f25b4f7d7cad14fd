#include "types/set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "types/dict.h"
#include "types/intset.h"
#include "types/listpack.h"

namespace rp {

static Bytes as_bytes(const std::string& s) { return {s.data(), s.size()}; }
static std::string as_string(Bytes b) { return {b.ptr, b.len}; }

static std::set<std::string> members_of(const Value* v) {
    std::set<std::string> out;
    Bytes member;
    for (SetWalk w = set_walk(v); set_next(&w, &member);)
        EXPECT_TRUE(out.insert(as_string(member)).second) << as_string(member);
    return out;
}

static Value set_of(const std::vector<std::string>& members, size_t intset_max = 512) {
    Value v;
    for (const std::string& m : members)
        set_add(&v, as_bytes(m), intset_max);
    return v;
}
static std::vector<std::string> numbers(size_t n) {
    std::vector<std::string> out;
    for (size_t i = 0; i < n; i++)
        out.push_back(std::to_string(i));
    return out;
}
static std::vector<std::string> words(size_t n) {
    std::vector<std::string> out;
    for (size_t i = 0; i < n; i++)
        out.push_back("w" + std::to_string(i));
    return out;
}
static Form form_of(const std::vector<std::string>& members, size_t intset_max = 512) {
    Value v = set_of(members, intset_max);
    set_check(&v);
    EXPECT_EQ(members.size(), set_count(&v));
    Form form = v.form;
    value_free(&v);
    return form;
}

TEST(Set, FirstMembersDecideTheForm) {
    EXPECT_EQ(Form::intset, form_of({"1"}));
    EXPECT_EQ(Form::intset, form_of({"-9223372036854775808", "9223372036854775807"}));
    EXPECT_EQ(Form::listpack, form_of({"a"}));
    for (const char* no_integer : {"", "01", "+1", "-0", " 1", "1 ", "1.0", "9223372036854775808"})
        EXPECT_EQ(Form::listpack, form_of({no_integer})) << no_integer;
    EXPECT_EQ(Form::dict, form_of({std::string(kSetFlatMember + 1, 'x')}));
}

TEST(Set, GrowsIntoTheNextFormAtTheLimits) {
    EXPECT_EQ(Form::intset, form_of(numbers(512)));
    EXPECT_EQ(Form::dict, form_of(numbers(513)));
    EXPECT_EQ(Form::intset, form_of(numbers(10), 10));
    EXPECT_EQ(Form::listpack, form_of(numbers(11), 10));
    EXPECT_EQ(Form::listpack, form_of({"1"}, 0));
    EXPECT_EQ(Form::listpack, form_of(words(kSetFlatEntries)));
    EXPECT_EQ(Form::dict, form_of(words(kSetFlatEntries + 1)));
    EXPECT_EQ(Form::listpack, form_of({std::string(kSetFlatMember, 'x')}));
    EXPECT_EQ(Form::listpack, form_of({"1", std::string(kSetFlatMember, 'x')}));
    EXPECT_EQ(Form::dict, form_of({"1", std::string(kSetFlatMember + 1, 'x')}));
    std::vector<std::string> mixed = numbers(kSetFlatEntries - 1);
    mixed.push_back("a");
    EXPECT_EQ(Form::listpack, form_of(mixed));
    mixed = numbers(kSetFlatEntries);
    mixed.push_back("a");
    EXPECT_EQ(Form::dict, form_of(mixed));
}

TEST(Set, NeverGoesBackWhenMembersLeave) {
    Value v = set_of({"1", "2", "a"});
    set_remove(&v, "a");
    set_add(&v, "3", 512);
    EXPECT_EQ(Form::listpack, v.form);
    value_free(&v);
    v = set_of(numbers(513));
    for (size_t i = 1; i < 513; i++)
        set_remove(&v, as_bytes(std::to_string(i)));
    EXPECT_EQ(Form::dict, v.form);
    value_free(&v);
}

TEST(Set, AnEmptyOneHasNothing) {
    Value v;
    Bytes member;
    SetWalk w = set_walk(&v);
    EXPECT_FALSE(set_next(&w, &member));
    EXPECT_EQ(0u, set_count(&v));
    EXPECT_FALSE(set_contains(&v, "a"));
    EXPECT_FALSE(set_contains(&v, ""));
    EXPECT_FALSE(set_remove(&v, "a"));
    set_check(&v);
}

// Few different members, so that steps meet; now and then a long one.
static std::string some_member(std::mt19937_64* random, size_t range, bool integers_only) {
    uint64_t r = (*random)();
    std::string number = std::to_string(static_cast<int64_t>(r >> 8) % static_cast<int64_t>(range));
    if (integers_only || r % 3 != 0) return number;
    if (r % 301 == 0) return std::string(kSetFlatMember + r % 2, 'x');
    return "w" + number;
}

TEST(Set, BehavesAsASetOfStringsThroughAllForms) {
    uint64_t seed = std::random_device{}();
    if (const char* given = getenv("RP_SEED")) seed = strtoull(given, nullptr, 10);
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    random_seed(seed);
    int forms[5] = {};
    for (int round = 0; round < 150; round++) {
        std::set<std::string> model;
        Value v;
        bool grows = round % 3 == 0;  // whatever the seed, some become dicts
        size_t range = grows ? 300 : 4 + random() % 120;
        size_t intset_max = random() % 2 ? 512 : random() % 40;
        char digits[kI64TextMax];
        for (int step = 0; step < 200; step++) {
            std::string m = some_member(&random, range, step < 100 && round % 2);
            uint64_t what = grows && random() % 2 ? 0 : random() % 8;
            Form before = v.form;
            if (what < 4) {
                ASSERT_EQ(model.insert(m).second, set_add(&v, as_bytes(m), intset_max));
            } else if (what < 6) {
                ASSERT_EQ(model.erase(m) != 0, set_remove(&v, as_bytes(m)));
            } else if (what == 6 && !model.empty()) {
                size_t index = random() % model.size();
                ASSERT_EQ(1u, model.erase(as_string(set_at(&v, index, digits))));
                set_remove_at(&v, index);
            } else if (what == 7 && step % 10 == 0) {
                Value copy = value_clone(&v);
                value_free(&v);
                v = copy;
            }
            ASSERT_EQ(model.count(m) != 0, set_contains(&v, as_bytes(m)));
            ASSERT_EQ(model, members_of(&v));
            set_check(&v);
            forms[static_cast<int>(v.form)]++;
            if (model.empty()) {
                value_free(&v);  // as the key would go
            } else if (before == Form::dict) {
                ASSERT_EQ(Form::dict, v.form);
            }
        }
        value_free(&v);
    }
    for (Form form : {Form::listpack, Form::intset, Form::dict})
        EXPECT_GT(forms[static_cast<int>(form)], 100) << static_cast<int>(form);
}

TEST(Set, EveryMemberHasANumber) {
    for (const auto& members : {numbers(100), words(50), words(500)}) {
        Value v = set_of(members);
        std::set<std::string> seen;
        char digits[kI64TextMax];
        for (size_t i = 0; i < set_count(&v); i++)
            seen.insert(as_string(set_at(&v, i, digits)));
        EXPECT_EQ(std::set<std::string>(members.begin(), members.end()), seen);
        value_free(&v);
    }
}

TEST(Set, WritingToAViewLeavesTheViewedAsItWas) {
    for (const auto& members : {numbers(20), words(20)}) {
        Value v = set_of(members);
        std::string bytes = as_string(buf_bytes(&v.flat));
        for (int what = 0; what < 4; what++) {
            Value view;
            view.form = v.form;
            view.flat = buf_borrow(buf_bytes(&v.flat));
            if (what == 0) set_add(&view, "new", 512);
            if (what == 1) set_add(&view, "1000000000000", 512);
            if (what == 2) set_remove(&view, as_bytes(members[3]));
            if (what == 3) set_add(&view, as_bytes(std::string(100, 'x')), 512);
            set_check(&view);
            EXPECT_EQ(bytes, as_string(buf_bytes(&v.flat)));
            value_free(&view);
        }
        value_free(&v);
    }
}

}  // namespace rp
