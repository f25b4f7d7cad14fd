// types/intset.h: a small set of integers: sorted, all of one width.
//
//   | width u8: 2, 4 or 8 | value | value | ...     little-endian; empty: no bytes at all
//
// Ownership  reading works on borrowed Bytes; writing on a Buf, which copies what it borrows.
// Threads    none inside.
#pragma once
#include "types/buf.h"

namespace rp {

size_t intset_count(Bytes set);
int64_t intset_at(Bytes set, size_t index);  // REQUIRES: index < count
bool intset_contains(Bytes set, int64_t value);
// False: it was there already. Widens all values when it must.
bool intset_add(Buf* set, int64_t value);
bool intset_remove(Buf* set, int64_t value);  // false: it was not there
void intset_remove_at(Buf* set, size_t index);
void intset_check(Bytes set);  // sorted, unique, of one width; asserts

}  // namespace rp
