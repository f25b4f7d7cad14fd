#include "engine/hash_nodes.h"

#include "mem/mem.h"

namespace rp {

constexpr size_t kSlotsMin = 8;

static HashNode** slot_of(HashTable* t, uint64_t hash) { return &t->slots[hash & (t->cap - 1)]; }

static void resize(HashTable* t, size_t cap) {
    HashTable fresh = {nullptr, cap, t->count};
    if (cap != 0) fresh.slots = static_cast<HashNode**>(mem_calloc(cap * sizeof(HashNode*)));
    for (size_t i = 0; i < t->cap; i++) {
        for (HashNode *n = t->slots[i], *next; n != nullptr; n = next) {
            next = n->next;
            HashNode** to = slot_of(&fresh, n->hash);
            n->next = *to;
            *to = n;
        }
    }
    mem_free(t->slots, t->cap * sizeof(HashNode*));
    *t = fresh;
}

void nodes_add(HashTable* t, HashNode* n) {
    if (t->count == t->cap) resize(t, t->cap == 0 ? kSlotsMin : 2 * t->cap);
    HashNode** to = slot_of(t, n->hash);
    n->next = *to;
    *to = n;
    t->count++;
}

void nodes_remove(HashTable* t, HashNode* n) {
    HashNode** to = slot_of(t, n->hash);
    while (*to != n)
        to = &(*to)->next;
    *to = n->next;
    t->count--;
    if (t->count == 0) return resize(t, 0);
    if (t->cap > kSlotsMin && t->count < t->cap / 8) resize(t, t->cap / 4);
}

HashNode* nodes_take_all(HashTable* t) {
    HashNode* all = nullptr;
    for (size_t i = 0; i < t->cap; i++) {
        for (HashNode *n = t->slots[i], *next; n != nullptr; n = next) {
            next = n->next;
            n->next = all;
            all = n;
        }
    }
    mem_free(t->slots, t->cap * sizeof(HashNode*));
    *t = {};
    return all;
}

}  // namespace rp
