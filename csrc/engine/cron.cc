// What happens by itself: rates, peak memory, the end of CLIENT PAUSE, deleting expired keys and
// freeing large values.
#include <sys/resource.h>

#include "base/clock.h"
#include "engine/clients.h"
#include "engine/latency.h"
#include "engine/persistence.h"
#include "engine/tracking.h"
#include "mem/mem.h"
#include "store/evict.h"
#include "store/expire.h"
#include "types/graveyard.h"

namespace rp {

constexpr int64_t kRatePeriodMs = 100;
// Traffic is summed over all sessions: with many of them, more seldom.
constexpr uint64_t kSessionsPerPeriod = 1000;
// A crawl is this long as long as it gets to the end of what it wants to look at.
constexpr int64_t kCrawlSliceUs = 2000;

static bool rate_due(const Rate* r, int64_t now_ms, int64_t period_ms) {
    return r->at_ms == 0 || now_ms - r->at_ms >= period_ms;
}

// Per second. A counter that fell was reset: that sample is 0.
static void rate_sample(Rate* r, uint64_t counter, int64_t now_ms, std::atomic<uint64_t>* out) {
    int64_t passed_ms = now_ms - r->at_ms;
    if (r->at_ms != 0 && passed_ms > 0) {
        uint64_t more = counter > r->last ? counter - r->last : 0;
        r->samples[r->next++ % kRateSamples] = more * 1000 / static_cast<uint64_t>(passed_ms);
    }
    r->last = counter;
    r->at_ms = now_ms;
    uint64_t sum = 0;
    for (uint64_t s : r->samples)
        sum += s;
    out->store(sum / kRateSamples, std::memory_order_relaxed);
}

static void sample_rates(Engine* e, int64_t now_ms) {
    if (!rate_due(&e->ops_rate, now_ms, kRatePeriodMs)) return;
    EngineTotals t;
    uint64_t sessions = e->clients.connected.load(std::memory_order_relaxed);
    auto periods = static_cast<int64_t>(1 + sessions / kSessionsPerPeriod);
    bool traffic = rate_due(&e->in_rate, now_ms, periods * kRatePeriodMs);
    if (traffic) {
        engine_totals(e, &t);
        rate_sample(&e->in_rate, t.net_in, now_ms, &e->in_per_sec);
        rate_sample(&e->out_rate, t.net_out, now_ms, &e->out_per_sec);
    } else {
        engine_worker_totals(e, &t);
    }
    rate_sample(&e->ops_rate, t.commands, now_ms, &e->ops_per_sec);
}

// The time during which more memory was used than `maxmemory` says.
static void sample_excess(Engine* e, int64_t now_ms) {
    int64_t since = e->excess_since_ms.load(std::memory_order_relaxed);
    bool over = config_num(e->config->maxmemory) != 0 && !evict_fits(&e->core.store);
    if (over == (since != 0)) return;
    if (!over) stat_add(&e->excess_ms, static_cast<uint64_t>(now_ms - since));
    e->excess_since_ms.store(over ? now_ms : 0, std::memory_order_relaxed);
}

// Of this thread: the first loop's, or whoever runs the cron of a store that does not listen.
static void sample_cpu(Engine* e) {
    rusage used = {};
    getrusage(RUSAGE_THREAD, &used);
    e->main_sys_us.store(used.ru_stime.tv_sec * 1000000 + used.ru_stime.tv_usec,
                         std::memory_order_relaxed);
    e->main_user_us.store(used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec,
                          std::memory_order_relaxed);
}

void engine_cron(Engine* e) {
    int64_t now_ms = clock_mono_ms();
    sample_rates(e, now_ms);
    sample_excess(e, now_ms);
    sample_cpu(e);
    clients_evict(e);
    mem_peak_note();
    pause_end_if_over(e);
    persistence_cron(e);
    tracking_cron(e->tracking);
    e->cron_ticks.fetch_add(1, std::memory_order_relaxed);
}

static void dig(int64_t slice_us) {
    int64_t start_us = clock_mono_us();
    while (graveyard_waiting() && graveyard_dig(kDigElements)) {
        if (clock_mono_us() - start_us >= slice_us) return;
    }
}

// Which share of the keys with a TTL were found expired: a running mean, as Redis takes it.
static void note_stale(Engine* e, uint64_t expired, uint64_t crawled) {
    if (crawled == 0) return;
    double now = static_cast<double>(expired) / static_cast<double>(crawled);
    double before = e->expired_stale.load(std::memory_order_relaxed);
    e->expired_stale.store(0.05 * now + 0.95 * before, std::memory_order_relaxed);
}

void engine_crawl(Engine* e, Worker* w) {
    dig(kCrawlSliceUs);
    // As in Redis, nothing changes by itself during CLIENT PAUSE, nor while a log is replayed.
    if (e->core.loading.load(std::memory_order_relaxed)) return;
    if (e->core.pause_state.load(std::memory_order_relaxed) != 0) return;
    int64_t budget_us = expire_budget_us(e->config);
    int64_t slice_us = w->crawl_us != 0 ? w->crawl_us : kCrawlSliceUs;
    if (slice_us > budget_us) slice_us = budget_us;
    int64_t start_us = clock_mono_us();
    uint64_t crawled = w->stats.crawled.load(std::memory_order_relaxed);
    uint64_t expired = expire_crawl(&e->core.store, w->slot, &w->stats, &w->voice, slice_us);
    int64_t took_us = clock_mono_us() - start_us;
    stat_add(&w->expire_us, static_cast<uint64_t>(took_us));
    latency_note(e, "expire-cycle", took_us);
    note_stale(e, expired, w->stats.crawled.load(std::memory_order_relaxed) - crawled);
    bool ran_out = took_us >= slice_us;
    if (ran_out) stat_add(&w->expire_cuts);
    w->crawl_us = ran_out ? 2 * slice_us : 0;  // next time, cut to the budget
}

}  // namespace rp
