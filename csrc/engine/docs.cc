// docs/commands.md, written from the rows.
#include <cstdlib>

#include "engine/command.h"
#include "engine/engine.h"
#include "engine/syntax.h"
#include "engine/text.h"

namespace rp {

struct Group {
    const char* name;  // Cmd::group
    const char* title;
};

// Groups that appear in this order; a row of another group is a bug (engine_commands_markdown
// asserts).
static const Group kGroups[] = {
    {"string", "Strings"},
    {"list", "Lists"},
    {"hash", "Hashes"},
    {"set", "Sets"},
    {"sorted-set", "Sorted sets"},
    {"generic", "Keys"},
    {"transactions", "Transactions"},
    {"pubsub", "Publish/subscribe"},
    {"connection", "Connections"},
    {"server", "Server"},
};

// Table cells: a bar would end the cell.
static void add_cell(void* arg, Bytes piece) {
    auto* t = static_cast<Text*>(arg);
    for (size_t i = 0; i < piece.len; i++) {
        if (piece[i] == '|') text_add(t, "\\");
        text_add(t, bytes_slice(piece, i, 1));
    }
}

static void add_syntax(Text* t, const Cmd* parent, const Cmd* row) {
    Syntax syntax;
    bool parsed = syntax_parse(row->syntax, &syntax);
    RP_ASSERT(parsed && "a row's syntax is in the grammar of cmd/row.h");
    text_add(t, "`");
    if (parent != nullptr) text_addf(t, "%s ", parent->name);
    text_add(t, bytes_of(row->name));
    if (syntax.count != 0) text_add(t, " ");
    syntax_print(&syntax, add_cell, t);
    text_add(t, "`");
}

static void add_row(Text* t, const Cmd* parent, const Cmd* row) {
    text_add(t, "| ");
    add_syntax(t, parent, row);
    text_addf(t, " | %s | ", row->since);
    add_cell(t, bytes_of(row->cost != nullptr ? row->cost : ""));
    text_add(t, " | ");
    add_cell(t, bytes_of(row->about));
    if (row->deprecated_since != nullptr) {
        text_addf(t, " Deprecated since %s", row->deprecated_since);
        if (row->replaced_by != nullptr) text_addf(t, ": use %s", row->replaced_by);
        text_add(t, ".");
    }
    text_add(t, " |\n");
}

static size_t add_group(Text* t, const Group* g) {
    size_t rows = 0;
    text_addf(t, "\n## %s\n\n| Command | Since | Cost | What it does |\n|---|---|---|---|\n",
              g->title);
    for (size_t i = 0; i < command_top_count(); i++) {
        const Cmd* row = command_at(i);
        if (!row_listed(row) || strcmp(row->group, g->name) != 0) continue;
        rows++;
        if (row->run != nullptr) add_row(t, nullptr, row);
        for (const Cmd* s = row->subcommands; s != nullptr; s = subcommand_next(s)) {
            add_row(t, row, s);
        }
    }
    return rows;
}

char* engine_commands_markdown() {
    engine_register_commands();
    Text t;
    size_t listed = 0, written = 0;
    text_add(&t,
             "# Commands\n\n"
             "Generated from the command rows in `csrc/` (`make docs`): do not edit.\n\n"
             "Replies, errors and options are those of Redis 7.0. \"Since\" is the Redis version "
             "that brought the command. In the syntax, `[ ]` is optional, `|` means one of, `...` "
             "may be repeated.\n");
    for (size_t i = 0; i < command_top_count(); i++)
        listed += row_listed(command_at(i));
    for (const Group& g : kGroups)
        written += add_group(&t, &g);
    RP_ASSERT(written == listed && "every row is in a group of kGroups");
    auto* out = static_cast<char*>(malloc(t.len + 1));
    RP_ASSERT(out != nullptr);
    memcpy(out, t.ptr, t.len);
    out[t.len] = 0;
    text_free(&t);
    return out;
}

}  // namespace rp
