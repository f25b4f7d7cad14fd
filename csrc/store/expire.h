// store/expire.h: the crawler that deletes expired keys nobody asks for.
//
// It walks segments with TTL keys, looks without lock, locks a segment only to delete. Several threads
// may crawl at once (each call takes the next segment of a shared cursor).
#pragma once
#include "store/db.h"

namespace rp {

// Crawls for at most budget_us; returns the number of keys deleted. REQUIRES: not pinned, no lock held.
// Does nothing while active expiry is off. Sleeps never.
uint64_t expire_crawl(Store* st, EpochSlot* s, StoreStats* stats, int64_t budget_us);

// Keeps going while more than ~10 % of what it looks at is expired (Redis' effort rule), as the cron calls it.
int64_t expire_budget_us(const Config* config);

}  // namespace rp
