#include "cmd/ctx.h"

#include <cstdio>

#include "base/numbers.h"
#include "cmd/dispatch.h"

namespace rp {

bool arg_i64(CmdCtx* c, Bytes arg, int64_t* out) {
    if (parse_i64(arg, out)) return true;
    reply_err(c->out, Err::not_integer);
    return false;
}

bool arg_i64_range(CmdCtx* c, Bytes arg, int64_t low, int64_t high, int64_t* out,
                   const char* message) {
    if (parse_i64(arg, out) && *out >= low && *out <= high) return true;
    if (message == nullptr) {
        reply_err(c->out, Err::not_integer);
    } else {
        reply_errorf(c->out, "ERR %s", message);
    }
    return false;
}

bool arg_i32(CmdCtx* c, Bytes arg, int32_t* out) {
    int64_t v;
    if (!arg_i64(c, arg, &v)) return false;
    if (v < INT32_MIN || v > INT32_MAX) {
        reply_errorf(c->out, "ERR value is out of range, value must between %d and %d", INT32_MIN,
                     INT32_MAX);
        return false;
    }
    *out = static_cast<int32_t>(v);
    return true;
}

bool arg_db(CmdCtx* c, Bytes arg, uint32_t* out) {
    int32_t v;
    if (!arg_i32(c, arg, &v)) return false;
    if (v < 0 || static_cast<uint32_t>(v) >= c->store->db_count) {
        reply_err(c->out, Err::db_out_of_range);
        return false;
    }
    *out = static_cast<uint32_t>(v);
    return true;
}

void ctx_breathe(CmdCtx* c) {
    if (c->a.locked) return;
    ctx_submit_now(c);
    ctx_leave(c);
    ctx_enter(c);
}

size_t cmd_full_name(const Cmd* parent, const Cmd* row, char out[64]) {
    size_t n = 0;
    if (parent != nullptr) {
        for (const char* p = parent->name; *p != 0 && n < 31; p++)
            out[n++] = ascii_lower(*p);
        out[n++] = '|';
    }
    for (const char* p = row->name; *p != 0 && n < 63; p++)
        out[n++] = ascii_lower(*p);
    out[n] = 0;
    return n;
}

bool reply_entry(CmdCtx* c, const Entry* e, Reply* out) {
    StringView v;
    switch (entry_encoding(e)) {
        case Encoding::embstr:
        case Encoding::raw: reply_bulk(out, entry_inline(e)); return true;
        case Encoding::integer: reply_bulk_int(out, entry_integer(e)); return true;
        case Encoding::blob:
            db_value(&c->a, e, &v);
            if (v.ok) reply_bulk_blob(out, v.blob, 0, v.bytes.len);
            return v.ok;
        case Encoding::listpack:
        case Encoding::intset:
        case Encoding::boxed: RP_ASSERT(!"reply_entry is for strings");
    }
    return true;
}

const Entry* read_value(CmdCtx* c, Bytes key, Type type, Value* out, bool* failed) {
    *out = {};
    *failed = false;
    const Entry* e = db_find(&c->a, key);
    if (e == nullptr) {
        *failed = c->a.need_lock;
        return nullptr;
    }
    if (entry_type(e) != type) {
        *failed = true;
        reply_err(c->out, Err::wrong_type);
        return nullptr;
    }
    *failed = !db_view(&c->a, e, out);
    return *failed ? nullptr : e;
}

void deferred_start(DeferredArray* d, const Reply* like) {
    d->reply = *like;
    d->reply.out = &d->out;
}

void deferred_finish_array(DeferredArray* d, Reply* out) {
    reply_array(out, d->items);
    out_splice(out->out, &d->out);
}

void deferred_finish_set(DeferredArray* d, Reply* out) {
    reply_set(out, d->items);
    out_splice(out->out, &d->out);
}

void deferred_finish_map(DeferredArray* d, Reply* out) {
    reply_map(out, d->items);
    out_splice(out->out, &d->out);
}

void reply_help(CmdCtx* c, const char* const* lines, size_t count) {
    const Cmd* container = c->parent != nullptr ? c->parent : c->row;
    char title[96];
    int n =
        snprintf(title, sizeof title,
                 "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", container->name);
    reply_array(c->out, count + 3);
    reply_simple(c->out, {title, static_cast<size_t>(n)});
    for (size_t i = 0; i < count; i++)
        reply_simple(c->out, bytes_of(lines[i]));
    reply_simple(c->out, "HELP");
    reply_simple(c->out, "    Print this help.");
}

void reply_err_subcommand(CmdCtx* c, Args argv) {
    reply_errorf(
        c->out, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
        static_cast<int>(argv[1].len < 128 ? argv[1].len : 128), argv[1].ptr, c->parent->name);
}

}  // namespace rp
