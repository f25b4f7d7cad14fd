// table/table.cc: finding, and the ways to change a table.
#include "table/table.h"

#include "mem/mem.h"
#include "table/bucket.h"

namespace rp {

// ---- life -------------------------------------------------------------------------------------

Table* table_new() {
    size_t bytes = sizeof(Table) + alignof(Table);
    char* block = static_cast<char*>(mem_calloc(bytes));
    uintptr_t at = reinterpret_cast<uintptr_t>(block);
    size_t skip = (0 - at) & (alignof(Table) - 1);
    // Zero bytes are an empty table; running constructors would touch every page.
    Table* t = reinterpret_cast<Table*>(block + skip);
    t->block = block;
    return t;
}

static void chain_free_entries(const Bucket* b) {
    while (b != nullptr) {
        uint64_t meta = bucket_meta(b);
        for (uint64_t m = meta_used(meta); m != 0; m &= m - 1) {
            entry_free(word_entry(bucket_slot(b, first_slot(m))));
        }
        b = bucket_next(b, meta);
    }
}

void table_free(Table* t) {
    for (Segment& seg : t->segments) {
        uint64_t array = segment_array(&seg);
        if (array == 0) continue;
        const Bucket* first = array_first(array);
        for (uint64_t i = 0; i < array_buckets(array); i++)
            chain_free_entries(first + i);
        array_free(array);
    }
    mem_free(t->block, sizeof(Table) + alignof(Table));
}

// ---- find -------------------------------------------------------------------------------------

[[gnu::noinline]] static Entry* find_slow(const Bucket* b, Bytes key, uint64_t hash) {
    return chain_find(b, key, hash).entry;
}

// The same search as chain_find for what nearly every call meets: a key of usual length in the
// first bucket, and only then. All else is passed on in tail calls: with nothing to save on the
// stack, the processor has room to look up several keys at once (a third faster at 10M keys).
Entry* table_find(const Table* t, Bytes key, uint64_t hash) {
    uint64_t array = segment_array(&t->segments[segment_index(hash)]);
    if (RP_UNLIKELY(array == 0)) return nullptr;
    RP_YIELD();
    const Bucket* b = bucket_of(array, hash);
    if (RP_UNLIKELY(!key_is_usual(key))) return find_slow(b, key, hash);
    uint64_t meta = bucket_meta(b);
    RP_YIELD();
    uint64_t slot_bits = hash_slot_bits(hash);
    for (uint64_t m = meta_matches(meta, hash_tag(hash)); m != 0; m &= m - 1) {
        uint64_t word = bucket_slot(b, first_slot(m));
        if (RP_UNLIKELY(word_is_child(word))) return find_slow(word_child(word), key, hash);
        if (word_slot_bits(word) != slot_bits) continue;
        Entry* e = word_entry(word);
        if (RP_UNLIKELY(e == nullptr || (e->flags & kEntryWide))) return find_slow(b, key, hash);
        if (RP_LIKELY(e->klen8 == key.len && key_equal_usual(entry_key_narrow(e), key))) return e;
    }
    return (meta & kHasChild) ? find_slow(bucket_next(b, meta), key, hash) : nullptr;
}

void table_prefetch_bucket(const Table* t, uint64_t hash) {
    uint64_t array = segment_array(&t->segments[segment_index(hash)]);
    if (array != 0) __builtin_prefetch(bucket_of(array, hash));
}

constexpr size_t kUsualKeyEnd = sizeof(Entry) + 16 - 1;

// The first bucket of the chain only: keys in children pay their misses one by one.
void table_prefetch_entry(const Table* t, uint64_t hash, bool value) {
    const Segment* seg = &t->segments[segment_index(hash)];
    uint64_t array = segment_array(seg);
    if (!value) __builtin_prefetch(&seg->lock, 1);
    if (array == 0) return;
    const Bucket* b = bucket_of(array, hash);
    uint64_t slot_bits = hash_slot_bits(hash);
    for (uint64_t m = meta_matches(bucket_meta(b), hash_tag(hash)); m != 0; m &= m - 1) {
        uint64_t word = bucket_slot(b, first_slot(m));
        if (word_slot_bits(word) != slot_bits) continue;
        const char* entry = reinterpret_cast<const char*>(word_entry(word));
        __builtin_prefetch(entry);
        // A write compares the key, a read goes on to the value.
        __builtin_prefetch(entry + (value ? 64 : kUsualKeyEnd));
    }
}

Place table_locate(Table* t, Bytes key, uint64_t hash) {
    uint64_t array = segment_array(table_segment(t, hash));
    if (array == 0) return {};
    return chain_find(bucket_of(array, hash), key, hash);
}

// ---- change -----------------------------------------------------------------------------------

// Counts have one writer at a time (the lock's holder), so load and store will do; readers sum
// them.
static void count_add(std::atomic<uint64_t>* count, uint64_t delta) {
    count->store(count->load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
}

// T7. Before the change: a reader that met the change finds the version changed, too.
static Segment* segment_write(Table* t, uint64_t hash) {
    Segment* seg = table_segment(t, hash);
    uint32_t version = seg->version.load(std::memory_order_relaxed);
    seg->version.store(version + 1, std::memory_order_release);
    return seg;
}

static uint64_t entry_ttl(const Entry* e) { return entry_expiry_ms(e) != kNoExpiry ? 1 : 0; }

static void segment_count_entry(Segment* seg, const Entry* e, uint64_t sign) {
    count_add(&seg->cost, sign * entry_cost(e));
    if (e->flags & kEntryExpiry) count_add(&seg->ttl_keys, sign * entry_ttl(e));
}

void table_insert(EpochSlot* s, Table* t, uint64_t hash, Entry* take) {
    RP_DCHECK(table_locate(t, entry_key(take), hash).entry == nullptr);
    Segment* seg = segment_write(t, hash);
    segment_make_room(s, seg);
    segment_put(seg, hash, slot_word(hash, take));
    count_add(&seg->keys, 1);
    segment_count_entry(seg, take, 1);
}

Entry* table_replace(Table* t, uint64_t hash, Place at, Entry* take) {
    RP_DCHECK(at.entry != nullptr && bytes_equal(entry_key(at.entry), entry_key(take)));
    Segment* seg = segment_write(t, hash);
    segment_count_entry(seg, take, 1);
    segment_count_entry(seg, at.entry, uint64_t{0} - 1);
    bucket_set_slot(at.bucket, at.slot, slot_word(hash, take));  // T2
    return at.entry;
}

Entry* table_remove(EpochSlot* s, Table* t, uint64_t hash, Place at) {
    RP_DCHECK(at.entry != nullptr);
    Segment* seg = segment_write(t, hash);
    bucket_set_meta(at.bucket, meta_with_tag(bucket_meta(at.bucket), at.slot, 0));  // T3
    RP_YIELD();
    bucket_set_slot(at.bucket, at.slot, 0);
    count_add(&seg->keys, uint64_t{0} - 1);
    segment_count_entry(seg, at.entry, uint64_t{0} - 1);
    segment_give_room(s, seg);
    return at.entry;
}

void table_set_expiry(Table* t, uint64_t hash, Entry* e, int64_t expiry_ms) {
    RP_ASSERT((e->flags & kEntryExpiry) != 0);
    Segment* seg = segment_write(t, hash);
    count_add(&seg->ttl_keys, (expiry_ms != kNoExpiry ? 1u : 0u) - entry_ttl(e));
    // Release pairs with entry_expiry_ms.
    entry_expiry_field(e)->store(expiry_ms, std::memory_order_release);
}

void table_set_integer(Table* t, uint64_t hash, Entry* e, int64_t value) {
    RP_ASSERT(entry_encoding(e) == Encoding::integer);
    segment_write(t, hash);
    entry_word(e)->store(value, std::memory_order_release);  // pairs with entry_integer
}

void table_touch(Table* t, uint64_t hash, size_t cost_before, size_t cost_after) {
    count_add(&segment_write(t, hash)->cost, cost_after - cost_before);
}

void table_reserve(EpochSlot* s, Table* t, uint64_t keys) {
    for (Segment& seg : t->segments) {
        MutexGuard held(&seg.lock);
        segment_reserve(s, &seg, keys / kSegments);
    }
}

// ---- sums -------------------------------------------------------------------------------------

static uint64_t segments_sum(const Table* t, std::atomic<uint64_t> Segment::*field) {
    uint64_t sum = 0;
    for (const Segment& seg : t->segments)
        sum += (seg.*field).load(std::memory_order_relaxed);
    return sum;
}

uint64_t table_keys(const Table* t) { return segments_sum(t, &Segment::keys); }
uint64_t table_ttl_keys(const Table* t) { return segments_sum(t, &Segment::ttl_keys); }
uint64_t table_cost(const Table* t) { return segments_sum(t, &Segment::cost); }
uint64_t table_overhead(const Table* t) {
    return sizeof(Table) + alignof(Table) + segments_sum(t, &Segment::overhead);
}

}  // namespace rp
