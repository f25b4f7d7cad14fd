// May a user run this? Called by the dispatcher for sessions whose user is restricted.
#include "base/glob.h"
#include "engine/acl_rules.h"

namespace rp {

static Bytes view(const std::string& s) { return {s.data(), s.size()}; }

static bool first_arg_allowed(const AclSelector* s, const CmdRef* ref, Args argv) {
    size_t at = ref->parent != nullptr ? 2 : 1;
    if (argv.len <= at) return false;
    for (const AclFirstArg& f : s->first_args) {
        if (f.id == ref->index && bytes_equal_nocase(argv[at], view(f.arg))) return true;
    }
    return false;
}

static bool command_allowed(const AclSelector* s, const CmdRef* ref, Args argv) {
    if (s->all_commands || (ref->row->flags & kCmdNoAuth)) return true;
    return s->commands.has(ref->index) || first_arg_allowed(s, ref, argv);
}

static uint8_t access_of(uint32_t key_flags) {
    uint8_t access = 0;
    if (key_flags & kKeyAccess) access |= kAclKeyRead;
    if (key_flags & (kKeyInsert | kKeyDelete | kKeyUpdate)) access |= kAclKeyWrite;
    return access;
}

static bool pattern_fits(const AclPattern* p, Bytes key) {
    if (!p->prefix) return glob_match(view(p->text), key);
    size_t len = p->text.size() - 1;
    return key.len >= len && memcmp(key.ptr, p->text.data(), len) == 0;
}

static bool key_allowed(const AclSelector* s, Bytes key, uint32_t key_flags) {
    uint8_t access = access_of(key_flags);
    for (const AclPattern& p : s->keys) {
        if ((p.access & access) == access && pattern_fits(&p, key)) return true;
    }
    return false;
}

struct KeyCheck {
    const AclSelector* s;
    const Cmd* row;
    Args argv;
    size_t refused;  // 0: none
};

static void check_key(void* arg, size_t at, uint32_t flags) {
    auto* k = static_cast<KeyCheck*>(arg);
    if (k->refused != 0) return;
    if (!key_allowed(k->s, k->argv[at], row_key_flags(k->row, k->argv, flags))) k->refused = at;
}

// Malformed keys are none: the command will say what is wrong with them.
static bool keys_allowed(const AclSelector* s, const CmdRef* ref, Args argv, size_t* at) {
    if (s->all_keys || ref->row->keys[0].flags == 0) return true;
    KeyCheck k = {s, ref->row, argv, 0};
    if (!row_each_key(ref->row, argv, check_key, &k) || k.refused == 0) return true;
    *at = k.refused;
    return false;
}

static bool selector_allows_channel(const AclSelector* s, Bytes channel, bool pattern) {
    if (s->all_channels) return true;
    for (const std::string& p : s->channels) {
        bool fits = pattern ? bytes_equal(view(p), channel) : glob_match(view(p), channel);
        if (fits) return true;
    }
    return false;
}

// Leaving a channel needs no permission.
static bool channels_allowed(const AclSelector* s, const CmdRef* ref, Args argv, size_t* at) {
    const ChannelSpec* spec = &ref->row->channels;
    if (s->all_channels || !(spec->flags & (kChannelSubscribe | kChannelPublish))) return true;
    size_t last = spec->last < 0 ? argv.len - 1 : static_cast<size_t>(spec->last);
    for (size_t i = static_cast<size_t>(spec->first); i <= last && i < argv.len; i++) {
        if (selector_allows_channel(s, argv[i], (spec->flags & kChannelPattern) != 0)) continue;
        *at = i;
        return false;
    }
    return true;
}

static AclDenied check_selector(const AclSelector* s, const CmdRef* ref, Args argv, size_t* at) {
    if (!command_allowed(s, ref, argv)) return AclDenied::command;
    if (!keys_allowed(s, ref, argv, at)) return AclDenied::key;
    if (!channels_allowed(s, ref, argv, at)) return AclDenied::channel;
    return AclDenied::none;
}

AclDenied acl_check(const AclRules* r, const CmdRef* ref, Args argv, size_t* at) {
    AclDenied worst = AclDenied::command;
    *at = 0;
    for (const AclSelector& s : r->selectors) {
        size_t refused = 0;
        AclDenied denied = check_selector(&s, ref, argv, &refused);
        if (denied == AclDenied::none) return denied;
        if (denied > worst || (denied == worst && refused > *at)) {
            worst = denied;
            *at = refused;
        }
    }
    return worst;
}

bool acl_allows_channel(const AclRules* r, Bytes channel, bool pattern) {
    for (const AclSelector& s : r->selectors) {
        if (selector_allows_channel(&s, channel, pattern)) return true;
    }
    return false;
}

}  // namespace rp
