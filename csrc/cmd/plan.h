// cmd/plan.h: how a row is executed, decided once at registration (the rules of cmd/dispatch.h).
#pragma once
#include "cmd/row.h"

namespace rp {

enum class Rule : uint8_t {
    keyless,       // nothing declared: pinned, no lock
    read_one,      // R2
    write_one,     // R1
    read_many,     // R4
    write_many,    // R3
    locked_read,   // the locks of R3 without txn
    tracked_read,  // the same, and the keys are remembered; never in a plan
    exclusive,     // R5
    exec,          // what the queued commands need together
};

struct Plan {
    Rule rule;
    uint8_t first_key;  // argv index of the first key
    bool quick;         // as a rule too short to be timed by itself (cmd/timing.h)
};
Plan command_plan(uint32_t index);

}  // namespace rp
