// The table of users: who is in it, and how a change reaches the sessions.
#include "engine/acl.h"
#include "engine/clients.h"
#include "mem/mem.h"

namespace rp {

static Bytes view(const std::string& s) { return {s.data(), s.size()}; }
static std::string to_string(Bytes b) { return {b.ptr, b.len}; }

static constexpr const char kStandardName[] = "default";

// ---- one user ---------------------------------------------------------------------------------

static void free_rules(void* rules, size_t) { delete static_cast<AclRules*>(rules); }

void acl_user_unref(AclUser* take) {
    if (take == nullptr || take->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    delete take->rules.load(std::memory_order_relaxed);
    delete take;
}

static AclUser* user_new(const std::string& name, const AclRules& rules) {
    auto* u = new AclUser;
    u->name = name;
    u->rules.store(new AclRules(rules), std::memory_order_relaxed);
    u->restricted.store(!acl_rules_unrestricted(&rules), std::memory_order_relaxed);
    return u;
}

static void note_standard(Acl* a, const AclRules& rules) {
    a->standard_nopass.store(rules.nopass, std::memory_order_relaxed);
    a->login_needed.store(!rules.nopass || !rules.enabled, std::memory_order_relaxed);
}

// Sessions of `u` look closer from here on. What they need not any more they find out themselves.
static void guard_sessions(Engine* e, const AclUser* u) {
    MutexGuard guard(&e->clients.lock);
    for (Session* s = e->clients.head; s != nullptr; s = s->next) {
        if (s->user == u) s->guarded.store(true, std::memory_order_relaxed);
    }
}

// The caller's own connection is closed after its reply; an in-process caller stays. REQUIRES:
// Clients.lock. True: somebody has to be woken.
static bool close_session(Session* s, CmdCtx* c) {
    if (s->embedded) return false;
    if (c != nullptr && s == c->session) {
        c->request_close = true;
        return false;
    }
    s->kill.store(true, std::memory_order_relaxed);
    return true;
}

// The connections of a user that is gone are closed. In-process callers have to log in again.
static void disconnect(Engine* e, AclUser* u, CmdCtx* c) {
    u->deleted.store(true, std::memory_order_relaxed);
    bool others = false;
    mutex_lock(&e->clients.lock);
    for (Session* s = e->clients.head; s != nullptr; s = s->next) {
        if (s->user != u) continue;
        s->guarded.store(true, std::memory_order_relaxed);
        others |= close_session(s, c);
    }
    mutex_unlock(&e->clients.lock);
    if (others) engine_wake_loops(e);
}

// Is there a channel that `before` allowed and `now` may not? Patterns are compared as words: one
// that only implies another does not stand for it.
static bool channels_lost(const AclRules* before, const AclRules* now) {
    for (const AclSelector& s : before->selectors) {
        if (s.all_channels && !acl_allows_channel(now, "*", true)) return true;
        for (const std::string& p : s.channels) {
            if (!acl_allows_channel(now, {p.data(), p.size()}, true)) return true;
        }
    }
    return false;
}

static bool may_listen(const void* rules, TopicKind kind, Bytes name) {
    return acl_allows_channel(static_cast<const AclRules*>(rules), name,
                              kind == TopicKind::pattern);
}

// Who listens to something that its user may not any more is closed. A SUBSCRIBE under way that is
// not seen here sees the new rules (acl_keep_listening). REQUIRES: Acl.lock.
static void close_subscribers(Engine* e, const AclUser* u, CmdCtx* c) {
    const AclRules* now = u->rules.load(std::memory_order_relaxed);
    bool others = false;
    mutex_lock(&e->clients.lock);
    for (Session* s = e->clients.head; s != nullptr; s = s->next) {
        if (s->user != u || !pubsub_listens_beyond(s, may_listen, now)) continue;
        others |= close_session(s, c);
    }
    mutex_unlock(&e->clients.lock);
    if (others) engine_wake_loops(e);
}

// REQUIRES: Acl.lock. `restricted` comes before the sessions, so that one that logs in meanwhile
// sees it (A1).
static void publish(Engine* e, AclUser* u, const AclRules& rules) {
    const AclRules* old = u->rules.exchange(new AclRules(rules), std::memory_order_acq_rel);
    bool restricted = !acl_rules_unrestricted(&rules);
    u->restricted.store(restricted, std::memory_order_relaxed);
    if (u == e->acl->standard) note_standard(e->acl, rules);
    if (restricted) guard_sessions(e, u);
    epoch_retire(epoch_slot(), const_cast<AclRules*>(old), sizeof(AclRules), free_rules);
}

bool acl_keep_listening(const CmdCtx* c, TopicKind kind, Args names) {
    const Session* s = c->session;
    if (!s->guarded.load(std::memory_order_relaxed) || s->inside || s->embedded) return true;
    const AclRules* now = s->user->rules.load(std::memory_order_acquire);
    for (size_t i = 0; i < names.len; i++) {
        if (!may_listen(now, kind, names[i])) return false;
    }
    return true;
}

// ---- the table --------------------------------------------------------------------------------

Acl* acl_new() {
    Acl* a = new Acl;
    a->standard = user_new(kStandardName, acl_rules_open());
    a->users[kStandardName] = a->standard;
    return a;
}

void acl_free(Acl* take) {
    if (take == nullptr) return;
    for (auto& [name, user] : take->users)
        acl_user_unref(user);
    delete take;
}

// REQUIRES: Acl.lock.
static AclUser* find(Acl* a, Bytes name) {
    auto it = a->users.find(to_string(name));
    return it == a->users.end() ? nullptr : it->second;
}

// A reference, or null.
static AclUser* find_ref(Acl* a, Bytes name) {
    MutexGuard guard(&a->lock);
    AclUser* u = find(a, name);
    if (u != nullptr) u->refs.fetch_add(1, std::memory_order_relaxed);
    return u;
}

bool acl_user_rules(Acl* a, Bytes name, AclRules* out) {
    MutexGuard guard(&a->lock);
    const AclUser* u = find(a, name);
    if (u != nullptr) *out = *u->rules.load(std::memory_order_relaxed);
    return u != nullptr;
}

bool acl_open_channels(const Engine* e) { return config_num(e->config->acl_pubsub_default) != 0; }

static bool apply_all(AclRules* r, const std::vector<std::string>& rules, bool open_channels,
                      std::string* why) {
    for (const std::string& rule : rules) {
        AclError error = acl_rules_apply(r, view(rule), open_channels);
        if (error == AclError::none) continue;
        *why = "ERR Error in ACL SETUSER modifier '" + rule + "': " + acl_error_text(error);
        return false;
    }
    return true;
}

bool acl_set_user(Engine* e, Bytes name, const Bytes* rules, size_t count, std::string* why,
                  CmdCtx* c) {
    std::vector<std::string> joined;
    size_t bad;
    if (!acl_join_selectors(rules, count, &joined, &bad)) {
        *why = "ERR Unmatched parenthesis in acl selector starting at '" + to_string(rules[bad]) +
               "'.";
        return false;
    }
    Acl* a = e->acl;
    bool open_channels = acl_open_channels(e);
    MutexGuard guard(&a->lock);
    AclUser* u = find(a, name);
    AclRules staged =
        u != nullptr ? *u->rules.load(std::memory_order_relaxed) : acl_rules_new(open_channels);
    if (!apply_all(&staged, joined, open_channels, why)) return false;
    if (u == nullptr) {
        a->users[to_string(name)] = user_new(to_string(name), staged);
        return true;
    }
    bool lost = channels_lost(u->rules.load(std::memory_order_relaxed), &staged);
    publish(e, u, staged);
    if (lost) close_subscribers(e, u, c);
    return true;
}

bool acl_delete_user(CmdCtx* c, Bytes name) {
    Acl* a = c->engine->acl;
    MutexGuard guard(&a->lock);
    auto it = a->users.find(to_string(name));
    if (it == a->users.end() || it->second == a->standard) return false;
    AclUser* u = it->second;
    a->users.erase(it);
    disconnect(c->engine, u, c);
    acl_user_unref(u);
    return true;
}

void acl_replace_users(Engine* e, CmdCtx* c, const std::map<std::string, AclRules>& users) {
    Acl* a = e->acl;
    MutexGuard guard(&a->lock);
    for (auto& [name, user] : a->users) {
        if (user == a->standard) continue;
        disconnect(e, user, c);
        acl_user_unref(user);
    }
    a->users.clear();
    a->users[kStandardName] = a->standard;
    auto standard = users.find(kStandardName);
    publish(e, a->standard, standard != users.end() ? standard->second : acl_rules_open());
    for (auto& [name, rules] : users) {
        if (name != kStandardName) a->users[name] = user_new(name, rules);
    }
}

std::vector<std::string> acl_user_lines(Acl* a) {
    std::vector<std::string> lines;
    MutexGuard guard(&a->lock);
    for (auto& [name, user] : a->users) {
        lines.push_back("user " + name + " " +
                        acl_describe(user->rules.load(std::memory_order_relaxed)));
    }
    return lines;
}

std::vector<std::string> acl_user_names(Acl* a) {
    std::vector<std::string> names;
    MutexGuard guard(&a->lock);
    for (auto& [name, user] : a->users)
        names.push_back(name);
    return names;
}

// ---- requirepass ------------------------------------------------------------------------------

// Copied out of the settings and wiped with the scope.
struct Password {
    char* text = nullptr;
    size_t len = 0;
    size_t size = 0;
    explicit Password(const Config* config) {
        size_t needed = config_text(config, "requirepass", nullptr, 0);
        do {  // it may have grown since it was measured
            release();
            size = needed + 1;
            text = static_cast<char*>(mem_alloc(size));
            needed = config_text(config, "requirepass", text, size);
        } while (needed >= size);
        len = needed;
    }
    ~Password() { release(); }
    Password(const Password&) = delete;
    Password& operator=(const Password&) = delete;
    void release() {
        if (text != nullptr) explicit_bzero(text, size);
        mem_free(text, size);
        text = nullptr;
    }
};

void acl_apply_requirepass(Engine* e) {
    Password password(e->config);
    MutexGuard guard(&e->acl->lock);
    AclUser* u = e->acl->standard;
    AclRules rules = *u->rules.load(std::memory_order_relaxed);
    rules.nopass = password.len == 0;
    rules.passwords.clear();
    if (password.len != 0) {
        rules.passwords.push_back(acl_hash_password({password.text, password.len}));
    }
    publish(e, u, rules);
}

// ---- sessions ---------------------------------------------------------------------------------

static bool needs_guard(const Session* s) {
    if (s->inside) return false;
    return !s->authenticated || s->user->restricted.load(std::memory_order_relaxed) ||
           s->user->deleted.load(std::memory_order_relaxed);
}

// REQUIRES: Clients.lock.
static AclUser* become(Session* s, AclUser* take, bool authenticated, bool inside) {
    AclUser* old = s->user;
    s->inside = inside;
    s->user = take;
    s->authenticated = authenticated;
    s->guarded.store(needs_guard(s), std::memory_order_relaxed);
    return old;
}

static bool starts_logged_in(const Acl* a, const Session* s) {
    return s->embedded || !a->login_needed.load(std::memory_order_relaxed);
}

void acl_session_start(Acl* a, Session* s) {
    a->standard->refs.fetch_add(1, std::memory_order_relaxed);
    become(s, a->standard, starts_logged_in(a, s), s->embedded);
}

AclUser* acl_session_end(Session* s) {
    AclUser* u = s->user;
    s->user = nullptr;
    return u;
}

void acl_session_reset(CmdCtx* c) {
    Acl* a = c->engine->acl;
    a->standard->refs.fetch_add(1, std::memory_order_relaxed);
    mutex_lock(&c->engine->clients.lock);
    Session* s = c->session;
    AclUser* old = become(s, a->standard, starts_logged_in(a, s), s->embedded);
    mutex_unlock(&c->engine->clients.lock);
    acl_user_unref(old);
}

Bytes acl_session_user(const Session* s) {
    return s->user != nullptr ? view(s->user->name) : Bytes(kStandardName);
}

// False: the user was deleted meanwhile. Takes the reference.
static bool switch_user(CmdCtx* c, AclUser* take) {
    AclUser* drop = take;
    mutex_lock(&c->engine->clients.lock);
    bool fine = !take->deleted.load(std::memory_order_relaxed);
    if (fine) drop = become(c->session, take, true, false);
    mutex_unlock(&c->engine->clients.lock);
    acl_user_unref(drop);
    return fine;
}

// The hash is made whether or not the user exists or may log in: the time tells nothing of that.
static bool may_log_in(const AclUser* u, Bytes password) {
    static const AclRules kNobody;
    const AclRules* r = u != nullptr ? u->rules.load(std::memory_order_acquire) : &kNobody;
    bool fits = acl_password_fits(r, password);
    return r->enabled && (r->nopass || fits);
}

bool acl_log_in(CmdCtx* c, Bytes user, Bytes password) {
    AclUser* u = find_ref(c->engine->acl, user);
    if (may_log_in(u, password)) {
        if (switch_user(c, u)) return true;
    } else {
        acl_user_unref(u);
    }
    return false;
}

void acl_lower_guard(Engine* e, Session* s) {
    MutexGuard guard(&e->clients.lock);
    s->guarded.store(needs_guard(s), std::memory_order_relaxed);
}

}  // namespace rp
