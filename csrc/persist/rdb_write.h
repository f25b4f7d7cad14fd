// persist/rdb_write.h: values and whole snapshots as bytes of Redis' RDB format, version 10, with
// the oldest type codes, which every Redis >= 7.0 and Valkey loads.
//
// Ownership  an RdbOut writes into an Out; whoever drains that bounds it.
// Threads    single owner.
#pragma once
#include "resp/out.h"
#include "table/entry.h"

namespace rp {

constexpr int kRdbVersion = 10;  // written

struct RdbOut {
    Out* out = nullptr;
    bool compress = true;  // LZF strings over 20 bytes, when that saves something
    bool checksum = true;  // else the file's checksum is 0, as with rdbchecksum no
    uint64_t crc = 0;      // CRC-64 of all bytes so far
    // Takes what is in `out`, between two elements of a collection, when that has become this much.
    void (*drain)(void* arg) = nullptr;  // null: nobody does
    void* drain_arg = nullptr;
};
constexpr size_t kRdbDrainBytes = 1 << 20;

void rdb_string(RdbOut* o, Bytes text);  // integers and LZF as Redis does
// A collection alone, without its type byte (a string alone is rdb_string).
void rdb_value(RdbOut* o, Type type, const Value* v);
uint8_t rdb_type_code(Type type);  // 0 string, 1 list, 2 set, 4 hash, 5 zset

// ---- files ------------------------------------------------------------------------------------
struct RdbHead {
    int64_t ctime_s = 0;
    int64_t used_mem = 0;
    const char* repl_id = nullptr;  // null: none
    int64_t repl_offset = 0;
    bool aof_base = false;
    const char* version = "7.0.15";  // redis-ver: as INFO's redis_version
};
void rdb_begin(RdbOut* o, const RdbHead* head);  // magic, AUX fields
void rdb_select_db(RdbOut* o, uint32_t db);
void rdb_resize_db(RdbOut* o, uint64_t keys, uint64_t ttl_keys);
// Expiry (kNoExpiry: none), LRU idle seconds or LFU counter (-1: none), type, key.
void rdb_key(RdbOut* o, Bytes key, Type type, int64_t expiry_ms, int64_t idle_s, int lfu);
void rdb_end(RdbOut* o);  // EOF, checksum

// ---- payloads of DUMP -------------------------------------------------------------------------
// Type byte, value, version, CRC-64: what RESTORE takes, here and in Redis. `string` for strings,
// `v` for the rest.
void rdb_payload(Out* out, Type type, Bytes string, const Value* v, bool compress);

}  // namespace rp
