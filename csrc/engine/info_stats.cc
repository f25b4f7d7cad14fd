// Sections of INFO that count: memory, stats, commandstats, errorstats, keyspace, and our own.
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "engine/info.h"
#include "engine/pubsub.h"
#include "engine/reaper.h"
#include "engine/tracking.h"
#include "mem/mem.h"

namespace rp {

static uint64_t get(const std::atomic<uint64_t>& n) { return n.load(std::memory_order_relaxed); }

static void info_number(Info* i, const char* name, int64_t value) {
    text_addf(&i->text, "%s:%lld\r\n", name, static_cast<long long>(value));
}

static void zero_lines(Info* i, std::initializer_list<const char*> names) {
    for (const char* name : names)
        info_line(i, name, 0);
}

// ---- memory -----------------------------------------------------------------------------------

static void memory_used(Info* i, const MemoryNumbers* m) {
    info_bytes(i, "used_memory", m->used);
    info_bytes(i, "used_memory_rss", m->rss);
    info_bytes(i, "used_memory_peak", m->peak);
    text_addf(&i->text, "used_memory_peak_perc:%.2f%%\r\n", percent(m->used, m->peak));
    info_number(i, "used_memory_overhead", m->overhead);
    info_number(i, "used_memory_startup", m->startup);
    info_number(i, "used_memory_dataset", m->dataset);
    text_addf(&i->text, "used_memory_dataset_perc:%.2f%%\r\n",
              percent(m->dataset, m->used - m->startup));
    // As Redis on an allocator that tells nothing: the process stands for it.
    info_number(i, "allocator_allocated", m->used);
    info_number(i, "allocator_active", m->rss);
    info_number(i, "allocator_resident", m->rss);
    info_bytes(i, "total_system_memory", sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    // There are no scripts that could take memory.
    zero_lines(i, {"used_memory_vm_eval"});
    info_bytes(i, "used_memory_lua", 0);
    zero_lines(i, {"used_memory_scripts_eval", "number_of_cached_scripts", "number_of_functions",
                   "number_of_libraries", "used_memory_vm_functions"});
    info_bytes(i, "used_memory_vm_total", 0);
    zero_lines(i, {"used_memory_functions"});
    info_bytes(i, "used_memory_scripts", 0);
}

static void memory_fragmentation(Info* i, const MemoryNumbers* m) {
    text_addf(&i->text, "allocator_frag_ratio:%.2f\r\n", m->fragmentation);
    info_number(i, "allocator_frag_bytes", m->rss - m->used);
    info_text(i, "allocator_rss_ratio", "1.00");
    info_number(i, "allocator_rss_bytes", 0);
    info_text(i, "rss_overhead_ratio", "1.00");
    info_number(i, "rss_overhead_bytes", 0);
    text_addf(&i->text, "mem_fragmentation_ratio:%.2f\r\n", m->fragmentation);
    info_number(i, "mem_fragmentation_bytes", m->rss - m->used);
}

void info_memory(Info* i) {
    const Config* config = i->engine->config;
    MemoryNumbers m;
    char policy[32];
    memory_numbers(i->engine, info_sums(i), &m);
    config_text(config, "maxmemory-policy", policy, sizeof policy);
    memory_used(i, &m);
    info_bytes(i, "maxmemory", config_num(config->maxmemory));
    info_text(i, "maxmemory_policy", policy);
    memory_fragmentation(i, &m);
    info_number(i, "mem_not_counted_for_evict", m.waiting);
    zero_lines(i,
               {"mem_replication_backlog", "mem_total_replication_buffers", "mem_clients_slaves"});
    info_number(i, "mem_clients_normal", m.clients);
    zero_lines(i, {"mem_cluster_links", "mem_aof_buffer"});
    info_text(i, "mem_allocator", mem_allocator_name());
    info_line(i, "active_defrag_running", 0);
    info_line(i, "lazyfree_pending_objects", reaper_waiting(i->engine->reaper));
    info_line(i, "lazyfreed_objects", reaper_freed(i->engine->reaper));
}

// ---- stats ------------------------------------------------------------------------------------

static void stats_rate(Info* i, const char* name, uint64_t bytes_per_second) {
    text_addf(&i->text, "%s:%.2f\r\n", name, static_cast<double>(bytes_per_second) / 1024);
}

static void stats_expiry(Info* i, const EngineTotals* t) {
    double stale = i->engine->expired_stale.load(std::memory_order_relaxed);
    info_line(i, "expired_keys", t->expired);
    text_addf(&i->text, "expired_stale_perc:%.2f\r\n", stale * 100);
    info_line(i, "expired_time_cap_reached_count", t->expire_cuts);
    info_line(i, "expire_cycle_cpu_milliseconds", t->expire_us / 1000);
}

static void stats_eviction(Info* i, const EngineTotals* t) {
    const Engine* e = i->engine;
    int64_t since_ms = e->excess_since_ms.load(std::memory_order_relaxed);
    int64_t now_ms = since_ms == 0 ? 0 : clock_mono_ms() - since_ms;
    info_line(i, "evicted_keys", t->evicted);
    info_line(i, "evicted_clients", get(e->clients.evicted));
    info_number(i, "total_eviction_exceeded_time",
                now_ms + static_cast<int64_t>(get(e->excess_ms)));
    info_number(i, "current_eviction_exceeded_time", now_ms);
}

// Every loop reads and writes for itself: with several of them, all is done by I/O threads. There
// is no fixed reply buffer that could grow or shrink.
static void stats_io(Info* i, const EngineTotals* t) {
    const Engine* e = i->engine;
    bool threads = e->net.net != nullptr && config_num(e->config->io_threads) > 1;
    info_line(i, "total_reads_processed", t->reads);
    info_line(i, "total_writes_processed", t->writes);
    info_line(i, "io_threaded_reads_processed", threads ? t->reads : 0);
    info_line(i, "io_threaded_writes_processed", threads ? t->writes : 0);
    zero_lines(i, {"reply_buffer_shrinks", "reply_buffer_expands"});
}

void info_stats(Info* i) {
    Engine* e = i->engine;
    const EngineTotals* t = info_totals(i);
    info_line(i, "total_connections_received", get(e->clients.received));
    info_line(i, "total_commands_processed", t->commands);
    info_line(i, "instantaneous_ops_per_sec", get(e->ops_per_sec));
    info_line(i, "total_net_input_bytes", t->net_in);
    info_line(i, "total_net_output_bytes", t->net_out);
    zero_lines(i, {"total_net_repl_input_bytes", "total_net_repl_output_bytes"});
    stats_rate(i, "instantaneous_input_kbps", get(e->in_per_sec));
    stats_rate(i, "instantaneous_output_kbps", get(e->out_per_sec));
    stats_rate(i, "instantaneous_input_repl_kbps", 0);
    stats_rate(i, "instantaneous_output_repl_kbps", 0);
    info_line(i, "rejected_connections", get(e->clients.rejected));
    zero_lines(i, {"sync_full", "sync_partial_ok", "sync_partial_err"});
    stats_expiry(i, t);
    stats_eviction(i, t);
    info_line(i, "keyspace_hits", t->hits);
    info_line(i, "keyspace_misses", t->misses);
    info_line(i, "pubsub_channels", get(e->pubsub->topics[0]));
    info_line(i, "pubsub_patterns", get(e->pubsub->topics[1]));
    info_line(i, "pubsubshard_channels", get(e->pubsub->topics[2]));
    zero_lines(i, {"latest_fork_usec", "total_forks", "migrate_cached_sockets",
                   "slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses",
                   "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time",
                   "current_active_defrag_time"});
    info_line(i, "tracking_total_keys", get(e->tracking->keys));
    info_line(i, "tracking_total_items", get(e->tracking->items));
    info_line(i, "tracking_total_prefixes", get(e->tracking->prefix_count));
    info_line(i, "unexpected_error_replies", 0);
    info_line(i, "total_error_replies", get(e->errors.total));
    info_line(i, "dump_payload_sanitizations", 0);
    stats_io(i, t);
}

static void command_line(Info* i, const CmdRef& ref, const CmdTotals& t) {
    if (t.calls == 0 && t.failed == 0 && t.rejected == 0) return;
    char name[64];
    cmd_full_name(ref.parent, ref.row, name);
    uint64_t usec = t.nsec / 1000;
    double each =
        t.calls == 0 ? 0 : static_cast<double>(t.nsec) / 1000 / static_cast<double>(t.calls);
    text_addf(&i->text,
              "cmdstat_%s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,"
              "failed_calls=%llu\r\n",
              name, static_cast<unsigned long long>(t.calls), static_cast<unsigned long long>(usec),
              each, static_cast<unsigned long long>(t.rejected),
              static_cast<unsigned long long>(t.failed));
}

void info_commandstats(Info* i) {
    size_t bytes = command_count() * sizeof(CmdTotals);
    auto* totals = static_cast<CmdTotals*>(mem_alloc(bytes));
    engine_command_totals(i->engine, totals);
    for (uint32_t n = 0; n < command_count(); n++) {
        command_line(i, command_by_index(n), totals[n]);
    }
    mem_free(totals, bytes);
}

void info_errorstats(Info* i) {
    ErrorStats* stats = &i->engine->errors;
    MutexGuard guard(&stats->lock);
    for (size_t n = 0; n < stats->used; n++) {
        text_addf(&i->text, "errorstat_%s:count=%llu\r\n", stats->items[n].code,
                  static_cast<unsigned long long>(stats->items[n].count));
    }
}

// What comes of "50 99 99.9"; the check of the setting knows that they are numbers.
static size_t percentiles_of(const Config* config, double* out, size_t most) {
    char text[256];
    config_text(config, "latency-tracking-info-percentiles", text, sizeof text);
    size_t n = 0;
    char *at = text, *end;
    for (double v = strtod(at, &end); end != at && n < most; v = strtod(at, &end)) {
        out[n++] = v;
        at = end;
    }
    return n;
}

static void latency_line(Info* i, const CmdRef& ref, const double* percentiles, size_t n) {
    HistogramSum sum;
    engine_command_times(i->engine, ref.index, &sum);
    if (sum.total == 0) return;
    char name[64];
    cmd_full_name(ref.parent, ref.row, name);
    text_addf(&i->text, "latency_percentiles_usec_%s:", name);
    for (size_t p = 0; p < n; p++) {
        double us = static_cast<double>(histogram_percentile_ns(&sum, percentiles[p])) / 1000;
        text_addf(&i->text, "%sp%g=%.3f", p == 0 ? "" : ",", percentiles[p], us);
    }
    text_add(&i->text, "\r\n");
}

void info_latencystats(Info* i) {
    constexpr size_t kPercentilesMax = 32;
    if (config_num(i->engine->config->latency_tracking) == 0) return;
    double percentiles[kPercentilesMax];
    size_t n = percentiles_of(i->engine->config, percentiles, kPercentilesMax);
    for (uint32_t c = 0; c < command_count(); c++)
        latency_line(i, command_by_index(c), percentiles, n);
}

// ---- keyspace ---------------------------------------------------------------------------------

// avg_ttl is an estimate from a few keys, as in Redis.
constexpr size_t kTtlSampleKeys = 20;
constexpr int kTtlSampleSteps = 64;

struct TtlSample {
    int64_t now_ms;
    int64_t sum_ms;
    size_t keys;
};

static void sample_ttl(Entry* e, void* arg) {
    auto* s = static_cast<TtlSample*>(arg);
    int64_t at = entry_expiry_ms(e);
    if (at == kNoExpiry) return;
    s->sum_ms += at > s->now_ms ? at - s->now_ms : 0;
    s->keys++;
}

static int64_t average_ttl_ms(const Table* t) {
    TtlSample sample = {clock_wall_ms(), 0, 0};
    int steps = 0;
    for (size_t seg = 0; seg < kSegments && steps < kTtlSampleSteps; seg++) {
        if (get(t->segments[seg].ttl_keys) == 0) continue;
        uint64_t cursor = 0;
        do {
            cursor = table_scan_segment(t, seg, cursor, sample_ttl, &sample);
        } while (cursor != 0 && sample.keys < kTtlSampleKeys && ++steps < kTtlSampleSteps);
        if (sample.keys >= kTtlSampleKeys) break;
    }
    return sample.keys == 0 ? 0 : sample.sum_ms / static_cast<int64_t>(sample.keys);
}

void info_keyspace(Info* i) {
    const Store* st = &i->engine->core.store;
    for (uint32_t db = 0; db < st->db_count; db++) {
        const Table* t = st->dbs[db].table;
        TableSums sums;
        table_sums_add(&sums, t);
        if (sums.keys == 0) continue;
        text_addf(&i->text, "db%u:keys=%llu,expires=%llu,avg_ttl=%lld\r\n", db,
                  static_cast<unsigned long long>(sums.keys),
                  static_cast<unsigned long long>(sums.ttl_keys),
                  static_cast<long long>(sums.ttl_keys == 0 ? 0 : average_ttl_ms(t)));
    }
}

// ---- our own ----------------------------------------------------------------------------------

void info_own(Info* i) {
    const Engine* e = i->engine;
    const TableSums* sums = info_sums(i);
    const EngineTotals* t = info_totals(i);
    bool serves = e->net.net != nullptr;
    info_text(i, "rustypotato_version", RP_VERSION);
    info_number(i, "rustypotato_loops", serves ? config_num(e->config->io_threads) : 0);
    info_line(i, "rustypotato_epoch_waiting_bytes", epoch_waiting_bytes());
    info_line(i, "rustypotato_table_overhead_bytes", sums->overhead);
    info_line(i, "rustypotato_table_child_buckets", sums->children);
    info_line(i, "rustypotato_table_longest_chain", sums->chain_max);
    info_line(i, "rustypotato_watched_keys", sums->watched);
    info_line(i, "rustypotato_read_retries", t->read_retries);
    info_line(i, "rustypotato_read_locked", t->read_locked);
    info_line(i, "rustypotato_loop_gap_max_usec", t->loop_gap_max_us);
    info_line(i, "rustypotato_eviction_failures", get(e->core.store.evict_failures));
}

}  // namespace rp
