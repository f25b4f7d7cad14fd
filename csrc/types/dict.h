// types/dict.h: the hash table inside a large collection: byte strings, each with some more bytes
// (a hash: the value; a sorted set: the score as 8 bytes; a set: none).
//
//   slots   one 8-byte word per item, dense: [ Item*, Item*, Item*, ... ]          (count of them)
//   index   open addressing over hashes: each cell = [ hash 32 | position in slots + 1 ], 0 = empty
//
// A cell's home is in the low bits of its hash; the others tell most strangers apart without a look
// at their items, and a cell moves to another index without its item being read.
//
// Because slots are dense, an item at random is one look, and a walk goes DOWN the positions:
// deleting moves the last item into the hole, which a downward walk has either passed already or
// will still come to, so every item that is there from the first to the last call is visited.
//
// Growing the index, and shrinking it after many erases, moves kDictMoveStep cells per write, so no
// write pays for all of them; until it is done both indexes are looked at. The slots follow by
// realloc, which for large arrays moves pages and no bytes. Reading changes nothing.
//
// Invariants  D1  every slot is found through exactly one cell of one index.
//             D2  the old index receives no new cells; what leaves it leaves a tombstone.
//             D3  count is at most 3/4 of the cells of `index`, and so is what will come from
//                 `old`: a move ends long before the next one starts.
// Ownership   the Dict owns its items. Item pointers and Bytes into them are good until that item
//             is set or erased.
// Threads     none inside: readers and the writer are kept apart by whoever owns the Dict. Several
//             may read at once.
// Limits      2^31 items; a field and its value < 4 GiB each.
#pragma once
#include "base/bytes.h"

namespace rp {

constexpr size_t kDictMoveStep = 32;

// One allocation: the key, then its value.
struct Item {
    uint32_t key_len;
    uint32_t value_len;
    char data[];
};
inline Bytes item_key(const Item* i) { return {i->data, i->key_len}; }
inline Bytes item_value(const Item* i) { return {i->data + i->key_len, i->value_len}; }

struct DictIndex {
    uint64_t* cells = nullptr;
    size_t size = 0;  // power of two; 0 = none
};

struct Dict {
    Item** slots = nullptr;
    size_t count = 0;
    size_t slots_cap = 0;
    DictIndex index;       // takes over ...
    DictIndex old;         // ... from this one, cell by cell
    size_t moved = 0;      // cells of `old` already moved
    size_t item_cost = 0;  // mem_cost of all items
};

Dict* dict_new();
void dict_free(Dict* take);
// Frees at most `items` items from the end; true once the Dict itself is gone. For slices: in
// between nothing else may be done with it.
bool dict_free_some(Dict* take, size_t items);
Dict* dict_clone(const Dict* d);  // the same items at the same positions
size_t dict_cost(const Dict* d);  // bytes, items and indexes included
// Room for `count` items at once (a *STORE of known size, a loader).
void dict_reserve(Dict* d, size_t count);

Item* dict_find(const Dict* d, Bytes key);  // null: absent
// Adds or replaces. True: it was absent. *out (may be null): the item now there. A value of the
// same length is overwritten in place. `value` must not point into the Dict.
bool dict_set(Dict* d, Bytes key, Bytes value, Item** out);
bool dict_erase(Dict* d, Bytes key);  // false: absent

inline Item* dict_at(const Dict* d, size_t position) { return d->slots[position]; }
// One at random, evenly. REQUIRES: not empty.
Item* dict_random(const Dict* d);
// Erases the item at a position (SPOP). The last one takes its place.
void dict_erase_at(Dict* d, size_t position);

// A step of HSCAN, SSCAN, ZSCAN: visits at most `count` items; returns the next cursor, 0 at the
// end. Cursor 0 starts; one beyond the end is taken as the end of the slots.
using DictVisit = void (*)(const Item* item, void* arg);
uint64_t dict_scan(const Dict* d, uint64_t cursor, size_t count, DictVisit visit, void* arg);

void dict_check(const Dict* d);  // D1 to D3 and the sums; asserts

}  // namespace rp
