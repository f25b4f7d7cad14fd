// cmd/zset.h: what the files of the sorted set family share.
#pragma once
#include "cmd/ctx.h"
#include "types/zset.h"

namespace rp {

ZsetLimits zset_limits(const CmdCtx* c);

// Members with or without their scores: RESP2 has one flat array, RESP3 an array of pairs.
void reply_pairs_head(Reply* out, size_t n, bool scores);
void reply_pair(Reply* out, ZsetPair pair, bool scores);
// n members from `rank` on (reverse: down to it).
void reply_ranks(Reply* out, const Value* v, size_t rank, size_t n, bool reverse, bool scores);

}  // namespace rp
