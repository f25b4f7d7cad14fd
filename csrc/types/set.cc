#include "types/set.h"

#include "base/assert.h"
#include "types/dict.h"
#include "types/intset.h"
#include "types/listpack.h"

namespace rp {

// Redis' own limit on an intset, whatever the setting says.
constexpr size_t kIntsetMax = size_t{1} << 30;

size_t set_count(const Value* v) { return value_elements(v); }

bool set_contains(const Value* v, Bytes member) {
    int64_t number;
    Bytes flat = buf_bytes(&v->flat);
    if (v->form == Form::intset) return parse_i64(member, &number) && intset_contains(flat, number);
    if (v->form == Form::dict) return dict_find(v->dict, member) != nullptr;
    return lp_find(flat, lp_first(flat), 1, member) != kLpEnd;
}

// ---- from form to form ------------------------------------------------------------------------

static void convert(Value* v, Form to) {
    Value made;
    made.form = to;
    if (to == Form::dict) {
        made.dict = dict_new();
        dict_reserve(made.dict, set_count(v) + 1);
    }
    Bytes member;
    for (SetWalk w = set_walk(v); set_next(&w, &member);) {
        if (to == Form::dict) {
            dict_set(made.dict, member, {}, nullptr);
        } else {
            lp_append(&made.flat, member);
        }
    }
    value_free(v);
    *v = made;
}

// The digits of any integer are shorter than kSetFlatMember.
static void convert_intset(Value* v, size_t more, size_t member_len) {
    bool flat = set_count(v) + more <= kSetFlatEntries && member_len <= kSetFlatMember;
    convert(v, flat ? Form::listpack : Form::dict);
}

// ---- writing ----------------------------------------------------------------------------------

static bool add_integer(Value* v, int64_t number, size_t intset_max) {
    v->form = Form::intset;
    if (!intset_add(&v->flat, number)) return false;
    if (set_count(v) > (intset_max < kIntsetMax ? intset_max : kIntsetMax)) convert_intset(v, 0, 0);
    return true;
}

static bool add_flat(Value* v, Bytes member) {
    Bytes flat = buf_bytes(&v->flat);
    if (lp_find(flat, lp_first(flat), 1, member) != kLpEnd) return false;
    if (lp_count(flat) < kSetFlatEntries && member.len <= kSetFlatMember) {
        lp_append(&v->flat, member);
        return true;
    }
    convert(v, Form::dict);
    return dict_set(v->dict, member, {}, nullptr);
}

bool set_add(Value* v, Bytes member, size_t intset_max) {
    int64_t number;
    bool any_form = v->form == Form::listpack && v->flat.len == 0;
    if (v->form == Form::intset || any_form) {
        if (parse_i64(member, &number)) return add_integer(v, number, intset_max);
        if (!any_form) convert_intset(v, 1, member.len);
    }
    if (v->form == Form::dict) return dict_set(v->dict, member, {}, nullptr);
    return add_flat(v, member);
}

bool set_remove(Value* v, Bytes member) {
    int64_t number;
    if (v->form == Form::dict) return dict_erase(v->dict, member);
    if (v->form == Form::intset) {
        return parse_i64(member, &number) && intset_remove(&v->flat, number);
    }
    Bytes flat = buf_bytes(&v->flat);
    size_t at = lp_find(flat, lp_first(flat), 1, member);
    if (at == kLpEnd) return false;
    lp_erase(&v->flat, at, 1);
    return true;
}

// ---- by number --------------------------------------------------------------------------------

Bytes set_at(const Value* v, size_t index, char digits[kI64TextMax]) {
    RP_DCHECK(index < set_count(v));
    Bytes flat = buf_bytes(&v->flat);
    if (v->form == Form::dict) return item_key(dict_at(v->dict, index));
    if (v->form == Form::intset) return {digits, format_i64(digits, intset_at(flat, index))};
    return lp_get(flat, lp_seek(flat, static_cast<int64_t>(index)));
}

void set_remove_at(Value* v, size_t index) {
    RP_DCHECK(index < set_count(v));
    if (v->form == Form::dict) return dict_erase_at(v->dict, index);
    if (v->form == Form::intset) return intset_remove_at(&v->flat, index);
    lp_erase(&v->flat, lp_seek(buf_bytes(&v->flat), static_cast<int64_t>(index)), 1);
}

// ---- walking ----------------------------------------------------------------------------------

SetWalk set_walk(const Value* v) {
    return {v, v->form == Form::listpack ? lp_first(buf_bytes(&v->flat)) : 0, {}};
}

bool set_next(SetWalk* w, Bytes* member) {
    Bytes flat = buf_bytes(&w->set->flat);
    if (w->set->form == Form::listpack) {
        if (w->at == kLpEnd) return false;
        *member = lp_get(flat, w->at);
        w->at = lp_next(flat, w->at);
        return true;
    }
    if (w->at == set_count(w->set)) return false;
    *member = set_at(w->set, w->at++, w->digits);
    return true;
}

// ---- invariants -------------------------------------------------------------------------------

void set_check(const Value* v) {
    RP_ASSERT(v->form == Form::listpack || v->form == Form::intset || v->form == Form::dict);
    if (v->form == Form::intset) return intset_check(buf_bytes(&v->flat));
    if (v->form == Form::dict) return dict_check(v->dict);
    Bytes flat = buf_bytes(&v->flat);
    lp_check(flat);
    RP_ASSERT(lp_count(flat) <= kSetFlatEntries);
    for (size_t at = lp_first(flat); at != kLpEnd; at = lp_next(flat, at)) {
        RP_ASSERT(lp_get(flat, at).len <= kSetFlatMember);
        RP_ASSERT(lp_next(flat, at) == kLpEnd ||
                  lp_find(flat, lp_next(flat, at), 1, lp_get(flat, at)) == kLpEnd);
    }
}

}  // namespace rp
