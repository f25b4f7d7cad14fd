// Globs. Both tables are answers recorded from redis-server 7.0.15: the first through KEYS, the
// second through COMMAND LIST FILTERBY PATTERN, which ignores case.
#include "base/glob.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace rp {

struct GlobCase {
    Bytes pattern;
    Bytes text;
    bool match;
};

static const GlobCase kRecorded[] = {
    {"", "", true},
    {"", "a", false},
    {"**", "", false},
    {"?", "", false},
    {"[^a]", "", false},
    {"**", "a", true},
    {"a*", "a", true},
    {"a**", "a", true},
    {"*a", "a", true},
    {"?*", "a", true},
    {"*?", "a", true},
    {"*?*?", "a", false},
    {"*?*?", "ab", true},
    {"[", "[", false},
    {"[", "a", false},
    {"[^", "a", true},
    {"[^", "^", true},
    {"[^", "ab", false},
    {"[]", "]", false},
    {"[]", "a", false},
    {"[^]", "a", true},
    {"[^]", "]", true},
    {"[]a]", "a]", false},
    {"[]a]", "]", false},
    {"[a", "a", true},
    {"[a", "b", false},
    {"[^a", "b", true},
    {"[ab", "b", true},
    {"x[ab", "xb", true},
    {"[a*", "a", true},
    {"[a*", "*", true},
    {"[a*", "ab", false},
    {"[a-c]", "b", true},
    {"[c-a]", "b", true},
    {"[^c-a]", "b", false},
    {"[^c-a]", "d", true},
    {"[a-", "a", true},
    {"[a-", "-", true},
    {"[a-", "b", false},
    {"[a-]", "a", true},
    {"[a-]", "-", false},
    {"[a-]", "_", true},
    {"[a-]", "]", true},
    {"[a-]", "b", false},
    {"[a-]]", "^", true},
    {"[a-]]", "a]", false},
    {"[a-c", "b", true},
    {"[a-cx", "x", true},
    {"[-a]", "-", true},
    {"[-a]", "a", true},
    {"[--0]", ".", true},
    {"[a-b-d]", "c", false},
    {"[a-b-d]", "-", true},
    {"[^-c]", "a", true},
    {"[^^]", "^", false},
    {"[a^]", "^", true},
    {"[\\^a]", "^", true},
    {"\\", "\\", true},
    {"a\\", "a\\", true},
    {"a\\", "a", false},
    {"\\\\", "\\", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"\\a", "a", true},
    {"\\a", "\\a", false},
    {"*\\", "\\", true},
    {"*\\", "a\\", true},
    {"*\\*", "a*", true},
    {"[\\", "\\", true},
    {"[\\", "a", false},
    {"[\\]", "]", true},
    {"[\\]", "\\", false},
    {"[\\]]", "]", true},
    {"[a\\]b]", "]", true},
    {"[\\a-c]", "b", false},
    {"[\\a-c]", "-", true},
    {"[a-\\]", "\\", true},
    {"[a-\\]", "^", true},
    {"[a-\\]]", "_", false},
    {"[a-\\]]", "_]", true},
    {"[^\\", "a", true},
    {"[^\\", "\\", false},
    {"[\x80-a]", "\x00", true},
    {"[\x80-a]", "\xc0", true},
    {"[\x80-a]", "b", false},
    {"[\x7f-\x80]", "a", true},
    {"[\x7f-\x80]", "\xff", true},
    {"[a-\xff]", "Z", true},
    {"[a-\xff]", "b", false},
    {"[\xff-\x80]", "\x90", true},
    {"a\x00"
     "b",
     "a\x00"
     "b",
     true},
    {"a\x00"
     "b",
     "a", false},
    {"a\x00*",
     "a\x00"
     "c",
     true},
    {"\x00*", "\x00", true},
    {"[\x00]", "\x00", true},
    {"*a*b*c*", "xaybzc", true},
    {"*a*b*c*", "xbyazc", false},
    {"*ab", "aab", true},
    {"*ab*ab", "ab", false},
    {"*ab*ab", "abab", true},
    {"*ab*ab", "ababxab", true},
    {"*[ab]c", "xbac", true},
    {"*?c", "c", false},
    {"*?c", "cc", true},
    {"h?llo", "hello", true},
    {"h*llo", "heeeello", true},
    {"h[^e]llo", "hello", false},
    {"a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaa", false},
    {"A", "a", false},
    {"*]", "a]", true},
    {"]", "]", true},
    {"a]*", "a]b", true},
    {"^a", "^a", true},
    {"-", "-", true},
};

