// store/notify.h: keyspace events: what happened to a key, told to whoever asked by the setting
// notify-keyspace-events. The names of events are those of Redis.
//
// Commands tell when their change is made, under the locks of their keys: who hears of it finds it
// done, and hears of the changes of one key in their order. Expiry and eviction tell where they
// happen (db.cc, evict.cc); so does a new key.
//
// Threads  REQUIRES the segment of key. Off, it costs one load.
#pragma once
#include "conf/config.h"
#include "store/db.h"

namespace rp {

// Bits of Config::notify_keyspace_events.
enum NotifyClass : uint32_t {
    kNotifyKeyspace = 1u << 0,  // K
    kNotifyKeyevent = 1u << 1,  // E
    kNotifyGeneric = 1u << 2,   // g
    kNotifyString = 1u << 3,    // $
    kNotifyList = 1u << 4,      // l
    kNotifySet = 1u << 5,       // s
    kNotifyHash = 1u << 6,      // h
    kNotifyZset = 1u << 7,      // z
    kNotifyExpired = 1u << 8,   // x
    kNotifyEvicted = 1u << 9,   // e
    kNotifyKeyMiss = 1u << 11,  // m
    kNotifyNew = 1u << 14,      // n
};

inline bool notify_wanted(const Access* a, uint32_t cls) {
    return RP_UNLIKELY((config_num(a->store->config->notify_keyspace_events) & cls) != 0);
}
void notify_slow(Access* a, Bytes event, Bytes key);
inline void notify(Access* a, uint32_t cls, Bytes event, Bytes key) {
    if (notify_wanted(a, cls)) notify_slow(a, event, key);
}

}  // namespace rp
