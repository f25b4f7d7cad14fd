// KEYS and SCAN: walks over all keys of a database, lock-free.
#include "base/glob.h"
#include "base/numbers.h"
#include "cmd/families.h"
#include "store/expire.h"

namespace rp {

struct Walk {
    CmdCtx* c;
    DeferredArray found;
    Bytes pattern;  // "*" matches all, the empty key included
    Bytes type;     // empty: any
    size_t visited;
    ExpiredList* expired;  // SCAN deletes what it meets, as Redis does; KEYS (null) does not
};

static void visit_key(Entry* e, void* arg) {
    auto* w = static_cast<Walk*>(arg);
    w->visited++;
    Bytes key = entry_key(e);
    bool all = w->pattern.len == 1 && w->pattern[0] == '*';
    if (!all && !glob_match(w->pattern, key)) return;
    if (w->type.len != 0 && !bytes_equal_nocase(w->type, type_name(entry_type(e)))) return;
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
    Walk w = {c, {}, argv[1], {}, 0, nullptr};
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

static bool parse_scan(CmdCtx* c, Args argv, Walk* w, int64_t* count) {
    for (size_t i = 2; i < argv.len; i += 2) {
        bool has_value = i + 1 < argv.len;
        if (arg_is(argv[i], "COUNT") && has_value) {
            if (!arg_i64(c, argv[i + 1], count)) return false;
            if (*count >= 1) continue;
        } else if (arg_is(argv[i], "MATCH") && has_value) {
            w->pattern = argv[i + 1];
            continue;
        } else if (arg_is(argv[i], "TYPE") && has_value) {
            w->type = argv[i + 1];
            continue;
        }
        reply_err(c->out, Err::syntax);
        return false;
    }
    return true;
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
    Walk w = {c, {}, "*", {}, 0, &expired};
    uint64_t cursor;
    int64_t count = 10;
    if (!parse_cursor(argv[1], &cursor)) return reply_error(out, "ERR invalid cursor");
    if (!parse_scan(c, argv, &w, &count)) return;
    deferred_start(&w.found, out);
    cursor = scan_some(c, &w, cursor, count);
    expired_delete(&c->a, &expired);
    char text[kI64TextMax];
    reply_array(out, 2);
    reply_bulk(out, {text, format_u64(text, cursor)});
    deferred_finish_array(&w.found, out);
}

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
