// cmd/sample.h: elements at random: what HRANDFIELD, SRANDMEMBER and ZRANDMEMBER share.
//
// Every element is equally likely, whatever the form. Without count: one. A positive count: so many
// different ones, at most all. A negative one: so many picks, with repeats.
//
// Limits  -9223372036854775807 picks are a valid count, on which Redis 7.0 builds replies until it
//         dies. Here a reply of picks that would exceed kSampleReplyMax is refused with Redis'
//         "value is out of range": at once when even the shortest elements would exceed it (from 22
//         million picks on), else when it gets there. A positive count never gives more than there
//         is.
#pragma once
#include "cmd/ctx.h"
#include "cmd/scan.h"

namespace rp {

constexpr size_t kSampleReplyMax = 128 * 1024 * 1024;

struct SampleArgs {
    bool has_count = false;
    bool beside = false;  // WITHVALUES, WITHSCORES
    int64_t count = 1;
};

// A count, in the range Redis gives it. Replies the error and returns false.
bool arg_sample_count(CmdCtx* c, Bytes arg, int64_t* out);
// "key [count [WITHx]]" of HRANDFIELD and ZRANDMEMBER; `word` is WITHx.
bool arg_sample(CmdCtx* c, Args argv, Bytes word, SampleArgs* out);
// The rest of the command: looks the key up, replies. `beside` writes what WITHx adds; null: never.
void sample_collection(CmdCtx* c, Bytes key, Type type, const SampleArgs* args, ScanBeside beside);

}  // namespace rp
