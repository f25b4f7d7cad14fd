#include "table/table.h"

#include <set>

#include "mem/mem.h"
#include "table/bucket.h"
#include "unit/table/fixture.h"

namespace rp {

using TableTest = TableFixture;

static std::string key_of(size_t i) { return "key:" + std::to_string(i); }

static uint64_t buckets_total(const Table* t) {
    uint64_t sum = 0;
    for (const Segment& seg : t->segments) {
        uint64_t array = seg.array.load();
        if (array != 0) sum += array_buckets(array);
    }
    return sum;
}

TEST_F(TableTest, AnEmptyTableFindsNothing) {
    EXPECT_EQ(std::nullopt, get("nothing"));
    EXPECT_EQ(0u, table_keys(t));
    EXPECT_EQ(nullptr, table_random(t));
    EXPECT_EQ(0u, table_scan(
                      t, 0, [](Entry*, void*) { FAIL(); }, nullptr));
    table_prefetch_bucket(t, 1);
    table_prefetch_entry(t, 1, true);
    EXPECT_FALSE(remove("nothing"));
}

TEST_F(TableTest, InsertedKeysAreFoundAndOthersAreNot) {
    put("a", "1");
    put("b", "2");
    EXPECT_EQ("1", get("a"));
    EXPECT_EQ("2", get("b"));
    EXPECT_EQ(std::nullopt, get("c"));
    EXPECT_EQ(2u, table_keys(t));
}

TEST_F(TableTest, KeysAreBytesNotText) {
    std::string zero(1, '\0'), zeros(2, '\0');
    put("", "empty");
    put(zero, "one");
    put(zeros, "two");
    EXPECT_EQ("empty", get(""));
    EXPECT_EQ("one", get(zero));
    EXPECT_EQ("two", get(zeros));
}

// Keys of one length that differ in one byte only, for every length the short compare splits at.
TEST_F(TableTest, KeysThatDifferInOneByteAreDifferent) {
    for (size_t len = 1; len <= 40; len++) {
        std::string key(len, 'x');
        uint64_t hash = 12345;
        forced_hashes = true;
        put(key, "original", hash);
        for (size_t at = 0; at < len; at++) {
            std::string other = key;
            other[at] = 'y';
            EXPECT_EQ(nullptr, find(other, hash)) << len << " " << at;
        }
        EXPECT_NE(nullptr, find(key, hash));
        EXPECT_TRUE(remove(key, hash));
    }
}

TEST_F(TableTest, GrowthKeepsEveryKeyVisible) {
    constexpr size_t kKeys = 60000;
    for (size_t i = 0; i < kKeys; i++) {
        put(key_of(i), std::to_string(i));
        if ((i & 1023) != 0) continue;
        for (size_t j = 0; j <= i; j += 97)
            ASSERT_EQ(std::to_string(j), get(key_of(j)));
    }
    check();
    for (size_t i = 0; i < kKeys; i++)
        ASSERT_EQ(std::to_string(i), get(key_of(i)));
    EXPECT_EQ(kKeys, table_keys(t));
    EXPECT_GT(buckets_total(t), kKeys / 7);
}

TEST_F(TableTest, DeletionShrinksTheArraysAndKeepsTheRest) {
    constexpr size_t kKeys = 60000;
    for (size_t i = 0; i < kKeys; i++)
        put(key_of(i), "v");
    uint64_t full = table_overhead(t);
    for (size_t i = 0; i < kKeys; i++) {
        if (i % 100 == 0) continue;
        ASSERT_TRUE(remove(key_of(i)));
    }
    check();
    EXPECT_LT(table_overhead(t) - sizeof(Table), (full - sizeof(Table)) / 4);
    for (size_t i = 0; i < kKeys; i++)
        ASSERT_EQ(i % 100 == 0, get(key_of(i)).has_value());
    for (size_t i = 0; i < kKeys; i += 100)
        ASSERT_TRUE(remove(key_of(i)));
    EXPECT_EQ(0u, table_keys(t));
    EXPECT_EQ(0u, table_cost(t));
    EXPECT_LE(buckets_total(t), kSegments);  // not below one bucket
}

TEST_F(TableTest, AShrunkArrayDoesNotGrowAtTheNextInsert) {
    forced_hashes = true;
    auto hash_of = [](size_t i) { return i * 0x9e3779b97f4a7c15u & ((uint64_t{1} << 54) - 1); };
    Segment* seg = &t->segments[0];
    for (size_t i = 0; i < 2000; i++)
        put(key_of(i), "v", hash_of(i));
    uint64_t array = seg->array.load();
    size_t left = 2000;
    while (seg->array.load() == array) {
        left--;
        remove(key_of(left), hash_of(left));
    }
    uint64_t shrunk = array_buckets(seg->array.load());
    EXPECT_LT(shrunk, array_buckets(array));
    for (size_t i = left; i < left + left / 10; i++)
        put(key_of(i), "v", hash_of(i));
    EXPECT_EQ(shrunk, array_buckets(seg->array.load()));
}

// 15 to 16 bytes from some 500 keys per segment on; heads and slabs weigh more in smaller arrays.
TEST_F(TableTest, ArraysCostLessThan17BytesPerKey) {
    constexpr size_t kKeys = 350000;
    for (size_t i = 0; i < kKeys; i++) {
        put(key_of(i), "v");
        if (i < 200000 || i % 25000 != 0) continue;
        size_t arrays = table_overhead(t) - sizeof(Table);
        EXPECT_LT(static_cast<double>(arrays) / static_cast<double>(i), 17.0) << i;
    }
}

TEST_F(TableTest, ReplaceKeepsOnlyTheNewValue) {
    put("k", "old");
    Entry* before = find("k");
    put("k", "new");
    EXPECT_EQ("new", get("k"));
    EXPECT_NE(before, find("k"));
    EXPECT_EQ(1u, table_keys(t));
}

TEST_F(TableTest, AReplacedEntryStaysReadableWhilePinned) {
    put("k", "old");
    EpochPin pin(s);
    Entry* e = find("k");
    put("k", "new");
    for (int i = 0; i < 2000; i++)
        put("other", std::to_string(i));  // forces reclaims
    EXPECT_EQ("old", entry_text(e));
}

TEST_F(TableTest, DeletedKeysCanBeInsertedAgain) {
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < 100; i++)
            put(key_of(i), std::to_string(round));
        EXPECT_EQ(100u, table_keys(t));
        for (size_t i = 0; i < 100; i++)
            ASSERT_EQ(std::to_string(round), get(key_of(i)));
        for (size_t i = 0; i < 100; i++)
            ASSERT_TRUE(remove(key_of(i)));
        EXPECT_FALSE(remove(key_of(0)));
        EXPECT_EQ(0u, table_keys(t));
    }
}

