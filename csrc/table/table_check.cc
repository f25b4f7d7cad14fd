// table/table_check.cc: the invariants of table.h, walked. For tests and debug builds.
#include "table/bucket.h"

namespace rp {

struct SegmentTally {
    uint64_t keys = 0;
    uint64_t ttl_keys = 0;
    uint64_t cost = 0;
    uint64_t children = 0;
    uint64_t chain_max = 0;
};

// A key is found at its own place and nowhere else: T4 leaves no copies behind once a write is
// over.
static void check_entry(Table* t, const Bucket* b, int slot, uint64_t meta, SegmentTally* tally) {
    uint64_t word = bucket_slot(b, slot);
    RP_ASSERT(!word_is_child(word));
    const Entry* e = word_entry(word);
    RP_ASSERT(e != nullptr);
    uint64_t hash = table_hash(entry_key(e));
    RP_ASSERT(word_slot_bits(word) == hash_slot_bits(hash));
    RP_ASSERT(meta_tag(meta, slot) == hash_tag(hash));
    Place at = table_locate(t, entry_key(e), hash);
    RP_ASSERT(at.entry == e && at.bucket == b && at.slot == slot);
    tally->keys++;
    tally->ttl_keys += entry_expiry_ms(e) != kNoExpiry ? 1 : 0;
    tally->cost += entry_cost(e);
}

static void check_chain(Table* t, const Bucket* b, SegmentTally* tally) {
    uint64_t depth = 0;
    while (b != nullptr) {
        uint64_t meta = bucket_meta(b);
        RP_ASSERT((meta >> 56) <= 1);
        for (int slot = 0; slot < kBucketSlots; slot++) {
            uint64_t tag = meta_tag(meta, slot);
            bool is_child = slot == kChildSlot && (meta & kHasChild) != 0;
            if (is_child) {
                RP_ASSERT(tag == 0 && word_is_child(bucket_slot(b, slot)));
            } else if (tag == 0) {
                RP_ASSERT(bucket_slot(b, slot) == 0);
            } else {
                check_entry(t, b, slot, meta, tally);
            }
        }
        if (depth++ > 0) tally->children++;
        b = bucket_next(b, meta);
    }
    if (depth > tally->chain_max) tally->chain_max = depth;
}

void table_check_segment(Table* t, size_t segment) {
    Segment* seg = &t->segments[segment];
    SegmentTally tally;
    uint64_t array = segment_array(seg);
    if (array != 0) {
        RP_ASSERT(array_head(array)->buckets == array_buckets(array));
        RP_ASSERT(array_head(array)->bytes == seg->overhead.load(std::memory_order_relaxed));
        for (uint64_t i = 0; i < array_buckets(array); i++) {
            check_chain(t, array_first(array) + i, &tally);
        }
        RP_ASSERT(tally.chain_max == seg->chain_max.load(std::memory_order_relaxed));
    }
    RP_ASSERT(tally.keys == seg->keys.load(std::memory_order_relaxed));
    RP_ASSERT(tally.ttl_keys == seg->ttl_keys.load(std::memory_order_relaxed));
    RP_ASSERT(tally.cost == seg->cost.load(std::memory_order_relaxed));
    RP_ASSERT(tally.children == seg->children.load(std::memory_order_relaxed));
}

}  // namespace rp
