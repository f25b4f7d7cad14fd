#include "resp/out.h"

#include "base/assert.h"
#include "mem/mem.h"

namespace rp {

static OutChunk* chunk_new(size_t cap) {
    OutChunk* c = static_cast<OutChunk*>(mem_alloc(sizeof(OutChunk) + cap));
    c->next = nullptr;
    c->blob = nullptr;
    c->at = nullptr;
    c->len = 0;
    c->cap = cap;
    return c;
}

static void chunk_free(OutChunk* c) {
    blob_unref(c->blob);
    mem_free(c, sizeof(OutChunk) + c->cap);
}

static void chunks_free(OutChunk* c) {
    while (c != nullptr) {
        OutChunk* next = c->next;
        chunk_free(c);
        c = next;
    }
}

static void append(Out* o, OutChunk* c) {
    if (o->tail == nullptr) {
        o->head = c;
    } else {
        o->tail->next = c;
    }
    o->tail = c;
}

void out_clear(Out* o) {
    chunks_free(o->head);
    *o = {};
}

char* out_reserve_slow(Out* o, size_t n) {
    RP_ASSERT(n <= kOutChunkMax);
    // Small at first and behind a blob, where often only a CRLF follows; large once one was filled.
    bool filled_one = o->tail != nullptr && o->tail->blob == nullptr;
    OutChunk* c = chunk_new(filled_one || n > kOutChunkMin ? kOutChunkMax : kOutChunkMin);
    append(o, c);
    return c->data;
}

void out_write(Out* o, Bytes b) {
    while (b.len > 0) {
        OutChunk* t = o->tail;
        if (t == nullptr || t->blob != nullptr || t->len == t->cap) {
            out_reserve_slow(o, b.len < kOutChunkMax ? b.len : kOutChunkMax);
            t = o->tail;
        }
        size_t room = t->cap - t->len;
        size_t n = b.len < room ? b.len : room;
        memcpy(t->data + t->len, b.ptr, n);
        out_commit(o, n);
        b = {b.ptr + n, b.len - n};
    }
}

void out_blob(Out* o, Blob* borrow, size_t off, size_t len) {
    if (len == 0) return;
    RP_DCHECK(off <= borrow->len && len <= borrow->len - off);
    OutChunk* c = chunk_new(0);
    c->blob = blob_ref(borrow);
    c->at = borrow->data + off;
    c->len = len;
    append(o, c);
    o->bytes += len;
}

// Makes the first unsent byte the first byte of the head chunk.
static void drop_sent(Out* o) {
    if (o->head_sent == 0) return;
    OutChunk* c = o->head;
    c->len -= o->head_sent;
    if (c->blob != nullptr) {
        c->at += o->head_sent;
    } else {
        memmove(c->data, c->data + o->head_sent, c->len);
    }
    o->head_sent = 0;
}

void out_splice(Out* dst, Out* src) {
    if (src->head == nullptr) return;
    drop_sent(src);
    OutChunk* only = src->head == src->tail ? src->head : nullptr;
    OutChunk* t = dst->tail;
    bool fits = only != nullptr && only->blob == nullptr && t != nullptr && t->blob == nullptr &&
                t->cap - t->len >= only->len;
    if (fits) {  // One chunk less for the writer.
        out_write(dst, out_chunk_bytes(only));
        out_clear(src);
        return;
    }
    append(dst, src->head);
    dst->tail = src->tail;
    dst->bytes += src->bytes;
    *src = {};
}

void out_consume(Out* o, size_t n) {
    RP_ASSERT(n <= o->bytes);
    o->bytes -= n;
    if (o->bytes == 0) return out_clear(o);
    while (n > 0) {
        OutChunk* c = o->head;
        size_t left = c->len - o->head_sent;
        if (n < left) {
            o->head_sent += n;
            return;
        }
        n -= left;
        o->head = c->next;  // Not null: unsent bytes remain, and they are behind this chunk.
        o->head_sent = 0;
        chunk_free(c);
    }
}

void out_rewind(Out* o, OutMark m) {
    if (m.tail == nullptr) return out_clear(o);
    chunks_free(m.tail->next);
    m.tail->next = nullptr;
    m.tail->len = m.tail_len;
    o->tail = m.tail;
    o->bytes = m.bytes;
}

void out_copy(const Out* o, char* dst) {
    size_t skip = o->head_sent;
    for (const OutChunk* c = o->head; c != nullptr; c = c->next) {
        Bytes b = out_chunk_bytes(c);
        if (b.len > skip) memcpy(dst, b.ptr + skip, b.len - skip);
        dst += b.len - skip;
        skip = 0;
    }
}

size_t out_memory(const Out* o, size_t* chunks) {
    size_t sum = 0, count = 0;
    for (const OutChunk* c = o->head; c != nullptr; c = c->next) {
        count++;
        sum += mem_cost(sizeof(OutChunk) + c->cap);
        if (c->blob != nullptr) sum += c->len;
    }
    if (chunks != nullptr) *chunks = count;
    return sum;
}

}  // namespace rp
