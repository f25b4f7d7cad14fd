#include "types/buf.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "mem/mem.h"

namespace rp {

static std::string text(const Buf* b) { return b->len != 0 ? std::string(b->data, b->len) : ""; }

static std::string letters(std::mt19937_64* rng, size_t n) {
    std::string s(n, ' ');
    for (char& c : s)
        c = static_cast<char>('a' + (*rng)() % 26);
    return s;
}

static void splice(Buf* b, std::string* model, size_t at, size_t len, const std::string& what) {
    char* to = buf_splice(b, at, len, what.size());
    if (!what.empty()) memcpy(to, what.data(), what.size());
    model->replace(at, len, what);
    buf_check(b);
    ASSERT_EQ(text(b), *model);
}

class BufRandom : public testing::TestWithParam<uint64_t> {};

// Sizes shrink as often as they grow, so that every way of making room is met.
TEST_P(BufRandom, SplicesLikeAString) {
    int64_t before = mem_used();
    std::mt19937_64 rng(GetParam());
    SCOPED_TRACE(testing::Message() << "seed " << GetParam());
    std::string source = letters(&rng, rng() % 200), kept = source, model = source;
    Buf b = buf_borrow({source.data(), source.size()});
    for (int i = 0; i < 3000; i++) {
        size_t ends[] = {0, model.size(), rng() % (model.size() + 1)};
        size_t at = ends[rng() % 3];
        size_t most = rng() % 4 == 0 ? model.size() : 8;
        size_t len = std::min(model.size() - at, rng() % (most + 1));
        if (at == model.size() && rng() % 2 == 0) {  // take from the end, too
            len = std::min<size_t>(model.size(), rng() % 9);
            at -= len;
        }
        size_t more = rng() % 50 == 0 ? rng() % 3000 : rng() % 12;
        splice(&b, &model, at, len, letters(&rng, more));
        if (testing::Test::HasFatalFailure()) return;
        if (rng() % 200 == 0) buf_shrink(&b);
        if (rng() % 200 == 0) buf_fit(&b);
        buf_check(&b);
    }
    EXPECT_EQ(text(&b), model);
    EXPECT_EQ(source, kept);
    buf_free(&b);
    EXPECT_EQ(mem_used(), before);
}
INSTANTIATE_TEST_SUITE_P(Seeds, BufRandom, testing::Range<uint64_t>(1, 21));

// The bytes are in read-only pages: a write into them ends the test program.
TEST(Buf, NeverWritesWhatItBorrows) {
    static const char kSource[] = "0123456789012345678901234567890123456789";
    size_t n = sizeof kSource - 1;
    for (size_t at = 0; at <= n; at += 5) {
        for (size_t len = 0; at + len <= n; len += 5) {
            for (size_t more : {0, 1, 5, 100}) {
                Buf b = buf_borrow(kSource);
                std::string model = kSource;
                EXPECT_TRUE(buf_borrows(&b));
                splice(&b, &model, at, len, std::string(more, 'x'));
                EXPECT_FALSE(buf_borrows(&b));
                EXPECT_TRUE(b.len == 0 || b.data != kSource);
                buf_free(&b);
            }
        }
    }
}

TEST(Buf, OwnCopiesWhatIsBorrowedOnce) {
    int64_t before = mem_used();
    Buf b = buf_borrow("abc");
    EXPECT_EQ(buf_cost(&b), 0u);
    char* own = buf_own(&b);
    EXPECT_FALSE(buf_borrows(&b));
    EXPECT_EQ(buf_own(&b), own);
    EXPECT_EQ(text(&b), "abc");
    EXPECT_EQ(mem_used() - before, static_cast<int64_t>(buf_cost(&b)));
    Buf clone = buf_clone(&b);
    EXPECT_NE(clone.data, b.data);
    EXPECT_EQ(text(&clone), "abc");
    buf_free(&b);
    buf_free(&clone);
    EXPECT_EQ(mem_used(), before);
}

TEST(Buf, AnEmptyOneIsOwnedByNobody) {
    Buf b;
    EXPECT_FALSE(buf_borrows(&b));
    EXPECT_EQ(buf_own(&b), nullptr);
    buf_shrink(&b);
    buf_fit(&b);
    buf_free(&b);
    Buf none = buf_borrow({});
    Buf clone = buf_clone(&none);
    EXPECT_EQ(clone.cap, 0u);
}

// Bytes that each push had to move, on average: with one end fixed it would be half of the run.
static size_t addresses_seen(bool front, size_t pushes) {
    Buf b;
    size_t moves = 0;
    for (size_t i = 0; i < pushes; i++) {
        const char* far_end = front ? b.data + b.len : b.data;
        memcpy(front ? buf_insert(&b, 0, 4) : buf_insert(&b, b.len, 4), "abcd", 4);
        moves += far_end != (front ? b.data + b.len : b.data);
    }
    buf_free(&b);
    return moves;
}

TEST(Buf, PushesAtEitherEndMoveTheRestSeldom) {
    EXPECT_LT(addresses_seen(false, 10000), 60u);
    EXPECT_LT(addresses_seen(true, 10000), 200u);
}

TEST(Buf, AQueueStaysWhereItIs) {
    Buf b;
    std::string model;
    std::mt19937_64 rng(7);
    splice(&b, &model, 0, 0, letters(&rng, 400));
    for (int i = 0; i < 2000; i++) {
        splice(&b, &model, model.size(), 0, letters(&rng, 8));
        splice(&b, &model, 0, 8, "");
        EXPECT_LE(b.cap, 1024u);
    }
    buf_free(&b);
}

TEST(Buf, ALargeFirstElementTakesNoMoreThanItsSize) {
    Buf b;
    buf_insert(&b, 0, 1000000);
    EXPECT_EQ(b.cap, 1000000u);
    memset(b.data, 'x', b.len);
    buf_erase(&b, 10, 999000);
    buf_shrink(&b);
    EXPECT_EQ(b.cap, 1000u);
    EXPECT_EQ(text(&b), std::string(1000, 'x'));
    buf_free(&b);
}

TEST(Buf, SplicesAsAStringDoesAndLeavesBorrowedBytesAlone) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 2000; round++) {
        std::string lent(random() % 400, 'a');
        for (char& c : lent)
            c = static_cast<char>(random());
        std::string model = lent, before = lent;
        Buf b = buf_borrow({lent.data(), lent.size()});
        for (int step = 0; step < 4; step++) {
            size_t at = random() % (model.size() + 1);
            size_t len = random() % (model.size() - at + 1);
            size_t more = random() % 3 == 0 ? random() % 200 : len;
            char* gap = buf_splice(&b, at, len, more);
            memset(gap, 'x', more);
            model.replace(at, len, std::string(more, 'x'));
            ASSERT_EQ(model, std::string(b.data, b.len));
            if (random() % 4 == 0) buf_shrink(&b);
        }
        Buf copy = buf_clone(&b);
        buf_free(&b);
        EXPECT_EQ(model, std::string(copy.data, copy.len));
        buf_free(&copy);
        EXPECT_EQ(before, lent);
    }
}

TEST(Buf, ErasingMostOfBorrowedBytesKeepsBothEnds) {
    std::string lent(1000, 'm');
    lent.front() = 'f';
    lent.back() = 'l';
    Buf b = buf_borrow({lent.data(), lent.size()});
    buf_erase(&b, 1, 998);
    EXPECT_EQ("fl", std::string(b.data, b.len));
    buf_free(&b);
}

}  // namespace rp
