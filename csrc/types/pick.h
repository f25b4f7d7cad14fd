// types/pick.h: several elements at random: the arithmetic of SRANDMEMBER, HRANDFIELD, ZRANDMEMBER
// and SPOP with a count.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

// The most elements that a negative count may ask for: a reply is built in memory before it is
// sent, and a user chose this number. (Redis 7.0 goes on until it is out of memory.)
constexpr int64_t kPickRepeatsMax = int64_t{1} << 24;

// Calls visit with `count` different positions below `size`, every choice as likely as any other.
// In no special order; ascending when at least a third is chosen. O(count) time.
// REQUIRES: count <= size.
using PickVisit = void (*)(size_t position, void* arg);
void pick_distinct(size_t count, size_t size, PickVisit visit, void* arg);

}  // namespace rp
