// base/status.cc: one short text per Status, for logs and Python exceptions.
#include "base/status.h"

namespace rp {

const char* status_text(Status s) {
    switch (s) {
        case Status::ok: return "ok";
        case Status::no_memory: return "out of memory";
        case Status::limit: return "limit reached";
        case Status::not_found: return "not found";
        case Status::exists: return "already exists";
        case Status::denied: return "permission denied";
        case Status::in_use: return "already in use";
        case Status::invalid: return "malformed input";
        case Status::io: return "input/output error";
        case Status::closed: return "closed";
        case Status::foreign: return "used in a forked child";
    }
    return "unknown status";  // A value that is no enumerator, from a stray byte.
}

}  // namespace rp
