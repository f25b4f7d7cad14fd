// types/pick.h: several elements at random: the arithmetic of SRANDMEMBER, HRANDFIELD, ZRANDMEMBER
// and SPOP with a count.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

// Calls visit with `count` different positions below `size`, every choice as likely as any other.
// In no special order; ascending when at least a third is chosen. O(count) time.
// REQUIRES: count <= size.
using PickVisit = void (*)(size_t position, void* arg);
void pick_distinct(size_t count, size_t size, PickVisit visit, void* arg);

}  // namespace rp
