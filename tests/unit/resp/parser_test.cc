#include "resp/parser.h"

#include <gtest/gtest.h>

#include "mem/mem.h"
#include "parser_feed.h"

namespace rp {

static std::string whole(const std::string& s, bool authenticated = true) {
    return feed_cut(s, 0, 1, 16, true, authenticated);
}

static std::string bulk(const std::string& s) {
    return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n";
}

static std::string multibulk(const std::vector<std::string>& args) {
    std::string s = "*" + std::to_string(args.size()) + "\r\n";
    for (const std::string& a : args)
        s += bulk(a);
    return s;
}

// A string that holds NULs, too.
template <size_t N>
static std::string text(const char (&s)[N]) {
    return std::string(s, N - 1);
}

struct Case {
    std::string in;
    std::string out;
};

// Every answer below is what redis-server 7.0.15 gives, but for NULs, at which it stops reading.
static const std::vector<Case>& cases() {
    static const std::vector<Case> kCases = {
        {"*1\r\n$4\r\nPING\r\n", "(14) 4:PING\n"},
        {"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "(19) 3:GET 0:\n"},
        {"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPONG\r\n", "(14) 4:PING\n(14) 4:PONG\n"},
        {"*1\rx$4\rxPINGxx", "(14) 4:PING\n"},
        {"*0\r\n*-1\r\n*-5\r\n\r\n\n   \r\nPING\r\n", "(6) 4:PING\n"},
        {"*2147483648\r\n", "error Protocol error: invalid multibulk length\n"},
        {"*2147483647\r\n", ""},
        {"*x\r\n", "error Protocol error: invalid multibulk length\n"},
        {"*\r\n", "error Protocol error: invalid multibulk length\n"},
        {"*+1\r\n", "error Protocol error: invalid multibulk length\n"},
        {"*01\r\n", "error Protocol error: invalid multibulk length\n"},
        {"*-0\r\n", "error Protocol error: invalid multibulk length\n"},
        {"*1 \r\n$4\r\nPING\r\n", "error Protocol error: invalid multibulk length\n"},
        {"*1\r\nfoo", ""},
        {"*1\r\nfoo\r\n", "error Protocol error: expected '$', got 'f'\n"},
        {"*1\r\n*1\r\n", "error Protocol error: expected '$', got '*'\n"},
        {"*1\r\n\r\n", "error Protocol error: expected '$', got '\r'\n"},
        {text("*1\r\n\0a\r\n"), "error Protocol error: expected '$', got ' '\n"},
        {"*1\r\n$-1\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$04\r\nPING\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$00\r\n\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$+4\r\nPING\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$ 4\r\nPING\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$4.0\r\nPING\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$\r\nPING\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$4294967300\r\nPING\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$18446744073709551620\r\nPING\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$536870913\r\n", "error Protocol error: invalid bulk length\n"},
        {"*1\r\n$536870912\r\n", ""},
        {"PING\r\n", "(6) 4:PING\n"},
        {"\r\r\nPING\n", "(5) 4:PING\n"},
        {"set  k\t'a\\'b' \r\n", "(16) 3:set 1:k 3:a'b\n"},
        {"\"PI\\x4eG\" \"a\\tb\\q\\x4\"\r\n", "(23) 4:PING 6:a\tbqx4\n"},
        {"PI'NG' \"\"\r\n", "(11) 4:PING 0:\n"},
        {"\"\"\r\n", "(4) 0:\n"},
        {"PING\vfoo\r\n", "(10) 8:PING\vfoo\n"},
        {"\"PING\r\n", "error Protocol error: unbalanced quotes in request\n"},
        {"\"PING\"x\r\n", "error Protocol error: unbalanced quotes in request\n"},
        {"'PING\\'\r\n", "error Protocol error: unbalanced quotes in request\n"},
        {"PING\r\n*1\r\n$1\r\nx\r\nPOST / HTTP/1.1\r\nPING\r\n", "(6) 4:PING\n(11) 1:x\nerror \n"},
        {"host: a\r\nPING\r\n", "error \n"},
        {"*2\r\n$4\r\npOsT\r\n$1\r\n/\r\n", "error \n"},
        {"*1\r\n$5\r\nHOST:\r\n", "error \n"},
        {"*1\r\n$4\r\nPOSE\r\nhost\r\n", "(14) 4:POSE\n(6) 4:host\n"},
    };
    return kCases;
}

TEST(Parser, AnswersAsRedisDoes) {
    for (const Case& c : cases())
        EXPECT_EQ(whole(c.in), c.out) << c.in;
}

TEST(Parser, AnswersDoNotDependOnWhereTheBytesAreCut) {
    for (const Case& c : cases()) {
        EXPECT_EQ(feed_cut(c.in, 1, 1, 16), c.out) << c.in;
        EXPECT_EQ(feed_cut(c.in, 1, 1, 1), c.out) << c.in;
        for (uint64_t seed = 1; seed <= 10; seed++) {
            EXPECT_EQ(feed_cut(c.in, 5, seed, 3), c.out) << c.in << seed;
        }
    }
}

TEST(Parser, RefusesMoreBeforeAuthentication) {
    EXPECT_EQ(whole("*10\r\n$16384\r\n", false), "");
    EXPECT_EQ(whole("*11\r\n", false), "error Protocol error: unauthenticated multibulk length\n");
    EXPECT_EQ(whole("*1\r\n$16385\r\n", false),
              "error Protocol error: unauthenticated bulk length\n");
    std::string eleven = multibulk(std::vector<std::string>(11, "x"));
    EXPECT_EQ(whole(eleven, false), "error Protocol error: unauthenticated multibulk length\n");
    EXPECT_NE(whole(eleven), whole(eleven, false));
}

TEST(Parser, LimitsLines) {
    std::string ones(kLineMax, '1');
    // The longest line that is still read, then one byte more: too long, even with its end there.
    EXPECT_EQ(whole(ones), "");
    EXPECT_EQ(whole(ones + "\n"), "(65537) 65536:" + ones + "\n");
    for (size_t piece : {size_t{0}, size_t{1}, size_t{5000}}) {
        auto cut = [&](const std::string& s) { return feed_cut(s, piece, 7, 16); };
        EXPECT_EQ(cut(ones + "1\n"), "error Protocol error: too big inline request\n");
        EXPECT_EQ(cut("*" + ones), "error Protocol error: too big mbulk count string\n");
        EXPECT_EQ(cut("*" + ones + "\r\n"), "error Protocol error: too big mbulk count string\n");
        EXPECT_EQ(cut("*1\r\n$" + ones), "error Protocol error: too big bulk count string\n");
        EXPECT_EQ(cut("*1\r\nq" + ones), "error Protocol error: too big bulk count string\n");
    }
}

TEST(Parser, ReadsLengthsOfEveryNumberOfDigits) {
    for (size_t n :
         {0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 32767, 32768, 99999, 100000, 300000}) {
        std::string s = multibulk({"SET", std::string(n, 'v'), "x"});
        std::string expect = "(" + std::to_string(s.size()) + ") 3:SET " + std::to_string(n) + ":" +
                             std::string(n, 'v') + " 1:x\n";
        EXPECT_TRUE(whole(s + s) == expect + expect) << n;
        EXPECT_TRUE(feed_cut(s + s, 20000, n, 16) == expect + expect) << n;
    }
    for (size_t argc : {1, 9, 10, 15, 16, 17, 99, 100, 1000, 12345}) {
        ParserFeed f;
        std::string s = multibulk(std::vector<std::string>(argc, "abc"));
        feed(&f, s + "PING\r\n" + s + s);
        EXPECT_EQ(f.commands, 4u);
        EXPECT_EQ(f.args, 3 * argc + 1);
        EXPECT_EQ(f.buf, "");
    }
}

TEST(Parser, AMillionArgumentsByteByByteIsLinear) {
    constexpr size_t kArgs = 1000000;
    ParserFeed f;
    f.keep_bytes = false;
    std::string s = "*" + std::to_string(kArgs) + "\r\n";
    for (size_t i = 0; i < kArgs; i++)
        s += "$1\r\nx\r\n";
    // The feed would copy its buffer for each byte: this caller leaves it where it is.
    Command c;
    Bytes error;
    size_t pos = 0, len = 0;
    while (len < s.size()) {
        Parse got = parser_next(f.parser, &f.limits, &f.pool, s.data(), ++len, &pos, &c, &error);
        ASSERT_EQ(got, len < s.size() ? Parse::more : Parse::command);
        ASSERT_LE(parser_memory(f.parser), 8 * len + 3 * kBigWindow);
    }
    EXPECT_EQ(c.argc, kArgs);
    EXPECT_EQ(pos, s.size());
    EXPECT_TRUE(bytes_equal(c.argv[kArgs - 1], "x"));
    parser_reset_command(f.parser);
    EXPECT_LT(parser_memory(f.parser), 512u);
}

TEST(Parser, AnnouncementsTakeNoMemory) {
    ParserFeed f;
    feed(&f, "*2147483647\r\n$536870912\r\n");
    EXPECT_LE(parser_memory(f.parser), 512 + kBigWindow + 64);
}

TEST(Parser, ABigArgumentIsReadStraightIntoItsBlob) {
    std::string value(1000000, 'v'), s = multibulk({"SET", "k", value, "GET"});
    for (size_t piece : {size_t{1000}, size_t{40000}, size_t{300000}}) {
        ParserFeed f;
        for (size_t at = 0; at < s.size(); at += piece)
            feed(&f, s.substr(at, piece));
        EXPECT_EQ(f.bigs, 1u);
        EXPECT_TRUE(f.seen == whole(s));
        EXPECT_TRUE(feed_cut(s, piece, 3, 16, false) == whole(s));
    }
}

TEST(Parser, TheBlobOutlivesTheCommandWhenReferenced) {
    std::string value(100000, 'v'), s = multibulk({"SET", "k", value});
    size_t half = s.size() / 2, pos = 0, cap;
    char* window;
    Command c;
    Bytes error;
    ParserFeed f;
    ASSERT_EQ(parser_next(f.parser, &f.limits, &f.pool, s.data(), half, &pos, &c, &error),
              Parse::more);
    EXPECT_EQ(pos, 0u);
    size_t keep = parser_keep(f.parser);
    EXPECT_EQ(s.substr(0, keep), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n");
    EXPECT_EQ(parser_taken(f.parser), half - keep);
    for (size_t at = half; at < s.size(); at += cap) {
        ASSERT_TRUE(parser_big_window(f.parser, &window, &cap));
        // Never past the argument's CRLF; never small, but at the end.
        ASSERT_LE(cap, s.size() - at);
        ASSERT_TRUE(cap >= kBigWindow || cap == s.size() - at);
        memcpy(window, s.data() + at, cap);
        parser_big_filled(f.parser, cap);
    }
    EXPECT_FALSE(parser_big_window(f.parser, &window, &cap));
    ASSERT_EQ(parser_next(f.parser, &f.limits, &f.pool, s.data(), keep, &pos, &c, &error),
              Parse::command);
    EXPECT_EQ(pos, keep);
    EXPECT_EQ(c.wire_bytes, s.size());
    ASSERT_NE(c.big, nullptr);
    EXPECT_EQ(c.big_index, 2u);
    Blob* kept = blob_ref(c.big);
    parser_reset_command(f.parser);
    EXPECT_EQ(std::string(kept->data, kept->len), value);
    blob_unref(kept);
    EXPECT_LT(parser_memory(f.parser), 512u);
}

TEST(Parser, SeveralBigArgumentsAndAPipelineAroundThem) {
    std::string a(50000, 'a'), b(70000, 'b'), c(90000, 'c');
    std::string s = "PING\r\n" + multibulk({"MSET", "1", a, "2", b}) + multibulk({"SET", "3", c}) +
                    multibulk({"GET", "1"}) + "*1\r\nx\r\n";
    std::string expect = whole(s);
    EXPECT_TRUE(expect.ends_with(") 3:GET 1:1\nerror Protocol error: expected '$', got 'x'\n"));
    for (size_t pool : {1, 4, 16}) {
        for (size_t piece : {7, 100, 16384, 65536}) {
            EXPECT_TRUE(feed_cut(s, piece, piece, pool) == expect) << pool << " " << piece;
        }
    }
}

TEST(Parser, AFullPoolEndsTheBatch) {
    ParserFeed f(4);
    std::string s = multibulk({"a", "b", "c"}) + multibulk({"d", "e"});
    size_t pos = 0;
    Command c;
    Bytes error;
    auto next = [&] {
        return parser_next(f.parser, &f.limits, &f.pool, s.data(), s.size(), &pos, &c, &error);
    };
    EXPECT_EQ(next(), Parse::command);
    EXPECT_EQ(next(), Parse::full);
    EXPECT_EQ(next(), Parse::full);
    f.pool.used = 0;
    EXPECT_EQ(next(), Parse::command);
    EXPECT_TRUE(bytes_equal(c.argv[1], "e"));
    EXPECT_EQ(next(), Parse::more);
    EXPECT_EQ(parser_keep(f.parser), 0u);
}

TEST(Parser, ReturnsAllItsMemory) {
    int64_t before = mem_used();
    for (const Case& c : cases())
        feed_cut(c.in, 3, 5, 2);
    feed_cut(multibulk({"SET", std::string(200000, 'x')}).substr(0, 100000), 999, 5, 2);
    EXPECT_EQ(mem_used(), before);
}

}  // namespace rp
