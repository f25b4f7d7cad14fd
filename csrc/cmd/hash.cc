// The hash family (types/hash.h).
#include "types/hash.h"

#include <cmath>

#include "base/numbers.h"
#include "cmd/effect.h"
#include "cmd/families.h"
#include "cmd/sample.h"
#include "cmd/scan.h"
#include "store/edit.h"
#include "store/notify.h"

namespace rp {

static HashLimits limits_of(const CmdCtx* c) {
    return {static_cast<size_t>(config_num(c->config->hash_max_listpack_entries)),
            static_cast<size_t>(config_num(c->config->hash_max_listpack_value))};
}

// False: a wrong type, the reply is written and there is nothing to close.
static bool open_hash(CmdCtx* c, Bytes key, Edit* e) {
    if (edit_open(&c->a, key, Type::hash, e) != Opened::wrong_type) return true;
    reply_err(c->out, Err::wrong_type);
    return false;
}

// The value of one field. *absent: no such field, or no such key. False: return at once.
static bool read_field(CmdCtx* c, Bytes key, Bytes field, Bytes* out, bool* absent) {
    Value v;
    bool failed;
    bool found = read_value(c, key, Type::hash, &v, &failed) != nullptr;
    *absent = !found || !hash_get(&v, field, out);
    return !failed;
}

// ---- fields by name ---------------------------------------------------------------------------

static void cmd_hget(CmdCtx* c, Args argv, Reply* out) {
    Bytes value;
    bool absent;
    if (!read_field(c, argv[1], argv[2], &value, &absent)) return;
    if (absent) return reply_null(out);
    reply_bulk(out, value);
}

static void cmd_hexists(CmdCtx* c, Args argv, Reply* out) {
    Bytes value;
    bool absent;
    if (read_field(c, argv[1], argv[2], &value, &absent)) reply_int(out, absent ? 0 : 1);
}

static void cmd_hstrlen(CmdCtx* c, Args argv, Reply* out) {
    Bytes value;
    bool absent;
    if (!read_field(c, argv[1], argv[2], &value, &absent)) return;
    reply_int(out, absent ? 0 : static_cast<int64_t>(value.len));
}

static void cmd_hmget(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::hash, &v, &failed);
    if (failed) return;
    reply_array(out, argv.len - 2);
    for (size_t i = 2; i < argv.len; i++) {
        Bytes value;
        if (hash_get(&v, argv[i], &value)) {
            reply_bulk(out, value);
        } else {
            reply_null(out);
        }
    }
}

static void cmd_hlen(CmdCtx* c, Args argv, Reply* out) {
    Value v;
    bool failed;
    read_value(c, argv[1], Type::hash, &v, &failed);
    if (!failed) reply_int(out, static_cast<int64_t>(hash_count(&v)));
}

// ---- all fields -------------------------------------------------------------------------------

static void visit_pair(const Element* e, void* arg) {
    reply_bulk(static_cast<Reply*>(arg), e->key);
    reply_bulk(static_cast<Reply*>(arg), e->value);
}
static void visit_field(const Element* e, void* arg) {
    reply_bulk(static_cast<Reply*>(arg), e->key);
}
static void visit_value(const Element* e, void* arg) {
    reply_bulk(static_cast<Reply*>(arg), e->value);
}

static void reply_all(CmdCtx* c, Bytes key, void (*head)(Reply*, size_t), ElementVisit visit) {
    Value v;
    bool failed;
    read_value(c, key, Type::hash, &v, &failed);
    if (failed) return;
    head(c->out, hash_count(&v));
    value_each(&v, Type::hash, visit, c->out);
}

static void cmd_hgetall(CmdCtx* c, Args argv, Reply*) {
    reply_all(c, argv[1], reply_map, visit_pair);
}
static void cmd_hkeys(CmdCtx* c, Args argv, Reply*) {
    reply_all(c, argv[1], reply_array, visit_field);
}
static void cmd_hvals(CmdCtx* c, Args argv, Reply*) {
    reply_all(c, argv[1], reply_array, visit_value);
}

static void reply_value(Reply* out, const Element* e) { reply_bulk(out, e->value); }

static void cmd_hscan(CmdCtx* c, Args argv, Reply*) {
    scan_collection(c, argv, Type::hash, reply_value);
}

static void cmd_hrandfield(CmdCtx* c, Args argv, Reply*) {
    SampleArgs args;
    if (!arg_sample(c, argv, "WITHVALUES", &args)) return;
    sample_collection(c, argv[1], Type::hash, &args, reply_value);
}

// ---- writing ----------------------------------------------------------------------------------

