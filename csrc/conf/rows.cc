#include "conf/rows.h"

#include "base/assert.h"
#include "conf/table.h"

namespace rp {

size_t config_row_count() { return kConfigRowCount; }

const ConfigRow* config_row_at(size_t i) {
    RP_ASSERT(i < kConfigRowCount);
    return &kConfigRows[i];
}

size_t config_row_index(const ConfigRow* row) { return static_cast<size_t>(row - kConfigRows); }

const ConfigRow* config_row_find(Bytes name) {
    for (size_t i = 0; i < kConfigRowCount; i++) {
        const ConfigRow* row = &kConfigRows[i];
        if (bytes_equal_nocase(name, bytes_of(row->name))) return row;
        if (row->alias && bytes_equal_nocase(name, bytes_of(row->alias))) return row;
    }
    return nullptr;
}

const char* config_kind_name(ConfigKind kind) {
    switch (kind) {
        case ConfigKind::boolean: return "yes/no";
        case ConfigKind::integer: return "integer";
        case ConfigKind::memory: return "memory";
        case ConfigKind::memory_or_percent: return "memory or percent";
        case ConfigKind::octal: return "octal";
        case ConfigKind::choice: return "choice";
        case ConfigKind::choice_set: return "choices";
        case ConfigKind::notify_events: return "event letters";
        case ConfigKind::text: return "text";
        case ConfigKind::directory: return "directory";
        case ConfigKind::bind_list: return "addresses";
        case ConfigKind::save_points: return "pairs of seconds and changes";
        case ConfigKind::oom_values: return "three integers";
        case ConfigKind::percentiles: return "numbers from 0 to 100";
        case ConfigKind::replica_of: return "host and port";
        case ConfigKind::client_limits: return "class and three limits, repeated";
    }
    RP_ASSERT(false);
}

}  // namespace rp
