// cmd/rename.h: rename-command: the names by which the clients of one engine reach its commands.
// Everything else (errors about arguments, ACL rules, COMMAND, the log) goes on using the commands'
// own names.
//
// Ownership  renames_new/renames_free. Threads  any once all names are set.
// Limits     kRenamesMax lines of rename-command.
#pragma once
#include "cmd/row.h"

namespace rp {

struct CmdRef {
    const Cmd* row = nullptr;  // null: unknown
    const Cmd* parent = nullptr;
    uint32_t index = 0;  // for CmdStat
};

constexpr size_t kRenamesMax = 512;

struct Renames;

enum class Renamed : uint8_t { done, unknown, taken, too_many };

Renames* renames_new();
void renames_free(Renames* take);  // may be null
// From here on `from` is called `to`; an empty `to` takes the command away.
Renamed renames_add(Renames* r, Bytes from, Bytes to);
CmdRef renames_find(const Renames* r, Bytes name);
// Some name leads to this top-level row. `r` may be null.
bool renames_reach(const Renames* r, const Cmd* row);

}  // namespace rp
