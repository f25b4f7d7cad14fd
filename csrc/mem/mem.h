// mem/mem.h: counted allocation. Every long-lived byte of the engine comes from here, so that
// used_memory is a sum and not a guess.
//
// Ownership  the caller frees what it allocates, with the size it asked for.
// Threads    any. A thread's delta is flushed to the shared counter every kMemFlush bytes and
//            when it ends, so mem_used() is off by at most kMemFlush per thread.
//            Freed small blocks wait in a per-thread stock for the next allocation (mem/stock.h).
// Errors     mem_alloc aborts (small, bounded sizes); mem_try_* return null (sizes a user chose).
// Limits     addresses fit in 48 bits (asserted): the table packs hash bits above them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

constexpr int64_t kMemFlush = 16 * 1024;

void* mem_alloc(size_t size);                        // uninitialised
void* mem_calloc(size_t size);                       // zeroed; large blocks are not touched
void* mem_alloc_aligned(size_t size, size_t align);  // free with mem_free_aligned
void* mem_try_alloc(size_t size);
// Grows or shrinks; on failure null and `p` is still the caller's.
void* mem_try_realloc(void* p, size_t old_size, size_t new_size);
void mem_free(void* p, size_t size);  // p may be null
void mem_free_aligned(void* p, size_t size);
// Pages from the system and back to it, zeroed, `size` a power of two and the alignment. Null:
// none.
void* mem_try_map(size_t size);
void mem_unmap(void* p, size_t size);

// What an allocation of `size` really takes from the system allocator, book-keeping included.
size_t mem_cost(size_t size);

int64_t mem_used();    // bytes allocated now, this process
int64_t mem_peak();    // highest mem_used() seen by mem_peak_note
void mem_peak_note();  // called by the cron, not by the hot path
void mem_peak_reset();
int64_t mem_rss();  // resident set from /proc/self/statm
// Empties this thread's stock and gives free pages back to the system (MEMORY PURGE).
void mem_purge();
const char* mem_allocator_name();

}  // namespace rp
