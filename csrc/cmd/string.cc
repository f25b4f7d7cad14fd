// The string family. Values are immutable entries: a change publishes a new entry under the
// segment's lock (store/db.h); only integers change in place.
#include "cmd/families.h"

#include <cmath>

#include "base/numbers.h"
#include "cmd/effect.h"
#include "cmd/options.h"
#include "mem/mem.h"
#include "store/notify.h"

namespace rp {

// Null and wrong types are told apart by the callers that need it.
static bool is_string(const Entry* e) { return entry_type(e) == Type::string; }

static int64_t expiry_of(const Handle* h) {
    return h->at.entry != nullptr ? entry_expiry_ms(h->at.entry) : kNoExpiry;
}

// Absent is fine, too. False: the reply (wrong type) is written.
static bool string_or_none(CmdCtx* c, const Handle* h) {
    if (h->at.entry == nullptr || is_string(h->at.entry)) return true;
    reply_err(c->out, Err::wrong_type);
    return false;
}

// Of a locked lookup that Redis counts as a read. False: the reply (wrong type) is written.
static bool count_string(CmdCtx* c, const Handle* h) {
    db_count_lookup(&c->a, h->at.entry != nullptr);
    if (h->at.entry == nullptr) notify(&c->a, kNotifyKeyMiss, "keymiss", h->key);
    return string_or_none(c, h);
}

static void reply_old(CmdCtx* c, const Handle* h) {
    if (h->at.entry == nullptr) return reply_null(c->out);
    reply_entry(c, h->at.entry, c->out);
}

// ---- GET and friends --------------------------------------------------------------------------

static void cmd_get(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = db_find(&c->a, argv[1]);
    if (e == nullptr) return reply_null(out);
    if (!is_string(e)) return reply_err(out, Err::wrong_type);
    reply_entry(c, e, out);
}

static void cmd_mget(CmdCtx* c, Args argv, Reply* out) {
    reply_array(out, argv.len - 1);
    for (size_t i = 1; i < argv.len; i++) {
        const Entry* e = db_find(&c->a, argv[i]);
        if (e == nullptr || !is_string(e)) {
            reply_null(out);
        } else if (!reply_entry(c, e, out)) {
            return;
        }
        if (c->a.need_lock) return;
    }
}

static void cmd_strlen(CmdCtx* c, Args argv, Reply* out) {
    const Entry* e = db_find(&c->a, argv[1]);
    if (e == nullptr) return reply_int(out, 0);
    if (!is_string(e)) return reply_err(out, Err::wrong_type);
    reply_int(out, static_cast<int64_t>(db_value_len(e)));
}

// Both ends inclusive, negative offsets count from the end; a missing key and an empty range are
// "".
static void cmd_getrange(CmdCtx* c, Args argv, Reply* out) {
    int64_t start, end;
    if (!arg_i64(c, argv[2], &start) || !arg_i64(c, argv[3], &end)) return;
    const Entry* e = db_find(&c->a, argv[1]);
    if (e == nullptr) return reply_bulk(out, {});
    if (!is_string(e)) return reply_err(out, Err::wrong_type);
    StringView v;
    db_value(&c->a, e, &v);
    if (!v.ok) return;
    auto len = static_cast<int64_t>(v.bytes.len);
    if (start < 0 && end < 0 && start > end) return reply_bulk(out, {});
    if (start < 0) start = start + len < 0 ? 0 : start + len;
    if (end < 0) end = end + len < 0 ? 0 : end + len;
    if (end >= len) end = len - 1;
    if (start > end || len == 0) return reply_bulk(out, {});
    auto at = static_cast<size_t>(start);
    auto n = static_cast<size_t>(end - start + 1);
    if (v.blob != nullptr) return reply_bulk_blob(out, v.blob, at, n);
    reply_bulk(out, bytes_slice(v.bytes, at, n));
}

static void cmd_getdel(CmdCtx* c, Args argv, Reply*) {
    Handle h = db_open(&c->a, argv[1]);
    if (!count_string(c, &h)) return;
    reply_old(c, &h);
    if (h.at.entry == nullptr) return;
    db_delete(&c->a, &h);
    effect_delete(c, argv[1]);
    notify(&c->a, kNotifyGeneric, "del", argv[1]);
}

static void cmd_getex(CmdCtx* c, Args argv, Reply*) {
    SetOptions o;
    int64_t at_ms = kNoExpiry;
    if (!arg_set_options(c, argv, 2, SetFamily::getex, &o)) return;
    Handle h = db_open(&c->a, argv[1]);
    if (!count_string(c, &h)) return;
    if (h.at.entry == nullptr) return reply_null(c->out);
    if (o.has_expiry && !arg_expiry(c, o.expiry, o.unit, o.relative, &at_ms)) return;
    reply_old(c, &h);
    if (o.has_expiry && !o.relative && expiry_is_past(&c->a, at_ms)) {
        db_delete(&c->a, &h);
        effect_delete(c, argv[1]);
        notify(&c->a, kNotifyGeneric, "del", argv[1]);
    } else if (o.has_expiry || (o.persist && expiry_of(&h) != kNoExpiry)) {
        db_set_expiry(&c->a, &h, at_ms);
        effect_expire_at(c, argv[1], at_ms);
        notify(&c->a, kNotifyGeneric, o.has_expiry ? Bytes("expire") : Bytes("persist"), argv[1]);
    }
}

// ---- SET and friends --------------------------------------------------------------------------

static void put_value(CmdCtx* c, Handle* h, Args argv, size_t value, int64_t expiry_ms) {
    db_put(&c->a, h, db_make_string(h->key, argv[value], arg_blob(c, value), expiry_ms));
}

static void notify_set(CmdCtx* c, Bytes key, bool expires) {
    notify(&c->a, kNotifyString, "set", key);
    if (expires) notify(&c->a, kNotifyGeneric, "expire", key);
}

static void cmd_set(CmdCtx* c, Args argv, Reply* out) {
    SetOptions o;
    int64_t at_ms = kNoExpiry;
    if (argv.len > 3 && !arg_set_options(c, argv, 3, SetFamily::set, &o)) return;
    if (o.has_expiry && !arg_expiry(c, o.expiry, o.unit, o.relative, &at_ms)) return;
    Handle h = db_open(&c->a, argv[1]);
    if (o.get) {
        if (!count_string(c, &h)) return;
        reply_old(c, &h);
    }
    bool found = h.at.entry != nullptr;
    if ((o.nx && found) || (o.xx && !found)) {
        if (!o.get) reply_null(out);
        return;
    }
    if (o.keep_ttl) at_ms = expiry_of(&h);
    put_value(c, &h, argv, 2, at_ms);
    if (argv.len > 3) effect_set(c, argv[1], argv, 2, at_ms);
    notify_set(c, argv[1], o.has_expiry);
    if (!o.get) reply_ok(out);
}

static void cmd_setnx(CmdCtx* c, Args argv, Reply* out) {
    Handle h = db_open(&c->a, argv[1]);
    if (h.at.entry != nullptr) return reply_int(out, 0);
    put_value(c, &h, argv, 2, kNoExpiry);
    notify_set(c, argv[1], false);
    reply_int(out, 1);
}

static void set_expiring(CmdCtx* c, Args argv, TimeUnit unit) {
    int64_t at_ms;
    if (!arg_expiry(c, argv[2], unit, true, &at_ms)) return;
    Handle h = db_open(&c->a, argv[1]);
    put_value(c, &h, argv, 3, at_ms);
    effect_set(c, argv[1], argv, 3, at_ms);
    notify_set(c, argv[1], true);
    reply_ok(c->out);
}
static void cmd_setex(CmdCtx* c, Args argv, Reply*) { set_expiring(c, argv, TimeUnit::seconds); }
static void cmd_psetex(CmdCtx* c, Args argv, Reply*) {
    set_expiring(c, argv, TimeUnit::milliseconds);
}

static void cmd_getset(CmdCtx* c, Args argv, Reply*) {
    Handle h = db_open(&c->a, argv[1]);
    if (!count_string(c, &h)) return;
    reply_old(c, &h);
    put_value(c, &h, argv, 2, kNoExpiry);
    notify_set(c, argv[1], false);
}

static bool pairs_complete(CmdCtx* c, Args argv) {
    if (argv.len % 2 == 1) return true;
    char name[64];
    cmd_full_name(c->parent, c->row, name);
    reply_err_arity(c->out, name);
    return false;
}

static void put_pairs(CmdCtx* c, Args argv) {
    c->a.hash_next = 0;
    for (size_t i = 1; i < argv.len; i += 2) {
        Handle h = db_open(&c->a, argv[i]);
        put_value(c, &h, argv, i + 1, kNoExpiry);
        notify_set(c, argv[i], false);
    }
}

static void cmd_mset(CmdCtx* c, Args argv, Reply* out) {
    if (!pairs_complete(c, argv)) return;
    put_pairs(c, argv);
    reply_ok(out);
}

static void cmd_msetnx(CmdCtx* c, Args argv, Reply* out) {
    if (!pairs_complete(c, argv)) return;
    for (size_t i = 1; i < argv.len; i += 2) {
        if (db_open(&c->a, argv[i]).at.entry != nullptr) return reply_int(out, 0);
    }
    put_pairs(c, argv);
    reply_int(out, 1);
}

// ---- bytes inside a value ---------------------------------------------------------------------

static bool length_fits(CmdCtx* c, size_t offset, size_t more) {
    size_t total;
    if (!__builtin_add_overflow(offset, more, &total) && total <= value_max(c->config)) return true;
    reply_err(c->out, Err::string_too_long);
    return false;
}

// The blob of h's value grown to `len` bytes in place: null if it is shared (a reply on its way out
// holds it), or not a blob. Room is doubled, so that repeated APPENDs cost no copy each.
static Blob* grow_own_blob(Access* a, Handle* h, size_t len) {
    Entry* e = h->at.entry;
    if (e == nullptr || entry_encoding(e) != Encoding::blob) return nullptr;
    preserve_before_change(a, e);
    Blob* b = entry_blob(e);
    if (blob_shared(b)) return nullptr;
    if (b->cap < len) {
        b = blob_try_resize(b, len < 2 * b->cap ? 2 * b->cap : len);
        if (b == nullptr) return nullptr;
        // The old entry must not keep the old address: it is unreferenced when it is unlinked.
        entry_word(e)->store(reinterpret_cast<int64_t>(b), std::memory_order_relaxed);
    }
    if (len > b->len) memset(b->data + b->len, 0, len - b->len);
    b->len = len;
    return b;
}

// A new value of `len` bytes made of the old one (zero-padded) with `patch` laid over it at
// `offset`.
static bool put_patched(CmdCtx* c, Handle* h, size_t len, size_t offset, Bytes patch) {
    int64_t expiry_ms = expiry_of(h);
    if (Blob* own = grow_own_blob(&c->a, h, len)) {
        memcpy(own->data + offset, patch.ptr, patch.len);
        db_put_keep_age(&c->a, h, entry_new_blob(h->key, blob_ref(own), expiry_ms));
        return true;
    }
    StringView old;
    if (h->at.entry != nullptr) db_value(&c->a, h->at.entry, &old);
    Blob* blob = blob_try_new(len);
    if (blob == nullptr) {
        reply_err(c->out, Err::no_memory);
        return false;
    }
    blob->len = len;
    if (old.bytes.len != 0) memcpy(blob->data, old.bytes.ptr, old.bytes.len);
    if (offset > old.bytes.len) memset(blob->data + old.bytes.len, 0, offset - old.bytes.len);
    memcpy(blob->data + offset, patch.ptr, patch.len);
    if (len >= kBlobMin) {
        db_put_keep_age(&c->a, h, entry_new_blob(h->key, blob, expiry_ms));
        return true;
    }
    Entry* e = entry_new_string(h->key, blob_bytes(blob), Encoding::raw, expiry_ms);
    blob_unref(blob);
    db_put_keep_age(&c->a, h, e);
    return true;
}

static void cmd_append(CmdCtx* c, Args argv, Reply* out) {
    Handle h = db_open(&c->a, argv[1]);
    if (!string_or_none(c, &h)) return;
    if (h.at.entry == nullptr) {
        put_value(c, &h, argv, 2, kNoExpiry);
        notify(&c->a, kNotifyString, "append", argv[1]);
        return reply_int(out, static_cast<int64_t>(argv[2].len));
    }
    size_t old_len = db_value_len(h.at.entry);
    if (!length_fits(c, old_len, argv[2].len)) return;
    size_t len = old_len + argv[2].len;
    if (!put_patched(c, &h, len, old_len, argv[2])) return;
    notify(&c->a, kNotifyString, "append", argv[1]);
    reply_int(out, static_cast<int64_t>(len));
}

static void cmd_setrange(CmdCtx* c, Args argv, Reply* out) {
    int64_t offset;
    if (!arg_i64(c, argv[2], &offset)) return;
    if (offset < 0) return reply_error(out, "ERR offset is out of range");
    Handle h = db_open(&c->a, argv[1]);
    if (!string_or_none(c, &h)) return;
    Bytes patch = argv[3];
    size_t old_len = h.at.entry != nullptr ? db_value_len(h.at.entry) : 0;
    if (patch.len == 0) return reply_int(out, static_cast<int64_t>(old_len));
    auto at = static_cast<size_t>(offset);
    if (!length_fits(c, at, patch.len)) return;
    size_t len = at + patch.len > old_len ? at + patch.len : old_len;
    if (!put_patched(c, &h, len, at, patch)) return;
    notify(&c->a, kNotifyString, "setrange", argv[1]);
    reply_int(out, static_cast<int64_t>(len));
}

// ---- counters ---------------------------------------------------------------------------------

static bool integer_value(CmdCtx* c, const Entry* e, int64_t* out) {
    if (entry_encoding(e) == Encoding::integer) {
        *out = entry_integer(e);
        return true;
    }
    StringView v;
    db_value(&c->a, e, &v);
    return arg_i64(c, v.bytes, out);
}

static void increment(CmdCtx* c, Bytes key, int64_t by) {
    int64_t value = 0;
    Handle h = db_open(&c->a, key);
    if (!string_or_none(c, &h)) return;
    if (h.at.entry != nullptr && !integer_value(c, h.at.entry, &value)) return;
    if (__builtin_add_overflow(value, by, &value)) return reply_err(c->out, Err::overflow);
    if (h.at.entry != nullptr && entry_encoding(h.at.entry) == Encoding::integer) {
        db_set_integer(&c->a, &h, value);
    } else {
        db_put_keep_age(&c->a, &h, entry_new_integer(key, value, expiry_of(&h)));
    }
    notify(&c->a, kNotifyString, "incrby", key);
    reply_int(c->out, value);
}

static void cmd_incr(CmdCtx* c, Args argv, Reply*) { increment(c, argv[1], 1); }
static void cmd_decr(CmdCtx* c, Args argv, Reply*) { increment(c, argv[1], -1); }

static void cmd_incrby(CmdCtx* c, Args argv, Reply*) {
    int64_t by;
    if (arg_i64(c, argv[2], &by)) increment(c, argv[1], by);
}

static void cmd_decrby(CmdCtx* c, Args argv, Reply* out) {
    int64_t by;
    if (!arg_i64(c, argv[2], &by)) return;
    if (by == INT64_MIN) return reply_error(out, "ERR decrement would overflow");
    increment(c, argv[1], -by);
}

static void cmd_incrbyfloat(CmdCtx* c, Args argv, Reply* out) {
    long double value = 0, by = 0;
    Handle h = db_open(&c->a, argv[1]);
    if (!string_or_none(c, &h)) return;
    if (h.at.entry != nullptr) {
        StringView v;
        db_value(&c->a, h.at.entry, &v);
        if (!parse_long_double(v.bytes, &value)) return reply_err(out, Err::not_float);
    }
    if (!parse_long_double(argv[2], &by)) return reply_err(out, Err::not_float);
    value += by;
    if (std::isnan(value) || std::isinf(value)) return reply_err(out, Err::nan_or_inf);
    char text[kLdTextMax];
    Bytes result = {text, format_long_double(text, value)};
    Entry* e = entry_new_string(argv[1], result, Encoding::embstr, expiry_of(&h));
    db_put_keep_age(&c->a, &h, e);
    effect(c, {"SET", argv[1], result, "KEEPTTL"});
    notify(&c->a, kNotifyString, "incrbyfloat", argv[1]);
    reply_bulk(out, result);
}

// ---- rows -------------------------------------------------------------------------------------

constexpr uint32_t kRead = kKeyRO | kKeyAccess;

// clang-format off: a row reads best as one block.
const Cmd kStringCmds[] = {
    {.name = "GET",
     .run = cmd_get,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "string",
     .syntax = "key:key",
     .reply = Shape::bulk_or_null,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Returns the string value of a key."},
    {.name = "MGET",
     .run = cmd_mget,
     .arity = -2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kRead, .index = 1, .last = -1}},
     .group = "string",
     .syntax = "key:key...",
     .reply = Shape::array,
     .since = "1.0.0",
     .cost = "O(N), N = keys",
     .about = "Returns the string values of several keys at one instant.",
     .tips = {"request_policy:multi_shard"}},
    {.name = "STRLEN",
     .run = cmd_strlen,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRO, .index = 1}},
     .group = "string",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "2.2.0",
     .cost = "O(1)",
     .about = "Returns the length of a string value in bytes."},
    {.name = "GETRANGE",
     .run = cmd_getrange,
     .arity = 4,
     .flags = kCmdReadonly,
     .acl = kAclString,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "string",
     .syntax = "key:key start:integer end:integer",
     .reply = Shape::bulk,
     .since = "2.4.0",
     .cost = "O(N), N = bytes returned",
     .about = "Returns the bytes of a string between two offsets."},
    {.name = "SUBSTR",
     .run = cmd_getrange,
     .arity = 4,
     .flags = kCmdReadonly,
     .acl = kAclString,
     .keys = {{.flags = kRead, .index = 1}},
     .group = "string",
     .syntax = "key:key start:integer end:integer",
     .reply = Shape::bulk,
     .since = "1.0.0",
     .cost = "O(N), N = bytes returned",
     .about = "The old name of GETRANGE.",
     .deprecated_since = "2.0.0",
     .replaced_by = "`GETRANGE`"},
    {.name = "GETDEL",
     .run = cmd_getdel,
     .arity = 2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .index = 1}},
     .group = "string",
     .syntax = "key:key",
     .reply = Shape::bulk_or_null,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Returns the string value of a key and deletes the key."},
    {.name = "GETEX",
     .run = cmd_getex,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate,
               .index = 1,
               .notes = "RW and UPDATE because it changes the TTL"}},
     .group = "string",
     .syntax = "key:key [expiration=(EX seconds:integer|PX milliseconds:integer|"
               "EXAT unix-time-seconds:unix-time|PXAT unix-time-milliseconds:unix-time|PERSIST)]",
     .reply = Shape::bulk_or_null,
     .since = "6.2.0",
     .cost = "O(1)",
     .about = "Returns the string value of a key and sets or clears its expiry."},
    {.name = "SET",
     .run = cmd_set,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariable,
               .index = 1,
               .notes = "RW and ACCESS due to the optional `GET` argument"}},
     .group = "string",
     .syntax = "key:key value:string [condition=(NX|XX)@2.6.12] [GET@6.2.0] "
               "[expiration=(EX seconds:integer@2.6.12|PX milliseconds:integer@2.6.12|"
               "EXAT unix-time-seconds:unix-time@6.2.0|"
               "PXAT unix-time-milliseconds:unix-time@6.2.0|KEEPTTL@6.0.0)]",
     .reply = Shape::any,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Sets the string value of a key, whatever type it had.",
     .history = {{"2.6.12", "New options `EX`, `PX`, `NX`, `XX`."},
                 {"6.0.0", "New option `KEEPTTL`."},
                 {"6.2.0", "New options `GET`, `EXAT`, `PXAT`."},
                 {"7.0.0", "`NX` and `GET` may stand together."}}},
    {.name = "SETNX",
     .run = cmd_setnx,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyOW | kKeyInsert, .index = 1}},
     .group = "string",
     .syntax = "key:key value:string",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Sets the string value of a key only if the key does not exist."},
    {.name = "SETEX",
     .run = cmd_setex,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclString,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key seconds:integer value:string",
     .reply = Shape::ok,
     .since = "2.0.0",
     .cost = "O(1)",
     .about = "Sets the string value of a key with an expiry in seconds."},
    {.name = "PSETEX",
     .run = cmd_psetex,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclString,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key milliseconds:integer value:string",
     .reply = Shape::ok,
     .since = "2.6.0",
     .cost = "O(1)",
     .about = "Sets the string value of a key with an expiry in milliseconds."},
    {.name = "GETSET",
     .run = cmd_getset,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key value:string",
     .reply = Shape::bulk_or_null,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Sets the string value of a key and returns the old one.",
     .deprecated_since = "6.2.0",
     .replaced_by = "`SET` with the `!GET` argument"},
    {.name = "MSET",
     .run = cmd_mset,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclString,
     .keys = {{.flags = kKeyOW | kKeyUpdate, .index = 1, .last = -1, .step = 2}},
     .group = "string",
     .syntax = "key_value={key:key value:string}...",
     .reply = Shape::ok,
     .since = "1.0.1",
     .cost = "O(N), N = keys",
     .about = "Sets several keys at one instant.",
     .tips = {"request_policy:multi_shard", "response_policy:all_succeeded"}},
    {.name = "MSETNX",
     .run = cmd_msetnx,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclString,
     .keys = {{.flags = kKeyOW | kKeyInsert, .index = 1, .last = -1, .step = 2}},
     .group = "string",
     .syntax = "key_value={key:key value:string}...",
     .reply = Shape::integer,
     .since = "1.0.1",
     .cost = "O(N), N = keys",
     .about = "Sets several keys at one instant, only if none of them exists.",
     .tips = {"request_policy:multi_shard", "response_policy:agg_min"}},
    {.name = "APPEND",
     .run = cmd_append,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyInsert, .index = 1}},
     .group = "string",
     .syntax = "key:key value:string",
     .reply = Shape::integer,
     .since = "2.0.0",
     .cost = "O(N), N = length of the result",
     .about = "Appends bytes to a string value, creating it if needed."},
    {.name = "SETRANGE",
     .run = cmd_setrange,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key offset:integer value:string",
     .reply = Shape::integer,
     .since = "2.2.0",
     .cost = "O(N), N = length of the result",
     .about = "Overwrites part of a string value, padding with zero bytes if needed."},
    {.name = "INCR",
     .run = cmd_incr,
     .arity = 2,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Adds one to an integer value; a missing key counts as 0."},
    {.name = "DECR",
     .run = cmd_decr,
     .arity = 2,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Takes one from an integer value; a missing key counts as 0."},
    {.name = "INCRBY",
     .run = cmd_incrby,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key increment:integer",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Adds a number to an integer value."},
    {.name = "DECRBY",
     .run = cmd_decrby,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key decrement:integer",
     .reply = Shape::integer,
     .since = "1.0.0",
     .cost = "O(1)",
     .about = "Takes a number from an integer value."},
    {.name = "INCRBYFLOAT",
     .run = cmd_incrbyfloat,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .acl = kAclString,
     .keys = {{.flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1}},
     .group = "string",
     .syntax = "key:key increment:double",
     .reply = Shape::bulk,
     .since = "2.6.0",
     .cost = "O(1)",
     .about = "Adds a floating point number to a numeric value."},
    {},
};
// clang-format on

}  // namespace rp
