// types/listpack.h: byte strings in one run, walkable from both ends. Small lists, hashes, sets and
// sorted sets are one listpack (a hash as field, value, field, value, ...), a quicklist is many.
//
//   | count u32 | element | element | ...            empty: no bytes at all
//   element:  | length | bytes | back |
//     length  1 byte up to 251; 252 + u16; 253 + u32 (little-endian)
//     back    the size of `length` and `bytes` together, written so that it reads from its end:
//             seven bits a byte, lowest last; every byte but the first has the top bit set
//
// An element is named by its byte offset, `at`; kLpEnd is behind the last. Offsets are good until
// the next write.
//
// Ownership  reading works on borrowed Bytes; writing on a Buf, which copies what it borrows.
// Threads    none inside.
// Limits     elements < 4 GiB, and the caller keeps the run small: every write moves the tail.
#pragma once
#include "base/assert.h"
#include "types/buf.h"

namespace rp {

constexpr size_t kLpEnd = SIZE_MAX;
constexpr size_t kLpHead = 4;     // the count
constexpr size_t kLpShort = 126;  // up to here `length` and `back` are one byte each

size_t lp_count(Bytes lp);
inline size_t lp_first(Bytes lp) { return lp.len <= kLpHead ? kLpEnd : kLpHead; }  // or empty
size_t lp_last(Bytes lp);
size_t lp_next_long(Bytes lp, size_t at);
// kLpEnd after the last.
inline size_t lp_next(Bytes lp, size_t at) {
    auto len = static_cast<unsigned char>(lp.ptr[at]);
    if (RP_UNLIKELY(len > kLpShort)) return lp_next_long(lp, at);
    size_t next = at + len + 2;
    return next < lp.len ? next : kLpEnd;
}
size_t lp_prev(Bytes lp, size_t at);  // kLpEnd before the first
// The element number `index` from the front, from -1 at the back; kLpEnd if there is none.
size_t lp_seek(Bytes lp, int64_t index);
Bytes lp_get_long(Bytes lp, size_t at);
inline Bytes lp_get(Bytes lp, size_t at) {
    auto len = static_cast<unsigned char>(lp.ptr[at]);
    if (RP_UNLIKELY(len > kLpShort)) return lp_get_long(lp, at);
    return {lp.ptr + at + 1, len};
}
// The first element equal to `what` from `at` on, looking at every `step`th (2: fields of a hash).
size_t lp_find(Bytes lp, size_t at, size_t step, Bytes what);
// Whether every `step`th element (2: fields of a hash) is there once only. O(N).
bool lp_distinct(Bytes lp, size_t step);

// Inserts before `at` (kLpEnd: appends). `what` must not point into the run. Returns its offset.
size_t lp_insert(Buf* lp, size_t at, Bytes what);
inline size_t lp_append(Buf* lp, Bytes what) { return lp_insert(lp, kLpEnd, what); }
inline size_t lp_prepend(Buf* lp, Bytes what) {
    return lp_insert(lp, lp_first(buf_bytes(lp)), what);
}
void lp_replace(Buf* lp, size_t at, Bytes what);
// Removes `n` elements from `at` on (fewer if it ends before). Returns the offset of what follows.
// Without any left the run is no bytes, and owns none.
size_t lp_erase(Buf* lp, size_t at, size_t n);
// Moves what is from `at` on to the end of *tail, which must be empty; `at` is not the first.
void lp_split(Buf* lp, size_t at, Buf* tail);

// Bytes that an element of this length takes.
size_t lp_element_size(size_t len);
// Asserts that the run is well-formed, forward and backward.
void lp_check(Bytes lp);

}  // namespace rp
