// store/edit.h: changing a value that is not a string, under its segment's lock.
//
//     Edit e;
//     if (edit_open(a, key, Type::hash, &e) == Opened::wrong_type) ...
//     if (hash_set(e.value, ...)) changes++;        // or nothing at all
//     edit_close(&e, changes);                      // publishes; empty: the key is gone
//
// The command sees one Value, however it is kept: edit_open borrows inline bytes (the first write
// copies them) or hands out the Box's own value; edit_close publishes a new entry, notes the change
// in place, or deletes the key.
//
// Ownership  an Edit lives from edit_open to edit_close, which every path must reach. *value is
//            owned by it.
// Threads    REQUIRES the lock of key's segment from open to close. Of two keys in one segment the
//            first must be closed before the second is opened: places move.
#pragma once
#include "store/db.h"

namespace rp {

enum class Opened : uint8_t { found, absent, wrong_type };

struct Edit {
    Access* access;
    Handle h;
    Type type;
    Value* value;  // to work on; empty when absent
    // Private.
    Value own;           // behind `value`, unless that is a Box's
    Box* box;            // changed in place; null otherwise
    size_t cost_before;  // of box
    bool exists;         // the key, once closed
};

// wrong_type: there is nothing to close. An absent key gets an empty listpack.
Opened edit_open(Access* a, Bytes key, Type type, Edit* out);
// `changes`: what Redis adds to its dirty counter (elements added, removed, updated). 0 = the value
// is as it was, and nothing is published.
void edit_close(Edit* e, uint64_t changes);
// Instead of edit_close: the key goes with all that is in it (a large value to the graveyard), if
// there is one.
void edit_delete(Edit* e, uint64_t changes);

// After a change: tells the event, and that the key is gone if it is. REQUIRES: closed or deleted.
void edit_notify(const Edit* e, uint32_t notify_class, Bytes event);

// The destination of a *STORE command, whatever it held: an empty value deletes it. Its expiry
// goes. *take is empty afterwards. Returns whether there is, or was, something: a change.
// `event` of `notify_class` is told, or "del".
bool edit_store(Access* a, Bytes key, Type type, Value* take, uint32_t notify_class, Bytes event);

}  // namespace rp
