// engine/reaper.h: frees the tables of FLUSHALL ASYNC and its kind on a thread of its own, so that
// no client waits while millions of entries are visited.
//
// Ownership  one per engine, made by engine_open. The thread starts with the first table and ends
//            in reaper_close, which frees what still waits.
// Threads    reaper_add, reaper_waiting: any.
#pragma once
#include "store/store.h"

namespace rp {

struct Reaper;  // opaque

Reaper* reaper_open();
// REQUIRES: nobody adds any more. Waits for the thread.
void reaper_close(Reaper* take);
// Owns the table from here on. REQUIRES: taken from its store, not pinned. If no thread can be
// started, the table is freed at once.
void reaper_add(Reaper* r, Table* take);

uint64_t reaper_waiting(const Reaper* r);  // keys not yet freed: INFO lazyfree_pending_objects
uint64_t reaper_freed(const Reaper* r);    // keys freed: INFO lazyfreed_objects

}  // namespace rp
