#include "types/list.h"

namespace rp {

// A quicklist of one run up to here becomes flat again: far less than any node holds, so that a
// list does not change its form with each push and pop.
constexpr size_t kFlatAgain = 512;

static bool is_flat(const Value* v) { return v->form == Form::listpack; }

static bool fits_flat(const Value* v, Bytes what, ListLimits limits) {
    return v->flat.len == 0 || list_fits(lp_count(buf_bytes(&v->flat)), v->flat.len, what, limits);
}

// Offsets stay: the run becomes the only node's.
static void make_quicklist(Value* v) {
    Quicklist* q = quicklist_from(&v->flat);
    v->form = Form::quicklist;
    v->list = q;
}

static ListAt made_quicklist(Value* v, ListAt place) {
    make_quicklist(v);
    return {v->list->head, place.at};
}

// ---- reading ----------------------------------------------------------------------------------

ListAt list_seek(const Value* v, int64_t index) {
    if (is_flat(v)) return {nullptr, lp_seek(buf_bytes(&v->flat), index)};
    return quicklist_seek(v->list, index);
}

ListAt list_next_run(ListAt place) {
    if (place.node == nullptr || place.node->next == nullptr) return {};
    ListNode* n = place.node->next;
    return {n, lp_first(buf_bytes(&n->lp))};
}

ListAt list_prev(const Value* v, ListAt place) {
    if (is_flat(v)) return {nullptr, lp_prev(buf_bytes(&v->flat), place.at)};
    return quicklist_prev(place);
}

ListAt list_find(const Value* v, ListAt place, Bytes what) {
    while (!list_outside(place)) {
        size_t at = lp_find(list_run(v, place), place.at, 1, what);
        if (at != kLpEnd) return {place.node, at};
        place = list_next_run(place);
    }
    return place;
}

// ---- writing ----------------------------------------------------------------------------------

void list_push(Value* v, bool front, Bytes what, ListLimits limits) {
    if (is_flat(v)) {
        if (fits_flat(v, what, limits)) {
            front ? lp_prepend(&v->flat, what) : lp_append(&v->flat, what);
            return;
        }
        make_quicklist(v);
    }
    quicklist_push(v->list, front, what, limits);
}

void list_insert(Value* v, ListAt place, bool after, Bytes what, ListLimits limits) {
    if (is_flat(v)) {
        if (fits_flat(v, what, limits)) {
            size_t at = after ? lp_next(buf_bytes(&v->flat), place.at) : place.at;
            lp_insert(&v->flat, at, what);
            return;
        }
        place = made_quicklist(v, place);
    }
    quicklist_insert(v->list, place, after, what, limits);
}

void list_replace(Value* v, ListAt place, Bytes what, ListLimits limits) {
    if (is_flat(v)) {
        size_t count = lp_count(buf_bytes(&v->flat));
        size_t without = v->flat.len - lp_element_size(list_get(v, place).len);
        if (count == 1 || list_fits(count - 1, without, what, limits)) {
            lp_replace(&v->flat, place.at, what);
            buf_shrink(&v->flat);
            return;
        }
        place = made_quicklist(v, place);
    }
    quicklist_replace(v->list, place, what, limits);
}

ListAt list_erase(Value* v, ListAt place, size_t n) {
    if (is_flat(v)) return {nullptr, lp_erase(&v->flat, place.at, n)};
    return quicklist_erase(v->list, place, n);
}

void list_settle(Value* v) {
    if (is_flat(v)) {
        if (v->flat.cap > 4 * v->flat.len) buf_fit(&v->flat);
    } else if (v->list->nodes == 1 && v->list->head->lp.len <= kFlatAgain) {
        Quicklist* q = v->list;
        v->form = Form::listpack;
        v->list = nullptr;
        v->flat = quicklist_into(q);
    }
}

void list_check(const Value* v) {
    RP_ASSERT(v->form == Form::listpack || v->form == Form::quicklist);
    if (is_flat(v)) {
        buf_check(&v->flat);
        lp_check(buf_bytes(&v->flat));
    } else {
        RP_ASSERT(v->flat.len == 0);
        quicklist_check(v->list);
    }
}

}  // namespace rp
