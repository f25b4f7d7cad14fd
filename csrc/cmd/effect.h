// cmd/effect.h: what a command did, in words that say it again at any time and anywhere: for the
// log. Replayed they need no clock, no chance, and nothing but the state they were said in.
//
// Most commands are such words themselves: the dispatcher logs their argv when they have changed
// something. The others call one of these, under their locks and once the change is made (or is
// certain), and argv is then not logged:
//
//     SET k v EX 10          ->  SET k v PXAT 1700000010000
//     GETEX k PX 5           ->  PEXPIREAT k 1700000000005
//     INCRBYFLOAT k 0.1      ->  SET k 3.1 KEEPTTL
//     SPOP k 2               ->  SREM k a b
//
// All are commands that redis-server 7.0 loads. Several calls make several commands of one record.
// Without a log nothing happens.
#pragma once
#include "base/numbers.h"
#include "cmd/ctx.h"

namespace rp {

void effect_say(CmdCtx* c, const Bytes* words, size_t n);
template <size_t N>
inline void effect(CmdCtx* c, const Bytes (&words)[N]) {
    if (RP_UNLIKELY(c->a.log != nullptr)) effect_say(c, words, N);
}

void effect_delete(CmdCtx* c, Bytes key);                    // DEL
void effect_expire_at(CmdCtx* c, Bytes key, int64_t at_ms);  // PEXPIREAT; kNoExpiry: PERSIST
// SET with argv[value] (by reference when it came in a Blob), expiring at at_ms or not (kNoExpiry).
void effect_set(CmdCtx* c, Bytes key, Args argv, size_t value, int64_t at_ms);
// RESTORE with argv[payload]: at_ms absolute (kNoExpiry: none). With REPLACE, since what was there
// is gone; `rest` are IDLETIME and FREQ as they were given, if at all.
void effect_restore(CmdCtx* c, Bytes key, Args argv, size_t payload, int64_t at_ms, Args rest);
// `name key n`: LPOP, RPOP, ZPOPMIN, ZPOPMAX.
void effect_pop(CmdCtx* c, Bytes name, Bytes key, size_t n);

// A command of many words: exactly n of them, by effect_word, `name` and `key` not counted. Nothing
// may be deleted or said in between.
void effect_begin(CmdCtx* c, Bytes name, Bytes key, size_t n);
void effect_word(CmdCtx* c, Bytes word);

}  // namespace rp
