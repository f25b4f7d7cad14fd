// table/entry.cc: building, copying and giving up entries. The layout is drawn in entry.h.
#include "table/entry.h"

#include <cstring>
#include <limits>

#include "mem/mem.h"

namespace rp {

constexpr size_t kNarrowMax = 255;  // what klen8 and vlen8 hold

static uint8_t entry_flags(size_t klen, size_t vlen, Encoding enc, int64_t expiry_ms) {
    unsigned flags = 0;
    if (klen > kNarrowMax || vlen > kNarrowMax || enc == Encoding::blob) flags |= kEntryWide;
    if (expiry_ms != kNoExpiry) flags |= kEntryExpiry;
    bool word = enc == Encoding::integer || enc == Encoding::blob || enc == Encoding::boxed;
    if (word) flags |= kEntryWord;
    return static_cast<uint8_t>(flags);
}

// Everything but the value: the word is left to the caller, inline bytes too.
static Entry* entry_new(Bytes key, size_t vlen, Type type, Encoding enc, int64_t expiry_ms) {
    RP_ASSERT(key.len <= std::numeric_limits<uint32_t>::max());
    RP_ASSERT(vlen <= std::numeric_limits<uint32_t>::max());
    uint8_t flags = entry_flags(key.len, vlen, enc, expiry_ms);
    size_t inline_len = (flags & kEntryWord) ? 0 : vlen;
    size_t offset = entry_key_offset(flags);
    Entry* e = static_cast<Entry*>(mem_alloc(sizeof(Entry) + offset + key.len + inline_len));
    e->kind = static_cast<uint8_t>(static_cast<unsigned>(type) << 4 | static_cast<unsigned>(enc));
    e->flags = flags;
    e->mark.store(0, std::memory_order_relaxed);
    e->clock.store(0, std::memory_order_relaxed);
    e->freq.store(0, std::memory_order_relaxed);
    bool wide = (flags & kEntryWide) != 0;
    e->klen8 = wide ? 0 : static_cast<uint8_t>(key.len);
    e->vlen8 = wide ? 0 : static_cast<uint8_t>(vlen);
    if (wide) {
        uint32_t lengths[2] = {static_cast<uint32_t>(key.len), static_cast<uint32_t>(vlen)};
        memcpy(e->rest, lengths, sizeof(lengths));
    }
    if (flags & kEntryExpiry) entry_expiry_field(e)->store(expiry_ms, std::memory_order_relaxed);
    if (key.len > 0) memcpy(e->rest + offset, key.ptr, key.len);
    return e;
}

static Entry* entry_new_inline(Bytes key, Bytes value, Type type, Encoding enc, int64_t expiry_ms) {
    Entry* e = entry_new(key, value.len, type, enc, expiry_ms);
    char* to = e->rest + entry_key_offset(e->flags) + key.len;
    if (value.len > 0) memcpy(to, value.ptr, value.len);
    return e;
}

Entry* entry_new_string(Bytes key, Bytes value, Encoding enc, int64_t expiry_ms) {
    RP_DCHECK(enc == Encoding::embstr || enc == Encoding::raw);
    if (value.len >= kBlobMin) {
        Blob* b = blob_new(value.len);
        memcpy(b->data, value.ptr, value.len);
        b->len = value.len;
        return entry_new_blob(key, b, expiry_ms);
    }
    return entry_new_inline(key, value, Type::string, enc, expiry_ms);
}

Entry* entry_new_integer(Bytes key, int64_t value, int64_t expiry_ms) {
    Entry* e = entry_new(key, 0, Type::string, Encoding::integer, expiry_ms);
    entry_word(e)->store(value, std::memory_order_relaxed);
    return e;
}

Entry* entry_new_blob(Bytes key, Blob* take, int64_t expiry_ms) {
    Entry* e = entry_new(key, take->len, Type::string, Encoding::blob, expiry_ms);
    entry_word(e)->store(reinterpret_cast<int64_t>(take), std::memory_order_relaxed);
    return e;
}

static Entry* entry_new_boxed(Bytes key, Type type, Box* take, int64_t expiry_ms) {
    Entry* e = entry_new(key, 0, type, Encoding::boxed, expiry_ms);
    entry_word(e)->store(reinterpret_cast<int64_t>(take), std::memory_order_relaxed);
    return e;
}

Entry* entry_new_value(Bytes key, Type type, Value* take, int64_t expiry_ms) {
    if (!value_is_flat(take) || take->flat.len > kInlineMax) {
        return entry_new_boxed(key, type, box_new(take), expiry_ms);
    }
    Encoding enc = take->form == Form::intset ? Encoding::intset : Encoding::listpack;
    Entry* e = entry_new_inline(key, buf_bytes(&take->flat), type, enc, expiry_ms);
    value_free(take);
    return e;
}

Entry* entry_copy(const Entry* from, Bytes key, int64_t expiry_ms) {
    Entry* e = nullptr;
    switch (entry_encoding(from)) {
        case Encoding::integer: e = entry_new_integer(key, entry_integer(from), expiry_ms); break;
        case Encoding::blob: e = entry_new_blob(key, blob_ref(entry_blob(from)), expiry_ms); break;
        case Encoding::embstr:
        case Encoding::raw:
        case Encoding::listpack:
        case Encoding::intset:
            e = entry_new_inline(key, entry_inline(from), entry_type(from), entry_encoding(from),
                                 expiry_ms);
            break;
        case Encoding::boxed:
            e = entry_new_boxed(key, entry_type(from), box_ref(entry_box(from)), expiry_ms);
            break;
    }
    // A copy is as old as its original: RENAME and EXPIRE do not make a key look fresh.
    e->clock.store(from->clock.load(std::memory_order_relaxed), std::memory_order_relaxed);
    e->freq.store(from->freq.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return e;
}

size_t entry_bytes(const Entry* e) {
    size_t inline_len = (e->flags & kEntryWord) ? 0 : entry_value_len(e);
    return sizeof(Entry) + entry_key_offset(e->flags) + entry_key_len(e) + inline_len;
}

size_t entry_cost(const Entry* e) {
    size_t cost = mem_cost(entry_bytes(e));
    if (entry_encoding(e) == Encoding::blob) cost += mem_cost(sizeof(Blob) + entry_value_len(e));
    if (entry_encoding(e) == Encoding::boxed) cost += box_cost(entry_box(e));
    return cost;
}

static void entry_release(void* node, size_t bytes) {
#ifndef NDEBUG
    memset(node, 0xdf, bytes);  // a reader that comes too late shall trip over it
#endif
    mem_free(node, bytes);
}

void entry_retire(EpochSlot* s, Entry* take) {
    if (entry_encoding(take) == Encoding::blob) blob_unref(entry_blob(take));  // E1
    if (entry_encoding(take) == Encoding::boxed) box_unref(entry_box(take));
    epoch_retire(s, take, entry_bytes(take), entry_release);
}

static Refs* shared_refs(const Entry* e) {
    if (entry_encoding(e) == Encoding::blob) return &entry_blob(e)->refs;
    return entry_encoding(e) == Encoding::boxed ? &entry_box(e)->refs : nullptr;
}

void entry_hold(Entry* e) {
    if (Refs* r = shared_refs(e)) refs_hold(r);
}

bool entry_held(const Entry* e) {
    const Refs* r = shared_refs(e);
    return r != nullptr && refs_held(r);
}

void entry_let_go(Entry* e) {
    Encoding enc = entry_encoding(e);
    if (enc != Encoding::blob && enc != Encoding::boxed) return;
    enc == Encoding::blob ? blob_unref_held(entry_blob(e)) : box_unref_held(entry_box(e));
    entry_word(e)->store(0, std::memory_order_relaxed);
}

void entry_free(Entry* take) {
    if (entry_encoding(take) == Encoding::blob) blob_unref(entry_blob(take));
    if (entry_encoding(take) == Encoding::boxed) box_unref_now(entry_box(take));
    entry_release(take, entry_bytes(take));
}

}  // namespace rp
