// store/journal.h: the order of all changes, and what a thread has to say of them. persist/ (later
// repl/ too) takes it from here; below it nobody knows a file.
//
//   under the segments' locks          after the batch, nothing held       log thread
//   record_open   seq = next_seq++     journal_submit ---- batches ---->   merges by seq, writes,
//   ... the change is published ...                                        syncs, moves `acked` on
//   record_add    DEL k / SET k v      a reply that rests on seq leaves when acked >= seq
//   record_close
//
// The number is drawn before the change is published and while its segments are held: so a reader
// that saw a change and then writes draws a higher one, changes of one key are numbered in the
// order they happened, and every prefix of the numbers is a state that existed (I3, I9). The bytes
// follow when the change is made; the log thread waits for a number whose bytes are still under
// way.
//
// A record is what one command (or one EXEC, as MULTI ... EXEC) did, as RESP commands that need no
// clock and no chance: absolute expiries, DEL for what expired or was evicted. It is replayed whole
// or not at all.
//
// Invariants  J1  every number drawn is submitted exactly once, if only as an empty record.
//             J2  the numbers of one batch ascend, and so do those of a thread's batches.
//             J3  a thread submits before it waits for anything and before its replies may leave.
//             J4  it submits before it leaves the gate, or (`later`: loops) before its turn ends.
//                 Numbers of before the gate was closed are lower than those drawn behind it,
//                 handed in or not.
// Threads     LogBatch: its executing thread, then the log thread. Journal: fields say.
// Limits      journal_full: what waits to be written is above `waiting_max`: writes wait outside of
//             all locks (the dispatcher answers Ran::paused).
#pragma once
#include <atomic>

#include "resp/out.h"

namespace rp {

struct Access;

struct LogRecord {
    uint64_t seq;
    uint64_t len;       // bytes of it in the batch; 0: nothing was changed after all
    uint32_t first_db;  // the database its first command needs ...
    uint32_t last_db;   // ... and the one selected after its last
    bool rotate;        // a snapshot's cut: the log goes on in a new file before the next record
};

// Records of one batch of commands of one thread, their bytes in order.
struct LogBatch {
    LogBatch* next = nullptr;
    Out bytes;
    LogRecord* records = nullptr;
    size_t count = 0;
    size_t cap = 0;
    size_t taken = 0;  // log thread: records already merged
};

struct Journal {
    // Writers.
    alignas(64) std::atomic<uint64_t> next_seq{1};
    // The log thread moves these; anybody reads. Records up to `acked` are as safe as appendfsync
    // says.
    alignas(64) std::atomic<uint64_t> acked{0};
    // Submitted, not yet written: journal_submit adds log_batch_waiting() of each batch, who has
    // written it subtracts the same.
    std::atomic<size_t> waiting_bytes{0};
    std::atomic<bool> refuses{false};  // writes get `refusal` (MISCONF): a disk error
    size_t waiting_max = size_t{64} << 20;
    // Empty batches, given back by who has written them, to be filled again.
    std::atomic<LogBatch*> spare{nullptr};
    std::atomic<size_t> spares{0};
    // Hands a batch over. Never blocks.
    void (*submit)(Journal* j, LogBatch* take) = nullptr;
    // The reply for a refused write, without its '-': "MISCONF Errors writing to the AOF file:
    // ...".
    size_t (*refusal)(Journal* j, char* out, size_t size) = nullptr;
    // For callers without a loop; REQUIRE: not pinned, nothing held. False: timeout_ms have passed
    // (< 0: never). Until seq is acked; until not more than half of waiting_max waits.
    bool (*wait)(Journal* j, uint64_t seq, int64_t timeout_ms) = nullptr;
    bool (*wait_room)(Journal* j, int64_t timeout_ms) = nullptr;
};

// The mouth of one executing thread. In its Worker; Access.log points to it, or is null: nothing is
// logged (no persistence, or the log itself is being replayed).
struct LogVoice {
    Journal* journal = nullptr;  // null: silent. Changes behind the closed gate only
    bool later = false;          // constant: its thread ends its turns with journal_submit
    bool waits = false;          // with `later`, for the owner alone: there may be a batch
    // Private.
    LogBatch* batch = nullptr;  // being filled
    bool open = false;          // between record_open and record_close
    bool in_multi = false;      // the open record is an EXEC
    size_t commands = 0;        // in the open record
    size_t start = 0;           // where its bytes start in the batch
    size_t room = 0;            // records that the last batch had
    LogBatch* spare = nullptr;  // a few of the journal's
    uint64_t rests_on = 0;      // highest number drawn by record_open since the last submit
};

// All REQUIRE the locks of what is being changed; all do nothing when a->log is null. Of a command
// that may write: open before it runs, add what it did once that is known, close; then its reply
// rests on the number. What happens beside commands (a key that a reader or the crawler finds
// expired, an eviction) is a record of its own that no reply rests on: were it lost, the key would
// be as expired as before.
void record_open(Access* a);
// Adds a command in a->db to the open record; without one, makes a record of it alone.
// `big`, when not null, holds argv[big_index] and is referenced instead of copied.
void record_add(Access* a, const Bytes* argv, size_t argc, Blob* big, size_t big_index);
void record_delete(Access* a, Bytes key);  // DEL key; before the key's bytes may go
void record_close(Access* a);
// EXEC: all that is added until record_close becomes one MULTI ... EXEC, or nothing.
void record_multi(Access* a);
// A long command word by word, in an open record: exactly `argc` words follow, nothing in between.
void record_begin(Access* a, size_t argc);
void record_word(Access* a, Bytes word);

// Nothing held, still within the gate (J4). Never blocks. Returns the highest number that was drawn
// by record_open since the last time, 0: none. Replies written since then have to wait for it.
uint64_t journal_submit(LogVoice* v);

// With `later` a turn's records are handed in together; in large turns the log begins earlier.
constexpr size_t kSubmitBytes = 32 * 1024;
constexpr size_t kSubmitRecords = 512;
inline bool journal_due(const LogVoice* v) {
    const LogBatch* b = v->batch;
    return b != nullptr && (b->bytes.bytes >= kSubmitBytes || b->count >= kSubmitRecords);
}

inline bool journal_full(const Journal* j) {
    return j->waiting_bytes.load(std::memory_order_relaxed) > j->waiting_max;
}
// Who was paused by journal_full may go on. seq_cst: pairs with what a loop says before it sleeps.
inline bool journal_has_room(const Journal* j) {
    return j->waiting_bytes.load(std::memory_order_seq_cst) <= j->waiting_max / 2;
}
inline bool journal_acked(const Journal* j, uint64_t seq) {
    return j->acked.load(std::memory_order_acquire) >= seq;
}

inline size_t log_batch_waiting(const LogBatch* b) {
    return b->bytes.bytes + b->count * sizeof(LogRecord);
}
void log_batch_free(LogBatch* take);
// Written: emptied and kept for the next, if there are not too many.
void journal_give_back(Journal* j, LogBatch* take);
void journal_free_spares(Journal* j);
void voice_deinit(LogVoice* v);  // REQUIRES: everything has been submitted

}  // namespace rp
