// Rules as text. A user's commands are a set of ids; the text is made from the set alone, as Redis
// makes it: the categories that fit it best, then single commands until it is exact.
#include <bit>
#include <climits>

#include "engine/acl_rules.h"

namespace rp {

// ---- commands ---------------------------------------------------------------------------------

static int common(const AclIds& a, const AclIds& b) {
    int n = 0;
    for (size_t i = 0; i < kAclWords; i++)
        n += std::popcount(a.word[i] & b.word[i]);
    return n;
}

static void set_ids(AclIds* ids, const AclIds& which, bool on) {
    for (size_t i = 0; i < kAclWords; i++) {
        ids->word[i] = on ? ids->word[i] | which.word[i] : ids->word[i] & ~which.word[i];
    }
}

// The category that says the most about `left` and the least that is wrong; -1: none says more true
// than false.
static int best_category(const AclIds& left, bool adds, const bool* used) {
    int best = -1, least_wrong = INT_MAX, most_right = 0;
    for (size_t i = 0; i < kAclCategories; i++) {
        if (used[i]) continue;
        const AclIds& members = acl_category_at(i)->fitting;
        int on = common(left, members), off = common(members, members) - on;
        int wrong = adds ? off : on, right = adds ? on : off;
        if (right <= wrong) continue;
        if (wrong > least_wrong || (wrong == least_wrong && right <= most_right)) continue;
        best = static_cast<int>(i);
        least_wrong = wrong;
        most_right = right;
    }
    return best;
}

// Brings *said, what the text says so far, to what the selector has for this name.
static void add_single(std::string* text, const AclSelector* s, AclIds* said, uint16_t id) {
    const AclName* n = acl_name_at(id);
    bool allowed = s->commands.has(id);
    if (said->has(id) != allowed) {
        *text += std::string(allowed ? " +" : " -") + n->name;
        AclIds family;
        acl_name_family(id, &family);
        set_ids(said, family, allowed);
    }
    for (const AclFirstArg& f : s->first_args) {
        if (f.id == id && !allowed) *text += std::string(" +") + n->name + "|" + f.arg;
    }
}

static void add_singles(std::string* text, const AclSelector* s, AclIds* said) {
    for (uint16_t id = 0; id < acl_name_count(); id++) {
        if (acl_name_at(id)->parent != kAclNoId) continue;
        add_single(text, s, said, id);
        if (!acl_name_at(id)->container) continue;
        for (uint16_t sub = 0; sub < acl_name_count(); sub++) {
            if (acl_name_at(sub)->parent == id) add_single(text, s, said, sub);
        }
    }
}

std::string acl_describe_commands(const AclSelector* s) {
    bool adds = !s->commands.has(kAclIdFuture);
    std::string text = adds ? "-@all" : "+@all";
    AclIds said, left = s->commands;
    if (!adds) said.fill();
    bool used[kAclCategories] = {};
    for (int best; (best = best_category(left, adds, used)) >= 0;) {
        const AclCategoryName* c = acl_category_at(static_cast<size_t>(best));
        text += std::string(adds ? " +@" : " -@") + std::string(c->name.ptr, c->name.len);
        set_ids(&said, c->reach, adds);
        set_ids(&left, c->reach, !adds);
        used[best] = true;
    }
    add_singles(&text, s, &said);
    return text;
}

// ---- the rest ---------------------------------------------------------------------------------

std::string acl_describe_keys(const AclSelector* s) {
    if (s->all_keys) return "~*";
    std::string text;
    for (const AclPattern& p : s->keys) {
        const char* sign = p.access == kAclKeyAll ? "~" : p.access == kAclKeyRead ? "%R~" : "%W~";
        text += (text.empty() ? "" : " ") + std::string(sign) + p.text;
    }
    return text;
}

std::string acl_describe_channels(const AclSelector* s) {
    if (s->all_channels) return "&*";
    std::string text;
    for (const std::string& c : s->channels)
        text += (text.empty() ? "&" : " &") + c;
    return text;
}

static std::string describe_selector(const AclSelector* s) {
    std::string keys = acl_describe_keys(s), channels = acl_describe_channels(s);
    std::string text = keys + (keys.empty() ? "" : " ");
    if (!s->all_channels) text += "resetchannels ";
    text += channels + (channels.empty() ? "" : " ");
    return text + acl_describe_commands(s);
}

void acl_each_flag(const AclRules* r, void (*fn)(void* arg, Bytes flag), void* arg) {
    fn(arg, r->enabled ? Bytes("on") : Bytes("off"));
    if (r->nopass) fn(arg, Bytes("nopass"));
    if (r->sanitize == AclSanitize::skip) fn(arg, Bytes("skip-sanitize-payload"));
    if (r->sanitize == AclSanitize::yes) fn(arg, Bytes("sanitize-payload"));
}

static void add_flag(void* arg, Bytes flag) {
    static_cast<std::string*>(arg)->append(flag.ptr, flag.len).append(" ");
}

std::string acl_describe(const AclRules* r) {
    std::string text;
    acl_each_flag(r, add_flag, &text);
    for (const std::string& hash : r->passwords)
        text += "#" + hash + " ";
    text += describe_selector(&r->selectors[0]);
    for (size_t i = 1; i < r->selectors.size(); i++)
        text += " (" + describe_selector(&r->selectors[i]) + ")";
    return text;
}

}  // namespace rp
