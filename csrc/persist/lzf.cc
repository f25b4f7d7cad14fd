#include "persist/lzf.h"

#include <lzf.h>

#include <climits>

namespace rp {

size_t lzf_pack(Bytes from, char* to, size_t cap) {
    if (from.len > UINT_MAX || cap > UINT_MAX) return 0;
    return lzf_compress(from.ptr, static_cast<unsigned>(from.len), to, static_cast<unsigned>(cap));
}

bool lzf_unpack(Bytes from, char* to, size_t len) {
    // The library reads the first byte without looking, and says 0 for failure.
    if (from.len == 0 || len == 0 || from.len > UINT_MAX || len > UINT_MAX) return false;
    unsigned out =
        lzf_decompress(from.ptr, static_cast<unsigned>(from.len), to, static_cast<unsigned>(len));
    return out == len;
}

}  // namespace rp
