#include "types/pick.h"

#include <bit>
#include <cstdint>

#include "base/assert.h"
#include "base/random.h"
#include "mem/mem.h"

namespace rp {

// Below this part of n, remembering what was chosen beats looking at all of n.
constexpr size_t kWalkPart = 3;

// Each number is taken with the chance that is left: (still wanted) in (still to come). Knuth's
// algorithm S.
static void pick_by_walk(size_t n, size_t k, PickVisit visit, void* arg) {
    for (size_t i = 0; k != 0; i++) {
        if (random_below(n - i) >= k) continue;
        k--;
        visit(i, arg);
    }
}

// Numbers chosen so far, plus one: 0 = free. Open addressing; nobody outside can choose them.
struct Chosen {
    uint64_t* cells;
    size_t size;
};

static bool chosen_add(Chosen* c, size_t index) {
    size_t at = (index * 0x9e3779b97f4a7c15u >> 32) & (c->size - 1);
    for (; c->cells[at] != 0; at = (at + 1) & (c->size - 1)) {
        if (c->cells[at] == index + 1) return false;
    }
    c->cells[at] = index + 1;
    return true;
}

// Floyd's sampling (Bentley, CACM 30.9): of the first j + 1 numbers any is drawn; one that is taken
// already stands for j itself, which cannot be.
static void pick_by_draw(size_t n, size_t k, PickVisit visit, void* arg) {
    Chosen c;
    c.size = std::bit_ceil(2 * k);
    c.cells = static_cast<uint64_t*>(mem_calloc(c.size * sizeof(uint64_t)));
    for (size_t j = n - k; j < n; j++) {
        size_t index = random_below(j + 1);
        if (!chosen_add(&c, index)) {
            index = j;
            chosen_add(&c, index);
        }
        visit(index, arg);
    }
    mem_free(c.cells, c.size * sizeof(uint64_t));
}

void pick_distinct(size_t n, size_t k, PickVisit visit, void* arg) {
    RP_ASSERT(k <= n);
    if (k == 0) return;
    if (k == 1) return visit(random_below(n), arg);
    if (k >= n / kWalkPart) return pick_by_walk(n, k, visit, arg);
    pick_by_draw(n, k, visit, arg);
}

}  // namespace rp
