#include "cmd/picks.h"

#include "base/random.h"

namespace rp {

bool reply_picks(CmdCtx* c, OutMark start, uint64_t picks, size_t population, PickReply one,
                 void* arg) {
    bool fits = picks <= kPicksReplyMax / kPickBytesMin;
    for (uint64_t i = 0; fits && i < picks; i++) {
        one(c->out, random_below(population), arg);
        fits = c->out->out->bytes - start.bytes <= kPicksReplyMax;
    }
    if (fits) return true;
    out_rewind(c->out->out, start);
    reply_error(c->out, "ERR value is out of range");
    return false;
}

}  // namespace rp
