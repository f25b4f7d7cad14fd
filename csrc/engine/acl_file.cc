// Users that come from files: lines of redis.conf, or an aclfile.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "conf/replace_file.h"
#include "engine/acl.h"

namespace rp {

static Bytes view(const std::string& s) { return {s.data(), s.size()}; }
static std::string to_string(Bytes b) { return {b.ptr, b.len}; }

constexpr size_t kAclErrorsMax = 64 * 1024;  // then the rest of the file is not looked at

// ---- the aclfile ------------------------------------------------------------------------------

static Bytes trim(Bytes b, const char* what) {
    auto drop = [&](char c) { return c != 0 && strchr(what, c) != nullptr; };
    while (b.len != 0 && drop(b[0]))
        b = bytes_slice(b, 1, b.len - 1);
    while (b.len != 0 && drop(b[b.len - 1]))
        b.len--;
    return b;
}

// At every single space: two in a row have an empty word between them, which is no rule.
static std::vector<Bytes> split(Bytes line) {
    std::vector<Bytes> words;
    for (;;) {
        const void* at = line.len == 0 ? nullptr : memchr(line.ptr, ' ', line.len);
        size_t len =
            at == nullptr ? line.len : static_cast<size_t>(static_cast<const char*>(at) - line.ptr);
        words.push_back(bytes_slice(line, 0, len));
        if (at == nullptr) return words;
        line = bytes_slice(line, len + 1, line.len - len - 1);
    }
}

struct FileParser {
    std::string path;
    bool open_channels;
    std::map<std::string, AclRules>* users;
    std::string errors;
    size_t line = 0;
    std::string where() const { return path + ":" + std::to_string(line); }
};

// Names of commands are no secrets, so that error says which; of the others the first one counts.
static void parse_rules(FileParser* p, const std::vector<std::string>& rules, AclRules* out) {
    bool complained = false;
    for (const std::string& rule : rules) {
        Bytes word = trim(view(rule), "\t\r\n");
        AclError e = acl_rules_apply(out, word, p->open_channels);
        if (e == AclError::none) continue;
        if (e == AclError::unknown_name) {
            p->errors += p->where() + ": Error in applying operation '" + to_string(word) +
                         "': " + acl_error_text(e) + ". ";
        } else if (!complained) {
            p->errors += p->where() + ": " + acl_error_text(e) + ". ";
            complained = true;
        }
    }
}

static void parse_line(FileParser* p, Bytes line) {
    line = trim(line, " \t\r\n");
    if (line.len == 0) return;
    std::vector<Bytes> words = split(line);
    if (words.size() < 2 || !bytes_equal(words[0], "user")) {
        p->errors += p->where() + " should start with user keyword followed by the username. ";
        return;
    }
    std::string name = to_string(words[1]);
    if (!acl_text_valid(words[1])) {
        p->errors += "'" + p->where() + ": username '" + name + "' contains invalid characters. ";
        return;
    }
    if (p->users->contains(name)) {
        p->errors += "WARNING: Duplicate user '" + name + "' found on line " +
                     std::to_string(p->line) + ". ";
        return;
    }
    AclRules* rules = &(*p->users)[name];
    *rules = acl_rules_new(p->open_channels);
    std::vector<std::string> joined;
    size_t bad;
    if (!acl_join_selectors(words.data() + 2, words.size() - 2, &joined, &bad)) {
        p->errors += p->where() + ": Unmatched parenthesis in selector definition.";
        return;
    }
    parse_rules(p, joined, rules);
}

bool acl_parse_file(Bytes text, const std::string& path, bool open_channels,
                    std::map<std::string, AclRules>* users, std::string* why) {
    FileParser p = {path, open_channels, users, {}, 0};
    while (text.len != 0 && p.errors.size() < kAclErrorsMax) {
        const void* at = memchr(text.ptr, '\n', text.len);
        size_t len =
            at == nullptr ? text.len : static_cast<size_t>(static_cast<const char*>(at) - text.ptr);
        p.line++;
        parse_line(&p, bytes_slice(text, 0, len));
        size_t used = at == nullptr ? len : len + 1;
        text = bytes_slice(text, used, text.len - used);
    }
    if (p.errors.empty()) return true;
    *why = p.errors +
           "WARNING: ACL errors detected, no change to the previously active ACL rules was "
           "performed";
    return false;
}

// False with errno set.
static bool read_fd(int fd, std::string* out) {
    char part[16384];
    for (;;) {
        ssize_t got = read(fd, part, sizeof part);
        if (got == 0) return true;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        out->append(part, static_cast<size_t>(got));
        if (out->size() <= kAclFileMax) continue;
        errno = EFBIG;
        return false;
    }
}

static bool read_file(const std::string& path, std::string* text, std::string* why) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    bool fine = fd >= 0 && read_fd(fd, text);
    int cause = errno;
    if (fd >= 0) close(fd);
    if (fine) return true;
    *why = std::string("Error loading ACLs, ") + (fd < 0 ? "opening" : "reading") + " file '" +
           path + "': " + strerror(cause);
    return false;
}

