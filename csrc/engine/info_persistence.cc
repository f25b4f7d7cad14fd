// INFO persistence: loading, snapshots, the log. Redis' names; what Redis tells of copy-on-write
// pages is here what a snapshot keeps alive of values that were changed meanwhile.
#include "base/clock.h"
#include "engine/info.h"
#include "engine/persistence.h"

namespace rp {

template <typename T>
static auto get(const std::atomic<T>& v) {
    return v.load(std::memory_order_relaxed);
}

static void info_signed(Info* i, const char* name, int64_t value) {
    text_addf(&i->text, "%s:%lld\r\n", name, static_cast<long long>(value));
}

static void status_line(Info* i, const char* name, bool ok) {
    info_text(i, name, ok ? "ok" : "err");
}

// Of the snapshot under way; all 0 without one.
static SnapshotProgress progress_now(Persistence* p) {
    MutexGuard guard(&p->lock);
    SnapshotProgress now = {};
    if (p->snapshot != nullptr && (get(p->saving) || get(p->rewriting))) {
        snapshot_progress(p->snapshot, &now);
    }
    return now;
}

static void loading_lines(Info* i, const LoadProgress* load) {
    uint64_t total = get(load->total_bytes), loaded = get(load->loaded_bytes);
    int64_t took = clock_wall_ms() / 1000 - get(load->start_s);
    double part = total == 0 ? 0 : static_cast<double>(loaded) / static_cast<double>(total);
    info_signed(i, "loading_start_time", get(load->start_s));
    info_line(i, "loading_total_bytes", total);
    info_line(i, "loading_rdb_used_mem", 0);
    info_line(i, "loading_loaded_bytes", loaded);
    text_addf(&i->text, "loading_loaded_perc:%.2f\r\n", part * 100);
    int64_t left = loaded == 0 || total < loaded
                       ? 1
                       : static_cast<int64_t>(static_cast<double>(took) / part) - took;
    info_signed(i, "loading_eta_seconds", left);
}

static void snapshot_lines(Info* i, Persistence* p) {
    SnapshotProgress now = progress_now(p);
    bool saving = get(p->saving);
    int64_t since = clock_wall_ms() / 1000 - get(p->started_s);
    double part = now.keys_total == 0
                      ? 0
                      : static_cast<double>(now.keys_done) / static_cast<double>(now.keys_total);
    info_line(i, "current_cow_peak", now.saved_bytes_peak);
    info_line(i, "current_cow_size", now.saved_bytes);
    info_line(i, "current_cow_size_age", 0);
    text_addf(&i->text, "current_fork_perc:%.2f\r\n", part > 1 ? 100.0 : part * 100);
    info_line(i, "current_save_keys_processed", now.keys_done);
    info_line(i, "current_save_keys_total", now.keys_total);
    info_line(i, "rdb_changes_since_last_save", info_totals(i)->changes - get(p->changes_at_save));
    info_line(i, "rdb_bgsave_in_progress", saving);
    info_signed(i, "rdb_last_save_time", get(p->last_save_s));
    status_line(i, "rdb_last_bgsave_status", get(p->save_ok));
    info_signed(i, "rdb_last_bgsave_time_sec", get(p->last_save_took_s));
    info_signed(i, "rdb_current_bgsave_time_sec", saving ? since : -1);
    info_line(i, "rdb_saves", get(p->saves));
    info_line(i, "rdb_last_cow_size", get(p->last_saved_bytes));
    info_line(i, "rdb_last_load_keys_expired", get(p->load.expired));
    info_line(i, "rdb_last_load_keys_loaded", get(p->load.keys));
}

static void log_lines(Info* i, Persistence* p) {
    LogStats s;
    log_stats(get(p->log), &s);
    info_line(i, "aof_current_size", s.total_bytes);
    info_line(i, "aof_base_size", s.base_bytes);
    info_line(i, "aof_pending_rewrite", 0);
    info_line(i, "aof_buffer_length", s.waiting_bytes);
    info_line(i, "aof_pending_bio_fsync", s.written_seq != s.synced_seq);
    info_line(i, "aof_delayed_fsync", s.delayed_syncs);
}

static void rewrite_lines(Info* i, Persistence* p) {
    Log* log = get(p->log);
    LogStats s = {};
    s.write_ok = true;
    if (log != nullptr) log_stats(log, &s);
    bool rewriting = get(p->rewriting);
    int64_t since = clock_wall_ms() / 1000 - get(p->started_s);
    info_line(i, "aof_enabled", log != nullptr);
    info_line(i, "aof_rewrite_in_progress", rewriting);
    info_line(i, "aof_rewrite_scheduled", p->rewrite_scheduled);
    info_signed(i, "aof_last_rewrite_time_sec", get(p->last_rewrite_took_s));
    info_signed(i, "aof_current_rewrite_time_sec", rewriting ? since : -1);
    status_line(i, "aof_last_bgrewrite_status", get(p->rewrite_ok));
    info_line(i, "aof_rewrites", get(p->rewrites));
    info_line(i, "aof_rewrites_consecutive_failures", 0);
    status_line(i, "aof_last_write_status", s.write_ok);
    info_line(i, "aof_last_cow_size", get(p->last_saved_bytes));
}

void info_persistence(Info* i) {
    Persistence* p = i->engine->persistence;
    bool loading = get(p->load.loading);
    info_line(i, "loading", loading);
    info_line(i, "async_loading", 0);
    snapshot_lines(i, p);
    rewrite_lines(i, p);
    info_line(i, "module_fork_in_progress", 0);
    info_line(i, "module_fork_last_cow_size", 0);
    if (get(p->log) != nullptr) log_lines(i, p);
    if (loading) loading_lines(i, &p->load);
}

}  // namespace rp
