// persist/manifest.h: which files make up the log, as Redis 7 keeps it in appendonlydir/:
//
//     file appendonly.aof.2.base.rdb seq 2 type b
//     file appendonly.aof.4.incr.aof seq 4 type i
//     file appendonly.aof.1.base.rdb seq 1 type h      history: to be deleted
//
// Names with spaces or quotes are quoted as in redis.conf.
//
// Invariants  M1  at most one base; increments ascend by seq; no name twice, none with a '/'.
// Ownership   plain data; manifest_free gives back the list.
// Errors      one line: file, line number, what is wrong and what to do. What redis-server 7.0
//             refuses is refused; so is what it would pass over in silence: numbers with rubbish
//             behind them, a file named twice, a manifest that names no file.
#pragma once
#include "persist/file.h"

namespace rp {

enum class AofKind : char { base = 'b', incr = 'i', history = 'h' };

constexpr size_t kAofNameMax = 256;
// Leaves room for what follows it (".<seq>.base.rdb", ".cut-<offset>") in a name of 255 bytes.
constexpr size_t kAppendNameMax = 200;
constexpr size_t kManifestMax = 1 << 20;  // bytes; no real one comes near
constexpr size_t kManifestFilesMax = 4096;
struct AofFile {
    char name[kAofNameMax];
    int64_t seq;
    AofKind kind;
};

struct Manifest {
    AofFile* files = nullptr;
    size_t count = 0;
    size_t cap = 0;
};

constexpr size_t kPersistErrMax = 1024;
struct PersistErr {
    char text[kPersistErrMax] = {};
};

// Nothing to free when it is false.
[[nodiscard]] bool manifest_parse(Bytes text, const char* path, Manifest* out, PersistErr* err);
// Its lines, in Redis' order: base, history, increments. Returns the length needed (as snprintf
// does).
size_t manifest_format(const Manifest* m, char* buf, size_t size);
void manifest_free(Manifest* m);
Manifest manifest_copy(const Manifest* m);

const AofFile* manifest_base(const Manifest* m);       // null: none
const AofFile* manifest_last_incr(const Manifest* m);  // null: none
// Names follow appendfilename: "<name>.<seq>.base.rdb", "<name>.<seq>.incr.aof". REQUIRES: no
// longer than kAppendNameMax (manifest_load has refused that).
void manifest_add(Manifest* m, const char* appendfilename, AofKind kind, int64_t seq);
// A rewrite is done: the new base and the increments from `first_incr` on stay, the rest is
// history.
void manifest_rebase(Manifest* m, const char* appendfilename, int64_t base_seq, int64_t first_incr);
void manifest_drop_history(Manifest* m);

// Reads <dir>/<appendfilename>.manifest. *found false: there is none, and no data file that would
// need one (such a file without a manifest is an error: starting empty would lose it), or they are
// said to be of a log that was not founded yet.
[[nodiscard]] bool manifest_load(const FileOps* f, const char* dir, const char* appendfilename,
                                 Manifest* out, bool* found, PersistErr* err);
// <appendfilename>.founding: without a manifest beside it, what is here was never in force (log.h).
// REQUIRES: appendfilename is no longer than kAppendNameMax.
void founding_name(char out[kAofNameMax], const char* appendfilename);
// Atomic and durable (file_replace). 0 or -errno.
int manifest_save(const FileOps* f, const char* dir, const char* appendfilename, const Manifest* m);

}  // namespace rp
