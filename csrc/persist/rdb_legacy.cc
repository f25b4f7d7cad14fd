#include "persist/rdb_legacy.h"

namespace rp {

constexpr uint8_t kPackedEnd = 0xFF;
constexpr size_t kZiplistHead = 10, kListpackHead = 6, kIntsetHead = 8;
constexpr uint64_t kCountUnknown = UINT16_MAX;  // of ziplist and listpack
constexpr uint8_t kZipmapCountUnknown = 254;
constexpr uint8_t kZipWide = 254;  // four bytes of length follow

// ---- numbers ----------------------------------------------------------------------------------

static uint8_t byte_at(Bytes b, size_t at) { return static_cast<uint8_t>(b[at]); }

static uint64_t little(Bytes b, size_t at, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= static_cast<uint64_t>(byte_at(b, at + i)) << (8 * i);
    return v;
}

static uint64_t big(Bytes b, size_t at, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | byte_at(b, at + i);
    return v;
}

// The lowest `bits` of v, as a number with a sign.
static int64_t with_sign(uint64_t v, unsigned bits) {
    uint64_t sign = uint64_t{1} << (bits - 1);
    if (bits < 64) v &= (sign << 1) - 1;
    return static_cast<int64_t>((v ^ sign) - sign);
}

// Whether n bytes lie at `at`, before the end mark.
static bool has(const PackedRun* r, size_t at, size_t n) {
    return at <= r->end && n <= r->end - at;
}

// ---- what an entry is -------------------------------------------------------------------------

// A code byte taken apart: `head` bytes of code and length, then `len` bytes: text, or an integer
// of that many bytes (`immediate`: the integer is in the code itself).
struct Code {
    enum Kind : uint8_t { text, integer, immediate, bad } kind = bad;
    size_t head = 0;
    uint64_t len = 0;
    int64_t value = 0;
};

static Code text_code(size_t head, uint64_t len) { return {Code::text, head, len, 0}; }
static Code integer_code(size_t bytes) { return {Code::integer, 1, bytes, 0}; }
static Code immediate_code(size_t head, int64_t v) { return {Code::immediate, head, 0, v}; }

static Code ziplist_code(const PackedRun* r, size_t at) {
    if (!has(r, at, 1)) return {};
    uint8_t c = byte_at(r->bytes, at);
    switch (c >> 6) {
        case 0: return text_code(1, c & 63);
        case 1: return has(r, at, 2) ? text_code(2, big(r->bytes, at, 2) & 0x3FFF) : Code{};
        case 2:
            if (c != 0x80 || !has(r, at, 5)) return {};
            return text_code(5, big(r->bytes, at + 1, 4));
        default: break;
    }
    switch (c) {
        case 0xC0: return integer_code(2);
        case 0xD0: return integer_code(4);
        case 0xE0: return integer_code(8);
        case 0xF0: return integer_code(3);
        case 0xFE: return integer_code(1);
        default: break;
    }
    if (c >= 0xF1 && c <= 0xFD) return immediate_code(1, (c & 15) - 1);
    return {};
}

static Code listpack_code(const PackedRun* r, size_t at) {
    if (!has(r, at, 1)) return {};
    uint8_t c = byte_at(r->bytes, at);
    if (c < 0x80) return immediate_code(1, c);
    if (c < 0xC0) return text_code(1, c & 63);
    if (c < 0xF0 && !has(r, at, 2)) return {};
    if (c < 0xE0) return immediate_code(2, with_sign(big(r->bytes, at, 2), 13));
    if (c < 0xF0) return text_code(2, big(r->bytes, at, 2) & 0xFFF);
    switch (c) {
        case 0xF0: return has(r, at, 5) ? text_code(5, little(r->bytes, at + 1, 4)) : Code{};
        case 0xF1: return integer_code(2);
        case 0xF2: return integer_code(3);
        case 0xF3: return integer_code(4);
        case 0xF4: return integer_code(8);
        default: return {};
    }
}

// The element a code announces; false: it is not all there.
static bool element_of(const PackedRun* r, size_t at, const Code* c, Bytes* out, char* digits) {
    if (c->kind == Code::bad || !has(r, at, c->head) || c->len > r->end - at - c->head) {
        return false;
    }
    if (c->kind == Code::text) {
        *out = bytes_slice(r->bytes, at + c->head, c->len);
        return true;
    }
    int64_t v = c->value;
    if (c->kind == Code::integer) {
        v = with_sign(little(r->bytes, at + c->head, c->len), static_cast<unsigned>(8 * c->len));
    }
    *out = {digits, format_i64(digits, v)};
    return true;
}

// ---- one entry of each kind -------------------------------------------------------------------

static bool next_ziplist(PackedRun* r, Bytes* out, char* digits) {
    size_t at = r->at;
    uint64_t before = byte_at(r->bytes, at);
    size_t head = 1;
    if (before == kZipWide) {
        if (!has(r, at, 5)) return false;
        before = little(r->bytes, at + 1, 4);
        head = 5;
    }
    if (before == kPackedEnd || before != r->last_size) return false;
    Code c = ziplist_code(r, at + head);
    if (!element_of(r, at + head, &c, out, digits)) return false;
    r->last_at = at;
    r->last_size = head + c.head + c.len;
    r->at = at + r->last_size;
    return true;
}

static size_t back_bytes(size_t size) {
    return size <= 127 ? 1 : size < 16383 ? 2 : size < 2097151 ? 3 : size < 268435455 ? 4 : 5;
}

// Behind an entry its size is written so that it reads from the end: seven bits a byte, the highest
// first; all but the first have the top bit set.
static bool back_is_right(const PackedRun* r, size_t at, size_t size) {
    size_t n = back_bytes(size);
    if (!has(r, at, n)) return false;
    for (size_t i = 0; i < n; i++, size >>= 7) {
        auto want = static_cast<uint8_t>((size & 127) | (i + 1 < n ? 128 : 0));
        if (byte_at(r->bytes, at + n - 1 - i) != want) return false;
    }
    return size == 0;
}

static bool next_listpack(PackedRun* r, Bytes* out, char* digits) {
    Code c = listpack_code(r, r->at);
    if (!element_of(r, r->at, &c, out, digits)) return false;
    size_t size = c.head + c.len;
    if (!back_is_right(r, r->at + size, size)) return false;
    r->at += size + back_bytes(size);
    return true;
}

// Fields and values take turns; behind a value may be some spare bytes.
static bool next_zipmap(PackedRun* r, Bytes* out) {
    size_t at = r->at, head = 1, spare = 0;
    uint64_t len = byte_at(r->bytes, at);
    if (len == kPackedEnd) return false;
    if (len == kZipWide) {
        if (!has(r, at, 5)) return false;
        len = little(r->bytes, at + 1, 4);
        head = 5;
    }
    if (r->seen % 2 == 1) {
        if (!has(r, at, head + 1)) return false;
        spare = byte_at(r->bytes, at + head++);
    }
    if (!has(r, at, head) || len > r->end - at - head) return false;
    *out = bytes_slice(r->bytes, at + head, len);
    at += head + len;
    if (!has(r, at, spare)) return false;
    r->at = at + spare;
    return true;
}

static bool next_intset(PackedRun* r, Bytes* out, char* digits) {
    int64_t v = with_sign(little(r->bytes, r->at, r->width), static_cast<unsigned>(8 * r->width));
    if (r->seen != 0 && v <= r->last) return false;
    r->last = v;
    r->at += r->width;
    *out = {digits, format_i64(digits, v)};
    return true;
}

// ---- opening and walking ----------------------------------------------------------------------

static bool open_ziplist(PackedRun* r) {
    Bytes b = r->bytes;
    if (b.len <= kZiplistHead || little(b, 0, 4) != b.len) return false;
    r->count = little(b, 8, 2);
    r->at = r->last_at = kZiplistHead;
    return true;
}

static bool open_listpack(PackedRun* r) {
    Bytes b = r->bytes;
    if (b.len <= kListpackHead || little(b, 0, 4) != b.len) return false;
    r->count = little(b, 4, 2);
    r->at = kListpackHead;
    return true;
}

static bool open_zipmap(PackedRun* r) {
    if (r->bytes.len < 2) return false;
    uint8_t pairs = byte_at(r->bytes, 0);
    r->count = pairs < kZipmapCountUnknown ? uint64_t{2} * pairs : kPackedUnknown;
    r->at = 1;
    return true;
}

static bool open_intset(PackedRun* r) {
    Bytes b = r->bytes;
    if (b.len < kIntsetHead) return false;
    r->width = little(b, 0, 4);
    r->count = little(b, 4, 4);
    if (r->width != 2 && r->width != 4 && r->width != 8) return false;
    r->at = kIntsetHead;
    r->end = b.len;
    return (b.len - kIntsetHead) / r->width == r->count && (b.len - kIntsetHead) % r->width == 0;
}

bool packed_open(PackedRun* r, Packed kind, Bytes bytes) {
    *r = {};
    r->kind = kind;
    r->bytes = bytes;
    if (kind == Packed::intset) return open_intset(r);
    bool good = kind == Packed::ziplist    ? open_ziplist(r)
                : kind == Packed::listpack ? open_listpack(r)
                                           : open_zipmap(r);
    if (!good || byte_at(bytes, bytes.len - 1) != kPackedEnd) return false;
    if (kind != Packed::zipmap && r->count == kCountUnknown) r->count = kPackedUnknown;
    r->end = bytes.len - 1;
    return true;
}

static bool end_is_right(const PackedRun* r) {
    if (r->count != kPackedUnknown && r->count != r->seen) return false;
    if (r->kind == Packed::ziplist) return little(r->bytes, 4, 4) == r->last_at;
    return r->kind != Packed::zipmap || r->seen % 2 == 0;
}

PackedStep packed_next(PackedRun* r, Bytes* out, char digits[kI64TextMax]) {
    if (r->at == r->end) return end_is_right(r) ? PackedStep::end : PackedStep::bad;
    bool good = false;
    switch (r->kind) {
        case Packed::ziplist: good = next_ziplist(r, out, digits); break;
        case Packed::listpack: good = next_listpack(r, out, digits); break;
        case Packed::zipmap: good = next_zipmap(r, out); break;
        case Packed::intset: good = next_intset(r, out, digits); break;
    }
    r->seen += good;
    return good ? PackedStep::element : PackedStep::bad;
}

}  // namespace rp
