// base/sha1.cc: see sha1.h.
#include "base/sha1.h"

#include <openssl/sha.h>

namespace rp {

static_assert(kSha1Len == SHA_DIGEST_LENGTH);

void sha1(Bytes data, unsigned char out[kSha1Len]) {
    SHA1(reinterpret_cast<const unsigned char*>(data.ptr), data.len, out);
}

}  // namespace rp
