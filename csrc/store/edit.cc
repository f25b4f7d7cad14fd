#include "store/edit.h"

namespace rp {

Opened edit_open(Access* a, Bytes key, Type type, Edit* e) {
    *e = {a, db_open(a, key), type, nullptr, {}, nullptr, 0};
    e->value = &e->own;
    Entry* entry = e->h.at.entry;
    if (entry == nullptr) return Opened::absent;
    if (entry_type(entry) != type) return Opened::wrong_type;
    if (entry_encoding(entry) == Encoding::boxed) preserve_before_change(a, entry);
    if (entry_encoding(entry) != Encoding::boxed) {
        db_view(a, entry, &e->own);
    } else if (box_shared(entry_box(entry))) {
        e->own = value_clone(&entry_box(entry)->value);
    } else {
        e->box = entry_box(entry);
        e->value = &e->box->value;
        e->cost_before = box_cost(e->box);
    }
    return Opened::found;
}

static int64_t expiry_of(const Edit* e) {
    return e->h.at.entry != nullptr ? entry_expiry_ms(e->h.at.entry) : kNoExpiry;
}

static void drop(Edit* e) {
    if (e->box == nullptr) value_free(&e->own);  // borrowed bytes are none of ours
}

// A box that has become small enough goes back inline only at half of that: no flapping.
static bool goes_inline(const Value* v) {
    return value_is_flat(v) && v->flat.len <= kInlineMax / 2;
}

static void publish(Edit* e) {
    if (e->box != nullptr && !goes_inline(e->value)) {
        return db_changed_box(e->access, &e->h, e->cost_before);
    }
    if (e->box != nullptr) {
        // The entry and its segment are charged with what the box had cost until it is replaced.
        Value small = value_clone(e->value);
        db_changed_box(e->access, &e->h, e->cost_before);
        e->own = small;
    }
    Entry* fresh = entry_new_value(e->h.key, e->type, &e->own, expiry_of(e));
    db_put_keep_age(e->access, &e->h, fresh);
}

void edit_close(Edit* e, uint64_t changes) {
    if (changes == 0) return drop(e);
    uint64_t before = e->access->changes;
    if (value_elements(e->value) != 0) {
        publish(e);
    } else if (e->h.at.entry != nullptr) {
        if (e->box != nullptr) db_changed_box(e->access, &e->h, e->cost_before);
        db_delete(e->access, &e->h);
        drop(e);
    }
    e->access->changes = before + changes;
}

bool edit_store(Access* a, Bytes key, Type type, Value* take) {
    Handle h = db_open(a, key);
    if (value_elements(take) != 0) {
        db_put(a, &h, entry_new_value(key, type, take, kNoExpiry));
        return true;
    }
    value_free(take);
    if (h.at.entry == nullptr) return false;
    db_delete(a, &h);
    return true;
}

}  // namespace rp
