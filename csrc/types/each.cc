#include "types/each.h"

#include "base/numbers.h"
#include "types/intset.h"
#include "types/listpack.h"
#include "types/quicklist.h"
#include "types/zset.h"

namespace rp {

static double score_of(Bytes bytes) {
    double score;
    memcpy(&score, bytes.ptr, sizeof score);
    return score;
}

static bool is_pair(Type type) { return type == Type::hash || type == Type::zset; }

Element element_of_listpack(Bytes lp, size_t at, Type type) {
    Element e;
    e.packed = true;
    e.key = lp_get(lp, at);
    if (is_pair(type)) e.value = lp_get(lp, lp_next(lp, at));
    if (type == Type::zset) e.score = score_of(e.value);
    return e;
}

Element element_of_item(const Item* item, Type type) {
    Element e;
    e.key = item_key(item);
    e.value = item_value(item);
    if (type == Type::zset) e.score = score_of(e.value);
    return e;
}

static void each_in_listpack(Bytes lp, Type type, ElementVisit visit, void* arg) {
    for (size_t at = lp_first(lp); at != kLpEnd; at = lp_next(lp, at)) {
        Element e = element_of_listpack(lp, at, type);
        if (is_pair(type)) at = lp_next(lp, at);
        visit(&e, arg);
    }
}

static void each_in_intset(Bytes set, ElementVisit visit, void* arg) {
    char digits[kI64TextMax];
    for (size_t i = 0; i < intset_count(set); i++) {
        Element e;
        e.key = {digits, format_i64(digits, intset_at(set, i))};
        visit(&e, arg);
    }
}

static void each_in_dict(const Dict* d, Type type, ElementVisit visit, void* arg) {
    for (size_t i = 0; i < d->count; i++) {
        Element e = element_of_item(dict_at(d, i), type);
        visit(&e, arg);
    }
}

static void each_in_list(const Quicklist* q, ElementVisit visit, void* arg) {
    for (const ListNode* n = q->head; n != nullptr; n = n->next) {
        each_in_listpack(buf_bytes(&n->lp), Type::list, visit, arg);
    }
}

static void each_in_order(const RankTree* t, ElementVisit visit, void* arg) {
    for (RankAt at = ranktree_at(t, 0); at.leaf != nullptr; at = ranktree_next(at)) {
        Element e;
        e.key = item_key(ranktree_item(at));
        e.score = ranktree_score(at);
        visit(&e, arg);
    }
}

void value_each(const Value* v, Type type, ElementVisit visit, void* arg) {
    switch (v->form) {
        case Form::listpack: return each_in_listpack(buf_bytes(&v->flat), type, visit, arg);
        case Form::intset: return each_in_intset(buf_bytes(&v->flat), visit, arg);
        case Form::quicklist: return each_in_list(v->list, visit, arg);
        case Form::dict: return each_in_dict(v->dict, type, visit, arg);
        case Form::zset: return each_in_order(&v->zset->order, visit, arg);
    }
}

}  // namespace rp
