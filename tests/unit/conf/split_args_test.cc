#include "conf/split_args.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rp {
namespace {

using Words = std::vector<std::string>;

// Decodes over the line itself, as the RESP parser does.
SplitArg split(std::string line, Words* words) {
    Bytes rest = {line.data(), line.size()};
    char* out = line.data();
    for (;;) {
        size_t len = 0;
        const SplitArg got = split_args_next(&rest, out, &len);
        if (got != SplitArg::arg) return got;
        words->emplace_back(out, len);
        out += len;
    }
}

Words words_of(const std::string& line) {
    Words words;
    EXPECT_EQ(split(line, &words), SplitArg::end) << line;
    return words;
}

bool balanced(const std::string& line) {
    Words words;
    return split(line, &words) == SplitArg::end;
}

TEST(SplitArgs, BareWordsEndAtWhiteSpace) {
    EXPECT_EQ(words_of("  set  a\tb\r\n"), (Words{"set", "a", "b"}));
    EXPECT_EQ(words_of(""), Words{});
    EXPECT_EQ(words_of(" \t\v\f\r\n"), Words{});
    EXPECT_EQ(words_of("a\vb"), (Words{"a\vb"}));
}

TEST(SplitArgs, DoubleQuotesDecodeEscapes) {
    EXPECT_EQ(words_of(R"("a b" "")"), (Words{"a b", ""}));
    EXPECT_EQ(words_of(R"("\n\r\t\b\a\\\"\q")"), (Words{"\n\r\t\b\a\\\"q"}));
    EXPECT_EQ(words_of(R"("\x41\x4g\xZZ\x4")"), (Words{"Ax4gxZZx4"}));
    EXPECT_EQ(words_of(R"("\x00z")"), (Words{std::string("\0z", 2)}));
}

TEST(SplitArgs, SingleQuotesDecodeOnlyTheQuote) {
    EXPECT_EQ(words_of(R"('a\n\'b' '')"), (Words{"a\\n'b", ""}));
}

TEST(SplitArgs, AQuoteMayOpenInsideAWord) {
    EXPECT_EQ(words_of(R"(ab"c d" e'f')"), (Words{"abc d", "ef"}));
}

TEST(SplitArgs, OpenQuotesAndGlueAreUnbalanced) {
    for (const char* line :
         {"\"", "'", "a \"b", "a 'b", "\"a\"b", "'a'b", "\"a\\\"", "'a\\'", "\"a\\", "x \"\\x4"}) {
        EXPECT_FALSE(balanced(line)) << line;
    }
}

TEST(SplitArgs, ANulByteEndsTheLine) {
    EXPECT_EQ(words_of(std::string("a b\0c", 5)), (Words{"a", "b"}));
    EXPECT_FALSE(balanced(std::string("\"a\0\"", 4)));
    EXPECT_FALSE(balanced(std::string("\"a\\\0\"", 5)));
}

TEST(SplitArgs, NothingIsReadBeyondTheEnd) {
    const std::string line = "\"\\x41";
    for (size_t n = 0; n <= line.size(); n++) {
        char out[8];
        size_t len = 0;
        std::vector<char> exact(line.begin(), line.begin() + static_cast<ptrdiff_t>(n));
        Bytes rest = {exact.data(), n};
        EXPECT_NE(split_args_next(&rest, out, &len), SplitArg::arg) << n;
    }
}

}  // namespace
}  // namespace rp
