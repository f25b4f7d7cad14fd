// base/sha1.h: SHA-1 of a byte run, for DEBUG DIGEST only (its digests must equal Redis'). Computed
// by OpenSSL's libcrypto.
#pragma once
#include "base/bytes.h"

namespace rp {

constexpr size_t kSha1Len = 20;
void sha1(Bytes data, unsigned char out[kSha1Len]);

}  // namespace rp
