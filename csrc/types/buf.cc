#include "types/buf.h"

#include <bit>

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

// Up to kDoubleMax capacities are powers of two, less what the allocator adds to a block.
constexpr size_t kBlockHead = 8;
constexpr size_t kBufMin = 64 - kBlockHead;
constexpr size_t kDoubleMax = 64 * 1024 - kBlockHead;

static char* allocation(const Buf* b) { return b->data - b->skip; }

static void copy(char* to, const char* from, size_t n) {
    if (n != 0) memcpy(to, from, n);
}

// Room to grow into. A first allocation that is large is exact: one large element, mostly.
static size_t capacity_for(const Buf* b, size_t total) {
    if (total <= kBufMin) return kBufMin;
    if (total <= kDoubleMax) return std::bit_ceil(total + kBlockHead) - kBlockHead;
    return b->cap == 0 ? total : total + total / 4;
}

// The bytes move to an allocation of `cap` bytes, `skip` behind its begin, with a gap: [at, at +
// len) becomes `more` bytes.
static void move_to(Buf* b, size_t cap, size_t skip, size_t at, size_t len, size_t more) {
    char* block = static_cast<char*>(mem_try_alloc(cap));
    RP_ASSERT(block != nullptr && "out of memory");
    copy(block + skip, b->data, at);
    copy(block + skip + at + more, b->data + at + len, b->len - at - len);
    if (b->cap != 0) mem_free(allocation(b), b->cap);
    *b = {block + skip, b->len - len + more, cap, skip};
}

// As above, when only what is behind the gap grows: the system may extend the block where it lies.
static void extend(Buf* b, size_t cap) {
    void* block = mem_try_realloc(allocation(b), b->cap, cap);
    RP_ASSERT(block != nullptr && "out of memory");
    b->data = static_cast<char*>(block) + b->skip;
    b->cap = cap;
}

static char* reallocate(Buf* b, size_t at, size_t len, size_t more) {
    size_t total = b->len - len + more;
    size_t tail = b->len - at - len;
    if (tail == 0 && b->cap != 0 && b->skip < b->cap / 4) {
        extend(b, capacity_for(b, b->skip + total));
        b->len = total;
        return b->data + at;
    }
    // Who made room in front (or just behind a header there) will want more of it.
    size_t cap = capacity_for(b, total);
    size_t skip = b->cap != 0 && at < tail ? cap - total : 0;
    move_to(b, cap, skip, at, len, more);
    return b->data + at;
}

// Lets the bytes start at `skip` instead, with the gap opened on the way.
static void slide(Buf* b, size_t skip, size_t at, size_t len, size_t more) {
    char* block = allocation(b);
    const char* behind = b->data + at + len;
    size_t tail = b->len - at - len;
    char* front_to = block + skip;
    char* tail_to = front_to + at + more;
    if (front_to < b->data) {  // leftwards: the front goes first
        memmove(front_to, b->data, at);
        memmove(tail_to, behind, tail);
    } else {
        memmove(tail_to, behind, tail);
        memmove(front_to, b->data, at);
    }
    *b = {front_to, at + more + tail, b->cap, skip};
}

char* buf_splice_slow(Buf* b, size_t at, size_t len, size_t more) {
    RP_DCHECK(at <= b->len && len <= b->len - at);
    size_t total = b->len - len + more;
    size_t tail = b->len - at - len;
    if (total == 0 && b->cap == 0) {
        b->len = 0;
        return b->data;
    }
    if (b->cap < total || b->cap == 0) return reallocate(b, at, len, more);
    if (at < tail && b->skip + len >= more) {  // the front is shorter, and has room: it moves
        memmove(b->data + len - more, b->data, at);
        b->data = b->data + len - more;
        b->skip = b->skip + len - more;
    } else if (at >= tail && b->skip + total <= b->cap) {
        memmove(b->data + at + more, b->data + at + len, tail);
    } else {
        // Half of what is free on each side: n slides leave a 2^-n of it to slide for.
        slide(b, (b->cap - total) / 2, at, len, more);
    }
    b->len = total;
    return b->data + at;
}

char* buf_own(Buf* b) {
    if (buf_borrows(b)) move_to(b, b->len, 0, b->len, 0, 0);
    return b->data;
}

Buf buf_clone(const Buf* b) {
    Buf clone = buf_borrow(buf_bytes(b));
    buf_own(&clone);
    return clone;
}

void buf_fit(Buf* b) {
    if (b->cap == b->len || b->cap <= kBufMin || b->len == 0) return;
    if (b->skip != 0) memmove(allocation(b), b->data, b->len);
    b->data = allocation(b);
    b->skip = 0;
    extend(b, b->len);
}

void buf_shrink(Buf* b) {
    if (b->cap >= 2 * b->len) buf_fit(b);
}

void buf_free(Buf* b) {
    if (b->cap != 0) mem_free(allocation(b), b->cap);
    *b = {};
}

size_t buf_cost(const Buf* b) { return b->cap != 0 ? mem_cost(b->cap) : 0; }

void buf_check(const Buf* b) {
    RP_ASSERT(b->cap != 0 || b->skip == 0);
    RP_ASSERT(b->cap == 0 || b->skip + b->len <= b->cap);
    RP_ASSERT(b->len == 0 || b->data != nullptr);
}

}  // namespace rp
