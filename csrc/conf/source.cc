// The sources of settings at start: file, standard input, environment, flags. Every failure is one
// line that says where, which setting, and what is allowed. Cold code: std::string is fine here.
#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "conf/split_args.h"
#include "conf/value.h"

namespace rp {

static constexpr const char kEnvPrefix[] = "RUSTYPOTATO_";

struct Loader {
    Config* c = nullptr;
    ConfigErr* err = nullptr;
    std::string where;  // "config file 'x' line 3"
    bool includes_allowed = false;
    int depth = 0;
};

static bool stop(const Loader* l, const std::string& why) {
    config_err_set(l->err, l->where + ": " + why);
    return false;
}

static std::string quoted(const std::string& text) {
    constexpr size_t kShownMax = 128;
    return "'" + (text.size() > kShownMax ? text.substr(0, kShownMax) + "..." : text) + "'";
}

// Arguments of a line; false if a quote is open.
static bool split_line(Bytes line, ConfigWords* words) {
    std::string decoded(line.len, '\0');
    for (;;) {
        size_t len = 0;
        switch (split_args_next(&line, decoded.data(), &len)) {
            case SplitArg::arg: words->emplace_back(decoded.data(), len); break;
            case SplitArg::end: return true;
            case SplitArg::unbalanced: return false;
        }
    }
}

// --- One setting
// -------------------------------------------------------------------------------------

// In files and flags several `save` add up; the first one replaces the default, `save ""` all.
static void add_save(Config* c, const ConfigWords& words, const std::string& before,
                     ConfigValue* value) {
    const bool clears = words.size() == 1 && words[0].empty();
    const bool first = !c->texts->save_seen;
    c->texts->save_seen = true;
    if (clears || first || before.empty()) return;
    value->text = value->text.empty() ? before : before + " " + value->text;
}

static bool set_row(const Loader* l, const ConfigRow* row, const ConfigWords& words, bool adds) {
    ConfigValue value = value_read(l->c, row);
    const std::string before = value.text;
    std::string why;
    if (!value_parse(row, words, &value, &why)) {
        std::string text = quoted(row->name) + ": " + why;
        if (!words.empty() && !(row->flags & kConfigSensitive)) {
            text += " (got " + quoted(words_join(words)) + ")";
        }
        return stop(l, text);
    }
    if (row->kind == ConfigKind::save_points) {
        if (adds) add_save(l->c, words, before, &value);
        l->c->texts->save_seen = true;
    }
    value_store(l->c, row, value);
    return true;
}

// Directives of redis.conf that are no settings. *done: it was one and is dealt with.
static bool set_directive(const Loader* l, const std::string& name, const ConfigWords& args,
                          bool* done) {
    *done = true;
    const bool ignored = name == "list-max-ziplist-entries" || name == "list-max-ziplist-value";
    if (ignored && args.size() == 2) return true;
    if (name == "user" || name == "rename-command") {
        std::vector<ConfigLine>* list =
            name == "user" ? &l->c->texts->users : &l->c->texts->renames;
        if (name == "user" && args.size() < 2)
            return stop(l, "'user': a name and rules must follow");
        if (name != "user" && args.size() != 3) {
            return stop(l, "'rename-command': two names must follow");
        }
        list->push_back({ConfigWords(args.begin() + 1, args.end()), l->where});
        return true;
    }
    if (name == "loadmodule" || name == "sentinel") {
        return stop(l, quoted(name) + " is not supported; remove it");
    }
    *done = false;
    return true;
}

// args[0] is the name.
static bool set_words(const Loader* l, const ConfigWords& args) {
    std::string name = args[0];
    for (char& c : name)
        c = ascii_lower(c);
    bool done = false;
    if (!set_directive(l, name, args, &done)) return false;
    if (done) return true;
    const ConfigRow* row = config_row_find(bytes_of(name));
    if (!row) return stop(l, "unknown setting " + quoted(args[0]));
    return set_row(l, row, ConfigWords(args.begin() + 1, args.end()), true);
}

static void each_line(const std::vector<ConfigLine>& lines, ConfigWordsFn fn, void* arg) {
    for (const ConfigLine& line : lines) {
        std::vector<Bytes> words;
        for (const std::string& word : line.words)
            words.push_back(bytes_of(word));
        fn(arg, words.data(), words.size(), line.where.c_str());
    }
}

void config_each_user(const Config* c, ConfigWordsFn fn, void* arg) {
    each_line(c->texts->users, fn, arg);
}

void config_each_rename(const Config* c, ConfigWordsFn fn, void* arg) {
    each_line(c->texts->renames, fn, arg);
}

// --- Text
// --------------------------------------------------------------------------------------------

static bool load_path(Loader* l, const std::string& path);

// Paths may be patterns; a pattern that matches nothing is fine, a plain name is not.
static bool include_paths(Loader* l, const std::string& pattern) {
    if (!l->includes_allowed) return stop(l, "'include' is not allowed here");
    if (l->depth >= kConfigIncludesMax) {
        return stop(l, text_format("'include' nested deeper than %d files", kConfigIncludesMax));
    }
    glob_t found = {};
    const bool plain = pattern.find_first_of("*?[") == std::string::npos;
    if (plain) return load_path(l, pattern);
    if (glob(pattern.c_str(), 0, nullptr, &found) != 0) found.gl_pathc = 0;
    bool fine = true;
    for (size_t i = 0; i < found.gl_pathc && fine; i++)
        fine = load_path(l, found.gl_pathv[i]);
    globfree(&found);
    return fine;
}

static Bytes trim(Bytes line) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (line.len != 0 && blank(line[0]))
        line = bytes_slice(line, 1, line.len - 1);
    while (line.len != 0 && blank(line[line.len - 1]))
        line.len--;
    return line;
}

