#include "base/status.h"

#include <gtest/gtest.h>

#include <cstring>

namespace rp {

TEST(Status, EveryValueHasItsOwnText) {
    constexpr int kCount = static_cast<int>(Status::foreign) + 1;
    for (int a = 0; a < kCount; a++) {
        const char* text = status_text(static_cast<Status>(a));
        ASSERT_NE(nullptr, text);
        EXPECT_STRNE("", text);
        EXPECT_STRNE("unknown status", text);
        for (int b = 0; b < a; b++)
            EXPECT_STRNE(status_text(static_cast<Status>(b)), text);
    }
}

TEST(Status, AStrayByteHasATextToo) {
    EXPECT_STREQ("unknown status", status_text(static_cast<Status>(250)));
}

}  // namespace rp
