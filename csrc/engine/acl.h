// engine/acl.h: who may do what: the users of an engine, who is logged in as whom, what was
// refused.
//
//   AclUser   one name. Sessions hold references; it lives until the last of them lets go.
//      `-- rules   immutable AclRules, replaced as a whole, freed after a grace period
//
// A caller in this process is shown as the default user, but no rules hold for it until it logs in
// as somebody: it shares the memory anyway, and a default user that is closed to the network must
// not lock the program (its metrics, its shutdown) out of its own store.
//
// A session whose user is unrestricted costs its commands one look at Session.guarded. It is set
// while somebody has to look closer: the client has not logged in, the user is restricted or gone.
//
// Invariants  A1 guarded is false only if the session is `inside`, or logged in and its user was
// unrestricted
//                and not deleted when Clients.lock was last held for either.
//             A2 Acl.users holds one reference to each user in it; "default" always is.
//             A3 rules are followed only while pinned, or under Acl.lock.
// Lock order  Acl.lock, then Clients.lock; AclLog has a leaf lock of its own.
// Threads     any; a session's own part by its thread.
#pragma once
#include <map>

#include "cmd/admit.h"
#include "engine/acl_log.h"
#include "engine/acl_rules.h"
#include "engine/pubsub.h"

namespace rp {

struct AclUser {
    std::atomic<const AclRules*> rules{nullptr};  // owned
    std::atomic<uint32_t> refs{1};
    std::atomic<bool> restricted{false};  // of `rules`
    std::atomic<bool> deleted{false};
    std::string name;  // constant
};

struct Acl {
    Mutex lock;
    std::map<std::string, AclUser*> users;  // under lock; by bytes, as ACL LIST shows them
    AclUser* standard = nullptr;            // "default"; constant
    // Of the default user: must clients log in? Has it no password (protected mode)?
    std::atomic<bool> login_needed{false};
    std::atomic<bool> standard_nopass{true};
    AclLog log;
};

Acl* acl_new();
void acl_free(Acl* take);

// ---- users ------------------------------------------------------------------------------------
// All of these publish at once: the next command of every client is judged by the new rules.
// ACL SETUSER that takes a channel away closes the connections of the user that listen to something
// its new rules do not allow; it looks at the names of all their subscriptions then.

// Copies the rules of a user. False: there is none.
bool acl_user_rules(Acl* a, Bytes name, AclRules* out);
// ACL SETUSER: all rules or none. *why: the whole error without '-'.
[[nodiscard]] bool acl_set_user(Engine* e, Bytes name, const Bytes* rules, size_t count,
                                std::string* why, CmdCtx* c = nullptr);
// ACL DELUSER of one user but the default one; its connections are closed. False: there is none.
bool acl_delete_user(CmdCtx* c, Bytes name);
// All users at once (ACL LOAD). Who is not logged in as the default user is disconnected; who is
// goes on listening to whatever it listens to, as in Redis.
// `c` null: at start, when there are no clients.
void acl_replace_users(Engine* e, CmdCtx* c, const std::map<std::string, AclRules>& users);
// The setting requirepass has changed: it is the default user's only password, or it has none.
void acl_apply_requirepass(Engine* e);
// "user name rules", a line each without an end, in order.
std::vector<std::string> acl_user_lines(Acl* a);
std::vector<std::string> acl_user_names(Acl* a);
bool acl_open_channels(const Engine* e);  // acl-pubsub-default allchannels

// ---- files (acl_file.cc) ----------------------------------------------------------------------
// The users of redis.conf or of the aclfile. *why: one line that says where and what. REQUIRES: no
// session is registered.
[[nodiscard]] bool acl_load_at_start(Engine* e, std::string* why);
// ACL LOAD, ACL SAVE. *why as above, in Redis' wording.
[[nodiscard]] bool acl_load_file(Engine* e, CmdCtx* c, std::string* why);
[[nodiscard]] bool acl_save_file(Engine* e, std::string* why);
// An aclfile's text -> users; errors of all lines are collected. `path` is for the messages.
constexpr size_t kAclFileMax = size_t{16} << 20;
[[nodiscard]] bool acl_parse_file(Bytes text, const std::string& path, bool open_channels,
                                  std::map<std::string, AclRules>* users, std::string* why);
// "": none is set.
std::string acl_file_path(const Engine* e);

// ---- sessions ---------------------------------------------------------------------------------
// Becomes the default user, logged in if that needs no password; in-process it is `inside`.
// REQUIRES: Clients.lock.
void acl_session_start(Acl* a, Session* s);
// REQUIRES: Clients.lock. What it returns is given to acl_user_unref when that is released.
[[nodiscard]] AclUser* acl_session_end(Session* s);
void acl_user_unref(AclUser* take);  // may be null
// RESET: as a new connection.
void acl_session_reset(CmdCtx* c);
// AUTH, HELLO AUTH. On failure nothing changes. REQUIRES: pinned.
[[nodiscard]] bool acl_log_in(CmdCtx* c, Bytes user, Bytes password);
// Finds out whether the session has to be guarded at all. REQUIRES: the session's thread.
void acl_lower_guard(Engine* e, Session* s);
// REQUIRES: the session's thread, or Clients.lock.
Bytes acl_session_user(const Session* s);
// The client has proved who it is, or need not: the small limits of strangers do not hold.
inline bool acl_trusted(const Acl* a, const Session* s) {
    return s->authenticated || !a->login_needed.load(std::memory_order_relaxed);
}

// ---- checks -----------------------------------------------------------------------------------
// DispatchHooks.admit: NOAUTH, NOPERM. REQUIRES: pinned.
bool acl_admit(CmdCtx* c, const CmdRef* ref, Args argv, Rejection* why);
// SUBSCRIBE and its kin, when the session listens already: do the rules still allow it? They may
// have changed since the command was admitted, and who changed them may have come before. REQUIRES:
// pinned.
bool acl_keep_listening(const CmdCtx* c, TopicKind kind, Args names);
// Notes a refusal of this session's command in ACL LOG. `object`: the command, key, channel.
void acl_note(const CmdCtx* c, AclDenied reason, Bytes object, Bytes user);

}  // namespace rp
