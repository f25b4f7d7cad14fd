#include "resp/out.h"

#include <gtest/gtest.h>

#include <string>

#include "mem/mem.h"

namespace rp {

static std::string text_of(const Out* o) {
    std::string s(o->bytes, '?');
    out_copy(o, s.data());
    return s;
}

static std::string numbers(size_t n) {
    std::string s;
    while (s.size() < n)
        s += std::to_string(s.size()) + ",";
    s.resize(n);
    return s;
}

static void write(Out* o, const std::string& s) { out_write(o, {s.data(), s.size()}); }

static size_t chunks(const Out* o) {
    size_t n = 0;
    for (const OutChunk* c = o->head; c != nullptr; c = c->next)
        n++;
    return n;
}

static Blob* blob_of(const std::string& s) {
    Blob* b = blob_new(s.size());
    memcpy(b->data, s.data(), s.size());
    b->len = s.size();
    return b;
}

// Gives back what it counted: each test ends with no byte held.
class OutTest : public testing::Test {
  protected:
    int64_t before = mem_used();
    void TearDown() override { EXPECT_EQ(mem_used(), before); }
};

TEST_F(OutTest, KeepsBytesOfEveryLengthInOrder) {
    for (size_t n :
         {size_t{0}, size_t{1}, kOutChunkMin, kOutChunkMin + 1, kOutChunkMax, size_t{100000}}) {
        Out o;
        std::string s = numbers(n);
        write(&o, "<");
        write(&o, s);
        write(&o, ">");
        EXPECT_EQ(o.bytes, n + 2);
        EXPECT_TRUE(text_of(&o) == "<" + s + ">") << n;
        out_clear(&o);
        EXPECT_EQ(out_memory(&o), 0u);
    }
}

TEST_F(OutTest, ReservedBytesCountOnceCommitted) {
    Out o;
    memcpy(out_reserve(&o, 100), "abc", 3);
    EXPECT_EQ(o.bytes, 0u);
    out_commit(&o, 3);
    memcpy(out_reserve(&o, kOutChunkMax), "def", 3);
    out_commit(&o, 3);
    EXPECT_EQ(text_of(&o), "abcdef");
    out_clear(&o);
}

TEST_F(OutTest, FirstChunkIsSmallLaterOnesAreLarge) {
    Out o;
    write(&o, "x");
    EXPECT_LE(out_memory(&o), 1040u);
    write(&o, numbers(kOutChunkMin + 5000));
    EXPECT_EQ(chunks(&o), 2u);
    out_clear(&o);
}

TEST_F(OutTest, ABlobIsReferencedAndLetGo) {
    Out o;
    Blob* b = blob_of(numbers(50000));
    write(&o, "<");
    out_blob(&o, b, 10, 40000);
    write(&o, ">");
    EXPECT_EQ(refs_count(&b->refs), 2u);
    EXPECT_EQ(o.bytes, 40002u);
    EXPECT_TRUE(text_of(&o) == "<" + numbers(50000).substr(10, 40000) + ">");
    out_consume(&o, 40001);
    EXPECT_EQ(refs_count(&b->refs), 1u);
    EXPECT_EQ(text_of(&o), ">");
    out_consume(&o, 1);
    EXPECT_EQ(o.head, nullptr);
    blob_unref(b);
}

TEST_F(OutTest, ConsumingInAnyPiecesLeavesTheRest) {
    std::string s = numbers(60000);
    Blob* b = blob_of(s);
    for (size_t piece : {1000, 1024, 16344, 59999}) {
        Out o;
        write(&o, s);
        out_blob(&o, b, 0, s.size());
        write(&o, s);
        std::string all = s + s + s, left = all;
        while (o.bytes > 0) {
            size_t n = piece < o.bytes ? piece : o.bytes;
            out_consume(&o, n);
            left = left.substr(n);
            ASSERT_TRUE(text_of(&o) == left) << piece;
        }
    }
    blob_unref(b);
}

TEST_F(OutTest, SpliceMovesWhatIsUnsent) {
    Blob* b = blob_of(numbers(20000));
    for (int shape = 0; shape < 4; shape++) {
        Out dst, src;
        std::string want = shape & 1 ? "head " : "";
        if (shape & 1) write(&dst, "head ");
        write(&src, "0123456789");
        if (shape & 2) out_blob(&src, b, 0, 20000);
        out_consume(&src, 4);
        want += "456789" + std::string(shape & 2 ? numbers(20000) : "");
        out_splice(&dst, &src);
        EXPECT_EQ(src.head, nullptr);
        EXPECT_EQ(src.bytes, 0u);
        write(&dst, "!");
        EXPECT_TRUE(text_of(&dst) == want + "!") << shape;
        out_consume(&dst, 3);
        EXPECT_TRUE(text_of(&dst) == want.substr(3) + "!");
        out_clear(&dst);
    }
    Out blob_first, dst;
    out_blob(&blob_first, b, 0, 20000);
    out_consume(&blob_first, 19990);
    out_splice(&dst, &blob_first);
    EXPECT_EQ(text_of(&dst), numbers(20000).substr(19990));
    out_splice(&dst, &blob_first);
    out_clear(&dst);
    EXPECT_EQ(refs_count(&b->refs), 1u);
    blob_unref(b);
}

TEST_F(OutTest, RewindUndoesEverythingAfterTheMark) {
    Blob* b = blob_of(numbers(20000));
    for (size_t start : {size_t{0}, size_t{5}, kOutChunkMin, size_t{40000}}) {
        Out o;
        write(&o, numbers(start));
        OutMark m = out_mark(&o);
        for (int again = 0; again < 2; again++) {
            write(&o, numbers(30000));
            out_blob(&o, b, 0, 20000);
            write(&o, "x");
            out_rewind(&o, m);
            EXPECT_TRUE(text_of(&o) == numbers(start)) << start;
        }
        EXPECT_EQ(refs_count(&b->refs), 1u);
        write(&o, "end");
        EXPECT_TRUE(text_of(&o) == numbers(start) + "end");
        out_clear(&o);
    }
    blob_unref(b);
}

}  // namespace rp
