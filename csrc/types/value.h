// types/value.h: the value of a key that is not a string: one of five forms. What a form means
// depends on the key's type; types/{list,hash,set,zset}.h work on a Value of their type.
//
//   listpack   list: elements; hash: field, value, ...; set: members;
//              sorted set: member, score (8 bytes), ... in order
//   intset     set of integers
//   quicklist  large list
//   dict       large hash, large set
//   zset       large sorted set: a Dict and a RankTree
//
// A small Value lies inside its entry of the table, as flat bytes that never change: readers take
// no lock, a write publishes a new entry. A larger one lives in a Box that the entry points to, and
// is changed in place under its segment's lock.
//
// Ownership  a Value owns what it points to, unless its flat bytes are borrowed (types/buf.h).
//            A Box is reference-counted: COPY and RENAME share it, and whoever changes a shared one
//            works on a clone (value_clone).
// Threads    none inside. A Box may be read by the lock holders of several entries at once; it is
//            changed only by the holder of its one reference.
#pragma once
#include "mem/refs.h"
#include "types/buf.h"

namespace rp {

struct Dict;
struct Quicklist;
struct Zset;  // types/zset.h

// As in Redis' RDB format and DEBUG DIGEST.
enum class Type : uint8_t { string = 0, list = 1, set = 2, zset = 3, hash = 4, stream = 6 };

enum class Form : uint8_t { listpack, intset, quicklist, dict, zset };

struct Value {
    Form form = Form::listpack;
    Buf flat;  // listpack, intset
    union {
        Quicklist* list = nullptr;
        Dict* dict;
        Zset* zset;
    };
};

inline bool value_is_flat(const Value* v) { return v->form <= Form::intset; }
void value_free(Value* v);  // leaves an empty listpack
Value value_clone(const Value* v);
size_t value_cost(const Value* v);  // bytes as the allocator counts them; borrowed ones are none
// Elements as the form counts them (a hash in a listpack: fields and values). 0 = empty.
size_t value_elements(const Value* v);

struct Box {
    Refs refs;
    Box* next_dead = nullptr;  // types/graveyard.h
    Value value;
};
// The flat bytes of *take are made its own.
Box* box_new(Value* take);
inline Box* box_ref(Box* b) {
    refs_add(&b->refs);
    return b;
}
inline bool box_shared(const Box* b) { return refs_shared(&b->refs); }
// The last reference frees a small value at once and leaves a large one to the graveyard.
void box_unref(Box* b);         // null is fine
void box_unref_now(Box* b);     // frees at once, whatever its size; null is fine
void box_unref_held(Box* b);    // a snapshot's reference (mem/refs.h); frees at once
size_t box_cost(const Box* b);  // bytes as the allocator counts them

}  // namespace rp