static const GlobCase kRecordedNocase[] = {
    {"GET", "get", true},         {"gEt", "get", true},        {"[G]et", "get", true},
    {"[\\G]et", "get", false},    {"[\\g]et", "get", true},    {"\\Get", "get", true},
    {"[F-H]et", "get", true},     {"[f-h]ET", "get", true},    {"[Z-a]et", "get", false},
    {"[h-F]et", "get", true},     {"[^G]et", "get", false},    {"[^\\G]et", "get", true},
    {"[\x80-z]et", "get", false}, {"[\xff-z]et", "get", true}, {"[\xfe-z]et", "get", false},
    {"[\xff-Z]et", "get", true},  {"*ET", "get", true},        {"*[ET][T", "get", true},
    {"[@-h]et", "get", true},     {"[A-_]et", "get", false},
};

// A copy of exactly the right size, so that ASan sees a read past the end.
static Bytes exact_copy(Bytes b) {
    char* copy = static_cast<char*>(malloc(b.len == 0 ? 1 : b.len));
    if (b.len > 0) memcpy(copy, b.ptr, b.len);
    return {copy, b.len};
}

static void expect_recorded(const GlobCase& row, bool nocase) {
    Bytes pattern = exact_copy(row.pattern);
    Bytes text = exact_copy(row.text);
    EXPECT_EQ(row.match, glob_match(pattern, text, nocase))
        << "pattern <" << testing::PrintToString(row.pattern.ptr) << "> text <"
        << testing::PrintToString(row.text.ptr) << ">";
    free(const_cast<char*>(pattern.ptr));
    free(const_cast<char*>(text.ptr));
}

TEST(Glob, AnswersAsRedisDid) {
    for (const GlobCase& row : kRecorded)
        expect_recorded(row, false);
}

TEST(Glob, AnswersAsRedisDidWithoutCase) {
    for (const GlobCase& row : kRecordedNocase)
        expect_recorded(row, true);
}

TEST(Glob, StarAloneDoesNotTakeAnEmptyText) {
    EXPECT_FALSE(glob_match("*", ""));
    EXPECT_TRUE(glob_match("*", "x"));
}

TEST(Glob, CaseMattersUnlessToldOtherwise) {
    EXPECT_FALSE(glob_match("ABC", "abc"));
    EXPECT_TRUE(glob_match("ABC", "abc", true));
    EXPECT_TRUE(glob_match("a[B-C]c", "abc", true));
    EXPECT_TRUE(glob_match("\xc4", "\xc4", true));
    EXPECT_FALSE(glob_match("\xc4", "\xe4", true));
}

TEST(Glob, ManyStarsCostPolynomialTime) {
    // Without the remembered star this takes longer than the age of the universe.
    char pattern[401];
    for (size_t i = 0; i < 200; i++)
        memcpy(pattern + 2 * i, "a*", 2);
    pattern[400] = 'b';
    char text[4000];
    memset(text, 'a', sizeof(text));
    EXPECT_FALSE(glob_match({pattern, 401}, {text, sizeof(text)}));
    text[sizeof(text) - 1] = 'b';
    EXPECT_TRUE(glob_match({pattern, 401}, {text, sizeof(text)}));
}

TEST(Glob, HundredThousandStarsOrBracketsNeedNoStack) {
    constexpr size_t kLen = 100000;
    char* pattern = static_cast<char*>(malloc(kLen));
    memset(pattern, '*', kLen);
    EXPECT_TRUE(glob_match({pattern, kLen}, "text"));
    for (size_t i = 0; i < kLen; i++)
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    EXPECT_FALSE(glob_match({pattern, kLen}, "aaaaaaaaaaaaaaaa"));
    memset(pattern, '[', kLen);
    EXPECT_TRUE(glob_match({pattern, kLen}, "["));
    EXPECT_FALSE(glob_match({pattern, kLen}, "x"));
    memset(pattern, '\\', kLen);
    EXPECT_FALSE(glob_match({pattern, kLen}, "\\\\\\"));
    free(pattern);
}

}  // namespace rp
