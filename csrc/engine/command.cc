// COMMAND: what the server can do, told from the rows. INFO, COUNT, LIST and the rows of COMMAND;
// DOCS is in command_docs.cc, GETKEYS in command_keys.cc.
#include "engine/command.h"

#include "base/glob.h"

namespace rp {

struct FlagName {
    uint32_t flag;
    Bytes name;
};

// In the order in which Redis lists them; kCmdProtected and the sentinel flags it does not show.
static const FlagName kFlagNames[] = {
    {kCmdWrite, "write"},
    {kCmdReadonly, "readonly"},
    {kCmdDenyOom, "denyoom"},
    {kCmdAdmin, "admin"},
    {kCmdPubsub, "pubsub"},
    {kCmdNoScript, "noscript"},
    {kCmdBlocking, "blocking"},
    {kCmdLoading, "loading"},
    {kCmdStale, "stale"},
    {kCmdSkipMonitor, "skip_monitor"},
    {kCmdSkipSlowlog, "skip_slowlog"},
    {kCmdAsking, "asking"},
    {kCmdFast, "fast"},
    {kCmdNoAuth, "no_auth"},
    {kCmdMayReplicate, "may_replicate"},
    {kCmdNoMandatoryKeys, "no_mandatory_keys"},
    {kCmdNoAsyncLoading, "no_async_loading"},
    {kCmdNoMulti, "no_multi"},
    {kCmdMovableKeys, "movablekeys"},
    {kCmdAllowBusy, "allow_busy"},
};

static const FlagName kAclNames[] = {
    {kAclKeyspace, "@keyspace"},
    {kAclRead, "@read"},
    {kAclWrite, "@write"},
    {kAclSet, "@set"},
    {kAclSortedSet, "@sortedset"},
    {kAclList, "@list"},
    {kAclHash, "@hash"},
    {kAclString, "@string"},
    {kAclBitmap, "@bitmap"},
    {kAclHyperLogLog, "@hyperloglog"},
    {kAclGeo, "@geo"},
    {kAclStream, "@stream"},
    {kAclPubsub, "@pubsub"},
    {kAclAdmin, "@admin"},
    {kAclFast, "@fast"},
    {kAclSlow, "@slow"},
    {kAclBlocking, "@blocking"},
    {kAclDangerous, "@dangerous"},
    {kAclConnection, "@connection"},
    {kAclTransaction, "@transaction"},
    {kAclScripting, "@scripting"},
};

static const FlagName kKeyFlagNames[] = {
    {kKeyRW, "RW"},
    {kKeyRO, "RO"},
    {kKeyOW, "OW"},
    {kKeyRM, "RM"},
    {kKeyAccess, "access"},
    {kKeyUpdate, "update"},
    {kKeyInsert, "insert"},
    {kKeyDelete, "delete"},
    {kKeyNotKey, "not_key"},
    {kKeyIncomplete, "incomplete"},
    {kKeyVariable, "variable_flags"},
};

template <size_t N>
static void reply_flags(Reply* out, const FlagName (&names)[N], uint32_t flags) {
    size_t count = 0;
    for (const FlagName& n : names)
        count += (flags & n.flag) != 0;
    reply_set(out, count);
    for (const FlagName& n : names) {
        if (flags & n.flag) reply_simple(out, n.name);
    }
}

void reply_key_flags(Reply* out, uint32_t flags) { reply_flags(out, kKeyFlagNames, flags); }

void reply_full_name(Reply* out, const Cmd* parent, const Cmd* row) {
    char name[64];
    size_t len = cmd_full_name(parent, row, name);
    reply_bulk(out, {name, len});
}

CmdRef command_lookup(const CmdCtx* c, Bytes full_name) {
    const void* bar = memchr(full_name.ptr, '|', full_name.len);
    size_t len = bar == nullptr
                     ? full_name.len
                     : static_cast<size_t>(static_cast<const char*>(bar) - full_name.ptr);
    CmdRef ref = command_find_as(session_renames(c->session), bytes_slice(full_name, 0, len));
    if (ref.row == nullptr || !row_listed(ref.row)) return {};
    if (bar == nullptr) return ref;
    return command_find_sub(&ref, bytes_slice(full_name, len + 1, full_name.len - len - 1));
}

// ---- INFO -------------------------------------------------------------------------------------

static void reply_begin_search(Reply* out, const KeySpec* k) {
    reply_map(out, 2);
    reply_bulk(out, "type");
    reply_bulk(out, k->keyword != nullptr ? Bytes("keyword") : Bytes("index"));
    reply_bulk(out, "spec");
    if (k->keyword == nullptr) {
        reply_map(out, 1);
        reply_bulk(out, "index");
        return reply_int(out, k->index);
    }
    reply_map(out, 2);
    reply_bulk(out, "keyword");
    reply_bulk(out, bytes_of(k->keyword));
    reply_bulk(out, "startfrom");
    reply_int(out, k->start_from);
}

static void reply_find_keys(Reply* out, const KeySpec* k) {
    bool counted = k->num_index >= 0;
    reply_map(out, 2);
    reply_bulk(out, "type");
    reply_bulk(out, counted ? Bytes("keynum") : Bytes("range"));
    reply_bulk(out, "spec");
    reply_map(out, 3);
    reply_bulk(out, counted ? Bytes("keynumidx") : Bytes("lastkey"));
    reply_int(out, counted ? k->num_index : k->last);
    reply_bulk(out, counted ? Bytes("firstkey") : Bytes("keystep"));
    reply_int(out, counted ? k->first_key : k->step);
    reply_bulk(out, counted ? Bytes("keystep") : Bytes("limit"));
    reply_int(out, counted ? k->step : k->limit);
}

static void reply_key_specs(Reply* out, const Cmd* row) {
    size_t count = 0;
    while (count < kKeySpecsMax && row->keys[count].flags != 0)
        count++;
    reply_set(out, count);
    for (size_t i = 0; i < count; i++) {
        const KeySpec* k = &row->keys[i];
        reply_map(out, k->notes != nullptr ? 4 : 3);
        if (k->notes != nullptr) {
            reply_bulk(out, "notes");
            reply_bulk(out, bytes_of(k->notes));
        }
        reply_bulk(out, "flags");
        reply_key_flags(out, k->flags);
        reply_bulk(out, "begin_search");
        reply_begin_search(out, k);
        reply_bulk(out, "find_keys");
        reply_find_keys(out, k);
    }
}

static void reply_tips(Reply* out, const Cmd* row) {
    size_t count = 0;
    while (count < sizeof row->tips / sizeof row->tips[0] && row->tips[count] != nullptr)
        count++;
    reply_set(out, count);
    for (size_t i = 0; i < count; i++)
        reply_bulk(out, bytes_of(row->tips[i]));
}

static void reply_row(Reply* out, const Cmd* parent, const Cmd* row);

static void reply_subcommands(Reply* out, const Cmd* row) {
    if (row->subcommands == nullptr) return reply_set(out, 0);
    size_t count = 0;
    for (const Cmd* s = row->subcommands; s != nullptr; s = subcommand_next(s))
        count++;
    reply_array(out, count);
    for (const Cmd* s = row->subcommands; s != nullptr; s = subcommand_next(s)) {
        reply_row(out, row, s);
    }
}

static void reply_row(Reply* out, const Cmd* parent, const Cmd* row) {
    KeyRange keys = row_key_range(row);
    reply_array(out, 10);
    reply_full_name(out, parent, row);
    reply_int(out, row->arity);
    reply_flags(out, kFlagNames, row->flags);
    reply_int(out, keys.first);
    reply_int(out, keys.last);
    reply_int(out, keys.step);
    reply_flags(out, kAclNames, row_acl(row));
    reply_tips(out, row);
    reply_key_specs(out, row);
    reply_subcommands(out, row);
}

bool command_listed(const CmdCtx* c, const Cmd* row) {
    return row_listed(row) && renames_reach(session_renames(c->session), row);
}

static size_t listed_count(const CmdCtx* c) {
    size_t count = 0;
    for (size_t i = 0; i < command_top_count(); i++)
        count += command_listed(c, command_at(i));
    return count;
}

static void reply_all(const CmdCtx* c, Reply* out) {
    reply_array(out, listed_count(c));
    for (size_t i = 0; i < command_top_count(); i++) {
        if (command_listed(c, command_at(i))) reply_row(out, nullptr, command_at(i));
    }
}

static void cmd_command(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len == 1) return reply_all(c, out);
    reply_errorf(out, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                 static_cast<int>(argv[1].len < 128 ? argv[1].len : 128), argv[1].ptr,
                 c->row->name);
}

