#include "types/listpack.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "mem/mem.h"

namespace rp {

using Model = std::vector<std::string>;

static Bytes bytes_of(const std::string& s) { return {s.data(), s.size()}; }
static std::string string_of(Bytes b) { return b.len != 0 ? std::string(b.ptr, b.len) : ""; }

static size_t offset_of(Bytes lp, size_t index) { return lp_seek(lp, static_cast<int64_t>(index)); }

// Every way of reading gives what the model holds.
static void expect_same(const Buf* b, const Model& model) {
    Bytes lp = buf_bytes(b);
    buf_check(b);
    lp_check(lp);
    ASSERT_EQ(lp_count(lp), model.size());
    size_t at = lp_first(lp), back = lp_last(lp);
    for (size_t i = 0; i < model.size(); i++) {
        ASSERT_EQ(string_of(lp_get(lp, at)), model[i]) << i;
        ASSERT_EQ(string_of(lp_get(lp, back)), model[model.size() - 1 - i]) << i;
        at = lp_next(lp, at);
        back = lp_prev(lp, back);
    }
    ASSERT_EQ(at, kLpEnd);
    ASSERT_EQ(back, kLpEnd);
}

constexpr size_t kLengths[] = {0,     1,     2,     5,     125,   126,   127,   128,   250,
                               251,   252,   253,   254,   255,   256,   16380, 16381, 16382,
                               16383, 16384, 16385, 65534, 65535, 65536, 65537, 100000};

static std::string element(std::mt19937_64* rng, bool any_length) {
    size_t n = any_length ? kLengths[(*rng)() % std::size(kLengths)] : (*rng)() % 20;
    return std::string(n, static_cast<char>((*rng)()));
}

TEST(Listpack, EveryLengthNearALimitSurvives) {
    for (size_t n : kLengths) {
        Buf b;
        Model model = {"before", std::string(n, 'x'), "", std::string(n, 'y'), "behind"};
        size_t len = 4;
        for (const std::string& s : model) {
            lp_append(&b, bytes_of(s));
            len += lp_element_size(s.size());
        }
        expect_same(&b, model);
        EXPECT_EQ(b.len, len) << n;
        buf_free(&b);
    }
}

TEST(Listpack, AnEmptyOneIsNoBytes) {
    Buf b;
    EXPECT_EQ(lp_count({}), 0u);
    EXPECT_EQ(lp_first({}), kLpEnd);
    EXPECT_EQ(lp_last({}), kLpEnd);
    EXPECT_EQ(lp_seek({}, 0), kLpEnd);
    EXPECT_EQ(lp_seek({}, -1), kLpEnd);
    EXPECT_EQ(lp_find({}, lp_first({}), 1, "x"), kLpEnd);
    lp_prepend(&b, "x");
    EXPECT_EQ(lp_erase(&b, lp_first(buf_bytes(&b)), 1), kLpEnd);
    EXPECT_EQ(b.len, 0u);
    EXPECT_EQ(b.cap, 0u);
    lp_check(buf_bytes(&b));
}

TEST(Listpack, SeekCountsFromBothEnds) {
    Buf b;
    for (const char* s : {"a", "b", "c", "d", "e"})
        lp_append(&b, {s, 1});
    Bytes lp = buf_bytes(&b);
    for (int64_t i = 0; i < 5; i++) {
        EXPECT_EQ(lp_get(lp, lp_seek(lp, i))[0], 'a' + i);
        EXPECT_EQ(lp_seek(lp, i - 5), lp_seek(lp, i));
    }
    for (int64_t i : {int64_t{5}, int64_t{-6}, INT64_MAX, INT64_MIN, int64_t{1} << 32})
        EXPECT_EQ(lp_seek(lp, i), kLpEnd) << i;
    buf_free(&b);
}

TEST(Listpack, FindLooksAtEveryStepOnly) {
    Buf b;
    for (const char* s : {"a", "b", "b", "a", "", "a"})
        lp_append(&b, bytes_of(std::string(s)));
    Bytes lp = buf_bytes(&b);
    size_t first = lp_first(lp);
    EXPECT_EQ(lp_find(lp, first, 1, "b"), lp_seek(lp, 1));
    EXPECT_EQ(lp_find(lp, first, 2, "b"), lp_seek(lp, 2));
    EXPECT_EQ(lp_find(lp, lp_next(lp, first), 1, "a"), lp_seek(lp, 3));
    EXPECT_EQ(lp_find(lp, first, 1, ""), lp_seek(lp, 4));
    EXPECT_EQ(lp_find(lp, first, 1, "ab"), kLpEnd);
    EXPECT_EQ(lp_find(lp, lp_seek(lp, 1), 2, "b"), lp_seek(lp, 1));
    EXPECT_EQ(lp_find(lp, lp_seek(lp, 3), 2, "b"), kLpEnd);
    buf_free(&b);
}

// Borrowed as an entry of the table lends it: the lender's bytes stay as they are.
TEST(Listpack, ABorrowedRunIsNeverWritten) {
    Buf source;
    Model all;
    for (size_t n : {0, 3, 100, 300, 1}) {
        all.emplace_back(n, 'x');
        lp_append(&source, bytes_of(all.back()));
    }
    const std::string kept(source.data, source.len);
    Bytes lent = {kept.data(), kept.size()};
    for (size_t i = 0; i < all.size(); i++) {
        size_t at = offset_of(lent, i);
        for (int action = 0; action < 5; action++) {
            Buf b = buf_borrow(lent);
            Model model = all;
            auto place = model.begin() + static_cast<ptrdiff_t>(i);
            switch (action) {
                case 0:
                    lp_insert(&b, at, "new");
                    model.insert(place, "new");
                    break;
                case 1:
                    lp_replace(&b, at, "other");
                    *place = "other";
                    break;
                case 2:
                    lp_erase(&b, at, 1);
                    model.erase(place);
                    break;
                case 3:
                    lp_erase(&b, at, 100);
                    model.erase(place, model.end());
                    break;
                case 4: EXPECT_EQ(lp_erase(&b, at, 0), at); break;
            }
            expect_same(&b, model);
            EXPECT_EQ(kept, std::string(source.data, source.len)) << i << " " << action;
            buf_free(&b);
        }
    }
    buf_free(&source);
}

static void step(std::mt19937_64* rng, Buf* b, Model* model, bool any_length) {
    size_t i = (*rng)() % (model->size() + 1);
    auto place = model->begin() + static_cast<ptrdiff_t>(i);
    size_t at = offset_of(buf_bytes(b), i);
    std::string s = element(rng, any_length);
    switch ((*rng)() % 8) {
        case 0:
        case 1:
            at = lp_insert(b, at, bytes_of(s));
            model->insert(place, s);
            ASSERT_EQ(string_of(lp_get(buf_bytes(b), at)), s);
            break;
        case 2:
            lp_append(b, bytes_of(s));
            model->push_back(s);
            break;
        case 3:
            lp_prepend(b, bytes_of(s));
            model->insert(model->begin(), s);
            break;
        case 4:
        case 5:
            if (at == kLpEnd) break;
            lp_replace(b, at, bytes_of(s));
            *place = s;
            break;
        default: {
            if (at == kLpEnd) break;
            size_t n = (*rng)() % 4 == 0 ? (*rng)() % (model->size() + 2) : 1;
            size_t gone = std::min(n, model->size() - i);
            size_t next = lp_erase(b, at, n);
            model->erase(place, place + static_cast<ptrdiff_t>(gone));
            ASSERT_EQ(next, offset_of(buf_bytes(b), i));
        }
    }
}

class ListpackRandom : public testing::TestWithParam<uint64_t> {};

TEST_P(ListpackRandom, BehavesLikeAVector) {
    int64_t before = mem_used();
    SCOPED_TRACE(testing::Message() << "seed " << GetParam());
    std::mt19937_64 rng(GetParam());
    bool any_length = GetParam() % 2 == 0;
    Buf b;
    Model model;
    for (int i = 0; i < (any_length ? 300 : 3000); i++) {
        step(&rng, &b, &model, any_length);
        expect_same(&b, model);
        if (HasFatalFailure()) return;
        if (model.size() > 60) {
            lp_erase(&b, offset_of(buf_bytes(&b), 10), 45);
            model.erase(model.begin() + 10, model.begin() + 55);
        }
    }
    buf_free(&b);
    EXPECT_EQ(mem_used(), before);
}
INSTANTIATE_TEST_SUITE_P(Seeds, ListpackRandom, testing::Range<uint64_t>(1, 21));

TEST(Listpack, ManyElementsKeepTheirOrder) {
    Buf b;
    for (int i = 0; i < 100000; i++) {
        std::string s = std::to_string(i);
        i % 2 == 0 ? lp_append(&b, bytes_of(s)) : lp_prepend(&b, bytes_of(s));
    }
    Bytes lp = buf_bytes(&b);
    lp_check(lp);
    EXPECT_EQ(lp_count(lp), 100000u);
    EXPECT_EQ(string_of(lp_get(lp, lp_first(lp))), "99999");
    EXPECT_EQ(string_of(lp_get(lp, lp_last(lp))), "99998");
    EXPECT_EQ(string_of(lp_get(lp, lp_seek(lp, 49999))), "1");
    EXPECT_EQ(string_of(lp_get(lp, lp_seek(lp, 50000))), "0");
    buf_free(&b);
}

}  // namespace rp
