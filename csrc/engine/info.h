// engine/info.h: INFO as rows: a section is a name and a function that writes its lines.
//
// Threads  any, pinned (the sums look at tables). Cheap: no section walks over keys.
#pragma once
#include "engine/sums.h"
#include "engine/text.h"

namespace rp {

struct Info {
    Engine* engine;
    const CmdCtx* c;
    Text text;
    // Made by the first section that needs them: see info_sums, info_totals.
    bool has_sums = false, has_totals = false;
    TableSums sums;
    EngineTotals totals;
};
const TableSums* info_sums(Info* i);
const EngineTotals* info_totals(Info* i);
void info_line(Info* i, const char* name, uint64_t value);
// "name:value" of a text.
void info_text(Info* i, const char* name, const char* value);
// "name:bytes" and "name_human:1.50M", as Redis writes both.
void info_bytes(Info* i, const char* name, int64_t bytes);
constexpr size_t kHumanMax = 32;
void human_bytes(int64_t bytes, char out[kHumanMax]);

void info_persistence(Info* i);  // info_persistence.cc

// info_server.cc
void info_server(Info* i);
void info_clients(Info* i);
void info_replication(Info* i);
void info_cpu(Info* i);
void info_modules(Info* i);
void info_cluster(Info* i);
// info_stats.cc
void info_memory(Info* i);
void info_stats(Info* i);
void info_commandstats(Info* i);
void info_errorstats(Info* i);
void info_latencystats(Info* i);
void info_keyspace(Info* i);
void info_own(Info* i);

}  // namespace rp
