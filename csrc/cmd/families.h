// cmd/families.h: the rows of each family, for the list in engine/. Each ends with an empty row.
#pragma once
#include "cmd/ctx.h"

namespace rp {

extern const Cmd kStringCmds[];     // string.cc
extern const Cmd kLcsCmds[];        // lcs.cc
extern const Cmd kKeyCmds[];        // keys.cc
extern const Cmd kExpireCmds[];     // expire.cc
extern const Cmd kScanCmds[];       // scan.cc
extern const Cmd kDatabaseCmds[];   // database.cc
extern const Cmd kObjectCmds[];     // object.cc
extern const Cmd kTxnCmds[];        // txn.cc
extern const Cmd kListCmds[];       // list.cc
extern const Cmd kHashCmds[];       // hash.cc
extern const Cmd kSetCmds[];        // set.cc
extern const Cmd kSetOpCmds[];      // set_ops.cc
extern const Cmd kZsetCmds[];       // zset.cc
extern const Cmd kZsetRangeCmds[];  // zset_range.cc
extern const Cmd kZsetStoreCmds[];  // zset_store.cc

// Shared by families and by DEBUG, MEMORY.
Bytes type_name(Type t);              // keys.cc
Bytes encoding_name(const Entry* e);  // object.cc: "int", "embstr", "listpack"; REQUIRES E1

}  // namespace rp
