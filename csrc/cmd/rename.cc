#include "cmd/rename.h"

#include <new>

#include "cmd/dispatch.h"
#include "mem/mem.h"

namespace rp {

// A name that means something else than the command table says; a null row: nothing any more.
struct RenamedAs {
    Bytes name;  // owned
    CmdRef ref;
};

struct Renames {
    RenamedAs items[kRenamesMax];
    size_t count = 0;
};

Renames* renames_new() { return new (mem_alloc(sizeof(Renames))) Renames; }

void renames_free(Renames* take) {
    if (take == nullptr) return;
    for (size_t i = 0; i < take->count; i++)
        mem_free(const_cast<char*>(take->items[i].name.ptr), take->items[i].name.len);
    mem_free(take, sizeof(Renames));
}

static RenamedAs* find(Renames* r, Bytes name) {
    for (size_t i = 0; i < r->count; i++) {
        if (bytes_equal_nocase(r->items[i].name, name)) return &r->items[i];
    }
    return nullptr;
}

static void set(Renames* r, Bytes name, CmdRef ref) {
    RenamedAs* known = find(r, name);
    if (known == nullptr) {
        auto* copy = static_cast<char*>(mem_alloc(name.len));
        memcpy(copy, name.ptr, name.len);
        known = &r->items[r->count++];
        known->name = {copy, name.len};
    }
    known->ref = ref;
}

Renamed renames_add(Renames* r, Bytes from, Bytes to) {
    CmdRef ref = renames_find(r, from);
    if (ref.row == nullptr) return Renamed::unknown;
    if (r->count + 2 > kRenamesMax) return Renamed::too_many;
    set(r, from, {});
    if (to.len == 0) return Renamed::done;
    if (renames_find(r, to).row != nullptr) return Renamed::taken;
    set(r, to, ref);
    return Renamed::done;
}

bool renames_reach(const Renames* r, const Cmd* row) {
    if (r == nullptr) return true;
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].ref.row == row) return true;
    }
    return renames_find(r, bytes_of(row->name)).row == row;
}

CmdRef renames_find(const Renames* r, Bytes name) {
    const RenamedAs* known = find(const_cast<Renames*>(r), name);
    return known != nullptr ? known->ref : command_find(name);
}

}  // namespace rp
