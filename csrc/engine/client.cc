// CLIENT and its subcommands. What concerns other sessions goes through engine/clients.h.
//
// In-process callers are listed, but CLIENT KILL does not see them: they have no connection that
// could be closed and opened again.
#include "base/clock.h"
#include "base/numbers.h"
#include "engine/acl.h"
#include "engine/clients.h"
#include "engine/families.h"
#include "engine/tracking.h"
#include "engine/wait.h"
#include "mem/mem.h"

namespace rp {

// ---- helpers ----------------------------------------------------------------------------------

static int shown(Bytes b) { return static_cast<int>(b.len < 128 ? b.len : 128); }

// Its loop will close it soon; whoever killed it need not see it any more, as in Redis.
static bool is_killed(const Session* s) { return s->kill.load(std::memory_order_relaxed); }

enum class ClientType : uint8_t { any, normal, pubsub, nobody };  // there are no replicas

static bool parse_type(CmdCtx* c, Bytes type, ClientType* out) {
    *out = ClientType::nobody;
    if (arg_is(type, "normal")) *out = ClientType::normal;
    if (arg_is(type, "pubsub")) *out = ClientType::pubsub;
    if (*out != ClientType::nobody) return true;
    for (Bytes other : {Bytes("slave"), Bytes("replica"), Bytes("master")}) {
        if (arg_is(type, other)) return true;
    }
    reply_errorf(c->out, "ERR Unknown client type '%.*s'", shown(type), type.ptr);
    return false;
}

static bool has_type(const Session* s, ClientType type) {
    if (type == ClientType::any) return true;
    return type == (client_subscribed(s) ? ClientType::pubsub : ClientType::normal);
}

static bool parse_on_off(CmdCtx* c, Bytes arg, bool* on) {
    *on = arg_is(arg, "on");
    if (*on || arg_is(arg, "off")) return true;
    reply_err(c->out, Err::syntax);
    return false;
}

// ---- ID, names --------------------------------------------------------------------------------

static void cmd_id(CmdCtx* c, Args, Reply* out) {
    reply_int(out, static_cast<int64_t>(c->session->id));
}

static void cmd_getname(CmdCtx* c, Args, Reply* out) {
    const char* name = c->session->name;  // only this thread changes it
    if (name == nullptr) return reply_null(out);
    reply_bulk(out, bytes_of(name));
}

static void cmd_setname(CmdCtx* c, Args argv, Reply* out) {
    if (!session_text_valid(argv[2])) return reply_error(out, kBadName);
    if (!session_set_text(c->engine, &c->session->name, argv[2])) {
        return reply_err(out, Err::no_memory);
    }
    reply_ok(out);
}

static void cmd_setinfo(CmdCtx* c, Args argv, Reply* out) {
    char** field = nullptr;
    if (arg_is(argv[2], "lib-name")) field = &c->session->lib_name;
    if (arg_is(argv[2], "lib-ver")) field = &c->session->lib_ver;
    if (field == nullptr) {
        return reply_errorf(out, "ERR Unrecognized option '%.*s'", shown(argv[2]), argv[2].ptr);
    }
    if (!session_text_valid(argv[3])) {
        return reply_errorf(out, "ERR %.*s cannot contain spaces, newlines or special characters.",
                            shown(argv[2]), argv[2].ptr);
    }
    if (!session_set_text(c->engine, field, argv[3])) return reply_err(out, Err::no_memory);
    reply_ok(out);
}

// ---- LIST, INFO -------------------------------------------------------------------------------

static void reply_text(Reply* out, Text* t) {
    reply_verbatim(out, t->bytes(), "txt");
    text_free(t);
}

static void cmd_info(CmdCtx* c, Args, Reply* out) {
    Text t;
    mutex_lock(&c->engine->clients.lock);
    client_describe(&t, c->session, c);
    mutex_unlock(&c->engine->clients.lock);
    reply_text(out, &t);
}

// The list is ordered by id, so that many ids cost one walk and a search each.
static void describe_ids(CmdCtx* c, Text* t, const int64_t* ids, size_t count) {
    Clients* list = &c->engine->clients;
    MutexGuard guard(&list->lock);
    size_t all = 0;
    auto** by_id = static_cast<const Session**>(mem_alloc(list->count * sizeof(Session*)));
    for (const Session* s = list->head; s != nullptr; s = s->next) {
        if (!is_killed(s)) by_id[all++] = s;
    }
    for (size_t i = 0; i < count; i++) {
        size_t low = 0, high = all;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (static_cast<int64_t>(by_id[mid]->id) < ids[i]) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        if (low < all && static_cast<int64_t>(by_id[low]->id) == ids[i]) {
            client_describe(t, by_id[low], c);
        }
    }
    mem_free(by_id, list->count * sizeof(Session*));
}

static bool list_ids(CmdCtx* c, Args argv, Text* t) {
    size_t count = argv.len - 3;
    auto* ids = static_cast<int64_t*>(mem_try_alloc(count * sizeof(int64_t)));
    if (ids == nullptr) {
        reply_err(c->out, Err::no_memory);
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++) {
        fine = arg_i64_range(c, argv[3 + i], INT64_MIN, INT64_MAX, &ids[i], "Invalid client ID");
    }
    if (fine) describe_ids(c, t, ids, count);
    mem_free(ids, count * sizeof(int64_t));
    return fine;
}

static void list_all(CmdCtx* c, Text* t, ClientType type) {
    MutexGuard guard(&c->engine->clients.lock);
    for (const Session* s = c->engine->clients.head; s != nullptr; s = s->next) {
        if (!is_killed(s) && has_type(s, type)) client_describe(t, s, c);
    }
}

static void cmd_list(CmdCtx* c, Args argv, Reply* out) {
    Text t;
    if (argv.len == 4 && arg_is(argv[2], "type")) {
        ClientType type;
        if (!parse_type(c, argv[3], &type)) return;
        list_all(c, &t, type);
    } else if (argv.len > 3 && arg_is(argv[2], "id")) {
        if (!list_ids(c, argv, &t)) return;
    } else if (argv.len != 2) {
        return reply_err(out, Err::syntax);
    } else {
        list_all(c, &t, ClientType::any);
    }
    reply_text(out, &t);
}

// ---- KILL -------------------------------------------------------------------------------------

struct KillFilter {
    int64_t id = 0;           // 0: any
    Bytes addr, laddr, user;  // ptr null: any
    ClientType type = ClientType::any;
    bool skip_me = true;
};

static bool kill_option(CmdCtx* c, Bytes name, Bytes value, KillFilter* f) {
    if (arg_is(name, "id")) {
        return arg_i64_range(c, value, 1, INT64_MAX, &f->id, "client-id should be greater than 0");
    }
    if (arg_is(name, "type")) {
        if (!parse_type(c, value, &f->type)) return false;
    } else if (arg_is(name, "addr")) {
        f->addr = value;
    } else if (arg_is(name, "laddr")) {
        f->laddr = value;
    } else if (arg_is(name, "user")) {
        AclRules ignored;
        if (!acl_user_rules(c->engine->acl, value, &ignored)) {
            reply_errorf(c->out, "ERR No such user '%.*s'", shown(value), value.ptr);
            return false;
        }
        f->user = value;
    } else if (arg_is(name, "skipme") && (arg_is(value, "yes") || arg_is(value, "no"))) {
        f->skip_me = arg_is(value, "yes");
    } else {
        reply_err(c->out, Err::syntax);
        return false;
    }
    return true;
}

static bool kill_matches(const KillFilter* f, const Session* s, const Session* me) {
    if (!has_type(s, f->type) || s->embedded || is_killed(s)) return false;
    if (s == me && f->skip_me) return false;
    if (f->id != 0 && static_cast<int64_t>(s->id) != f->id) return false;
    if (f->user.ptr != nullptr && !bytes_equal(f->user, acl_session_user(s))) return false;
    if (f->addr.ptr != nullptr && !bytes_equal(f->addr, bytes_of(s->addr))) return false;
    return f->laddr.ptr == nullptr || bytes_equal(f->laddr, bytes_of(s->laddr));
}

// Others are marked and their loops woken; this session is closed after its reply.
static int64_t kill_all(CmdCtx* c, const KillFilter* f) {
    Engine* e = c->engine;
    int64_t others = 0, self = 0;
    mutex_lock(&e->clients.lock);
    for (Session* s = e->clients.head; s != nullptr; s = s->next) {
        if (!kill_matches(f, s, c->session)) continue;
        if (s == c->session) {
            self = 1;
        } else {
            s->kill.store(true, std::memory_order_relaxed);
            others++;
        }
    }
    mutex_unlock(&e->clients.lock);
    if (self != 0) c->request_close = true;
    if (others != 0) engine_wake_loops(e);
    return others + self;
}

static void cmd_kill(CmdCtx* c, Args argv, Reply* out) {
    KillFilter f;
    if (argv.len == 3) {  // the old form: an address, oneself included
        f.addr = argv[2];
        f.skip_me = false;
        if (kill_all(c, &f) == 0) return reply_error(out, "ERR No such client");
        return reply_ok(out);
    }
    for (size_t i = 2; i < argv.len; i += 2) {
        if (i + 1 == argv.len) return reply_err(out, Err::syntax);
        if (!kill_option(c, argv[i], argv[i + 1], &f)) return;
    }
    reply_int(out, kill_all(c, &f));
}

// ---- PAUSE, UNPAUSE, UNBLOCK ------------------------------------------------------------------

static void cmd_pause(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len > 4) return reply_err_subcommand(c, argv);
    bool all = argv.len == 3 || arg_is(argv[3], "all");
    if (!all && !arg_is(argv[3], "write")) {
        return reply_error(out, "ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
    int64_t ms, until;
    if (!arg_i64_range(c, argv[2], INT64_MIN, INT64_MAX, &ms,
                       "timeout is not an integer or out of range")) {
        return;
    }
    if (ms < 0) return reply_error(out, "ERR timeout is negative");
    // Redis lets the sum wrap around and pauses nobody.
    if (__builtin_add_overflow(ms, clock_mono_ms(), &until)) {
        return reply_error(out, "ERR timeout is out of range");
    }
    pause_start(c->engine, until, all);
    reply_ok(out);
}

static void cmd_unpause(CmdCtx* c, Args, Reply* out) {
    pause_end(c->engine);
    reply_ok(out);
}

static void cmd_unblock(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len > 4) return reply_err_subcommand(c, argv);
    if (argv.len == 4 && !arg_is(argv[3], "timeout") && !arg_is(argv[3], "error")) {
        return reply_error(out, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
    int64_t id;
    if (!arg_i64(c, argv[2], &id)) return;
    Engine* e = c->engine;
    bool found = false;
    mutex_lock(&e->clients.lock);
    for (Session* s = e->clients.head; s != nullptr && !found; s = s->next) {
        found = static_cast<int64_t>(s->id) == id &&
                wait_unblock(s, argv.len == 4 && arg_is(argv[3], "error"));
    }
    mutex_unlock(&e->clients.lock);
    if (found) engine_wake_loops(e);
    reply_int(out, found);
}

// ---- modes of this session --------------------------------------------------------------------

// The dispatcher takes replies back by s->reply_mode after each command, this one included.
static void cmd_reply(CmdCtx* c, Args argv, Reply* out) {
    Session* s = c->session;
    if (arg_is(argv[2], "on")) {
        s->reply_mode = ReplyMode::on;
        reply_ok(out);
    } else if (arg_is(argv[2], "off")) {
        s->reply_mode = ReplyMode::off;
    } else if (arg_is(argv[2], "skip")) {
        if (s->reply_mode != ReplyMode::off) s->reply_mode = ReplyMode::skip_next;
    } else {
        reply_err(out, Err::syntax);
    }
}

static void cmd_no_evict(CmdCtx* c, Args argv, Reply* out) {
    bool on;
    if (!parse_on_off(c, argv[2], &on)) return;
    c->session->no_evict.store(on, std::memory_order_relaxed);
    reply_ok(out);
}

static void cmd_no_touch(CmdCtx* c, Args argv, Reply* out) {
    bool on;
    if (!parse_on_off(c, argv[2], &on)) return;
    c->session->no_touch.store(on, std::memory_order_relaxed);
    c->a.no_touch = on;
    reply_ok(out);
}

static void cmd_help(CmdCtx* c, Args, Reply*) {
    static const char* const kLines[] = {
        "CACHING (YES|NO)",
        "    Track the keys of the next command (OPTIN), or do not (OPTOUT).",
        "GETNAME",
        "    Tell the name of this connection.",
        "GETREDIR",
        "    Tell which client gets the invalidations: 0 = this one, -1 = tracking is off.",
        "ID",
        "    Tell the id of this connection.",
        "INFO",
        "    Describe this connection in one line.",
        "KILL <ip:port>",
        "    Close the connection with this address.",
        "KILL <option> <value> [<option> <value> ...]",
        "    Close all connections that fit every option:",
        "    * ID <client-id>",
        "    * ADDR <ip:port>, LADDR <ip:port>: the client's address, the server's",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "    * USER <name>",
        "    * SKIPME (YES|NO): spare this connection (default: yes)",
        "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB) | ID <client-id> ...]",
        "    Describe connections, a line each.",
        "NO-EVICT (ON|OFF)",
        "    Protect this connection when memory of clients is short.",
        "NO-TOUCH (ON|OFF)",
        "    Read keys without making them look recently used.",
        "PAUSE <milliseconds> [WRITE|ALL]",
        "    Hold back all commands, or those that write.",
        "REPLY (ON|OFF|SKIP)",
        "    Answer all commands, none, or all but the next.",
        "SETINFO (LIB-NAME|LIB-VER) <text>",
        "    Tell the server which client library this is.",
        "SETNAME <name>",
        "    Name this connection.",
        "TRACKING (ON|OFF) [REDIRECT <client-id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Tell this connection, or another one, when keys change that it has read.",
        "TRACKINGINFO",
        "    Describe the tracking of this connection.",
        "UNBLOCK <client-id> [TIMEOUT|ERROR]",
        "    End the wait of a blocked client.",
        "UNPAUSE",
        "    End a pause at once.",
    };
    reply_help(c, kLines, sizeof kLines / sizeof kLines[0]);
}

// ---- rows -------------------------------------------------------------------------------------

static constexpr uint32_t kPlain = kCmdNoScript | kCmdLoading | kCmdStale;
static constexpr uint32_t kOperator = kPlain | kCmdAdmin;

static const Cmd kClientSubcommands[] = {
    {.name = "CACHING",
     .run = cmd_client_caching,
     .arity = 3,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "mode=(YES|NO)",
     .reply = Shape::ok,
     .since = "6.0.0",
     .cost = "O(1)",
     .about = "Says whether the keys of the next command are tracked."},
    {.name = "GETNAME",
     .run = cmd_getname,
     .arity = 2,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::bulk_or_null,
     .since = "2.6.9",
     .cost = "O(1)",
     .about = "Returns the name of this connection."},
    {.name = "GETREDIR",
     .run = cmd_client_getredir,
     .arity = 2,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::integer,
     .since = "6.0.0",
     .cost = "O(1)",
     .about =
         "Returns the client that gets the invalidations; 0 = this one, -1 = tracking is off."},
    {.name = "HELP",
     .run = cmd_help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::array,
     .since = "5.0.0",
     .cost = "O(1)",
     .about = "Lists the subcommands."},
    {.name = "ID",
     .run = cmd_id,
     .arity = 2,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::integer,
     .since = "5.0.0",
     .cost = "O(1)",
     .about = "Returns the id of this connection."},
    {.name = "INFO",
     .run = cmd_info,
     .arity = 2,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::bulk,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Describes this connection in one line.",
     .tips = {"nondeterministic_output"}},
    {.name = "KILL",
     .run = cmd_kill,
     .arity = -3,
     .flags = kOperator,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "filter=(ip:port:string^2.8.12|new-format=([ID client-id:integer@2.8.12]|"
               "[TYPE normal_master_slave_pubsub=(NORMAL|MASTER@3.2.0|SLAVE|REPLICA@5.0.0|PUBSUB)"
               "@2.8.12]|[USER username:string]|[ADDR ip:port:string]|"
               "[LADDR ip:port:string@6.2.0]|[SKIPME yes/no:string])...)",
     .reply = Shape::any,
     .since = "2.4.0",
     .cost = "O(N), N = connections",
     .about = "Closes connections by address, id, type or user.",
     .history = {{"2.8.12", "Added the form with options."},
                 {"2.8.12", "Added `ID`."},
                 {"3.2.0", "`TYPE` takes `master`."},
                 {"5.0.0", "`TYPE` takes `replica`; `slave` still works."},
                 {"6.2.0", "Added `LADDR`."}}},
    {.name = "LIST",
     .run = cmd_list,
     .arity = -2,
     .flags = kOperator,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "[TYPE normal_master_replica_pubsub=(NORMAL|MASTER|REPLICA|PUBSUB)@5.0.0] "
               "[ID id={client-id:integer...}@6.2.0]",
     .reply = Shape::bulk,
     .since = "2.4.0",
     .cost = "O(N), N = connections",
     .about = "Describes connections, a line each.",
     .tips = {"nondeterministic_output"},
     .history = {{"2.8.12", "Added the field `id`."},
                 {"5.0.0", "Added `TYPE`."},
                 {"6.0.0", "Added the field `user`."},
                 {"6.2.0", "Added the fields `argv-mem`, `tot-mem`, `laddr`, `redir`, and `ID`."},
                 {"7.0.0", "Added the fields `resp`, `multi-mem`, `rbs` and `rbp`."},
                 {"7.0.3", "Added the field `ssub`."}}},
    {.name = "NO-EVICT",
     .run = cmd_no_evict,
     .arity = 3,
     .flags = kOperator,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "enabled=(ON|OFF)",
     .reply = Shape::ok,
     .since = "7.0.0",
     .cost = "O(1)",
     .about = "Protects this connection when memory of clients is short."},
    {.name = "NO-TOUCH",
     .run = cmd_no_touch,
     .arity = 3,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "enabled=(ON|OFF)",
     .reply = Shape::ok,
     .since = "7.2.0",
     .cost = "O(1)",
     .about = "Keys read by this connection do not look recently used."},
    {.name = "PAUSE",
     .run = cmd_pause,
     .arity = -3,
     .flags = kOperator,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "timeout:integer [mode=(WRITE|ALL)@6.2.0]",
     .reply = Shape::ok,
     .since = "2.9.50",
     .cost = "O(1)",
     .about = "Holds back all commands, or those that write, for some milliseconds.",
     .history = {{"6.2.0", "Added `WRITE` and the option `mode`."}}},
    {.name = "REPLY",
     .run = cmd_reply,
     .arity = 3,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "on_off_skip=(ON|OFF|SKIP)",
     .reply = Shape::ok,
     .since = "3.2.0",
     .cost = "O(1)",
     .about = "Turns the replies to this connection on or off, or skips the next one."},
    {.name = "SETINFO",
     .run = cmd_setinfo,
     .arity = 4,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "attr=(LIB-NAME libname:string|LIB-VER libver:string)",
     .reply = Shape::ok,
     .since = "7.2.0",
     .cost = "O(1)",
     .about = "Notes name or version of the client library, for CLIENT LIST.",
     .tips = {"request_policy:all_nodes", "response_policy:all_succeeded"}},
    {.name = "SETNAME",
     .run = cmd_setname,
     .arity = 3,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "connection-name:string",
     .reply = Shape::ok,
     .since = "2.6.9",
     .cost = "O(1)",
     .about = "Names this connection."},
    {.name = "TRACKING",
     .run = cmd_client_tracking,
     .arity = -3,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "status=(ON|OFF) [REDIRECT client-id:integer] [PREFIX prefix:string+...] [BCAST] "
               "[OPTIN] [OPTOUT] [NOLOOP]",
     .reply = Shape::ok,
     .since = "6.0.0",
     .cost = "O(1); BCAST: O(N), N = prefixes",
     .about = "Tells this connection when keys change that it has read, so that it may keep them."},
    {.name = "TRACKINGINFO",
     .run = cmd_client_trackinginfo,
     .arity = 2,
     .flags = kPlain,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::map,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Describes the tracking of this connection."},
    {.name = "UNBLOCK",
     .run = cmd_unblock,
     .arity = -3,
     .flags = kOperator,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "client-id:integer [timeout_error=(TIMEOUT|ERROR)]",
     .reply = Shape::integer,
     .since = "5.0.0",
     .cost = "O(1)",
     .about = "Ends the wait of a blocked client."},
    {.name = "UNPAUSE",
     .run = cmd_unpause,
     .arity = 2,
     .flags = kOperator,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::ok,
     .since = "6.2.0",
     .cost = "O(N), N = connections held back",
     .about = "Ends CLIENT PAUSE at once."},
    {},
};

const Cmd kClientCmds[] = {
    {.name = "CLIENT",
     .arity = -2,
     .group = "connection",
     .reply = Shape::any,
     .since = "2.4.0",
     .cost = "Depends on the subcommand",
     .about = "Commands about connections.",
     .subcommands = kClientSubcommands},
    {},
};

}  // namespace rp
