// The list family, without the commands that block.
#include "types/list.h"

#include "cmd/effect.h"
#include "cmd/families.h"
#include "cmd/options.h"
#include "store/edit.h"
#include "store/notify.h"

namespace rp {

static ListLimits limits_of(const CmdCtx* c) {
    return list_limits(config_num(c->config->list_max_listpack_size));
}

// WRONGTYPE is replied here.
static Opened open_list(CmdCtx* c, Bytes key, Edit* e) {
    Opened opened = edit_open(&c->a, key, Type::list, e);
    if (opened == Opened::wrong_type) reply_err(c->out, Err::wrong_type);
    return opened;
}

// The same for commands that need the key; without it the caller replies.
static bool open_present(CmdCtx* c, Bytes key, Edit* e, Opened* opened) {
    *opened = open_list(c, key, e);
    if (*opened == Opened::absent) edit_close(e, 0);
    return *opened == Opened::found;
}

static void close_settled(Edit* e, uint64_t changes) {
    list_settle(e->value);
    edit_close(e, changes);
}

// Some changes count once, although two keys or none changed their bytes.
static void count_changes(CmdCtx* c, uint64_t before, uint64_t changes) {
    c->a.changes = before + changes;
}

enum class ListEnd : uint8_t { left, right };

// LEFT or RIGHT. False: the error is replied.
static bool arg_end(CmdCtx* c, Bytes arg, ListEnd* out) {
    bool left = arg_is(arg, "LEFT");
    if (!left && !arg_is(arg, "RIGHT")) {
        reply_err(c->out, Err::syntax);
        return false;
    }
    *out = left ? ListEnd::left : ListEnd::right;
    return true;
}

static Bytes push_event(ListEnd end) {
    return end == ListEnd::left ? Bytes("lpush") : Bytes("rpush");
}
static Bytes pop_event(ListEnd end) { return end == ListEnd::left ? Bytes("lpop") : Bytes("rpop"); }

static ListAt end_of(const Value* v, ListEnd end) {
    return list_seek(v, end == ListEnd::left ? 0 : -1);
}

// Part of a list, both ends inclusive and from -1 at the back, as LRANGE and LTRIM name it.
struct Span {
    size_t from, count;
};
static Span span_of(int64_t start, int64_t stop, size_t list_count) {
    auto n = static_cast<int64_t>(list_count);
    if (start < 0) start = start + n < 0 ? 0 : start + n;
    if (stop < 0) stop += n;
    if (stop >= n) stop = n - 1;
    if (start > stop) return {0, 0};
    return {static_cast<size_t>(start), static_cast<size_t>(stop - start + 1)};
}

// ---- pushing ----------------------------------------------------------------------------------

// An argument may be longer than an element can be.
static bool elements_fit(CmdCtx* c, Args argv, size_t from) {
    for (size_t i = from; i < argv.len; i++) {
        if (RP_LIKELY(argv[i].len <= kValueMax)) continue;
        reply_err(c->out, Err::string_too_long);
        return false;
    }
    return true;
}

enum class Push : uint8_t { always, if_present };

static void push(CmdCtx* c, Args argv, ListEnd end, Push when) {
    Edit e;
    if (!elements_fit(c, argv, 2)) return;
    Opened opened = open_list(c, argv[1], &e);
    if (opened == Opened::wrong_type) return;
    if (opened == Opened::absent && when == Push::if_present) {
        edit_close(&e, 0);
        return reply_int(c->out, 0);
    }
    ListLimits limits = limits_of(c);
    for (size_t i = 2; i < argv.len; i++)
        list_push(e.value, end == ListEnd::left, argv[i], limits);
    auto len = static_cast<int64_t>(list_len(e.value));
    edit_close(&e, argv.len - 2);
    edit_notify(&e, kNotifyList, push_event(end));
    reply_int(c->out, len);
}

static void cmd_lpush(CmdCtx* c, Args argv, Reply*) { push(c, argv, ListEnd::left, Push::always); }
static void cmd_rpush(CmdCtx* c, Args argv, Reply*) { push(c, argv, ListEnd::right, Push::always); }
static void cmd_lpushx(CmdCtx* c, Args argv, Reply*) {
    push(c, argv, ListEnd::left, Push::if_present);
}
static void cmd_rpushx(CmdCtx* c, Args argv, Reply*) {
    push(c, argv, ListEnd::right, Push::if_present);
}

static void cmd_linsert(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    Opened opened;
    bool after = arg_is(argv[2], "AFTER");
    if (!after && !arg_is(argv[2], "BEFORE")) return reply_err(out, Err::syntax);
    if (!elements_fit(c, argv, 4)) return;
    if (!open_present(c, argv[1], &e, &opened)) {
        if (opened == Opened::absent) reply_int(out, 0);
        return;
    }
    ListAt pivot = list_find(e.value, list_seek(e.value, 0), argv[3]);
    if (list_outside(pivot)) {
        edit_close(&e, 0);
        return reply_int(out, -1);
    }
    list_insert(e.value, pivot, after, argv[4], limits_of(c));
    reply_int(out, static_cast<int64_t>(list_len(e.value)));
    edit_close(&e, 1);
    edit_notify(&e, kNotifyList, "linsert");
}

static void cmd_lset(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    Opened opened;
    int64_t index;
    if (!elements_fit(c, argv, 3)) return;
    if (!open_present(c, argv[1], &e, &opened)) {
        if (opened == Opened::absent) reply_err(out, Err::no_such_key);
        return;
    }
    if (!arg_i64(c, argv[2], &index)) return edit_close(&e, 0);
    ListAt place = list_seek(e.value, index);
    if (list_outside(place)) {
        edit_close(&e, 0);
        return reply_error(out, "ERR index out of range");
    }
    list_replace(e.value, place, argv[3], limits_of(c));
    close_settled(&e, 1);
    edit_notify(&e, kNotifyList, "lset");
    reply_ok(out);
}

// ---- popping ----------------------------------------------------------------------------------

// Takes `count` elements (fewer if there are not as many) off one end, replying an array of them.
static uint64_t pop_many(const Edit* e, ListEnd end, uint64_t count, Reply* out) {
    size_t len = list_len(e->value);
    size_t n = count < len ? static_cast<size_t>(count) : len;
    ListAt at = end_of(e->value, end), first = at;
    reply_array(out, n);
    for (size_t i = 0; i < n; i++) {
        reply_bulk(out, list_get(e->value, at));
        first = at;
        at = end == ListEnd::left ? list_next(e->value, at) : list_prev(e->value, at);
    }
    list_erase(e->value, end == ListEnd::left ? end_of(e->value, end) : first, n);
    return n;
}

static void pop_one(CmdCtx* c, Bytes key, ListEnd end) {
    Edit e;
    Opened opened;
    if (!open_present(c, key, &e, &opened)) {
        if (opened == Opened::absent) reply_null(c->out);
        return;
    }
    ListAt at = end_of(e.value, end);
    reply_bulk(c->out, list_get(e.value, at));
    list_erase(e.value, at, 1);
    close_settled(&e, 1);
    edit_notify(&e, kNotifyList, pop_event(end));
}

static void pop(CmdCtx* c, Args argv, ListEnd end) {
    Edit e;
    Opened opened;
    int64_t count;
    if (argv.len == 2) return pop_one(c, argv[1], end);
    if (argv.len > 3) {
        char name[64];
        cmd_full_name(c->parent, c->row, name);
        return reply_err_arity(c->out, name);
    }
    if (!arg_i64_range(c, argv[2], 0, INT64_MAX, &count,
                       "value is out of range, must be positive")) {
        return;
    }
    if (!open_present(c, argv[1], &e, &opened)) {
        if (opened == Opened::absent) reply_null_array(c->out);
        return;
    }
    uint64_t popped = pop_many(&e, end, static_cast<uint64_t>(count), c->out);
    close_settled(&e, popped);
    if (popped != 0) edit_notify(&e, kNotifyList, pop_event(end));
}

static void cmd_lpop(CmdCtx* c, Args argv, Reply*) { pop(c, argv, ListEnd::left); }
static void cmd_rpop(CmdCtx* c, Args argv, Reply*) { pop(c, argv, ListEnd::right); }

struct MpopOptions {
    size_t keys;
    ListEnd end;
    int64_t count;
};

// numkeys key [key ...] LEFT|RIGHT [COUNT count]
static bool arg_mpop(CmdCtx* c, Args argv, MpopOptions* o) {
    if (!arg_numkeys(c, argv, 1, Numkeys::pop, &o->keys)) return false;
    size_t i = o->keys + 2;
    if (!arg_end(c, argv[i++], &o->end)) return false;
    o->count = 1;
    if (i == argv.len) return true;
    // Once only; what follows it is looked at after its number.
    if (!arg_is(argv[i], "COUNT") || i + 1 == argv.len) {
        reply_err(c->out, Err::syntax);
        return false;
    }
    if (!arg_i64_range(c, argv[i + 1], 1, INT64_MAX, &o->count, "count should be greater than 0")) {
        return false;
    }
    if (i + 2 == argv.len) return true;
    reply_err(c->out, Err::syntax);
    return false;
}

static void cmd_lmpop(CmdCtx* c, Args argv, Reply* out) {
    MpopOptions o;
    Edit e;
    Opened opened;
    if (!arg_mpop(c, argv, &o)) return;
    for (size_t i = 2; i < o.keys + 2; i++) {
        if (!open_present(c, argv[i], &e, &opened)) {
            if (opened == Opened::absent) continue;
            return;
        }
        reply_array(out, 2);
        reply_bulk(out, argv[i]);
        uint64_t n = pop_many(&e, o.end, static_cast<uint64_t>(o.count), out);
        effect_pop(c, o.end == ListEnd::left ? Bytes("LPOP") : Bytes("RPOP"), argv[i], n);
        close_settled(&e, n);
        return edit_notify(&e, kNotifyList, pop_event(o.end));
    }
    reply_null_array(out);
}

// ---- moving -----------------------------------------------------------------------------------

// One element from one end to the other: it leaves the list first, so it is copied.
static void rotate(CmdCtx* c, Bytes key, ListEnd from, ListEnd to) {
    Edit e;
    Opened opened;
    if (!open_present(c, key, &e, &opened)) {
        if (opened == Opened::absent) reply_null(c->out);
        return;
    }
    ListAt at = end_of(e.value, from);
    Buf element = buf_borrow(list_get(e.value, at));
    reply_bulk(c->out, buf_bytes(&element));
    if (from != to && list_len(e.value) > 1) {
        buf_own(&element);
        list_erase(e.value, at, 1);
        list_push(e.value, to == ListEnd::left, buf_bytes(&element), limits_of(c));
        buf_free(&element);
    }
    edit_close(&e, 1);  // as Redis: a change, even if nothing moved
    notify(&c->a, kNotifyList, push_event(to), key);
    notify(&c->a, kNotifyList, pop_event(from), key);
}

// The source's element is read where it lies while the destination changes: an entry that is
// replaced, even a Box that both share, lives on until this command is over.
static void move(CmdCtx* c, Bytes from_key, Bytes to_key, ListEnd from, ListEnd to) {
    Edit source, target;
    Value view;
    uint64_t before = c->a.changes;
    if (bytes_equal(from_key, to_key)) return rotate(c, from_key, from, to);
    Handle h = db_open(&c->a, from_key);
    if (h.at.entry == nullptr) return reply_null(c->out);
    const Entry* entry = h.at.entry;  // the places of a segment move, its entries do not
    if (entry_type(entry) != Type::list) return reply_err(c->out, Err::wrong_type);
    if (open_list(c, to_key, &target) == Opened::wrong_type) return;
    db_view(&c->a, entry, &view);
    Bytes element = list_get(&view, end_of(&view, from));
    reply_bulk(c->out, element);
    list_push(target.value, to == ListEnd::left, element, limits_of(c));
    edit_close(&target, 1);
    edit_notify(&target, kNotifyList, push_event(to));
    Opened again = open_list(c, from_key, &source);
    RP_ASSERT(again == Opened::found);
    list_erase(source.value, end_of(source.value, from), 1);
    close_settled(&source, 1);
    edit_notify(&source, kNotifyList, pop_event(from));
    count_changes(c, before, 1);
}

static void cmd_lmove(CmdCtx* c, Args argv, Reply*) {
    ListEnd from, to;
    if (!arg_end(c, argv[3], &from) || !arg_end(c, argv[4], &to)) return;
    move(c, argv[1], argv[2], from, to);
}

static void cmd_rpoplpush(CmdCtx* c, Args argv, Reply*) {
    move(c, argv[1], argv[2], ListEnd::right, ListEnd::left);
}

// ---- reading ----------------------------------------------------------------------------------

static void cmd_llen(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::list, &v, &failed);
    if (!failed) reply_int(out, static_cast<int64_t>(list_len(&v)));
}

