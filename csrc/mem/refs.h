// mem/refs.h: a count of references that knows how many of them a snapshot holds.
//
//     63                 32 31                  0
//    [ held by a snapshot  |  references in all  ]
//
// One word, so that a snapshot lets go of its reference and of its hold in one step: nobody sees
// the one without the other.
//
// Threads  any.
#pragma once
#include <atomic>
#include <cstdint>

namespace rp {

struct Refs {
    std::atomic<uint64_t> word{1};
};

constexpr uint64_t kRefHold = uint64_t{1} << 32;

inline uint32_t refs_of(uint64_t word) { return static_cast<uint32_t>(word); }
inline uint32_t refs_count(const Refs* r) {
    return refs_of(r->word.load(std::memory_order_relaxed));
}
inline void refs_add(Refs* r) { r->word.fetch_add(1, std::memory_order_relaxed); }
// Acquire: whoever is alone sees what former holders have read and written as done.
inline bool refs_shared(const Refs* r) {
    return refs_of(r->word.load(std::memory_order_acquire)) != 1;
}
// True: that was the last one. Release: what this holder did comes before the free; acquire pairs
// with the releases of the other holders.
inline bool refs_drop(Refs* r) {
    return refs_of(r->word.fetch_sub(1, std::memory_order_acq_rel)) == 1;
}

// The caller's reference is held by a snapshot from here on; it goes with refs_drop_held.
inline void refs_hold(Refs* r) { r->word.fetch_add(kRefHold, std::memory_order_relaxed); }
// seq_cst, both: who waits for a snapshot says so before it looks (store/preserve.h).
inline bool refs_held(const Refs* r) { return r->word.load(std::memory_order_seq_cst) >= kRefHold; }
inline bool refs_drop_held(Refs* r) {
    return refs_of(r->word.fetch_sub(kRefHold + 1, std::memory_order_seq_cst)) == 1;
}

}  // namespace rp
