// resp/out.h: bytes on their way out: a list of chunks, owned small ones and parts of blobs.
//
//   Out -> [chunk 1 KiB..16 KiB] -> [blob ref, off, len] -> [chunk] ...
//
// Ownership  an Out owns its chunks and one reference per blob chunk. `= {}` is an empty Out.
// Threads    single owner.
// Limits     none here: whoever drains an Out bounds out.bytes (client-output-buffer-limit).
#pragma once
#include "base/bytes.h"
#include "mem/blob.h"

namespace rp {

constexpr size_t kOutChunkMin = 1024 - 40;       // first chunk of an Out: idle clients stay small
constexpr size_t kOutChunkMax = 16 * 1024 - 40;  // later chunks
// Bulks at least this long are referenced, not copied, when they live in a Blob.
constexpr size_t kOutBlobMin = kBlobMin;

struct OutChunk {
    OutChunk* next;
    Blob* blob;      // null: bytes are in data[]
    const char* at;  // blob chunks: first byte
    uint64_t len;    // bytes valid
    uint64_t cap;    // bytes that fit in data[]; 0 for a blob chunk
    char data[];
};

inline Bytes out_chunk_bytes(const OutChunk* c) { return {c->blob ? c->at : c->data, c->len}; }

struct Out {
    OutChunk* head = nullptr;
    OutChunk* tail = nullptr;
    size_t bytes = 0;      // unsent bytes, blobs included
    size_t head_sent = 0;  // bytes of head already consumed
};

void out_clear(Out* o);
// `n` <= kOutChunkMax contiguous bytes to write into; nothing is added until out_commit.
char* out_reserve_slow(Out* o, size_t n);
inline char* out_reserve(Out* o, size_t n) {
    OutChunk* t = o->tail;
    if (t != nullptr && t->cap - t->len >= n && t->blob == nullptr) return t->data + t->len;
    return out_reserve_slow(o, n);
}
inline void out_commit(Out* o, size_t n) {
    o->tail->len += n;
    o->bytes += n;
}
void out_write(Out* o, Bytes b);                              // copies, any length
void out_blob(Out* o, Blob* borrow, size_t off, size_t len);  // takes its own reference
void out_splice(Out* dst, Out* src);                          // src is empty afterwards
void out_consume(Out* o, size_t n);                           // drops n bytes from the front

// A place to return to: everything written after the mark can be undone, as long as nothing was
// consumed since. Used when an optimistic read has to run again.
struct OutMark {
    OutChunk* tail;
    size_t tail_len;
    size_t bytes;
};
inline OutMark out_mark(const Out* o) {
    return {o->tail, o->tail != nullptr ? o->tail->len : 0, o->bytes};
}
void out_rewind(Out* o, OutMark m);
// Copies all bytes to dst, which has room for o->bytes.
void out_copy(const Out* o, char* dst);
// Bytes held, for CLIENT LIST omem and INFO; *chunks (may be null): in how many.
size_t out_memory(const Out* o, size_t* chunks = nullptr);

}  // namespace rp
