// persist/crc64.h: the checksum of RDB files and of DUMP: CRC-64 with Jones' polynomial, bits
// reflected, no inversion: of "123456789" it is e9c6d914c4b8d9ca.
#pragma once
#include "base/bytes.h"

namespace rp {

// Goes on from `crc`; 0 starts.
uint64_t crc64(uint64_t crc, Bytes bytes);

}  // namespace rp
