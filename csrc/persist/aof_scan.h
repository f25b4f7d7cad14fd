// persist/aof_scan.h: looks through one increment of the log (or a base in the form of commands)
// and says whether it is whole, ends in a torn tail that may be cut, or is damaged.
//
//     #RP1 1 2 58 0a1b2c3d       a run of ours: judged by its length and checksum
//     *3 $3 SET ...              its 58 bytes
//     *1 $5 MULTI                no annotation (written by Redis): judged by syntax, MULTI .. EXEC
//     ...                        as one
//     #RP1-WHOLE                 the increments before this one are on the disk to their ends
//     #TS:1700000000             other annotations mean nothing here
//
// Torn is only what a crash can leave: the last run, command or MULTI block is incomplete, because
// the file ends or because nothing but zeros follows (the size of the file came to the disk, its
// last pages did not). Everything else is damage: a wrong checksum, a length that its own bytes
// contradict, rubbish, a gap in the numbers. `good_bytes` is a border between whole blocks.
//
// Threads  any. Memory: one window, whatever the file holds.
#pragma once
#include "persist/manifest.h"

namespace rp {

#define RP_AOF_WHOLE_LINE "#RP1-WHOLE\r\n"

enum class FindingKind : uint8_t {
    ok,
    torn_tail,   // may be cut (persist_fix)
    checksum,    // bytes are not those that were written
    syntax,      // bytes that no log or snapshot holds
    missing,     // a file, or numbers of the log
    unreadable,  // the operating system said no
    note,        // worth knowing, no fault
};

enum class AofState : uint8_t { whole, torn, damaged };

struct AofScan {
    AofState state = AofState::whole;
    FindingKind kind = FindingKind::ok;
    uint64_t file_bytes = 0;
    // Torn: where to cut. Damaged: where the damaged block begins. Whole: file_bytes.
    uint64_t good_bytes = 0;
    uint64_t runs = 0;
    uint64_t commands = 0;    // deep, or outside of runs
    uint64_t first_seq = 0;   // of the first run; 0: there is none
    uint64_t next_seq = 0;    // behind the last good run
    bool ours = false;        // it begins with a run, or the line of ours
    bool says_whole = false;  // holds RP_AOF_WHOLE_LINE
    char text[160] = {};      // what is wrong, in a few words
};

struct AofScanOptions {
    // Also read the commands inside of runs whose checksum is right.
    bool deep = false;
    uint64_t from = 0;  // where to begin: behind the snapshot that a file of Redis may begin with
    void (*progress)(void* arg, uint64_t bytes) = nullptr;  // read since the last call
    void* progress_arg = nullptr;
};

// False: it could not be read, see err.
[[nodiscard]] bool aof_scan(const FileOps* f, const char* path, AofScan* out, PersistErr* err,
                            const AofScanOptions& options = {});

// Does `next` go on where `prev`, the increment before it, ends? (A server begins at 1 anew. Files
// of Redis have no numbers: true.)
bool aof_follows(const AofScan* prev, const AofScan* next);

// Cuts the file behind `at` bytes. What goes is first kept in <path>.cut-<at> (added to it, if that
// is there), and both are durable when this returns true.
[[nodiscard]] bool aof_cut(const FileOps* f, const char* path, uint64_t at, PersistErr* err);

}  // namespace rp
