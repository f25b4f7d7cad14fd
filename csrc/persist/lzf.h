// persist/lzf.h: LZF, the compression of strings in RDB. The one file beside it sees liblzf.
//
// Threads  any. Compressing takes 256 KiB of stack.
#pragma once
#include "base/bytes.h"

namespace rp {

// Compressed bytes of `from` into `to`; 0: they would not be less than `cap` + 1, or `from` is too
// long for the library.
size_t lzf_pack(Bytes from, char* to, size_t cap);
// True when `from` unpacks to exactly `len` bytes at `to`. `from` may be anything.
bool lzf_unpack(Bytes from, char* to, size_t len);
// A byte of compressed text stands for 88 at most: three of them say "264 bytes from there".
constexpr uint64_t kLzfRatioMax = 88;

}  // namespace rp
