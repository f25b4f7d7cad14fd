// What tests of the RDB codec share: values as text, files in memory, bytes by hand.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "mem/mem.h"
#include "persist/crc64.h"
#include "persist/rdb_read.h"
#include "persist/rdb_write.h"
#include "types/each.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"
#include "unit/resp/out_text.h"

namespace rp::test {

constexpr RdbLimits kLimits = {.hash_entries = 128,
                               .hash_value = 64,
                               .zset_entries = 128,
                               .zset_value = 64,
                               .set_intset = 512,
                               .list_size = -2};

inline Bytes as_bytes(const std::string& s) { return {s.data(), s.size()}; }
inline std::string as_string(Bytes b) { return {b.ptr, b.len}; }

// ---- values -----------------------------------------------------------------------------------

// "list [a, b]", "hash [f=v]" with sorted fields, "zset [m=1.5]".
inline std::string shown(Type type, const Value* v) {
    std::vector<std::string> parts;
    struct To {
        std::vector<std::string>* parts;
        Type type;
    } to = {&parts, type};
    value_each(
        v, type,
        [](const Element* e, void* arg) {
            auto* t = static_cast<To*>(arg);
            std::string part = as_string(e->key);
            if (t->type == Type::hash) part += "=" + as_string(e->value);
            if (t->type == Type::zset) {
                char digits[kDoubleTextMax];
                part += "=" + std::string(digits, format_double(digits, e->score));
            }
            t->parts->push_back(part);
        },
        &to);
    if (type == Type::hash || type == Type::set) std::sort(parts.begin(), parts.end());
    const char* names[] = {"string", "list", "set", "zset", "hash"};
    std::string text = std::string(names[static_cast<int>(type)]) + " [";
    for (size_t i = 0; i < parts.size(); i++)
        text += (i != 0 ? ", " : "") + parts[i];
    return text + "]";
}

inline void check(Type type, const Value* v) {
    switch (type) {
        case Type::list: return list_check(v);
        case Type::set: return set_check(v);
        case Type::hash: return hash_check(v);
        case Type::zset: return zset_check(v);
        case Type::string:
        case Type::stream: FAIL() << "no collection";
    }
}

inline std::string shown(const RdbKey* k) {
    if (k->type == Type::string) return "string " + as_string(k->text);
    check(k->type, &k->value);
    return shown(k->type, &k->value);
}

inline void add(Value* v, Type type, const std::string& a, const std::string& b = "") {
    switch (type) {
        case Type::list: return list_push(v, false, as_bytes(a), list_limits(kLimits.list_size));
        case Type::set: set_add(v, as_bytes(a), kLimits.set_intset); return;
        case Type::hash:
            hash_set(v, as_bytes(a), as_bytes(b), {kLimits.hash_entries, kLimits.hash_value});
            return;
        case Type::zset: {
            if (zset_find(v, as_bytes(a)).found) return;
            zset_add(v, as_bytes(a), atof(b.c_str()), {kLimits.zset_entries, kLimits.zset_value});
            return;
        }
        case Type::string:
        case Type::stream: FAIL() << "no collection";
    }
}

// ---- payloads ---------------------------------------------------------------------------------

inline std::string number(uint64_t v, size_t bytes) {
    std::string out;
    for (size_t i = 0; i < bytes; i++)
        out += static_cast<char>(v >> (8 * i));
    return out;
}

// A type byte and a value become a payload of DUMP.
inline std::string sealed(const std::string& body, uint16_t version = kRdbVersion) {
    std::string text = body + number(version, 2);
    return text + number(crc64(0, as_bytes(text)), 8);
}

// Short: one byte of length; else 32 bits.
inline std::string text(const std::string& s) {
    if (s.size() < 64) return std::string(1, static_cast<char>(s.size())) + s;
    std::string head = "\x80";
    for (int shift = 24; shift >= 0; shift -= 8)
        head += static_cast<char>(s.size() >> shift);
    return head + s;
}

// What a payload holds, or "bad", "unsupported", "checksum". The bytes are on the heap, exactly.
inline std::string restored(const std::string& payload, const RdbLimits& limits = kLimits) {
    std::vector<char> exact(payload.begin(), payload.end());
    RdbKey k;
    switch (rdb_read_payload({exact.data(), exact.size()}, &limits, &k)) {
        case Payload::bad_version_or_checksum: return "checksum";
        case Payload::bad_data: return "bad";
        case Payload::unsupported: return "unsupported";
        case Payload::ok: break;
    }
    std::string out = shown(&k);
    blob_unref(k.string);
    if (k.type != Type::string) value_free(&k.value);
    return out;
}
inline std::string restored_body(const std::string& body) { return restored(sealed(body)); }

// ---- files ------------------------------------------------------------------------------------

// Bytes as a file that gives at most `piece` of them at a time.
struct MemoryFile {
    std::string bytes;
    size_t piece = SIZE_MAX;
    size_t at = 0;
    int fails_with = 0;  // errno, once the bytes are used up
    int64_t used_max = 0;
    RdbIn in;

    explicit MemoryFile(std::string b) : bytes(std::move(b)) {
        in.arg = this;
        in.path = "/d/dump.rdb";
        in.read = [](void* arg, void* to, size_t len) {
            auto* f = static_cast<MemoryFile*>(arg);
            f->used_max = std::max(f->used_max, mem_used());
            size_t n = std::min({len, f->piece, f->bytes.size() - f->at});
            if (n == 0 && f->fails_with != 0) return static_cast<ssize_t>(-f->fails_with);
            memcpy(to, f->bytes.data() + f->at, n);
            f->at += n;
            return static_cast<ssize_t>(n);
        };
    }
};

struct Loaded {
    bool good = false;
    std::string error;
    uint64_t used = 0;
    std::vector<std::string> keys;  // "0/key expiry idle lfu: value"
    std::map<std::string, std::string> aux;
    std::string sizes;
};

inline Loaded load(MemoryFile* f) {
    Loaded out;
    RdbVisitor visitor;
    visitor.arg = &out;
    visitor.key = [](void* arg, RdbKey* k, PersistErr*) {
        std::string line = std::to_string(k->db) + "/" + as_string(k->key);
        line += " " + std::to_string(k->expiry_ms) + " " + std::to_string(k->idle_s);
        line += " " + std::to_string(k->lfu) + ": " + shown(k);
        static_cast<Loaded*>(arg)->keys.push_back(line);
        if (k->type == Type::string) {
            EXPECT_EQ(k->string != nullptr, k->text.len >= kBlobMin);
        }
        return true;
    };
    visitor.aux = [](void* arg, Bytes name, Bytes value) {
        static_cast<Loaded*>(arg)->aux[as_string(name)] = as_string(value);
    };
    visitor.sizes = [](void* arg, uint32_t db, uint64_t keys, uint64_t ttl) {
        static_cast<Loaded*>(arg)->sizes +=
            std::to_string(db) + ":" + std::to_string(keys) + "/" + std::to_string(ttl) + " ";
    };
    PersistErr err;
    out.good = rdb_read(&f->in, &kLimits, &visitor, &out.used, &err);
    out.error = err.text;
    return out;
}
inline Loaded load(const std::string& bytes, size_t piece = SIZE_MAX) {
    MemoryFile f(bytes);
    f.piece = piece;
    return load(&f);
}

// A file around a body of opcodes and keys.
inline std::string file_of(const std::string& body, const std::string& version = "0010") {
    std::string bytes = "REDIS" + version + body + "\xff";
    return bytes + number(crc64(0, as_bytes(bytes)), 8);
}

}  // namespace rp::test
