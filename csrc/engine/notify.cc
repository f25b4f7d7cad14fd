// Keyspace events become messages: __keyspace@0__:key tells the event, __keyevent@0__:event the
// key.
#include <cstdio>

#include "engine/pubsub.h"
#include "mem/mem.h"
#include "store/notify.h"

namespace rp {

constexpr size_t kFrontMax = 40;  // "__keyevent@4294967295__:"
constexpr size_t kOnStack = 512;  // longer names of channels are built on the heap

static void tell(Engine* e, const char* what, uint32_t db, Bytes name, Bytes message) {
    char few[kOnStack];
    size_t cap = kFrontMax + name.len;
    char* channel = cap <= sizeof few ? few : static_cast<char*>(mem_try_alloc(cap));
    if (channel == nullptr) return;  // a key of gigabytes and no memory: nobody hears of it
    auto front = static_cast<size_t>(snprintf(channel, kFrontMax, "__%s@%u__:", what, db));
    if (name.len != 0) memcpy(channel + front, name.ptr, name.len);
    uint64_t receivers;
    pubsub_publish(e->pubsub, TopicKind::channel, {channel, front + name.len}, message, &receivers);
    if (channel != few) mem_free(channel, cap);
}

void engine_notify(void* arg, uint32_t db, Bytes event, Bytes key) {
    auto* e = static_cast<Engine*>(arg);
    if (!pubsub_anybody(e->pubsub, TopicKind::channel)) return;
    int64_t flags = config_num(e->config->notify_keyspace_events);
    if (flags & kNotifyKeyspace) tell(e, "keyspace", db, key, event);
    if (flags & kNotifyKeyevent) tell(e, "keyevent", db, event, key);
}

}  // namespace rp
