// types/buf.h: bytes of a small collection, growable. A Buf may borrow its bytes (from an entry of
// the table, which never change): the first write then copies them, so that whoever only looks pays
// nothing.
//
// Ownership  cap > 0: the Buf owns data. cap == 0: borrowed, or empty. `= {}` is an empty Buf.
// Threads    single owner.
#pragma once
#include "base/bytes.h"

namespace rp {

struct Buf {
    char* data = nullptr;
    size_t len = 0;
    size_t cap = 0;
};

inline Bytes buf_bytes(const Buf* b) { return {b->data, b->len}; }
inline Buf buf_borrow(Bytes bytes) { return {const_cast<char*>(bytes.ptr), bytes.len, 0}; }
inline bool buf_borrows(const Buf* b) { return b->cap == 0 && b->len != 0; }

// Opens a gap of `more` bytes at `at` and returns it. Aborts without memory: a Buf is small.
char* buf_insert(Buf* b, size_t at, size_t more);
void buf_erase(Buf* b, size_t at, size_t len);
// Bytes [at, at + len) become `more` bytes; returns the first. What is kept on either side stays.
char* buf_splice(Buf* b, size_t at, size_t len, size_t more);
// Makes the bytes writable (copies what is borrowed) and returns them.
char* buf_own(Buf* b);
Buf buf_clone(const Buf* b);
void buf_shrink(Buf* b);  // gives back a capacity that is twice what is used
void buf_free(Buf* b);    // leaves an empty Buf
size_t buf_cost(const Buf* b);

}  // namespace rp
