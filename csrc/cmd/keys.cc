// Commands about keys of any type: existence, deletion, renaming, copying, moving between
// databases.
#include "base/numbers.h"
#include "cmd/families.h"
#include "store/expire.h"
#include "store/notify.h"

namespace rp {

static void cmd_del(CmdCtx* c, Args argv, Reply* out) {
    int64_t deleted = 0;
    for (size_t i = 1; i < argv.len; i++) {
        Handle h = db_open(&c->a, argv[i]);
        if (h.at.entry == nullptr) continue;
        db_delete(&c->a, &h);
        notify(&c->a, kNotifyGeneric, "del", argv[i]);
        deleted++;
    }
    reply_int(out, deleted);
}

// EXISTS and TOUCH: how many of the named keys are there, repeated ones counted each time.
static void cmd_exists(CmdCtx* c, Args argv, Reply* out) {
    int64_t found = 0;
    for (size_t i = 1; i < argv.len; i++)
        found += db_find_notouch(&c->a, argv[i]) != nullptr;
    reply_int(out, found);
}

static void cmd_touch(CmdCtx* c, Args argv, Reply* out) {
    int64_t found = 0;
    for (size_t i = 1; i < argv.len; i++)
        found += db_find(&c->a, argv[i]) != nullptr;
    reply_int(out, found);
}

Bytes type_name(Type t) {
    switch (t) {
        case Type::string: return "string";
        case Type::list: return "list";
        case Type::set: return "set";
        case Type::zset: return "zset";
        case Type::hash: return "hash";
        case Type::stream: return "stream";
    }
    return "none";
}

static void cmd_type(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = db_find_notouch(&c->a, argv[1]);
    reply_simple(out, e == nullptr ? Bytes("none") : type_name(entry_type(e)));
}

// Expired keys that it meets go at once, so that it comes to an end.
static void cmd_randomkey(CmdCtx* c, Args, Reply* out) {
    ExpiredList expired;
    while (Entry* e = table_random(db_table(&c->a))) {
        if (!entry_expired(&c->a, e)) return reply_bulk(out, entry_key(e));
        expired_add(&expired, e);
        expired_delete(&c->a, &expired);
    }
    reply_null(out);
}

// ---- one key becomes another ------------------------------------------------------------------

// One change, however many databases it touches.
static void move_entry(Access* from, Handle* h, Access* to, Handle* dest) {
    uint64_t changes = from->changes;
    bool replaces = dest->at.entry != nullptr;
    Entry* copy = entry_copy(h->at.entry, dest->key, entry_expiry_ms(h->at.entry));
    age_copy(copy, h->at.entry);
    db_delete(from, h);  // first: clients that track hear of it in this order
    // Both may be in one segment, so the place found before may have moved.
    dest->at = table_locate(db_table(to), dest->key, dest->hash);
    db_put_as_is(to, dest, copy);
    if (replaces) notify(to, kNotifyNew, "new", dest->key);  // to Redis the old key goes first
    from->changes = changes + 1;
}

static void rename_key(CmdCtx* c, Args argv, bool only_new) {
    Handle h = db_open(&c->a, argv[1]);
    if (h.at.entry == nullptr) return reply_err(c->out, Err::no_such_key);
    if (bytes_equal(argv[1], argv[2])) {
        return only_new ? reply_int(c->out, 0) : reply_ok(c->out);
    }
    Handle dest = db_open(&c->a, argv[2]);
    if (dest.at.entry != nullptr && only_new) return reply_int(c->out, 0);
    h = db_open(&c->a, argv[1]);  // opening dest may have removed an expired key from this segment
    move_entry(&c->a, &h, &c->a, &dest);
    notify(&c->a, kNotifyGeneric, "rename_from", argv[1]);
    notify(&c->a, kNotifyGeneric, "rename_to", argv[2]);
    only_new ? reply_int(c->out, 1) : reply_ok(c->out);
}

static void cmd_rename(CmdCtx* c, Args argv, Reply*) { rename_key(c, argv, false); }
static void cmd_renamenx(CmdCtx* c, Args argv, Reply*) { rename_key(c, argv, true); }

static int64_t db_arg_or_none(Bytes arg) {
    int64_t db;
    return parse_i64(arg, &db) && db >= 0 ? db : -1;
}

static int64_t move_other_db(Args argv) { return argv.len > 2 ? db_arg_or_none(argv[2]) : -1; }

static void cmd_move(CmdCtx* c, Args argv, Reply* out) {
    Access to = c->a;
    if (!arg_db(c, argv[2], &to.db)) return;
    if (to.db == c->a.db) return reply_err(out, Err::same_object);
    Handle h = db_open(&c->a, argv[1]);
    if (h.at.entry == nullptr) return reply_int(out, 0);
    Handle dest = db_open(&to, argv[1]);
    if (dest.at.entry != nullptr) return reply_int(out, 0);
    move_entry(&c->a, &h, &to, &dest);
    notify(&c->a, kNotifyGeneric, "move_from", argv[1]);
    notify(&to, kNotifyGeneric, "move_to", argv[1]);
    reply_int(out, 1);
}

// The last DB option that names a database, as the command itself will read it.
static int64_t copy_other_db(Args argv) {
    int64_t db = -1;
    for (size_t i = 3; i + 1 < argv.len; i++) {
        if (arg_is(argv[i], "DB")) db = db_arg_or_none(argv[++i]);
    }
    return db;
}

static bool parse_copy(CmdCtx* c, Args argv, uint32_t* db, bool* replace) {
    for (size_t i = 3; i < argv.len; i++) {
        if (arg_is(argv[i], "REPLACE")) {
            *replace = true;
        } else if (arg_is(argv[i], "DB") && i + 1 < argv.len) {
            if (!arg_db(c, argv[++i], db)) return false;
        } else {
            reply_err(c->out, Err::syntax);
            return false;
        }
    }
    return true;
}

static void cmd_copy(CmdCtx* c, Args argv, Reply* out) {
    Access to = c->a;
    bool replace = false;
    if (!parse_copy(c, argv, &to.db, &replace)) return;
    if (to.db == c->a.db && bytes_equal(argv[1], argv[2])) {
        return reply_err(out, Err::same_object);
    }
    to.changes = 0;
    Handle dest = db_open(&to, argv[2]);
    const Entry* e = db_find(&c->a, argv[1]);
    if (e == nullptr || (dest.at.entry != nullptr && !replace)) return reply_int(out, 0);
    dest = db_open(&to, argv[2]);  // finding the source may have removed an expired neighbour
    bool replaces = dest.at.entry != nullptr;
    db_put(&to, &dest, entry_copy(e, argv[2], entry_expiry_ms(e)));
    if (replaces) notify(&to, kNotifyNew, "new", argv[2]);
    notify(&to, kNotifyGeneric, "copy_to", argv[2]);
    c->a.changes += to.changes;
    reply_int(out, 1);
}

// ---- rows -------------------------------------------------------------------------------------

constexpr uint32_t kRemove = kKeyRM | kKeyDelete;

// clang-format off: a row reads best as one block.
const Cmd kKeyCmds[] = {
    {.name = "DEL",
     .run = cmd_del,
     .arity = -2,
     .flags = kCmdWrite,
     .acl = kAclKeyspace,
     .keys = {{.flags = kRemove, .index = 1, .last = -1}},
     .group = "generic",
     .syntax = "key:key...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = keys",
     .about = "Deletes keys.",
     .tips = {"request_policy:multi_shard", "response_policy:agg_sum"}},
    {.name = "UNLINK",
     .run = cmd_del,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kRemove, .index = 1, .last = -1}},
     .group = "generic",
     .syntax = "key:key...",
     .reply = Shape::integer,
     .since = "4.0.0",
     .cost = "O(1) per key; memory is given back later",
     .about = "Deletes keys.",
     .tips = {"request_policy:multi_shard", "response_policy:agg_sum"}},
    {.name = "EXISTS",
     .run = cmd_exists,
     .arity = -2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRO, .index = 1, .last = -1}},
     .group = "generic",
     .syntax = "key:key...",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(N), N = keys",
     .about = "Counts how many of the named keys exist.",
     .tips = {"request_policy:multi_shard", "response_policy:agg_sum"},
     .history = {{"3.0.3", "Takes several keys."}}},
    {.name = "TOUCH",
     .run = cmd_touch,
     .arity = -2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRO, .index = 1, .last = -1}},
     .group = "generic",
     .syntax = "key:key...",
     .reply = Shape::integer,
     .since = "3.2.1",
     .cost = "O(N), N = keys",
     .about = "Marks keys as just used and counts how many of them exist.",
     .tips = {"request_policy:multi_shard", "response_policy:agg_sum"}},
    {.name = "TYPE",
     .run = cmd_type,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "generic",
     .syntax = "key:key",
     .reply = Shape::simple,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Names the type of the value of a key."},
    {.name = "RANDOMKEY",
     .run = cmd_randomkey,
     .arity = 1,
     .flags = kCmdReadonly | kCmdKeyspace,
     .acl = kAclKeyspace,
     .group = "generic",
     .reply = Shape::bulk_or_null,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Returns a key chosen by chance.",
     .tips = {"request_policy:all_shards", "nondeterministic_output"}},
    {.name = "RENAME",
     .run = cmd_rename,
     .arity = 3,
     .flags = kCmdWrite,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1},
              {.flags = kKeyOW | kKeyUpdate, .index = 2}},
     .group = "generic",
     .syntax = "key:key newkey:key",
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Gives a key another name, replacing what had that name."},
    {.name = "RENAMENX",
     .run = cmd_renamenx,
     .arity = 3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1},
              {.flags = kKeyOW | kKeyInsert, .index = 2}},
     .group = "generic",
     .syntax = "key:key newkey:key",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Gives a key another name, unless that name is taken.",
     .history = {{"3.2.0", "Equal names are no error any more."}}},
    {.name = "MOVE",
     .run = cmd_move,
     .arity = 3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "generic",
     .syntax = "key:key db:integer",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Moves a key to another database.",
     .other_db = move_other_db},
    {.name = "COPY",
     .run = cmd_copy,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclKeyspace,
     .keys = {{.flags = kKeyRO | kKeyAccess, .index = 1},
              {.flags = kKeyOW | kKeyUpdate, .index = 2}},
     .group = "generic",
     .syntax = "source:key destination:key [DB destination-db:integer] [REPLACE]",
     .reply = Shape::integer,
     .since = "6.2.0",
     .cost = "O(N), N = size of the value",
     .about = "Copies the value of a key to another key.",
     .other_db = copy_other_db},
    {},
};
// clang-format on

}  // namespace rp
