// The frame of an RDB file: opcodes, keys, the end; and payloads of DUMP.
#include "persist/rdb_read.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "mem/mem.h"
#include "persist/crc64.h"
#include "persist/rdb_reader.h"

namespace rp {

constexpr int kChecksumSince = 5;
constexpr size_t kNameShownMax = 64;

// What the opcodes before a key have said of it.
struct Frame {
    RdbReader r;
    int version = 0;
    uint32_t db = 0;
    bool in_key = false;  // r.key is the one being read
    int64_t expiry_ms = kNoExpiry;
    int64_t idle_s = -1;
    int lfu = -1;
};

static void forget_hints(Frame* f) {
    f->in_key = false;
    f->expiry_ms = kNoExpiry;
    f->idle_s = -1;
    f->lfu = -1;
}

// ---- errors -----------------------------------------------------------------------------------

// Anything, as one short piece of one line.
static void shown(char out[4 * kNameShownMax + 4], Bytes text) {
    size_t at = 0;
    for (size_t i = 0; i < text.len && i < kNameShownMax; i++) {
        auto c = static_cast<unsigned char>(text[i]);
        bool plain = c >= ' ' && c < 127 && c != '\\' && c != '\'';
        at += static_cast<size_t>(sprintf(out + at, plain ? "%c" : "\\x%02x", c));
    }
    snprintf(out + at, 4, "%s", text.len > kNameShownMax ? "..." : "");
}

static const char* advice(RdbFault fault) {
    switch (fault) {
        case RdbFault::io: return "Check the disk and the permissions.";
        case RdbFault::truncated: return "The file was cut: use a backup.";
        case RdbFault::bad: return "The file is damaged: use a backup.";
        case RdbFault::no_memory: return "Load it on a machine with more memory.";
        case RdbFault::unsupported:
            return "This version cannot hold it: remove it in the server that wrote the file, save "
                   "again.";
        case RdbFault::none:
        case RdbFault::stopped: break;
    }
    return "";
}

static void describe(const Frame* f, PersistErr* err) {
    const RdbReader* r = &f->r;
    if (r->fault == RdbFault::stopped) return;  // the visitor has said why
    char where[4 * kNameShownMax + 64] = "";
    if (f->in_key) {
        char key[4 * kNameShownMax + 4];
        shown(key, blob_bytes(r->key));
        snprintf(where, sizeof where, " (database %u, key '%s')", f->db, key);
    }
    snprintf(err->text, sizeof err->text, "%s: byte %llu%s: %s%s%s. %s", r->in->path,
             static_cast<unsigned long long>(rdb_offset(r)), where, r->why,
             r->fault == RdbFault::io ? ": " : "",
             r->fault == RdbFault::io ? strerror(r->error) : "", advice(r->fault));
}

// ---- opcodes ----------------------------------------------------------------------------------

static bool read_header(Frame* f) {
    char magic[kRdbMagicLen + 1] = {};
    RdbReader* r = &f->r;
    if (!rdb_take(r, magic, kRdbMagicLen)) return false;
    bool digits = true;
    for (size_t i = kRdbMagicLen - 4; i < kRdbMagicLen; i++)
        digits = digits && isdigit(static_cast<unsigned char>(magic[i])) != 0;
    if (memcmp(magic, kRdbMagic, kRdbMagicLen - 4) != 0 || !digits) {
        return rdb_fail(r, RdbFault::bad, "this is no RDB file: it does not begin with REDIS");
    }
    f->version = atoi(magic + kRdbMagicLen - 4);
    if (f->version >= 1 && f->version <= kRdbVersionMax) return true;
    return rdb_fail(r, RdbFault::unsupported, "RDB version %d (versions 1 to %d can be read)",
                    f->version, kRdbVersionMax);
}

static bool read_select(Frame* f) {
    uint64_t db;
    if (!rdb_length(&f->r, &db)) return false;
    if (db > INT32_MAX) return rdb_fail(&f->r, RdbFault::bad, "a database out of range");
    f->db = static_cast<uint32_t>(db);
    return true;
}

static bool read_sizes(Frame* f) {
    uint64_t keys, ttl;
    if (!rdb_length(&f->r, &keys) || !rdb_length(&f->r, &ttl)) return false;
    const RdbVisitor* visitor = f->r.visitor;
    if (visitor->sizes != nullptr) visitor->sizes(visitor->arg, f->db, keys, ttl);
    return true;
}

static bool read_aux(Frame* f) {
    RdbReader* r = &f->r;
    if (!rdb_text(r, &r->first) || !rdb_text(r, &r->second)) return false;
    const RdbVisitor* visitor = r->visitor;
    if (visitor->aux != nullptr) {
        visitor->aux(visitor->arg, blob_bytes(r->first), blob_bytes(r->second));
    }
    return true;
}

static bool read_expiry(Frame* f, bool seconds) {
    uint64_t v;
    if (!rdb_fixed(&f->r, seconds ? 4 : 8, &v)) return false;
    f->expiry_ms = seconds ? int64_t{1000} * static_cast<int32_t>(v) : static_cast<int64_t>(v);
    return true;
}

static bool read_idle(Frame* f) {
    uint64_t seconds;
    if (!rdb_length(&f->r, &seconds)) return false;
    f->idle_s = seconds > INT64_MAX ? INT64_MAX : static_cast<int64_t>(seconds);
    return true;
}

static bool read_lfu(Frame* f) {
    uint8_t counter;
    if (!rdb_byte(&f->r, &counter)) return false;
    f->lfu = counter;
    return true;
}

static bool read_slot_info(Frame* f) {
    uint64_t ignored;
    return rdb_length(&f->r, &ignored) && rdb_length(&f->r, &ignored) &&
           rdb_length(&f->r, &ignored);
}

// ---- what cannot be kept ----------------------------------------------------------------------

void rdb_module_name(uint64_t id, char name[kModuleNameLen + 1]) {
    static const char kLetters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    name[kModuleNameLen] = 0;
    id >>= 10;  // the version of its encoding
    for (size_t i = kModuleNameLen; i != 0; i--, id >>= 6)
        name[i - 1] = kLetters[id & 63];
}

static bool refuse_module(Frame* f) {
    uint64_t id;
    char name[kModuleNameLen + 1];
    if (!rdb_length(&f->r, &id)) return false;
    rdb_module_name(id, name);
    return rdb_fail(&f->r, RdbFault::unsupported, "data of the module '%s'", name);
}

static bool refuse_library(RdbReader* r, Bytes name) {
    char text[4 * kNameShownMax + 4];
    shown(text, name);
    return rdb_fail(r, RdbFault::unsupported, "the function library '%.*s'", 80, text);
}

// The code of a library begins "#!lua name=<name>".
static Bytes library_name(Bytes code) {
    static const char kMark[] = "name=";
    size_t line = 0;
    while (line < code.len && code[line] != '\n')
        line++;
    auto* at = static_cast<const char*>(memmem(code.ptr, line, kMark, sizeof kMark - 1));
    if (at == nullptr) return bytes_slice(code, 0, line);
    at += sizeof kMark - 1;
    return {at, static_cast<size_t>(code.ptr + line - at)};
}

static bool read_function(RdbReader* r) {
    if (!rdb_text(r, &r->first)) return false;
    Bytes code = blob_bytes(r->first);
    return code.len == 0 || refuse_library(r, library_name(code));
}

// The form of 7.0's release candidates: name, engine, perhaps a description, code.
static bool read_function_pre_ga(RdbReader* r) {
    uint64_t described;
    if (!rdb_text(r, &r->first) || !rdb_text(r, &r->second) || !rdb_length(r, &described)) {
        return false;
    }
    if (described != 0 && !rdb_text(r, &r->second)) return false;
    if (!rdb_text(r, &r->second)) return false;
    return r->second->len == 0 || refuse_library(r, blob_bytes(r->first));
}

// ---- keys -------------------------------------------------------------------------------------

// A long string is the visitor's to take; what it leaves stays ours.
static bool visit(Frame* f, RdbKey* k, PersistErr* err) {
    RdbReader* r = &f->r;
    bool offered = k->type == Type::string && k->text.len >= kBlobMin;
    if (offered) {
        k->string = r->first;
        r->first = nullptr;
    }
    bool go_on = r->visitor->key(r->visitor->arg, k, err);
    if (offered) r->first = k->string;
    if (k->type != Type::string) value_free(&k->value);
    return go_on || rdb_fail(r, RdbFault::stopped, "stopped");
}

static bool read_key(Frame* f, uint8_t code, PersistErr* err) {
    RdbReader* r = &f->r;
    RdbKey k = {};
    bool empty;
    if (!rdb_text(r, &r->key)) return false;
    f->in_key = true;
    if (!rdb_read_value(r, code, &k, &empty)) return false;
    k.db = f->db;
    k.key = blob_bytes(r->key);
    k.expiry_ms = f->expiry_ms;
    k.idle_s = f->idle_s;
    k.lfu = f->lfu;
    bool good = empty || visit(f, &k, err);
    forget_hints(f);
    return good;
}

static bool read_end(Frame* f) {
    RdbReader* r = &f->r;
    if (f->version < kChecksumSince) return true;
    rdb_sum(r);
    uint64_t computed = r->crc, stored;
    if (!rdb_fixed(r, 8, &stored)) return false;
    if (!r->in->checksum || stored == 0 || stored == computed) return true;
    return rdb_fail(r, RdbFault::bad, "the checksum is %016llx, but of these bytes it is %016llx",
                    static_cast<unsigned long long>(stored),
                    static_cast<unsigned long long>(computed));
}

static bool read_step(Frame* f, uint8_t op, PersistErr* err) {
    switch (op) {
        case kRdbSlotInfo: return read_slot_info(f);
        case kRdbFunction2: return read_function(&f->r);
        case kRdbFunctionPreGa: return read_function_pre_ga(&f->r);
        case kRdbModuleAux: return refuse_module(f);
        case kRdbIdle: return read_idle(f);
        case kRdbFreq: return read_lfu(f);
        case kRdbAux: return read_aux(f);
        case kRdbResizeDb: return read_sizes(f);
        case kRdbExpireMs: return read_expiry(f, false);
        case kRdbExpireS: return read_expiry(f, true);
        case kRdbSelectDb: return read_select(f);
        default: return read_key(f, op, err);
    }
}

static bool read_all(Frame* f, PersistErr* err) {
    if (!read_header(f)) return false;
    for (;;) {
        uint8_t op;
        if (!rdb_byte(&f->r, &op)) return false;
        if (op == kRdbEof) return read_end(f);
        if (!read_step(f, op, err)) return false;
    }
}

bool rdb_read(RdbIn* in, const RdbLimits* limits, const RdbVisitor* visitor, uint64_t* used,
              PersistErr* err) {
    Frame f;
    f.r.in = in;
    f.r.limits = limits;
    f.r.visitor = visitor;
    bool good = read_all(&f, err);
    *used = rdb_offset(&f.r);
    if (!good) describe(&f, err);
    rdb_reader_free(&f.r);
    return good;
}

// ---- payloads of DUMP -------------------------------------------------------------------------

static uint64_t foot_number(const char* at, size_t bytes) {
    uint64_t v = 0;
    for (size_t i = bytes; i != 0; i--)
        v = v << 8 | static_cast<uint8_t>(at[i - 1]);
    return v;
}

static bool payload_foot_good(Bytes payload) {
    if (payload.len < kRdbPayloadFoot) return false;
    const char* foot = payload.ptr + payload.len - kRdbPayloadFoot;
    return foot_number(foot, 2) <= kRdbVersionMax &&
           foot_number(foot + 2, 8) == crc64(0, {payload.ptr, payload.len - 8});
}

static Payload read_payload(RdbReader* r, RdbKey* out) {
    uint8_t code;
    bool empty;
    if (!rdb_byte(r, &code) || !rdb_read_value(r, code, out, &empty)) {
        return r->fault == RdbFault::unsupported ? Payload::unsupported : Payload::bad_data;
    }
    if (empty || rdb_left(r) != 0) {
        value_free(&out->value);
        return Payload::bad_data;
    }
    if (out->type == Type::string) {
        out->string = r->first;
        r->first = nullptr;
    }
    return Payload::ok;
}

Payload rdb_read_payload(Bytes payload, const RdbLimits* limits, RdbKey* out) {
    *out = {};
    out->expiry_ms = kNoExpiry;
    out->idle_s = out->lfu = -1;
    if (!payload_foot_good(payload)) return Payload::bad_version_or_checksum;
    RdbReader r;
    r.limits = limits;
    r.window = {payload.ptr, payload.len - kRdbPayloadFoot};
    Payload result = read_payload(&r, out);
    rdb_reader_free(&r);
    return result;
}

}  // namespace rp
