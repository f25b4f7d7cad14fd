// ACL and its subcommands: the wire form of engine/acl.h.
#include "base/clock.h"
#include "base/random.h"
#include "engine/acl.h"
#include "engine/command.h"
#include "engine/step_out.h"

namespace rp {

static Bytes view(const std::string& s) { return {s.data(), s.size()}; }

static void reply_text_error(Reply* out, const std::string& why) {
    std::string text = "ERR " + why;
    reply_error(out, view(text));
}

static int shown(Bytes b) { return static_cast<int>(b.len < 128 ? b.len : 128); }

// ---- users ------------------------------------------------------------------------------------

static void acl_setuser(CmdCtx* c, Args argv, Reply* out) {
    if (!acl_text_valid(argv[2])) {
        return reply_error(out, "ERR Usernames can't contain spaces or null characters");
    }
    std::string why;
    if (!acl_set_user(c->engine, argv[2], argv.items + 3, argv.len - 3, &why, c)) {
        return reply_error(out, view(why));
    }
    reply_ok(out);
}

static void acl_deluser(CmdCtx* c, Args argv, Reply* out) {
    for (size_t i = 2; i < argv.len; i++) {
        if (bytes_equal(argv[i], "default")) {
            return reply_error(out, "ERR The 'default' user cannot be removed");
        }
    }
    int64_t deleted = 0;
    for (size_t i = 2; i < argv.len; i++)
        deleted += acl_delete_user(c, argv[i]);
    reply_int(out, deleted);
}

static void count_flag(void* arg, Bytes) { ++*static_cast<size_t*>(arg); }
static void reply_flag(void* arg, Bytes flag) { reply_bulk(static_cast<Reply*>(arg), flag); }

// commands, keys, channels: as rules.
static void reply_selector(Reply* out, const AclSelector* s) {
    reply_bulk(out, "commands");
    reply_bulk(out, view(acl_describe_commands(s)));
    reply_bulk(out, "keys");
    reply_bulk(out, view(acl_describe_keys(s)));
    reply_bulk(out, "channels");
    reply_bulk(out, view(acl_describe_channels(s)));
}

static void acl_getuser(CmdCtx* c, Args argv, Reply* out) {
    AclRules r;
    if (!acl_user_rules(c->engine->acl, argv[2], &r)) return reply_null(out);
    size_t flags = 0;
    acl_each_flag(&r, count_flag, &flags);
    reply_map(out, 6);
    reply_bulk(out, "flags");
    reply_set(out, flags);
    acl_each_flag(&r, reply_flag, out);
    reply_bulk(out, "passwords");
    reply_array(out, r.passwords.size());
    for (const std::string& hash : r.passwords)
        reply_bulk(out, view(hash));
    reply_selector(out, &r.selectors[0]);
    reply_bulk(out, "selectors");
    reply_array(out, r.selectors.size() - 1);
    for (size_t i = 1; i < r.selectors.size(); i++) {
        reply_map(out, 3);
        reply_selector(out, &r.selectors[i]);
    }
}

static void reply_strings(Reply* out, const std::vector<std::string>& items) {
    reply_array(out, items.size());
    for (const std::string& s : items)
        reply_bulk(out, view(s));
}

static void acl_list(CmdCtx* c, Args, Reply* out) {
    reply_strings(out, acl_user_lines(c->engine->acl));
}

static void acl_users(CmdCtx* c, Args, Reply* out) {
    reply_strings(out, acl_user_names(c->engine->acl));
}

static void acl_whoami(CmdCtx* c, Args, Reply* out) {
    reply_bulk(out, acl_session_user(c->session));
}

// ---- DRYRUN -----------------------------------------------------------------------------------

// Null row: the error is replied.
static CmdRef dryrun_command(CmdCtx* c, Args argv) {
    CmdRef ref = command_find_as(session_renames(c->session), argv[0]);
    if (ref.row != nullptr && ref.row->subcommands != nullptr && argv.len > 1) {
        ref = command_find_sub(&ref, argv[1]);
    }
    if (ref.row == nullptr || !row_listed(ref.row)) {
        reply_errorf(c->out, "ERR Command '%.*s' not found", shown(argv[0]), argv[0].ptr);
        return {};
    }
    if (arity_fits(ref.row, argv.len)) return ref;
    char name[64];
    cmd_full_name(ref.parent, ref.row, name);
    reply_err_arity(c->out, name);
    return {};
}

static void acl_dryrun(CmdCtx* c, Args argv, Reply* out) {
    AclRules r;
    if (!acl_user_rules(c->engine->acl, argv[2], &r)) {
        return reply_errorf(out, "ERR User '%.*s' not found", shown(argv[2]), argv[2].ptr);
    }
    Args inner = {argv.items + 3, argv.len - 3};
    CmdRef ref = dryrun_command(c, inner);
    if (ref.row == nullptr) return;
    size_t at;
    AclDenied denied = acl_check(&r, &ref, inner, &at);
    if (denied == AclDenied::none) return reply_ok(out);
    if (denied == AclDenied::command) {
        char name[64], text[160];
        cmd_full_name(ref.parent, ref.row, name);
        int n = snprintf(text, sizeof text, "This user has no permissions to run the '%s' command",
                         name);
        return reply_bulk(out, {text, static_cast<size_t>(n)});
    }
    std::string text = "This user has no permissions to access the '";
    text.append(inner[at].ptr, inner[at].len);
    text += denied == AclDenied::key ? "' key" : "' channel";
    reply_bulk(out, view(text));
}

// ---- CAT, GENPASS -----------------------------------------------------------------------------

static void acl_cat(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len > 3) return reply_err_subcommand(c, argv);
    if (argv.len == 2) {
        reply_array(out, kAclCategories);
        for (size_t i = 0; i < kAclCategories; i++)
            reply_bulk(out, acl_category_at(i)->name);
        return;
    }
    const AclCategoryName* category = acl_category_find(argv[2]);
    if (category == nullptr) {
        return reply_errorf(out, "ERR Unknown category '%.*s'", shown(argv[2]), argv[2].ptr);
    }
    DeferredArray found;
    deferred_start(&found, out);
    for (size_t id = 0; id < acl_name_count(); id++) {
        const AclName* n = acl_name_at(id);
        if (n->row == nullptr || !category->members.has(id)) continue;
        reply_bulk(&found.reply, bytes_of(n->name));
        found.items++;
    }
    deferred_finish_array(&found, out);
}

