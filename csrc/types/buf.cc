#include "types/buf.h"

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

constexpr size_t kBufMin = 64;

static void set_capacity(Buf* b, size_t cap) {
    char* to = static_cast<char*>(b->cap != 0 ? mem_try_realloc(b->data, b->cap, cap)
                                              : mem_try_alloc(cap));
    RP_ASSERT(to != nullptr && "out of memory");
    if (b->cap == 0 && b->len != 0) memcpy(to, b->data, b->len);
    b->data = to;
    b->cap = cap;
}

char* buf_own(Buf* b) {
    if (buf_borrows(b)) set_capacity(b, b->len);
    return b->data;
}

char* buf_splice(Buf* b, size_t at, size_t len, size_t more) {
    RP_DCHECK(at + len <= b->len);
    size_t total = b->len - len + more;
    if (total > b->cap || buf_borrows(b)) {
        // What goes is moved over, not skipped: the room holds all there was, too.
        size_t room = total > b->len ? total : b->len;
        size_t cap = room < 2 * b->cap ? 2 * b->cap : room + room / 4;
        set_capacity(b, cap < kBufMin ? kBufMin : cap);
    }
    size_t tail = b->len - at - len;
    if (tail != 0 && len != more) memmove(b->data + at + more, b->data + at + len, tail);
    b->len = total;
    return b->data + at;
}

char* buf_insert(Buf* b, size_t at, size_t more) { return buf_splice(b, at, 0, more); }
void buf_erase(Buf* b, size_t at, size_t len) { buf_splice(b, at, len, 0); }

Buf buf_clone(const Buf* b) {
    Buf copy = buf_borrow(buf_bytes(b));
    buf_own(&copy);
    return copy;
}

void buf_shrink(Buf* b) {
    if (b->len != 0 && b->cap >= kBufMin && b->cap >= 2 * b->len) set_capacity(b, b->len);
}

void buf_free(Buf* b) {
    if (b->cap != 0) mem_free(b->data, b->cap);
    *b = {};
}

size_t buf_cost(const Buf* b) { return b->cap != 0 ? mem_cost(b->cap) : 0; }

}  // namespace rp
