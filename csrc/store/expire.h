// store/expire.h: the crawler that deletes expired keys nobody asks for.
//
// It walks segments with TTL keys, looks without lock, locks a segment only to delete. Several
// threads may crawl at once (each call takes the next segment of a shared cursor).
#pragma once
#include "store/db.h"

namespace rp {

// Crawls for at most budget_us; returns the number of keys deleted. REQUIRES: not pinned, no lock
// held. Does nothing while active expiry is off, and while the log has no room. Sleeps never.
// `voice` (null: none) says each deletion to the log; what it says has been submitted on return.
uint64_t expire_crawl(Store* st, EpochSlot* s, StoreStats* stats, LogVoice* voice,
                      int64_t budget_us);

// Expired entries that a lock-free walk has met (SCAN): remembered, then deleted in one go.
constexpr size_t kExpiredMax = 128;
struct ExpiredList {
    Entry* entries[kExpiredMax];
    size_t count = 0;
};
// More than fit are forgotten: the next walk meets them again.
inline void expired_add(ExpiredList* list, Entry* e) {
    if (list->count < kExpiredMax) list->entries[list->count++] = e;
}
// Deletes those that are still expired, one segment at a time; empties the list. REQUIRES: pinned
// since the first expired_add; no segment held, or all of them (a->locked: behind the gate).
void expired_delete(Access* a, ExpiredList* list);

// What one crawl may take, from hz and active-expire-effort: Redis' share of the time.
int64_t expire_budget_us(const Config* config);

}  // namespace rp