constexpr int64_t kGenpassBitsMax = 4096;

static void acl_genpass(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len > 3) return reply_err_subcommand(c, argv);
    int64_t bits = 256;
    if (argv.len == 3 && !arg_i64(c, argv[2], &bits)) return;
    if (bits <= 0 || bits > kGenpassBitsMax) {
        return reply_error(out,
                           "ERR ACL GENPASS argument must be the number of bits for the output "
                           "password, a positive number up to 4096");
    }
    char text[kGenpassBitsMax / 4];
    size_t len = static_cast<size_t>(bits + 3) / 4;
    random_hex(text, len);
    reply_bulk(out, {text, len});
}

// ---- LOG --------------------------------------------------------------------------------------

constexpr int64_t kLogDefault = 10;

static void reply_log_entry(Reply* out, const AclLogEntry& e, int64_t now_ms) {
    reply_map(out, 7);
    reply_bulk(out, "count");
    reply_int(out, static_cast<int64_t>(e.count));
    reply_bulk(out, "reason");
    reply_bulk(out, bytes_of(acl_reason_text(e.reason)));
    reply_bulk(out, "context");
    reply_bulk(out, e.in_multi ? Bytes("multi") : Bytes("toplevel"));
    reply_bulk(out, "object");
    reply_bulk(out, view(e.object));
    reply_bulk(out, "username");
    reply_bulk(out, view(e.user));
    reply_bulk(out, "age-seconds");
    reply_double(out, static_cast<double>(now_ms - e.at_ms) / 1000);
    reply_bulk(out, "client-info");
    reply_bulk(out, view(e.client));
}

static void acl_log(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len > 3) return reply_err_subcommand(c, argv);
    AclLog* log = &c->engine->acl->log;
    if (argv.len == 3 && arg_is(argv[2], "reset")) {
        acl_log_reset(log);
        return reply_ok(out);
    }
    int64_t count = kLogDefault;
    if (argv.len == 3 && !arg_i64(c, argv[2], &count)) return;
    std::deque<AclLogEntry> newest =
        acl_log_newest(log, count > 0 ? static_cast<size_t>(count) : 0);
    reply_array(out, newest.size());
    int64_t now_ms = clock_wall_ms();
    for (const AclLogEntry& e : newest)
        reply_log_entry(out, e, now_ms);
}

// ---- SAVE, LOAD -------------------------------------------------------------------------------

static void acl_save(CmdCtx* c, Args, Reply* out) {
    std::string why;
    bool fine;
    {
        StepOut outside(c);
        fine = acl_save_file(c->engine, &why);
    }
    fine ? reply_ok(out) : reply_text_error(out, why);
}

static void acl_load(CmdCtx* c, Args, Reply* out) {
    std::string why;
    bool fine;
    {
        StepOut outside(c);
        fine = acl_load_file(c->engine, c, &why);
    }
    fine ? reply_ok(out) : reply_text_error(out, why);
}

static void acl_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "CAT [<category>]",
        "    The categories of commands, or the commands in one.",
        "DELUSER <username> [<username> ...]",
        "    Removes users and closes their connections.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Tells whether the user might run this, without running it.",
        "GETUSER <username>",
        "    Describes a user.",
        "GENPASS [<bits>]",
        "    Makes a password of so many random bits (default: 256).",
        "LIST",
        "    All users with their rules, as they stand in a file.",
        "LOAD",
        "    Reads the users from the ACL file.",
        "LOG [<count> | RESET]",
        "    What was refused lately; RESET forgets it.",
        "SAVE",
        "    Writes the users into the ACL file.",
        "SETUSER <username> [<rule> ...]",
        "    Makes a user, or changes what one may do.",
        "USERS",
        "    The names of all users.",
        "WHOAMI",
        "    The user that this connection is logged in as.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