static bool load_line(Loader* l, Bytes line) {
    line = trim(line);
    if (line.len == 0 || line[0] == '#') return true;
    if (memchr(line.ptr, '\0', line.len)) return stop(l, "a NUL byte: this is not a text file");
    ConfigWords args;
    if (!split_line(line, &args)) return stop(l, "unbalanced quotes");
    if (args.empty()) return true;
    if (bytes_equal_nocase(bytes_of(args[0]), "include")) {
        if (args.size() != 2) return stop(l, "'include' takes one file name");
        return include_paths(l, args[1]);
    }
    return set_words(l, args);
}

// `name`: "config file 'x'".
static bool load_text(Loader* l, Bytes text, const std::string& name) {
    for (int number = 1; text.len != 0; number++) {
        const void* at = memchr(text.ptr, '\n', text.len);
        const size_t len =
            at ? static_cast<size_t>(static_cast<const char*>(at) - text.ptr) : text.len;
        l->where = name + text_format(" line %d", number);
        if (!load_line(l, bytes_slice(text, 0, len))) return false;
        const size_t used = at ? len + 1 : len;
        text = bytes_slice(text, used, text.len - used);
    }
    return true;
}

// To the end; false with errno set, EFBIG above kConfigFileMax.
static bool read_all(int fd, std::string* out) {
    char part[16384];
    for (;;) {
        const ssize_t got = read(fd, part, sizeof part);
        if (got == 0) return true;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        out->append(part, static_cast<size_t>(got));
        if (out->size() > kConfigFileMax) {
            errno = EFBIG;
            return false;
        }
    }
}

static bool load_fd(Loader* l, int fd, const std::string& name) {
    std::string text;
    if (!read_all(fd, &text)) {
        config_err_set(l->err, name + ": cannot read it: " + strerror(errno));
        return false;
    }
    l->depth++;
    const bool fine = load_text(l, bytes_of(text), name);
    l->depth--;
    return fine;
}

static bool load_path(Loader* l, const std::string& path) {
    const std::string name = "config file " + quoted(path);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        const std::string included = l->where.empty() ? "" : l->where + ": ";
        config_err_set(l->err, included + name + ": cannot open it: " + strerror(errno));
        return false;
    }
    const bool fine = load_fd(l, fd, name);
    close(fd);
    return fine;
}

bool config_load_text(Config* c, Bytes text, const char* name, bool includes_allowed,
                      ConfigErr* err) {
    Loader l = {.c = c, .err = err, .where = {}, .includes_allowed = includes_allowed, .depth = 1};
    return load_text(&l, text, name);
}

bool config_load_file(Config* c, const char* path, ConfigErr* err) {
    Loader l = {.c = c, .err = err, .where = {}, .includes_allowed = true};
    // Found before `dir` can change anything, for CONFIG REWRITE.
    char* real = realpath(path, nullptr);
    if (real) c->texts->file = real;
    free(real);
    return load_path(&l, path);
}

// --- Environment
// ---------------------------------------------------------------------------------------

// PORT and CLIENT_OUTPUT_BUFFER_LIMIT -> the row; server_cpulist keeps its underscore.
static const ConfigRow* find_by_variable(const std::string& variable) {
    const auto same = [&](const char* name) {
        const size_t len = strlen(name);
        if (len != variable.size()) return false;
        for (size_t i = 0; i < len; i++) {
            const char c = name[i] == '-' ? '_' : ascii_upper(name[i]);
            if (c != variable[i]) return false;
        }
        return true;
    };
    for (size_t i = 0; i < config_row_count(); i++) {
        const ConfigRow* row = config_row_at(i);
        if (same(row->name) || (row->alias && same(row->alias))) return row;
    }
    return nullptr;
}

