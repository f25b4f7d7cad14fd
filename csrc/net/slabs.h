// net/slabs.h: room for objects of one size that come and go in masses: connections.
//
// malloc keeps what a crowd of clients has given back, since something small survives behind it.
// A slab is 64 KiB from the system, cut into places; when its last place is given back so is the
// slab, but for one that stays for the next client.
//
// Threads  any; one lock, held for a few instructions or one system call per slab.
// Errors   slabs_take: null when there is no memory.
// Limits   an object fits into a slab with its head. A slab with one object left stays whole.
// Under AddressSanitizer and ThreadSanitizer every object is malloc's own: they see its end.
#pragma once
#include <cstddef>
#include <cstdint>

#include "sync/mutex.h"

namespace rp {

constexpr size_t kSlabBytes = 64 * 1024;

struct Slab;

struct Slabs {
    // Constant.
    size_t object_bytes = 0;
    // Under lock.
    Mutex lock;
    Slab* roomy = nullptr;  // those with a free place
    size_t count = 0;       // slabs there are
    size_t empty = 0;       // of them without an object: 0 or 1
};

void slabs_init(Slabs* s, size_t object_bytes);
// REQUIRES: everything was given back.
void slabs_deinit(Slabs* s);
void* slabs_take(Slabs* s);
void slabs_give(Slabs* s, void* take);

}  // namespace rp
