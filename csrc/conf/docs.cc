// docs/configuration.md, from the rows.
#include "conf/value.h"

namespace rp {

static std::string cell(const std::string& text) {
    std::string out;
    for (char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

static std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

static std::string allowed(const ConfigRow* row) {
    switch (row->kind) {
        case ConfigKind::integer:
        case ConfigKind::memory:
            return text_format("%lld to %lld", static_cast<long long>(row->lower),
                               static_cast<long long>(row->upper));
        case ConfigKind::memory_or_percent:
            return text_format("0 to %lld, or 0%% to 100%%", static_cast<long long>(row->upper));
        case ConfigKind::octal:
            return text_format("0 to %llo", static_cast<unsigned long long>(row->upper));
        case ConfigKind::choice:
        case ConfigKind::choice_set: {
            std::string out;
            for (const ConfigChoice* it = row->choices; it->name; it++) {
                out += (it == row->choices ? "" : ", ") + code(it->name);
            }
            return out;
        }
        default: return "";
    }
}

// What every machine has in common.
static std::string standard(const ConfigRow* row) {
    if (row->num == &Config::io_threads) {
        return text_format("CPUs, at most %lld", static_cast<long long>(kIoThreadsDefaultMax));
    }
    if (row->kind == ConfigKind::directory) return "current directory";
    if (row->kind == ConfigKind::client_limits) return code(row->text);
    ConfigValue value;
    value.num = row->number;
    value.text = config_row_is_text(row) ? row->text : "";
    return code(value_format(row, value));
}

static std::string at_run_time(const ConfigRow* row) {
    if (row->flags & kConfigImmutable) return "no";
    return row->flags & kConfigProtected ? "protected" : "yes";
}

static void print_rows(FILE* out, bool effective) {
    fprintf(out,
            "| Setting | Type | Default | Allowed | CONFIG SET | Meaning |\n"
            "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < config_row_count(); i++) {
        const ConfigRow* row = config_row_at(i);
        if (((row->flags & kConfigEffective) != 0) != effective) continue;
        std::string name = code(row->name);
        if (row->alias) name += ", " + code(row->alias);
        fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", name.c_str(), config_kind_name(row->kind),
                cell(standard(row)).c_str(), cell(allowed(row)).c_str(), at_run_time(row).c_str(),
                cell(row->about).c_str());
    }
}

// ---- redis.conf -------------------------------------------------------------------------------

static std::string without_backticks(const std::string& text) {
    std::string out;
    for (char c : text) {
        if (c != '`') out += c;
    }
    return out;
}

// "## " and at most 96 columns.
static void print_comment(FILE* out, const std::string& text) {
    constexpr size_t kColumns = 92;
    size_t at = 0;
    while (at < text.size()) {
        size_t end = text.size();
        if (end - at > kColumns) {
            end = text.rfind(' ', at + kColumns);
            if (end == std::string::npos || end <= at) end = text.size();
        }
        fprintf(out, "## %s\n", text.substr(at, end - at).c_str());
        at = end + (end < text.size() ? 1 : 0);
    }
}

static void print_setting(FILE* out, const ConfigRow* row) {
    std::string value = without_backticks(standard(row));
    bool of_machine = row->num == &Config::io_threads || row->kind == ConfigKind::directory;
    std::string range = without_backticks(allowed(row));
    print_comment(out, row->about);
    print_comment(out, std::string(config_kind_name(row->kind)) +
                           (range.empty() ? "" : ": " + range) +
                           "; CONFIG SET: " + at_run_time(row));
    if (of_machine) {
        print_comment(out, "Default: " + value + ".");
        value = row->kind == ConfigKind::directory ? "./" : "4";
    }
    if (row->kind == ConfigKind::replica_of) value = "no one";
    bool words = (row->flags & kConfigMulti) || row->kind == ConfigKind::client_limits ||
                 row->kind == ConfigKind::replica_of || row->kind == ConfigKind::save_points ||
                 row->kind == ConfigKind::oom_values || row->kind == ConfigKind::bind_list;
    bool quotes = value.empty() || (!words && value.find(' ') != std::string::npos);
    fprintf(out, quotes ? "# %s \"%s\"\n\n" : "# %s %s\n\n", row->name, value.c_str());
}

static void print_settings(FILE* out, bool effective) {
    for (size_t i = 0; i < config_row_count(); i++) {
        const ConfigRow* row = config_row_at(i);
        if (row->flags & kConfigHidden) continue;
        if (((row->flags & kConfigEffective) != 0) == effective) print_setting(out, row);
    }
}

void config_docs_conf(FILE* out) {
    fprintf(out,
            "## Every setting of the server with its default. Lines with ## explain; take the # "
            "away from\n"
            "## a line to change its value. Generated from csrc/conf/table.cc.\n"
            "##\n"
            "##     python -m rustypotato /etc/rustypotato/redis.conf\n"
            "##\n"
            "## Later sources win: this file, RUSTYPOTATO_* variables, flags, CONFIG SET. CONFIG "
            "REWRITE\n"
            "## writes what CONFIG SET has changed back into it.\n\n");
    print_settings(out, true);
    fprintf(out,
            "## ---- Settings of Redis that are only stored here: they change nothing "
            "----------------------\n\n");
    print_settings(out, false);
}

// ---- docs/configuration.md --------------------------------------------------------------------

void config_docs_markdown(FILE* out) {
    fprintf(
        out,
        "# Configuration\n"
        "\n"
        "<!-- Generated from csrc/conf/table.cc. Do not edit. -->\n"
        "\n"
        "Later sources win: defaults, `redis.conf` file (or `-` for standard input), environment\n"
        "variables `RUSTYPOTATO_<NAME>` (upper case, `_` for `-`), flags (`--name value`),\n"
        "`CONFIG SET`. A setting that is unknown or out of range stops the start.\n"
        "\n"
        "Memory is given in bytes or with a unit: `1k` is 1000, `1kb` is 1024; also `m`, `mb`,\n"
        "`g`, `gb`. \"protected\" settings need `enable-protected-configs`.\n"
        "\n"
        "## Settings that work\n"
        "\n");
    print_rows(out, true);
    fprintf(
        out,
        "\n"
        "## Settings that are only stored\n"
        "\n"
        "Checked, kept, returned by `CONFIG GET` and written by `CONFIG REWRITE`, so that files\n"
        "and clients made for Redis keep working; they change nothing here.\n"
        "\n");
    print_rows(out, false);
}

}  // namespace rp
