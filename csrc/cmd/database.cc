// Whole databases: DBSIZE, FLUSHDB, FLUSHALL, SWAPDB. The writing ones run alone behind the gate;
// the tables they take away are freed by the dispatcher once the gate is open again.
#include <utility>

#include "cmd/dispatch.h"
#include "cmd/families.h"

namespace rp {

static void cmd_dbsize(CmdCtx* c, Args, Reply* out) {
    reply_int(out, static_cast<int64_t>(table_keys(db_table(&c->a))));
}

static void flush_db(CmdCtx* c, uint32_t db) {
    uint64_t keys = table_keys(c->store->dbs[db].table);
    watch_touch_flush(&c->a, db);
    if (keys == 0) return;
    c->a.changes += keys;
    Table* old = store_take_table(c->store, db);
    Worker* w = c->worker;
    if (w->garbage_count < kGarbageMax) {
        w->garbage[w->garbage_count++] = old;
    } else {
        table_free(old);  // nobody else is inside the gate: no reader can hold a pointer
    }
}

// Those that keep what they have read.
static void tell_trackers(const CmdCtx* c) {
    const Store* st = c->store;
    if (st->tracked.load(std::memory_order_relaxed)) st->on_flush(st->on_change_arg);
}

static bool parse_flush(CmdCtx* c, Args argv) {
    bool later = config_num(c->config->lazyfree_lazy_user_flush) != 0;
    if (argv.len == 2 && arg_is(argv[1], "SYNC")) {
        later = false;
    } else if (argv.len == 2 && arg_is(argv[1], "ASYNC")) {
        later = true;
    } else if (argv.len > 1) {
        reply_err(c->out, Err::syntax);
        return false;
    }
    c->worker->garbage_later = later;
    return true;
}

static void cmd_flushdb(CmdCtx* c, Args argv, Reply* out) {
    if (!parse_flush(c, argv)) return;
    flush_db(c, c->a.db);
    tell_trackers(c);
    reply_ok(out);
}

static void cmd_flushall(CmdCtx* c, Args argv, Reply* out) {
    if (!parse_flush(c, argv)) return;
    for (uint32_t db = 0; db < c->store->db_count; db++)
        flush_db(c, db);
    tell_trackers(c);
    reply_ok(out);
}

static void cmd_swapdb(CmdCtx* c, Args argv, Reply* out) {
    int64_t a, b;
    if (!arg_i64_range(c, argv[1], INT32_MIN, INT32_MAX, &a, "invalid first DB index")) return;
    if (!arg_i64_range(c, argv[2], INT32_MIN, INT32_MAX, &b, "invalid second DB index")) return;
    auto count = static_cast<int64_t>(c->store->db_count);
    if (a < 0 || a >= count || b < 0 || b >= count) return reply_err(out, Err::db_out_of_range);
    if (a != b) {
        auto db1 = static_cast<uint32_t>(a), db2 = static_cast<uint32_t>(b);
        Database* x = &c->store->dbs[db1];
        Database* y = &c->store->dbs[db2];
        watch_touch_swap(&c->a, db1, db2);
        std::swap(x->table, y->table);
        y->has_ttl.store(x->has_ttl.exchange(y->has_ttl.load()));
        watch_swap_lists(c->store, db1, db2);
        c->a.changes++;
    }
    reply_ok(out);
}

#define RP_FLUSH_SYNTAX "[async=(ASYNC@4.0.0|SYNC@6.2.0)]"

// clang-format off: a row reads best as one block.
const Cmd kDatabaseCmds[] = {
    {.name = "DBSIZE",
     .run = cmd_dbsize,
     .arity = 1,
     .flags = kCmdReadonly | kCmdFast | kCmdKeyspace,
     .acl = kAclKeyspace,
     .group = "server",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Counts the keys of the database.",
     .tips = {"request_policy:all_shards", "response_policy:agg_sum"}},
    {.name = "FLUSHDB",
     .run = cmd_flushdb,
     .arity = -1,
     .flags = kCmdWrite | kCmdExclusive,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .syntax = RP_FLUSH_SYNTAX,
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(N), N = keys; ASYNC: O(1)",
     .about = "Deletes all keys of the database.",
     .tips = {"request_policy:all_shards", "response_policy:all_succeeded"},
     .history = {{"4.0.0", "New option `ASYNC`."}, {"6.2.0", "New option `SYNC`."}}},
    {.name = "FLUSHALL",
     .run = cmd_flushall,
     .arity = -1,
     .flags = kCmdWrite | kCmdExclusive,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .syntax = RP_FLUSH_SYNTAX,
     .reply = Shape::ok,
     .since = "1.0.0",
     .cost = "O(N), N = keys; ASYNC: O(1)",
     .about = "Deletes all keys of all databases.",
     .tips = {"request_policy:all_shards", "response_policy:all_succeeded"},
     .history = {{"4.0.0", "New option `ASYNC`."}, {"6.2.0", "New option `SYNC`."}}},
    {.name = "SWAPDB",
     .run = cmd_swapdb,
     .arity = 3,
     .flags = kCmdWrite | kCmdFast | kCmdExclusive,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .syntax = "index1:integer index2:integer",
     .reply = Shape::ok,
     .since = "4.0.0",
     .cost = "O(N), N = watched keys",
     .about = "Exchanges the contents of two databases."},
    {},
};
// clang-format on

}  // namespace rp