static void cmd_lindex(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    int64_t index;
    const Entry* e = read_value(c, argv[1], Type::list, &v, &failed);
    if (failed) return;
    if (e == nullptr) return reply_null(out);  // whatever the index
    if (!arg_i64(c, argv[2], &index)) return;
    ListAt at = list_seek(&v, index);
    if (list_outside(at)) return reply_null(out);
    reply_bulk(out, list_get(&v, at));
}

static void cmd_lrange(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    int64_t start, stop;
    if (!arg_i64(c, argv[2], &start) || !arg_i64(c, argv[3], &stop)) return;
    read_value(c, argv[1], Type::list, &v, &failed);
    if (failed) return;
    Span span = span_of(start, stop, list_len(&v));
    reply_array(out, span.count);
    if (span.count == 0) return;
    ListAt at = list_seek(&v, static_cast<int64_t>(span.from));
    for (size_t i = 0; i < span.count; i++) {
        reply_bulk(out, list_get(&v, at));
        at = list_next(&v, at);
    }
}

struct PosOptions {
    int64_t rank = 1;
    int64_t count = -1;  // not given: one index, not an array
    int64_t maxlen = 0;  // 0: all
};

static bool arg_rank(CmdCtx* c, Bytes arg, int64_t* out) {
    if (!arg_i64(c, arg, out)) return false;
    if (*out != 0) return true;
    reply_error(c->out,
                "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second "
                "... or use negative to start from the end of the list");
    return false;
}

