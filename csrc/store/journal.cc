#include "store/journal.h"

#include <new>

#include "base/assert.h"
#include "base/numbers.h"
#include "mem/mem.h"
#include "store/db.h"

namespace rp {

// ---- batches ----------------------------------------------------------------------------------

constexpr size_t kRecordsMin = 4;
constexpr size_t kRecordsHint = 64;  // a batch starts with room for what the last one had, or this

static LogRecord* records_new(size_t cap) {
    return static_cast<LogRecord*>(mem_alloc(cap * sizeof(LogRecord)));
}

// A whole turn's bytes, up to kSubmitBytes and a batch of commands more, go into one chunk.
constexpr size_t kBatchChunk = kSubmitBytes + 12 * 1024 - sizeof(OutChunk);
constexpr size_t kSparesMax = 32;   // of a journal
constexpr size_t kSparesTaken = 4;  // of a voice

static LogBatch* batch_new(size_t room) {
    auto* b = new (mem_alloc(sizeof(LogBatch))) LogBatch;
    auto* chunk = static_cast<OutChunk*>(mem_alloc(sizeof(OutChunk) + kBatchChunk));
    *chunk = {};
    chunk->cap = kBatchChunk;
    b->bytes.head = b->bytes.tail = chunk;
    b->cap = room < kRecordsMin ? kRecordsMin : room < kRecordsHint ? room : kRecordsHint;
    b->records = records_new(b->cap);
    return b;
}

static void batch_grow(LogBatch* b) {
    LogRecord* bigger = records_new(2 * b->cap);
    memcpy(bigger, b->records, b->count * sizeof(LogRecord));
    mem_free(b->records, b->cap * sizeof(LogRecord));
    b->records = bigger;
    b->cap *= 2;
}

void log_batch_free(LogBatch* take) {
    out_clear(&take->bytes);
    mem_free(take->records, take->cap * sizeof(LogRecord));
    mem_free(take, sizeof(LogBatch));
}

static void push_spare(Journal* j, LogBatch* b) {
    LogBatch* newest = j->spare.load(std::memory_order_relaxed);
    do {
        b->next = newest;
    } while (!j->spare.compare_exchange_weak(newest, b, std::memory_order_release,
                                             std::memory_order_relaxed));
}

void journal_give_back(Journal* j, LogBatch* take) {
    OutChunk* first = take->bytes.head;
    bool fits = first != nullptr && first->cap == kBatchChunk && take->cap <= 2 * kSubmitRecords;
    if (!fits || j->spares.fetch_add(1, std::memory_order_relaxed) >= kSparesMax) {
        if (fits) j->spares.fetch_sub(1, std::memory_order_relaxed);
        return log_batch_free(take);
    }
    Out rest = {first->next, take->bytes.tail, 0, 0};
    if (first->next != nullptr) out_clear(&rest);
    first->next = nullptr;
    first->len = 0;
    take->bytes = {first, first, 0, 0};
    take->count = take->taken = 0;
    push_spare(j, take);
}

// All of them at once, so that nobody sees one that was taken and given back meanwhile; those that
// are too many go back.
static void take_spares(Journal* j, LogVoice* v) {
    LogBatch* b = j->spare.exchange(nullptr, std::memory_order_acquire);
    for (size_t taken = 0; b != nullptr; taken++) {
        LogBatch* next = b->next;
        if (taken < kSparesTaken) {
            b->next = v->spare;
            v->spare = b;
            j->spares.fetch_sub(1, std::memory_order_relaxed);
        } else {
            push_spare(j, b);
        }
        b = next;
    }
}

static LogBatch* batch_get(LogVoice* v) {
    Journal* j = v->journal;
    if (v->spare == nullptr && j->spare.load(std::memory_order_relaxed) != nullptr) {
        take_spares(j, v);
    }
    LogBatch* b = v->spare;
    if (b == nullptr) return batch_new(v->room);
    v->spare = b->next;
    return b;
}

static void free_list(LogBatch* take) {
    while (take != nullptr) {
        LogBatch* next = take->next;
        log_batch_free(take);
        take = next;
    }
}

void journal_free_spares(Journal* j) { free_list(j->spare.exchange(nullptr)); }

void voice_deinit(LogVoice* v) {
    RP_ASSERT(v->batch == nullptr);  // J1
    free_list(v->spare);
    v->spare = nullptr;
}

uint64_t journal_submit(LogVoice* v) {
    LogBatch* b = v->batch;
    if (b == nullptr) return 0;
    RP_DCHECK(!v->open);
    uint64_t rests_on = v->rests_on;
    v->batch = nullptr;
    v->rests_on = 0;
    v->room = b->count;
    v->journal->waiting_bytes.fetch_add(log_batch_waiting(b), std::memory_order_relaxed);
    v->journal->submit(v->journal, b);
    return rests_on;
}

// ---- commands as bytes ------------------------------------------------------------------------

constexpr size_t kHeadMax = 1 + kI64TextMax + 2;  // "$123\r\n"
// Longer words fill a chunk to its end and go on in the next.
constexpr size_t kWordWhole = 512;

static char* put_head(char* at, char kind, size_t n) {
    *at++ = kind;
    at += format_u64(at, n);
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static void out_head(Out* o, char kind, size_t n) {
    char* start = out_reserve(o, kHeadMax);
    out_commit(o, static_cast<size_t>(put_head(start, kind, n) - start));
}

static void out_word(Out* o, Bytes word) {
    if (RP_UNLIKELY(word.len > kWordWhole)) {
        out_head(o, '$', word.len);
        out_write(o, word);
        return out_write(o, "\r\n");
    }
    char* start = out_reserve(o, kHeadMax + word.len + 2);
    char* at = put_head(start, '$', word.len);
    if (word.len != 0) memcpy(at, word.ptr, word.len);
    at += word.len;
    *at++ = '\r';
    *at++ = '\n';
    out_commit(o, static_cast<size_t>(at - start));
}

static void out_blob_word(Out* o, Blob* blob, Bytes word) {
    out_head(o, '$', word.len);
    out_blob(o, blob, static_cast<size_t>(word.ptr - blob->data), word.len);
    out_write(o, "\r\n");
}

static void out_select(Out* o, uint32_t db) {
    char text[kI64TextMax];
    out_head(o, '*', 2);
    out_word(o, "SELECT");
    out_word(o, {text, format_u64(text, db)});
}

// ---- records ----------------------------------------------------------------------------------

static LogRecord* current(const LogVoice* v) { return &v->batch->records[v->batch->count - 1]; }

// Draws the number: whatever is published after this and before the segment is unlocked is its.
// That the numbers are in the order in which changes become visible needs no more than one atomic:
// who has seen a change comes after it, and so does what it adds.
static void open_record(Access* a, LogVoice* v) {
    RP_DCHECK(!v->open && a->locked);
    if (v->batch == nullptr) v->batch = batch_get(v);
    LogBatch* b = v->batch;
    if (RP_UNLIKELY(b->count == b->cap)) batch_grow(b);
    uint64_t seq = v->journal->next_seq.fetch_add(1, std::memory_order_relaxed);
    b->records[b->count++] = {seq, 0, a->db, a->db, false};
    v->open = true;
    v->commands = 0;
    v->start = b->bytes.bytes;
}

void record_open(Access* a) {
    if (a->log == nullptr) return;
    open_record(a, a->log);
    a->log->rests_on = current(a->log)->seq;
}

void record_multi(Access* a) {
    if (a->log == nullptr) return;
    RP_DCHECK(a->log->open && a->log->commands == 0);
    a->log->in_multi = true;
}

void record_begin(Access* a, size_t argc) {
    LogVoice* v = a->log;
    if (v == nullptr) return;
    RP_DCHECK(v->open);
    LogRecord* r = current(v);
    Out* o = &v->batch->bytes;
    if (v->commands++ == 0) {
        r->first_db = r->last_db = a->db;
        if (v->in_multi) out_write(o, "*1\r\n$5\r\nMULTI\r\n");
    }
    if (RP_UNLIKELY(r->last_db != a->db)) {
        out_select(o, a->db);
        r->last_db = a->db;
    }
    out_head(o, '*', argc);
}

void record_word(Access* a, Bytes word) {
    if (a->log != nullptr) out_word(&a->log->batch->bytes, word);
}

void record_close(Access* a) {
    LogVoice* v = a->log;
    if (v == nullptr) return;
    RP_DCHECK(v->open);
    Out* o = &v->batch->bytes;
    if (v->in_multi && v->commands != 0) out_write(o, "*1\r\n$4\r\nEXEC\r\n");
    current(v)->len = o->bytes - v->start;
    v->open = v->in_multi = false;
}

void record_add(Access* a, const Bytes* argv, size_t argc, Blob* big, size_t big_index) {
    LogVoice* v = a->log;
    if (v == nullptr) return;
    bool alone = !v->open;
    if (alone) open_record(a, v);
    record_begin(a, argc);
    Out* o = &v->batch->bytes;
    for (size_t i = 0; i < argc; i++) {
        if (RP_UNLIKELY(big != nullptr) && i == big_index && argv[i].len >= kOutBlobMin) {
            out_blob_word(o, big, argv[i]);
        } else {
            out_word(o, argv[i]);
        }
    }
    if (alone) record_close(a);
}

void record_delete(Access* a, Bytes key) {
    if (RP_LIKELY(a->log == nullptr)) return;
    Bytes words[] = {"DEL", key};
    record_add(a, words, 2, nullptr, 0);
}

}  // namespace rp
