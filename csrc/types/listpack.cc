#include "types/listpack.h"

#include <bit>

#include "base/hash.h"
#include "mem/mem.h"

namespace rp {

constexpr unsigned kLen16 = 252, kLen32 = 253;
constexpr size_t kBackMax = 5;

static uint32_t load32(const char* p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

// ---- one element ------------------------------------------------------------------------------

static size_t length_size(size_t len) { return len < kLen16 ? 1 : len <= UINT16_MAX ? 3 : 5; }

static size_t length_write(char* to, size_t len) {
    if (len < kLen16) {
        *to = static_cast<char>(len);
        return 1;
    }
    if (len <= UINT16_MAX) {
        auto v = static_cast<uint16_t>(len);
        *to = static_cast<char>(kLen16);
        memcpy(to + 1, &v, sizeof v);
        return 3;
    }
    auto v = static_cast<uint32_t>(len);
    *to = static_cast<char>(kLen32);
    memcpy(to + 1, &v, sizeof v);
    return 5;
}

// Bytes of an element; *size = of its `length` field.
static size_t length_read(const char* from, size_t* size) {
    auto first = static_cast<unsigned char>(*from);
    if (first < kLen16) {
        *size = 1;
        return first;
    }
    if (first == kLen16) {
        uint16_t v;
        memcpy(&v, from + 1, sizeof v);
        *size = 3;
        return v;
    }
    *size = 5;
    return load32(from + 1);
}

static size_t back_size(size_t n) {
    size_t size = 1;
    while (n >>= 7)
        size++;
    return size;
}

static void back_write(char* to, size_t n, size_t size) {
    for (size_t i = size; i-- > 0; n >>= 7) {
        to[i] = static_cast<char>((n & 127) | (i != 0 ? 128 : 0));
    }
}

// `end` is just behind the field.
static size_t back_read(const char* end, size_t* size) {
    size_t n = 0;
    for (size_t i = 0; i < kBackMax; i++) {
        auto byte = static_cast<unsigned char>(end[-1 - static_cast<ptrdiff_t>(i)]);
        n |= size_t{byte & 127u} << (7 * i);
        if (!(byte & 128)) {
            *size = i + 1;
            return n;
        }
    }
    RP_ASSERT(!"a listpack's back field is damaged");
    return 0;
}

size_t lp_element_size(size_t len) {
    if (RP_LIKELY(len <= kLpShort)) return len + 2;
    size_t body = length_size(len) + len;
    return body + back_size(body);
}

static void element_write(char* to, Bytes what) {
    if (RP_LIKELY(what.len <= kLpShort)) {
        to[0] = static_cast<char>(what.len);
        if (what.len != 0) memcpy(to + 1, what.ptr, what.len);
        to[what.len + 1] = static_cast<char>(what.len + 1);
        return;
    }
    size_t n = length_write(to, what.len);
    memcpy(to + n, what.ptr, what.len);
    back_write(to + n + what.len, n + what.len, back_size(n + what.len));
}

// Bytes of the element at `at`, all its fields.
static size_t element_size(Bytes lp, size_t at) {
    auto first = static_cast<unsigned char>(lp.ptr[at]);
    if (RP_LIKELY(first <= kLpShort)) return first + size_t{2};
    size_t n;
    size_t body = length_read(lp.ptr + at, &n);
    body += n;
    return body + back_size(body);
}

// ---- reading ----------------------------------------------------------------------------------

size_t lp_count(Bytes lp) { return lp.len == 0 ? 0 : load32(lp.ptr); }

static size_t before(Bytes lp, size_t end) {
    auto last = static_cast<unsigned char>(lp.ptr[end - 1]);
    if (RP_LIKELY(last < 128)) return end - 1 - last;
    size_t size;
    size_t body = back_read(lp.ptr + end, &size);
    return end - size - body;
}

size_t lp_last(Bytes lp) { return lp.len <= kLpHead ? kLpEnd : before(lp, lp.len); }

size_t lp_next_long(Bytes lp, size_t at) {
    size_t next = at + element_size(lp, at);
    return next < lp.len ? next : kLpEnd;
}

size_t lp_prev(Bytes lp, size_t at) { return at <= kLpHead ? kLpEnd : before(lp, at); }

size_t lp_seek(Bytes lp, int64_t index) {
    auto count = static_cast<int64_t>(lp_count(lp));
    if (index < 0) index += count;
    if (index < 0 || index >= count) return kLpEnd;
    if (index > count / 2) {
        size_t at = lp_last(lp);
        for (int64_t i = count - 1; i > index; i--)
            at = lp_prev(lp, at);
        return at;
    }
    size_t at = lp_first(lp);
    for (int64_t i = 0; i < index; i++)
        at = lp_next(lp, at);
    return at;
}

Bytes lp_get_long(Bytes lp, size_t at) {
    size_t n;
    size_t len = length_read(lp.ptr + at, &n);
    return {lp.ptr + at + n, len};
}

size_t lp_find(Bytes lp, size_t at, size_t step, Bytes what) {
    while (at != kLpEnd) {
        if (bytes_equal(lp_get(lp, at), what)) return at;
        for (size_t i = 0; i < step && at != kLpEnd; i++)
            at = lp_next(lp, at);
    }
    return kLpEnd;
}

constexpr size_t kDistinctByLooking = 16;    // so few are compared each with each
constexpr size_t kDistinctCellsHere = 1024;  // on the stack

static size_t lp_skip(Bytes lp, size_t at, size_t n) {
    for (; n != 0 && at != kLpEnd; n--)
        at = lp_next(lp, at);
    return at;
}

static bool distinct_by_looking(Bytes lp, size_t step) {
    for (size_t at = lp_first(lp); at != kLpEnd;) {
        size_t next = lp_skip(lp, at, step);
        if (lp_find(lp, next, step, lp_get(lp, at)) != kLpEnd) return false;
        at = next;
    }
    return true;
}

// cells: all zero, a power of two, twice as many as elements: [ hash 32 | offset 32 ].
static bool distinct_by_hash(Bytes lp, size_t step, uint64_t* cells, size_t size) {
    for (size_t at = lp_first(lp); at != kLpEnd; at = lp_skip(lp, at, step)) {
        Bytes what = lp_get(lp, at);
        uint64_t hash = hash_bytes(what) >> 32;
        size_t i = hash & (size - 1);
        for (; cells[i] != 0; i = (i + 1) & (size - 1)) {
            if (cells[i] >> 32 != hash) continue;
            if (bytes_equal(lp_get(lp, cells[i] & UINT32_MAX), what)) return false;
        }
        cells[i] = hash << 32 | at;
    }
    return true;
}

bool lp_distinct(Bytes lp, size_t step) {
    RP_ASSERT(lp.len <= UINT32_MAX);
    size_t count = lp_count(lp) / step;
    if (count <= kDistinctByLooking) return distinct_by_looking(lp, step);
    size_t size = std::bit_ceil(2 * count);
    if (size <= kDistinctCellsHere) {
        uint64_t cells[kDistinctCellsHere];
        memset(cells, 0, size * sizeof *cells);
        return distinct_by_hash(lp, step, cells, size);
    }
    auto* cells = static_cast<uint64_t*>(mem_calloc(size * sizeof(uint64_t)));
    bool distinct = distinct_by_hash(lp, step, cells, size);
    mem_free(cells, size * sizeof *cells);
    return distinct;
}

// ---- writing ----------------------------------------------------------------------------------

static void count_set(Buf* lp, size_t count) {
    RP_ASSERT(count <= UINT32_MAX);
    auto v = static_cast<uint32_t>(count);
    memcpy(lp->data, &v, sizeof v);
}

static size_t insert_first(Buf* lp, Bytes what) {
    element_write(buf_insert(lp, 0, kLpHead + lp_element_size(what.len)) + kLpHead, what);
    count_set(lp, 1);
    return kLpHead;
}

size_t lp_insert(Buf* lp, size_t at, Bytes what) {
    RP_ASSERT(what.len <= UINT32_MAX);
    if (lp->len == 0) return insert_first(lp, what);
    size_t count = lp_count(buf_bytes(lp));
    size_t size = lp_element_size(what.len);
    if (at == kLpHead && lp->skip >= size) {  // LPUSH: the count is written anew in front of it
        buf_take_front(lp, size);
        element_write(lp->data + kLpHead, what);
    } else {
        if (at == kLpEnd) at = lp->len;
        element_write(buf_insert(lp, at, size), what);
    }
    count_set(lp, count + 1);
    return at;
}

void lp_replace(Buf* lp, size_t at, Bytes what) {
    RP_ASSERT(what.len <= UINT32_MAX);
    size_t old = element_size(buf_bytes(lp), at);
    element_write(buf_splice(lp, at, old, lp_element_size(what.len)), what);
}

size_t lp_erase(Buf* lp, size_t at, size_t n) {
    size_t end = at;
    size_t count = lp_count(buf_bytes(lp));
    size_t gone = 0;
    for (; gone < n && end < lp->len; gone++)
        end += element_size(buf_bytes(lp), end);
    if (gone == 0) return at;
    if (gone == count) {
        buf_free(lp);
        return kLpEnd;
    }
    if (at == kLpHead && lp->cap != 0) {  // LPOP
        buf_give_front(lp, end - at);
    } else {
        buf_erase(lp, at, end - at);
    }
    count_set(lp, count - gone);
    return at < lp->len ? at : kLpEnd;
}

void lp_split(Buf* lp, size_t at, Buf* tail) {
    RP_DCHECK(tail->len == 0 && at > kLpHead && at < lp->len);
    size_t count = lp_count(buf_bytes(lp));
    size_t moved = 0;
    for (size_t i = at; i != kLpEnd; i = lp_next(buf_bytes(lp), i))
        moved++;
    size_t len = lp->len - at;
    memcpy(buf_insert(tail, 0, kLpHead + len) + kLpHead, lp->data + at, len);
    count_set(tail, moved);
    buf_erase(lp, at, len);
    count_set(lp, count - moved);
}

void lp_check(Bytes lp) {
    if (lp.len == 0) return;
    size_t seen = 0, before_at = kLpEnd;
    RP_ASSERT(lp.len > kLpHead);
    for (size_t at = lp_first(lp); at != kLpEnd; at = lp_next(lp, at)) {
        RP_ASSERT(at + element_size(lp, at) <= lp.len);
        RP_ASSERT(lp_prev(lp, at) == before_at);
        before_at = at;
        seen++;
    }
    RP_ASSERT(lp_last(lp) == before_at && lp_count(lp) == seen);
}

}  // namespace rp
