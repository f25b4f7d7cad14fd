#include "store/store.h"

#include <utility>

#include "mem/mem.h"
#include "types/graveyard.h"

namespace rp {

Status store_init(Store* st, Config* config, uint32_t db_count) {
    st->config = config;
    st->dbs = static_cast<Database*>(mem_calloc(db_count * sizeof(Database)));
    st->db_count = db_count;
    for (uint32_t i = 0; i < db_count; i++) {
        st->dbs[i].table = table_new();
        if (st->dbs[i].table == nullptr) {
            store_deinit(st);
            return Status::no_memory;
        }
    }
    return Status::ok;
}

void store_deinit(Store* st) {
    if (st->dbs == nullptr) return;
    for (uint32_t i = 0; i < st->db_count; i++) {
        if (st->dbs[i].table != nullptr) table_free(st->dbs[i].table);
    }
    while (graveyard_dig(kDigElements)) {}  // what this store's commands dropped
    mem_free(st->dbs, st->db_count * sizeof(Database));
    st->dbs = nullptr;
}

Table* store_take_table(Store* st, uint32_t db) {
    Table* fresh = table_new();
    RP_ASSERT(fresh != nullptr);  // address space only
    Table* old = st->dbs[db].table;
    for (size_t i = 0; i < kSegments; i++) {  // watchers stay with the database number
        Segment* from = &old->segments[i];
        Segment* to = &fresh->segments[i];
        to->watch = std::exchange(from->watch, nullptr);
        to->watched.store(from->watched.exchange(0, std::memory_order_relaxed),
                          std::memory_order_relaxed);
    }
    st->dbs[db].table = fresh;
    st->dbs[db].has_ttl.store(false, std::memory_order_relaxed);
    return old;
}

void store_free_table(EpochSlot* s, Table* take) {
    epoch_synchronize(s);
    table_free(take);
}

}  // namespace rp
