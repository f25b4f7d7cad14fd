// cmd/picks.h: random picks that may repeat: SRANDMEMBER, HRANDFIELD and ZRANDMEMBER with a
// negative count. The count is a number that costs its sender nothing and us its reply, so that
// reply has a limit: beyond it the command is refused and nothing is sent. (Redis 7.0 writes on
// until memory ends.) types/pick.h has picks that do not repeat.
#pragma once
#include "cmd/ctx.h"

namespace rp {

constexpr size_t kPicksReplyMax = 64 * 1024 * 1024;
constexpr size_t kPickBytesMin = 6;  // $0 and two line ends

// Replies one pick: element number `index` of the collection.
using PickReply = void (*)(Reply* out, size_t index, void* arg);
// `start`: the reply as it was before its header was written. False: the error is replied instead.
bool reply_picks(CmdCtx* c, OutMark start, uint64_t picks, size_t population, PickReply one,
                 void* arg);

}  // namespace rp
