// Fuzz target: the text of an aclfile. A refusal names the file and ends as Redis' does; what was
// accepted is written by ACL SAVE and means the same when it is read again.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/acl.h"

using namespace rp;

static void expect(bool fact) {
    if (!fact) abort();
}

static Bytes view(const std::string& s) { return {s.data(), s.size()}; }

// In Redis, too, words in quotes and a pattern that ends in ')' do not survive within a selector.
static bool survives(const std::string& text) {
    if (text.find_first_of("\"'\\") != std::string::npos) return false;
    for (size_t at = text.find(')'); at != std::string::npos; at = text.find(')', at + 1)) {
        char next = at + 1 < text.size() ? text[at + 1] : '\n';
        if (next != ' ' && next != '\n') return false;
    }
    return true;
}

static bool same_ids(const AclIds& a, const AclIds& b) {
    // Ids that nobody has are not described one by one.
    for (size_t id = 0; id < acl_name_count(); id++) {
        if (a.has(id) != b.has(id)) return false;
    }
    return a.has(kAclIdFuture) == b.has(kAclIdFuture);
}

static void same_rules(const AclRules& a, const AclRules& b) {
    expect(a.selectors.size() == b.selectors.size() && a.passwords == b.passwords);
    for (size_t i = 0; i < a.selectors.size(); i++) {
        expect(same_ids(a.selectors[i].commands, b.selectors[i].commands));
    }
    expect(acl_describe(&a) == acl_describe(&b));
}

static void read_back(const std::map<std::string, AclRules>& users) {
    std::string text, why;
    for (const auto& [name, rules] : users)
        text += "user " + name + " " + acl_describe(&rules) + "\n";
    std::map<std::string, AclRules> again;
    expect(acl_parse_file(view(text), "again", false, &again, &why));
    expect(again.size() == users.size());
    for (const auto& [name, rules] : users)
        same_rules(rules, again[name]);
}

static void try_commands(const AclRules& r, Bytes key) {
    Bytes words[] = {"MSET", key, "v", "b", key};
    Args argv = {words, 5};
    CmdRef ref = command_find("MSET");
    size_t at;
    AclDenied denied = acl_check(&r, &ref, argv, &at);
    expect(at < argv.len);
    if (acl_rules_unrestricted(&r)) expect(denied == AclDenied::none);
    acl_allows_channel(&r, key, false);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    engine_register_commands();
    std::string text(reinterpret_cast<const char*>(data), size), why;
    std::map<std::string, AclRules> users;
    if (!acl_parse_file(view(text), "fuzz", false, &users, &why)) {
        expect(why.find("WARNING: ACL errors detected") != std::string::npos);
        return 0;
    }
    for (const auto& [name, rules] : users)
        try_commands(rules, view(text));
    if (survives(text)) read_back(users);
    return 0;
}
