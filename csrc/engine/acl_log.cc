#include "engine/acl_log.h"

namespace rp {

static void cut(std::string* s) {
    if (s->size() > kAclLogObjectMax) s->resize(kAclLogObjectMax);
}

static bool same(const AclLogEntry& a, const AclLogEntry& b) {
    int64_t apart_ms = b.at_ms - a.at_ms;
    return a.reason == b.reason && a.in_multi == b.in_multi && apart_ms <= kAclLogGroupMs &&
           a.object == b.object && a.user == b.user;
}

void acl_log_add(AclLog* l, AclLogEntry take, size_t entries_max) {
    cut(&take.object);
    cut(&take.user);
    MutexGuard guard(&l->lock);
    for (size_t i = 0; i < l->entries.size() && i < kAclLogGroupScan; i++) {
        if (!same(l->entries[i], take)) continue;
        take.count += l->entries[i].count;
        l->entries.erase(l->entries.begin() + static_cast<ptrdiff_t>(i));
        break;
    }
    l->entries.push_front(std::move(take));
    if (l->entries.size() > entries_max) l->entries.resize(entries_max);
}

void acl_log_reset(AclLog* l) {
    MutexGuard guard(&l->lock);
    l->entries.clear();
}

std::deque<AclLogEntry> acl_log_newest(AclLog* l, size_t most) {
    MutexGuard guard(&l->lock);
    size_t n = most < l->entries.size() ? most : l->entries.size();
    return {l->entries.begin(), l->entries.begin() + static_cast<ptrdiff_t>(n)};
}

const char* acl_reason_text(AclDenied reason) {
    switch (reason) {
        case AclDenied::none: break;
        case AclDenied::command: return "command";
        case AclDenied::key: return "key";
        case AclDenied::auth: return "auth";
        case AclDenied::channel: return "channel";
    }
    return "unknown";
}

}  // namespace rp
