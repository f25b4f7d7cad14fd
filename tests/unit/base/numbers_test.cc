// Numbers. What is accepted and how it is printed was checked against redis-server 7.0.15 (INCRBY,
// INCRBYFLOAT, ZADD, CONFIG SET maxmemory).
#include "base/numbers.h"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <limits>
#include <string>

#include "base/random.h"

namespace rp {

static Bytes bytes_of_string(const std::string& s) { return {s.data(), s.size()}; }

static std::string i64_text(int64_t v) {
    char buf[kI64TextMax];
    return std::string(buf, format_i64(buf, v));
}

static std::string u64_text(uint64_t v) {
    char buf[kI64TextMax];
    return std::string(buf, format_u64(buf, v));
}

static std::string double_text(double v) {
    char buf[kDoubleTextMax];
    return std::string(buf, format_double(buf, v));
}

static std::string long_double_text(long double v) {
    static char buf[kLdTextMax];
    return std::string(buf, format_long_double(buf, v));
}

// What INCRBYFLOAT key 0 answers for a value, or "refused".
static std::string long_double_again(const std::string& text) {
    long double v = 0;
    if (!parse_long_double(bytes_of_string(text), &v)) return "refused";
    return long_double_text(v);
}

static std::string double_again(const std::string& text) {
    double v = 0;
    if (!parse_double(bytes_of_string(text), &v)) return "refused";
    return double_text(v);
}

TEST(Numbers, IntegersAreStrict) {
    const char* refused[] = {"",
                             "-",
                             "+1",
                             " 1",
                             "1 ",
                             "01",
                             "-0",
                             "00",
                             "-01",
                             "1e3",
                             "1.0",
                             "0x1",
                             "--1",
                             "1-",
                             "a",
                             "12345678a",
                             "1234567:",
                             "/2345678",
                             "12345678901234567890",
                             "9223372036854775808",
                             "-9223372036854775809",
                             "99999999999999999999",
                             "100000000000000000000000000000000000000"};
    for (const char* text : refused) {
        int64_t v = 77;
        EXPECT_FALSE(parse_i64(bytes_of(text), &v)) << text;
        EXPECT_EQ(77, v) << text;
    }
    int64_t v = 77;
    EXPECT_FALSE(parse_i64("1\0", &v));
    EXPECT_FALSE(parse_i64("\xff", &v));
    EXPECT_FALSE(parse_i64(bytes_of_string(std::string(1000, '9')), &v));
    EXPECT_FALSE(parse_i64(Bytes(), &v));
}

TEST(Numbers, IntegersReadBackAtEveryLength) {
    int64_t values[128];
    size_t n = 0;
    int64_t power = 1;
    for (int digits = 1; digits <= 19; digits++) {
        for (int64_t v : {power - 1, power, power + 1}) {
            values[n++] = v;
            values[n++] = -v;
        }
        if (digits < 19) power *= 10;
    }
    for (int64_t v : {INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1})
        values[n++] = v;
    for (size_t i = 0; i < n; i++) {
        std::string text = i64_text(values[i]);
        EXPECT_EQ(std::to_string(values[i]), text);
        EXPECT_EQ(text.size(), i64_text_len(values[i]));
        int64_t back = 0;
        EXPECT_TRUE(parse_i64(bytes_of_string(text), &back)) << text;
        EXPECT_EQ(values[i], back);
    }
}

TEST(Numbers, RandomIntegersReadBack) {
    random_seed(1);
    for (int i = 0; i < 100000; i++) {
        uint64_t u = random_u64() >> random_below(64);
        int64_t v = static_cast<int64_t>(u) * (i % 2 == 0 ? 1 : -1);
        ASSERT_EQ(std::to_string(v), i64_text(v));
        ASSERT_EQ(std::to_string(u), u64_text(u));
        int64_t back = 0;
        ASSERT_TRUE(parse_i64(bytes_of_string(i64_text(v)), &back));
        ASSERT_EQ(v, back);
        uint64_t back_u = 0;
        ASSERT_TRUE(parse_u64(bytes_of_string(u64_text(u)), &back_u));
        ASSERT_EQ(u, back_u);
    }
}

TEST(Numbers, OneWrongByteAnywhereIsRefused) {
    const std::string good = "1234567890123456789";
    for (size_t at = 0; at < good.size(); at++) {
        for (int c = 0; c < 256; c++) {
            std::string text = good;
            text[at] = static_cast<char>(c);
            bool digit = c >= '0' && c <= '9';
            // A leading 9 is out of range, a leading 0 is not strict, a leading '-' is a sign.
            bool fine = at == 0 ? c == '-' || (c >= '1' && c <= '8') : digit;
            int64_t v = 0;
            EXPECT_EQ(fine, parse_i64(bytes_of_string(text), &v)) << text;
        }
    }
}

TEST(Numbers, UnsignedReachesTwoTo64) {
    uint64_t v = 0;
    EXPECT_TRUE(parse_u64("18446744073709551615", &v));
    EXPECT_EQ(UINT64_MAX, v);
    EXPECT_FALSE(parse_u64("18446744073709551616", &v));
    EXPECT_FALSE(parse_u64("99999999999999999999", &v));
    EXPECT_FALSE(parse_u64("1844674407370955161x", &v));
    EXPECT_FALSE(parse_u64("-1", &v));
    EXPECT_FALSE(parse_u64("01", &v));
    EXPECT_FALSE(parse_u64("", &v));
    EXPECT_TRUE(parse_u64("0", &v));
    EXPECT_EQ(0u, v);
}

struct FloatCase {
    const char* text;
    const char* long_double;   // As INCRBYFLOAT prints it.
    const char* plain_double;  // As "%.17g".
};

TEST(Numbers, FloatsAreReadAndPrintedAsRedisDoes) {
    const FloatCase cases[] = {
        {"0x1p3", "8", "8"},
        {"0x1.8", "1.5", "1.5"},
        {"0x.8p1", "1", "1"},
        {"+0x10", "16", "16"},
        {"-0X10", "-16", "-16"},
        {"+1", "1", "1"},
        {"-0", "0", "-0"},
        {"5.", "5", "5"},
        {".5", "0.5", "0.5"},
        {"3.0e3", "3000", "3000"},
        {"0.1", "0.1", "0.10000000000000001"},
        {"1e17", "100000000000000000", "1e+17"},
        {"1e21", "1000000000000000000000", "1e+21"},
        {"1e-17", "0.00000000000000001", "1.0000000000000001e-17"},
        {"5e-18", "0", "5.0000000000000004e-18"},
        {"-1e-30", "0", "-1.0000000000000001e-30"},
        {"9.99999999999999999999", "10", "10"},
        {"123456789012345678901234567890", "123456789012345678899921813504",
         "1.2345678901234568e+29"},
        {"1e-4940", "0", "refused"},
        {"4.9e-324", "0", "4.9406564584124654e-324"},
        {"2e-324", "0", "refused"},
        {"0e-9999", "0", "0"},
        {"0e9999", "0", "0"},
        {"inf", "inf", "inf"},
        {"+inf", "inf", "inf"},
        {"-INF", "-inf", "-inf"},
        {"Infinity", "inf", "inf"},
        {"1e5000", "refused", "refused"},
        {"-1e5000", "refused", "refused"},
        {"1e-5000", "refused", "refused"},
        {"nan", "refused", "refused"},
        {"-nan", "refused", "refused"},
        {"nan(1)", "refused", "refused"},
        {"infi", "refused", "refused"},
        {"", "refused", "refused"},
        {" 1", "refused", "refused"},
        {"\t1", "refused", "refused"},
        {"1 ", "refused", "refused"},
        {"+ 1", "refused", "refused"},
        {"+-1", "refused", "refused"},
        {"-+1", "refused", "refused"},
        {"--1", "refused", "refused"},
        {"1_0", "refused", "refused"},
        {"1,5", "refused", "refused"},
        {".", "refused", "refused"},
        {"0x", "refused", "refused"},
        {"0x1p", "refused", "refused"},
        {"1e", "refused", "refused"},
        {"1e+", "refused", "refused"},
        {"+", "refused", "refused"},
        {"-", "refused", "refused"},
        {"e1", "refused", "refused"},
    };
    for (const FloatCase& row : cases) {
        EXPECT_EQ(row.long_double, long_double_again(row.text)) << row.text;
        EXPECT_EQ(row.plain_double, double_again(row.text)) << row.text;
    }
}

TEST(Numbers, NulInsideAFloatIsRefused) {
    EXPECT_EQ("refused", long_double_again(std::string("1\0", 2)));
    EXPECT_EQ("refused", double_again(std::string("1\0", 2)));
    EXPECT_EQ("refused", double_again(std::string("0x1\0", 4)));
}

TEST(Numbers, LongFloatsHaveRedisBounds) {
    EXPECT_EQ("0", long_double_again(std::string(kLdTextMax - 1, '0')));
    EXPECT_EQ("refused", long_double_again(std::string(kLdTextMax, '0')));
    EXPECT_EQ("1", double_again(std::string(100000, '0') + "1"));
    EXPECT_EQ("refused", long_double_again(std::string(5000, '1')));
    EXPECT_EQ("refused", double_again(std::string(5000, '1')));
    // Not 310 digits: the nearest long double lies a little below 10^309.
    EXPECT_EQ("99999999999999999998", long_double_again("1e309").substr(0, 20));
    EXPECT_EQ(309u, long_double_again("1e309").size());
    EXPECT_EQ("refused", double_again("1e309"));
    EXPECT_EQ(4932u, long_double_again(std::string(4932, '1')).size());
}

TEST(Numbers, GreatestLongDoubleFitsTheBound) {
    long double most = std::numeric_limits<long double>::max();
    EXPECT_EQ(4933u, long_double_text(most).size());
    EXPECT_EQ(4934u, long_double_text(-most).size());
    EXPECT_EQ("inf", long_double_text(std::numeric_limits<long double>::infinity()));
    EXPECT_EQ("-inf", long_double_text(-std::numeric_limits<long double>::infinity()));
    EXPECT_EQ("nan", long_double_text(std::numeric_limits<long double>::quiet_NaN()));
}

TEST(Numbers, RoundHundredsKeepTheirZeros) {
    EXPECT_EQ("100", long_double_text(100));
    EXPECT_EQ("0", long_double_text(0));
    EXPECT_EQ("-100.5", long_double_text(-100.5L));
}

TEST(Numbers, DoublesPrintAsPercent17g) {
    random_seed(2);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = random_u64();
        double v;
        memcpy(&v, &bits, sizeof(v));
        if (std::isnan(v) || std::isinf(v)) continue;
        if (i % 2 == 0) v = static_cast<double>(static_cast<int64_t>(bits) >> 20) / 1000.0;
        char want[64];
        snprintf(want, sizeof(want), "%.17g", v);
        ASSERT_EQ(want, double_text(v));
        double back = 0;
        ASSERT_TRUE(parse_double(bytes_of(want), &back)) << want;
        ASSERT_EQ(v, back);
    }
    EXPECT_EQ("-0", double_text(-0.0));
    EXPECT_EQ("nan", double_text(-std::numeric_limits<double>::quiet_NaN()));
    EXPECT_EQ("-inf", double_text(-std::numeric_limits<double>::infinity()));
    EXPECT_EQ("-1.7976931348623157e+308", double_text(-std::numeric_limits<double>::max()));
}

