#include "mem/stock.h"

#include <cstdlib>

namespace rp {

void stock_empty(Stock* s) {
    for (size_t c = 0; c < kStockClasses; c++) {
        while (void* block = stock_take(s, c * 16))
            free(block);
    }
}

}  // namespace rp