static void command_info(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len == 2) return reply_all(c, out);
    reply_array(out, argv.len - 2);
    for (size_t i = 2; i < argv.len; i++) {
        CmdRef ref = command_lookup(c, argv[i]);
        if (ref.row == nullptr) {
            reply_null_array(out);
        } else {
            reply_row(out, ref.parent, ref.row);
        }
    }
}

static void command_count_listed(CmdCtx* c, Args, Reply* out) {
    reply_int(out, static_cast<int64_t>(listed_count(c)));
}

// ---- LIST -------------------------------------------------------------------------------------

enum class Filter : uint8_t { none, module, category, pattern };

struct Listing {
    DeferredArray found;
    Filter filter = Filter::none;
    uint32_t category = 0;  // 0: no category has that name
    Bytes pattern;
};

static void list_row(Listing* l, const Cmd* parent, const Cmd* row) {
    char name[64];
    size_t len = cmd_full_name(parent, row, name);
    switch (l->filter) {
        case Filter::none: break;
        case Filter::module: return;  // no command comes from a module
        case Filter::category:
            if ((row_acl(row) & l->category) == 0) return;
            break;
        case Filter::pattern:
            if (!glob_match(l->pattern, {name, len}, true)) return;
            break;
    }
    reply_bulk(&l->found.reply, {name, len});
    l->found.items++;
}

