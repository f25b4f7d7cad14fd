#include "store/watch.h"

#include "mem/mem.h"

namespace rp {

static Segment* node_segment(Store* st, const WatchNode* n) {
    return table_segment(st->dbs[n->db].table, n->hash);
}

static Bytes node_key(const WatchNode* n) { return {n->key, n->key_len}; }

void watch_add(Access* a, Watcher* w, Bytes key) {
    uint64_t hash = db_hash(a, key);
    const Segment* here = table_segment(db_table(a), hash);
    for (WatchNode* n = here->watch; n != nullptr; n = n->next_in_segment) {
        if (n->watcher == w && n->hash == hash && bytes_equal(node_key(n), key)) return;
    }
    auto* n = static_cast<WatchNode*>(mem_alloc(sizeof(WatchNode) + key.len));
    Segment* seg = table_segment(db_table(a), hash);
    const Entry* e = table_find(db_table(a), key, hash);
    n->next_in_segment = seg->watch;
    n->prev_in_segment = nullptr;
    n->next_of_watcher = w->nodes;
    n->watcher = w;
    n->hash = hash;
    n->db = a->db;
    n->was_expired = e != nullptr && entry_expired(a, e);
    n->key_len = static_cast<uint32_t>(key.len);
    memcpy(n->key, key.ptr, key.len);
    if (seg->watch != nullptr) seg->watch->prev_in_segment = n;
    seg->watch = n;
    seg->watched.fetch_add(1, std::memory_order_relaxed);
    w->nodes = n;
    w->count++;
}

static void unlink_node(Segment* seg, WatchNode* n) {
    if (n->prev_in_segment != nullptr) {
        n->prev_in_segment->next_in_segment = n->next_in_segment;
    } else {
        seg->watch = n->next_in_segment;
    }
    if (n->next_in_segment != nullptr) n->next_in_segment->prev_in_segment = n->prev_in_segment;
    seg->watched.fetch_sub(1, std::memory_order_relaxed);
}

static void clear(Store* st, Watcher* w, bool take_locks) {
    while (w->nodes != nullptr) {
        WatchNode* n = w->nodes;
        w->nodes = n->next_of_watcher;
        Segment* seg = node_segment(st, n);
        if (take_locks) {
            MutexGuard held(&seg->lock);
            unlink_node(seg, n);
        } else {
            unlink_node(seg, n);
        }
        mem_free(n, sizeof(WatchNode) + n->key_len);
    }
    w->count = 0;
    w->dirty.store(false, std::memory_order_relaxed);
}

void watch_clear(Store* st, Watcher* w) { clear(st, w, true); }
void watch_clear_locked(Store* st, Watcher* w) { clear(st, w, false); }

void watch_touch(Access* /*a*/, Segment* seg, Bytes key, uint64_t hash, bool deleted) {
    for (WatchNode* n = seg->watch; n != nullptr; n = n->next_in_segment) {
        if (n->hash != hash || !bytes_equal(node_key(n), key)) continue;
        if (n->was_expired && deleted) {
            n->was_expired = false;  // it was gone already when WATCH looked: nothing has changed
        } else {
            n->watcher->dirty.store(true, std::memory_order_relaxed);
        }
    }
}

bool watch_expired(Access* a, const Watcher* w) {
    for (const WatchNode* n = w->nodes; n != nullptr; n = n->next_of_watcher) {
        if (n->was_expired) continue;
        const Entry* e = table_find(a->store->dbs[n->db].table, node_key(n), n->hash);
        if (e != nullptr && entry_expired(a, e)) return true;
    }
    return false;
}

// What becomes of the watchers of one node when its database gets other contents (`to` null: none).
static void touch_replaced(Access* a, WatchNode* n, const Table* from, const Table* to) {
    const Entry* before = table_find(from, node_key(n), n->hash);
    const Entry* after = to != nullptr ? table_find(to, node_key(n), n->hash) : nullptr;
    if (before == nullptr && after == nullptr) return;
    bool after_expired = after != nullptr && entry_expired(a, after);
    if (n->was_expired) {
        if (after == nullptr) n->was_expired = false;
        if (after == nullptr || after_expired) return;  // gone before, gone now
    } else if (before == nullptr && after_expired) {
        n->was_expired = true;
        return;
    }
    n->watcher->dirty.store(true, std::memory_order_relaxed);
}

static void touch_database(Access* a, uint32_t db, const Table* to) {
    Table* from = a->store->dbs[db].table;
    for (size_t i = 0; i < kSegments; i++) {
        for (WatchNode* n = from->segments[i].watch; n != nullptr; n = n->next_in_segment) {
            touch_replaced(a, n, from, to);
        }
    }
}

void watch_touch_flush(Access* a, uint32_t db) { touch_database(a, db, nullptr); }

void watch_touch_swap(Access* a, uint32_t db1, uint32_t db2) {
    touch_database(a, db1, a->store->dbs[db2].table);
    touch_database(a, db2, a->store->dbs[db1].table);
}

void watch_swap_lists(Store* st, uint32_t db1, uint32_t db2) {
    for (size_t i = 0; i < kSegments; i++) {
        Segment* a = &st->dbs[db1].table->segments[i];
        Segment* b = &st->dbs[db2].table->segments[i];
        WatchNode* list = a->watch;
        a->watch = b->watch;
        b->watch = list;
        uint32_t count = a->watched.load(std::memory_order_relaxed);
        a->watched.store(b->watched.load(std::memory_order_relaxed), std::memory_order_relaxed);
        b->watched.store(count, std::memory_order_relaxed);
    }
}

}  // namespace rp