// Fields and values from argv[2] on. False: the reply (an error) is written.
static bool set_fields(CmdCtx* c, Args argv, int64_t* added) {
    if (argv.len % 2 != 0) {
        char name[64];
        cmd_full_name(c->parent, c->row, name);
        reply_err_arity(c->out, name);
        return false;
    }
    Edit e;
    if (!open_hash(c, argv[1], &e)) return false;
    HashLimits limits = limits_of(c);
    *added = 0;
    for (size_t i = 2; i < argv.len; i += 2)
        *added += hash_set(e.value, argv[i], argv[i + 1], limits) ? 1 : 0;
    edit_close(&e, (argv.len - 2) / 2);
    edit_notify(&e, kNotifyHash, "hset");
    return true;
}

static void cmd_hset(CmdCtx* c, Args argv, Reply* out) {
    int64_t added;
    if (set_fields(c, argv, &added)) reply_int(out, added);
}

static void cmd_hmset(CmdCtx* c, Args argv, Reply* out) {
    int64_t added;
    if (set_fields(c, argv, &added)) reply_ok(out);
}

static void cmd_hsetnx(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    Bytes old;
    if (!open_hash(c, argv[1], &e)) return;
    bool absent = !hash_get(e.value, argv[2], &old);
    if (absent) hash_set(e.value, argv[2], argv[3], limits_of(c));
    edit_close(&e, absent ? 1 : 0);
    if (absent) edit_notify(&e, kNotifyHash, "hset");
    reply_int(out, absent ? 1 : 0);
}

static void cmd_hdel(CmdCtx* c, Args argv, Reply* out) {
    Edit e;
    if (!open_hash(c, argv[1], &e)) return;
    uint64_t erased = 0;
    for (size_t i = 2; i < argv.len; i++)
        erased += hash_erase(e.value, argv[i]) ? 1 : 0;
    edit_close(&e, erased);
    if (erased != 0) edit_notify(&e, kNotifyHash, "hdel");
    reply_int(out, static_cast<int64_t>(erased));
}

// ---- counters ---------------------------------------------------------------------------------

// A change that is refused after all: the error, and nothing is published.
static void refuse_edit(CmdCtx* c, Edit* e, Bytes error) {
    edit_close(e, 0);
    reply_error(c->out, error);
}

static void cmd_hincrby(CmdCtx* c, Args argv, Reply* out) {
    int64_t by, value = 0;
    Bytes old;
    Edit e;
    if (!arg_i64(c, argv[3], &by)) return;
    if (!open_hash(c, argv[1], &e)) return;
    if (hash_get(e.value, argv[2], &old) && !parse_i64(old, &value)) {
        return refuse_edit(c, &e, "ERR hash value is not an integer");
    }
    if (__builtin_add_overflow(value, by, &value)) {
        return refuse_edit(c, &e, err_text(Err::overflow));
    }
    char text[kI64TextMax];
    hash_set(e.value, argv[2], {text, format_i64(text, value)}, limits_of(c));
    edit_close(&e, 1);
    edit_notify(&e, kNotifyHash, "hincrby");
    reply_int(out, value);
}

static void cmd_hincrbyfloat(CmdCtx* c, Args argv, Reply* out) {
    long double by, value = 0;
    Bytes old;
    Edit e;
    if (!parse_long_double(argv[3], &by)) return reply_err(out, Err::not_float);
    if (std::isinf(by)) return reply_error(out, "ERR value is NaN or Infinity");
    if (!open_hash(c, argv[1], &e)) return;
    if (hash_get(e.value, argv[2], &old) && !parse_long_double(old, &value)) {
        return refuse_edit(c, &e, "ERR hash value is not a float");
    }
    value += by;
    if (std::isnan(value) || std::isinf(value)) {
        return refuse_edit(c, &e, err_text(Err::nan_or_inf));
    }
    char text[kLdTextMax];
    Bytes result = {text, format_long_double(text, value)};
    hash_set(e.value, argv[2], result, limits_of(c));
    edit_close(&e, 1);
    edit_notify(&e, kNotifyHash, "hincrbyfloat");
    effect(c, {"HSET", argv[1], argv[2], result});
    reply_bulk(out, result);
}

// ---- rows -------------------------------------------------------------------------------------

constexpr uint32_t kRead = kKeyRO | kKeyAccess;

