// The packed runs of older and newer Redis, by hand.
#include "persist/rdb_legacy.h"

#include "persist/rdb_kit.h"

namespace rp::test {

static std::string walk(Packed kind, const std::string& bytes) {
    std::vector<char> exact(bytes.begin(), bytes.end());
    PackedRun run;
    std::string out;
    if (!packed_open(&run, kind, {exact.data(), exact.size()})) return "no";
    for (;;) {
        Bytes element;
        char digits[kI64TextMax];
        PackedStep step = packed_next(&run, &element, digits);
        if (step == PackedStep::bad) return out + "bad";
        if (step == PackedStep::end) return out + "end";
        out += as_string(element) + " ";
    }
}

// ---- listpacks --------------------------------------------------------------------------------

static std::string back(size_t size) {
    std::string out;
    for (bool last = true; size != 0 || last; size >>= 7, last = false)
        out.insert(0, 1, static_cast<char>((size & 127) | (last ? 128 : 0)));
    // Written from the end: all but the first byte have the top bit.
    for (size_t i = 1; i < out.size(); i++)
        out[i] = static_cast<char>(out[i] | 128);
    out[0] = static_cast<char>(out[0] & 127);
    return out;
}
static std::string lp_entry(const std::string& bytes) { return bytes + back(bytes.size()); }
static std::string listpack(const std::vector<std::string>& entries, int count = -1) {
    std::string body;
    for (const std::string& e : entries)
        body += lp_entry(e);
    body += "\xff";
    auto n = static_cast<uint64_t>(count >= 0 ? count : static_cast<int>(entries.size()));
    return number(body.size() + 6, 4) + number(n, 2) + body;
}

TEST(Listpack, EveryEncodingIsRead) {
    std::string s500(500, 's'), s5000(5000, 'S');
    EXPECT_EQ(
        "0 127 ab -1 4095 -4096 -2 -3 -4 -5 " + s500 + " " + s5000 + " end",
        walk(Packed::listpack,
             listpack({std::string(1, '\0'), "\x7f",
                       "\x82"
                       "ab",
                       "\xdf\xff", "\xcf\xff", std::string("\xd0\0", 2), "\xf1" + number(0xfffe, 2),
                       "\xf2" + number(0xfffffd, 3), "\xf3" + number(0xfffffffc, 4),
                       "\xf4" + number(static_cast<uint64_t>(-5), 8), "\xe1\xf4" + s500,
                       "\xf0" + number(5000, 4) + s5000})));
    EXPECT_EQ("end", walk(Packed::listpack, listpack({})));
    EXPECT_EQ("5 end", walk(Packed::listpack, listpack({"\x05"}, 65535)));  // count unknown
}

TEST(Listpack, DamageIsSeen) {
    std::string good = listpack({"\x05",
                                 "\x82"
                                 "ab"});
    EXPECT_EQ("5 ab end", walk(Packed::listpack, good));
    EXPECT_EQ("5 ab bad", walk(Packed::listpack, listpack({"\x05",
                                                           "\x82"
                                                           "ab"},
                                                          3)));
    EXPECT_EQ("no", walk(Packed::listpack, good + "x"));
    EXPECT_EQ("no", walk(Packed::listpack, good.substr(0, good.size() - 1)));
    EXPECT_EQ("no", walk(Packed::listpack, ""));
    EXPECT_EQ("bad", walk(Packed::listpack, listpack({"\xf5"})));  // no such code
    EXPECT_EQ("bad", walk(Packed::listpack, listpack({"\xff"})));  // an end inside
    EXPECT_EQ("bad", walk(Packed::listpack, listpack({"\xbf"
                                                      "a"})));  // 63 bytes announced
    EXPECT_EQ("bad", walk(Packed::listpack, listpack({"\xf0" + number(0xffffffff, 4)})));
    std::string wrong_back = good;
    wrong_back[7] = 2;
    EXPECT_EQ("bad", walk(Packed::listpack, wrong_back));
}

// ---- ziplists ---------------------------------------------------------------------------------

static std::string ziplist(const std::vector<std::string>& entries, int count = -1) {
    std::string body;
    size_t before = 0, tail = 10;
    for (const std::string& e : entries) {
        std::string head =
            before < 254 ? std::string(1, static_cast<char>(before)) : "\xfe" + number(before, 4);
        tail = 10 + body.size();
        body += head + e;
        before = head.size() + e.size();
    }
    body += "\xff";
    auto n = static_cast<uint64_t>(count >= 0 ? count : static_cast<int>(entries.size()));
    return number(body.size() + 10, 4) + number(tail, 4) + number(n, 2) + body;
}

TEST(Ziplist, EveryEncodingIsRead) {
    std::string s300(300, 'z'), s20000(20000, 'Z');
    EXPECT_EQ("abc 0 12 -2 -3 -4 -5 -6 " + s300 + " " + s20000 + " x end",
              walk(Packed::ziplist,
                   ziplist({"\x03"
                            "abc",
                            "\xf1", "\xfd", "\xfe" + number(0xfe, 1), "\xc0" + number(0xfffd, 2),
                            "\xf0" + number(0xfffffc, 3), "\xd0" + number(0xfffffffb, 4),
                            "\xe0" + number(static_cast<uint64_t>(-6), 8), "\x41\x2c" + s300,
                            std::string("\x80\0\0\x4e\x20", 5) + s20000, "\x01x"})));
    EXPECT_EQ("end", walk(Packed::ziplist, ziplist({})));
    EXPECT_EQ("0 end", walk(Packed::ziplist, ziplist({"\xf1"}, 65535)));
}

TEST(Ziplist, DamageIsSeen) {
    std::string good =
        ziplist({"\x01"
                 "a",
                 "\xf1"});
    EXPECT_EQ("a 0 end", walk(Packed::ziplist, good));
    EXPECT_EQ("a 0 bad", walk(Packed::ziplist, ziplist({"\x01"
                                                        "a",
                                                        "\xf1"},
                                                       1)));
    std::string wrong_tail = good, wrong_before = good;
    wrong_tail[4] = 10;
    wrong_before[13] = 4;
    EXPECT_EQ("a 0 bad", walk(Packed::ziplist, wrong_tail));
    EXPECT_EQ("a bad", walk(Packed::ziplist, wrong_before));
    EXPECT_EQ("bad", walk(Packed::ziplist, ziplist({"\x3f"
                                                    "a"})));
    EXPECT_EQ("bad", walk(Packed::ziplist, ziplist({"\x80\xff\xff\xff\xff"})));
    EXPECT_EQ("bad", walk(Packed::ziplist, ziplist({"\x81"
                                                    "aaaaaa"})));
    EXPECT_EQ("bad", walk(Packed::ziplist, ziplist({"\xff"})));
    EXPECT_EQ("no", walk(Packed::ziplist, good + "x"));
}

// ---- zipmaps and intsets ----------------------------------------------------------------------

TEST(Zipmap, SpareBytesAndLongLengthsAreRead) {
    std::string v300(300, 'v');
    std::string bytes = std::string(
        "\x02\x01"
        "f\x01\x02"
        "1..\xfe",
        9);
    bytes += number(1, 4) + "g" + "\xfe" + number(300, 4) + std::string(1, '\0') + v300 + "\xff";
    EXPECT_EQ("f 1 g " + v300 + " end", walk(Packed::zipmap, bytes));
    bytes[0] = '\xfe';  // count unknown
    EXPECT_EQ("f 1 g " + v300 + " end", walk(Packed::zipmap, bytes));
    bytes[0] = 3;
    EXPECT_EQ("f 1 g " + v300 + " bad", walk(Packed::zipmap, bytes));
    EXPECT_EQ("f bad", walk(Packed::zipmap, std::string("\x01\x01"
                                                        "f\xff",
                                                        4)));
    EXPECT_EQ("end", walk(Packed::zipmap, std::string("\0\xff", 2)));
    EXPECT_EQ("no", walk(Packed::zipmap, std::string("\0", 1)));
    EXPECT_EQ("f bad", walk(Packed::zipmap, std::string("\x01\x01"
                                                        "f\x01\xf0"
                                                        "1\xff",
                                                        7)));
    EXPECT_EQ("bad", walk(Packed::zipmap, std::string("\x01\xfe\xff\xff\xff\xff"
                                                      "f\xff",
                                                      8)));
}

TEST(Intset, WidthCountAndOrderAreChecked) {
    auto set = [](uint64_t width, uint64_t count, const std::string& values) {
        return walk(Packed::intset, number(width, 4) + number(count, 4) + values);
    };
    EXPECT_EQ("-1 2 end", set(2, 2, number(0xffff, 2) + number(2, 2)));
    EXPECT_EQ("-2 end", set(4, 1, number(0xfffffffe, 4)));
    EXPECT_EQ("-3 end", set(8, 1, number(static_cast<uint64_t>(-3), 8)));
    EXPECT_EQ("2 bad", set(2, 2, number(2, 2) + number(2, 2)));
    EXPECT_EQ("2 bad", set(2, 2, number(2, 2) + number(1, 2)));
    EXPECT_EQ("no", set(3, 1, "abc"));
    EXPECT_EQ("no", set(0, 0, ""));
    EXPECT_EQ("no", set(2, 2, "ab"));
    EXPECT_EQ("no", set(2, 0xffffffff, "ab"));
    EXPECT_EQ("no", set(2, 1, "abc"));
}

// ---- values made of them ----------------------------------------------------------------------

TEST(RdbLegacy, EveryTypeCodeIsRead) {
    std::string lp =
        listpack({"\x82"
                  "aa",
                  "\x01",
                  "\x82"
                  "bb",
                  "\x02"});
    std::string zl =
        ziplist({"\x02"
                 "aa",
                 "\xf2",
                 "\x02"
                 "bb",
                 "\xf3"});
    std::string zm(
        "\x02\x02"
        "aa\x01\0"
        "1\x02"
        "bb\x01\0"
        "2\xff",
        14);
    EXPECT_EQ("hash [aa=1, bb=2]", restored_body("\x09" + text(zm)));
    EXPECT_EQ("list [aa, 1, bb, 2]", restored_body("\x0a" + text(zl)));
    EXPECT_EQ("set [1, 7]", restored_body("\x0b" + text(number(2, 4) + number(2, 4) + number(1, 2) +
                                                        number(7, 2))));
    EXPECT_EQ("zset [aa=1, bb=2]", restored_body("\x0c" + text(zl)));
    EXPECT_EQ("hash [aa=1, bb=2]", restored_body("\x0d" + text(zl)));
    EXPECT_EQ("list [aa, 1, bb, 2, aa, 1, bb, 2]", restored_body("\x0e\x02" + text(zl) + text(zl)));
    EXPECT_EQ("hash [aa=1, bb=2]", restored_body("\x10" + text(lp)));
    EXPECT_EQ("zset [aa=1, bb=2]", restored_body("\x11" + text(lp)));
    EXPECT_EQ("list [aa, 1, bb, 2, plain]",
              restored_body("\x12\x02\x02" + text(lp) + "\x01" + text("plain")));
    EXPECT_EQ("set [1, 2, aa, bb]", restored_body("\x14" + text(lp)));
}

TEST(RdbLegacy, DamagedRunsAreRefused) {
    std::string odd =
        listpack({"\x82"
                  "aa",
                  "\x01",
                  "\x82"
                  "bb"});
    std::string twice =
        listpack({"\x82"
                  "aa",
                  "\x01",
                  "\x82"
                  "aa",
                  "\x02"});
    std::string words =
        listpack({"\x82"
                  "aa",
                  "\x82"
                  "bb"});
    std::string none = listpack({});
    for (int code : {16, 17}) {
        std::string head(1, static_cast<char>(code));
        EXPECT_EQ("bad", restored_body(head + text(odd)));
        EXPECT_EQ("bad", restored_body(head + text(twice)));
        EXPECT_EQ("bad", restored_body(head + text(none)));
        EXPECT_EQ("bad", restored_body(head + text("")));
    }
    EXPECT_EQ("bad", restored_body("\x11" + text(words)));  // scores that are words
    EXPECT_EQ("bad", restored_body("\x14" + text(twice)));
    EXPECT_EQ("bad", restored_body("\x12\x01\x03" + text(words)));
    EXPECT_EQ("bad", restored_body(std::string("\x12\x01\0", 3) + text(words)));
    EXPECT_EQ("bad", restored_body("\x0e\x01" + text(words)));  // a listpack is no ziplist
    EXPECT_EQ("bad", restored_body("\x0b" + text(words)));
}

}  // namespace rp::test
