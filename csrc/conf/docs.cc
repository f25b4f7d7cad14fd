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
