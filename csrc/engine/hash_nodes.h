// engine/hash_nodes.h: a hash table of nodes that their owner embeds; the table owns its array
// only.
//
// Threads  whoever owns the table, or holds its lock.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

struct HashNode {
    HashNode* next;
    uint64_t hash;
};
struct HashTable {
    HashNode** slots = nullptr;
    size_t cap = 0;  // a power of two, or 0
    size_t count = 0;
};

// n->hash is set; n is in no table.
void nodes_add(HashTable* t, HashNode* n);
// REQUIRES: n is in t.
void nodes_remove(HashTable* t, HashNode* n);
// The first of the nodes that may have this hash; go on by ->next and compare ->hash. Null: none.
inline HashNode* nodes_first(const HashTable* t, uint64_t hash) {
    return t->count != 0 ? t->slots[hash & (t->cap - 1)] : nullptr;
}
// All nodes as one list by ->next; the table is empty afterwards.
HashNode* nodes_take_all(HashTable* t);

}  // namespace rp
