#include "persist/rdb_reader.h"

#include <cstdarg>
#include <cstdio>

#include "base/numbers.h"
#include "mem/mem.h"
#include "persist/crc64.h"
#include "persist/lzf.h"

namespace rp {

constexpr size_t kBufferBytes = 128 * 1024;
constexpr size_t kFirstRoom = size_t{1}
                              << 20;  // for a string from a file, whatever its length says
constexpr size_t kTextRoomMin = 256;

void rdb_reader_free(RdbReader* r) {
    mem_free(r->buffer, kBufferBytes);
    for (Blob* b : {r->key, r->first, r->second, r->packed})
        blob_unref(b);
    *r = {};
}

bool rdb_fail(RdbReader* r, RdbFault fault, const char* format, ...) {
    r->fault = fault;
    va_list args;
    va_start(args, format);
    vsnprintf(r->why, sizeof r->why, format, args);
    va_end(args);
    return false;
}

static bool ends_early(RdbReader* r) {
    return rdb_fail(r, RdbFault::truncated, "it ends too early");
}

// ---- bytes ------------------------------------------------------------------------------------

void rdb_sum(RdbReader* r) {
    if (r->summed == r->at) return;
    if (r->in == nullptr || r->in->checksum) {
        r->crc = crc64(r->crc, bytes_slice(r->window, r->summed, r->at - r->summed));
    }
    r->summed = r->at;
}

static bool read_some(RdbReader* r, char* to, size_t len, size_t* got) {
    ssize_t n = r->in->read(r->in->arg, to, len);
    if (n == 0) return ends_early(r);
    if (n < 0) {
        r->error = static_cast<int>(-n);
        return rdb_fail(r, RdbFault::io, "it cannot be read");
    }
    *got = static_cast<size_t>(n);
    return true;
}

// REQUIRES: a file, its window used up.
static bool refill(RdbReader* r) {
    rdb_sum(r);
    if (r->buffer == nullptr) r->buffer = static_cast<char*>(mem_alloc(kBufferBytes));
    r->base += r->window.len;
    r->window = {r->buffer, 0};
    r->at = r->summed = 0;
    if (!read_some(r, r->buffer, kBufferBytes, &r->window.len)) return false;
    if (r->visitor->progress != nullptr) {
        r->visitor->progress(r->visitor->arg, r->base + r->window.len);
    }
    return true;
}

static size_t take_buffered(RdbReader* r, char* to, size_t n) {
    size_t have = r->window.len - r->at;
    if (n > have) n = have;
    if (n != 0) memcpy(to, r->window.ptr + r->at, n);
    r->at += n;
    return n;
}

bool rdb_take(RdbReader* r, void* to, size_t n) {
    auto* next = static_cast<char*>(to);
    if (n > rdb_left(r)) return ends_early(r);
    for (;;) {
        size_t got = take_buffered(r, next, n);
        if (got == n) return true;
        next += got;
        n -= got;
        if (!refill(r)) return false;
    }
}

static uint64_t number(const uint8_t* b, size_t bytes, bool big_endian) {
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | b[big_endian ? i : bytes - 1 - i];
    return v;
}

bool rdb_fixed(RdbReader* r, size_t bytes, uint64_t* out) {
    uint8_t b[8];
    if (!rdb_take(r, b, bytes)) return false;
    *out = number(b, bytes, false);
    return true;
}

static bool big_endian(RdbReader* r, size_t bytes, uint64_t* out) {
    uint8_t b[8];
    if (!rdb_take(r, b, bytes)) return false;
    *out = number(b, bytes, true);
    return true;
}

// A length whose first byte was read.
static bool length_from(RdbReader* r, uint8_t first, uint64_t* out) {
    *out = first & 63;
    if (first < kRdbLen14) return true;
    if (first == kRdbLen32) return big_endian(r, 4, out);
    if (first == kRdbLen64) return big_endian(r, 8, out);
    if (first > kRdbLen64) return rdb_fail(r, RdbFault::bad, "%02x is no length", first);
    uint64_t low;
    if (!big_endian(r, 1, &low)) return false;
    *out = *out << 8 | low;
    return true;
}

bool rdb_length(RdbReader* r, uint64_t* out) {
    uint8_t first;
    return rdb_byte(r, &first) && length_from(r, first, out);
}

// ---- strings ----------------------------------------------------------------------------------

// Room for `cap` bytes; the `len` that are there are kept.
static bool make_room(RdbReader* r, Blob** b, size_t cap) {
    if (*b != nullptr && (*b)->cap >= cap) return true;
    if (cap < kTextRoomMin) cap = kTextRoomMin;
    Blob* made = *b == nullptr ? blob_try_new(cap) : blob_try_resize(*b, cap);
    if (made == nullptr) return rdb_fail(r, RdbFault::no_memory, "no memory for %zu bytes", cap);
    *b = made;
    return true;
}

static bool take_text(RdbReader* r, uint64_t len, Blob** into) {
    if (len > kRdbTextMax) return rdb_fail(r, RdbFault::bad, "a string is longer than 4 GiB");
    if (len > rdb_left(r)) return ends_early(r);
    if (*into != nullptr) (*into)->len = 0;
    for (size_t have = 0; have < len || *into == nullptr;) {
        size_t room = have == 0 ? kFirstRoom : 2 * have;
        if (room > len || r->in == nullptr) room = len;
        if (!make_room(r, into, room)) return false;
        if (!rdb_take(r, (*into)->data + have, room - have)) return false;
        (*into)->len = have = room;
    }
    return true;
}

static bool take_integer(RdbReader* r, uint8_t code, Blob** into) {
    uint64_t v;
    size_t bytes = size_t{1} << code;
    if (!rdb_fixed(r, bytes, &v) || !make_room(r, into, kI64TextMax)) return false;
    uint64_t sign = uint64_t{1} << (8 * bytes - 1);
    (*into)->len = format_i64((*into)->data, static_cast<int64_t>((v ^ sign) - sign));
    return true;
}

static bool take_compressed(RdbReader* r, Blob** into) {
    uint64_t packed, len;
    if (!rdb_length(r, &packed) || !rdb_length(r, &len)) return false;
    if (len > kRdbTextMax) return rdb_fail(r, RdbFault::bad, "a string is longer than 4 GiB");
    if (!take_text(r, packed, &r->packed)) return false;
    if (len == 0 || len > packed * kLzfRatioMax) {
        return rdb_fail(r, RdbFault::bad, "%llu bytes cannot be %llu compressed ones",
                        static_cast<unsigned long long>(len),
                        static_cast<unsigned long long>(packed));
    }
    if (!make_room(r, into, len)) return false;
    if (!lzf_unpack(blob_bytes(r->packed), (*into)->data, len)) {
        return rdb_fail(r, RdbFault::bad, "a string cannot be decompressed");
    }
    (*into)->len = len;
    return true;
}

bool rdb_text(RdbReader* r, Blob** into) {
    uint8_t first;
    uint64_t len;
    if (!rdb_byte(r, &first)) return false;
    if (first < kRdbEncoded) return length_from(r, first, &len) && take_text(r, len, into);
    uint8_t code = first & 63;
    if (code <= kRdbInt32) return take_integer(r, code, into);
    if (code == kRdbLzf) return take_compressed(r, into);
    return rdb_fail(r, RdbFault::bad, "%02x is no way to encode a string", first);
}

}  // namespace rp
