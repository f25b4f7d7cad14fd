#include "cmd/options.h"

#include "base/numbers.h"

namespace rp {

static bool refuse_expiry(CmdCtx* c) {
    char name[64];
    cmd_full_name(c->parent, c->row, name);
    reply_err_expire(c->out, name);
    return false;
}

bool arg_expiry(CmdCtx* c, Bytes arg, TimeUnit unit, bool relative, int64_t* out_ms) {
    int64_t v;
    if (!arg_i64(c, arg, &v)) return false;
    if (v <= 0) return refuse_expiry(c);
    if (unit == TimeUnit::seconds && __builtin_mul_overflow(v, 1000, &v)) return refuse_expiry(c);
    if (relative && __builtin_add_overflow(v, db_now(&c->a), &v)) return refuse_expiry(c);
    *out_ms = v;
    return true;
}

struct ExpiryWord {
    Bytes word;
    TimeUnit unit;
    bool relative;
};
static constexpr ExpiryWord kExpiryWords[] = {
    {"EX", TimeUnit::seconds, true},
    {"PX", TimeUnit::milliseconds, true},
    {"EXAT", TimeUnit::seconds, false},
    {"PXAT", TimeUnit::milliseconds, false},
};

// True if argv[*i] (and its value) is an expiry option that fits what came before.
static bool take_expiry(Args argv, size_t* i, SetOptions* o) {
    for (const ExpiryWord& w : kExpiryWords) {
        if (!arg_is(argv[*i], w.word)) continue;
        bool other_kind = o->has_expiry && (o->unit != w.unit || o->relative != w.relative);
        if (other_kind || o->keep_ttl || o->persist || *i + 1 >= argv.len) return false;
        o->has_expiry = true;
        o->unit = w.unit;
        o->relative = w.relative;
        o->expiry = argv[++*i];
        return true;
    }
    return false;
}

static bool take_flag(Bytes arg, SetFamily family, SetOptions* o) {
    if (family == SetFamily::getex) {
        if (!arg_is(arg, "PERSIST") || o->has_expiry) return false;
        return o->persist = true;
    }
    if (arg_is(arg, "NX") && !o->xx) return o->nx = true;
    if (arg_is(arg, "XX") && !o->nx) return o->xx = true;
    if (arg_is(arg, "GET")) return o->get = true;
    if (arg_is(arg, "KEEPTTL") && !o->has_expiry) return o->keep_ttl = true;
    return false;
}

bool arg_set_options(CmdCtx* c, Args argv, size_t from, SetFamily family, SetOptions* out) {
    for (size_t i = from; i < argv.len; i++) {
        if (take_flag(argv[i], family, out) || take_expiry(argv, &i, out)) continue;
        reply_err(c->out, Err::syntax);
        return false;
    }
    return true;
}

static bool refuse_numkeys(CmdCtx* c, Numkeys kind) {
    char name[64];
    if (kind == Numkeys::combine) {
        cmd_full_name(c->parent, c->row, name);
        reply_errorf(c->out, "ERR at least 1 input key is needed for '%s' command", name);
    } else {
        reply_error(c->out, "ERR numkeys should be greater than 0");
    }
    return false;
}

static bool refuse_missing_keys(CmdCtx* c, Numkeys kind) {
    if (kind == Numkeys::card) {
        reply_error(c->out, "ERR Number of keys can't be greater than number of args");
    } else {
        reply_err(c->out, Err::syntax);
    }
    return false;
}

bool arg_numkeys(CmdCtx* c, Args argv, size_t at, Numkeys kind, size_t* out) {
    int64_t n;
    if (!parse_i64(argv[at], &n)) {
        if (kind != Numkeys::combine) return refuse_numkeys(c, kind);
        reply_err(c->out, Err::not_integer);
        return false;
    }
    if (n < 1) return refuse_numkeys(c, kind);
    size_t room = argv.len - at - 1;
    if (kind == Numkeys::pop && room != 0) room--;
    *out = static_cast<size_t>(n);
    return *out <= room || refuse_missing_keys(c, kind);
}

}  // namespace rp
