// engine/command.h: what the files of COMMAND share.
#pragma once
#include "cmd/dispatch.h"
#include "engine/families.h"

namespace rp {

// "client|list" or "get", in any case. Null row: there is no such command, or COMMAND does not list
// it.
CmdRef command_lookup(const CmdCtx* c, Bytes full_name);
void reply_full_name(Reply* out, const Cmd* parent, const Cmd* row);
// COMMAND DOCS [name ...]
void command_docs(CmdCtx* c, Args argv, Reply* out);
// COMMAND GETKEYS, COMMAND GETKEYSANDFLAGS
void command_getkeys(CmdCtx* c, Args argv, Reply* out);
void command_getkeysandflags(CmdCtx* c, Args argv, Reply* out);
// The access flags of a key, as a set: "RW", "access", ...
void reply_key_flags(Reply* out, uint32_t flags);

// Of the top level: not hidden, and not taken away by rename-command.
bool command_listed(const CmdCtx* c, const Cmd* row);
inline bool row_listed(const Cmd* row) { return (row->flags & kCmdHidden) == 0; }
inline const Cmd* subcommand_next(const Cmd* at) {
    return at[1].name != nullptr ? at + 1 : nullptr;
}

}  // namespace rp
