#include "types/list.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>

#include "mem/mem.h"

namespace rp {

using Model = std::deque<std::string>;

static Bytes bytes_of(const std::string& s) { return {s.data(), s.size()}; }
static std::string string_of(Bytes b) { return b.len != 0 ? std::string(b.ptr, b.len) : ""; }

static void expect_same(const Value* v, const Model& model) {
    list_check(v);
    ASSERT_EQ(list_len(v), model.size());
    ASSERT_EQ(value_elements(v), model.size());
    ListAt at = list_seek(v, 0), back = list_seek(v, -1);
    for (size_t i = 0; i < model.size(); i++) {
        ASSERT_EQ(string_of(list_get(v, at)), model[i]) << i;
        ASSERT_EQ(string_of(list_get(v, back)), model[model.size() - 1 - i]) << i;
        at = list_next(v, at);
        back = list_prev(v, back);
    }
    ASSERT_TRUE(list_outside(at));
    ASSERT_TRUE(list_outside(back));
}

TEST(List, BecomesAQuicklistWithTheFirstElementThatDoesNotFitANode) {
    for (bool front : {false, true}) {
        Value v;
        for (int i = 0; i < 5; i++) {
            EXPECT_EQ(v.form, Form::listpack);
            list_push(&v, front, "x", list_limits(4));
        }
        EXPECT_EQ(v.form, Form::quicklist);
        expect_same(&v, Model(5, "x"));
        value_free(&v);
    }
}

TEST(List, IsFlatUpToANodeOfBytes) {
    Value v;
    ListLimits limits = list_limits(-2);
    while (v.form == Form::listpack)
        list_push(&v, false, "0123456789", limits);
    EXPECT_EQ(list_len(&v), (8184u - 4) / 12 + 1);
    EXPECT_EQ(v.list->nodes, 2u);
    value_free(&v);
    std::string large(100000, 'x');
    list_push(&v, false, bytes_of(large), limits);
    EXPECT_EQ(v.form, Form::listpack);  // one element, one run
    list_push(&v, false, "y", limits);
    expect_same(&v, {large, "y"});
    EXPECT_EQ(v.form, Form::quicklist);
    value_free(&v);
}

TEST(List, SettlesWhenLittleIsLeft) {
    int64_t before = mem_used();
    Value v;
    Model model;
    for (int i = 0; i < 5000; i++) {
        model.push_back(std::to_string(i));
        list_push(&v, false, bytes_of(model.back()), list_limits(-2));
    }
    list_settle(&v);
    EXPECT_EQ(v.form, Form::quicklist);
    list_erase(&v, list_seek(&v, 20), 4970);
    model.erase(model.begin() + 20, model.begin() + 4990);
    list_settle(&v);
    expect_same(&v, model);  // two nodes: one of each end
    list_erase(&v, list_seek(&v, 20), 10);
    model.resize(20);
    list_settle(&v);
    EXPECT_EQ(v.form, Form::listpack);
    expect_same(&v, model);
    EXPECT_LT(value_cost(&v), 200u);
    value_free(&v);
    EXPECT_EQ(mem_used(), before);
}

TEST(List, FindGoesOnFromAPlace) {
    for (int64_t setting : {-2, 2}) {
        Value v;
        for (const char* s : {"a", "b", "a", "c", "a", ""})
            list_push(&v, false, {s, strlen(s)}, list_limits(setting));
        ListAt at = list_find(&v, list_seek(&v, 0), "a");
        std::string seen;
        for (; !list_outside(at); at = list_find(&v, list_next(&v, at), "a"))
            seen += string_of(list_get(&v, at));
        EXPECT_EQ(seen, "aaa");
        EXPECT_TRUE(list_outside(list_find(&v, list_seek(&v, 4), "c")));
        EXPECT_EQ(list_find(&v, list_seek(&v, 0), "").at, list_seek(&v, -1).at);
        value_free(&v);
    }
}

// Borrowed as an edit of an inline value does it: the entry's bytes stay as they are.
TEST(List, ABorrowedValueIsCopiedByItsFirstChange) {
    Value source;
    for (const char* s : {"a", "b", "c"})
        list_push(&source, false, {s, 1}, list_limits(-2));
    const std::string kept(source.flat.data, source.flat.len);
    for (int action = 0; action < 6; action++) {
        for (int64_t setting : {3, -2}) {  // 3: the change makes it a quicklist
            Value v;
            v.flat = buf_borrow({kept.data(), kept.size()});
            ListLimits limits = list_limits(setting);
            Model model = {"a", "b", "c"};
            switch (action) {
                case 0: list_push(&v, true, "n", limits), model.push_front("n"); break;
                case 1: list_push(&v, false, "n", limits), model.push_back("n"); break;
                case 2:
                    list_insert(&v, list_seek(&v, 1), true, "n", limits);
                    model.insert(model.begin() + 2, "n");
                    break;
                case 3: list_replace(&v, list_seek(&v, 1), "n", limits), model[1] = "n"; break;
                case 4: list_erase(&v, list_seek(&v, 0), 2), model = {"c"}; break;
                case 5: list_erase(&v, list_seek(&v, 0), 3), model = {}; break;
            }
            list_settle(&v);
            expect_same(&v, model);
            EXPECT_EQ(kept, std::string(source.flat.data, source.flat.len));
            value_free(&v);
        }
    }
    value_free(&source);
}

static std::string element(std::mt19937_64* rng) {
    size_t n = (*rng)() % 12;
    if ((*rng)() % 30 == 0) n = (*rng)() % 1000;
    if ((*rng)() % 300 == 0) n = 4000 + (*rng)() % 6000;
    return std::string(n, static_cast<char>('a' + (*rng)() % 3));
}

static void change(std::mt19937_64* rng, Value* v, Model* model, ListLimits limits) {
    size_t i = (*rng)() % model->size();
    auto place = model->begin() + static_cast<ptrdiff_t>(i);
    std::string s = element(rng);
    ListAt at = list_seek(
        v, static_cast<int64_t>(i) - ((*rng)() % 2 == 0 ? static_cast<int64_t>(model->size()) : 0));
    switch ((*rng)() % 4) {
        case 0: {
            bool after = (*rng)() % 2 == 0;
            list_insert(v, at, after, bytes_of(s), limits);
            model->insert(place + (after ? 1 : 0), s);
            break;
        }
        case 1:
            list_replace(v, at, bytes_of(s), limits);
            *place = s;
            break;
        case 2: {
            auto want = std::find(place, model->end(), s);
            ListAt found = list_find(v, at, bytes_of(s));
            ASSERT_EQ(list_outside(found), want == model->end());
            if (want == model->end()) break;
            ListAt there = list_seek(v, want - model->begin());
            ASSERT_TRUE(there.node == found.node && there.at == found.at);
            break;
        }
        default: {
            size_t n = (*rng)() % 20 == 0 ? (*rng)() % (model->size() + 2) : (*rng)() % 6;
            size_t gone = std::min(n, model->size() - i);
            list_erase(v, at, n);
            model->erase(place, place + static_cast<ptrdiff_t>(gone));
            list_settle(v);
        }
    }
}

class ListRandom : public testing::TestWithParam<uint64_t> {};

// Grows to some hundred elements, shrinks to none, and again: through both forms both ways.
TEST_P(ListRandom, BehavesLikeADequeInBothForms) {
    int64_t before = mem_used();
    SCOPED_TRACE(testing::Message() << "seed " << GetParam());
    std::mt19937_64 rng(GetParam());
    const int64_t settings[] = {1, 2, 8, 30, -1};
    ListLimits limits = list_limits(settings[rng() % std::size(settings)]);
    Value v;
    Model model;
    int turns = 0, forms[2] = {};
    for (int i = 0; i < 4000; i++) {
        bool growing = i / 500 % 2 == 0;
        if (model.empty() || rng() % 8 < (growing ? 5u : 1u)) {
            std::string s = element(&rng);
            bool front = rng() % 2 == 0;
            list_push(&v, front, bytes_of(s), limits);
            front ? model.push_front(s) : model.push_back(s);
        } else {
            Form was = v.form;
            change(&rng, &v, &model, limits);
            turns += was != v.form;
        }
        forms[v.form == Form::quicklist]++;
        list_check(&v);
        if (i % 16 == 0 || model.size() < 20) expect_same(&v, model);
        if (HasFatalFailure()) return;
    }
    expect_same(&v, model);
    EXPECT_GT(forms[0], 0);
    EXPECT_GT(forms[1], 0);
    EXPECT_GT(turns, 0);
    Value clone = value_clone(&v);
    value_free(&v);
    expect_same(&clone, model);
    value_free(&clone);
    EXPECT_EQ(mem_used(), before);
}
INSTANTIATE_TEST_SUITE_P(Seeds, ListRandom, testing::Range<uint64_t>(1, 21));

}  // namespace rp