TEST_F(TableTest, LongKeysAndBlobsAreFound) {
    std::string key(300, 'k'), huge(100000, 'K'), value(1000, 'v'), blob(50000, 'b');
    put(key, value);
    put(huge, blob);
    put("small", blob);
    EXPECT_EQ(value, get(key));
    EXPECT_EQ(blob, get(huge));
    EXPECT_EQ(blob, get("small"));
    huge.back() = 'L';
    EXPECT_EQ(std::nullopt, get(huge));
}

// All 64 hash bits equal: nothing but the key tells them apart.
TEST_F(TableTest, CollidingKeysFormAChainThatIsCounted) {
    forced_hashes = true;
    constexpr uint64_t kHash = 0x0123456789abcdef;
    Segment* seg = table_segment(t, kHash);
    for (size_t i = 0; i < 300; i++)
        put(key_of(i), std::to_string(i), kHash);
    for (size_t i = 0; i < 300; i++) {
        Entry* e = find(key_of(i), kHash);
        ASSERT_NE(nullptr, e);
        EXPECT_EQ(std::to_string(i), entry_text(e));
    }
    EXPECT_EQ(nullptr, find("absent", kHash));
    EXPECT_GE(seg->chain_max.load(), 300u / 6 - 1);
    EXPECT_EQ(seg->children.load() + 1, seg->chain_max.load());
    for (size_t i = 0; i < 300; i += 2)
        EXPECT_TRUE(remove(key_of(i), kHash));
    for (size_t i = 0; i < 300; i++)
        EXPECT_EQ(i % 2 == 1, find(key_of(i), kHash) != nullptr);
    for (size_t i = 0; i < 300; i += 2)
        put(key_of(i), "again", kHash);
    for (size_t i = 0; i < 300; i++)
        EXPECT_NE(nullptr, find(key_of(i), kHash));
}

// T4: between the two stores of a split a reader of the old meta finds slot 6's key in the child.
TEST_F(TableTest, AFullBucketPassesItsLastSlotToAChild) {
    forced_hashes = true;
    constexpr uint64_t kHash = 0x7f;
    for (size_t i = 0; i < 5; i++)
        put(key_of(i), "v", kHash);
    while (array_buckets(t->segments[0].array.load()) == 1)
        put("filler", "v", kHash);
    put("six", "v", kHash);
    Bucket* b = bucket_of(t->segments[0].array.load(), kHash);
    while (meta_free(bucket_meta(b)) != 0)
        put("x" + std::to_string(table_keys(t)), "v", kHash);
    uint64_t before = bucket_meta(b);
    std::string last = as_string(entry_key(word_entry(bucket_slot(b, kChildSlot))));
    EXPECT_EQ(0u, before & kHasChild);
    {
        MutexGuard guard(&t->segments[0].lock);
        segment_put(&t->segments[0], kHash, slot_word(kHash, find("six", kHash)));
    }
    EXPECT_TRUE(word_is_child(bucket_slot(b, kChildSlot)));
    EXPECT_NE(nullptr, find(last, kHash));
    b->meta.store(before);  // what a slow reader still holds
    EXPECT_NE(nullptr, find(last, kHash));
    b->meta.store((before & ~(uint64_t{0xff} << 48)) | kHasChild);
    // Take the second copy of "six" out again, so that it is freed once.
    Bucket* child = word_child(bucket_slot(b, kChildSlot));
    child->meta.store(meta_with_tag(child->meta.load(), 1, 0));
    child->slots[1].store(0);
}

