#include "types/value.h"

#include <new>

#include "mem/mem.h"
#include "types/dict.h"
#include "types/graveyard.h"
#include "types/intset.h"
#include "types/listpack.h"
#include "types/quicklist.h"
#include "types/zset.h"

namespace rp {

void value_free(Value* v) {
    switch (v->form) {
        case Form::listpack:
        case Form::intset: buf_free(&v->flat); break;
        case Form::quicklist: quicklist_free(v->list); break;
        case Form::dict: dict_free(v->dict); break;
        case Form::zset: zset_free(v->zset); break;
    }
    *v = {};
}

Value value_clone(const Value* v) {
    Value copy;
    copy.form = v->form;
    switch (v->form) {
        case Form::listpack:
        case Form::intset: copy.flat = buf_clone(&v->flat); break;
        case Form::quicklist: copy.list = quicklist_clone(v->list); break;
        case Form::dict: copy.dict = dict_clone(v->dict); break;
        case Form::zset: copy.zset = zset_clone(v->zset); break;
    }
    return copy;
}

size_t value_cost(const Value* v) {
    switch (v->form) {
        case Form::listpack:
        case Form::intset: return buf_cost(&v->flat);
        case Form::quicklist: return quicklist_cost(v->list);
        case Form::dict: return dict_cost(v->dict);
        case Form::zset: return zset_cost(v->zset);
    }
    return 0;
}

size_t value_elements(const Value* v) {
    switch (v->form) {
        case Form::listpack: return lp_count(buf_bytes(&v->flat));
        case Form::intset: return intset_count(buf_bytes(&v->flat));
        case Form::quicklist: return v->list->count;
        case Form::dict: return v->dict->count;
        case Form::zset: return v->zset->dict->count;
    }
    return 0;
}

Box* box_new(Value* take) {
    Box* b = new (mem_alloc(sizeof(Box))) Box;
    if (value_is_flat(take)) buf_own(&take->flat);
    b->value = *take;
    *take = {};
    return b;
}

static void box_free(Box* b) {
    value_free(&b->value);
    mem_free(b, sizeof(Box));
}

size_t box_cost(const Box* b) { return mem_cost(sizeof(Box)) + value_cost(&b->value); }

// However many elements it has, a flat value is one allocation.
static bool slow_to_free(const Value* v) {
    return !value_is_flat(v) && value_elements(v) > kBuryElements;
}

void box_unref(Box* b) {
    if (b == nullptr || !refs_drop(&b->refs)) return;
    if (slow_to_free(&b->value)) {
        graveyard_bury(b);
    } else {
        box_free(b);
    }
}

void box_unref_now(Box* b) {
    if (b != nullptr && refs_drop(&b->refs)) box_free(b);
}

void box_unref_held(Box* b) {
    if (refs_drop_held(&b->refs)) box_free(b);
}

}  // namespace rp