std::string acl_file_path(const Engine* e) {
    std::string path(config_text(e->config, "aclfile", nullptr, 0), 0);
    config_text(e->config, "aclfile", path.data(), path.size() + 1);
    return path;
}

static constexpr const char* kNoFile =
    "This Redis instance is not configured to use an ACL file. You may want to specify users via "
    "the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration.";

bool acl_load_file(Engine* e, CmdCtx* c, std::string* why) {
    std::string path = acl_file_path(e), text;
    std::map<std::string, AclRules> users;
    if (path.empty()) {
        *why = kNoFile;
        return false;
    }
    if (!read_file(path, &text, why)) return false;
    if (!acl_parse_file(view(text), path, acl_open_channels(e), &users, why)) return false;
    acl_replace_users(e, c, users);
    return true;
}

// Hashes of passwords: nobody else reads a new file.
static mode_t mode_of(const std::string& path) {
    struct stat st;
    return stat(path.c_str(), &st) == 0 ? st.st_mode & 07777 : 0600;
}

bool acl_save_file(Engine* e, std::string* why) {
    std::string path = acl_file_path(e), text;
    if (path.empty()) {
        *why = kNoFile;
        return false;
    }
    for (const std::string& line : acl_user_lines(e->acl))
        text += line + "\n";
    if (replace_file(path, text, mode_of(path))) return true;
    RP_LOG_WARNING("ACL SAVE: cannot write '%s': %s", path.c_str(), strerror(errno));
    *why =
        "There was an error trying to save the ACLs. Please check the server logs for more "
        "information";
    return false;
}

// ---- redis.conf -------------------------------------------------------------------------------

struct ConfUsers {
    bool open_channels;
    std::map<std::string, AclRules> users;
    std::string why;  // of the first wrong line
};

static void refuse_line(ConfUsers* u, const char* where, const std::string& text) {
    if (u->why.empty()) u->why = std::string(where) + ": 'user': " + text;
}

// Of a rule only names of commands are repeated: the others may be passwords.
static void refuse_rule(ConfUsers* u, const char* where, const std::string& rule, AclError e) {
    bool names = e == AclError::unknown_name;
    refuse_line(u, where, (names ? "'" + rule + "': " : std::string()) + acl_error_text(e));
}

static void add_conf_user(void* arg, const Bytes* words, size_t count, const char* where) {
    auto* u = static_cast<ConfUsers*>(arg);
    if (count == 0) return refuse_line(u, where, "a name and rules must follow");
    std::string name = to_string(words[0]);
    if (!acl_text_valid(words[0])) return refuse_line(u, where, "a user's name has no spaces");
    if (u->users.contains(name)) return refuse_line(u, where, "'" + name + "' is there already");
    AclRules* rules = &u->users[name];
    *rules = acl_rules_new(u->open_channels);
    std::vector<std::string> joined;
    size_t bad;
    if (!acl_join_selectors(words + 1, count - 1, &joined, &bad)) {
        return refuse_line(u, where, "a parenthesis is not closed");
    }
    for (const std::string& rule : joined) {
        AclError e = acl_rules_apply(rules, view(rule), u->open_channels);
        if (e != AclError::none) refuse_rule(u, where, rule, e);
    }
}

static bool load_conf_users(Engine* e, std::string* why) {
    ConfUsers u;
    u.open_channels = acl_open_channels(e);
    config_each_user(e->config, add_conf_user, &u);
    *why = u.why;
    if (!u.why.empty()) return false;
    if (!u.users.contains("default")) acl_user_rules(e->acl, "default", &u.users["default"]);
    acl_replace_users(e, nullptr, u.users);
    return true;
}

static void count_user(void* arg, const Bytes*, size_t, const char*) {
    ++*static_cast<size_t*>(arg);
}

bool acl_load_at_start(Engine* e, std::string* why) {
    size_t lines = 0;
    config_each_user(e->config, count_user, &lines);
    if (acl_file_path(e).empty()) return lines == 0 || load_conf_users(e, why);
    if (lines != 0) {
        *why =
            "'aclfile': cannot be used together with 'user' lines in the configuration: move "
            "those into the file";
        return false;
    }
    if (!acl_load_file(e, nullptr, why)) {
        *why = "'aclfile': " + *why;
        return false;
    }
    if (config_text(e->config, "requirepass", nullptr, 0) == 0) return true;
    if (!e->acl->standard_nopass.load(std::memory_order_relaxed)) return true;
    RP_LOG_WARNING(
        "'requirepass' has no effect: 'aclfile' says who may log in, and by it the default user "
        "needs no password. Give it one there: user default on >password ~* &* +@all");
    return true;
}

}  // namespace rp
