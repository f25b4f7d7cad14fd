// persist/rdb_legacy.h: Redis' own packed runs, which RDB files hold as one string: walked element
// by element, every length checked against what is there before it is followed.
//
//   ziplist   | bytes u32 | offset of the last u32 | count u16 | entry ... | FF |
//             entry: size of the one before (1 byte, or FE + u32), code, bytes
//   listpack  | bytes u32 | count u16 | entry ... | FF |
//             entry: code, bytes, size of both written backward in groups of seven bits
//   zipmap    | count u8 | { length, field, length, spare u8, value, spare bytes } ... | FF |
//   intset    | width u32 | count u32 | values, ascending |
//
// Numbers are little-endian but for the string lengths of ziplists and listpacks (12, 14 and, in
// ziplists, 32 bits).
//
// Ownership  a PackedRun borrows the bytes.
// Threads    none inside.
#pragma once
#include "base/numbers.h"

namespace rp {

enum class Packed : uint8_t { ziplist, listpack, zipmap, intset };

struct PackedRun {
    Packed kind = Packed::listpack;
    Bytes bytes;
    size_t at = 0;
    size_t end = 0;        // of the entries
    uint64_t seen = 0;     // entries so far
    uint64_t count = 0;    // as the head says; kPackedUnknown: too many for its field
    size_t last_size = 0;  // ziplist: of the entry before
    size_t last_at = 0;    // ziplist: where it begins
    size_t width = 0;      // intset
    int64_t last = 0;      // intset
};
constexpr uint64_t kPackedUnknown = UINT64_MAX;

enum class PackedStep : uint8_t { element, end, bad };

// False: the head is wrong.
[[nodiscard]] bool packed_open(PackedRun* run, Packed kind, Bytes bytes);
// The next element; digits of integers go to `digits`. `end` is said only when all that the head
// promised was right, too.
PackedStep packed_next(PackedRun* run, Bytes* out, char digits[kI64TextMax]);

}  // namespace rp
