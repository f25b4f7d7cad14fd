#include "resp/reply.h"
#include "unit/resp/out_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

namespace rp {

using Write = std::function<void(Reply*)>;

static std::string wire(uint8_t resp, const Write& write) {
    Out o;
    Reply r;
    r.out = &o;
    r.resp = resp;
    write(&r);
    return out_text(&o);
}

struct Row {
    Write write;
    const char* resp2;
    const char* resp3;
};

TEST(Reply, EachMeaningHasItsBytesInBothVersions) {
    const Row kRows[] = {
        {[](Reply* r) { reply_raw(r, ":1\r\n"); }, ":1\r\n", ":1\r\n"},
        {[](Reply* r) { reply_ok(r); }, "+OK\r\n", "+OK\r\n"},
        {[](Reply* r) { reply_simple(r, "QUEUED"); }, "+QUEUED\r\n", "+QUEUED\r\n"},
        {[](Reply* r) { reply_error(r, "ERR no"); }, "-ERR no\r\n", "-ERR no\r\n"},
        {[](Reply* r) { reply_bulk(r, "a\r\nb"); }, "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
        {[](Reply* r) { reply_bulk(r, {}); }, "$0\r\n\r\n", "$0\r\n\r\n"},
        {[](Reply* r) { reply_bulk_int(r, -42); }, "$3\r\n-42\r\n", "$3\r\n-42\r\n"},
        {[](Reply* r) { reply_null(r); }, "$-1\r\n", "_\r\n"},
        {[](Reply* r) { reply_null_array(r); }, "*-1\r\n", "_\r\n"},
        {[](Reply* r) { reply_array(r, 0); }, "*0\r\n", "*0\r\n"},
        {[](Reply* r) { reply_array(r, 1234567); }, "*1234567\r\n", "*1234567\r\n"},
        {[](Reply* r) { reply_map(r, 6); }, "*12\r\n", "%6\r\n"},
        {[](Reply* r) { reply_set(r, 3); }, "*3\r\n", "~3\r\n"},
        {[](Reply* r) { reply_push(r, 3); }, "*3\r\n", ">3\r\n"},
        {[](Reply* r) { reply_bool(r, true); }, ":1\r\n", "#t\r\n"},
        {[](Reply* r) { reply_bool(r, false); }, ":0\r\n", "#f\r\n"},
        {[](Reply* r) { reply_double(r, 1.5); }, "$3\r\n1.5\r\n", ",1.5\r\n"},
        {[](Reply* r) { reply_double(r, -INFINITY); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
        {[](Reply* r) { reply_double(r, 0.1); }, "$19\r\n0.10000000000000001\r\n",
         ",0.10000000000000001\r\n"},
        {[](Reply* r) { reply_long_double(r, 3.25L); }, "$4\r\n3.25\r\n", "$4\r\n3.25\r\n"},
        {[](Reply* r) { reply_verbatim(r, "hi", "txt"); }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"},
    };
    for (const Row& row : kRows) {
        EXPECT_EQ(wire(2, row.write), row.resp2);
        EXPECT_EQ(wire(3, row.write), row.resp3);
    }
}

TEST(Reply, IntegersOfEveryLength) {
    for (int64_t v : {int64_t{0}, int64_t{9}, int64_t{10}, int64_t{99}, int64_t{100}, int64_t{-1},
                      int64_t{-100}, INT64_MAX, INT64_MIN}) {
        EXPECT_EQ(wire(2, [&](Reply* r) { reply_int(r, v); }), ":" + std::to_string(v) + "\r\n");
    }
}

TEST(Reply, ErrorsAreOneLine) {
    EXPECT_EQ(wire(2, [](Reply* r) { reply_error(r, "ERR a\r\n+OK\r\nb\n"); }),
              "-ERR a  +OK  b \r\n");
    std::string longest(100000, 'e');
    EXPECT_EQ(wire(2,
                   [&](Reply* r) {
                       reply_error(r, {longest.data(), longest.size()});
                   }),
              "-" + longest + "\r\n");
    EXPECT_EQ(wire(2, [&](Reply* r) { reply_errorf(r, "ERR '%s' %d", "x\ny", 7); }),
              "-ERR 'x y' 7\r\n");
    EXPECT_EQ(wire(2, [&](Reply* r) { reply_errorf(r, "%s", longest.c_str()); }),
              "-" + longest.substr(0, 1023) + "\r\n");
}

TEST(Reply, ErrorsAreCountedWithTheirCode) {
    Out o;
    Reply r;
    r.out = &o;
    reply_ok(&r);
    EXPECT_EQ(r.errors, 0u);
    reply_error(&r, "WRONGTYPE Operation");
    EXPECT_TRUE(bytes_equal(r.error_code(), "WRONGTYPE"));
    reply_errorf(&r, "%s", "EXECABORT");
    EXPECT_TRUE(bytes_equal(r.error_code(), "EXECABORT"));
    reply_error(&r, "012345678901234567890123456789");
    EXPECT_TRUE(bytes_equal(r.error_code(), "012345678901234567890123"));
    EXPECT_EQ(r.errors, 3u);
    out_clear(&o);
}

TEST(Reply, BulksOfEveryLength) {
    for (size_t n :
         {1, 99, 100, 950, 957, 958, 959, 960, 984, 1000, 16343, 16344, 16345, 1000000}) {
        std::string s(n, 'b'), want = "$" + std::to_string(n) + "\r\n" + s + "\r\n";
        Bytes b = {s.data(), n};
        EXPECT_TRUE(wire(2, [&](Reply* r) { reply_bulk(r, b); }) == want) << n;
        std::string twice = wire(2, [&](Reply* r) {
            reply_bulk(r, b);
            reply_bulk(r, b);
        });
        EXPECT_TRUE(twice == want + want) << n;
        std::string simple = wire(2, [&](Reply* r) { reply_simple(r, b); });
        EXPECT_TRUE(simple == "+" + s + "\r\n") << n;
    }
}

TEST(Reply, LongBlobsAreReferencedShortPartsCopied) {
    Blob* b = blob_new(kOutBlobMin + 10);
    b->len = kOutBlobMin + 10;
    memset(b->data, 'z', b->len);
    Out o;
    Reply r;
    r.out = &o;
    reply_bulk_blob(&r, b, 5, kOutBlobMin - 1);
    EXPECT_EQ(refs_count(&b->refs), 1u);
    reply_bulk_blob(&r, b, 5, kOutBlobMin);
    EXPECT_EQ(refs_count(&b->refs), 2u);
    std::string s(o.bytes, '?');
    out_copy(&o, s.data());
    EXPECT_TRUE(s == "$16383\r\n" + std::string(16383, 'z') + "\r\n$16384\r\n" +
                         std::string(16384, 'z') + "\r\n");
    out_clear(&o);
    EXPECT_EQ(refs_count(&b->refs), 1u);
    blob_unref(b);
}

}  // namespace rp
