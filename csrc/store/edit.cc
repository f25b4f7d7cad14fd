#include "store/edit.h"

#include "store/notify.h"

namespace rp {

// What two keys share is changed by neither: a flat value is borrowed (the first write copies it),
// a large one is cloned.
static Value unshared(const Value* shared) {
    if (!value_is_flat(shared)) return value_clone(shared);
    Value v;
    v.form = shared->form;
    v.flat = buf_borrow(buf_bytes(&shared->flat));
    return v;
}

Opened edit_open(Access* a, Bytes key, Type type, Edit* e) {
    *e = {a, db_open(a, key), type, nullptr, {}, nullptr, 0, true};
    e->value = &e->own;
    Entry* entry = e->h.at.entry;
    if (entry == nullptr) return Opened::absent;
    if (entry_type(entry) != type) return Opened::wrong_type;
    if (entry_encoding(entry) == Encoding::boxed) preserve_before_change(a, entry);
    if (entry_encoding(entry) != Encoding::boxed) {
        db_view(a, entry, &e->own);
    } else if (box_shared(entry_box(entry))) {
        e->own = unshared(&entry_box(entry)->value);
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

// A box that has become small enough goes back inline only at half of that: no flapping.
static bool goes_inline(const Value* v) {
    return value_is_flat(v) && v->flat.len <= kInlineMax / 2;
}

static void publish(Edit* e) {
    if (e->box != nullptr) {
        // Even before it is replaced: the segment gives back what the box costs now.
        db_changed_box(e->access, &e->h, e->cost_before);
        if (!goes_inline(e->value)) return;
        e->own.form = e->value->form;
        e->own.flat = buf_borrow(buf_bytes(&e->value->flat));
    }
    Entry* fresh = entry_new_value(e->h.key, e->type, &e->own, expiry_of(e));
    db_put_keep_age(e->access, &e->h, fresh);
}

static void remove_key(Edit* e) {
    if (e->box != nullptr) db_changed_box(e->access, &e->h, e->cost_before);
    if (e->h.at.entry != nullptr) db_delete(e->access, &e->h);
    value_free(&e->own);
}

// Nothing changed, but an index may have moved on on the way to find that out.
static void leave(Edit* e) {
    if (e->box == nullptr) return value_free(&e->own);
    if (box_cost(e->box) != e->cost_before) db_recount_box(e->access, &e->h, e->cost_before);
}

void edit_close(Edit* e, uint64_t changes) {
    if (changes == 0) return leave(e);
    uint64_t before = e->access->changes;
    e->exists = value_elements(e->value) != 0;
    if (e->exists) {
        publish(e);
    } else {
        remove_key(e);
    }
    e->access->changes = before + changes;
}

void edit_delete(Edit* e, uint64_t changes) {
    uint64_t before = e->access->changes;
    e->exists = false;
    remove_key(e);
    e->access->changes = before + changes;
}

void edit_notify(const Edit* e, uint32_t notify_class, Bytes event) {
    if (!notify_wanted(e->access, notify_class | kNotifyGeneric)) return;
    notify(e->access, notify_class, event, e->h.key);
    if (!e->exists) notify(e->access, kNotifyGeneric, "del", e->h.key);
}

bool edit_store(Access* a, Bytes key, Type type, Value* take, uint32_t notify_class, Bytes event) {
    Handle h = db_open(a, key);
    if (value_elements(take) != 0) {
        db_put(a, &h, entry_new_value(key, type, take, kNoExpiry));
        notify(a, notify_class, event, key);
        return true;
    }
    value_free(take);
    if (h.at.entry == nullptr) return false;
    db_delete(a, &h);
    notify(a, kNotifyGeneric, "del", key);
    return true;
}

}  // namespace rp
