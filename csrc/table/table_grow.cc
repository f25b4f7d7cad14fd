// table/table_grow.cc: arrays of buckets: made, filled, enlarged, shrunk, given up.
//
// An array is private until segment_set_array publishes it, and frozen from the moment another one
// replaces it (T5). In between, a full bucket passes its slot 6 on to a child (T4). Chains are
// never cut back: a copy into a new array leaves them behind.
//
// Sizes. At 5.5 keys per bucket 19 in 100 buckets have a child, and a key costs
// 64 * 1.19 / 5.5 = 13.9 bytes; after growth by a quarter 4.4 keys, 8 in 100, 15.7 bytes. Doubling
// would swing between 13.9 and 24 bytes. The price is that a key's slot word is copied four times
// in its life instead of once, in order, at a few nanoseconds each.
#include <new>

#include "mem/mem.h"
#include "table/bucket.h"

namespace rp {

constexpr uint64_t kFillMaxTenths = 55;    // keys per ten buckets: more, and the array grows
constexpr uint64_t kFillFreshTenths = 40;  // what a shrunk array starts with
constexpr uint64_t kFillMinTenths = 7;     // 10 % of 7 slots: less, and it shrinks
constexpr uint64_t kSmallArray = 16;       // up to here it grows by a half
constexpr size_t kSlabMin = 3;             // children per slab
constexpr size_t kSlabMax = 256;

static Bucket* buckets_new(size_t count) {
    void* memory = mem_alloc_aligned(count * sizeof(Bucket), alignof(Bucket));
    memset(memory, 0, count * sizeof(Bucket));
    return static_cast<Bucket*>(memory);
}

static uint64_t array_new(uint64_t buckets) {
    RP_ASSERT(buckets > 0 && buckets <= kBucketsMax);
    Bucket* memory = buckets_new(buckets + 1);
    ArrayHead* head = new (memory) ArrayHead;
    *head = {};
    head->buckets = buckets;
    head->bytes = (buckets + 1) * sizeof(Bucket);
    head->chain_max = 1;
    return array_word(memory + 1, buckets);
}

static void array_free_head(ArrayHead* head) {
    for (Bucket* slab = head->slabs; slab != nullptr;) {
        Bucket* older = reinterpret_cast<Bucket*>(slab->meta.load(std::memory_order_relaxed));
        mem_free_aligned(slab, slab->slots[0].load(std::memory_order_relaxed));
        slab = older;
    }
    size_t bytes = (head->buckets + 1) * sizeof(Bucket);
#ifndef NDEBUG
    memset(static_cast<void*>(head), 0xdf, bytes);  // a reader that comes too late trips over it
#endif
    mem_free_aligned(head, bytes);
}

void array_free(uint64_t word) { array_free_head(array_head(word)); }

static void array_release(void* node, size_t /*bytes*/) {
    array_free_head(static_cast<ArrayHead*>(node));
}

// A zeroed child from the newest slab. Slabs, because single aligned buckets cost a third more.
static Bucket* child_new(ArrayHead* head) {
    if (head->spares == 0) {
        size_t count = head->buckets / 16;
        if (count < kSlabMin) count = kSlabMin;
        if (count > kSlabMax) count = kSlabMax;
        size_t bytes = (count + 1) * sizeof(Bucket);
        Bucket* slab = buckets_new(count + 1);
        slab->meta.store(reinterpret_cast<uint64_t>(head->slabs), std::memory_order_relaxed);
        slab->slots[0].store(bytes, std::memory_order_relaxed);
        head->slabs = slab;
        head->bytes += bytes;
        head->spare = slab + 1;
        head->spares = count;
    }
    head->children++;
    head->spares--;
    return head->spare++;
}

// Bucket b is full: a child takes over slot 6 and the new word. A reader of b's old meta finds the
// child in slot 6 and follows it; one of the new meta goes there by the control byte.
static void bucket_split(ArrayHead* head, Bucket* b, uint64_t tag, uint64_t word) {
    uint64_t meta = bucket_meta(b);
    Bucket* child = child_new(head);
    bucket_set_slot(child, 0, bucket_slot(b, kChildSlot));
    bucket_set_slot(child, 1, word);
    bucket_set_meta(child, meta_tag(meta, kChildSlot) | tag << 8);
    RP_YIELD();
    bucket_set_slot(b, kChildSlot, child_word(child));
    RP_YIELD();
    bucket_set_meta(b, meta_with_tag(meta, kChildSlot, 0) | kHasChild);
}

// Puts a word into the first free slot of its chain; true if that took a new child. The head is a
// cache line of its own, touched for children only.
static bool array_put(uint64_t array, uint64_t position, uint64_t word) {
    Bucket* b = array_first(array) + bucket_index(position, array_buckets(array));
    uint64_t tag = hash_tag(position);
    for (size_t depth = 1;; depth++) {
        uint64_t meta = bucket_meta(b);
        uint64_t free = meta_free(meta);
        if (RP_LIKELY(free != 0)) {
            int slot = first_slot(free);
            bucket_set_slot(b, slot, word);
            RP_YIELD();
            bucket_set_meta(b, meta_with_tag(meta, slot, tag));
            return false;
        }
        if ((meta & kHasChild) == 0) {
            ArrayHead* head = array_head(array);
            if (depth + 1 > head->chain_max) head->chain_max = depth + 1;
            bucket_split(head, b, tag, word);
            return true;
        }
        b = word_child(bucket_slot(b, kChildSlot));
    }
}

static void bucket_copy(const Bucket* b, uint64_t to) {
    while (b != nullptr) {
        uint64_t meta = bucket_meta(b);
        for (uint64_t m = meta_used(meta); m != 0; m &= m - 1) {
            int slot = first_slot(m);
            uint64_t word = bucket_slot(b, slot);
            array_put(to, word_slot_bits(word) << 7 | (meta_tag(meta, slot) & 0x7f), word);
        }
        b = bucket_next(b, meta);
    }
}

static void segment_note_array(Segment* seg, uint64_t array) {
    const ArrayHead* head = array_head(array);
    seg->overhead.store(head->bytes, std::memory_order_relaxed);
    seg->children.store(static_cast<uint32_t>(head->children), std::memory_order_relaxed);
    seg->chain_max.store(static_cast<uint32_t>(head->chain_max), std::memory_order_relaxed);
}

// T5.
static void segment_resize(EpochSlot* s, Segment* seg, uint64_t buckets) {
    uint64_t old = segment_array(seg);
    uint64_t fresh = array_new(buckets);
    const Bucket* b = array_first(old);
    for (const Bucket* end = b + array_buckets(old); b != end; b++)
        bucket_copy(b, fresh);
    RP_YIELD();
    segment_set_array(seg, fresh);
    RP_YIELD();
    segment_note_array(seg, fresh);
    epoch_retire(s, array_head(old), array_head(old)->bytes, array_release);
}

static void segment_start(Segment* seg, uint64_t buckets) {
    uint64_t array = array_new(buckets);
    segment_set_array(seg, array);
    segment_note_array(seg, array);
}

void segment_make_room(EpochSlot* s, Segment* seg) {
    uint64_t array = segment_array(seg);
    if (RP_UNLIKELY(array == 0)) return segment_start(seg, 1);
    uint64_t keys = seg->keys.load(std::memory_order_relaxed) + 1;
    uint64_t buckets = array_buckets(array);
    if (RP_LIKELY(keys * 10 <= buckets * kFillMaxTenths) || buckets == kBucketsMax) return;
    uint64_t more = buckets < kSmallArray ? buckets / 2 : buckets / 4;
    uint64_t wanted = buckets + (more == 0 ? 1 : more);
    segment_resize(s, seg, wanted < kBucketsMax ? wanted : kBucketsMax);
}

void segment_reserve(EpochSlot* s, Segment* seg, uint64_t keys) {
    uint64_t wanted = keys * 10 / kFillMaxTenths + 1;
    if (wanted > kBucketsMax) wanted = kBucketsMax;
    uint64_t array = segment_array(seg);
    if (array == 0) return segment_start(seg, wanted);
    if (array_buckets(array) < wanted) segment_resize(s, seg, wanted);
}

void segment_give_room(EpochSlot* s, Segment* seg) {
    uint64_t keys = seg->keys.load(std::memory_order_relaxed);
    uint64_t buckets = array_buckets(segment_array(seg));
    if (RP_LIKELY(keys * 10 >= buckets * kFillMinTenths) || buckets == 1) return;
    segment_resize(s, seg, keys * 10 / kFillFreshTenths + 1);
}

void segment_put(Segment* seg, uint64_t hash, uint64_t word) {
    uint64_t array = segment_array(seg);
    if (array_put(array, hash_position(hash), word)) segment_note_array(seg, array);
}

}  // namespace rp
