// table/bucket.h: the inside of a segment: buckets, their arrays and how they are searched. For
// table/ only.
//
//   position = low 23 bits of the hash     [ slot bits 16 | tag 7 ]
//   bucket of a key = position * buckets >> 23
//
// That map keeps order: bucket 0 holds the smallest positions. Hence an array may have any number
// of buckets (it grows by a quarter, not by doubling, which keeps it full); a copy into a larger or
// smaller array reads and writes front to back; and a SCAN cursor is just a position, good for
// every array there will ever be. A bucket's tags and slot words hold its keys' whole positions, so
// a copy never touches an entry.
//
//   meta    [ control | tag 6 | ... | tag 0 ]      tag: 0 = empty, else 0x80 | 7 hash bits
//   array   [ head, 64 bytes | bucket 0 | bucket 1 | ... ]    children come from slabs beside it
#pragma once
#include "table/table.h"

namespace rp {

constexpr int kPositionBits = 23;
constexpr uint64_t kPositionMask = (uint64_t{1} << kPositionBits) - 1;
constexpr uint64_t kBucketsMax = (uint64_t{1} << 22) - 1;  // per segment: what the array word holds

constexpr uint64_t kTagBytes = 0x0080808080808080;  // the top bit of each tag
constexpr uint64_t kTagOnes = 0x0101010101010101;
constexpr uint64_t kHasChild = uint64_t{1} << 56;  // control: slot 6 is a child
constexpr int kChildSlot = kBucketSlots - 1;
constexpr uint64_t kPointerMask = (uint64_t{1} << 48) - 1;

struct alignas(64) Bucket {
    std::atomic<uint64_t> meta;
    std::atomic<uint64_t> slots[kBucketSlots];
};
static_assert(sizeof(Bucket) == 64);

// In front of bucket 0. Under the segment's lock, but for `buckets`, which never changes.
struct alignas(64) ArrayHead {
    size_t buckets;
    size_t bytes;   // all memory of this array, slabs included
    Bucket* spare;  // next unused child
    size_t spares;  // how many follow it
    Bucket* slabs;  // newest; word 0 links to the older one, word 1 is its bytes
    size_t children;
    size_t chain_max;  // buckets in the longest chain
};
static_assert(sizeof(ArrayHead) == 64);

// ---- hash -------------------------------------------------------------------------------------

inline uint64_t hash_position(uint64_t hash) { return hash & kPositionMask; }
inline uint64_t hash_tag(uint64_t hash) { return 0x80 | (hash & 0x7f); }
inline uint64_t hash_slot_bits(uint64_t hash) { return hash >> 7 & 0xffff; }

// ---- words ------------------------------------------------------------------------------------

inline uint64_t slot_word(uint64_t hash, const Entry* e) {
    return hash_slot_bits(hash) << 48 | reinterpret_cast<uint64_t>(e);
}
inline uint64_t child_word(const Bucket* b) { return reinterpret_cast<uint64_t>(b) | 1; }
inline bool word_is_child(uint64_t word) { return (word & 1) != 0; }
inline Entry* word_entry(uint64_t word) { return reinterpret_cast<Entry*>(word & kPointerMask); }
inline Bucket* word_child(uint64_t word) {
    return reinterpret_cast<Bucket*>(word & kPointerMask & ~uint64_t{1});
}
inline uint64_t word_slot_bits(uint64_t word) { return word >> 48; }

inline uint64_t meta_tag(uint64_t meta, int slot) { return meta >> (8 * slot) & 0xff; }
inline uint64_t meta_with_tag(uint64_t meta, int slot, uint64_t tag) {
    return (meta & ~(uint64_t{0xff} << (8 * slot))) | tag << (8 * slot);
}
// Top bit set in the byte of each slot whose tag is `tag`, and perhaps of some above such a one (a
// borrow): the caller compares the slot word anyway.
inline uint64_t meta_matches(uint64_t meta, uint64_t tag) {
    uint64_t x = meta ^ (tag * kTagOnes);
    return (x - kTagOnes) & ~x & kTagBytes;
}
inline uint64_t meta_used(uint64_t meta) { return meta & kTagBytes; }
inline uint64_t meta_free(uint64_t meta) {
    uint64_t places = (meta & kHasChild) ? kTagBytes >> 8 : kTagBytes;
    return ~meta & places;
}
inline int first_slot(uint64_t marks) { return __builtin_ctzll(marks) >> 3; }

// Array word: the number of buckets in the high 16 and low 6 bits, where a 64-byte aligned 48-bit
// address has none.
inline uint64_t array_word(const Bucket* first, uint64_t buckets) {
    return reinterpret_cast<uint64_t>(first) | buckets << 48 | buckets >> 16;
}
inline Bucket* array_first(uint64_t word) {
    return reinterpret_cast<Bucket*>(word & kPointerMask & ~uint64_t{63});
}
inline uint64_t array_buckets(uint64_t word) { return (word << 16 | word >> 48) & kBucketsMax; }
inline ArrayHead* array_head(uint64_t word) {
    return reinterpret_cast<ArrayHead*>(array_first(word)) - 1;
}
inline uint64_t bucket_index(uint64_t position, uint64_t buckets) {
    return position * buckets >> kPositionBits;
}
inline Bucket* bucket_of(uint64_t word, uint64_t hash) {
    return array_first(word) + bucket_index(hash_position(hash), array_buckets(word));
}

// ---- shared fields ----------------------------------------------------------------------------
// Each load pairs with the store of the same name.

inline uint64_t segment_array(const Segment* seg) {
    return seg->array.load(std::memory_order_acquire);
}
inline void segment_set_array(Segment* seg, uint64_t word) {  // T5
    seg->array.store(word, std::memory_order_release);
}
inline uint64_t bucket_meta(const Bucket* b) { return b->meta.load(std::memory_order_acquire); }
inline void bucket_set_meta(Bucket* b, uint64_t meta) {  // T1: after the slot
    b->meta.store(meta, std::memory_order_release);
}
inline uint64_t bucket_slot(const Bucket* b, int slot) {
    return b->slots[slot].load(std::memory_order_acquire);
}
inline void bucket_set_slot(Bucket* b, int slot, uint64_t word) {  // T1, T2: after the entry
    b->slots[slot].store(word, std::memory_order_release);
}
// Where the chain goes on, null at its end. `meta` was loaded from b: once it shows a child, slot 6
// holds one for as long as the array lives.
inline const Bucket* bucket_next(const Bucket* b, uint64_t meta) {
    return (meta & kHasChild) ? word_child(bucket_slot(b, kChildSlot)) : nullptr;
}

// ---- search -----------------------------------------------------------------------------------

template <typename T>
inline T load_unaligned(const char* p) {
    T v;
    memcpy(&v, p, sizeof(v));
    return v;
}

// Below, branches do what arithmetic could: an operation that waits for an entry's line holds up
// the processor's queues, a branch on it is predicted and out of the way. In a table that is not in
// the cache this makes a find faster by a third (bench/micro).

inline bool word_equal(const char* a, const char* b, size_t at) {
    return load_unaligned<uint64_t>(a + at) == load_unaligned<uint64_t>(b + at);
}

// Keys of 8 to 32 bytes, the usual ones, can be compared without a call.
inline bool key_is_usual(Bytes key) { return key.len - 8 <= 24; }
inline bool key_equal_usual(const char* at, Bytes key) {
    if (!word_equal(at, key.ptr, 0) || !word_equal(at, key.ptr, key.len - 8)) return false;
    if (key.len <= 16) return true;
    return word_equal(at, key.ptr, 8) && word_equal(at, key.ptr, key.len - 16);
}

// Where the key of an entry that is not wide begins: entry_key_offset by branches.
inline const char* entry_key_narrow(const Entry* e) {
    uint8_t flags = e->flags;
    if (RP_LIKELY(flags == 0)) return e->rest;
    if (flags == (kEntryExpiry | kEntryWord)) return e->rest + 16;
    return e->rest + 8;
}

inline bool entry_has_key(const Entry* e, Bytes key) {
    if (RP_UNLIKELY((e->flags & kEntryWide) || !key_is_usual(key))) {
        return bytes_equal(entry_key(e), key);
    }
    return e->klen8 == key.len && key_equal_usual(entry_key_narrow(e), key);
}

// Walks the chain in the direction entries move (T4). A slot that became a child after its tag was
// seen is followed.
inline Place chain_find(const Bucket* b, Bytes key, uint64_t hash) {
    uint64_t tag = hash_tag(hash);
    uint64_t slot_bits = hash_slot_bits(hash);
    while (b != nullptr) {
        uint64_t meta = bucket_meta(b);
        RP_YIELD();
        const Bucket* next = nullptr;
        for (uint64_t m = meta_matches(meta, tag); m != 0; m &= m - 1) {
            int slot = first_slot(m);
            uint64_t word = bucket_slot(b, slot);
            if (RP_UNLIKELY(word_is_child(word))) {
                next = word_child(word);
                break;
            }
            if (word_slot_bits(word) != slot_bits) continue;
            Entry* e = word_entry(word);
            if (RP_LIKELY(e != nullptr && entry_has_key(e, key))) {
                return {e, const_cast<Bucket*>(b), slot};
            }
        }
        b = next != nullptr ? next : bucket_next(b, meta);
    }
    return {};
}

// ---- arrays: table_grow.cc --------------------------------------------------------------------

// Frees an array that nobody can reach; the entries are left alone.
void array_free(uint64_t word);
// Room for one more key: a first array, or a larger one when the keys no longer fit well.
// REQUIRES lock.
void segment_make_room(EpochSlot* s, Segment* seg);
// Room for `keys` keys, if it has less. REQUIRES lock.
void segment_reserve(EpochSlot* s, Segment* seg, uint64_t keys);
// Shrinks the array when it has become nearly empty. REQUIRES lock.
void segment_give_room(EpochSlot* s, Segment* seg);
// Puts a slot word into its chain; the key must not be there yet. REQUIRES lock.
void segment_put(Segment* seg, uint64_t hash, uint64_t word);

}  // namespace rp
