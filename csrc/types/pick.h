// types/pick.h: k different ones of n, every choice as likely as any other (SRANDMEMBER, HRANDFIELD
// and ZRANDMEMBER with a count).
//
// Threads  any; base/random.h is per thread.
// Limits   memory for O(k) numbers, and none when k is a good part of n; O(k) time.
#pragma once
#include <cstddef>

namespace rp {

// Gets numbers below n, in no special order (ascending when k is a good part of n).
using PickVisit = void (*)(size_t index, void* arg);
// REQUIRES: k <= n.
void pick_distinct(size_t n, size_t k, PickVisit visit, void* arg);

}  // namespace rp
