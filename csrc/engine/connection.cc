// PING ECHO HELLO AUTH QUIT RESET SELECT.
#include "engine/acl.h"
#include "engine/clients.h"
#include "engine/families.h"
#include "engine/pubsub.h"
#include "engine/tracking.h"

namespace rp {

static constexpr Bytes kWrongPass = "WRONGPASS invalid username-password pair or user is disabled.";
static constexpr Bytes kHelloNoAuth =
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH "
    "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time";

// ---- AUTH -------------------------------------------------------------------------------------

static bool log_in(CmdCtx* c, Bytes command, Bytes user, Bytes password) {
    if (acl_log_in(c, user, password)) return true;
    acl_note(c, AclDenied::auth, command, user);
    reply_error(c->out, kWrongPass);
    return false;
}

static void cmd_auth(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len > 3) return reply_err(out, Err::syntax);
    if (argv.len == 2 && c->engine->acl->standard_nopass.load(std::memory_order_relaxed)) {
        return reply_error(out,
                           "ERR AUTH <password> called without any password configured for "
                           "the default user. Are you sure your configuration is correct?");
    }
    Bytes user = argv.len == 3 ? argv[1] : Bytes("default");
    if (log_in(c, argv[0], user, argv[argv.len - 1])) reply_ok(out);
}

// ---- HELLO ------------------------------------------------------------------------------------

static void reply_text_pair(Reply* out, Bytes name, Bytes value) {
    reply_bulk(out, name);
    reply_bulk(out, value);
}

static void reply_hello(CmdCtx* c, Reply* out) {
    reply_map(out, 7);
    reply_text_pair(out, "server", "redis");
    reply_text_pair(out, "version", bytes_of(kServerVersion));
    reply_bulk(out, "proto");
    reply_int(out, c->session->resp);
    reply_bulk(out, "id");
    reply_int(out, static_cast<int64_t>(c->session->id));
    reply_text_pair(out, "mode", "standalone");
    reply_text_pair(out, "role", "master");
    reply_bulk(out, "modules");
    reply_array(out, 0);
}

static void choose_protocol(CmdCtx* c, uint8_t version) {
    c->session->resp = version;
    c->session->shared_resp.store(version, std::memory_order_relaxed);
    c->out->resp = version;
}

static bool set_name(CmdCtx* c, Bytes name) {
    if (!session_text_valid(name)) {
        reply_error(c->out, kBadName);
        return false;
    }
    if (session_set_text(c->engine, &c->session->name, name)) return true;
    reply_err(c->out, Err::no_memory);
    return false;
}

// Options take effect one by one, so that what stands before an error stays, as in Redis.
static bool hello_options(CmdCtx* c, Args argv) {
    for (size_t i = 2; i < argv.len; i++) {
        size_t more = argv.len - 1 - i;
        if (arg_is(argv[i], "AUTH") && more >= 2) {
            if (!log_in(c, argv[0], argv[i + 1], argv[i + 2])) return false;
            i += 2;
        } else if (arg_is(argv[i], "SETNAME") && more >= 1) {
            if (!set_name(c, argv[++i])) return false;
        } else {
            size_t shown = argv[i].len < 128 ? argv[i].len : 128;
            reply_errorf(c->out, "ERR Syntax error in HELLO option '%.*s'", static_cast<int>(shown),
                         argv[i].ptr);
            return false;
        }
    }
    return true;
}

static void cmd_hello(CmdCtx* c, Args argv, Reply* out) {
    int64_t version = 0;
    if (argv.len >= 2) {
        if (!arg_i64_range(c, argv[1], INT64_MIN, INT64_MAX, &version,
                           "Protocol version is not an integer or out of range")) {
            return;
        }
        if (version < 2 || version > 3) {
            return reply_error(out, "NOPROTO unsupported protocol version");
        }
    }
    if (!hello_options(c, argv)) return;
    if (!acl_trusted(c->engine->acl, c->session)) return reply_error(out, kHelloNoAuth);
    if (version != 0) choose_protocol(c, static_cast<uint8_t>(version));
    reply_hello(c, out);
}

// ---- the others -------------------------------------------------------------------------------

