// types/each.h: a walk over all elements of a value, whatever its form: for digests, sizes, RDB.
#pragma once
#include "types/dict.h"
#include "types/value.h"

namespace rp {

struct Element {
    Bytes key;            // element, field or member
    Bytes value;          // of a hash
    double score = 0;     // of a sorted set
    bool packed = false;  // it lies in a listpack, in which Redis keeps some scores as integers
};
// One element of a listpack (of hashes and sorted sets: the pair at `at`) or of a Dict.
Element element_of_listpack(Bytes lp, size_t at, Type type);
Element element_of_item(const Item* item, Type type);

// Bytes are good for the call only.
using ElementVisit = void (*)(const Element* e, void* arg);
// Lists from head to tail, sorted sets from least to greatest. REQUIRES: not Type::string.
void value_each(const Value* v, Type type, ElementVisit visit, void* arg);

}  // namespace rp