static bool arg_pos_options(CmdCtx* c, Args argv, PosOptions* o) {
    for (size_t i = 3; i < argv.len; i += 2) {
        bool has_value = i + 1 < argv.len;
        if (has_value && arg_is(argv[i], "RANK")) {
            if (!arg_rank(c, argv[i + 1], &o->rank)) return false;
        } else if (has_value && arg_is(argv[i], "COUNT")) {
            if (!arg_i64_range(c, argv[i + 1], 0, INT64_MAX, &o->count,
                               "COUNT can't be negative")) {
                return false;
            }
        } else if (has_value && arg_is(argv[i], "MAXLEN")) {
            if (!arg_i64_range(c, argv[i + 1], 0, INT64_MAX, &o->maxlen,
                               "MAXLEN can't be negative")) {
                return false;
            }
        } else {
            reply_err(c->out, Err::syntax);
            return false;
        }
    }
    return true;
}

// Replies the indexes of matches, at most `most` of them, and returns how many those were.
static size_t reply_positions(const Value* v, Bytes what, const PosOptions* o, int64_t most,
                              Reply* out) {
    bool back = o->rank < 0;
    int64_t skip = (back ? -(o->rank + 1) : o->rank - 1);
    // Redis cannot negate this one: to it, every match is past that rank and none is the last.
    if (o->rank == INT64_MIN) {
        skip = 0;
        if (o->count != -1) most = INT64_MAX;
    }
    auto len = static_cast<int64_t>(list_len(v));
    int64_t steps = o->maxlen != 0 && o->maxlen < len ? o->maxlen : len;
    int64_t found = 0;
    ListAt at = list_seek(v, back ? -1 : 0);
    for (int64_t i = 0; i < steps && found < most; i++) {
        if (bytes_equal(list_get(v, at), what) && --skip < 0) {
            reply_int(out, back ? len - 1 - i : i);
            found++;
        }
        at = back ? list_prev(v, at) : list_next(v, at);
    }
    return static_cast<size_t>(found);
}

