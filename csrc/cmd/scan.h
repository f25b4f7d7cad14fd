// cmd/scan.h: what HSCAN, SSCAN and ZSCAN share with SCAN: cursor, MATCH, COUNT and the reply.
#pragma once
#include "cmd/ctx.h"
#include "types/each.h"

namespace rp {

// Writes what stands beside an element's name (a hash: the value; a sorted set: the score) as one
// reply. Of a sorted set `score` is set, whatever the form.
using ScanBeside = void (*)(Reply* out, const Element* e);

// All of "xSCAN key cursor [MATCH pattern] [COUNT count]" over a value of `type`, which is no list.
// Of a Dict (inside a Zset too) COUNT elements are looked at; anything smaller comes whole, with
// cursor 0. `beside` null: names only.
void scan_collection(CmdCtx* c, Args argv, Type type, ScanBeside beside);

}  // namespace rp
