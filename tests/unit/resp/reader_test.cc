#include "resp/reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace rp {

static ReplyItem read_one(const std::string& s) {
    ReplyItem item = {};
    size_t pos = 0;
    EXPECT_EQ(reply_read(s.data(), s.size(), &pos, &item), 1) << s;
    EXPECT_EQ(pos, s.size()) << s;
    return item;
}

static std::string text(const ReplyItem& item) { return std::string(item.text.ptr, item.text.len); }

TEST(Reader, ReadsEachKind) {
    EXPECT_EQ(read_one("+OK\r\n").kind, ReplyKind::simple);
    EXPECT_EQ(text(read_one("+OK\r\n")), "OK");
    EXPECT_EQ(read_one("-ERR x\r\n").kind, ReplyKind::error);
    EXPECT_EQ(text(read_one("-ERR x\r\n")), "ERR x");
    EXPECT_EQ(read_one(":-9223372036854775808\r\n").integer, INT64_MIN);
    EXPECT_EQ(text(read_one("$5\r\na\r\nbc\r\n")), "a\r\nbc");
    EXPECT_EQ(read_one("$0\r\n\r\n").kind, ReplyKind::bulk);
    for (const char* null : {"$-1\r\n", "*-1\r\n", "_\r\n"}) {
        EXPECT_EQ(read_one(null).kind, ReplyKind::null);
    }
    EXPECT_EQ(read_one("#t\r\n").integer, 1);
    EXPECT_EQ(read_one("#f\r\n").integer, 0);
    EXPECT_EQ(read_one(",-1.5\r\n").number, -1.5);
    EXPECT_EQ(read_one(",inf\r\n").number, INFINITY);
    EXPECT_TRUE(std::isnan(read_one(",nan\r\n").number));
    EXPECT_EQ(text(read_one("(123456789012345678901234567890\r\n")),
              "123456789012345678901234567890");
    EXPECT_EQ(text(read_one("=7\r\ntxt:abc\r\n")), "abc");
    EXPECT_EQ(read_one("!5\r\nERR x\r\n").kind, ReplyKind::bulk_error);
}

TEST(Reader, AggregatesGiveTheirHeader) {
    const std::pair<const char*, ReplyKind> kRows[] = {
        {"*3\r\n", ReplyKind::array}, {"%3\r\n", ReplyKind::map},       {"~3\r\n", ReplyKind::set},
        {">3\r\n", ReplyKind::push},  {"|3\r\n", ReplyKind::attribute},
    };
    for (const auto& [wire, kind] : kRows) {
        EXPECT_EQ(read_one(wire).kind, kind);
        EXPECT_EQ(read_one(wire).count, 3u);
    }
}

TEST(Reader, SpanCoversNestedItems) {
    for (const std::string& s : {
             std::string("+OK\r\n"),
             std::string("*2\r\n*2\r\n:1\r\n$1\r\na\r\n*0\r\n"),
             std::string("%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n"),
             std::string("|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n"),
             std::string("*1\r\n|1\r\n+ttl\r\n:3\r\n:1\r\n"),
         }) {
        for (size_t n = 0; n < s.size(); n++)
            EXPECT_EQ(reply_span(s.data(), n), 0) << s << n;
        std::string more = s + "+next\r\n";
        EXPECT_EQ(reply_span(more.data(), more.size()), static_cast<int64_t>(s.size())) << s;
    }
}

TEST(Reader, DepthCostsNothing) {
    std::string s;
    for (int i = 0; i < 100000; i++)
        s += "*1\r\n";
    EXPECT_EQ(reply_span(s.data(), s.size()), 0);
    s += ":1\r\n";
    EXPECT_EQ(reply_span(s.data(), s.size()), static_cast<int64_t>(s.size()));
}

TEST(Reader, RefusesWhatIsMalformed) {
    for (const std::string s : {
             "x\r\n",
             ":\r\n",
             ":1x\r\n",
             ":+1\r\n",
             ":9223372036854775808\r\n",
             "$-2\r\n",
             "$x\r\n",
             "$1\r\nabc\r\n",
             "$1\r\nax",
             "*-2\r\n",
             "*x\r\n",
             "*99999999999\r\n",
             "%-1\r\n",
             "#x\r\n",
             "#\r\n",
             ",\r\n",
             ",1.5x\r\n",
             "(\r\n",
             "(-\r\n",
             "(12a\r\n",
             "=3\r\ntxt\r\n",
             "=4\r\ntxt!\r\n",
             "=-1\r\n",
             "_x\r\n",
             "+a\rb\r\n",
             "*1\r\n?\r\n",
         }) {
        EXPECT_EQ(reply_span(s.data(), s.size()), -1) << s;
    }
}

TEST(Reader, PosStaysWhereMoreIsNeeded) {
    std::string s = ":1\r\n$5\r\nab";
    size_t pos = 0;
    ReplyItem item;
    EXPECT_EQ(reply_read(s.data(), s.size(), &pos, &item), 1);
    EXPECT_EQ(reply_read(s.data(), s.size(), &pos, &item), 0);
    EXPECT_EQ(pos, 4u);
}

}  // namespace rp
