#include "table/entry.h"

#include <gtest/gtest.h>

#include <string>

#include "mem/mem.h"

namespace rp {

static Bytes as_bytes(const std::string& s) { return {s.data(), s.size()}; }
static std::string as_string(Bytes b) { return std::string(b.ptr, b.len); }

TEST(Entry, KeepsKeyAndValueOfEveryShortLength) {
    for (size_t klen = 0; klen <= 40; klen++) {
        for (size_t vlen = 0; vlen <= 40; vlen++) {
            std::string key(klen, 'k'), value(vlen, '\0');
            Entry* e =
                entry_new_string(as_bytes(key), as_bytes(value), Encoding::embstr, kNoExpiry);
            EXPECT_EQ(key, as_string(entry_key(e)));
            EXPECT_EQ(value, as_string(entry_inline(e)));
            EXPECT_EQ(8 + klen + vlen, entry_bytes(e));
            EXPECT_EQ(Type::string, entry_type(e));
            EXPECT_EQ(Encoding::embstr, entry_encoding(e));
            EXPECT_EQ(kNoExpiry, entry_expiry_ms(e));
            entry_free(e);
        }
    }
}

TEST(Entry, LengthsFrom256OnAreWide) {
    for (size_t klen : {255u, 256u, 70000u}) {
        for (size_t vlen : {255u, 256u, 16383u}) {
            std::string key(klen, 'k'), value(vlen, 'v');
            Entry* e = entry_new_string(as_bytes(key), as_bytes(value), Encoding::raw, kNoExpiry);
            bool wide = klen > 255 || vlen > 255;
            EXPECT_EQ(wide, (e->flags & kEntryWide) != 0);
            EXPECT_EQ(key, as_string(entry_key(e)));
            EXPECT_EQ(value, as_string(entry_inline(e)));
            EXPECT_EQ((wide ? 16 : 8) + klen + vlen, entry_bytes(e));
            entry_free(e);
        }
    }
}

TEST(Entry, IntegerLivesInTheWord) {
    Entry* e = entry_new_integer("counter", -42, 1234567890123);
    EXPECT_EQ(Encoding::integer, entry_encoding(e));
    EXPECT_EQ(-42, entry_integer(e));
    EXPECT_EQ(1234567890123, entry_expiry_ms(e));
    EXPECT_EQ(0u, entry_value_len(e));
    EXPECT_EQ("counter", as_string(entry_key(e)));
    EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(entry_word(e)) % 8);
    entry_free(e);
}

TEST(Entry, IntegerUnderALongKeyKeepsBoth) {
    std::string key(300, 'x');
    Entry* e = entry_new_integer(as_bytes(key), INT64_MIN, 77);
    EXPECT_EQ(INT64_MIN, entry_integer(e));
    EXPECT_EQ(77, entry_expiry_ms(e));
    EXPECT_EQ(key, as_string(entry_key(e)));
    EXPECT_EQ(8u + 24 + 300, entry_bytes(e));
    entry_free(e);
}

TEST(Entry, ValuesFromBlobMinOnLiveInABlob) {
    int64_t before = mem_used();
    std::string value(kBlobMin, 'b');
    Entry* e = entry_new_string("big", as_bytes(value), Encoding::embstr, 5);
    EXPECT_EQ(Encoding::blob, entry_encoding(e));
    EXPECT_EQ(value, as_string(blob_bytes(entry_blob(e))));
    EXPECT_EQ(kBlobMin, entry_value_len(e));
    EXPECT_EQ(5, entry_expiry_ms(e));
    EXPECT_GE(entry_cost(e), kBlobMin);
    EXPECT_EQ(static_cast<int64_t>(entry_cost(e)), mem_used() - before);
    entry_free(e);
    EXPECT_EQ(before, mem_used());
}

TEST(Entry, CopySharesABlobAndTakesTheNewKeyAndExpiry) {
    std::string value(kBlobMin + 3, 'b');
    Entry* e = entry_new_string("big", as_bytes(value), Encoding::raw, kNoExpiry);
    e->freq.store(9);
    Entry* copy = entry_copy(e, "other", 99);
    EXPECT_EQ(entry_blob(e), entry_blob(copy));
    EXPECT_EQ("other", as_string(entry_key(copy)));
    EXPECT_EQ(99, entry_expiry_ms(copy));
    EXPECT_EQ(9, copy->freq.load());
    entry_free(e);
    EXPECT_EQ(value, as_string(blob_bytes(entry_blob(copy))));
    entry_free(copy);
}

TEST(Entry, CopyKeepsEncodingOfInlineValuesAndIntegers) {
    Entry* raw = entry_new_string("a", "text", Encoding::raw, 3);
    Entry* copy = entry_copy(raw, "b", kNoExpiry);
    EXPECT_EQ(Encoding::raw, entry_encoding(copy));
    EXPECT_EQ("text", as_string(entry_inline(copy)));
    EXPECT_EQ(kNoExpiry, entry_expiry_ms(copy));
    Entry* integer = entry_new_integer("i", 12, kNoExpiry);
    Entry* same = entry_copy(integer, "j", 8);
    EXPECT_EQ(12, entry_integer(same));
    EXPECT_EQ(8, entry_expiry_ms(same));
    for (Entry* e : {raw, copy, integer, same})
        entry_free(e);
}

TEST(Entry, RetireGivesTheBlobBackAtOnceAndTheEntryLater) {
    EpochSlot* s = epoch_slot();
    Blob* b = blob_new(kBlobMin);
    b->len = kBlobMin;
    Entry* e = entry_new_blob("k", blob_ref(b), kNoExpiry);
    epoch_pin(s);
    entry_retire(s, e);
    EXPECT_EQ(1u, refs_count(&b->refs));
    EXPECT_EQ("k", as_string(entry_key(e)));  // still readable: we are pinned
    EXPECT_EQ(kBlobMin, entry_value_len(e));
    epoch_unpin(s);
    epoch_drain(s);
    blob_unref(b);
}

}  // namespace rp
