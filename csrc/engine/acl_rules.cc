#include "engine/acl_rules.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "conf/split_args.h"

namespace rp {

static std::string to_string(Bytes b) { return {b.ptr, b.len}; }
static Bytes view(const std::string& s) { return {s.data(), s.size()}; }
static bool is(Bytes rule, Bytes word) { return bytes_equal_nocase(rule, word); }
static Bytes behind(Bytes b, size_t n) { return bytes_slice(b, n, b.len - n); }

const char* acl_error_text(AclError e) {
    switch (e) {
        case AclError::none: return "";
        case AclError::unknown_name: return "Unknown command or category name in ACL";
        case AclError::syntax: return "Syntax error";
        case AclError::after_all_keys:
            return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and "
                   "does not have any effect. Try 'resetkeys' to start with an empty list of "
                   "patterns";
        case AclError::after_all_channels:
            return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid "
                   "and does not have any effect. Try 'resetchannels' to start with an empty list "
                   "of channels";
        case AclError::no_such_password:
            return "The password you are trying to remove from the user does not exist";
        case AclError::bad_hash:
            return "The password hash must be exactly 64 characters and contain only lowercase "
                   "hexadecimal characters";
        case AclError::first_arg_of_subcommand:
            return "Allowing first-arg of a subcommand is not supported";
    }
    return "";
}

// The white space of the C locale, and NUL.
bool acl_text_valid(Bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text[i];
        if (c == ' ' || c == 0 || (c >= '\t' && c <= '\r')) return false;
    }
    return true;
}

// ---- passwords --------------------------------------------------------------------------------

std::string acl_hash_password(Bytes password) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    static_assert(sizeof digest * 2 == kAclHashLen);
    SHA256(reinterpret_cast<const unsigned char*>(password.ptr), password.len, digest);
    std::string hex;
    for (unsigned char byte : digest) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

bool acl_password_fits(const AclRules* r, Bytes guess) {
    std::string hash = acl_hash_password(guess);
    bool fits = false;
    for (const std::string& known : r->passwords) {
        fits |= CRYPTO_memcmp(hash.data(), known.data(), kAclHashLen) == 0;
    }
    return fits;
}

static bool is_hash(Bytes text) {
    if (text.len != kAclHashLen) return false;
    for (size_t i = 0; i < text.len; i++) {
        bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (!digit) return false;
    }
    return true;
}

// >password #hash <password !hash
static AclError apply_password(AclRules* r, Bytes rule) {
    Bytes secret = behind(rule, 1);
    bool hashed = rule[0] == '#' || rule[0] == '!';
    if (hashed && !is_hash(secret)) return AclError::bad_hash;
    std::string hash = hashed ? to_string(secret) : acl_hash_password(secret);
    size_t at = 0;
    while (at < r->passwords.size() && r->passwords[at] != hash)
        at++;
    if (rule[0] == '<' || rule[0] == '!') {
        if (at == r->passwords.size()) return AclError::no_such_password;
        r->passwords.erase(r->passwords.begin() + static_cast<ptrdiff_t>(at));
        return AclError::none;
    }
    if (at == r->passwords.size()) r->passwords.push_back(hash);
    r->nopass = false;
    return AclError::none;
}

// ---- commands ---------------------------------------------------------------------------------

static void allow_all(AclSelector* s, bool allow) {
    allow ? s->commands.fill() : s->commands.clear();
    s->all_commands = allow;
    s->first_args.clear();
}

static void allow_ids(AclSelector* s, const AclIds& ids, bool allow) {
    for (size_t i = 0; i < kAclWords; i++) {
        s->commands.word[i] =
            allow ? s->commands.word[i] | ids.word[i] : s->commands.word[i] & ~ids.word[i];
    }
    if (!allow) s->all_commands = false;
    auto told = [&](const AclFirstArg& f) { return ids.has(f.id); };
    std::erase_if(s->first_args, told);
}

static AclError apply_category(AclSelector* s, Bytes name, bool allow) {
    if (is(name, "all")) {
        allow_all(s, allow);
        return AclError::none;
    }
    const AclCategoryName* c = acl_category_find(name);
    if (c == nullptr) return AclError::unknown_name;
    allow_ids(s, c->reach, allow);
    return AclError::none;
}