// ---- rows -------------------------------------------------------------------------------------

#define RP_ACL_ROW .flags = kCmdNoScript | kCmdLoading | kCmdStale, .group = "server"
#define RP_ACL_ADMIN_ROW \
    .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale, .group = "server"

static const Cmd kAclSubcommands[] = {
    {.name = "CAT",
     .run = acl_cat,
     .arity = -2,
     RP_ACL_ROW,
     .syntax = "[categoryname:string]",
     .reply = Shape::array,
     .since = "6.0.0",
     .cost = "O(N), N = commands",
     .about = "Lists the categories of commands, or the commands in one."},
    {.name = "DELUSER",
     .run = acl_deluser,
     .arity = -3,
     RP_ACL_ADMIN_ROW,
     .syntax = "username:string...",
     .reply = Shape::integer,
     .since = "6.0.0",
     .cost = "O(N), N = connections",
     .about = "Removes users and closes their connections."},
    {.name = "DRYRUN",
     .run = acl_dryrun,
     .arity = -4,
     RP_ACL_ADMIN_ROW,
     .syntax = "username:string command:string [arg:string...]",
     .reply = Shape::any,
     .since = "7.0.0",
     .cost = "O(N), N = rules of the user",
     .about = "Tells whether a user might run a command, without running it."},
    {.name = "GENPASS",
     .run = acl_genpass,
     .arity = -2,
     RP_ACL_ROW,
     .syntax = "[bits:integer]",
     .reply = Shape::bulk,
     .since = "6.0.0",
     .cost = "O(1)",
     .about = "Makes a password from random bits."},
    {.name = "GETUSER",
     .run = acl_getuser,
     .arity = 3,
     RP_ACL_ADMIN_ROW,
     .syntax = "username:string",
     .reply = Shape::any,
     .since = "6.0.0",
     .cost = "O(N), N = rules of the user",
     .about = "Describes a user.",
     .history = {{"6.2.0", "Tells the channels, too."},
                 {"7.0.0", "Tells the selectors; keys and channels are written as rules."}}},
    {.name = "HELP",
     .run = acl_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .group = "server",
     .reply = Shape::array,
     .since = "6.0.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {.name = "LIST",
     .run = acl_list,
     .arity = 2,
     RP_ACL_ADMIN_ROW,
     .reply = Shape::array,
     .since = "6.0.0",
     .cost = "O(N), N = users",
     .about = "Lists all users with their rules."},
    {.name = "LOAD",
     .run = acl_load,
     .arity = 2,
     RP_ACL_ADMIN_ROW,
     .reply = Shape::ok,
     .since = "6.0.0",
     .cost = "O(N), N = users",
     .about = "Reads the users from the ACL file; connections of all but the default user are "
              "closed."},
    {.name = "LOG",
     .run = acl_log,
     .arity = -2,
     RP_ACL_ADMIN_ROW,
     .syntax = "[operation=(count:integer|RESET)]",
     .reply = Shape::any,
     .since = "6.0.0",
     .cost = "O(N), N = entries shown",
     .about = "Lists what was refused lately."},
    {.name = "SAVE",
     .run = acl_save,
     .arity = 2,
     RP_ACL_ADMIN_ROW,
     .reply = Shape::ok,
     .since = "6.0.0",
     .cost = "O(N), N = users",
     .about = "Writes the users into the ACL file."},
    {.name = "SETUSER",
     .run = acl_setuser,
     .arity = -3,
     RP_ACL_ADMIN_ROW,
     .syntax = "username:string [rule:string...]",
     .reply = Shape::ok,
     .since = "6.0.0",
     .cost = "O(N), N = rules given",
     .about = "Makes a user, or changes what one may do.",
     .history = {{"6.2.0", "Takes patterns of channels."},
                 {"7.0.0", "Takes selectors and permissions to only read or write keys."}}},
    {.name = "USERS",
     .run = acl_users,
     .arity = 2,
     RP_ACL_ADMIN_ROW,
     .reply = Shape::array,
     .since = "6.0.0",
     .cost = "O(N), N = users",
     .about = "Lists the names of all users."},
    {.name = "WHOAMI",
     .run = acl_whoami,
     .arity = 2,
     RP_ACL_ROW,
     .reply = Shape::bulk,
     .since = "6.0.0",
     .cost = "O(1)",
     .about = "Returns the user that this connection is logged in as."},
    {},
};

const Cmd kAclCmds[] = {
    {.name = "ACL",
     .arity = -2,
     .group = "server",
     .reply = Shape::any,
     .since = "6.0.0",
     .cost = "Depends on the subcommand",
     .about = "Users and what they may do.",
     .subcommands = kAclSubcommands},
    {},
};

}  // namespace rp
