#include "types/value.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mem/mem.h"
#include "unit/types/values.h"

namespace rp {

TEST(Value, EmptyIsAListpackWithoutAnyBytes) {
    Value v;
    EXPECT_EQ(Form::listpack, v.form);
    EXPECT_TRUE(value_is_flat(&v));
    EXPECT_EQ(0u, value_elements(&v));
    EXPECT_EQ(0u, value_cost(&v));
    value_free(&v);
}

TEST(Value, CountsWhatEachFormHolds) {
    for (Form form : kForms) {
        for (size_t n : {1u, 2u, 50u, 700u}) {
            Value v = value_of(form, n);
            EXPECT_EQ(n, value_elements(&v)) << static_cast<int>(form);
            EXPECT_EQ(form <= Form::intset, value_is_flat(&v));
            EXPECT_GT(value_cost(&v), 0u);
            value_free(&v);
            EXPECT_EQ(0u, value_elements(&v));
        }
    }
}

TEST(Value, CostIsWhatTheAllocatorCounts) {
    for (Form form : kForms) {
        Value warm = value_of(form, 700);  // whatever a thread keeps for next time
        value_free(&warm);
        int64_t before = mem_used();
        Value v = value_of(form, 700);
        EXPECT_EQ(static_cast<int64_t>(value_cost(&v)), mem_used() - before)
            << static_cast<int>(form);
        value_free(&v);
        EXPECT_EQ(before, mem_used());
    }
}

TEST(Value, AClonesElementsAreItsOwn) {
    for (Form form : kForms) {
        Value v = value_of(form, 300);
        Value copy = value_clone(&v);
        std::vector<std::string> expected = elements_of(&v);
        EXPECT_EQ(form, copy.form);
        value_free(&v);
        EXPECT_EQ(expected, elements_of(&copy)) << static_cast<int>(form);
        value_free(&copy);
    }
}

TEST(Value, ACloneOfBorrowedBytesOwnsItsOwn) {
    Value v = value_of(Form::intset, 10);
    Value borrowed;
    borrowed.form = Form::intset;
    borrowed.flat = buf_borrow(buf_bytes(&v.flat));
    EXPECT_EQ(0u, value_cost(&borrowed));
    Value copy = value_clone(&borrowed);
    EXPECT_FALSE(buf_borrows(&copy.flat));
    value_free(&borrowed);
    EXPECT_EQ(elements_of(&v), elements_of(&copy));
    value_free(&v);
    value_free(&copy);
}

TEST(Box, TakesTheValueAndMakesBorrowedBytesItsOwn) {
    Value v = value_of(Form::listpack, 10);
    std::vector<std::string> expected = elements_of(&v);
    Value borrowed;
    borrowed.flat = buf_borrow(buf_bytes(&v.flat));
    Box* box = box_new(&borrowed);
    EXPECT_EQ(0u, value_elements(&borrowed));
    value_free(&v);
    EXPECT_EQ(expected, elements_of(&box->value));
    box_unref(box);
}

TEST(Box, LivesAsLongAsItsLastReference) {
    for (Form form : kForms) {
        int64_t before = mem_used();
        Value v = value_of(form, 20);
        Box* box = box_new(&v);
        EXPECT_FALSE(box_shared(box));
        EXPECT_EQ(box, box_ref(box));
        EXPECT_TRUE(box_shared(box));
        EXPECT_EQ(static_cast<int64_t>(box_cost(box)), mem_used() - before);
        box_unref(box);
        EXPECT_FALSE(box_shared(box));
        EXPECT_EQ(20u, value_elements(&box->value));
        box_unref(box);  // few elements: gone at once
        EXPECT_EQ(before, mem_used());
    }
}

}  // namespace rp
