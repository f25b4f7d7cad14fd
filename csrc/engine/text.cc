#include "engine/text.h"

#include <cstdarg>
#include <cstdio>

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

constexpr size_t kTextMin = 1024;

// Aborts without memory, as every allocation of a size the engine chooses.
static void make_room(Text* t, size_t n) {
    if (t->cap - t->len >= n) return;
    size_t cap = t->cap == 0 ? kTextMin : 2 * t->cap;
    if (cap < t->len + n) cap = t->len + n;
    char* grown =
        static_cast<char*>(t->cap == 0 ? mem_alloc(cap) : mem_try_realloc(t->ptr, t->cap, cap));
    RP_ASSERT(grown != nullptr);
    t->ptr = grown;
    t->cap = cap;
}

void text_add(Text* t, Bytes b) {
    if (b.len == 0) return;
    make_room(t, b.len);
    memcpy(t->ptr + t->len, b.ptr, b.len);
    t->len += b.len;
}

void text_addf(Text* t, const char* format, ...) {
    for (int i = 0; i < 2; i++) {
        va_list args;
        va_start(args, format);
        size_t room = t->cap - t->len;
        int n = vsnprintf(t->ptr + t->len, room, format, args);
        va_end(args);
        RP_ASSERT(n >= 0);
        auto len = static_cast<size_t>(n);
        if (len < room) {
            t->len += len;
            return;
        }
        make_room(t, len + 1);
    }
}

void text_free(Text* t) {
    mem_free(t->ptr, t->cap);
    *t = {};
}

}  // namespace rp
