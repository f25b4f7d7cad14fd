// The default mode: which key was read by whom.
#include <algorithm>

#include "base/random.h"
#include "engine/tracking.h"
#include "mem/mem.h"
#include "sync/yield.h"

namespace rp {

// Keys that are dropped above the limit: per key added, and per call of the cron.
constexpr size_t kTrimPerRead = 100;
constexpr size_t kTrimPerTick = 10000;
constexpr uint32_t kIdsMin = 4;
// From here on the dead are looked for before the array grows.
constexpr uint32_t kIdsSwept = 16;

static TrackedShelf* shelf_of(Tracking* t, uint64_t hash) {
    return &t->shelves[(hash >> 32) % kTrackedShelves];  // other bits than those of the slot
}

static TrackedKey* find_key(const HashTable* keys, Bytes name, uint64_t hash) {
    for (HashNode* n = nodes_first(keys, hash); n != nullptr; n = n->next) {
        auto* k = reinterpret_cast<TrackedKey*>(n);
        if (n->hash == hash && bytes_equal(k->bytes(), name)) return k;
    }
    return nullptr;
}

static void key_free(TrackedKey* take) {
    if (take->ids != &take->one) mem_free(take->ids, take->cap * sizeof(uint64_t));
    mem_free(take, sizeof(TrackedKey) + take->len);
}

// ---- remembering ------------------------------------------------------------------------------

// Null: no memory. REQUIRES: the shelf's lock.
static TrackedKey* add_key(Tracking* t, TrackedShelf* shelf, const KeyHash* key) {
    auto* k = static_cast<TrackedKey*>(mem_try_alloc(sizeof(TrackedKey) + key->key.len));
    if (k == nullptr) return nullptr;
    *k = {};
    k->node.hash = key->hash;
    k->ids = &k->one;
    k->cap = 1;
    k->len = static_cast<uint32_t>(key->key.len);
    if (k->len != 0) memcpy(k->name, key->key.ptr, k->len);
    nodes_add(&shelf->keys, &k->node);
    t->keys.fetch_add(1, std::memory_order_relaxed);
    return k;
}

static void grow_ids(TrackedKey* k) {
    uint32_t cap = k->cap < kIdsMin ? kIdsMin : 2 * k->cap;
    auto* ids = static_cast<uint64_t*>(mem_alloc(cap * sizeof(uint64_t)));
    memcpy(ids, k->ids, k->count * sizeof(uint64_t));
    if (k->ids != &k->one) mem_free(k->ids, k->cap * sizeof(uint64_t));
    k->ids = ids;
    k->cap = cap;
}

// Sorted: a client that reads the key again is found quickly.
static bool has_id(const TrackedKey* k, uint64_t id) {
    return std::binary_search(k->ids, k->ids + k->count, id);
}

static void insert_id(Tracking* t, TrackedKey* k, uint64_t id) {
    if (k->count == k->cap) grow_ids(k);
    uint64_t* at = std::lower_bound(k->ids, k->ids + k->count, id);
    memmove(at + 1, at, static_cast<size_t>(k->ids + k->count - at) * sizeof(uint64_t));
    *at = id;
    k->count++;
    t->items.fetch_add(1, std::memory_order_relaxed);
}

// REQUIRES: lock, the shelf's lock.
static void sweep_ids(Tracking* t, TrackedKey* k) {
    uint64_t* end = k->ids + k->count;
    end =
        std::remove_if(k->ids, end, [t](uint64_t id) { return tracking_party(t, id) == nullptr; });
    auto left = static_cast<uint32_t>(end - k->ids);
    t->items.fetch_sub(k->count - left, std::memory_order_relaxed);
    k->count = left;
}

enum class Inserted : uint8_t { yes, is_full, no_memory };

// Clients come and go; what they have read may stay as it is for ever.
[[gnu::noinline]] static Inserted insert_swept(Tracking* t, const KeyHash* key, uint64_t id) {
    TrackedShelf* shelf = shelf_of(t, key->hash);
    MutexGuard guard(&t->lock);
    MutexGuard shelf_guard(&shelf->lock);
    TrackedKey* k = find_key(&shelf->keys, key->key, key->hash);
    if (k == nullptr) k = add_key(t, shelf, key);  // another database's key of this name changed
    if (k == nullptr) return Inserted::no_memory;
    if (k->count == k->cap) sweep_ids(t, k);
    if (!has_id(k, id)) insert_id(t, k, id);
    return Inserted::yes;
}

static Inserted insert(Tracking* t, const KeyHash* key, uint64_t id) {
    TrackedShelf* shelf = shelf_of(t, key->hash);
    MutexGuard guard(&shelf->lock);
    TrackedKey* k = find_key(&shelf->keys, key->key, key->hash);
    if (k == nullptr) k = add_key(t, shelf, key);
    if (k == nullptr) return Inserted::no_memory;
    if (has_id(k, id)) return Inserted::yes;
    if (k->count == k->cap && k->count >= kIdsSwept) return Inserted::is_full;
    insert_id(t, k, id);
    return Inserted::yes;
}

// ---- telling ----------------------------------------------------------------------------------

// REQUIRES: the shelf's lock.
static void take_key(Tracking* t, TrackedShelf* shelf, TrackedKey* k) {
    nodes_remove(&shelf->keys, &k->node);
    t->keys.fetch_sub(1, std::memory_order_relaxed);
    t->items.fetch_sub(k->count, std::memory_order_relaxed);
}

// Does this message go to the party? It may track no more, or in another way.
static bool wants(const Party* p, uint64_t by) {
    uint32_t modes = p->session->tracking.load(std::memory_order_relaxed);
    if (!(modes & kTrackingOn) || (modes & kTrackingBcast)) return false;
    return !(modes & kTrackingNoloop) || p->id != by;
}

static Blob* key_wire(Bytes key) {
    Blob* wire = tracking_keys_wire(&key, 1);
    return wire != nullptr ? wire : tracking_null_wire(2);
}

static void tell(Tracking* t, const TrackedKey* k, uint64_t by) {
    Blob* wire = nullptr;
    MutexGuard guard(&t->lock);
    for (uint32_t i = 0; i < k->count; i++) {
        Party* p = tracking_party(t, k->ids[i]);
        if (p == nullptr || !wants(p, by)) continue;
        if (wire == nullptr) wire = key_wire(k->bytes());
        tracking_send(t, p, wire);
    }
    blob_unref(wire);
}

static TrackedKey* take_named(Tracking* t, Bytes name, uint64_t hash) {
    TrackedShelf* shelf = shelf_of(t, hash);
    MutexGuard guard(&shelf->lock);
    TrackedKey* k = find_key(&shelf->keys, name, hash);
    if (k != nullptr) take_key(t, shelf, k);
    return k;
}

void tracking_changed(void* engine, uint64_t by, Bytes key, uint64_t hash) {
    Tracking* t = static_cast<Engine*>(engine)->tracking;
    if (t->prefix_count.load(std::memory_order_relaxed) != 0) bcast_changed(t, by, key, hash);
    // Who has read this key has counted it while he held the segment that is held now.
    if (t->keys.load(std::memory_order_relaxed) == 0) return;
    TrackedKey* k = take_named(t, key, hash);
    if (k == nullptr) return;
    RP_YIELD();
    tell(t, k, by);
    key_free(k);
}

// ---- the limit --------------------------------------------------------------------------------

// The first key from a random slot of this shelf on. Null: it is empty.
static TrackedKey* take_random_of(Tracking* t, TrackedShelf* shelf) {
    MutexGuard guard(&shelf->lock);
    HashTable* keys = &shelf->keys;
    if (keys->count == 0) return nullptr;
    size_t at = random_below(keys->cap);
    while (keys->slots[at] == nullptr)
        at = (at + 1) & (keys->cap - 1);
    auto* k = reinterpret_cast<TrackedKey*>(keys->slots[at]);
    take_key(t, shelf, k);
    return k;
}

static TrackedKey* take_random(Tracking* t) {
    size_t start = random_below(kTrackedShelves);
    for (size_t i = 0; i < kTrackedShelves; i++) {
        TrackedKey* k = take_random_of(t, &t->shelves[(start + i) % kTrackedShelves]);
        if (k != nullptr) return k;
    }
    return nullptr;
}

static void trim(Tracking* t, size_t effort) {
    auto limit = static_cast<uint64_t>(config_num(t->engine->config->tracking_table_max_keys));
    if (limit == 0) return;
    while (t->keys.load(std::memory_order_relaxed) > limit && effort-- > 0) {
        TrackedKey* k = take_random(t);
        if (k == nullptr) return;
        tell(t, k, 0);
        key_free(k);
    }
}

void tracked_trim(Tracking* t) { trim(t, kTrimPerTick); }

// A client that cannot be told later is told now, that it may keep nothing.
static void tell_at_once(Tracking* t, const Session* s) {
    Blob* wire = tracking_null_wire(2);
    MutexGuard guard(&t->lock);
    tracking_send(t, tracking_party(t, s->id), wire);
    blob_unref(wire);
}

void tracking_read(CmdCtx* c, const KeyHash* key) {
    Tracking* t = c->engine->tracking;
    Inserted inserted = insert(t, key, c->session->id);
    if (inserted == Inserted::is_full) inserted = insert_swept(t, key, c->session->id);
    if (inserted == Inserted::no_memory) tell_at_once(t, c->session);
    trim(t, kTrimPerRead);
}

void tracked_clear(Tracking* t) {
    for (TrackedShelf& shelf : t->shelves) {
        MutexGuard guard(&shelf.lock);
        uint64_t ids = 0, keys = shelf.keys.count;
        for (HashNode *n = nodes_take_all(&shelf.keys), *next; n != nullptr; n = next) {
            next = n->next;
            auto* k = reinterpret_cast<TrackedKey*>(n);
            ids += k->count;
            key_free(k);
        }
        t->keys.fetch_sub(keys, std::memory_order_relaxed);
        t->items.fetch_sub(ids, std::memory_order_relaxed);
    }
}

}  // namespace rp
