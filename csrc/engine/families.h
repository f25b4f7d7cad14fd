// engine/families.h: the rows of the engine's own commands. Each ends with an empty row.
#pragma once
#include "cmd/families.h"
#include "persist/families.h"

namespace rp {

extern const Cmd kConnectionCmds[];  // connection.cc: PING ECHO HELLO AUTH QUIT RESET SELECT
extern const Cmd kClientCmds[];      // client.cc: CLIENT
extern const Cmd kShutdownCmds[];    // shutdown.cc: SHUTDOWN
extern const Cmd kServerCmds[];      // server.cc: TIME LOLWUT
extern const Cmd kCommandCmds[];     // command.cc: COMMAND
extern const Cmd kInfoCmds[];        // info.cc: INFO
extern const Cmd kConfigCmds[];      // config.cc: CONFIG
extern const Cmd kDebugCmds[];       // debug.cc: DEBUG
extern const Cmd kMemoryCmds[];      // memory.cc: MEMORY
extern const Cmd kWaitCmds[];        // wait.cc: WAIT WAITAOF
extern const Cmd kPubsubCmds[];      // pubsub_cmds.cc: SUBSCRIBE PUBLISH PUBSUB and kin
extern const Cmd kMonitorCmds[];     // monitor.cc: MONITOR
extern const Cmd kAclCmds[];         // acl_cmds.cc: ACL
extern const Cmd kSlowlogCmds[];     // slowlog.cc: SLOWLOG
extern const Cmd kLatencyCmds[];     // latency.cc: LATENCY
extern const Cmd kSaveCmds[];        // save.cc: SAVE BGSAVE BGREWRITEAOF LASTSAVE

}  // namespace rp
