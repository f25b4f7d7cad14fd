// KEYS and SCAN: walks over all keys of a database, lock-free. HSCAN, SSCAN and ZSCAN: walks over
// one collection (cmd/scan.h).
#include "cmd/scan.h"

#include "base/glob.h"
#include "base/numbers.h"
#include "cmd/families.h"
#include "store/expire.h"
#include "types/zset.h"

namespace rp {

struct ScanOptions {
    Bytes pattern = "*";  // matches all, the empty name included
    Bytes type;           // SCAN only; empty: any
    int64_t count = 10;
};

static bool is_wanted(const ScanOptions* o, Bytes name) {
    bool all = o->pattern.len == 1 && o->pattern[0] == '*';
    return all || glob_match(o->pattern, name);
}

struct Walk {
    CmdCtx* c;
    DeferredArray found;
    ScanOptions options;
    size_t visited;
    ExpiredList* expired;  // SCAN deletes what it meets, as Redis does; KEYS (null) does not
};

static void visit_key(Entry* e, void* arg) {
    auto* w = static_cast<Walk*>(arg);
    w->visited++;
    Bytes key = entry_key(e);
    Bytes type = w->options.type;
    if (!is_wanted(&w->options, key)) return;
    if (type.len != 0 && !bytes_equal_nocase(type, type_name(entry_type(e)))) return;
    if (entry_expired(&w->c->a, e)) {
        if (w->expired != nullptr) expired_add(w->expired, e);
        return;
    }
    reply_bulk(&w->found.reply, key);
    w->found.items++;
}

constexpr size_t kVisitsPerPin = 1024;

static void breathe_now_and_then(Walk* w, size_t* since) {
    if (w->visited - *since < kVisitsPerPin) return;
    *since = w->visited;
    if (w->expired != nullptr) expired_delete(&w->c->a, w->expired);
    ctx_breathe(w->c);
}

static void cmd_keys(CmdCtx* c, Args argv, Reply* out) {
    Walk w = {c, {}, {}, 0, nullptr};
    w.options.pattern = argv[1];
    size_t since = 0;
    deferred_start(&w.found, out);
    for (uint64_t cursor = 0;;) {
        cursor = table_scan(db_table(&c->a), cursor, visit_key, &w);
        if (cursor == 0) break;
        breathe_now_and_then(&w, &since);
    }
    deferred_finish_array(&w.found, out);
}

// As strtoul reads it: a sign and leading zeros are accepted, a leading space is not; the text ends
// at a NUL; nothing at all is 0.
static bool parse_cursor(Bytes arg, uint64_t* out) {
    size_t len = 0, i = 0;
    while (len < arg.len && arg[len] != 0)
        len++;
    bool negative = len > 0 && arg[0] == '-';
    if (len > 0 && (arg[0] == '-' || arg[0] == '+')) i++;
    if (i == len) {
        *out = 0;
        return i == 0;
    }
    uint64_t v = 0;
    for (; i < len; i++) {
        if (arg[i] < '0' || arg[i] > '9') return false;
        if (__builtin_mul_overflow(v, 10u, &v)) return false;
        if (__builtin_add_overflow(v, static_cast<uint64_t>(arg[i] - '0'), &v)) return false;
    }
    *out = negative ? 0 - v : v;
    return true;
}

// TYPE is an option of SCAN alone.
static bool parse_options(CmdCtx* c, Args argv, size_t from, bool with_type, ScanOptions* o) {
    for (size_t i = from; i < argv.len; i += 2) {
        bool has_value = i + 1 < argv.len;
        if (arg_is(argv[i], "COUNT") && has_value) {
            if (!arg_i64(c, argv[i + 1], &o->count)) return false;
            if (o->count >= 1) continue;
        } else if (arg_is(argv[i], "MATCH") && has_value) {
            o->pattern = argv[i + 1];
            continue;
        } else if (with_type && arg_is(argv[i], "TYPE") && has_value) {
            o->type = argv[i + 1];
            continue;
        }
        reply_err(c->out, Err::syntax);
        return false;
    }
    return true;
}

static void reply_page(Reply* out, uint64_t cursor, DeferredArray* found) {
    char text[kI64TextMax];
    reply_array(out, 2);
    reply_bulk(out, {text, format_u64(text, cursor)});
    deferred_finish_array(found, out);
}

// At least one bucket, at most ten times COUNT of them, until COUNT keys were found.
static uint64_t scan_some(CmdCtx* c, Walk* w, uint64_t cursor, int64_t count) {
    size_t since = 0;
    int64_t buckets_max = count > INT64_MAX / 10 ? INT64_MAX : count * 10;
    for (int64_t i = 0; i < buckets_max; i++) {
        cursor = table_scan(db_table(&c->a), cursor, visit_key, w);
        if (cursor == 0 || w->found.items >= static_cast<uint64_t>(count)) break;
        breathe_now_and_then(w, &since);
    }
    return cursor;
}

static void cmd_scan(CmdCtx* c, Args argv, Reply* out) {
    ExpiredList expired;
    Walk w = {c, {}, {}, 0, &expired};
    uint64_t cursor;
    if (!parse_cursor(argv[1], &cursor)) return reply_error(out, "ERR invalid cursor");
    if (!parse_options(c, argv, 2, true, &w.options)) return;
    deferred_start(&w.found, out);
    cursor = scan_some(c, &w, cursor, w.options.count);
    expired_delete(&c->a, &expired);
    reply_page(out, cursor, &w.found);
}

// ---- collections ------------------------------------------------------------------------------

struct CollectionWalk {
    Type type;
    ScanBeside beside;
    ScanOptions options;
    DeferredArray found;
};

static void visit_element(const Element* e, void* arg) {
    auto* w = static_cast<CollectionWalk*>(arg);
    if (!is_wanted(&w->options, e->key)) return;
    reply_bulk(&w->found.reply, e->key);
    w->found.items++;
    if (w->beside == nullptr) return;
    w->beside(&w->found.reply, e);
    w->found.items++;
}

static void visit_item(const Item* item, void* arg) {
    Element e = element_of_item(item, static_cast<CollectionWalk*>(arg)->type);
    visit_element(&e, arg);
}

static uint64_t walk_collection(const Value* v, uint64_t cursor, CollectionWalk* w) {
    const Dict* d = v->form == Form::dict   ? v->dict
                    : v->form == Form::zset ? v->zset->dict
                                            : nullptr;
    if (d != nullptr) {
        return dict_scan(d, cursor, static_cast<size_t>(w->options.count), visit_item, w);
    }
    value_each(v, w->type, visit_element, w);
    return 0;
}

// The cursor is looked at first, then the key, and only of one that is there the options.
void scan_collection(CmdCtx* c, Args argv, Type type, ScanBeside beside) {
    CollectionWalk w = {type, beside, {}, {}};
    Value v;
    uint64_t cursor;
    bool failed;
    if (!parse_cursor(argv[2], &cursor)) return reply_error(c->out, "ERR invalid cursor");
    bool found = read_value(c, argv[1], type, &v, &failed) != nullptr;
    if (failed) return;
    if (found && !parse_options(c, argv, 3, false, &w.options)) return;
    deferred_start(&w.found, c->out);
    if (found) cursor = walk_collection(&v, cursor, &w);
    reply_page(c->out, found ? cursor : 0, &w.found);
}

// ---- rows -------------------------------------------------------------------------------------

// clang-format off: a row reads best as one block.
const Cmd kScanCmds[] = {
    {.name = "KEYS",
     .run = cmd_keys,
     .arity = 2,
     .flags = kCmdReadonly | kCmdKeyspace,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "generic",
     .syntax = "pattern:pattern",
     .reply = Shape::array,
     .since = "1.0.0",
     .cost = "O(N), N = keys in the database",
     .about = "Returns all keys that match a pattern.",
     .tips = {"request_policy:all_shards", "nondeterministic_output_order"}},
    {.name = "SCAN",
     .run = cmd_scan,
     .arity = -2,
     .flags = kCmdReadonly | kCmdKeyspace,
     .acl = kAclKeyspace,
     .group = "generic",
     .syntax = "cursor:integer [MATCH pattern:pattern] [COUNT count:integer] "
               "[TYPE type:string@6.0.0]",
     .reply = Shape::array,
     .since = "2.8.0",
     .cost = "O(1) per call, O(N) for a whole walk",
     .about = "Walks over the keys of a database step by step.",
     .tips = {"nondeterministic_output", "request_policy:special"},
     .history = {{"6.0.0", "New option `TYPE`."}}},
    {},
};
// clang-format on

}  // namespace rp
