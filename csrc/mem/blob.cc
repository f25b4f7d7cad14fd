#include "mem/blob.h"

#include <new>

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

static Blob* blob_start(void* memory, size_t cap) {
    Blob* b = new (memory) Blob;
    b->refs.store(1, std::memory_order_relaxed);
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
    RP_DCHECK(take->refs.load(std::memory_order_relaxed) == 1);
    size_t size;
    if (!blob_size(cap, &size)) return nullptr;
    Blob* b = static_cast<Blob*>(mem_try_realloc(take, sizeof(Blob) + take->cap, size));
    if (b == nullptr) return nullptr;
    b->cap = cap;
    if (b->len > cap) b->len = cap;
    return b;
}

void blob_unref(Blob* b) {
    if (b == nullptr) return;
    // Release: what this holder did with the bytes comes before the free. Acquire pairs with the
    // releases of the other holders.
    if (b->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        mem_free(b, sizeof(Blob) + b->cap);
    }
}

}  // namespace rp
