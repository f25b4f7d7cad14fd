// cmd/txn.h: MULTI, EXEC and WATCH as the dispatcher needs them.
//
// EXEC collects the keys of all queued commands and of the session's WATCHes, takes their locks
// (R3; R5 when a queued command is exclusive or reads undeclared keys), tests the watches under
// them, and runs the queue: errors at queue time abort, errors at run time do not.
#pragma once
#include "cmd/locks.h"

namespace rp {

// What EXEC needs before it may run.
struct ExecPlan {
    bool exclusive = false;
    bool writes = false;
    LockSet locks;
};
void exec_plan(Worker* w, const Session* s, ExecPlan* out);

// Calls visit for each key of each queued write, in the database where it will be looked up.
void exec_each_write_key(Worker* w, const Session* s, DbKeyVisit visit, void* arg);

// An EXEC that was refused (arity, NOAUTH, OOM) ends the transaction, as DISCARD does.
void exec_abandon(CmdCtx* c);

// Copies the command into the queue. False: the queue is full (client-query-buffer-limit).
bool multi_queue(Session* s, const CmdRef* ref, const Command* cmd, size_t bytes_max);

}  // namespace rp
