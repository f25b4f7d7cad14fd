// engine/wait.h: WAIT and WAITAOF: commands that hold their client back until something has
// happened or a time is over.
//
// The row says so (Cmd.waits): the command is not run but presented again, like a write while the
// log is full, and the transport parks the client meanwhile (Session.waits_until_ms). Nobody's loop
// stands still. In EXEC they do not wait, as in Redis.
//
// Threads  the session's own, but wait_unblock: any, under Clients.lock.
#pragma once
#include "engine/engine.h"

namespace rp {

// In-process callers: sleeps a little, at most until it may be over.
void wait_nap(Engine* e, const Session* s);
// CLIENT UNBLOCK of a session that waits. False: it does not. The transport is to be woken then.
bool wait_unblock(Session* s, bool with_error);

}  // namespace rp
