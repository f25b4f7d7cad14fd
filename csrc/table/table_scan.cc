// table/table_scan.cc: walking a table that changes meanwhile, and picking keys by chance.
//
// A cursor is (segment, position): everything below it has been visited. Positions mean the same in
// every array (bucket.h), so growth and shrink between two calls cost at most a bucket seen twice.
// Position 2^23 of the last segment is the end, which the client sees as 0.
#include "base/random.h"
#include "table/bucket.h"

namespace rp {

constexpr uint64_t kCursorEnd = uint64_t{kSegments} << kPositionBits;

// All entries of a chain, each slot read once. Entries only move towards the child (T4), so one
// that is there from beginning to end is met in b or in what b leads to.
static void chain_visit(const Bucket* b, TableVisit visit, void* arg) {
    while (b != nullptr) {
        uint64_t meta = bucket_meta(b);
        RP_YIELD();
        const Bucket* next = bucket_next(b, meta);
        Entry* met[kBucketSlots];
        int n = 0;
        for (uint64_t m = meta_used(meta); m != 0; m &= m - 1) {
            uint64_t word = bucket_slot(b, first_slot(m));
            if (word_is_child(word)) {
                next = word_child(word);
            } else if (word_entry(word) != nullptr) {
                met[n] = word_entry(word);
                __builtin_prefetch(met[n++]);
            }
        }
        for (int i = 0; i < n; i++)
            visit(met[i], arg);
        b = next;
    }
}

// The first position behind bucket `index`.
static uint64_t position_after(uint64_t index, uint64_t buckets) {
    return (((index + 1) << kPositionBits) + buckets - 1) / buckets;
}

// Visits one chain; returns the position to go on from, 2^23 at the end.
static uint64_t segment_visit(const Segment* seg, uint64_t position, TableVisit visit, void* arg) {
    uint64_t array = segment_array(seg);
    if (array == 0) return kPositionMask + 1;
    uint64_t buckets = array_buckets(array);
    uint64_t index = bucket_index(position, buckets);
    chain_visit(array_first(array) + index, visit, arg);
    return position_after(index, buckets);
}

// Relaxed will do: whoever knows of a key here also sees a count above 0.
static bool segment_empty(const Segment* seg) {
    return seg->keys.load(std::memory_order_relaxed) == 0;
}

uint64_t table_scan(const Table* t, uint64_t cursor, TableVisit visit, void* arg) {
    if (cursor >= kCursorEnd) return 0;  // no cursor of ours
    uint64_t index = cursor >> kPositionBits;
    uint64_t position = cursor & kPositionMask;
    while (index < kSegments && segment_empty(&t->segments[index])) {
        index++;
        position = 0;
    }
    if (index == kSegments) return 0;
    // The end of a segment is the beginning of the next one.
    uint64_t next =
        (index << kPositionBits) + segment_visit(&t->segments[index], position, visit, arg);
    // Do not make the caller come back for nothing.
    while (next < kCursorEnd && (next & kPositionMask) == 0 &&
           segment_empty(&t->segments[next >> kPositionBits])) {
        next += kPositionMask + 1;
    }
    return next < kCursorEnd ? next : 0;
}

uint64_t table_scan_segment(const Table* t, size_t segment, uint64_t cursor, TableVisit visit,
                            void* arg) {
    RP_ASSERT(segment < kSegments);
    if (cursor > kPositionMask) return 0;
    uint64_t next = segment_visit(&t->segments[segment], cursor, visit, arg);
    return next <= kPositionMask ? next : 0;
}

// ---- random -----------------------------------------------------------------------------------

// From this many keys on segments differ little: choosing among them evenly is even enough.
constexpr uint64_t kSegmentKeysMany = 256;
// A chain is taken with a probability of its length / kChainLots. Longer chains are very rare.
constexpr uint64_t kChainLots = 12;
constexpr int kRandomTries = 256;

// Segments weighted by their keys: 1024 counts are read twice. Null if there is no key at all.
static const Segment* segment_by_weight(const Table* t) {
    uint64_t keys = table_keys(t);
    if (keys == 0) return nullptr;
    uint64_t lot = random_below(keys);
    const Segment* filled = nullptr;
    for (const Segment& seg : t->segments) {
        uint64_t here = seg.keys.load(std::memory_order_relaxed);
        if (here == 0) continue;
        filled = &seg;
        if (lot < here) break;
        lot -= here;
    }
    return filled;  // the last one if counts fell between the two walks
}

static const Segment* segment_random(const Table* t) {
    const Segment* seg = &t->segments[random_u64() >> (64 - kSegmentsLog2)];
    if (RP_LIKELY(seg->keys.load(std::memory_order_relaxed) >= kSegmentKeysMany)) return seg;
    return segment_by_weight(t);
}

struct ChainPick {
    uint64_t lot;
    uint64_t seen;
    Entry* entry;
};

static void chain_pick(Entry* e, void* arg) {
    ChainPick* pick = static_cast<ChainPick*>(arg);
    if (pick->seen++ == pick->lot) pick->entry = e;
}

static void chain_any(Entry* e, void* arg) { *static_cast<Entry**>(arg) = e; }

// Every try is independent, so that the choice among chains stays even.
static Entry* segment_pick(const Segment* seg) {
    for (int i = 0; i < kRandomTries; i++) {
        uint64_t random = random_u64();
        ChainPick pick = {(random >> 32) * kChainLots >> 32, 0, nullptr};
        segment_visit(seg, random & kPositionMask, chain_pick, &pick);
        if (pick.entry != nullptr) return pick.entry;
    }
    // Nearly empty, or being emptied: whatever comes first from some place on.
    Entry* any = nullptr;
    uint64_t start = random_u64() & kPositionMask;
    for (uint64_t p = start; p <= kPositionMask && any == nullptr;) {
        p = segment_visit(seg, p, chain_any, &any);
    }
    for (uint64_t p = 0; p <= start && any == nullptr;)
        p = segment_visit(seg, p, chain_any, &any);
    return any;
}

Entry* table_random(const Table* t) {
    for (int i = 0; i < 4; i++) {
        const Segment* seg = segment_random(t);
        if (seg == nullptr) return nullptr;
        Entry* e = segment_pick(seg);
        if (e != nullptr) return e;
    }
    return nullptr;
}

}  // namespace rp
