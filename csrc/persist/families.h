// persist/families.h: the rows of commands about files and serialized values, for the list in
// engine/. Each ends with an empty row.
#pragma once
#include "cmd/families.h"

namespace rp {

extern const Cmd kDumpCmds[];  // dump.cc: DUMP RESTORE

}  // namespace rp
