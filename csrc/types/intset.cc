#include "types/intset.h"

#include "base/assert.h"

namespace rp {

constexpr size_t kHead = 1;  // the width

static size_t width_of(Bytes set) { return static_cast<unsigned char>(set.ptr[0]); }

static size_t width_for(int64_t v) {
    if (v >= INT16_MIN && v <= INT16_MAX) return 2;
    return v >= INT32_MIN && v <= INT32_MAX ? 4 : 8;
}

// Values lie unaligned: memcpy, which compiles to one load or store.
template <typename Int>
static int64_t load_as(const char* from) {
    Int v;
    memcpy(&v, from, sizeof v);
    return v;
}

template <typename Int>
static void store_as(char* to, int64_t value) {
    auto v = static_cast<Int>(value);
    memcpy(to, &v, sizeof v);
}

static int64_t load(const char* from, size_t width) {
    if (width == 2) return load_as<int16_t>(from);
    return width == 4 ? load_as<int32_t>(from) : load_as<int64_t>(from);
}

static void store(char* to, size_t width, int64_t v) {
    if (width == 2) return store_as<int16_t>(to, v);
    return width == 4 ? store_as<int32_t>(to, v) : store_as<int64_t>(to, v);
}

size_t intset_count(Bytes set) { return set.len == 0 ? 0 : (set.len - kHead) / width_of(set); }

int64_t intset_at(Bytes set, size_t index) {
    RP_DCHECK(index < intset_count(set));
    size_t width = width_of(set);
    return load(set.ptr + kHead + index * width, width);
}

// The number of values below `value`: where it is, or would be.
static size_t rank_of(Bytes set, int64_t value) {
    size_t low = 0, high = intset_count(set);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (intset_at(set, middle) < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(Bytes set, size_t index, int64_t value) {
    return index < intset_count(set) && intset_at(set, index) == value;
}

bool intset_contains(Bytes set, int64_t value) { return is_at(set, rank_of(set, value), value); }

// From the last value down: a widened one lies behind all that are still narrow.
static void widen(Buf* set, size_t to) {
    Bytes before = buf_bytes(set);
    size_t from = width_of(before), count = intset_count(before);
    buf_insert(set, set->len, count * (to - from));
    for (size_t i = count; i-- > 0;) {
        store(set->data + kHead + i * to, to, load(set->data + kHead + i * from, from));
    }
    set->data[0] = static_cast<char>(to);
}

bool intset_add(Buf* set, int64_t value) {
    size_t width = width_for(value);
    if (set->len == 0) {
        *buf_insert(set, 0, kHead) = static_cast<char>(width);
    } else if (width > width_of(buf_bytes(set))) {
        widen(set, width);  // too wide to be there
    }
    size_t at = rank_of(buf_bytes(set), value);
    if (is_at(buf_bytes(set), at, value)) return false;
    width = width_of(buf_bytes(set));
    store(buf_insert(set, kHead + at * width, width), width, value);
    return true;
}

void intset_remove_at(Buf* set, size_t index) {
    Bytes bytes = buf_bytes(set);
    RP_DCHECK(index < intset_count(bytes));
    if (intset_count(bytes) == 1) return buf_free(set);
    size_t width = width_of(bytes);
    buf_erase(set, kHead + index * width, width);
    buf_shrink(set);
}

bool intset_remove(Buf* set, int64_t value) {
    size_t at = rank_of(buf_bytes(set), value);
    if (!is_at(buf_bytes(set), at, value)) return false;
    intset_remove_at(set, at);
    return true;
}

void intset_check(Bytes set) {
    if (set.len == 0) return;
    size_t width = width_of(set);
    RP_ASSERT(width == 2 || width == 4 || width == 8);
    RP_ASSERT(set.len > kHead && (set.len - kHead) % width == 0);
    for (size_t i = 1; i < intset_count(set); i++) {
        RP_ASSERT(intset_at(set, i - 1) < intset_at(set, i));
    }
}

}  // namespace rp
