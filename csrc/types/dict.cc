#include "types/dict.h"

#include <new>

#include "base/assert.h"
#include "base/hash.h"
#include "base/random.h"
#include "mem/mem.h"

namespace rp {

constexpr size_t kItemsMax = size_t{1} << 31;
constexpr size_t kIndexMin = 16;
constexpr size_t kSlotsMin = 8;
constexpr uint64_t kEmpty = 0;
constexpr uint64_t kTombstone = UINT32_MAX;  // a position no item has; only in `old`
constexpr size_t kNowhere = SIZE_MAX;

// ---- cells ------------------------------------------------------------------------------------

static uint32_t hash_of(Bytes key) { return static_cast<uint32_t>(hash_bytes(key) >> 32); }

static uint64_t cell_make(uint32_t hash, size_t position) {
    return static_cast<uint64_t>(hash) << 32 | (position + 1);
}
static uint32_t cell_hash(uint64_t cell) { return static_cast<uint32_t>(cell >> 32); }
static size_t cell_position(uint64_t cell) { return (cell & UINT32_MAX) - 1; }
static bool cell_live(uint64_t cell) { return cell != kEmpty && cell != kTombstone; }

static size_t items_max(size_t index_size) { return index_size / 4 * 3; }

static DictIndex index_new(size_t size) {
    return {static_cast<uint64_t*>(mem_calloc(size * sizeof(uint64_t))), size};
}

static void index_free(DictIndex* x) {
    mem_free(x->cells, x->size * sizeof(uint64_t));
    *x = {};
}

static void index_insert(DictIndex* x, uint64_t cell) {
    size_t at = cell_hash(cell) & (x->size - 1);
    while (x->cells[at] != kEmpty)
        at = (at + 1) & (x->size - 1);
    x->cells[at] = cell;
}

// The cell of a key, or kNowhere.
static size_t index_find(const DictIndex* x, Item* const* slots, uint32_t hash, Bytes key) {
    if (x->size == 0) return kNowhere;
    for (size_t at = hash & (x->size - 1); x->cells[at] != kEmpty; at = (at + 1) & (x->size - 1)) {
        uint64_t cell = x->cells[at];
        if (cell_hash(cell) != hash || !cell_live(cell)) continue;
        if (bytes_equal(item_key(slots[cell_position(cell)]), key)) return at;
    }
    return kNowhere;
}

// The place of a cell whose content is known, or kNowhere.
static size_t index_find_cell(const DictIndex* x, uint64_t cell) {
    if (x->size == 0) return kNowhere;
    size_t at = cell_hash(cell) & (x->size - 1);
    while (x->cells[at] != cell) {
        if (x->cells[at] == kEmpty) return kNowhere;
        at = (at + 1) & (x->size - 1);
    }
    return at;
}

// Empties a cell and closes the gap: what follows in the same run moves up to where its probe would
// otherwise stop.
static void index_erase(DictIndex* x, size_t hole) {
    size_t mask = x->size - 1;
    for (size_t at = (hole + 1) & mask; x->cells[at] != kEmpty; at = (at + 1) & mask) {
        size_t home = cell_hash(x->cells[at]) & mask;
        if (((at - home) & mask) < ((at - hole) & mask)) continue;
        x->cells[hole] = x->cells[at];
        hole = at;
    }
    x->cells[hole] = kEmpty;
}

// ---- from one index to the other --------------------------------------------------------------

static void move_cells(Dict* d, size_t n) {
    DictIndex* from = &d->old;
    if (from->size == 0) return;
    size_t end = from->size - d->moved < n ? from->size : d->moved + n;
    for (; d->moved < end; d->moved++) {
        uint64_t cell = from->cells[d->moved];
        if (!cell_live(cell)) continue;
        index_insert(&d->index, cell);
        from->cells[d->moved] = kTombstone;
    }
    if (end != from->size) return;
    index_free(from);
    d->moved = 0;
}

static void start_move(Dict* d, size_t size) {
    move_cells(d, SIZE_MAX);  // nothing to do, but after a dict_reserve
    d->old = d->index;
    d->index = index_new(size);
}

static void set_slots_cap(Dict* d, size_t cap) {
    size_t before = d->slots_cap * sizeof(Item*);
    void* to = before != 0 ? mem_try_realloc(d->slots, before, cap * sizeof(Item*))
                           : mem_try_alloc(cap * sizeof(Item*));
    RP_ASSERT(to != nullptr && "out of memory");
    d->slots = static_cast<Item**>(to);
    d->slots_cap = cap;
}

static void make_room(Dict* d) {
    RP_ASSERT(d->count < kItemsMax);
    if (d->count == d->slots_cap) {
        set_slots_cap(d, d->slots_cap < kSlotsMin ? kSlotsMin : d->slots_cap + d->slots_cap / 2);
    }
    if (d->count < items_max(d->index.size)) return;
    if (d->index.size == 0) {
        d->index = index_new(kIndexMin);
    } else {
        start_move(d, 2 * d->index.size);
    }
}

// Gives room back when less than an eighth of it is used: to a quarter, so that the move ends
// before the smaller index is full, and before it is worth shrinking again.
static void give_back_room(Dict* d) {
    if (d->slots_cap > kSlotsMin && d->count <= d->slots_cap / 4)
        set_slots_cap(d, d->slots_cap / 2);
    if (d->old.size == 0 && d->index.size >= 4 * kIndexMin && d->count <= d->index.size / 8) {
        start_move(d, d->index.size / 4);
    }
}

void dict_reserve(Dict* d, size_t count) {
    RP_ASSERT(count <= kItemsMax);
    if (count > d->slots_cap) set_slots_cap(d, count);
    size_t size = kIndexMin;
    while (items_max(size) < count)
        size *= 2;
    if (size <= d->index.size) return;
    start_move(d, size);
    move_cells(d, SIZE_MAX);
}

// ---- items ------------------------------------------------------------------------------------

static size_t item_size(size_t key_len, size_t value_len) {
    return sizeof(Item) + key_len + value_len;
}
static size_t size_of(const Item* i) { return item_size(i->key_len, i->value_len); }

static void copy_bytes(char* to, Bytes from) {
    if (from.len != 0) memcpy(to, from.ptr, from.len);
}

static Item* item_new(Dict* d, Bytes key, Bytes value) {
    RP_ASSERT(key.len <= UINT32_MAX && value.len <= UINT32_MAX);
    size_t size = item_size(key.len, value.len);
    Item* i = static_cast<Item*>(mem_alloc(size));
    i->key_len = static_cast<uint32_t>(key.len);
    i->value_len = static_cast<uint32_t>(value.len);
    copy_bytes(i->data, key);
    copy_bytes(i->data + key.len, value);
    d->item_cost += mem_cost(size);
    return i;
}

static void item_free(Dict* d, Item* i) {
    size_t size = size_of(i);
    d->item_cost -= mem_cost(size);
    mem_free(i, size);
}

static Item* item_set_value(Dict* d, Item* i, Bytes value) {
    if (i->value_len != value.len) {
        RP_ASSERT(value.len <= UINT32_MAX);
        size_t before = size_of(i), after = item_size(i->key_len, value.len);
        i = static_cast<Item*>(mem_try_realloc(i, before, after));
        RP_ASSERT(i != nullptr && "out of memory");
        d->item_cost += mem_cost(after) - mem_cost(before);
        i->value_len = static_cast<uint32_t>(value.len);
    }
    copy_bytes(i->data + i->key_len, value);
    return i;
}

static void append(Dict* d, uint32_t hash, Item* take) {
    d->slots[d->count] = take;
    index_insert(&d->index, cell_make(hash, d->count));
    d->count++;
}

// ---- the whole --------------------------------------------------------------------------------

Dict* dict_new() { return new (mem_alloc(sizeof(Dict))) Dict; }

bool dict_free_some(Dict* d, size_t items) {
    while (d->count != 0 && items-- != 0)
        item_free(d, d->slots[--d->count]);
    if (d->count != 0) return false;
    mem_free(d->slots, d->slots_cap * sizeof(Item*));
    index_free(&d->index);
    index_free(&d->old);
    mem_free(d, sizeof(Dict));
    return true;
}

void dict_free(Dict* d) { dict_free_some(d, SIZE_MAX); }

Dict* dict_clone(const Dict* d) {
    Dict* copy = dict_new();
    dict_reserve(copy, d->count);
    for (size_t i = 0; i < d->count; i++) {
        Bytes key = item_key(d->slots[i]);
        append(copy, hash_of(key), item_new(copy, key, item_value(d->slots[i])));
    }
    return copy;
}

size_t dict_cost(const Dict* d) {
    size_t cost = mem_cost(sizeof(Dict)) + d->item_cost;
    if (d->slots_cap != 0) cost += mem_cost(d->slots_cap * sizeof(Item*));
    if (d->index.size != 0) cost += mem_cost(d->index.size * sizeof(uint64_t));
    if (d->old.size != 0) cost += mem_cost(d->old.size * sizeof(uint64_t));
    return cost;
}

// ---- operations -------------------------------------------------------------------------------

// The position of a key, or kNowhere.
static size_t position_of(const Dict* d, uint32_t hash, Bytes key) {
    const DictIndex* x = &d->index;
    size_t at = index_find(x, d->slots, hash, key);
    if (at == kNowhere) at = index_find(x = &d->old, d->slots, hash, key);
    return at == kNowhere ? kNowhere : cell_position(x->cells[at]);
}

Item* dict_find(const Dict* d, Bytes key) {
    if (d->count == 0) return nullptr;
    size_t position = position_of(d, hash_of(key), key);
    return position == kNowhere ? nullptr : d->slots[position];
}

bool dict_set(Dict* d, Bytes key, Bytes value, Item** out) {
    move_cells(d, kDictMoveStep);
    uint32_t hash = hash_of(key);
    size_t position = position_of(d, hash, key);
    bool absent = position == kNowhere;
    if (absent) {
        make_room(d);
        position = d->count;
        append(d, hash, item_new(d, key, value));
    } else {
        d->slots[position] = item_set_value(d, d->slots[position], value);
    }
    if (out != nullptr) *out = d->slots[position];
    return absent;
}

static void erase_cell(Dict* d, uint64_t cell) {
    size_t at = index_find_cell(&d->index, cell);
    if (at != kNowhere) return index_erase(&d->index, at);
    at = index_find_cell(&d->old, cell);
    RP_ASSERT(at != kNowhere);
    d->old.cells[at] = kTombstone;
}

static void replace_cell(Dict* d, uint64_t cell, uint64_t by) {
    DictIndex* x = &d->index;
    size_t at = index_find_cell(x, cell);
    if (at == kNowhere) at = index_find_cell(x = &d->old, cell);
    RP_ASSERT(at != kNowhere);
    x->cells[at] = by;
}

static void erase_hashed(Dict* d, size_t position, uint32_t hash) {
    erase_cell(d, cell_make(hash, position));
    item_free(d, d->slots[position]);
    size_t last = --d->count;
    if (position != last) {
        uint32_t last_hash = hash_of(item_key(d->slots[last]));
        replace_cell(d, cell_make(last_hash, last), cell_make(last_hash, position));
        d->slots[position] = d->slots[last];
    }
    give_back_room(d);
}

bool dict_erase(Dict* d, Bytes key) {
    move_cells(d, kDictMoveStep);
    uint32_t hash = hash_of(key);
    size_t position = position_of(d, hash, key);
    if (position == kNowhere) return false;
    erase_hashed(d, position, hash);
    return true;
}

void dict_erase_at(Dict* d, size_t position) {
    RP_DCHECK(position < d->count);
    move_cells(d, kDictMoveStep);
    erase_hashed(d, position, hash_of(item_key(d->slots[position])));
}

Item* dict_random(const Dict* d) {
    RP_DCHECK(d->count != 0);
    return d->slots[random_below(d->count)];
}

uint64_t dict_scan(const Dict* d, uint64_t cursor, size_t count, DictVisit visit, void* arg) {
    if (cursor == 0 || cursor > d->count) cursor = d->count;
    for (; cursor != 0 && count != 0; count--)
        visit(d->slots[--cursor], arg);
    return cursor;
}

// ---- invariants -------------------------------------------------------------------------------

static size_t check_index(const Dict* d, const DictIndex* x) {
    size_t live = 0;
    for (size_t i = 0; i < x->size; i++) {
        uint64_t cell = x->cells[i];
        RP_ASSERT(cell != kTombstone || x == &d->old);
        if (!cell_live(cell)) continue;
        live++;
        RP_ASSERT(cell_position(cell) < d->count);
        RP_ASSERT(cell_hash(cell) == hash_of(item_key(d->slots[cell_position(cell)])));
        RP_ASSERT(index_find_cell(x, cell) == i);
    }
    return live;
}

void dict_check(const Dict* d) {
    RP_ASSERT(d->count <= d->slots_cap && d->count <= items_max(d->index.size));
    RP_ASSERT((d->index.size & (d->index.size - 1)) == 0);
    RP_ASSERT(check_index(d, &d->index) + check_index(d, &d->old) == d->count);
    RP_ASSERT(d->old.size == 0 ? d->moved == 0 : d->moved < d->old.size);
    for (size_t i = 0; i < d->moved; i++)
        RP_ASSERT(!cell_live(d->old.cells[i]));
    size_t cost = 0;
    for (size_t i = 0; i < d->count; i++) {
        RP_ASSERT(dict_find(d, item_key(d->slots[i])) == d->slots[i]);
        cost += mem_cost(size_of(d->slots[i]));
    }
    RP_ASSERT(cost == d->item_cost);
}

}  // namespace rp
