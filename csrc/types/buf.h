// types/buf.h: bytes of a small collection, growable at both ends. A Buf may borrow its bytes (from
// an entry of the table, which never change): the first write then copies them, so that whoever
// only looks pays nothing.
//
//   | skip: room in front | data: len bytes | room behind |      cap bytes, one allocation
//
// A change moves whichever side of it is shorter. Room is made where it was needed: a run that
// grows at its front gets it in front, so that a push or a pop at either end moves nothing.
//
// Ownership  cap > 0: the Buf owns data. cap == 0: borrowed, or empty. `= {}` is an empty Buf.
// Threads    single owner.
#pragma once
#include "base/bytes.h"

namespace rp {

struct Buf {
    char* data = nullptr;
    size_t len = 0;
    size_t cap = 0;   // of the allocation, which begins at data - skip
    size_t skip = 0;  // 0 unless owned
};

inline Bytes buf_bytes(const Buf* b) { return {b->data, b->len}; }
inline Buf buf_borrow(Bytes bytes) { return {const_cast<char*>(bytes.ptr), bytes.len, 0, 0}; }
inline bool buf_borrows(const Buf* b) { return b->cap == 0 && b->len != 0; }

// Bytes [at, at + len) become `more` bytes; returns the first. What is kept on either side stays.
// Aborts without memory: a Buf is small.
char* buf_splice_slow(Buf* b, size_t at, size_t len, size_t more);
inline char* buf_splice(Buf* b, size_t at, size_t len, size_t more) {
    if (at + len == b->len && b->cap != 0 && b->skip + at + more <= b->cap) {  // at the end
        b->len = at + more;
        return b->data + at;
    }
    return buf_splice_slow(b, at, len, more);
}
// Opens a gap of `more` bytes at `at` and returns it.
inline char* buf_insert(Buf* b, size_t at, size_t more) { return buf_splice(b, at, 0, more); }
inline void buf_erase(Buf* b, size_t at, size_t len) { buf_splice(b, at, len, 0); }
// Lets the bytes begin n earlier (REQUIRES: n <= skip) or later (REQUIRES: owned, n <= len). What
// the first of them are is for the caller to write.
inline void buf_take_front(Buf* b, size_t n) {
    b->data -= n;
    b->skip -= n;
    b->len += n;
}
inline void buf_give_front(Buf* b, size_t n) {
    b->data += n;
    b->skip += n;
    b->len -= n;
}
// Makes the bytes writable (copies what is borrowed) and returns them.
char* buf_own(Buf* b);
Buf buf_clone(const Buf* b);
void buf_shrink(Buf* b);  // gives back a capacity that is twice what is used
void buf_fit(Buf* b);     // gives back all that is not used
void buf_free(Buf* b);    // leaves an empty Buf
size_t buf_cost(const Buf* b);
void buf_check(const Buf* b);  // asserts

}  // namespace rp
