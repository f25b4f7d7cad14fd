// persist/rdb_reader.h: what the parts of the RDB reader share: where its bytes come from, room for
// the strings it reads, and the first thing that went wrong. For persist/rdb_*.cc only.
//
//   file     window = a buffer that is filled again and again     rdb_left: unknown
//   memory   window = all of it                                   rdb_left: what is left
//
// Nothing is allocated because a length says so: in memory a length is compared with what is left;
// from a file, room grows with what arrives.
//
// Every function that returns bool has set `fault` when that is false, and is not called again.
// Threads    single owner.
#pragma once
#include "persist/rdb_format.h"
#include "persist/rdb_read.h"

namespace rp {

enum class RdbFault : uint8_t { none, io, truncated, bad, unsupported, no_memory, stopped };

struct RdbReader {
    const RdbLimits* limits = nullptr;
    // Source.
    RdbIn* in = nullptr;  // null: memory
    const RdbVisitor* visitor = nullptr;
    char* buffer = nullptr;  // owned; of a file
    Bytes window;
    size_t at = 0;      // bytes of the window already used
    size_t summed = 0;  // ... and in `crc`
    uint64_t base = 0;  // offset of the window
    uint64_t crc = 0;
    // The strings read last. Owned; reused, or given away.
    Blob* key = nullptr;
    Blob* first = nullptr;
    Blob* second = nullptr;
    Blob* packed = nullptr;
    // What went wrong, and where.
    RdbFault fault = RdbFault::none;
    int error = 0;  // errno, for io
    char why[160] = {};
};

void rdb_reader_free(RdbReader* r);
[[gnu::format(printf, 3, 4)]] bool rdb_fail(RdbReader* r, RdbFault fault, const char* format, ...);

inline uint64_t rdb_offset(const RdbReader* r) { return r->base + r->at; }
inline uint64_t rdb_left(const RdbReader* r) {
    return r->in == nullptr ? r->window.len - r->at : UINT64_MAX;
}
void rdb_sum(RdbReader* r);  // `crc` covers all that was used

bool rdb_take(RdbReader* r, void* to, size_t n);
inline bool rdb_byte(RdbReader* r, uint8_t* out) {
    if (RP_UNLIKELY(r->at == r->window.len)) return rdb_take(r, out, 1);
    *out = static_cast<uint8_t>(r->window[r->at++]);
    return true;
}
bool rdb_fixed(RdbReader* r, size_t bytes, uint64_t* out);  // little-endian
bool rdb_length(RdbReader* r, uint64_t* out);
// A string of any encoding. *into is grown, or made.
bool rdb_text(RdbReader* r, Blob** into);

// The value of a type code. *empty: a collection without elements; nothing is then in *out.
bool rdb_read_value(RdbReader* r, uint8_t code, RdbKey* out, bool* empty);  // rdb_values.cc

constexpr size_t kModuleNameLen = 9;
void rdb_module_name(uint64_t id, char name[kModuleNameLen + 1]);

}  // namespace rp