TEST_F(TableTest, CountsFollowEveryChange) {
    put("a", "1");
    put_entry(entry_new_string("b", "2", Encoding::embstr, 1000));
    EXPECT_EQ(2u, table_keys(t));
    EXPECT_EQ(1u, table_ttl_keys(t));
    EXPECT_EQ(mem_cost(10) + mem_cost(18), table_cost(t));
    put_entry(entry_new_string("a", "1", Encoding::embstr, 5));
    EXPECT_EQ(2u, table_ttl_keys(t));
    put("b", "3");
    EXPECT_EQ(1u, table_ttl_keys(t));
    EXPECT_EQ(mem_cost(10) + mem_cost(18), table_cost(t));
    remove("a");
    EXPECT_EQ(0u, table_ttl_keys(t));
    EXPECT_EQ(mem_cost(10), table_cost(t));
    std::string big(20000, 'x');
    put("big", big);
    EXPECT_GT(table_cost(t), 20000u);
    remove("big");
    EXPECT_EQ(mem_cost(10), table_cost(t));
}

TEST_F(TableTest, ExpiryChangesInPlaceAndIsCounted) {
    put_entry(entry_new_string("k", "v", Encoding::embstr, 1000));
    uint64_t hash = table_hash("k");
    Entry* e = find("k");
    MutexGuard guard(&table_segment(t, hash)->lock);
    uint32_t version = table_segment(t, hash)->version.load();
    table_set_expiry(t, hash, e, 2000);
    EXPECT_EQ(2000, entry_expiry_ms(e));
    EXPECT_EQ(1u, table_ttl_keys(t));
    table_set_expiry(t, hash, e, kNoExpiry);
    EXPECT_EQ(kNoExpiry, entry_expiry_ms(e));
    EXPECT_EQ(0u, table_ttl_keys(t));
    table_set_expiry(t, hash, e, 3000);
    EXPECT_EQ(1u, table_ttl_keys(t));
    EXPECT_EQ(version + 3, table_segment(t, hash)->version.load());
}

TEST_F(TableTest, IntegersChangeInPlace) {
    put_entry(entry_new_integer("n", 1, kNoExpiry));
    uint64_t hash = table_hash("n");
    Entry* e = find("n");
    MutexGuard guard(&table_segment(t, hash)->lock);
    table_set_integer(t, hash, e, INT64_MIN);
    EXPECT_EQ(INT64_MIN, entry_integer(table_find(t, "n", hash)));
}

// T7.
TEST_F(TableTest, EveryWriteChangesTheVersionAndNoReadDoes) {
    uint64_t hash = table_hash("k");
    std::atomic<uint32_t>* version = &table_segment(t, hash)->version;
    uint32_t before = version->load();
    put("k", "1");
    EXPECT_NE(before, version->load());
    before = version->load();
    put("k", "2");
    EXPECT_NE(before, version->load());
    before = version->load();
    get("k");
    EXPECT_EQ(before, version->load());
    remove("k");
    EXPECT_NE(before, version->load());
}

// T6.
TEST_F(TableTest, TxnIsOddOnlyInside) {
    Segment* seg = &t->segments[3];
    EXPECT_EQ(0u, seg->txn.load() & 1);
    segment_txn_begin(seg);
    EXPECT_EQ(1u, seg->txn.load() & 1);
    segment_txn_end(seg);
    EXPECT_EQ(0u, seg->txn.load() & 1);
}

TEST_F(TableTest, PrefetchNeverFaults) {
    for (size_t i = 0; i < 1000; i++)
        put(key_of(i), "v");
    EpochPin pin(s);
    for (size_t i = 0; i < 3000; i++) {
        uint64_t hash = table_hash(as_bytes(key_of(i)));
        table_prefetch_bucket(t, hash);
        table_prefetch_entry(t, hash, true);
    }
}

TEST_F(TableTest, HashesSpreadAndDependOnEveryByte) {
    std::set<uint64_t> seen;
    for (size_t len = 0; len < 300; len++)
        seen.insert(table_hash(as_bytes(std::string(len, 'a'))));
    EXPECT_EQ(300u, seen.size());
    for (size_t i = 0; i < 10000; i++)
        put(key_of(i), "v");
    for (const Segment& seg : t->segments)
        EXPECT_LT(seg.keys.load(), 40u);
}

// Every number of buckets an array word can hold comes back from it.
TEST_F(TableTest, ArrayWordHoldsAddressAndSize) {
    const Bucket* first = reinterpret_cast<const Bucket*>(uintptr_t{0x7fffdeadbec0});
    for (uint64_t n : {1ul, 2ul, 63ul, 64ul, 65535ul, 65536ul, 70001ul, (1ul << 22) - 1}) {
        uint64_t word = array_word(first, n);
        EXPECT_EQ(first, array_first(word));
        EXPECT_EQ(n, array_buckets(word));
        EXPECT_EQ(0u, bucket_index(0, n));
        EXPECT_EQ(n - 1, bucket_index(kPositionMask, n));
    }
}

}  // namespace rp
