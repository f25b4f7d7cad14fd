// persist/crc32c.h: CRC-32C (Castagnoli), the checksum of each run of the log.
//
// By the processor's instruction where it has one, else by tables; both give the same number.
//
// Threads  any.
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace rp {

// Of `data` behind what gave `crc`; 0 to begin with: crc32c(crc32c(0, a), b) == crc32c(0, ab).
uint32_t crc32c(uint32_t crc, Bytes data);

// The tables alone, whatever the processor has: for tests.
uint32_t crc32c_portable(uint32_t crc, Bytes data);

}  // namespace rp
