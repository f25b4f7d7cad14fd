// engine/text.h: a text that grows: CLIENT LIST, INFO, LOLWUT, docs. `= {}` is an empty one.
//
// Ownership  the owner frees it by text_free.
// Threads    single owner.
#pragma once
#include "base/bytes.h"

namespace rp {

struct Text {
    char* ptr = nullptr;
    size_t len = 0;
    size_t cap = 0;
    Bytes bytes() const { return {ptr, len}; }
};

void text_add(Text* t, Bytes b);
[[gnu::format(printf, 2, 3)]] void text_addf(Text* t, const char* format, ...);
void text_free(Text* t);

}  // namespace rp
