// Values of every form, for tests that do not care what is in them.
#pragma once
#include <string>
#include <vector>

#include "base/numbers.h"
#include "types/dict.h"
#include "types/each.h"
#include "types/intset.h"
#include "types/quicklist.h"
#include "types/zset.h"

namespace rp {

constexpr Form kForms[] = {Form::listpack, Form::intset, Form::quicklist, Form::dict, Form::zset};

// A type that has the form.
inline Type type_of(Form form) {
    switch (form) {
        case Form::listpack: return Type::list;
        case Form::intset: return Type::set;
        case Form::quicklist: return Type::list;
        case Form::dict: return Type::set;
        case Form::zset: return Type::zset;
    }
    return Type::set;
}

inline void value_grow(Value* v, size_t i) {
    std::string text = std::to_string(i);
    Bytes bytes = {text.data(), text.size()};
    double score = static_cast<double>(i);
    Item* item;
    switch (v->form) {
        case Form::listpack: lp_append(&v->flat, bytes); break;
        case Form::intset: intset_add(&v->flat, static_cast<int64_t>(i)); break;
        case Form::quicklist: quicklist_push(v->list, false, bytes, list_limits(-2)); break;
        case Form::dict: dict_set(v->dict, bytes, {}, nullptr); break;
        case Form::zset:
            dict_set(v->zset->dict, bytes, {reinterpret_cast<char*>(&score), sizeof score}, &item);
            ranktree_insert(&v->zset->order, score, item);
            break;
    }
}

// The elements 1 to n.
inline Value value_of(Form form, size_t n) {
    Value v;
    v.form = form;
    if (form == Form::quicklist) v.list = quicklist_new();
    if (form == Form::dict) v.dict = dict_new();
    if (form == Form::zset) v.zset = zset_new();
    for (size_t i = 1; i <= n; i++)
        value_grow(&v, i);
    return v;
}

inline std::vector<std::string> elements_of(const Value* v) {
    std::vector<std::string> out;
    value_each(
        v, type_of(v->form),
        [](const Element* e, void* arg) {
            static_cast<std::vector<std::string>*>(arg)->emplace_back(e->key.ptr, e->key.len);
        },
        &out);
    return out;
}

}  // namespace rp
