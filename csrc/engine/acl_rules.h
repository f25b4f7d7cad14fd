// engine/acl_rules.h: what one user may do, as Redis 7.0 writes and reads it.
//
//     on off                                   may log in
//     >pass <pass #sha256 !sha256 nopass resetpass
//     +cmd -cmd +cmd|sub -cmd|sub +cmd|first-arg +@cat -@cat allcommands nocommands
//     ~pat %R~pat %W~pat %RW~pat allkeys resetkeys
//     &pat allchannels resetchannels
//     (rules of commands, keys and channels)   one more selector; clearselectors
//     sanitize-payload skip-sanitize-payload   reset
//
// A command may run if one selector allows it, its keys and its channels together.
//
// Ownership  plain values. Once published (engine/acl.h) an AclRules does not change any more.
// Threads    any; no shared state. Cold code, so std::string and std::vector are used freely.
#pragma once
#include <string>
#include <vector>

#include "engine/acl_names.h"

namespace rp {

enum : uint8_t { kAclKeyRead = 1, kAclKeyWrite = 2, kAclKeyAll = 3 };

struct AclPattern {
    std::string text;
    uint8_t access;  // kAclKey...
    bool prefix;     // plain bytes and one star behind them, as in "app:*": no need to interpret it
};
struct AclFirstArg {
    uint16_t id;
    std::string arg;
};

struct AclSelector {
    AclIds commands;
    bool all_commands = false;  // also those whose ids nobody has
    bool all_keys = false;
    bool all_channels = false;
    std::vector<AclPattern> keys;
    std::vector<std::string> channels;
    std::vector<AclFirstArg> first_args;  // of commands that are else not allowed
};

enum class AclSanitize : uint8_t { unsaid, yes, skip };
constexpr size_t kAclHashLen = 64;  // SHA-256 as lower-case hex digits

struct AclRules {
    bool enabled = false;
    bool nopass = false;
    AclSanitize sanitize = AclSanitize::unsaid;
    std::vector<std::string> passwords;  // of kAclHashLen digits each
    std::vector<AclSelector> selectors;  // the first is the user's own; there always is one
};

// Why a rule was refused; acl_error_text is Redis' wording.
enum class AclError : uint8_t {
    none,
    unknown_name,
    syntax,
    after_all_keys,
    after_all_channels,
    no_such_password,
    bad_hash,
    first_arg_of_subcommand,
};
const char* acl_error_text(AclError e);

// A new user: off, nothing allowed; with `open_channels` (acl-pubsub-default) all channels.
AclRules acl_rules_new(bool open_channels);
// The default user of a fresh server: everything, without a password.
AclRules acl_rules_open();
// One rule; a selector must be one word: "(+get ~a)". A refused rule changes nothing.
[[nodiscard]] AclError acl_rules_apply(AclRules* r, Bytes rule, bool open_channels);
// Joins the words of selectors: "(+get", "~a)" -> "(+get ~a)". False: the selector that begins with
// word *bad is not closed.
[[nodiscard]] bool acl_join_selectors(const Bytes* words, size_t count,
                                      std::vector<std::string>* out, size_t* bad);
// Not restricted in any way: no command, key or channel has to be looked at.
bool acl_rules_unrestricted(const AclRules* r);

// Names: no spaces, no NUL bytes.
bool acl_text_valid(Bytes text);
std::string acl_hash_password(Bytes password);
// In a time that depends on the number of the user's passwords only.
bool acl_password_fits(const AclRules* r, Bytes guess);

// ---- as text (acl_describe.cc) ----------------------------------------------------------------
// "on nopass ~* &* +@all": what ACL LIST, SAVE and CONFIG REWRITE write behind the user's name.
std::string acl_describe(const AclRules* r);
std::string acl_describe_commands(const AclSelector* s);  // "-@all +get"
std::string acl_describe_keys(const AclSelector* s);      // "~a %R~b"
std::string acl_describe_channels(const AclSelector* s);  // "&a &b"
// Calls fn for "on", "nopass"...
void acl_each_flag(const AclRules* r, void (*fn)(void* arg, Bytes flag), void* arg);

// ---- checks (acl_check.cc) --------------------------------------------------------------------
enum class AclDenied : uint8_t { none = 0, command = 1, key = 2, auth = 3, channel = 4 };

// May argv run? *at: the argument that was refused. Of several selectors the one that got furthest
// tells.
AclDenied acl_check(const AclRules* r, const CmdRef* ref, Args argv, size_t* at);
// `pattern`: the channel is a pattern itself (PSUBSCRIBE) and must be allowed literally.
bool acl_allows_channel(const AclRules* r, Bytes channel, bool pattern);

}  // namespace rp
