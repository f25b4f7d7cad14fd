// CONFIG: the wire form of conf/config.h.
#include <cstdio>

#include "base/log.h"
#include "base/random.h"
#include "conf/rows.h"
#include "engine/acl.h"
#include "engine/config_hooks.h"
#include "engine/families.h"
#include "engine/persistence.h"
#include "engine/slowlog.h"
#include "engine/step_out.h"
#include "mem/mem.h"

namespace rp {

// ---- after a change ---------------------------------------------------------------------------

void log_settings_apply(const Config* config) {
    log_set_level(static_cast<LogLevel>(config_num(config->loglevel)));
    log_set_format(static_cast<LogFormat>(config_num(config->log_format)));
}

static bool is_of_log(const ConfigRow* row) {
    return row->num == &Config::loglevel || row->num == &Config::log_format;
}

static bool apply(void* arg, const ConfigRow* row, char* why, size_t why_size) {
    auto* e = static_cast<Engine*>(arg);
    const char* reason = nullptr;
    if (strcmp(row->name, "requirepass") == 0) acl_apply_requirepass(e);
    if (is_of_log(row)) log_settings_apply(e->config);
    slow_settings_apply(e);
    if (!persistence_apply(e, row, &reason)) {
        snprintf(why, why_size, "%s", reason);
        return false;
    }
    if (e->net.apply == nullptr || e->net.apply(e->net.net, row->name, &reason)) return true;
    snprintf(why, why_size, "%s", reason != nullptr ? reason : "");
    return false;
}

void engine_config_hooks(Engine* e) {
    random_hex(e->replid, sizeof e->replid - 1);
    log_settings_apply(e->config);
    slow_settings_apply(e);
    config_on_apply(e->config, apply, e);
    e->startup_used = mem_used();
}

// ---- commands ---------------------------------------------------------------------------------

static void add_setting(void* arg, Bytes name, Bytes value) {
    auto* found = static_cast<DeferredArray*>(arg);
    reply_bulk(&found->reply, name);
    reply_bulk(&found->reply, value);
    found->items++;
}

static void cmd_config_get(CmdCtx* c, Args argv, Reply* out) {
    DeferredArray found;
    deferred_start(&found, out);
    config_get(c->config, argv.items + 2, argv.len - 2, {add_setting, &found});
    deferred_finish_map(&found, out);
}

bool session_is_local(const Session* s) {
    return s->embedded || s->unix_socket || strncmp(s->addr, "127.", 4) == 0 ||
           strncmp(s->addr, "[::1]", 5) == 0 || strncmp(s->addr, "::1:", 4) == 0;
}

static void cmd_config_set(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len % 2 != 0) return reply_err(out, Err::syntax);
    size_t count = (argv.len - 2) / 2;
    size_t bytes = count * sizeof(ConfigPair);
    auto* pairs = static_cast<ConfigPair*>(mem_alloc(bytes));
    for (size_t i = 0; i < count; i++)
        pairs[i] = {argv[2 + 2 * i], argv[3 + 2 * i]};
    ConfigErr err;
    bool fine;
    {
        StepOut outside(c);  // a new port may have to be opened
        // Inside EXEC the gate is held up, and the other one may be waiting for that.
        auto* set = c->a.locked ? config_try_set_many : config_set_many;
        fine = set(c->config, pairs, count, session_is_local(c->session), &err);
    }
    fine ? reply_ok(out) : reply_error(out, bytes_of(err.text));
    mem_free(pairs, bytes);
}

static void cmd_config_resetstat(CmdCtx* c, Args, Reply* out) {
    engine_stats_reset(c->engine);
    reply_ok(out);
}

// The users, unless they are kept in a file of their own.
static bool rewrite(Engine* e, ConfigErr* err) {
    std::vector<std::string> lines;
    if (acl_file_path(e).empty()) lines = acl_user_lines(e->acl);
    std::vector<Bytes> views;
    for (const std::string& line : lines)
        views.push_back({line.data(), line.size()});
    ConfigUsers users = {views.data(), views.size()};
    return config_rewrite(e->config, nullptr, err, &users);
}

static void cmd_config_rewrite(CmdCtx* c, Args, Reply* out) {
    ConfigErr err;
    StepOut outside(c);
    if (!rewrite(c->engine, &err)) return reply_error(out, bytes_of(err.text));
    reply_ok(out);
}

static void cmd_config_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "GET <pattern>",
        "    The settings whose names match, with their values.",
        "SET <directive> <value>",
        "    Changes settings; either all that are named or none.",
        "RESETSTAT",
        "    Lets the counters of INFO start at zero again.",
        "REWRITE",
        "    Writes the settings in use into the configuration file.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

#define RP_CONFIG_ROW .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale, .group = "server"

static const Cmd kConfigSubcommands[] = {
    {.name = "GET",
     .run = cmd_config_get,
     .arity = -3,
     RP_CONFIG_ROW,
     .syntax = "parameter={parameter:string}...",
     .reply = Shape::map,
     .since = "2.0.0",
     .cost = "O(N), N = settings",
     .about = "Returns settings by name or pattern.",
     .history = {{"7.0.0", "Takes several patterns."}}},
    {.name = "SET",
     .run = cmd_config_set,
     .arity = -4,
     RP_CONFIG_ROW,
     .syntax = "parameter_value={parameter:string value:string}...",
     .reply = Shape::ok,
     .since = "2.0.0",
     .cost = "O(N), N = settings given",
     .about = "Changes settings while the server runs.",
     .tips = {"request_policy:all_nodes", "response_policy:all_succeeded"},
     .history = {{"7.0.0", "Takes several settings."}}},
    {.name = "RESETSTAT",
     .run = cmd_config_resetstat,
     .arity = 2,
     RP_CONFIG_ROW,
     .reply = Shape::ok,
     .since = "2.0.0",
     .cost = "O(1)",
     .about = "Sets the counters of INFO back to zero."},
    {.name = "REWRITE",
     .run = cmd_config_rewrite,
     .arity = 2,
     RP_CONFIG_ROW,
     .reply = Shape::ok,
     .since = "2.8.0",
     .cost = "O(1)",
     .about = "Writes the settings in use into the configuration file."},
    {.name = "HELP",
     .run = cmd_config_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .group = "server",
     .reply = Shape::array,
     .since = "5.0.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {},
};

const Cmd kConfigCmds[] = {
    {.name = "CONFIG",
     .arity = -2,
     .group = "server",
     .since = "2.0.0",
     .cost = "Depends on the subcommand",
     .about = "Reads and changes settings.",
     .subcommands = kConfigSubcommands},
    {},
};

}  // namespace rp