static AclError apply_name(AclSelector* s, Bytes name, bool allow) {
    uint16_t id = acl_name_find(name);
    if (id == kAclNoId) return AclError::unknown_name;
    AclIds ids;
    acl_name_family(id, &ids);
    allow_ids(s, ids, allow);
    return AclError::none;
}

static void allow_first_arg(AclSelector* s, uint16_t id, Bytes arg) {
    for (const AclFirstArg& f : s->first_args) {
        if (f.id == id && bytes_equal_nocase(view(f.arg), arg)) return;
    }
    s->first_args.push_back({id, to_string(arg)});
}

// +config|get is a subcommand; +select|0 allows SELECT with this first argument.
static AclError apply_part(AclSelector* s, Bytes whole, size_t bar) {
    Bytes part = behind(whole, bar + 1);
    uint16_t id = acl_name_find(bytes_slice(whole, 0, bar));
    if (id == kAclNoId) return AclError::unknown_name;
    if (acl_name_at(id)->parent != kAclNoId) return AclError::first_arg_of_subcommand;
    if (part.len == 0) return AclError::syntax;
    if (acl_name_at(id)->container) return apply_name(s, whole, true);
    allow_first_arg(s, id, part);
    return AclError::none;
}

static AclError apply_command(AclSelector* s, Bytes rule) {
    bool allow = rule[0] == '+';
    Bytes name = behind(rule, 1);
    if (name.len != 0 && name[0] == '@') return apply_category(s, behind(name, 1), allow);
    size_t bar = name.len;
    while (bar > 0 && name[bar - 1] != '|')
        bar--;
    if (!allow || bar == 0) return apply_name(s, name, allow);
    return apply_part(s, name, bar - 1);
}

// ---- keys and channels ------------------------------------------------------------------------

// %RW~pattern: the letters; *used: where the pattern begins. 0: not well written.
static uint8_t key_access(Bytes rule, size_t* used) {
    uint8_t access = 0;
    for (*used = 1; *used < rule.len; ++*used) {
        char c = ascii_upper(rule[*used]);
        if (c == 'R' && !(access & kAclKeyRead)) {
            access |= kAclKeyRead;
        } else if (c == 'W' && !(access & kAclKeyWrite)) {
            access |= kAclKeyWrite;
        } else if (c == '~') {
            ++*used;
            return access;
        } else {
            return 0;
        }
    }
    return access;
}

static bool is_prefix(Bytes pattern) {
    if (pattern.len < 2 || pattern[pattern.len - 1] != '*') return false;
    for (size_t i = 0; i + 1 < pattern.len; i++) {
        if (strchr("*?[\\", pattern[i]) != nullptr) return false;
    }
    return true;
}

static AclError apply_key_pattern(AclSelector* s, Bytes rule) {
    if (s->all_keys) return AclError::after_all_keys;
    size_t used = 1;
    uint8_t access = rule[0] == '~' ? uint8_t{kAclKeyAll} : key_access(rule, &used);
    Bytes pattern = behind(rule, used);
    if (access == 0 || !acl_text_valid(pattern)) return AclError::syntax;
    for (AclPattern& known : s->keys) {
        if (!bytes_equal(view(known.text), pattern)) continue;
        known.access |= access;
        return AclError::none;
    }
    s->keys.push_back({to_string(pattern), access, is_prefix(pattern)});
    return AclError::none;
}

static AclError apply_channel(AclSelector* s, Bytes pattern) {
    if (s->all_channels) return AclError::after_all_channels;
    if (!acl_text_valid(pattern)) return AclError::syntax;
    for (const std::string& known : s->channels) {
        if (bytes_equal(view(known), pattern)) return AclError::none;
    }
    s->channels.push_back(to_string(pattern));
    return AclError::none;
}

static void set_all_keys(AclSelector* s, bool all) {
    s->all_keys = all;
    s->keys.clear();
}

static void set_all_channels(AclSelector* s, bool all) {
    s->all_channels = all;
    s->channels.clear();
}

// ---- selectors --------------------------------------------------------------------------------