bool config_load_environment(Config* c, const char* const* environment, ConfigErr* err) {
    Loader l = {.c = c, .err = err, .where = {}};
    constexpr size_t kPrefixLen = sizeof kEnvPrefix - 1;
    for (; environment && *environment; environment++) {
        const char* equals = strchr(*environment, '=');
        if (!equals || strncmp(*environment, kEnvPrefix, kPrefixLen) != 0) continue;
        const std::string variable(*environment, static_cast<size_t>(equals - *environment));
        l.where = "environment variable " + variable;
        const ConfigRow* row = find_by_variable(variable.substr(kPrefixLen));
        if (!row) return stop(&l, "there is no such setting; unset it");
        if (!set_row(&l, row, {equals + 1}, false)) return false;
    }
    return true;
}

// --- Flags
// -----------------------------------------------------------------------------------------------

struct Flag {
    std::string shown;  // as it was written
    ConfigWords args;   // the name first
};

struct CommandLine {
    const char* file = nullptr;
    bool from_stdin = false;
    std::vector<Flag> flags;
};

static bool starts_flag(const char* arg) { return arg[0] == '-' && arg[1] == '-'; }

// "--port" or "--port 7000" in one argument. *complete: the value came along, or none is needed.
static bool begin_flag(const Loader* l, const ConfigSources& s, int at, Flag* flag,
                       bool* complete) {
    const std::string arg = s.argv[at];
    if (!split_line({arg.data() + 2, arg.size() - 2}, &flag->args)) {
        return stop(l, "unbalanced quotes in " + quoted(arg));
    }
    if (flag->args.empty()) return stop(l, "'--' must be followed by the name of a setting");
    flag->shown = "flag --" + flag->args[0];
    const bool last = at == s.argc - 1;
    // `--save --port 7000` means no saving, as in Redis.
    const bool bare_save =
        bytes_equal_nocase(bytes_of(arg), "--save") && (last || starts_flag(s.argv[at + 1]));
    if (bare_save) flag->args.emplace_back();
    *complete = flag->args.size() > 1;
    return true;
}

// Redis' grammar: right behind a name an argument is a value even if it starts with --.
static bool read_command_line(const Loader* l, const ConfigSources& s, CommandLine* out) {
    int at = 0;
    if (s.argc > 0 && s.argv[0][0] != '-') out->file = s.argv[at++];
    bool complete = true;
    for (; at < s.argc; at++) {
        const char* arg = s.argv[at];
        if (strcmp(arg, "-") == 0 && (at == 0 || at == s.argc - 1)) {
            out->from_stdin = true;
        } else if (complete && starts_flag(arg)) {
            out->flags.emplace_back();
            if (!begin_flag(l, s, at, &out->flags.back(), &complete)) return false;
        } else if (out->flags.empty()) {
            return stop(l, "argument " + quoted(arg) + " is unexpected: write --name value");
        } else {
            out->flags.back().args.emplace_back(arg);
            complete = true;
        }
    }
    return true;
}

static bool set_flag(Loader* l, const Flag& flag) {
    l->where = flag.shown;
    const size_t equals = flag.args[0].find('=');
    if (equals != std::string::npos) {
        return stop(
            l, "write --" + flag.args[0].substr(0, equals) + " and the value as two arguments");
    }
    if (flag.args.size() == 1 && config_row_find(bytes_of(flag.args[0]))) {
        return stop(l, "a value must follow");
    }
    if (bytes_equal_nocase(bytes_of(flag.args[0]), "include")) {
        if (flag.args.size() != 2) return stop(l, "'include' takes one file name");
        return include_paths(l, flag.args[1]);
    }
    return set_words(l, flag.args);
}

bool config_load(Config* c, const ConfigSources& sources, ConfigErr* err) {
    Loader l = {.c = c, .err = err, .where = "command line", .includes_allowed = true};
    CommandLine line;
    if (!read_command_line(&l, sources, &line)) return false;
    if (line.file && !config_load_file(c, line.file, err)) return false;
    if (line.from_stdin && !load_fd(&l, sources.stdin_fd, "standard input")) return false;
    if (!config_load_environment(c, sources.environment, err)) return false;
    for (const Flag& flag : line.flags) {
        if (!set_flag(&l, flag)) return false;
    }
    return true;
}

}  // namespace rp
