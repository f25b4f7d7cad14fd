// mem/blob.h: a reference-counted run of bytes for large values. The table, a reply on its way out
// and (later) the log share one copy.
//
// Ownership  blob_new returns one reference; each blob_ref needs one blob_unref.
// Threads    any for ref/unref. Bytes are written only by the sole owner, before sharing.
#pragma once
#include "base/bytes.h"
#include "mem/refs.h"

namespace rp {

struct Blob {
    Refs refs;
    size_t len;  // bytes that count
    size_t cap;  // bytes that fit
    char data[];
};

// Values at least this long live in a Blob instead of inside their entry.
constexpr size_t kBlobMin = 16 * 1024;

Blob* blob_new(size_t cap);      // len = 0; aborts without memory
Blob* blob_try_new(size_t cap);  // null without memory
// Sole owner only. The old pointer is gone unless null is returned. Large blobs grow by mremap.
Blob* blob_try_resize(Blob* take, size_t cap);
inline Blob* blob_ref(Blob* b) {
    refs_add(&b->refs);
    return b;
}
void blob_unref(Blob* b);  // null is fine
inline bool blob_shared(const Blob* b) { return refs_shared(&b->refs); }
void blob_unref_held(Blob* take);  // a snapshot's reference (mem/refs.h)
inline Bytes blob_bytes(const Blob* b) { return {b->data, b->len}; }

}  // namespace rp
