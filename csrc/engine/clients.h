// engine/clients.h: what CLIENT may ask of other sessions, and the texts a session carries.
//
// Threads  a session belongs to its thread. Others see it through the shared atomics of Session
//          and, under Clients.lock, its texts and its place in the list: a session cannot go away
//          while the lock is held. Who holds Clients.lock takes no other lock but a
//          Session.subs_lock, a leaf.
#pragma once
#include "engine/engine.h"
#include "engine/text.h"

namespace rp {

constexpr Bytes kBadName =
    "ERR Client names cannot contain spaces, newlines or special characters.";
// What CLIENT LIST shows as both addresses of an in-process caller.
constexpr const char* kEmbeddedAddr = "in-process:0";

// The value of a CLIENT SETNAME or SETINFO field: empty, or printable ASCII without spaces.
bool session_text_valid(Bytes text);
// Replaces s->name, s->lib_name or s->lib_ver; empty clears it. False: no memory.
bool session_set_text(Engine* e, char** field, Bytes text);
// MULTI and WATCH are over. REQUIRES: the session's thread, no segment held.
void session_leave_multi(Engine* e, Session* s);

// One line of CLIENT LIST with its newline. `asking`: the caller, whose command is `c->row`.
// REQUIRES: Clients.lock.
void client_describe(Text* t, const Session* s, const CmdCtx* asking);

// Any channel, pattern or shard channel: Redis' client type "pubsub".
bool client_subscribed(const Session* s);
// What a client takes: buffers, queued commands, itself.
uint64_t session_memory(const Session* s);
// maxmemory-clients: marks the largest clients to be closed while all together take more. By the
// cron.
void clients_evict(Engine* e);

// CLIENT PAUSE. A pause under way is only ever made longer and stricter, as in Redis.
void pause_start(Engine* e, int64_t until_ms, bool all);
void pause_end(Engine* e);
void pause_end_if_over(Engine* e);
// While a shutdown writes what it has to (Persistence.stopping): writes of network clients wait,
// whatever CLIENT PAUSE says.
void pause_for_stop(Engine* e, bool on);
// DispatchHooks.is_paused.
bool pause_holds(Engine* e, const Session* s, const Cmd* row);

}  // namespace rp
