#include "types/quicklist.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>

#include "mem/mem.h"

namespace rp {

using Model = std::deque<std::string>;

static Bytes bytes_of(const std::string& s) { return {s.data(), s.size()}; }
static std::string string_of(Bytes b) { return b.len != 0 ? std::string(b.ptr, b.len) : ""; }

static void expect_same(const Quicklist* q, const Model& model) {
    quicklist_check(q);
    ASSERT_EQ(q->count, model.size());
    ListAt at = quicklist_seek(q, 0), back = quicklist_seek(q, -1);
    for (size_t i = 0; i < model.size(); i++) {
        ASSERT_EQ(string_of(quicklist_get(at)), model[i]) << i;
        ASSERT_EQ(string_of(quicklist_get(back)), model[model.size() - 1 - i]) << i;
        at = quicklist_next(at);
        back = quicklist_prev(back);
    }
    ASSERT_EQ(at.node, nullptr);
    ASSERT_EQ(back.node, nullptr);
}

static void expect_within(const Quicklist* q, ListLimits limits) {  // Q2
    for (const ListNode* n = q->head; n != nullptr; n = n->next) {
        if (n->count == 1) continue;
        ASSERT_LE(n->count, limits.elements);
        ASSERT_LE(n->lp.len, limits.bytes);
    }
}

TEST(Quicklist, LimitsAreAsTheSettingSays) {
    const ListLimits want[] = {{SIZE_MAX, 4088},  {SIZE_MAX, 8184},  {SIZE_MAX, 16376},
                               {SIZE_MAX, 32760}, {SIZE_MAX, 65528}, {SIZE_MAX, 65528}};
    const int64_t settings[] = {-1, -2, -3, -4, -5, INT64_MIN};
    for (size_t i = 0; i < std::size(want); i++) {
        EXPECT_EQ(list_limits(settings[i]).elements, want[i].elements);
        EXPECT_EQ(list_limits(settings[i]).bytes, want[i].bytes);
    }
    EXPECT_EQ(list_limits(0).elements, 1u);
    EXPECT_EQ(list_limits(1).elements, 1u);
    EXPECT_EQ(list_limits(128).elements, 128u);
    EXPECT_EQ(list_limits(128).bytes, 8184u);
}

TEST(Quicklist, PushesFillANodeThenBeginAnother) {
    ListLimits four = list_limits(4);
    for (bool front : {false, true}) {
        Quicklist* q = quicklist_new();
        Model model;
        for (int i = 0; i < 9; i++) {
            std::string s = std::to_string(i);
            quicklist_push(q, front, bytes_of(s), four);
            front ? model.push_front(s) : model.push_back(s);
        }
        expect_same(q, model);
        EXPECT_EQ(q->nodes, 3u);
        EXPECT_EQ((front ? q->head : q->tail)->count, 1u);
        quicklist_free(q);
    }
}

TEST(Quicklist, AFullNodeIsOneBlockOfItsSize) {
    Quicklist* q = quicklist_new();
    ListLimits limits = list_limits(-2);
    for (int i = 0; i < 20000; i++)
        quicklist_push(q, i % 2 == 0, "element", limits);
    for (const ListNode* n = q->head->next; n->next != nullptr; n = n->next) {
        EXPECT_LE(buf_cost(&n->lp), 8192u);
        EXPECT_GT(n->lp.len, 8192u * 7 / 8);
    }
    quicklist_free(q);
}

TEST(Quicklist, ALargeElementHasANodeOfItsOwn) {
    Quicklist* q = quicklist_new();
    ListLimits limits = list_limits(-1);
    Model model = {"a", std::string(100000, 'x'), "b", std::string(4075, 'y'), std::string(1, 'z')};
    for (const std::string& s : model)
        quicklist_push(q, false, bytes_of(s), limits);
    expect_same(q, model);
    EXPECT_EQ(q->nodes, 4u);
    expect_within(q, limits);
    quicklist_free(q);
}

TEST(Quicklist, SeekFindsEveryIndexFromBothEnds) {
    Quicklist* q = quicklist_new();
    for (int i = 0; i < 1000; i++)
        quicklist_push(q, false, bytes_of(std::to_string(i)), list_limits(7));
    for (int64_t i = 0; i < 1000; i++) {
        ASSERT_EQ(string_of(quicklist_get(quicklist_seek(q, i))), std::to_string(i));
        ASSERT_EQ(string_of(quicklist_get(quicklist_seek(q, i - 1000))), std::to_string(i));
    }
    for (int64_t i : {int64_t{1000}, int64_t{-1001}, INT64_MAX, INT64_MIN, int64_t{1} << 32})
        EXPECT_EQ(quicklist_seek(q, i).node, nullptr) << i;
    quicklist_free(q);
}

TEST(Quicklist, OneNodeBecomesARunAndBack) {
    int64_t before = mem_used();
    Buf run;
    lp_append(&run, "a");
    lp_append(&run, "b");
    Buf lent = buf_borrow(buf_bytes(&run));
    Quicklist* q = quicklist_from(&lent);
    EXPECT_EQ(lent.len, 0u);
    quicklist_push(q, false, "c", list_limits(-2));
    expect_same(q, {"a", "b", "c"});
    EXPECT_EQ(lp_count(buf_bytes(&run)), 2u);
    Buf back = quicklist_into(q);
    EXPECT_EQ(lp_count(buf_bytes(&back)), 3u);
    buf_free(&back);
    buf_free(&run);
    EXPECT_EQ(mem_used(), before);
}

TEST(Quicklist, IsFreedInSlices) {
    int64_t before = mem_used();
    Quicklist* q = quicklist_new();
    for (int i = 0; i < 1000; i++)
        quicklist_push(q, false, "x", list_limits(10));
    EXPECT_FALSE(quicklist_free_some(q, 25));
    EXPECT_EQ(q->count, 970u);
    quicklist_check(q);
    EXPECT_FALSE(quicklist_free_some(q, 1));
    EXPECT_EQ(q->count, 960u);
    EXPECT_TRUE(quicklist_free_some(q, 960));
    EXPECT_TRUE(quicklist_free_some(quicklist_new(), 1));
    EXPECT_EQ(mem_used(), before);
}

TEST(Quicklist, ErasingMostGivesMemoryBack) {
    Quicklist* q = quicklist_new();
    for (int i = 0; i < 100000; i++)
        quicklist_push(q, false, "0123456789", list_limits(-2));
    size_t full = quicklist_cost(q);
    ListAt at = quicklist_seek(q, 0);
    while (at.node != nullptr) {  // keeps one of each fifty
        at = quicklist_next(at);
        if (at.node != nullptr) at = quicklist_erase(q, at, 49);
    }
    EXPECT_EQ(q->count, 2000u);
    EXPECT_LT(quicklist_cost(q), full / 10);
    quicklist_check(q);
    quicklist_free(q);
}

static std::string element(std::mt19937_64* rng) {
    size_t n = (*rng)() % 16;
    if ((*rng)() % 20 == 0) n = (*rng)() % 3000;
    if ((*rng)() % 200 == 0) n = 4000 + (*rng)() % 6000;
    return std::string(n, static_cast<char>((*rng)()));
}

static void step(std::mt19937_64* rng, Quicklist* q, Model* model, ListLimits limits) {
    std::string s = element(rng);
    unsigned action = (*rng)() % 8;
    if (model->empty() || action < 3) {
        bool front = (*rng)() % 2 == 0;
        quicklist_push(q, front, bytes_of(s), limits);
        front ? model->push_front(s) : model->push_back(s);
        return;
    }
    size_t i = (*rng)() % model->size();
    auto place = model->begin() + static_cast<ptrdiff_t>(i);
    ListAt at = quicklist_seek(q, static_cast<int64_t>(i));
    if (action < 5) {
        bool after = (*rng)() % 2 == 0;
        quicklist_insert(q, at, after, bytes_of(s), limits);
        model->insert(place + (after ? 1 : 0), s);
    } else if (action == 5) {
        quicklist_replace(q, at, bytes_of(s), limits);
        *place = s;
    } else {
        size_t n = (*rng)() % 30 == 0 ? (*rng)() % (model->size() + 2) : (*rng)() % 5;
        size_t gone = std::min(n, model->size() - i);
        ListAt next = quicklist_erase(q, at, n);
        model->erase(place, place + static_cast<ptrdiff_t>(gone));
        ListAt want = quicklist_seek(q, static_cast<int64_t>(i));
        ASSERT_EQ(next.node, want.node);
        ASSERT_EQ(next.at, want.at);
    }
}

class QuicklistRandom : public testing::TestWithParam<uint64_t> {};

TEST_P(QuicklistRandom, BehavesLikeADeque) {
    int64_t before = mem_used();
    SCOPED_TRACE(testing::Message() << "seed " << GetParam());
    std::mt19937_64 rng(GetParam());
    const int64_t settings[] = {1, 2, 3, 8, 100, -1, -2};
    ListLimits limits = list_limits(settings[rng() % std::size(settings)]);
    Quicklist* q = quicklist_new();
    Model model;
    for (int i = 0; i < 1500; i++) {
        step(&rng, q, &model, limits);
        quicklist_check(q);
        expect_within(q, limits);
        if (i % 16 == 0 || model.size() < 20) expect_same(q, model);
        if (HasFatalFailure()) return;
    }
    expect_same(q, model);
    Quicklist* clone = quicklist_clone(q);
    quicklist_free(q);
    expect_same(clone, model);
    quicklist_free(clone);
    EXPECT_EQ(mem_used(), before);
}
INSTANTIATE_TEST_SUITE_P(Seeds, QuicklistRandom, testing::Range<uint64_t>(1, 31));

TEST(Quicklist, AMillionElementsAtBothEnds) {
    Quicklist* q = quicklist_new();
    ListLimits limits = list_limits(-2);
    for (int i = 0; i < 1000000; i++)
        quicklist_push(q, i % 2 == 0, bytes_of(std::to_string(i)), limits);
    quicklist_check(q);
    EXPECT_EQ(q->count, 1000000u);
    EXPECT_EQ(string_of(quicklist_get(quicklist_seek(q, 0))), "999998");
    EXPECT_EQ(string_of(quicklist_get(quicklist_seek(q, -1))), "999999");
    EXPECT_EQ(string_of(quicklist_get(quicklist_seek(q, 500000))), "1");
    quicklist_erase(q, quicklist_seek(q, 1), 999998);
    expect_same(q, {"999998", "999999"});
    quicklist_free(q);
}

}  // namespace rp
