// persist/log_merge.h: batches of many threads in, one run of bytes in the order of the numbers
// out.
//
//     thread A:  1 2 . . 5        heap by each batch's next number
//     thread B:  . . 3 4 .   -->  run: 1 2 3 4 5      7 waits in the heap until 6 is handed in
//     thread C:  . . . . . . 7
//
// A run is what one annotation line speaks of and what is written in one go: references into the
// batches' chunks, no copies.
//
// Invariants  G1  heap[0] holds the lowest number that waits; it is >= next.
//             G2  a batch is freed when all its records are merged and the run that took the last
//             one
//                 is on the disk: a failed write can be repeated from the same parts.
// Threads     the log thread.
// Limits      a run ends above kRunBytes or kRunParts, but holds at least one record.
#pragma once
#include <sys/uio.h>

#include "store/journal.h"

namespace rp {

constexpr size_t kRunBytes = 512 * 1024;
constexpr size_t kRunParts = 4096;
constexpr size_t kRunHeadMax = 96;

// A batch of which some records wait.
struct MergeItem {
    uint64_t seq;  // of its next record
    LogBatch* batch;
    const OutChunk* chunk;  // where that record's bytes begin
    size_t offset;
};

struct Merge {
    MergeItem* heap = nullptr;
    size_t count = 0;
    size_t cap = 0;
    uint64_t next = 1;     // the number that comes next
    int64_t db = -1;       // selected in the file; -1: none
    int64_t stamp_s = -1;  // of the last #TS: line
};

struct LogRun {
    uint64_t first = 1;   // its numbers: from here ...
    uint64_t behind = 1;  // ... to before this
    uint64_t bytes = 0;   // behind the annotation line; 0: nothing to write
    bool rotate = false;  // its last record is a cut
    size_t waiting = 0;   // log_batch_waiting of the batches in `done`
    LogBatch* done = nullptr;
    iovec* parts = nullptr;  // [0]: the annotation line
    size_t count = 0;
    size_t cap = 0;
    Out texts;  // SELECT and #TS: lines
    char head[kRunHeadMax];
};

void merge_add(Merge* m, LogBatch* take);
// Fills *run, which is empty, with what is there without a gap. False: the next number is missing.
// stamp_s >= 0: time stamps are wanted, and this is the time.
bool merge_run(Merge* m, LogRun* run, int64_t stamp_s);
// The run is on the disk: gives its batches back. Numbers that had no bytes to write stay in its
// span, so that the next annotation line begins where the last one ended.
void run_finish(LogRun* run, Journal* j);
// Batches that will never be written.
void merge_deinit(Merge* m, LogRun* run, Journal* j);

}  // namespace rp
