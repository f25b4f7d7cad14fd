// types/list.h: a Value that is a list: one listpack as long as it fits a node, then a quicklist.
//
//   flat:       [ listpack ]                        a place in it: {null, offset}
//   quicklist:  [ listpack ] <-> [ listpack ] ...   a place in it: {node, offset}
//
// Ownership  as in types/value.h. Bytes and places are good until the next write.
// Threads    none inside.
#pragma once
#include "types/quicklist.h"
#include "types/value.h"

namespace rp {

inline bool list_outside(ListAt place) { return place.at == kLpEnd; }
// The run that `place` lies in.
inline Bytes list_run(const Value* v, ListAt place) {
    return buf_bytes(place.node != nullptr ? &place.node->lp : &v->flat);
}

inline size_t list_len(const Value* v) {
    return v->form == Form::quicklist ? v->list->count : lp_count(buf_bytes(&v->flat));
}
// From -1 at the back. Outside if there is no such element.
ListAt list_seek(const Value* v, int64_t index);
ListAt list_next_run(ListAt place);
inline ListAt list_next(const Value* v, ListAt place) {
    size_t next = lp_next(list_run(v, place), place.at);
    return RP_LIKELY(next != kLpEnd) ? ListAt{place.node, next} : list_next_run(place);
}
ListAt list_prev(const Value* v, ListAt place);
inline Bytes list_get(const Value* v, ListAt place) { return lp_get(list_run(v, place), place.at); }
// The first element equal to `what` from `place` on.
ListAt list_find(const Value* v, ListAt place, Bytes what);

// `what` must not point into the list, here and below.
void list_push(Value* v, bool front, Bytes what, ListLimits limits);
void list_insert(Value* v, ListAt place, bool after, Bytes what, ListLimits limits);
void list_replace(Value* v, ListAt place, Bytes what, ListLimits limits);
// Removes n elements from `place` on; returns the place of what follows.
ListAt list_erase(Value* v, ListAt place, size_t n);
// After the last of some erasures: what is left of a quicklist may be flat again.
void list_settle(Value* v);

void list_check(const Value* v);  // asserts

}  // namespace rp
