// mem/stock.h: small blocks a thread has freed and will soon want again. For mem/ only.
//
// Epochs free in batches of a hundred; glibc's own thread cache holds seven of a size and sends the
// rest through its arena, which cost a fifth of a SET. A block in stock is an ordinary malloc
// block, linked through its first word.
//
// Threads  a Stock belongs to one thread and is emptied when it ends.
// Limits   blocks up to kStockBlockMax, at most kStockClassBytes of each size: 2 MiB per thread in
// all.
//          What is in stock does not count as used.
// Under AddressSanitizer and ThreadSanitizer there is no stock: they must see every free.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rp {

constexpr size_t kStockBlockMax = 512;  // by cost: the chunk, header included
constexpr size_t kStockClasses = kStockBlockMax / 16 + 1;
constexpr size_t kStockClassBytes = 64 * 1024;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kStockUsed = false;
#else
constexpr bool kStockUsed = true;
#endif

struct Stock {
    struct Block {
        Block* next;
    };
    Block* first[kStockClasses];
    uint16_t count[kStockClasses];
};

// Null: none of that cost is in stock.
inline void* stock_take(Stock* s, size_t cost) {
    size_t c = cost / 16;
    Stock::Block* b = s->first[c];
    if (b == nullptr) return nullptr;
    // The next one will be written soon, and its lines have gone cold since it was freed: a lock
    // taken meanwhile would wait for those stores.
    Stock::Block* next = b->next;
    __builtin_prefetch(next, 1);
    __builtin_prefetch(reinterpret_cast<char*>(next) + 64, 1);
    s->first[c] = next;
    s->count[c]--;
    return b;
}

// False: enough of that cost is there; the caller frees it.
inline bool stock_put(Stock* s, void* block, size_t cost) {
    size_t c = cost / 16;
    if (s->count[c] * cost >= kStockClassBytes) return false;
    auto* b = static_cast<Stock::Block*>(block);
    b->next = s->first[c];
    s->first[c] = b;
    s->count[c]++;
    return true;
}

void stock_empty(Stock* s);  // gives all blocks back to malloc

}  // namespace rp