// clang-format off: a row reads best as one block.
const Cmd kHashCmds[] = {
    {.name = "HSET",
     .run = cmd_hset,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRW | kKeyUpdate, .index = 1}},
     .group = "hash",
     .syntax = "key:key field_value={field:string value:string}...",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(N), N = fields",
     .about = "Sets fields of a hash and returns how many of them are new.",
     .history = {{"4.0.0", "Takes several fields."}}},
    {.name = "HSETNX",
     .run = cmd_hsetnx,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string value:string",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(1)",
     .about = "Sets a field of a hash only if the hash has no such field."},
    {.name = "HMSET",
     .run = cmd_hmset,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRW | kKeyUpdate, .index = 1}},
     .group = "hash",
     .syntax = "key:key field_value={field:string value:string}...",
     .reply = Shape::ok,
     .since = "2.0.0",
     .cost = "O(N), N = fields",
     .about = "Sets fields of a hash.",
     .deprecated_since = "4.0.0",
     .replaced_by = "`HSET` with multiple field-value pairs"},
    {.name = "HGET",
     .run = cmd_hget,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string",
     .reply = Shape::bulk_or_null,
     .since = "2.0.0",
     .cost = "O(1)",
     .about = "Returns the value of a field of a hash."},
    {.name = "HMGET",
     .run = cmd_hmget,
     .arity = -3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string...",
     .reply = Shape::array,
     .since = "2.0.0",
     .cost = "O(N), N = fields asked for",
     .about = "Returns the values of several fields of a hash."},
    {.name = "HGETALL",
     .run = cmd_hgetall,
     .arity = 2,
     .flags = kCmdReadonly,
     .acl = kAclHash,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "hash",
     .syntax = "key:key",
     .reply = Shape::map,
     .since = "2.0.0",
     .cost = "O(N), N = fields of the hash",
     .about = "Returns all fields of a hash with their values.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "HKEYS",
     .run = cmd_hkeys,
     .arity = 2,
     .flags = kCmdReadonly,
     .acl = kAclHash,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "hash",
     .syntax = "key:key",
     .reply = Shape::array,
     .since = "2.0.0",
     .cost = "O(N), N = fields of the hash",
     .about = "Returns the names of all fields of a hash.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "HVALS",
     .run = cmd_hvals,
     .arity = 2,
     .flags = kCmdReadonly,
     .acl = kAclHash,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "hash",
     .syntax = "key:key",
     .reply = Shape::array,
     .since = "2.0.0",
     .cost = "O(N), N = fields of the hash",
     .about = "Returns the values of all fields of a hash.",
     .tips = {"nondeterministic_output_order"}},
    {.name = "HDEL",
     .run = cmd_hdel,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRW | kKeyDelete, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string...",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(N), N = fields named",
     .about = "Removes fields from a hash; the key goes with the last of them.",
     .history = {{"2.4.0", "Takes several fields."}}},
    {.name = "HEXISTS",
     .run = cmd_hexists,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(1)",
     .about = "Tells whether a hash has a field."},
    {.name = "HLEN",
     .run = cmd_hlen,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "hash",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(1)",
     .about = "Returns how many fields a hash has."},
    {.name = "HSTRLEN",
     .run = cmd_hstrlen,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string",
     .reply = Shape::integer,
     .since = "3.2.0",
     .cost = "O(1)",
     .about = "Returns the length in bytes of the value of a field."},
    {.name = "HINCRBY",
     .run = cmd_hincrby,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string increment:integer",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(1)",
     .about = "Adds a number to the integer in a field; a missing field counts as 0."},
    {.name = "HINCRBYFLOAT",
     .run = cmd_hincrbyfloat,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclHash,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "hash",
     .syntax = "key:key field:string increment:double",
     .reply = Shape::bulk,
     .since = "2.6.0",
     .cost = "O(1)",
     .about = "Adds a floating point number to the number in a field."},
    {.name = "HRANDFIELD",
     .run = cmd_hrandfield,
     .arity = -2,
     .flags = kCmdReadonly,
     .acl = kAclHash,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "hash",
     .syntax = "key:key [options={count:integer [WITHVALUES]}]",
     .reply = Shape::any,
     .since = "6.2.0",
     .cost = "O(N), N = fields returned",
     .about = "Returns fields of a hash at random.",
     .tips = {"nondeterministic_output"}},
    {.name = "HSCAN",
     .run = cmd_hscan,
     .arity = -3,
     .flags = kCmdReadonly,
     .acl = kAclHash,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "hash",
     .syntax = "key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
     .reply = Shape::array,
     .since = "2.8.0",
     .cost = "O(1) per call, O(N) for a whole walk",
     .about = "Walks over the fields of a hash step by step.",
     .tips = {"nondeterministic_output"}},
    {},
};
// clang-format on

}  // namespace rp