static void cmd_lpos(CmdCtx* c, Args argv, Reply* out) {
    PosOptions o;
    Value v;
    bool failed;
    if (!arg_pos_options(c, argv, &o)) return;
    read_value(c, argv[1], Type::list, &v, &failed);
    if (failed) return;
    if (o.count == -1) {
        if (reply_positions(&v, argv[2], &o, 1, out) == 0) reply_null(out);
        return;
    }
    DeferredArray d;
    deferred_start(&d, out);
    d.items = reply_positions(&v, argv[2], &o, o.count == 0 ? INT64_MAX : o.count, &d.reply);
    deferred_finish_array(&d, out);
}

// ---- removing ---------------------------------------------------------------------------------

// At most `most` elements equal to `what`; returns how many.
static uint64_t remove_from_head(Value* v, Bytes what, uint64_t most) {
    uint64_t removed = 0;
    ListAt at = list_find(v, list_seek(v, 0), what);
    while (!list_outside(at) && removed < most) {
        at = list_erase(v, at, 1);
        removed++;
        if (!list_outside(at)) at = list_find(v, at, what);
    }
    return removed;
}

static uint64_t remove_from_tail(Value* v, Bytes what, uint64_t most) {
    uint64_t removed = 0;
    ListAt at = list_seek(v, -1);
    while (!list_outside(at) && removed < most) {
        ListAt before = list_prev(v, at);  // stays where it is when what follows goes
        if (bytes_equal(list_get(v, at), what)) {
            list_erase(v, at, 1);
            removed++;
        }
        at = before;
    }
    return removed;
}

