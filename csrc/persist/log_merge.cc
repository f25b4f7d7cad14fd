#include "persist/log_merge.h"

#include <cinttypes>
#include <cstdio>

#include "base/assert.h"
#include "base/numbers.h"
#include "mem/mem.h"
#include "persist/crc32c.h"

namespace rp {

// ---- the heap ---------------------------------------------------------------------------------

static void sift_down(Merge* m, size_t at) {
    MergeItem moved = m->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->count) break;
        if (child + 1 < m->count && m->heap[child + 1].seq < m->heap[child].seq) child++;
        if (m->heap[child].seq >= moved.seq) break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = moved;
}

static void sift_up(Merge* m, size_t at) {
    MergeItem moved = m->heap[at];
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (m->heap[parent].seq <= moved.seq) break;
        m->heap[at] = m->heap[parent];
        at = parent;
    }
    m->heap[at] = moved;
}

static void heap_grow(Merge* m) {
    size_t cap = m->cap == 0 ? 64 : 2 * m->cap;
    auto* heap = static_cast<MergeItem*>(mem_alloc(cap * sizeof(MergeItem)));
    if (m->count > 0) memcpy(heap, m->heap, m->count * sizeof(MergeItem));
    mem_free(m->heap, m->cap * sizeof(MergeItem));
    m->heap = heap;
    m->cap = cap;
}

void merge_add(Merge* m, LogBatch* take) {
    RP_ASSERT(take->count > 0);
    if (m->count == m->cap) heap_grow(m);
    m->heap[m->count] = {take->records[0].seq, take, take->bytes.head, take->bytes.head_sent};
    sift_up(m, m->count++);
}

static LogBatch* heap_pop(Merge* m) {
    LogBatch* batch = m->heap[0].batch;
    m->heap[0] = m->heap[--m->count];
    if (m->count > 0) sift_down(m, 0);
    return batch;
}

// ---- a run ------------------------------------------------------------------------------------

static void run_part(LogRun* r, const char* from, size_t len) {
    iovec* last = r->count > 1 ? &r->parts[r->count - 1] : nullptr;
    r->bytes += len;
    if (last != nullptr && static_cast<const char*>(last->iov_base) + last->iov_len == from) {
        last->iov_len += len;  // records of one batch follow each other in its chunks
        return;
    }
    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
        auto* parts = static_cast<iovec*>(mem_alloc(cap * sizeof(iovec)));
        if (r->count > 0) memcpy(parts, r->parts, r->count * sizeof(iovec));
        mem_free(r->parts, r->cap * sizeof(iovec));
        r->parts = parts;
        r->cap = cap;
    }
    r->parts[r->count++] = {const_cast<char*>(from), len};
}

constexpr size_t kTextMax = 64;  // a SELECT or #TS: line

static void run_select(LogRun* r, uint32_t db) {
    char digits[kI64TextMax];
    size_t len = format_u64(digits, db);
    char* text = out_reserve(&r->texts, kTextMax);
    int n = snprintf(text, kTextMax, "*2\r\n$6\r\nSELECT\r\n$%zu\r\n%.*s\r\n", len,
                     static_cast<int>(len), digits);
    out_commit(&r->texts, static_cast<size_t>(n));
    run_part(r, text, static_cast<size_t>(n));
}

static void run_stamp(LogRun* r, int64_t stamp_s) {
    char* text = out_reserve(&r->texts, kTextMax);
    int n = snprintf(text, kTextMax, "#TS:%" PRId64 "\r\n", stamp_s);
    out_commit(&r->texts, static_cast<size_t>(n));
    run_part(r, text, static_cast<size_t>(n));
}

// The next `len` bytes of a batch, piece by piece.
static void run_bytes(LogRun* r, MergeItem* from, uint64_t len) {
    while (len > 0) {
        Bytes b = out_chunk_bytes(from->chunk);
        size_t left = b.len - from->offset;
        if (left == 0) {
            from->chunk = from->chunk->next;
            from->offset = 0;
            continue;
        }
        size_t n = len < left ? len : left;
        run_part(r, b.ptr + from->offset, n);
        from->offset += n;
        len -= n;
    }
}

static void run_record(Merge* m, LogRun* r, MergeItem* from, const LogRecord* rec,
                       int64_t stamp_s) {
    r->rotate |= rec->rotate;
    if (rec->len == 0) return;
    if (stamp_s > m->stamp_s) {
        run_stamp(r, stamp_s);
        m->stamp_s = stamp_s;
    }
    if (m->db != static_cast<int64_t>(rec->first_db)) run_select(r, rec->first_db);
    m->db = static_cast<int64_t>(rec->last_db);
    run_bytes(r, from, rec->len);
}

static bool run_full(const LogRun* r) {
    return r->bytes >= kRunBytes || r->count >= kRunParts || r->rotate;
}

static void run_annotate(LogRun* r) {
    uint32_t crc = 0;
    for (size_t i = 1; i < r->count; i++)
        crc = crc32c(crc, {static_cast<const char*>(r->parts[i].iov_base), r->parts[i].iov_len});
    int n = snprintf(r->head, sizeof r->head, "#RP1 %" PRIu64 " %" PRIu64 " %" PRIu64 " %08x\r\n",
                     r->first, r->behind - r->first, r->bytes, crc);
    r->parts[0] = {r->head, static_cast<size_t>(n)};
}

bool merge_run(Merge* m, LogRun* r, int64_t stamp_s) {
    if (m->count == 0 || m->heap[0].seq != m->next) return false;
    if (r->count == 0) {  // room for the annotation line
        run_part(r, r->head, 0);
        r->bytes = 0;
    }
    while (m->count > 0 && m->heap[0].seq == m->next && !run_full(r)) {
        MergeItem* top = &m->heap[0];
        LogBatch* b = top->batch;
        do {
            run_record(m, r, top, &b->records[b->taken++], stamp_s);
            m->next++;
        } while (b->taken < b->count && b->records[b->taken].seq == m->next && !run_full(r));
        if (b->taken == b->count) {
            heap_pop(m);
            r->waiting += log_batch_waiting(b);
            b->next = r->done;
            r->done = b;
        } else {
            top->seq = b->records[b->taken].seq;
            sift_down(m, 0);
        }
    }
    RP_ASSERT(m->count == 0 || m->heap[0].seq >= m->next);  // J1: no number twice
    r->behind = m->next;
    if (r->bytes > 0) run_annotate(r);
    return true;
}

void run_finish(LogRun* r, Journal* j) {
    while (r->done != nullptr) {
        LogBatch* b = r->done;
        r->done = b->next;
        journal_give_back(j, b);
    }
    r->waiting = 0;
    out_clear(&r->texts);
    r->count = 0;
    r->rotate = false;
    if (r->bytes > 0) r->first = r->behind;
    r->bytes = 0;
}

void merge_deinit(Merge* m, LogRun* r, Journal* j) {
    while (m->count > 0)
        log_batch_free(heap_pop(m));
    mem_free(m->heap, m->cap * sizeof(MergeItem));
    m->heap = nullptr;
    m->cap = 0;
    run_finish(r, j);
    mem_free(r->parts, r->cap * sizeof(iovec));
    r->parts = nullptr;
    r->cap = 0;
}

}  // namespace rp