static void cmd_ping(CmdCtx* c, Args argv, Reply* out) {
    if (argv.len > 2) return reply_err_arity(out, "ping");
    if (RP_UNLIKELY(c->session->subscribed != 0 && c->session->resp == 2)) {
        // Among messages it looks like one.
        reply_array(out, 2);
        reply_bulk(out, "pong");
        return reply_bulk(out, argv.len == 2 ? argv[1] : Bytes());
    }
    if (argv.len == 1) return reply_simple(out, "PONG");
    Blob* big = arg_blob(c, 1);
    if (big != nullptr) return reply_bulk_blob(out, big, 0, argv[1].len);
    reply_bulk(out, argv[1]);
}

static void cmd_echo(CmdCtx* c, Args argv, Reply* out) {
    Blob* big = arg_blob(c, 1);
    if (big != nullptr) return reply_bulk_blob(out, big, 0, argv[1].len);
    reply_bulk(out, argv[1]);
}

static void cmd_quit(CmdCtx* c, Args, Reply* out) {
    reply_ok(out);
    c->request_close = true;
}

// Everything that makes a session differ from a new one, but for what Redis 7.0 keeps: NO-EVICT and
// the library's name. A reply skipped by CLIENT REPLY SKIP stays skipped.
static void cmd_reset(CmdCtx* c, Args, Reply* out) {
    Session* s = c->session;
    session_leave_multi(c->engine, s);
    pubsub_forget(c->engine, s);
    tracking_stop(c->engine->tracking, s);
    s->db.store(0, std::memory_order_relaxed);
    acl_session_reset(c);
    s->no_touch.store(false, std::memory_order_relaxed);
    c->a.no_touch = false;
    session_set_text(c->engine, &s->name, {});
    if (s->reply_mode != ReplyMode::skip_this) s->reply_mode = ReplyMode::on;
    choose_protocol(c, 2);
    reply_simple(out, "RESET");
}

static void cmd_select(CmdCtx* c, Args argv, Reply* out) {
    int64_t db;
    if (!arg_i64(c, argv[1], &db)) return;
    if (db < INT32_MIN || db > INT32_MAX) {
        return reply_error(out,
                           "ERR value is out of range, value must between -2147483648 and "
                           "2147483647");
    }
    if (db < 0 || db >= c->store->db_count) return reply_err(out, Err::db_out_of_range);
    c->session->db.store(static_cast<uint32_t>(db), std::memory_order_relaxed);
    reply_ok(out);
}

// ---- rows -------------------------------------------------------------------------------------

static constexpr uint32_t kEntrance =
    kCmdNoScript | kCmdLoading | kCmdStale | kCmdFast | kCmdNoAuth | kCmdAllowBusy;

const Cmd kConnectionCmds[] = {
    {.name = "PING",
     .run = cmd_ping,
     .arity = -1,
     .flags = kCmdFast | kCmdSubscriber,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "[message:string]",
     .reply = Shape::any,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Answers PONG, or the message.",
     .tips = {"request_policy:all_shards", "response_policy:all_succeeded"}},
    {.name = "ECHO",
     .run = cmd_echo,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale | kCmdFast,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "message:string",
     .reply = Shape::bulk,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Answers the message."},
    {.name = "HELLO",
     .run = cmd_hello,
     .arity = -1,
     .flags = kEntrance,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "[arguments={protover:integer [AUTH username_password={username:string "
               "password:string}] [SETNAME clientname:string]}]",
     .reply = Shape::map,
     .since = "6.0.0",
     .cost = "O(1)",
     .about = "Chooses the protocol version, may log in and name the connection, and tells about "
              "the server.",
     .history = {{"6.2.0", "The version may be left out: then nothing changes."}}},
    {.name = "AUTH",
     .run = cmd_auth,
     .arity = -2,
     .flags = kEntrance,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "[username:string@6.0.0] password:string",
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(N), N = length of the password",
     .about = "Logs in as a user, or with one argument as the default one.",
     .history = {{"6.0.0", "A user may be named."}}},
    {.name = "QUIT",
     .run = cmd_quit,
     .arity = -1,
     .flags = kEntrance | kCmdImmediate | kCmdSubscriber,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Closes the connection after all replies are sent."},
    {.name = "RESET",
     .run = cmd_reset,
     .arity = 1,
     .flags = kEntrance | kCmdImmediate | kCmdSubscriber,
     .acl = kAclConnection,
     .group = "connection",
     .reply = Shape::simple,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Makes the connection like a new one: no transaction, no watches, "
              "database 0, no name, RESP2, not logged in."},
    {.name = "SELECT",
     .run = cmd_select,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale | kCmdFast,
     .acl = kAclConnection,
     .group = "connection",
     .syntax = "index:integer",
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Chooses the database of this connection."},
    {},
};

}  // namespace rp
