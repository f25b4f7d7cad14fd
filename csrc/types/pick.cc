#include "types/pick.h"

#include "base/assert.h"
#include "base/random.h"
#include "mem/mem.h"

namespace rp {

// Of what is left, the next is taken with the probability that is needed (Knuth's algorithm S).
static void pick_by_walking(size_t count, size_t size, PickVisit visit, void* arg) {
    for (size_t at = 0; count != 0; at++) {
        if (random_below(size - at) >= count) continue;
        visit(at, arg);
        count--;
    }
}

// Numbers seen, by open addressing; a cell holds a number + 1.
struct Seen {
    size_t* cells;
    size_t size;  // power of two
};

// False: it was there already.
static bool seen_add(Seen* s, size_t number) {
    size_t at = number * 0x9e3779b97f4a7c15u >> 20 & (s->size - 1);
    for (; s->cells[at] != 0; at = (at + 1) & (s->size - 1)) {
        if (s->cells[at] == number + 1) return false;
    }
    s->cells[at] = number + 1;
    return true;
}

// Floyd's algorithm: a draw below a growing bound; where it repeats, the bound itself is new.
static void pick_by_drawing(size_t count, size_t size, PickVisit visit, void* arg) {
    Seen seen = {nullptr, 16};
    while (seen.size < 2 * count)
        seen.size *= 2;
    seen.cells = static_cast<size_t*>(mem_calloc(seen.size * sizeof(size_t)));
    for (size_t bound = size - count; bound < size; bound++) {
        size_t drawn = random_below(bound + 1);
        if (!seen_add(&seen, drawn)) {
            drawn = bound;
            seen_add(&seen, drawn);
        }
        visit(drawn, arg);
    }
    mem_free(seen.cells, seen.size * sizeof(size_t));
}

void pick_distinct(size_t count, size_t size, PickVisit visit, void* arg) {
    RP_ASSERT(count <= size);
    if (count >= size / 3) return pick_by_walking(count, size, visit, arg);
    pick_by_drawing(count, size, visit, arg);
}

}  // namespace rp
