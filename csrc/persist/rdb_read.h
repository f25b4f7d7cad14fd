// persist/rdb_read.h: reads RDB versions up to 11, from a file or from a payload of DUMP. Bytes are
// hostile until they have been checked: every length against what is left, every element against
// its kind, sets and hashes for duplicates. What today's types cannot hold (streams, modules,
// functions) is named by type and key.
//
// Ownership  an RdbKey given to the visitor is its to take: it empties what it takes (string =
// null,
//            value = {}); the reader frees the rest.
// Threads    single owner.
// Errors     one line: file, offset, what is wrong and what to do.
#pragma once
#include "conf/config.h"
#include "persist/manifest.h"
#include "table/entry.h"

namespace rp {

// Where bytes come from: a file (read by pieces) or memory.
constexpr int kRdbVersionMax = 11;

struct RdbIn {
    // Up to len bytes; 0 = the end; < 0 = -errno. More may be asked for than the snapshot turns out
    // to be long: what follows it in the same file is found by its offset, *used.
    ssize_t (*read)(void* arg, void* to, size_t len) = nullptr;
    void* arg = nullptr;
    const char* path = "";  // for errors
    bool checksum = true;   // rdbchecksum
};

// Limits by which values find their forms.
struct RdbLimits {
    size_t hash_entries, hash_value, zset_entries, zset_value, set_intset;
    int64_t list_size;
};

RdbLimits rdb_limits(const Config* c);  // as they are set now

struct RdbKey {
    uint32_t db;
    Bytes key;  // borrowed for the call
    Type type;
    Bytes text;         // Type::string: its bytes, borrowed for the call
    Blob* string;       // holds `text` when that is kBlobMin or longer; to take. Else null
    Value value;        // of the other types; to take
    int64_t expiry_ms;  // kNoExpiry: none
    int64_t idle_s;     // -1: unknown
    int lfu;            // -1: unknown
};

struct RdbVisitor {
    void* arg = nullptr;
    // False stops the load with `err` (the visitor fills it).
    bool (*key)(void* arg, RdbKey* k, PersistErr* err) = nullptr;
    void (*aux)(void* arg, Bytes name, Bytes value) = nullptr;                     // may be null
    void (*sizes)(void* arg, uint32_t db, uint64_t keys, uint64_t ttl) = nullptr;  // may be null
    void (*progress)(void* arg, uint64_t bytes) = nullptr;                         // may be null
};

// A whole file, to its EOF byte and checksum; *used = its length in bytes (an AOF may follow). Keys
// without elements are left out, as Redis does. That a key comes once only, that its database
// exists and that it has not expired is for the visitor to see.
[[nodiscard]] bool rdb_read(RdbIn* in, const RdbLimits* limits, const RdbVisitor* visitor,
                            uint64_t* used, PersistErr* err);

enum class Payload : uint8_t { ok, bad_version_or_checksum, bad_data, unsupported };
// A payload of DUMP. On ok the caller owns what *out holds (key and db are not set); a string is
// always in `string`.
Payload rdb_read_payload(Bytes payload, const RdbLimits* limits, RdbKey* out);

}  // namespace rp
