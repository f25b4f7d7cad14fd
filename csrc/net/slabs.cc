#include "net/slabs.h"

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSlabsUsed = false;
#else
constexpr bool kSlabsUsed = true;
#endif

struct Place {
    Place* next;
};

// At the start of its 64 KiB, which are aligned to their size: an object finds it by its address.
struct alignas(64) Slab {
    Slab* next;  // in Slabs.roomy, if a place is free
    Slab* prev;
    Place* free;
    uint32_t used;
};

static Slab* slab_of(void* object) {
    return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(object) & ~(kSlabBytes - 1));
}

static void link(Slabs* s, Slab* one) {
    one->prev = nullptr;
    one->next = s->roomy;
    if (s->roomy != nullptr) s->roomy->prev = one;
    s->roomy = one;
}

static void unlink(Slabs* s, Slab* one) {
    (one->prev != nullptr ? one->prev->next : s->roomy) = one->next;
    if (one->next != nullptr) one->next->prev = one->prev;
}

void slabs_init(Slabs* s, size_t object_bytes) {
    s->object_bytes = (object_bytes + 15) & ~size_t{15};
    RP_ASSERT(s->object_bytes + sizeof(Slab) <= kSlabBytes);
}

static void slab_free(Slabs* s, Slab* take) {
    unlink(s, take);
    s->count--;
    mem_unmap(take, kSlabBytes);
}

void slabs_deinit(Slabs* s) {
    while (s->roomy != nullptr) {
        RP_ASSERT(s->roomy->used == 0);
        slab_free(s, s->roomy);
    }
    RP_ASSERT(s->count == 0);
    s->empty = 0;
}

static Slab* slab_new(Slabs* s) {
    auto* one = static_cast<Slab*>(mem_try_map(kSlabBytes));
    if (one == nullptr) return nullptr;
    size_t places = (kSlabBytes - sizeof(Slab)) / s->object_bytes;
    char* first = reinterpret_cast<char*>(one) + sizeof(Slab);
    one->free = nullptr;
    for (size_t i = places; i-- > 0;) {
        auto* place = reinterpret_cast<Place*>(first + i * s->object_bytes);
        place->next = one->free;
        one->free = place;
    }
    one->used = 0;
    link(s, one);
    s->count++;
    s->empty++;
    return one;
}

void* slabs_take(Slabs* s) {
    if (!kSlabsUsed) return mem_try_alloc(s->object_bytes);
    MutexGuard guard(&s->lock);
    Slab* one = s->roomy != nullptr ? s->roomy : slab_new(s);
    if (one == nullptr) return nullptr;
    Place* place = one->free;
    one->free = place->next;
    if (one->used++ == 0) s->empty--;
    if (one->free == nullptr) unlink(s, one);
    return place;
}

void slabs_give(Slabs* s, void* take) {
    if (!kSlabsUsed) return mem_free(take, s->object_bytes);
    MutexGuard guard(&s->lock);
    Slab* one = slab_of(take);
    auto* place = static_cast<Place*>(take);
    if (one->free == nullptr) link(s, one);
    place->next = one->free;
    one->free = place;
    if (--one->used != 0) return;
    if (s->empty != 0) return slab_free(s, one);
    s->empty++;
}

}  // namespace rp
