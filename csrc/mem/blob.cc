#include "mem/blob.h"

#include <new>

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

static Blob* blob_start(void* memory, size_t cap) {
    Blob* b = new (memory) Blob;
    b->len = 0;
    b->cap = cap;
    return b;
}

static bool blob_size(size_t cap, size_t* out) {
    return !__builtin_add_overflow(sizeof(Blob), cap, out) && *out <= PTRDIFF_MAX;
}

Blob* blob_new(size_t cap) {
    Blob* b = blob_try_new(cap);
    RP_ASSERT(b != nullptr && "out of memory");
    return b;
}

Blob* blob_try_new(size_t cap) {
    size_t size;
    if (!blob_size(cap, &size)) return nullptr;
    void* memory = mem_try_alloc(size);
    return memory == nullptr ? nullptr : blob_start(memory, cap);
}

Blob* blob_try_resize(Blob* take, size_t cap) {
    RP_DCHECK(refs_count(&take->refs) == 1);
    size_t size;
    if (!blob_size(cap, &size)) return nullptr;
    Blob* b = static_cast<Blob*>(mem_try_realloc(take, sizeof(Blob) + take->cap, size));
    if (b == nullptr) return nullptr;
    b->cap = cap;
    if (b->len > cap) b->len = cap;
    return b;
}

void blob_unref(Blob* b) {
    if (b != nullptr && refs_drop(&b->refs)) mem_free(b, sizeof(Blob) + b->cap);
}

void blob_unref_held(Blob* take) {
    if (refs_drop_held(&take->refs)) mem_free(take, sizeof(Blob) + take->cap);
}

}  // namespace rp
