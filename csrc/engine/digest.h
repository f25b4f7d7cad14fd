// engine/digest.h: fingerprints of values and of the whole data set, the same 40 digits as
// Redis 7.0 for the same data. Tests compare stores by them.
//
// Threads  REQUIRES: the gate is closed by the caller, or nobody writes.
#pragma once
#include "base/sha1.h"
#include "cmd/ctx.h"

namespace rp {

struct Digest {
    unsigned char sum[kSha1Len] = {};
};
constexpr size_t kDigestHexLen = 2 * kSha1Len;

void digest_mix_value(CmdCtx* c, const Entry* e, Digest* d);
void digest_store(CmdCtx* c, Digest* out);
void digest_hex(const Digest* d, char out[kDigestHexLen]);

}  // namespace rp
