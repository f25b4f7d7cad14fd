#include "engine/engine.h"
#include "engine/config_hooks.h"

#include <new>

#include "base/random.h"
#include "engine/acl.h"
#include "engine/clients.h"
#include "engine/families.h"
#include "engine/latency.h"
#include "engine/persistence.h"
#include "engine/pubsub.h"
#include "engine/reaper.h"
#include "engine/slowlog.h"
#include "engine/tracking.h"
#include "mem/mem.h"

namespace rp {

static_assert(alignof(Engine) <= alignof(max_align_t));

void engine_register_commands() {
    static const bool done = [] {
        for (const Cmd* family :
             {kStringCmds,     kLcsCmds,    kKeyCmds,      kExpireCmds,    kScanCmds,
              kDatabaseCmds,   kObjectCmds, kTxnCmds,      kListCmds,      kHashCmds,
              kSetCmds,        kSetOpCmds,  kZsetCmds,     kZsetRangeCmds, kZsetStoreCmds,
              kConnectionCmds, kClientCmds, kShutdownCmds, kServerCmds,    kCommandCmds,
              kInfoCmds,       kConfigCmds, kDebugCmds,    kMemoryCmds,    kSlowlogCmds,
              kLatencyCmds,    kDumpCmds,   kSaveCmds,     kWaitCmds,      kPubsubCmds,
              kMonitorCmds,    kAclCmds}) {
            commands_register(family);
        }
        acl_names_init();
        return true;
    }();
    static_cast<void>(done);
}

// ---- error counts -----------------------------------------------------------------------------

static void count_error(Engine* e, Bytes code) {
    ErrorStats* stats = &e->errors;
    static_assert(kErrorCodeMax < sizeof(stats->items[0].code));
    stats->total.fetch_add(1, std::memory_order_relaxed);
    MutexGuard guard(&stats->lock);
    size_t i = 0;
    while (i < stats->used && !bytes_equal(bytes_of(stats->items[i].code), code))
        i++;
    if (i == stats->used && stats->used >= kErrorCodesMax - 1) {
        i = kErrorCodesMax - 1;  // the last place is for all codes that found no other
        code = "OTHER";
    }
    if (i >= stats->used) {
        stats->used = i + 1;
        memcpy(stats->items[i].code, code.ptr, code.len);
        stats->items[i].code[code.len] = 0;
        stats->items[i].count = 0;
    }
    stats->items[i].count++;
}

// ---- open and close ---------------------------------------------------------------------------

static void free_later(Engine* e, Table* take) { reaper_add(e->reaper, take); }

Status engine_open(Config* take, Engine** out) {
    *out = nullptr;
    engine_register_commands();
    void* memory = mem_try_alloc(sizeof(Engine));
    if (memory == nullptr) {
        config_free(take);
        return Status::no_memory;
    }
    Engine* e = new (memory) Engine;
    e->config = e->core.config = take;
    e->core.hooks = {.admit = acl_admit,
                     .is_paused = pause_holds,
                     .count_error = count_error,
                     .free_later = free_later,
                     .write_refusal = persistence_refusal,
                     .on_slow = command_was_slow,
                     .on_latency = latency_note,
                     .on_read = tracking_read,
                     .on_turn = tracking_flush,
                     .on_command = monitor_tell};
    e->errors.used = 0;
    e->fork_generation = epoch_fork_generation();
    e->start_wall_s = clock_wall_ms() / 1000;
    e->start_mono_ms = clock_mono_ms();
    random_hex(e->run_id, sizeof e->run_id - 1);
    e->acl = acl_new();
    acl_apply_requirepass(e);
    e->retired_cmd_stats = cmd_stats_new();
    e->slowlog = slowlog_new();
    e->latency = latency_new();
    e->reaper = reaper_open();
    e->pubsub = pubsub_new();
    e->tracking = tracking_new(e);
    e->persistence = persistence_new();
    Status s = store_init(&e->core.store, take, static_cast<uint32_t>(config_num(take->databases)));
    if (s != Status::ok) {
        engine_close(e);
        return s;
    }
    e->core.store.on_event = engine_notify;
    e->core.store.on_event_arg = e;
    e->core.store.on_change = tracking_changed;
    e->core.store.on_flush = tracking_flushed;
    e->core.store.on_change_arg = e;
    engine_config_hooks(e);
    *out = e;
    return Status::ok;
}

static void times_base_free(Engine* e) {
    for (size_t i = 0; e->base_times != nullptr && i < command_count(); i++)
        mem_free(e->base_times[i], sizeof(HistogramSum));
    mem_free(e->base_times, command_count() * sizeof(HistogramSum*));
    e->base_times = nullptr;
}

void engine_close(Engine* e) {
    RP_ASSERT(e->clients.head == nullptr);
    persistence_close(e);
    reaper_close(e->reaper);
    EpochSlot* slot = epoch_slot();
    epoch_drain(slot);
    store_deinit(&e->core.store);
    cmd_stats_free(e->retired_cmd_stats);
    times_base_free(e);
    slowlog_free(e->slowlog);
    latency_free(e->latency);
    mem_free(e->base_cmds, command_count() * sizeof(CmdTotals));
    persistence_free(e->persistence);
    pubsub_free(e->pubsub);
    tracking_free(e->tracking);
    acl_free(e->acl);
    renames_free(const_cast<Renames*>(e->core.renames));
    config_free(e->config);
    mem_free(e, sizeof(Engine));
}

void engine_request_stop(Engine* e) {
    e->stop.store(StopState::requested, std::memory_order_release);
    futex_wake_all(reinterpret_cast<std::atomic<uint32_t>*>(&e->stop));
    if (e->net.request_stop != nullptr) e->net.request_stop(e->net.net);
}

// ---- workers and their counters ---------------------------------------------------------------

static uint64_t get(const std::atomic<uint64_t>& n) { return n.load(std::memory_order_relaxed); }

static void add_store_stats(EngineTotals* t, const StoreStats& s) {
    t->hits += get(s.hits);
    t->misses += get(s.misses);
    t->expired += get(s.expired);
    t->evicted += get(s.evicted);
    t->read_retries += get(s.read_retries);
    t->read_locked += get(s.read_locked);
}

void engine_add_worker(Engine* e, Worker* w) {
    MutexGuard guard(&e->workers_lock);
    w->voice.journal = e->voices_to;
    w->next = e->workers;
    e->workers = w;
}

// Behind the closed gate: nobody is between two commands of a batch.
static void set_voices(Engine* e, Journal* speak_to, Journal* rest_on) {
    EpochSlot* slot = epoch_slot();
    Gate* gate = &e->core.store.gate;
    gate_close(gate, slot);
    mutex_lock(&e->workers_lock);
    e->core.journal.store(rest_on, std::memory_order_release);
    e->voices_to = speak_to;
    for (Worker* w = e->workers; w != nullptr; w = w->next) {
        journal_submit(&w->voice);  // of a turn that has not ended yet
        w->voice.journal = speak_to;
    }
    mutex_unlock(&e->workers_lock);
    gate_open(gate, slot);
}

void engine_set_journal(Engine* e, Journal* j) { set_voices(e, j, j); }

void engine_silence(Engine* e) {
    set_voices(e, nullptr, e->core.journal.load(std::memory_order_acquire));
}

void engine_log_moved(void* engine) {
    auto* e = static_cast<Engine*>(engine);
    MutexGuard guard(&e->log_moved_lock);
    if (e->net.log_moved != nullptr) e->net.log_moved(e->net.net);
}

void engine_wake_clients(void* engine) {
    auto* e = static_cast<Engine*>(engine);
    MutexGuard guard(&e->log_moved_lock);
    engine_wake_loops(e);
}

// The worker is gone: its histogram goes to the engine, or into the one that is there.
static void retire_times(CmdStat* to, CmdStat* from) {
    Histogram* kept = to->times.load(std::memory_order_relaxed);
    Histogram* gone = from->times.load(std::memory_order_relaxed);
    if (gone == nullptr) return;
    if (kept == nullptr) {
        to->times.store(gone, std::memory_order_release);
        from->times.store(nullptr, std::memory_order_relaxed);
        return;
    }
    for (size_t b = 0; b < kHistogramBuckets; b++)
        stat_add(&kept->counts[b], get(gone->counts[b]));
}

static void retire_counters(Engine* e, Worker* w) {
    StoreStats* kept = &e->retired_stats;
    stat_add(&kept->hits, get(w->stats.hits));
    stat_add(&kept->misses, get(w->stats.misses));
    stat_add(&kept->expired, get(w->stats.expired));
    stat_add(&kept->evicted, get(w->stats.evicted));
    stat_add(&kept->read_retries, get(w->stats.read_retries));
    stat_add(&kept->read_locked, get(w->stats.read_locked));
    stat_add(&e->retired_commands, get(w->commands));
    stat_add(&e->retired_changes, get(w->changes));
    stat_add(&e->retired_reads, get(w->reads));
    stat_add(&e->retired_writes, get(w->writes));
    stat_add(&e->retired_expire_us, get(w->expire_us));
    stat_add(&e->retired_expire_cuts, get(w->expire_cuts));
    for (size_t i = 0; i < command_count(); i++) {
        CmdStat* to = &e->retired_cmd_stats[i];
        stat_add(&to->calls, get(w->cmd_stats[i].calls));
        stat_add(&to->ticks, get(w->cmd_stats[i].ticks));
        stat_add(&to->rejected, get(w->cmd_stats[i].rejected));
        stat_add(&to->failed, get(w->cmd_stats[i].failed));
        retire_times(to, &w->cmd_stats[i]);
    }
}

void engine_remove_worker(Engine* e, Worker* w) {
    MutexGuard guard(&e->workers_lock);
    Worker** at = &e->workers;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->next = nullptr;
    retire_counters(e, w);
}

static void add_traffic(Engine* e, EngineTotals* t) {
    Clients* list = &e->clients;
    MutexGuard guard(&list->lock);
    t->net_in += get(list->closed_net_in);
    t->net_out += get(list->closed_net_out);
    int64_t second = clock_mono_ms() / 1000;
    ClientPeak* peak = &list->peaks[static_cast<size_t>(second) % kPeakSeconds];
    if (peak->second != second) *peak = {second, 0, 0};
    for (const Session* s = list->head; s != nullptr; s = s->next) {
        t->net_in += get(s->net_in);
        t->net_out += get(s->net_out);
        uint64_t in = get(s->query_bytes) + get(s->query_free) + get(s->argv_bytes);
        if (in > peak->in) peak->in = in;
        if (get(s->out_bytes) > peak->out) peak->out = get(s->out_bytes);
    }
}

// A lock-free read that is run again takes back what it counted: a sum may be below its base.
static void subtract(uint64_t* n, uint64_t base) { *n = *n > base ? *n - base : 0; }

// REQUIRES: workers_lock.
static void sum_workers(Engine* e, EngineTotals* t) {
    add_store_stats(t, e->retired_stats);
    t->commands += get(e->retired_commands);
    t->changes += get(e->retired_changes);
    t->reads += get(e->retired_reads);
    t->writes += get(e->retired_writes);
    t->expire_us += get(e->retired_expire_us);
    t->expire_cuts += get(e->retired_expire_cuts);
    for (const Worker* w = e->workers; w != nullptr; w = w->next) {
        add_store_stats(t, w->stats);
        t->commands += get(w->commands);
        t->changes += get(w->changes);
        if (get(w->gap_max_us) > t->loop_gap_max_us) t->loop_gap_max_us = get(w->gap_max_us);
        t->reads += get(w->reads);
        t->writes += get(w->writes);
        t->expire_us += get(w->expire_us);
        t->expire_cuts += get(w->expire_cuts);
    }
}

static void subtract_base(EngineTotals* out, const EngineTotals* base) {
    subtract(&out->commands, base->commands);
    subtract(&out->hits, base->hits);
    subtract(&out->misses, base->misses);
    subtract(&out->expired, base->expired);
    subtract(&out->evicted, base->evicted);
    subtract(&out->read_retries, base->read_retries);
    subtract(&out->read_locked, base->read_locked);
    subtract(&out->net_in, base->net_in);
    subtract(&out->net_out, base->net_out);
    subtract(&out->reads, base->reads);
    subtract(&out->writes, base->writes);
    subtract(&out->expire_us, base->expire_us);
    subtract(&out->expire_cuts, base->expire_cuts);
}

void engine_worker_totals(Engine* e, EngineTotals* out) {
    *out = {};
    MutexGuard guard(&e->workers_lock);
    sum_workers(e, out);
    subtract_base(out, &e->base);
}

void engine_totals(Engine* e, EngineTotals* out) {
    *out = {};
    add_traffic(e, out);
    MutexGuard guard(&e->workers_lock);
    sum_workers(e, out);
    subtract_base(out, &e->base);
}

static void add_cmd_stats(CmdTotals* to, const CmdStat* from) {
    for (size_t i = 0; i < command_count(); i++) {
        to[i].calls += get(from[i].calls);
        to[i].nsec += static_cast<uint64_t>(clock_ticks_ns(get(from[i].ticks)));
        to[i].rejected += get(from[i].rejected);
        to[i].failed += get(from[i].failed);
    }
}

// REQUIRES: workers_lock.
static void sum_commands(Engine* e, CmdTotals* out) {
    memset(static_cast<void*>(out), 0, command_count() * sizeof(CmdTotals));
    add_cmd_stats(out, e->retired_cmd_stats);
    for (const Worker* w = e->workers; w != nullptr; w = w->next)
        add_cmd_stats(out, w->cmd_stats);
}

void engine_command_totals(Engine* e, CmdTotals* out) {
    MutexGuard guard(&e->workers_lock);
    sum_commands(e, out);
    for (size_t i = 0; e->base_cmds != nullptr && i < command_count(); i++) {
        subtract(&out[i].calls, e->base_cmds[i].calls);
        subtract(&out[i].nsec, e->base_cmds[i].nsec);
        subtract(&out[i].rejected, e->base_cmds[i].rejected);
        subtract(&out[i].failed, e->base_cmds[i].failed);
    }
}

// REQUIRES: workers_lock.
static void sum_times(Engine* e, uint32_t index, HistogramSum* out) {
    auto add = [&](const CmdStat* stats) {
        const Histogram* h = stats[index].times.load(std::memory_order_acquire);
        if (h != nullptr) histogram_sum_add(out, h);
    };
    add(e->retired_cmd_stats);
    for (const Worker* w = e->workers; w != nullptr; w = w->next)
        add(w->cmd_stats);
}

void engine_command_times(Engine* e, uint32_t index, HistogramSum* out) {
    *out = {};
    MutexGuard guard(&e->workers_lock);
    sum_times(e, index, out);
    const HistogramSum* base = e->base_times != nullptr ? e->base_times[index] : nullptr;
    if (base == nullptr) return;
    out->total = 0;
    for (size_t b = 0; b < kHistogramBuckets; b++) {
        subtract(&out->counts[b], base->counts[b]);
        out->total += out->counts[b];
    }
}

// What the histograms hold now counts no more. REQUIRES: workers_lock.
static void times_reset(Engine* e) {
    times_base_free(e);
    e->base_times =
        static_cast<HistogramSum**>(mem_calloc(command_count() * sizeof(HistogramSum*)));
    for (uint32_t i = 0; i < command_count(); i++) {
        HistogramSum sum;
        sum_times(e, i, &sum);
        if (sum.total != 0) {
            e->base_times[i] = new (mem_alloc(sizeof(HistogramSum))) HistogramSum(sum);
        }
    }
}

void engine_stats_reset(Engine* e) {
    EngineTotals now;
    add_traffic(e, &now);
    mutex_lock(&e->workers_lock);
    sum_workers(e, &now);
    now.changes = 0;
    for (Worker* w = e->workers; w != nullptr; w = w->next)
        w->gap_max_us.store(0, std::memory_order_relaxed);
    e->base = now;
    if (e->base_cmds == nullptr) {
        e->base_cmds = static_cast<CmdTotals*>(mem_alloc(command_count() * sizeof(CmdTotals)));
    }
    sum_commands(e, e->base_cmds);
    times_reset(e);
    mutex_unlock(&e->workers_lock);
    e->clients.received.store(0, std::memory_order_relaxed);
    e->clients.rejected.store(0, std::memory_order_relaxed);
    e->clients.evicted.store(0, std::memory_order_relaxed);
    e->expired_stale.store(0, std::memory_order_relaxed);
    e->excess_ms.store(0, std::memory_order_relaxed);
    e->core.store.evict_failures.store(0, std::memory_order_relaxed);
    mutex_lock(&e->errors.lock);
    e->errors.used = 0;
    e->errors.total.store(0, std::memory_order_relaxed);
    mutex_unlock(&e->errors.lock);
}

}  // namespace rp