TEST(Numbers, LooseDoublesAreReadAsStrtodDoes) {
    const std::pair<std::string, double> good[] = {
        {"", 0},
        {"5", 5},
        {" \t-5", -5},
        {"0x10", 16},
        {"1e400", HUGE_VAL},
        {"-1e400", -HUGE_VAL},
        {"1e-400", 0},
        {"inf", HUGE_VAL},
        {std::string("7\0x", 3), 7},
        {std::string("\0x", 2), 0},
        {"1" + std::string(9999, '0'), HUGE_VAL},
        {"0." + std::string(9999, '0') + "1", 0},
    };
    for (const auto& [text, want] : good) {
        double got = 99;
        EXPECT_TRUE(parse_double_loosely(bytes_of_string(text), &got)) << text;
        EXPECT_EQ(want, got) << text;
    }
    for (const char* text : {" ", "x", "5 ", "5x", "nan", "-nan", "NAN(1)", "--5", "1,5", "("}) {
        double got = 99;
        EXPECT_FALSE(parse_double_loosely(bytes_of(text), &got)) << text;
        EXPECT_EQ(99, got);
    }
}

TEST(Numbers, TheLocaleChangesNothing) {
    const char* comma_locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    bool have_one = false;
    for (const char* name : comma_locales)
        have_one |= setlocale(LC_NUMERIC, name) != nullptr;
    if (!have_one) GTEST_SKIP() << "no locale with a decimal comma is installed";
    EXPECT_EQ("0.5", long_double_again("0.5"));
    EXPECT_EQ("0.5", double_again("0.5"));
    EXPECT_EQ("1.5", double_again("0x1.8"));
    EXPECT_EQ("refused", double_again("0,5"));
    setlocale(LC_NUMERIC, "C");
}

struct MemoryCase {
    const char* text;
    uint64_t bytes;
};

TEST(Numbers, MemorySizesAreRedis) {
    const MemoryCase cases[] = {
        {"100", 100},
        {"1b", 1},
        {"1K", 1000},
        {"1Kb", 1024},
        {"2m", 2000000},
        {"2MB", 2u << 20},
        {"1g", 1000000000},
        {"1GB", 1u << 30},
        {"01", 1},
        {"", 0},
        {"kb", 0},
        {"0gb", 0},
        {"18446744073709551615", UINT64_MAX},
        {"18446744073709551616", UINT64_MAX},
        {"20000000000gb", UINT64_MAX},
    };
    for (const MemoryCase& row : cases) {
        uint64_t v = 77;
        EXPECT_TRUE(parse_memory(bytes_of(row.text), &v)) << row.text;
        EXPECT_EQ(row.bytes, v) << row.text;
    }
    const char* refused[] = {"-1", "1 ", " 1", "1t", "1.5gb", "+1", "0x10", "1kbb", "1 kb"};
    for (const char* text : refused) {
        uint64_t v = 77;
        EXPECT_FALSE(parse_memory(bytes_of(text), &v)) << text;
    }
}

}  // namespace rp