static void cmd_lrem(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    Opened opened;
    int64_t count;
    if (!arg_i64(c, argv[2], &count)) return;
    if (!open_present(c, argv[1], &e, &opened)) {
        if (opened == Opened::absent) reply_int(out, 0);
        return;
    }
    auto n = static_cast<uint64_t>(count);
    uint64_t removed = count < 0 ? remove_from_tail(e.value, argv[3], -n)
                                 : remove_from_head(e.value, argv[3], n == 0 ? UINT64_MAX : n);
    reply_int(out, static_cast<int64_t>(removed));
    close_settled(&e, removed);
    if (removed != 0) edit_notify(&e, kNotifyList, "lrem");
}

static void cmd_ltrim(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    Opened opened;
    int64_t start, stop;
    if (!arg_i64(c, argv[2], &start) || !arg_i64(c, argv[3], &stop)) return;
    if (!open_present(c, argv[1], &e, &opened)) {
        if (opened == Opened::absent) reply_ok(out);
        return;
    }
    size_t len = list_len(e.value);
    Span keep = span_of(start, stop, len);
    size_t behind = len - keep.from - keep.count;
    uint64_t before = c->a.changes;
    if (behind != 0) {
        list_erase(e.value, list_seek(e.value, -static_cast<int64_t>(behind)), behind);
    }
    if (keep.from != 0) list_erase(e.value, list_seek(e.value, 0), keep.from);
    close_settled(&e, 1);  // as Redis: WATCH sees it even when nothing goes
    count_changes(c, before, keep.from + behind);
    edit_notify(&e, kNotifyList, "ltrim");
    reply_ok(out);
}

