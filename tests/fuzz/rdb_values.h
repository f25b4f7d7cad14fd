// What the fuzz targets of the RDB reader check about a value.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "persist/rdb_read.h"
#include "persist/rdb_write.h"
#include "types/each.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

namespace rp::fuzz {

constexpr RdbLimits kWide = {128, 64, 128, 64, 512, -2};
constexpr RdbLimits kNarrow = {1, 4, 1, 4, 2, 2};

inline void expect(bool fact) {
    if (!fact) abort();
}

inline void check(const RdbKey* k) {
    switch (k->type) {
        case Type::list: list_check(&k->value); break;
        case Type::set: set_check(&k->value); break;
        case Type::hash: hash_check(&k->value); break;
        case Type::zset: zset_check(&k->value); break;
        case Type::string: return;
        case Type::stream: abort();
    }
    expect(value_elements(&k->value) != 0);
}

inline size_t elements(const RdbKey* k) {
    size_t n = value_elements(&k->value);
    return k->type == Type::hash && k->value.form == Form::listpack ? n / 2 : n;
}

// Order is compared where there is one.
inline std::vector<std::string> parts(const RdbKey* k) {
    std::vector<std::string> out;
    value_each(
        &k->value, k->type,
        [](const Element* e, void* arg) {
            auto* to = static_cast<std::vector<std::string>*>(arg);
            to->emplace_back(e->key.ptr, e->key.len);
            to->back() +=
                "=" + std::string(e->value.ptr == nullptr ? "" : e->value.ptr, e->value.len);
            to->back() += "=" + std::to_string(e->score);
        },
        &out);
    if (k->type == Type::set || k->type == Type::hash) std::sort(out.begin(), out.end());
    return out;
}

inline void expect_same(const RdbKey* a, const RdbKey* b) {
    expect(a->type == b->type);
    if (a->type == Type::string) return expect(bytes_equal(a->text, b->text));
    expect(elements(a) == elements(b));
    expect(parts(a) == parts(b));
}

// Of a payload: all of it is ours.
inline void release(RdbKey* k) {
    blob_unref(k->string);
    if (k->type != Type::string) value_free(&k->value);
}

}  // namespace rp::fuzz