static uint32_t acl_category(Bytes word) {
    for (const FlagName& n : kAclNames) {
        if (bytes_equal_nocase(bytes_slice(n.name, 1, n.name.len - 1), word)) return n.flag;
    }
    return 0;
}

static bool parse_listing(Args argv, Listing* l) {
    if (argv.len == 2) return true;
    if (argv.len != 5 || !arg_is(argv[2], "FILTERBY")) return false;
    if (arg_is(argv[3], "MODULE")) {
        l->filter = Filter::module;
    } else if (arg_is(argv[3], "ACLCAT")) {
        l->filter = Filter::category;
        l->category = acl_category(argv[4]);
    } else if (arg_is(argv[3], "PATTERN")) {
        l->filter = Filter::pattern;
        l->pattern = argv[4];
    } else {
        return false;
    }
    return true;
}

static void command_list(CmdCtx* c, Args argv, Reply* out) {
    Listing l;
    if (!parse_listing(argv, &l)) return reply_err(out, Err::syntax);
    deferred_start(&l.found, out);
    for (size_t i = 0; i < command_top_count(); i++) {
        const Cmd* row = command_at(i);
        if (!command_listed(c, row)) continue;
        list_row(&l, nullptr, row);
        for (const Cmd* s = row->subcommands; s != nullptr; s = subcommand_next(s)) {
            list_row(&l, row, s);
        }
    }
    deferred_finish_array(&l.found, out);
}

// ---- rows -------------------------------------------------------------------------------------

static void command_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "(no subcommand)",
        "    The same as INFO without names.",
        "COUNT",
        "    How many commands there are.",
        "LIST",
        "    The names of all commands.",
        "INFO [<command-name> ...]",
        "    Arity, flags, keys, categories and tips of the named commands, or of all.",
        "DOCS [<command-name> ...]",
        "    Summary, history and arguments of the named commands, or of all.",
        "GETKEYS <full-command>",
        "    Which arguments of a command are keys.",
        "GETKEYSANDFLAGS <full-command>",
        "    The same, with what the command does to each key.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

constexpr uint32_t kAlways = kCmdLoading | kCmdStale;

#define RP_COMMAND_ROW .flags = kAlways, .acl = kAclConnection, .group = "server"

static const Cmd kCommandSubcommands[] = {
    {.name = "COUNT",
     .run = command_count_listed,
     .arity = 2,
     RP_COMMAND_ROW,
     .reply = Shape::integer,
     .since = "2.8.13",
     .cost = "O(1)",
     .about = "Counts the commands."},
    {.name = "DOCS",
     .run = command_docs,
     .arity = -2,
     RP_COMMAND_ROW,
     .syntax = "[command-name:string...]",
     .reply = Shape::map,
     .since = "7.0.0",
     .cost = "O(N), N = commands described",
     .about = "Describes commands for people: summary, history, arguments.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "GETKEYS",
     .run = command_getkeys,
     .arity = -4,
     RP_COMMAND_ROW,
     .reply = Shape::array,
     .since = "2.8.13",
     .cost = "O(N), N = arguments",
     .about = "Names the keys among the arguments of a command."},
    {.name = "GETKEYSANDFLAGS",
     .run = command_getkeysandflags,
     .arity = -4,
     RP_COMMAND_ROW,
     .reply = Shape::array,
     .since = "7.0.0",
     .cost = "O(N), N = arguments",
     .about = "Names the keys among the arguments of a command and what happens to them."},
    {.name = "HELP",
     .run = command_help,
     .arity = 2,
     RP_COMMAND_ROW,
     .reply = Shape::array,
     .since = "5.0.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {.name = "INFO",
     .run = command_info,
     .arity = -2,
     RP_COMMAND_ROW,
     .syntax = "[command-name:string...]",
     .reply = Shape::array,
     .since = "2.8.13",
     .cost = "O(N), N = commands described",
     .about = "Describes commands for programs: arity, flags, keys, categories.",
     .tips = {"nondeterministic_output_order"},
     .history = {{"7.0.0", "Without names it describes all commands."}}},
    {.name = "LIST",
     .run = command_list,
     .arity = -2,
     RP_COMMAND_ROW,
     .syntax = "[FILTERBY filterby=(MODULE module-name:string|ACLCAT category:string|"
               "PATTERN pattern:pattern)]",
     .reply = Shape::array,
     .since = "7.0.0",
     .cost = "O(N), N = commands",
     .about = "Lists the names of commands.",
     .tips = {"nondeterministic_output_order"}},
    {},
};

const Cmd kCommandCmds[] = {
    {.name = "COMMAND",
     .run = cmd_command,
     .arity = -1,
     RP_COMMAND_ROW,
     .reply = Shape::array,
     .since = "2.8.13",
     .cost = "O(N), N = commands",
     .about = "Describes all commands.",
     .tips = {"nondeterministic_output_order"},
     .subcommands = kCommandSubcommands},
    {},
};

}  // namespace rp
