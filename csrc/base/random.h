// base/random.h: two kinds of chance. random_u64 is fast, per thread and not secret (sampling,
// RANDOMKEY); random_secret comes from the kernel (hash secrets, run ids).
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

uint64_t random_u64();
// Uniform in [0, bound); bound > 0.
uint64_t random_below(uint64_t bound);
// Tests: makes this thread's sequence repeatable.
void random_seed(uint64_t seed);

// Fills out from getrandom(2), falling back to /dev/urandom; never fails.
void random_secret(void* out, size_t len);
// Writes `len` lower-case hex digits and no terminator (run ids: 40 of them).
void random_hex(char* out, size_t len);

}  // namespace rp
