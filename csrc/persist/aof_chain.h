// persist/aof_chain.h: increments one after the other, and what a power cut may leave of them.
//
// The log turns to a new increment before the end of the old one is on the disk (persist/log.h). So
// the new one may be there and the end of the old one not; what the new one holds is void then,
// unless it says that the old one was whole (RP_AOF_WHOLE_LINE): that is damage.
//
// Threads  any.
#pragma once
#include "persist/aof_scan.h"

namespace rp {

// The first of `count` increments, oldest first, that is void; count: none, or what is missing
// before it is damage.
size_t aof_void_from(const AofScan* const* scans, size_t count);

// Cuts void increments of the manifest in `dir` to nothing and keeps what they held aside
// (aof_cut). *dropped: whether there were any. False: it failed, or may_cut is false and there were
// some; see err.
[[nodiscard]] bool aof_drop_void(const FileOps* f, const char* dir, const Manifest* m, bool may_cut,
                                 bool* dropped, PersistErr* err);

}  // namespace rp
