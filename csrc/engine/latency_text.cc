// LATENCY GRAPH and DOCTOR: the samples of the latency monitor for people.
#include <cstdio>

#include "engine/latency.h"

namespace rp {

// ---- GRAPH ------------------------------------------------------------------------------------

constexpr size_t kColumns = 80;
constexpr int kRows = 4;
constexpr int kLevels = 3;  // of a row: _ o #
constexpr size_t kLabelMax = 8;

struct Range {
    uint32_t low_ms, high_ms;
};

static Range range_of(const LatencyEvent* event) {
    Range r = {UINT32_MAX, 0};
    for (size_t i = 0; i < latency_kept(event); i++) {
        uint32_t ms = latency_at(event, i)->ms;
        if (ms < r.low_ms) r.low_ms = ms;
        if (ms > r.high_ms) r.high_ms = ms;
    }
    return r;
}

// "7s", "12m", "3h", "5d" ago.
static void age_label(int64_t age_s, char out[kLabelMax]) {
    const struct {
        int64_t unit_s;
        char name;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    if (age_s < 0) age_s = 0;
    for (const auto& u : units) {
        if (age_s < u.unit_s && u.unit_s != 1) continue;
        int64_t n = age_s / u.unit_s < 99999 ? age_s / u.unit_s : 99999;
        snprintf(out, kLabelMax, "%d%c", static_cast<int>(n), u.name);
        return;
    }
}

static char cell(uint32_t ms, Range r, int row_from_top) {
    uint64_t span = r.high_ms - r.low_ms;
    // 1 to kRows * kLevels.
    uint64_t steps = kRows * kLevels - 1;
    int level = span == 0 ? kRows * kLevels : 1 + static_cast<int>((ms - r.low_ms) * steps / span);
    int in_row = level - (kRows - 1 - row_from_top) * kLevels;
    return in_row <= 0 ? ' ' : in_row == 1 ? '_' : in_row == 2 ? 'o' : '#';
}

static void add_block(Text* t, const LatencyEvent* event, size_t from, size_t to, Range r,
                      int64_t now_s) {
    for (int row = 0; row < kRows; row++) {
        for (size_t i = from; i < to; i++) {
            char c = cell(latency_at(event, i)->ms, r, row);
            text_add(t, {&c, 1});
        }
        text_add(t, "\n");
    }
    text_add(t, "\n");
    // The ages, written downwards.
    for (size_t line = 0; line < kLabelMax; line++) {
        bool any = false;
        char letters[kColumns];
        for (size_t i = from; i < to; i++) {
            char label[kLabelMax] = {};
            age_label(now_s - latency_at(event, i)->time_s, label);
            letters[i - from] = label[line] != 0 ? label[line] : ' ';
            any = any || letters[i - from] != ' ';
        }
        if (!any) break;
        text_add(t, {letters, to - from});
        text_add(t, "\n");
    }
}

void latency_graph(Text* t, const LatencyEvent* event, int64_t now_s) {
    Range r = range_of(event);
    text_addf(t, "%s - high %u ms, low %u ms (all time high %u ms)\n", event->name, r.high_ms,
              r.low_ms, event->max_ms);
    for (size_t i = 0; i < kColumns; i++)
        text_add(t, "-");
    text_add(t, "\n");
    size_t kept = latency_kept(event);
    for (size_t from = 0; from < kept; from += kColumns) {
        size_t to = from + kColumns < kept ? from + kColumns : kept;
        add_block(t, event, from, to, r, now_s);
    }
}

// ---- DOCTOR -----------------------------------------------------------------------------------

static void describe(Text* t, const LatencyEvent* event) {
    size_t kept = latency_kept(event);
    uint64_t sum = 0, off = 0;
    for (size_t i = 0; i < kept; i++)
        sum += latency_at(event, i)->ms;
    uint64_t mean = sum / kept;
    for (size_t i = 0; i < kept; i++) {
        uint32_t ms = latency_at(event, i)->ms;
        off += ms > mean ? ms - mean : mean - ms;
    }
    int64_t span_s = latency_at(event, kept - 1)->time_s - latency_at(event, 0)->time_s;
    text_addf(t,
              "%s: %zu spikes within %lld s (mean %llu ms, mean deviation %llu ms), the longest "
              "ever %u ms.\n",
              event->name, kept, static_cast<long long>(span_s),
              static_cast<unsigned long long>(mean), static_cast<unsigned long long>(off / kept),
              event->max_ms);
}

static const char* advice(Bytes name) {
    static const struct {
        Bytes event;
        const char* text;
    } kAdvice[] = {
        {"command",
         "- SLOWLOG GET shows slow commands with their arguments. Commands over many elements can "
         "often be replaced by several small ones, KEYS by SCAN.\n"},
        {"fast-command",
         "- Commands that are fast by nature took long: the machine may be swapping (MEMORY STATS, "
         "vmstat), short of processors, or a key is so popular that its writers queue up.\n"},
        {"expire-cycle",
         "- Many keys expire at the same moment: spread their times to live, or lower "
         "active-expire-effort.\n"},
        {"eviction-cycle",
         "- Commands had to make much room before they ran: raise maxmemory, or write smaller "
         "values.\n"},
        {"aof-write",
         "- Writing the log takes long: the disk is busy or slow. Writes are not acknowledged "
         "before, with `appendfsync always`; give the log a disk of its own.\n"},
        {"aof-fsync-always",
         "- With `appendfsync always` every acknowledgement waits for the disk: a faster one, or "
         "`appendfsync everysec`, helps.\n"},
    };
    for (const auto& a : kAdvice) {
        if (bytes_equal(a.event, name)) return a.text;
    }
    return "";
}

void latency_doctor(Text* t, const Latency* latency, const Config* config) {
    if (config_num(config->latency_monitor_threshold) == 0) {
        text_add(t,
                 "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> "
                 "turns it on: what takes that long is kept then.\n");
        return;
    }
    size_t events = 0;
    for (const LatencyEvent& event : latency->events) {
        if (event.count == 0) continue;
        if (events++ == 0) text_add(t, "These took latency-monitor-threshold or longer:\n\n");
        describe(t, &event);
    }
    if (events == 0) {
        text_add(t, "Nothing took latency-monitor-threshold or longer.\n");
        return;
    }
    text_add(t, "\nWhat may help:\n\n");
    for (const LatencyEvent& event : latency->events) {
        if (event.count != 0) text_add(t, bytes_of(advice(bytes_of(event.name))));
    }
}

}  // namespace rp
