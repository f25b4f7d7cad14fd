// maxmemory-clients. Redis looks after every command; here the cron does, ten times a second as
// `hz` stands: what one client can add meanwhile is bounded by its own buffer limits.
#include "base/log.h"
#include "engine/clients.h"

namespace rp {

constexpr int64_t kLeastLimit = 128 * 1024;  // below that nobody could talk to the server
constexpr int kEvictedAtOnce = 64;           // the rest at the next tick

// 0: no limit.
static uint64_t limit_of(const Config* config) {
    int64_t limit = config_num(config->maxmemory_clients);
    if (limit < 0) limit = config_num(config->maxmemory) / 100 * -limit;
    if (limit <= 0) return 0;
    return static_cast<uint64_t>(limit < kLeastLimit ? kLeastLimit : limit);
}

static bool counts(const Session* s) {
    return !s->embedded && !s->no_evict.load(std::memory_order_relaxed) &&
           !s->kill.load(std::memory_order_relaxed);
}

// REQUIRES: Clients.lock.
static uint64_t sum_memory(const Clients* list) {
    uint64_t sum = 0;
    for (const Session* s = list->head; s != nullptr; s = s->next) {
        if (counts(s)) sum += session_memory(s);
    }
    return sum;
}

static Session* largest(const Clients* list) {
    Session* most = nullptr;
    for (Session* s = list->head; s != nullptr; s = s->next) {
        if (counts(s) && (most == nullptr || session_memory(s) > session_memory(most))) most = s;
    }
    return most;
}

// *evicted: a line of CLIENT LIST. REQUIRES: Clients.lock.
static void evict_one(Engine* e, Session* s, Text* evicted) {
    client_describe(evicted, s, nullptr);
    s->kill.store(true, std::memory_order_relaxed);
    e->clients.evicted.fetch_add(1, std::memory_order_relaxed);
}

// REQUIRES: Clients.lock.
static void evict_down_to(Engine* e, uint64_t limit, Text* evicted) {
    uint64_t sum = sum_memory(&e->clients);
    for (int i = 0; i < kEvictedAtOnce && sum > limit; i++) {
        Session* s = largest(&e->clients);
        if (s == nullptr) return;
        uint64_t bytes = session_memory(s);
        sum = sum > bytes ? sum - bytes : 0;
        evict_one(e, s, evicted);
    }
}

static void log_each(Bytes lines) {
    while (lines.len != 0) {
        auto* end = static_cast<const char*>(memchr(lines.ptr, '\n', lines.len));
        auto len = static_cast<size_t>(end - lines.ptr);
        RP_LOG_NOTICE("Evicting client: %.*s", static_cast<int>(len), lines.ptr);
        lines = bytes_slice(lines, len + 1, lines.len - len - 1);
    }
}

void clients_evict(Engine* e) {
    uint64_t limit = limit_of(e->config);
    if (limit == 0) return;
    Text evicted;
    mutex_lock(&e->clients.lock);
    evict_down_to(e, limit, &evicted);
    mutex_unlock(&e->clients.lock);
    if (evicted.len == 0) return;
    engine_wake_loops(e);
    log_each(evicted.bytes());
    text_free(&evicted);
}

}  // namespace rp
