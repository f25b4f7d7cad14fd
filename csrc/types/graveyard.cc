#include "types/graveyard.h"

#include "mem/mem.h"
#include "types/dict.h"
#include "types/quicklist.h"
#include "types/value.h"
#include "types/zset.h"

namespace rp {

// One per process, as the epochs are: a Box knows no store.
static std::atomic<Box*> buried{nullptr};
static std::atomic<size_t> waiting{0};
static std::atomic_flag digging = ATOMIC_FLAG_INIT;
static Box* grave = nullptr;  // being emptied; under `digging`

void graveyard_bury(Box* take) {
    waiting.fetch_add(1, std::memory_order_relaxed);
    take->next_dead = buried.load(std::memory_order_relaxed);
    while (!buried.compare_exchange_weak(take->next_dead, take, std::memory_order_release,
                                         std::memory_order_relaxed)) {}
}

bool graveyard_waiting() { return waiting.load(std::memory_order_relaxed) != 0; }

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

bool graveyard_dig(size_t elements) {
    if (digging.test_and_set(std::memory_order_acquire)) return false;
    if (grave == nullptr) grave = buried.exchange(nullptr, std::memory_order_acquire);
    if (grave != nullptr && free_some(&grave->value, elements)) {
        Box* next = grave->next_dead;
        mem_free(grave, sizeof(Box));
        grave = next;
        waiting.fetch_sub(1, std::memory_order_relaxed);
    }
    bool more = graveyard_waiting();
    digging.clear(std::memory_order_release);
    return more;
}

}  // namespace rp
