// types/hash.h: a hash: a Value of Type::hash. Small: a listpack of field, value, field, value, ...
// in the order they came. Large: a Dict of fields with their values. What has become a Dict stays
// one, as in Redis.
//
// Ownership  Bytes handed out point into the Value and are good until its next write.
// Threads    none inside.
#pragma once
#include "types/value.h"

namespace rp {

// Up to what a hash stays a listpack: hash-max-listpack-entries, hash-max-listpack-value.
struct HashLimits {
    size_t fields;
    size_t bytes;  // of a field or a value
};

size_t hash_count(const Value* v);                       // fields
bool hash_get(const Value* v, Bytes field, Bytes* out);  // false: no such field
// Adds or replaces; true: the field is new. Neither may point into the Value.
bool hash_set(Value* v, Bytes field, Bytes value, HashLimits limits);
bool hash_erase(Value* v, Bytes field);  // false: no such field
// Loading many fields that ought to be different ones: they are added without being looked up each;
// either says false when one is there twice, and the hash is then good for value_free only.
bool hash_load(Value* v, Bytes field, Bytes value, HashLimits limits);
bool hash_load_end(const Value* v);
void hash_check(const Value* v);  // well-formed, every field once; asserts

}  // namespace rp
