// COMMAND DOCS: rows as nested maps, fields in Redis' order.
#include "engine/command.h"
#include "engine/syntax.h"

namespace rp {

static void put_text(Reply* out, Bytes name, Bytes value) {
    reply_bulk(out, name);
    reply_bulk(out, value);
}

// ---- arguments --------------------------------------------------------------------------------

static size_t arg_flags(const ArgNode* n) {
    return size_t{n->optional} + size_t{n->multiple} + size_t{n->multiple_token};
}

static size_t arg_fields(const ArgNode* n) {
    return 2 + size_t{n->key_spec >= 0} + size_t{n->has_token} + size_t{n->since.len != 0} +
           size_t{n->deprecated_since.len != 0} + size_t{arg_flags(n) != 0} +
           size_t{n->children != 0};
}

static void put_args(Reply* out, const Syntax* s, int16_t first, size_t count);

static void put_arg(Reply* out, const Syntax* s, const ArgNode* n) {
    char buf[kArgNameMax];
    reply_map(out, arg_fields(n));
    put_text(out, "name", arg_name(n, buf));
    put_text(out, "type", arg_type_name(n->type));
    if (n->key_spec >= 0) {
        reply_bulk(out, "key_spec_index");
        reply_int(out, n->key_spec);
    }
    if (n->has_token) put_text(out, "token", n->token);
    if (n->since.len != 0) put_text(out, "since", n->since);
    if (n->deprecated_since.len != 0) put_text(out, "deprecated_since", n->deprecated_since);
    if (arg_flags(n) != 0) {
        reply_bulk(out, "flags");
        reply_set(out, arg_flags(n));
        if (n->optional) reply_simple(out, "optional");
        if (n->multiple) reply_simple(out, "multiple");
        if (n->multiple_token) reply_simple(out, "multiple_token");
    }
    if (n->children != 0) {
        reply_bulk(out, "arguments");
        put_args(out, s, n->child, n->children);
    }
}

static void put_args(Reply* out, const Syntax* s, int16_t first, size_t count) {
    reply_array(out, count);
    for (int16_t i = first; i >= 0; i = s->nodes[i].next)
        put_arg(out, s, &s->nodes[i]);
}

// ---- rows -------------------------------------------------------------------------------------

static size_t history_count(const Cmd* row) {
    size_t n = 0;
    while (n < sizeof row->history / sizeof row->history[0] && row->history[n][0] != nullptr)
        n++;
    return n;
}

static void put_doc_flags(Reply* out, const Cmd* row) {
    bool deprecated = row->deprecated_since != nullptr;
    bool syscmd = (row->flags & kCmdSyscmd) != 0;
    if (!deprecated && !syscmd) return;
    reply_bulk(out, "doc_flags");
    reply_set(out, size_t{deprecated} + size_t{syscmd});
    if (deprecated) reply_simple(out, "deprecated");
    if (syscmd) reply_simple(out, "syscmd");
}

static void put_history(Reply* out, const Cmd* row) {
    size_t n = history_count(row);
    if (n == 0) return;
    reply_bulk(out, "history");
    reply_set(out, n);
    for (size_t i = 0; i < n; i++) {
        reply_array(out, 2);
        reply_bulk(out, bytes_of(row->history[i][0]));
        reply_bulk(out, bytes_of(row->history[i][1]));
    }
}

static void put_row(Reply* out, const Cmd* parent, const Cmd* row);

static void put_subcommands(Reply* out, const Cmd* row) {
    size_t n = 0;
    for (const Cmd* s = row->subcommands; s != nullptr; s = subcommand_next(s))
        n++;
    if (n == 0) return;
    reply_bulk(out, "subcommands");
    reply_map(out, n);
    for (const Cmd* s = row->subcommands; s != nullptr; s = subcommand_next(s)) {
        put_row(out, row, s);
    }
}

static void put_row(Reply* out, const Cmd* parent, const Cmd* row) {
    Syntax syntax;
    bool parsed = syntax_parse(row->syntax, &syntax);
    RP_ASSERT(parsed && "a row's syntax is in the grammar of cmd/row.h");
    bool flagged = row->deprecated_since != nullptr || (row->flags & kCmdSyscmd) != 0;
    reply_full_name(out, parent, row);
    reply_map(out, 3 + size_t{row->cost != nullptr} + size_t{flagged} +
                       size_t{row->deprecated_since != nullptr} +
                       size_t{row->replaced_by != nullptr} + size_t{history_count(row) != 0} +
                       size_t{syntax.count != 0} + size_t{row->subcommands != nullptr});
    put_text(out, "summary", bytes_of(row->about));
    put_text(out, "since", bytes_of(row->since));
    put_text(out, "group", bytes_of(row->group));
    if (row->cost != nullptr) put_text(out, "complexity", bytes_of(row->cost));
    put_doc_flags(out, row);
    if (row->deprecated_since != nullptr) {
        put_text(out, "deprecated_since", bytes_of(row->deprecated_since));
    }
    if (row->replaced_by != nullptr) put_text(out, "replaced_by", bytes_of(row->replaced_by));
    put_history(out, row);
    if (syntax.count != 0) {
        reply_bulk(out, "arguments");
        put_args(out, &syntax, syntax.first, syntax.count);
    }
    put_subcommands(out, row);
}

void command_docs(CmdCtx* c, Args argv, Reply* out) {
    DeferredArray found;
    deferred_start(&found, out);
    for (size_t i = 0; argv.len == 2 && i < command_top_count(); i++) {
        if (!command_listed(c, command_at(i))) continue;
        put_row(&found.reply, nullptr, command_at(i));
        found.items++;
    }
    for (size_t i = 2; i < argv.len; i++) {
        CmdRef ref = command_lookup(c, argv[i]);
        if (ref.row == nullptr) continue;
        put_row(&found.reply, ref.parent, ref.row);
        found.items++;
    }
    deferred_finish_map(&found, out);
}

}  // namespace rp
