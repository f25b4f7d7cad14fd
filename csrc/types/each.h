// types/each.h: a walk over all elements of a value, whatever its form: for digests, sizes, RDB.
#pragma once
#include "types/value.h"

namespace rp {

struct Element {
    Bytes key;         // element, field or member
    Bytes value;       // of a hash
    double score = 0;  // of a sorted set
};
// Bytes are good for the call only.
using ElementVisit = void (*)(const Element* e, void* arg);
// Lists from head to tail, sorted sets from least to greatest. REQUIRES: not Type::string.
void value_each(const Value* v, Type type, ElementVisit visit, void* arg);

}  // namespace rp