// clang-format off: a row reads best as one block.
const Cmd kListCmds[] = {
    {.name = "LPUSH",
     .run = cmd_lpush,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "list",
     .syntax = "key:key element:string...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = elements given",
     .about = "Adds elements to the head of a list, creating it if needed.",
     .history = {{"2.4.0", "More than one `element` at a time."}}},
    {.name = "RPUSH",
     .run = cmd_rpush,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "list",
     .syntax = "key:key element:string...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = elements given",
     .about = "Adds elements to the tail of a list, creating it if needed.",
     .history = {{"2.4.0", "More than one `element` at a time."}}},
    {.name = "LPUSHX",
     .run = cmd_lpushx,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "list",
     .syntax = "key:key element:string...",
     .reply = Shape::integer,
     .since = "2.2.0",
     .cost = "O(N), N = elements given",
     .about = "Adds elements to the head of a list only if the list exists.",
     .history = {{"4.0.0", "More than one `element` at a time."}}},
    {.name = "RPUSHX",
     .run = cmd_rpushx,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "list",
     .syntax = "key:key element:string...",
     .reply = Shape::integer,
     .since = "2.2.0",
     .cost = "O(N), N = elements given",
     .about = "Adds elements to the tail of a list only if the list exists.",
     .history = {{"4.0.0", "More than one `element` at a time."}}},
    {.name = "LINSERT",
     .run = cmd_linsert,
     .arity = 5,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "list",
     .syntax = "key:key where=(BEFORE|AFTER) pivot:string element:string",
     .reply = Shape::integer,
     .since = "2.2.0",
     .cost = "O(N), N = elements in front of the pivot",
     .about = "Inserts an element in front of or behind the first one that equals the pivot."},
    {.name = "LSET",
     .run = cmd_lset,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyUpdate, .index = 1}},
     .group = "list",
     .syntax = "key:key index:integer element:string",
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(N), N = nodes of the list between the index and the nearer end",
     .about = "Replaces the element at an index."},
    {.name = "LPOP",
     .run = cmd_lpop,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}},
     .group = "list",
     .syntax = "key:key [count:integer@6.2.0]",
     .reply = Shape::any,
     .since = "1.0.0",
     .cost = "O(N), N = elements returned",
     .about = "Removes elements from the head of a list and returns them.",
     .history = {{"6.2.0", "New argument `count`."}}},
    {.name = "RPOP",
     .run = cmd_rpop,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}},
     .group = "list",
     .syntax = "key:key [count:integer@6.2.0]",
     .reply = Shape::any,
     .since = "1.0.0",
     .cost = "O(N), N = elements returned",
     .about = "Removes elements from the tail of a list and returns them.",
     .history = {{"6.2.0", "New argument `count`."}}},
    {.name = "LMPOP",
     .run = cmd_lmpop,
     .arity = -4,
     .flags = kCmdWrite | kCmdMovableKeys,
     .acl = kAclList,
     .keys =
         {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1, .num_index = 0, .first_key = 1}},
     .group = "list",
     .syntax = "numkeys:integer key:key... where=(LEFT|RIGHT) [COUNT count:integer]",
     .reply = Shape::any,
     .since = "7.0.0",
     .cost = "O(N+M), N = keys, M = elements returned",
     .about = "Removes elements from one end of the first list that has any and returns them."},
    {.name = "LMOVE",
     .run = cmd_lmove,
     .arity = 5,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1},
              {.flags = kKeyRW | kKeyInsert, .index = 2}},
     .group = "list",
     .syntax = "source:key destination:key wherefrom=(LEFT|RIGHT) whereto=(LEFT|RIGHT)",
     .reply = Shape::bulk_or_null,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Moves an element from one end of a list to one end of another, or of the same."},
    {.name = "RPOPLPUSH",
     .run = cmd_rpoplpush,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1},
              {.flags = kKeyRW | kKeyInsert, .index = 2}},
     .group = "list",
     .syntax = "source:key destination:key",
     .reply = Shape::bulk_or_null,
     .since = "1.2.0",
     .cost = "O(1)",
     .about = "Moves the last element of a list to the head of another, or of the same.",
     .deprecated_since = "6.2.0",
     .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments"},
    {.name = "LLEN",
     .run = cmd_llen,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclList,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "list",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Returns the number of elements of a list."},
    {.name = "LINDEX",
     .run = cmd_lindex,
     .arity = 3,
     .flags = kCmdReadonly,
     .acl = kAclList,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "list",
     .syntax = "key:key index:integer",
     .reply = Shape::bulk_or_null,
     .since = "1.0.0",
     .cost = "O(N), N = nodes of the list between the index and the nearer end",
     .about = "Returns the element at an index."},
    {.name = "LRANGE",
     .run = cmd_lrange,
     .arity = 4,
     .flags = kCmdReadonly,
     .acl = kAclList,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "list",
     .syntax = "key:key start:integer stop:integer",
     .reply = Shape::array,
     .since = "1.0.0",
     .cost =
         "O(S+N), S = nodes of the list between start and the nearer end, N = elements returned",
     .about = "Returns the elements between two indexes."},
    {.name = "LPOS",
     .run = cmd_lpos,
     .arity = -3,
     .flags = kCmdReadonly,
     .acl = kAclList,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1}},
     .group = "list",
     .syntax = "key:key element:string [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN "
               "len:integer]",
     .reply = Shape::any,
     .since = "6.0.6",
     .cost = "O(N), N = elements looked at, at most MAXLEN",
     .about = "Returns the indexes of elements that equal the one given."},
    {.name = "LREM",
     .run = cmd_lrem,
     .arity = 4,
     .flags = kCmdWrite,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "list",
     .syntax = "key:key count:integer element:string",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = elements of the list",
     .about = "Removes elements that equal the one given, from either end."},
    {.name = "LTRIM",
     .run = cmd_ltrim,
     .arity = 4,
     .flags = kCmdWrite,
     .acl = kAclList,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "list",
     .syntax = "key:key start:integer stop:integer",
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(N), N = elements removed",
     .about = "Removes all elements that are not between two indexes."},
    {},
};
// clang-format on

}  // namespace rp
