#include "persist/rdb_write.h"

#include <cstdio>

#include "base/numbers.h"
#include "mem/mem.h"
#include "persist/crc64.h"
#include "persist/lzf.h"
#include "persist/rdb_format.h"
#include "types/each.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

namespace rp {

// Below this, LZF's own bytes eat what it saves; and it must save that many (both as Redis).
constexpr size_t kLzfTextMin = 21;
constexpr size_t kLzfSavesMin = 4;
constexpr size_t kIntegerTextMax = 11;  // "-2147483648"
constexpr size_t kLengthMax = 9;
constexpr size_t kInOneMax = 4096;  // head and bytes go out as one piece

// ---- pieces -----------------------------------------------------------------------------------

static void put(RdbOut* o, Bytes bytes) {
    out_write(o->out, bytes);
    if (o->checksum) o->crc = crc64(o->crc, bytes);
}

static void put_byte(RdbOut* o, uint8_t byte) {
    char c = static_cast<char>(byte);
    put(o, {&c, 1});
}

static size_t little_endian(char* to, uint64_t v, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        to[i] = static_cast<char>(v >> (8 * i));
    return bytes;
}

static size_t big_endian(char* to, uint64_t v, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        to[i] = static_cast<char>(v >> (8 * (bytes - 1 - i)));
    return bytes;
}

static size_t length_to(char* to, uint64_t n) {
    if (n < 64) return big_endian(to, kRdbLen6 | n, 1);
    if (n < 16384) return big_endian(to, uint64_t{kRdbLen14} << 8 | n, 2);
    bool wide = n > UINT32_MAX;
    to[0] = static_cast<char>(wide ? kRdbLen64 : kRdbLen32);
    return 1 + big_endian(to + 1, n, wide ? 8 : 4);
}

static void put_length(RdbOut* o, uint64_t n) {
    char bytes[kLengthMax];
    put(o, {bytes, length_to(bytes, n)});
}

static void put_fixed(RdbOut* o, uint64_t v, size_t bytes) {
    char b[8];
    put(o, {b, little_endian(b, v, bytes)});
}

// ---- strings ----------------------------------------------------------------------------------

static bool put_integer(RdbOut* o, Bytes text) {
    int64_t v;
    if (text.len > kIntegerTextMax || !parse_i64(text, &v)) return false;
    if (v < INT32_MIN || v > INT32_MAX) return false;
    uint8_t code = v >= INT8_MIN && v <= INT8_MAX     ? kRdbInt8
                   : v >= INT16_MIN && v <= INT16_MAX ? kRdbInt16
                                                      : kRdbInt32;
    char bytes[5] = {static_cast<char>(kRdbEncoded | code)};
    put(o, {bytes, 1 + little_endian(bytes + 1, static_cast<uint64_t>(v), size_t{1} << code)});
    return true;
}

static void put_with_head(RdbOut* o, const char* head, size_t head_len, Bytes body) {
    if (body.len > kInOneMax) {
        put(o, {head, head_len});
        return put(o, body);
    }
    char* to = out_reserve(o->out, head_len + body.len);
    memcpy(to, head, head_len);
    if (body.len != 0) memcpy(to + head_len, body.ptr, body.len);
    if (o->checksum) o->crc = crc64(o->crc, {to, head_len + body.len});
    out_commit(o->out, head_len + body.len);
}

static bool put_compressed_by(RdbOut* o, Bytes text, char* scratch) {
    size_t packed = lzf_pack(text, scratch, text.len - kLzfSavesMin);
    if (packed == 0) return false;
    char head[1 + 2 * kLengthMax] = {static_cast<char>(kRdbEncoded | kRdbLzf)};
    size_t len = 1 + length_to(head + 1, packed);
    len += length_to(head + len, text.len);
    put_with_head(o, head, len, {scratch, packed});
    return true;
}

// False: it would not get shorter.
static bool put_compressed(RdbOut* o, Bytes text) {
    if (!o->compress || text.len < kLzfTextMin) return false;
    char small[kInOneMax];
    if (text.len <= sizeof small) return put_compressed_by(o, text, small);
    auto* scratch = static_cast<char*>(mem_try_alloc(text.len));
    if (scratch == nullptr) return false;
    bool done = put_compressed_by(o, text, scratch);
    mem_free(scratch, text.len);
    return done;
}

void rdb_string(RdbOut* o, Bytes text) {
    if (put_integer(o, text) || put_compressed(o, text)) return;
    char head[kLengthMax];
    put_with_head(o, head, length_to(head, text.len), text);
}

// ---- collections ------------------------------------------------------------------------------

uint8_t rdb_type_code(Type type) {
    switch (type) {
        case Type::string: return kRdbString;
        case Type::list: return kRdbList;
        case Type::set: return kRdbSet;
        case Type::hash: return kRdbHash;
        case Type::zset: return kRdbZset2;
        case Type::stream: break;
    }
    RP_ASSERT(false && "no such values yet");
    return 0;
}

static void make_room(RdbOut* o) {
    if (RP_UNLIKELY(o->out->bytes >= kRdbDrainBytes) && o->drain != nullptr) o->drain(o->drain_arg);
}

static void put_element(const Element* e, void* arg) {
    auto* o = static_cast<RdbOut*>(arg);
    rdb_string(o, e->key);
    make_room(o);
}

static void put_field(const Element* e, void* arg) {
    auto* o = static_cast<RdbOut*>(arg);
    rdb_string(o, e->key);
    rdb_string(o, e->value);
    make_room(o);
}

// From the greatest down, as Redis writes them: its loader inserts each in front.
static void put_zset(RdbOut* o, const Value* v) {
    size_t count = zset_count(v);
    put_length(o, count);
    ZsetPair pair;
    for (ZsetWalk w = zset_walk(v, 0, count, true); zset_next(&w, &pair);) {
        rdb_string(o, pair.member);
        uint64_t bits;
        memcpy(&bits, &pair.score, sizeof bits);
        put_fixed(o, bits, sizeof bits);
        make_room(o);
    }
}

void rdb_value(RdbOut* o, Type type, const Value* v) {
    switch (type) {
        case Type::list: put_length(o, list_len(v)); break;
        case Type::set: put_length(o, set_count(v)); break;
        case Type::hash: put_length(o, hash_count(v)); break;
        case Type::zset: return put_zset(o, v);
        case Type::string:
        case Type::stream: RP_ASSERT(false && "not a collection"); return;
    }
    value_each(v, type, type == Type::hash ? put_field : put_element, o);
}

// ---- files ------------------------------------------------------------------------------------

static void put_aux(RdbOut* o, Bytes name, Bytes value) {
    put_byte(o, kRdbAux);
    rdb_string(o, name);
    rdb_string(o, value);
}

static void put_aux_number(RdbOut* o, Bytes name, int64_t value) {
    char digits[kI64TextMax];
    put_aux(o, name, {digits, format_i64(digits, value)});
}

void rdb_begin(RdbOut* o, const RdbHead* head) {
    char magic[kRdbMagicLen + 1];
    snprintf(magic, sizeof magic, "%s%04d", kRdbMagic, kRdbVersion);
    put(o, {magic, kRdbMagicLen});
    put_aux(o, "redis-ver", bytes_of(head->version));
    put_aux_number(o, "redis-bits", 8 * sizeof(void*));
    put_aux_number(o, "ctime", head->ctime_s);
    put_aux_number(o, "used-mem", head->used_mem);
    if (head->repl_id != nullptr) {
        put_aux_number(o, "repl-stream-db", 0);
        put_aux(o, "repl-id", bytes_of(head->repl_id));
        put_aux_number(o, "repl-offset", head->repl_offset);
    }
    put_aux_number(o, "aof-base", head->aof_base ? 1 : 0);
}

void rdb_select_db(RdbOut* o, uint32_t db) {
    put_byte(o, kRdbSelectDb);
    put_length(o, db);
}

void rdb_resize_db(RdbOut* o, uint64_t keys, uint64_t ttl_keys) {
    put_byte(o, kRdbResizeDb);
    put_length(o, keys);
    put_length(o, ttl_keys);
}

void rdb_key(RdbOut* o, Bytes key, Type type, int64_t expiry_ms, int64_t idle_s, int lfu) {
    if (expiry_ms != kNoExpiry) {
        put_byte(o, kRdbExpireMs);
        put_fixed(o, static_cast<uint64_t>(expiry_ms), 8);
    }
    if (idle_s >= 0) {
        put_byte(o, kRdbIdle);
        put_length(o, static_cast<uint64_t>(idle_s));
    }
    if (lfu >= 0) {
        put_byte(o, kRdbFreq);
        put_byte(o, static_cast<uint8_t>(lfu));
    }
    put_byte(o, rdb_type_code(type));
    rdb_string(o, key);
}

void rdb_end(RdbOut* o) {
    put_byte(o, kRdbEof);
    put_fixed(o, o->checksum ? o->crc : 0, 8);
}

// ---- payloads ---------------------------------------------------------------------------------

void rdb_payload(Out* out, Type type, Bytes string, const Value* v, bool compress) {
    RdbOut o;
    o.out = out;
    o.compress = compress;
    put_byte(&o, rdb_type_code(type));
    type == Type::string ? rdb_string(&o, string) : rdb_value(&o, type, v);
    put_fixed(&o, kRdbVersion, 2);
    put_fixed(&o, o.crc, 8);
}

}  // namespace rp
