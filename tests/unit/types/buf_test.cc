#include "types/buf.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace rp {

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
