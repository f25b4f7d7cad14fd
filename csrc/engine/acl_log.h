// engine/acl_log.h: what was refused lately: ACL LOG. Equal refusals within a minute are one entry
// with a count.
//
// Limits   acllog-max-len entries; kAclLogObjectMax bytes of a key, command or user's name.
// Threads  any; `lock` is a leaf.
#pragma once
#include <deque>
#include <string>

#include "base/bytes.h"
#include "engine/acl_rules.h"
#include "sync/mutex.h"

namespace rp {

constexpr size_t kAclLogObjectMax = 1024;
constexpr int64_t kAclLogGroupMs = 60 * 1000;
constexpr size_t kAclLogGroupScan = 10;  // how far back an equal entry is looked for

struct AclLogEntry {
    uint64_t count = 1;
    AclDenied reason = AclDenied::command;
    bool in_multi = false;
    std::string object;
    std::string user;
    std::string client;  // as CLIENT LIST describes it
    int64_t at_ms = 0;   // wall clock, of the last one
};

struct AclLog {
    Mutex lock;
    std::deque<AclLogEntry> entries;  // newest first; under lock
};

void acl_log_add(AclLog* l, AclLogEntry take, size_t entries_max);
void acl_log_reset(AclLog* l);
// The newest `most` entries, copied.
std::deque<AclLogEntry> acl_log_newest(AclLog* l, size_t most);
const char* acl_reason_text(AclDenied reason);

}  // namespace rp
