// engine/config_hooks.h: what a CONFIG SET changes at once, beyond the number that readers look up.
#pragma once
#include "engine/engine.h"

namespace rp {

// Called by engine_open at its end: notes the memory of the empty engine, sets the log level, and
// from then on brings changed settings to the log and the transport.
void engine_config_hooks(Engine* e);

// loglevel and log-format: the process' log follows the settings read last.
void log_settings_apply(const Config* config);

// The client is on this machine, or in this process.
bool session_is_local(const Session* s);

}  // namespace rp
