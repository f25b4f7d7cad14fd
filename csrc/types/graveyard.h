// types/graveyard.h: large values that nobody can reach any more, freed in slices: deleting a
// million elements must not stop a loop for as long as that takes.
//
// Whoever drops the last reference buries the Box in O(1), under whatever locks it holds; executing
// threads dig for a few microseconds after each batch, the cron a little longer.
//
// Threads  any. One thread digs at a time; the others go on.
// Limits   what waits is still counted in used memory. Each batch frees a sixteenth of it at least
//          (dig_share), so that somebody who drops values as fast as he can is kept up with.
#pragma once
#include <cstddef>

namespace rp {

struct Box;

// A value that is not flat and has more elements than this is buried instead of freed at once.
constexpr size_t kBuryElements = 64;
constexpr size_t kDigElements = 512;  // a slice: some tens of microseconds

void graveyard_bury(Box* take);
size_t graveyard_waiting();  // elements; one load
// How many elements an executing thread is to free after a batch.
inline size_t dig_share(size_t elements) { return kDigElements + elements / 16; }
// Frees about `elements` elements, of as many values as that takes. False: there was nothing to
// free (or another thread is at it).
bool graveyard_dig(size_t elements);

}  // namespace rp
