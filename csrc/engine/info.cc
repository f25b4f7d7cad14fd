// INFO: chooses sections, in a fixed order, and what they share.
#include "engine/info.h"

#include "engine/families.h"

namespace rp {

struct Section {
    Bytes name;  // as an argument
    const char* title;
    void (*write)(Info* i);
    bool in_default;  // INFO without arguments
};

static const Section kSections[] = {
    {"server", "Server", info_server, true},
    {"clients", "Clients", info_clients, true},
    {"memory", "Memory", info_memory, true},
    {"persistence", "Persistence", info_persistence, true},
    {"stats", "Stats", info_stats, true},
    {"replication", "Replication", info_replication, true},
    {"cpu", "CPU", info_cpu, true},
    {"modules", "Modules", info_modules, true},
    {"commandstats", "Commandstats", info_commandstats, false},
    {"errorstats", "Errorstats", info_errorstats, true},
    {"latencystats", "Latencystats", info_latencystats, false},
    {"cluster", "Cluster", info_cluster, true},
    {"keyspace", "Keyspace", info_keyspace, true},
    {"rustypotato", "RustyPotato", info_own, true},
};
constexpr size_t kSectionCount = sizeof kSections / sizeof kSections[0];
static_assert(kSectionCount <= 32);

const TableSums* info_sums(Info* i) {
    if (!i->has_sums) i->sums = store_sums(&i->engine->core.store);
    i->has_sums = true;
    return &i->sums;
}

const EngineTotals* info_totals(Info* i) {
    if (!i->has_totals) engine_totals(i->engine, &i->totals);
    i->has_totals = true;
    return &i->totals;
}

void info_line(Info* i, const char* name, uint64_t value) {
    text_addf(&i->text, "%s:%llu\r\n", name, static_cast<unsigned long long>(value));
}

void info_text(Info* i, const char* name, const char* value) {
    text_addf(&i->text, "%s:%s\r\n", name, value);
}

void human_bytes(int64_t bytes, char out[kHumanMax]) {
    static const char kUnits[] = "BKMGTPE";
    if (bytes < 1024) {
        snprintf(out, kHumanMax, "%lldB", static_cast<long long>(bytes));
        return;
    }
    double value = static_cast<double>(bytes);
    size_t unit = 0;
    for (; value >= 1024 && unit + 2 < sizeof kUnits; unit++)
        value /= 1024;
    snprintf(out, kHumanMax, "%.2f%c", value, kUnits[unit]);
}

void info_bytes(Info* i, const char* name, int64_t bytes) {
    char human[kHumanMax];
    human_bytes(bytes, human);
    long long n = bytes;
    text_addf(&i->text, "%s:%lld\r\n%s_human:%s\r\n", name, n, name, human);
}

static uint32_t sections_all() { return (uint32_t{1} << kSectionCount) - 1; }

static uint32_t sections_default() {
    uint32_t set = 0;
    for (size_t i = 0; i < kSectionCount; i++)
        set |= uint32_t{kSections[i].in_default} << i;
    return set;
}

static uint32_t sections_named(Bytes word) {
    if (arg_is(word, "all") || arg_is(word, "everything")) return sections_all();
    if (arg_is(word, "default")) return sections_default();
    for (size_t i = 0; i < kSectionCount; i++) {
        if (arg_is(word, kSections[i].name)) return uint32_t{1} << i;
    }
    return 0;
}

static void cmd_info(CmdCtx* c, Args argv, Reply* out) {
    uint32_t set = argv.len == 1 ? sections_default() : 0;
    for (size_t i = 1; i < argv.len; i++)
        set |= sections_named(argv[i]);
    Info info = {c->engine, c, {}, false, false, {}, {}};
    for (size_t i = 0; i < kSectionCount; i++) {
        if ((set >> i & 1) == 0) continue;
        if (info.text.len != 0) text_add(&info.text, "\r\n");
        text_addf(&info.text, "# %s\r\n", kSections[i].title);
        kSections[i].write(&info);
    }
    reply_verbatim(out, info.text.bytes(), "txt");
    text_free(&info.text);
}

const Cmd kInfoCmds[] = {
    {.name = "INFO",
     .run = cmd_info,
     .arity = -1,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclDangerous,
     .group = "server",
     .syntax = "[section:string...]",
     .reply = Shape::bulk,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Reports the state of the server: settings in use, memory, counters.",
     .tips = {"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
     .history = {{"7.0.0", "Takes several sections."}}},
    {},
};

}  // namespace rp
