// The dispatcher's question about a guarded session, and the log of those who were refused.
#include "base/clock.h"
#include "engine/acl.h"
#include "engine/clients.h"

namespace rp {

void acl_note(const CmdCtx* c, AclDenied reason, Bytes object, Bytes user) {
    Text client;
    mutex_lock(&c->engine->clients.lock);
    client_describe(&client, c->session, c);
    mutex_unlock(&c->engine->clients.lock);
    AclLogEntry e;
    e.reason = reason;
    e.in_multi = c->in_exec || c->session->multi.active;
    size_t shown = object.len < kAclLogObjectMax ? object.len : kAclLogObjectMax;
    e.object.assign(object.ptr, shown);
    e.user.assign(user.ptr, user.len < kAclLogObjectMax ? user.len : kAclLogObjectMax);
    e.client.assign(client.ptr, client.len - 1);  // without its newline
    e.at_ms = clock_wall_ms();
    text_free(&client);
    acl_log_add(&c->engine->acl->log, std::move(e),
                static_cast<size_t>(config_num(c->config->acllog_max_len)));
}

static const char* exec_reason(AclDenied denied) {
    switch (denied) {
        case AclDenied::command: return "no permission to execute the command or subcommand";
        case AclDenied::key: return "no permission to touch the specified keys";
        case AclDenied::channel:
            return "no permission to access one of the channels used as arguments to the command";
        case AclDenied::none:
        case AclDenied::auth: break;
    }
    return "no permission";
}

static bool refuse(const CmdCtx* c, AclDenied denied, const char* name, Rejection* why) {
    if (c->in_exec) {
        return reject(why,
                      "NOPERM ACLs rules changed between the moment the transaction was "
                      "accumulated and the EXEC call. This command is no longer allowed for the "
                      "following reason: %s",
                      exec_reason(denied));
    }
    switch (denied) {
        case AclDenied::key:
            return reject(why,
                          "NOPERM this user has no permissions to access one of the keys used as "
                          "arguments");
        case AclDenied::channel:
            return reject(why,
                          "NOPERM this user has no permissions to access one of the channels used "
                          "as arguments");
        case AclDenied::none:
        case AclDenied::auth:
        case AclDenied::command: break;
    }
    return reject(why, "NOPERM this user has no permissions to run the '%s' command", name);
}

// Of a user that was deleted nothing is believed, until the client logs in anew.
static bool must_log_in(const CmdCtx* c) {
    const Session* s = c->session;
    return !acl_trusted(c->engine->acl, s) || s->user->deleted.load(std::memory_order_relaxed);
}

bool acl_admit(CmdCtx* c, const CmdRef* ref, Args argv, Rejection* why) {
    const Session* s = c->session;
    if ((ref->row->flags & kCmdNoAuth) || s->user == nullptr) return true;
    if (!s->inside && must_log_in(c)) return reject_with(why, Err::no_auth);
    if (s->inside || !s->user->restricted.load(std::memory_order_relaxed)) {
        acl_lower_guard(c->engine, c->session);
        return true;
    }
    const AclRules* rules = s->user->rules.load(std::memory_order_acquire);
    size_t at;
    AclDenied denied = acl_check(rules, ref, argv, &at);
    if (denied == AclDenied::none) return true;
    char name[64];
    size_t len = cmd_full_name(ref->parent, ref->row, name);
    Bytes object = denied == AclDenied::command ? Bytes{name, len} : argv[at];
    acl_note(c, denied, object, acl_session_user(s));
    return refuse(c, denied, name, why);
}

}  // namespace rp
