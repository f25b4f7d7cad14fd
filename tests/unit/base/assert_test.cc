#include "base/assert.h"

#include <gtest/gtest.h>

namespace rp {

TEST(AssertDeathTest, FailureNamesExpressionFileAndLine) {
    int answer = 41;
    EXPECT_DEATH(RP_ASSERT(answer == 42),
                 "rustypotato: assertion failed: answer == 42 at .*assert_test.cc:[0-9]+");
}

TEST(Assert, EvaluatesItsExpressionOnce) {
    int calls = 0;
    RP_ASSERT(++calls == 1);
    EXPECT_EQ(1, calls);
}

TEST(Assert, DcheckCountsAsUseOfItsNames) {
    int only_checked = 1;  // Would be an unused-variable error if RP_DCHECK dropped it.
    RP_DCHECK(only_checked == 1);
}

}  // namespace rp