static AclError apply_to_selector(AclSelector* s, Bytes rule) {
    if (is(rule, "allkeys") || is(rule, "~*")) {
        set_all_keys(s, true);
    } else if (is(rule, "resetkeys")) {
        set_all_keys(s, false);
    } else if (is(rule, "allchannels") || is(rule, "&*")) {
        set_all_channels(s, true);
    } else if (is(rule, "resetchannels")) {
        set_all_channels(s, false);
    } else if (is(rule, "allcommands")) {
        allow_all(s, true);
    } else if (is(rule, "nocommands")) {
        allow_all(s, false);
    } else if (rule.len != 0 && (rule[0] == '~' || rule[0] == '%')) {
        return apply_key_pattern(s, rule);
    } else if (rule.len != 0 && rule[0] == '&') {
        return apply_channel(s, behind(rule, 1));
    } else if (rule.len != 0 && (rule[0] == '+' || rule[0] == '-')) {
        return apply_command(s, rule);
    } else {
        return AclError::syntax;
    }
    return AclError::none;
}

// The rules between the parentheses. Words that are not well quoted are no rules at all, as in
// Redis.
static AclError parse_selector(AclSelector* s, Bytes inner) {
    std::vector<std::string> words;
    std::string decoded(inner.len, 0);
    for (;;) {
        size_t len;
        SplitArg got = split_args_next(&inner, decoded.data(), &len);
        if (got == SplitArg::unbalanced) return AclError::none;
        if (got == SplitArg::end) break;
        words.emplace_back(decoded.data(), len);
    }
    for (const std::string& word : words) {
        AclError e = apply_to_selector(s, view(word));
        if (e != AclError::none) return e;
    }
    return AclError::none;
}

static AclSelector new_selector(bool open_channels) {
    AclSelector s;
    s.all_channels = open_channels;
    return s;
}

static AclError add_selector(AclRules* r, Bytes rule, bool open_channels) {
    AclSelector s = new_selector(open_channels);
    AclError e = parse_selector(&s, bytes_slice(rule, 1, rule.len > 2 ? rule.len - 2 : 0));
    if (e == AclError::none) r->selectors.push_back(std::move(s));
    return e;
}

bool acl_join_selectors(const Bytes* words, size_t count, std::vector<std::string>* out,
                        size_t* bad) {
    bool open = false;
    for (size_t i = 0; i < count; i++) {
        Bytes w = words[i];
        bool closes = w.len != 0 && w[w.len - 1] == ')';
        if (open) {
            out->back() += " " + to_string(w);
            open = !closes;
            continue;
        }
        open = w.len != 0 && w[0] == '(' && !closes;
        if (open) *bad = i;
        out->push_back(to_string(w));
    }
    return !open;
}

// ---- users ------------------------------------------------------------------------------------

AclRules acl_rules_new(bool open_channels) {
    AclRules r;
    r.selectors.push_back(new_selector(open_channels));
    return r;
}

AclRules acl_rules_open() {
    AclRules r = acl_rules_new(true);
    r.enabled = r.nopass = true;
    allow_all(&r.selectors[0], true);
    set_all_keys(&r.selectors[0], true);
    return r;
}

static void reset(AclRules* r, bool open_channels) {
    *r = acl_rules_new(open_channels);
    r->sanitize = AclSanitize::yes;
}

AclError acl_rules_apply(AclRules* r, Bytes rule, bool open_channels) {
    if (rule.len == 0) return AclError::none;
    if (is(rule, "on") || is(rule, "off")) {
        r->enabled = is(rule, "on");
    } else if (is(rule, "nopass") || is(rule, "resetpass")) {
        r->nopass = is(rule, "nopass");
        r->passwords.clear();
    } else if (is(rule, "sanitize-payload")) {
        r->sanitize = AclSanitize::yes;
    } else if (is(rule, "skip-sanitize-payload")) {
        r->sanitize = AclSanitize::skip;
    } else if (strchr("><#!", rule[0]) != nullptr && rule[0] != 0) {
        return apply_password(r, rule);
    } else if (rule[0] == '(' && rule[rule.len - 1] == ')') {
        return add_selector(r, rule, open_channels);
    } else if (is(rule, "clearselectors")) {
        r->selectors.resize(1);
    } else if (is(rule, "reset")) {
        reset(r, open_channels);
    } else {
        return apply_to_selector(&r->selectors[0], rule);
    }
    return AclError::none;
}

bool acl_rules_unrestricted(const AclRules* r) {
    for (const AclSelector& s : r->selectors) {
        if (s.all_commands && s.all_keys && s.all_channels) return true;
    }
    return false;
}

}  // namespace rp
