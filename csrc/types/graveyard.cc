#include "types/graveyard.h"

#include "mem/mem.h"
#include "types/dict.h"
#include "types/quicklist.h"
#include "types/value.h"
#include "types/zset.h"

namespace rp {

// One per process, as the epochs are: a Box knows no store.
static std::atomic<Box*> buried{nullptr};
static std::atomic<size_t> waiting{0};  // elements
static std::atomic_flag digging = ATOMIC_FLAG_INIT;
// Under `digging`:
static Box* grave = nullptr;  // being emptied
static size_t left = 0;       // elements in it, about
static Box* next = nullptr;   // taken from `buried`, and those behind it

void graveyard_bury(Box* take) {
    waiting.fetch_add(value_elements(&take->value), std::memory_order_relaxed);
    take->next_dead = buried.load(std::memory_order_relaxed);
    while (!buried.compare_exchange_weak(take->next_dead, take, std::memory_order_release,
                                         std::memory_order_relaxed)) {}
}

size_t graveyard_waiting() { return waiting.load(std::memory_order_relaxed); }

// True once nothing is left of it but the Box.
static bool free_some(Value* v, size_t elements) {
    switch (v->form) {
        case Form::quicklist: return quicklist_free_some(v->list, elements);
        case Form::dict: return dict_free_some(v->dict, elements);
        case Form::zset: return zset_free_some(v->zset, elements);
        case Form::listpack:
        case Form::intset: break;
    }
    buf_free(&v->flat);
    return true;
}

// The next grave, or null. One that is half empty may not be counted any more, hence `left`.
static Box* open_grave() {
    if (grave != nullptr) return grave;
    if (next == nullptr) next = buried.exchange(nullptr, std::memory_order_acquire);
    if (next == nullptr) return nullptr;
    grave = next;
    next = grave->next_dead;
    left = value_elements(&grave->value);
    return grave;
}

static void count_freed(size_t elements) {
    left -= elements;
    waiting.fetch_sub(elements, std::memory_order_relaxed);
}

static void close_grave() {
    count_freed(left);
    mem_free(grave, sizeof(Box));
    grave = nullptr;
}

bool graveyard_dig(size_t elements) {
    if (digging.test_and_set(std::memory_order_acquire)) return false;
    bool freed = false;
    while (elements != 0 && open_grave() != nullptr) {
        size_t spent = left < elements ? left : elements;
        freed = true;
        if (free_some(&grave->value, elements)) {
            close_grave();
            elements -= spent;
        } else {
            count_freed(spent);
            elements = 0;
        }
    }
    digging.clear(std::memory_order_release);
    return freed;
}

}  // namespace rp
