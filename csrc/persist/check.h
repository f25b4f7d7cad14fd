// persist/check.h: verifies a data directory without an engine and says what is wrong, where, and
// what to do; cuts a torn tail when asked.
//
//   dir/appendonlydir/appendonly.aof.manifest   which files there must be
//   dir/appendonlydir/*.base.rdb                every byte of the snapshot read, checksum, end
//   dir/appendonlydir/*.incr.aof                every command, every run's checksum, numbers
//   without
//                                               a gap within a file and from file to file
//   dir/dump.rdb                                the snapshot of SAVE and BGSAVE, if it is there
//
// Threads  any. It only reads; a directory in use may look torn while the server appends.
#pragma once
#include "persist/aof_scan.h"

namespace rp {

struct CheckPlaces {
    const char* dir = nullptr;
    const char* appenddirname = "appendonlydir";
    const char* appendfilename = "appendonly.aof";
    const char* dbfilename = "dump.rdb";
};

// Texts are borrowed for the call.
struct Finding {
    FindingKind kind;
    const char* file;    // its path
    int64_t offset;      // -1: of the file as a whole
    const char* text;    // what was found
    const char* advice;  // what to do; "" when there is nothing to do
};

struct CheckVisitor {
    void* arg = nullptr;
    void (*finding)(void* arg, const Finding* f) = nullptr;
    void (*progress)(void* arg, uint64_t done, uint64_t total) = nullptr;  // bytes; may be null
};

enum class CheckResult : uint8_t {
    good,
    torn,    // nothing but a torn tail, which persist_fix may cut
    damaged  // also: missing, unreadable
};

// At least one finding for each file that is, or must be, there.
CheckResult persist_check(const FileOps* f, const CheckPlaces& places, const CheckVisitor& visitor);

// Checks, and when there is nothing but a torn tail, cuts that off (aof_cut); `visitor` then gets a
// note for each cut. False: nothing was cut because of other damage, or it failed; see err. True
// also when there was nothing to cut. REQUIRES: nobody else uses the directory (dir_lock).
[[nodiscard]] bool persist_fix(const FileOps* f, const CheckPlaces& places,
                               const CheckVisitor& visitor, PersistErr* err);

const char* finding_kind_text(FindingKind kind);  // "torn tail"

}  // namespace rp
