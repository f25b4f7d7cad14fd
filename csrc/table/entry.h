// table/entry.h: one key with its value: a single allocation.
//
//   byte 0      1      2     3     4..5    6      7      8
//       +------+------+-----+-----+-------+------+------+----------------------------------------+
//       | kind | flags| mark| klen| clock | freq | vlen | [wide: u32 klen, u32 vlen] [expiry i64] |
//       +------+------+-----+-----+-------+------+------+ [word: i64 or Blob*] key bytes, value   |
//                                                       +----------------------------------------+
//
// klen and vlen are one byte each; when either does not fit, the `wide` field holds both. `word` is
// there for integers (the value), blobs (the pointer; `wide` vlen is the length) and boxes (the
// pointer). Small lists, hashes, sets and sorted sets lie inline, as strings do.
//
// Invariants  I2  key bytes, flags, kind and string bytes never change once published. In place,
//                 each one atomic: the integer, the expiry, clock/freq (hints only).
//             E1  a Blob or Box pointer is followed only by whoever holds the segment's lock: it is
//                 released when the entry is unlinked, not after a grace period, so that a stalled
//                 reader holds back small objects only. A Blob's length may be read by anybody
//                 pinned.
// Ownership   whoever unlinks an entry retires it with entry_retire.
#pragma once
#include <atomic>

#include "base/assert.h"
#include "base/bytes.h"
#include "mem/blob.h"
#include "sync/epoch.h"
#include "types/value.h"

namespace rp {

enum class Encoding : uint8_t {
    embstr = 0,  // inline bytes, as SET leaves them; longer than kEmbstrMax reports as raw
    raw = 1,     // inline bytes that were modified (APPEND, SETRANGE): reports as raw at any length
    integer = 2,  // `word`
    blob = 3,     // `word` is a Blob*
    // Not strings:
    listpack = 4,  // inline
    intset = 5,    // inline
    boxed = 6,     // `word` is a Box*
};

constexpr size_t kEmbstrMax = 44;
// Flat values up to here are copied by each write and read without lock.
constexpr size_t kInlineMax = 1024;
constexpr int64_t kNoExpiry = -1;

enum EntryFlags : uint8_t {
    kEntryWide = 1,
    kEntryExpiry = 2,
    kEntryWord = 4,
};

struct Entry {
    uint8_t kind;  // Type << 4 | Encoding
    uint8_t flags;
    std::atomic<uint8_t> mark;  // snapshot id (I8)
    uint8_t klen8;
    std::atomic<uint16_t> clock;  // LRU: seconds, upper 16 of 24 bits; LFU: minutes of last decay
    std::atomic<uint8_t> freq;    // LRU: lower 8 bits; LFU: logarithmic counter
    uint8_t vlen8;
    char rest[];
};
static_assert(sizeof(Entry) == 8);

inline Type entry_type(const Entry* e) { return static_cast<Type>(e->kind >> 4); }
inline Encoding entry_encoding(const Entry* e) { return static_cast<Encoding>(e->kind & 15); }

inline size_t entry_key_offset(uint8_t flags) {
    return 8u * static_cast<size_t>((flags & 1) + ((flags >> 1) & 1) + ((flags >> 2) & 1));
}
inline const uint32_t* entry_wide(const Entry* e) {
    return reinterpret_cast<const uint32_t*>(e->rest);
}
inline size_t entry_key_len(const Entry* e) {
    return (e->flags & kEntryWide) ? entry_wide(e)[0] : e->klen8;
}
// Bytes of a string value; for integers 0 (format the word instead).
inline size_t entry_value_len(const Entry* e) {
    return (e->flags & kEntryWide) ? entry_wide(e)[1] : e->vlen8;
}
inline Bytes entry_key(const Entry* e) {
    return {e->rest + entry_key_offset(e->flags), entry_key_len(e)};
}
inline std::atomic<int64_t>* entry_expiry_field(const Entry* e) {
    size_t at = (e->flags & kEntryWide) ? 8 : 0;
    return reinterpret_cast<std::atomic<int64_t>*>(const_cast<char*>(e->rest + at));
}
inline std::atomic<int64_t>* entry_word(const Entry* e) {
    size_t at = entry_key_offset(e->flags) - 8;  // the word is the last field before the key
    return reinterpret_cast<std::atomic<int64_t>*>(const_cast<char*>(e->rest + at));
}
// Milliseconds since 1970, or kNoExpiry.
inline int64_t entry_expiry_ms(const Entry* e) {
    return (e->flags & kEntryExpiry) ? entry_expiry_field(e)->load(std::memory_order_acquire)
                                     : kNoExpiry;
}
inline int64_t entry_integer(const Entry* e) {
    return entry_word(e)->load(std::memory_order_acquire);
}
inline Blob* entry_blob(const Entry* e) {  // REQUIRES E1
    return reinterpret_cast<Blob*>(entry_word(e)->load(std::memory_order_relaxed));
}
inline Box* entry_box(const Entry* e) {  // REQUIRES E1
    return reinterpret_cast<Box*>(entry_word(e)->load(std::memory_order_relaxed));
}
// Inline bytes (embstr, raw, listpack, intset). Not for integers, blobs and boxes.
inline Bytes entry_inline(const Entry* e) {
    return {e->rest + entry_key_offset(e->flags) + entry_key_len(e), entry_value_len(e)};
}

// Room for an expiry is made only when `expiry_ms` != kNoExpiry. Unpublished; the caller owns it.
// `value` is copied inline, or into a new Blob from kBlobMin on.
Entry* entry_new_string(Bytes key, Bytes value, Encoding enc, int64_t expiry_ms);
Entry* entry_new_integer(Bytes key, int64_t value, int64_t expiry_ms);
Entry* entry_new_blob(Bytes key, Blob* take, int64_t expiry_ms);
// A value that is not a string: flat and small (kInlineMax) it lies inline, else in a new Box.
Entry* entry_new_value(Bytes key, Type type, Value* take, int64_t expiry_ms);
// The same value (blobs and boxes shared by reference) under `key` with another expiry. REQUIRES
// E1.
Entry* entry_copy(const Entry* from, Bytes key, int64_t expiry_ms);

size_t entry_bytes(const Entry* e);  // of the allocation itself
// Allocation plus blob or box, as the allocator counts it (MEMORY USAGE, segment statistics).
// REQUIRES E1 for boxes.
size_t entry_cost(const Entry* e);
// REQUIRES: unlinked, under the segment's lock (or never published). Releases blob or box now and
// the entry after a grace period.
void entry_retire(EpochSlot* s, Entry* take);
void entry_free(Entry* take);  // never published, or no reader left

// The entry's reference to its Blob or Box is a snapshot's from here on: it goes with
// entry_let_go, after which the entry has neither. REQUIRES E1, or an entry that is the caller's.
void entry_hold(Entry* e);
void entry_let_go(Entry* e);
// Whether a snapshot holds its Blob or Box, through whatever entry. REQUIRES E1.
bool entry_held(const Entry* e);

}  // namespace rp
