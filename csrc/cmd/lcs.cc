// LCS: the longest common subsequence of two strings, by the classic table of (m+1) x (n+1)
// lengths.
#include "cmd/families.h"
#include "mem/mem.h"

namespace rp {

struct LcsOptions {
    bool len = false, idx = false, with_len = false;
    int64_t min_len = 0;
};

static bool parse_options(CmdCtx* c, Args argv, LcsOptions* o) {
    for (size_t i = 3; i < argv.len; i++) {
        if (arg_is(argv[i], "IDX")) {
            o->idx = true;
        } else if (arg_is(argv[i], "LEN")) {
            o->len = true;
        } else if (arg_is(argv[i], "WITHMATCHLEN")) {
            o->with_len = true;
        } else if (arg_is(argv[i], "MINMATCHLEN") && i + 1 < argv.len) {
            if (!arg_i64(c, argv[++i], &o->min_len)) return false;
            if (o->min_len < 0) o->min_len = 0;
        } else {
            reply_err(c->out, Err::syntax);
            return false;
        }
    }
    if (!o->idx || !o->len) return true;
    reply_error(c->out, "ERR If you want both the length and indexes, please just use IDX.");
    return false;
}

// A missing key is the empty string. False: replied, or the lock is needed.
static bool string_arg(CmdCtx* c, Bytes key, StringView* out) {
    const Entry* e = db_find(&c->a, key);
    if (e == nullptr) return !c->a.need_lock;
    if (entry_type(e) != Type::string) {
        reply_error(c->out, "ERR The specified keys must contain string values");
        return false;
    }
    db_value(&c->a, e, out);
    return out->ok;
}

struct LcsTable {
    uint32_t* cells = nullptr;  // (a.len + 1) rows of b.len + 1
    size_t bytes = 0;
    size_t width = 0;
};

static uint32_t cell(const LcsTable* t, size_t i, size_t j) { return t->cells[i * t->width + j]; }

static bool table_alloc(CmdCtx* c, Bytes a, Bytes b, LcsTable* t) {
    size_t cells;
    auto limit = static_cast<uint64_t>(config_num(c->config->proto_max_bulk_len));
    if (__builtin_mul_overflow(a.len + 1, b.len + 1, &cells) ||
        __builtin_mul_overflow(cells, sizeof(uint32_t), &t->bytes) || t->bytes > limit) {
        reply_error(c->out,
                    "ERR Insufficient memory, transient memory for LCS exceeds "
                    "proto-max-bulk-len");
        return false;
    }
    t->width = b.len + 1;
    t->cells = static_cast<uint32_t*>(mem_try_alloc(t->bytes));
    if (t->cells != nullptr) return true;
    reply_error(c->out, "ERR Insufficient memory, failed allocating transient memory for LCS");
    return false;
}

static void table_fill(LcsTable* t, Bytes a, Bytes b) {
    for (size_t j = 0; j <= b.len; j++)
        t->cells[j] = 0;
    for (size_t i = 1; i <= a.len; i++) {
        uint32_t* row = t->cells + i * t->width;
        const uint32_t* above = row - t->width;
        row[0] = 0;
        for (size_t j = 1; j <= b.len; j++) {
            row[j] = a[i - 1] == b[j - 1] ? above[j - 1] + 1
                                          : (above[j] > row[j - 1] ? above[j] : row[j - 1]);
        }
    }
}

// A run of matching bytes, ends inclusive.
struct Match {
    size_t a_start, a_end, b_start, b_end;
};

static void reply_match(DeferredArray* d, const LcsOptions* o, const Match* m) {
    size_t len = m->a_end - m->a_start + 1;
    if (o->min_len != 0 && len < static_cast<size_t>(o->min_len)) return;
    reply_array(&d->reply, o->with_len ? 3 : 2);
    reply_array(&d->reply, 2);
    reply_int(&d->reply, static_cast<int64_t>(m->a_start));
    reply_int(&d->reply, static_cast<int64_t>(m->a_end));
    reply_array(&d->reply, 2);
    reply_int(&d->reply, static_cast<int64_t>(m->b_start));
    reply_int(&d->reply, static_cast<int64_t>(m->b_end));
    if (o->with_len) reply_int(&d->reply, static_cast<int64_t>(len));
    d->items++;
}

// Walks the table back from its last cell. Fills `text` from its end; reports runs of matches.
static void walk_back(const LcsTable* t, Bytes a, Bytes b, const LcsOptions* o, char* text,
                      DeferredArray* matches) {
    Match run = {};
    bool open = false;
    size_t left = cell(t, a.len, b.len);
    for (size_t i = a.len, j = b.len; i > 0 && j > 0;) {
        if (a[i - 1] == b[j - 1]) {
            if (!open) run = {i - 1, i - 1, j - 1, j - 1};
            open = true;
            run.a_start = --i;
            run.b_start = --j;
            if (text != nullptr) text[--left] = a[i];
            continue;
        }
        if (open && matches != nullptr) reply_match(matches, o, &run);
        open = false;
        if (cell(t, i - 1, j) > cell(t, i, j - 1)) {
            i--;
        } else {
            j--;
        }
    }
    if (open && matches != nullptr) reply_match(matches, o, &run);
}

static void reply_indexes(CmdCtx* c, const LcsTable* t, Bytes a, Bytes b, const LcsOptions* o) {
    DeferredArray matches;
    deferred_start(&matches, c->out);
    walk_back(t, a, b, o, nullptr, &matches);
    reply_map(c->out, 2);
    reply_bulk(c->out, "matches");
    deferred_finish_array(&matches, c->out);
    reply_bulk(c->out, "len");
    reply_int(c->out, cell(t, a.len, b.len));
}

static void reply_text(CmdCtx* c, const LcsTable* t, Bytes a, Bytes b) {
    size_t len = cell(t, a.len, b.len);
    Blob* text = blob_try_new(len);
    if (text == nullptr) return reply_err(c->out, Err::no_memory);
    text->len = len;
    walk_back(t, a, b, nullptr, text->data, nullptr);
    reply_bulk_blob(c->out, text, 0, len);
    blob_unref(text);
}

static void cmd_lcs(CmdCtx* c, Args argv, Reply* out) {
    LcsOptions o;
    StringView a, b;
    LcsTable t;
    if (!string_arg(c, argv[1], &a) || !string_arg(c, argv[2], &b)) return;
    if (!parse_options(c, argv, &o) || !table_alloc(c, a.bytes, b.bytes, &t)) return;
    table_fill(&t, a.bytes, b.bytes);
    if (o.idx) {
        reply_indexes(c, &t, a.bytes, b.bytes, &o);
    } else if (o.len) {
        reply_int(out, cell(&t, a.bytes.len, b.bytes.len));
    } else {
        reply_text(c, &t, a.bytes, b.bytes);
    }
    mem_free(t.cells, t.bytes);
}

// clang-format off: a row reads best as one block.
const Cmd kLcsCmds[] = {
    {.name = "LCS",
     .run = cmd_lcs,
     .arity = -3,
     .flags = kCmdReadonly,
     .acl = kAclString,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1, .last = 1}},
     .group = "string",
     .syntax = "key1:key#0 key2:key#0 [LEN] [IDX] [MINMATCHLEN len:integer] "
               "[WITHMATCHLEN]",
     .reply = Shape::any,
     .since = "7.0.0",
     .cost = "O(N*M), the lengths of the two strings",
     .about = "Finds the longest common subsequence of two strings."},
    {},
};
// clang-format on

}  // namespace rp
