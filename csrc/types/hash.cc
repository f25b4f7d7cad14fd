#include "types/hash.h"

#include "base/assert.h"
#include "types/dict.h"
#include "types/listpack.h"

namespace rp {

// However large the limits are: every write moves what is behind it, and lengths stay in range.
constexpr size_t kListpackBytesMax = size_t{1} << 30;

static Bytes listpack(const Value* v) { return buf_bytes(&v->flat); }

static size_t find_field(Bytes lp, Bytes field) { return lp_find(lp, lp_first(lp), 2, field); }

size_t hash_count(const Value* v) {
    return v->form == Form::dict ? v->dict->count : lp_count(listpack(v)) / 2;
}

bool hash_get(const Value* v, Bytes field, Bytes* out) {
    if (v->form == Form::dict) {
        const Item* item = dict_find(v->dict, field);
        if (item != nullptr) *out = item_value(item);
        return item != nullptr;
    }
    Bytes lp = listpack(v);
    size_t at = find_field(lp, field);
    if (at == kLpEnd) return false;
    *out = lp_get(lp, lp_next(lp, at));
    return true;
}

// False: a field is there twice.
static bool make_dict(Value* v) {
    Dict* d = dict_new();
    Bytes lp = listpack(v);
    bool distinct = true;
    dict_reserve(d, lp_count(lp) / 2);
    for (size_t at = lp_first(lp); at != kLpEnd; at = lp_next(lp, at)) {
        Bytes field = lp_get(lp, at);
        at = lp_next(lp, at);
        distinct &= dict_set(d, field, lp_get(lp, at), nullptr);
    }
    buf_free(&v->flat);
    v->form = Form::dict;
    v->dict = d;
    return distinct;
}

static bool fits_listpack(const Value* v, Bytes field, Bytes value, HashLimits limits) {
    if (field.len > limits.bytes || value.len > limits.bytes) return false;
    return v->flat.len + field.len + value.len <= kListpackBytesMax;
}

static bool set_in_listpack(Value* v, Bytes field, Bytes value) {
    size_t at = find_field(listpack(v), field);
    if (at != kLpEnd) {
        lp_replace(&v->flat, lp_next(listpack(v), at), value);
        return false;
    }
    lp_append(&v->flat, field);
    lp_append(&v->flat, value);
    return true;
}

bool hash_set(Value* v, Bytes field, Bytes value, HashLimits limits) {
    if (v->form == Form::listpack && !fits_listpack(v, field, value, limits)) make_dict(v);
    if (v->form == Form::dict) return dict_set(v->dict, field, value, nullptr);
    bool added = set_in_listpack(v, field, value);
    if (hash_count(v) > limits.fields) make_dict(v);
    return added;
}

bool hash_load(Value* v, Bytes field, Bytes value, HashLimits limits) {
    if (v->form == Form::listpack) {
        if (fits_listpack(v, field, value, limits) && hash_count(v) < limits.fields) {
            lp_append(&v->flat, field);
            lp_append(&v->flat, value);
            return true;
        }
        if (!make_dict(v)) return false;
    }
    return dict_set(v->dict, field, value, nullptr);
}

bool hash_load_end(const Value* v) { return v->form == Form::dict || lp_distinct(listpack(v), 2); }

bool hash_erase(Value* v, Bytes field) {
    if (v->form == Form::dict) return dict_erase(v->dict, field);
    size_t at = find_field(listpack(v), field);
    if (at == kLpEnd) return false;
    lp_erase(&v->flat, at, 2);
    return true;
}

void hash_check(const Value* v) {
    if (v->form == Form::dict) return dict_check(v->dict);
    RP_ASSERT(v->form == Form::listpack);
    Bytes lp = listpack(v);
    lp_check(lp);
    RP_ASSERT(lp_count(lp) % 2 == 0);
    for (size_t at = lp_first(lp); at != kLpEnd; at = lp_next(lp, lp_next(lp, at)))
        RP_ASSERT(find_field(lp, lp_get(lp, at)) == at);
}

}  // namespace rp
