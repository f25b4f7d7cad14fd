// conf/rows.h: what a setting is: the one description from which parsing, CONFIG GET/SET, REWRITE,
// error texts and docs/configuration.md come. A new setting is one row in rows.cc.
#pragma once
#include "conf/config.h"

namespace rp {

enum class ConfigKind : uint8_t {
    // Numbers (ConfigNum).
    boolean,  // yes, no
    integer,
    memory,             // bytes: 100, 1k = 1000, 1kb = 1024, mb, gb
    memory_or_percent,  // bytes, or 5% kept as -5
    octal,              // file permissions
    choice,             // one of `choices`
    choice_set,         // several of `choices`, or-ed
    notify_events,      // letters of key space notifications, kept as bits
    // Texts.
    text,
    directory,    // must exist; kept absolute
    bind_list,    // addresses
    save_points,  // pairs of seconds and changes
    oom_values,   // three integers
    percentiles,  // numbers from 0 to 100
    replica_of,   // host port
    // Neither.
    client_limits,  // Config::client_limits
};

enum : uint16_t {
    kConfigImmutable = 1,   // CONFIG SET refuses it
    kConfigProtected = 2,   // CONFIG SET needs enable-protected-configs
    kConfigSensitive = 4,   // never shown in logs and errors
    kConfigHidden = 8,      // patterns of CONFIG GET do not find it
    kConfigMulti = 16,      // takes several arguments
    kConfigEffective = 32,  // does something here; else stored and returned only
    kConfigFile = 64,       // names a file: setting it anew reads the file anew
};

struct ConfigChoice {
    const char* name;  // null ends the list
    int64_t value;
};

struct ConfigRow {
    const char* name = nullptr;
    const char* alias = nullptr;
    ConfigKind kind = ConfigKind::integer;
    uint16_t flags = 0;
    int64_t lower = 0;  // integer, memory: bounds, both inclusive
    int64_t upper = 0;
    int64_t number = 0;              // default of a number
    int64_t clamp_low = INT64_MIN;   // accepted values are silently moved into these, as
    int64_t clamp_high = INT64_MAX;  // Redis does
    const char* text = "";           // default of a text, in CONFIG GET's format
    const ConfigChoice* choices = nullptr;
    ConfigNum Config::*num = nullptr;             // null: Config::other
    const char* (*check)(Bytes value) = nullptr;  // an error text, or null: fine
    const char* about = nullptr;                  // one sentence with its unit
};

size_t config_row_count();
const ConfigRow* config_row_at(size_t i);
size_t config_row_index(const ConfigRow* row);
// By name or alias in any case; null if there is none.
const ConfigRow* config_row_find(Bytes name);
// "integer", "memory"...: for the docs.
const char* config_kind_name(ConfigKind kind);
inline bool config_row_is_text(const ConfigRow* row) {
    return row->kind >= ConfigKind::text && row->kind < ConfigKind::client_limits;
}

}  // namespace rp
