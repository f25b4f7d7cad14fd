// persist/file.h: the one seam through which persist/ touches a disk. Tests replace it: short
// writes, ENOSPC, EIO, slow fsync, and a disk that forgets whatever was not synced
// (tests/unit/persist).
//
// Every call returns 0 (or a count) or -errno; none is retried here but for EINTR. Paths are as the
// operating system takes them, NUL-terminated.
//
// Threads  any; what a File or a path is used for is the caller's to serialize.
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>

#include "base/bytes.h"

namespace rp {

struct FileOps {
    void* arg = nullptr;  // passed to each
    // Open for reading; for writing at the end (created, O_APPEND, mode 0644); the same, but
    // emptied first. Both write at the end also after a truncate.
    int (*open_read)(void* arg, const char* path) = nullptr;  // a descriptor >= 0
    int (*open_append)(void* arg, const char* path) = nullptr;
    int (*open_new)(void* arg, const char* path) = nullptr;  // truncates what is there
    int (*close)(void* arg, int fd) = nullptr;
    ssize_t (*read)(void* arg, int fd, void* to, size_t len) = nullptr;             // 0: the end
    ssize_t (*writev)(void* arg, int fd, const iovec* parts, int count) = nullptr;  // may be short
    int (*sync_data)(void* arg, int fd) = nullptr;                                  // fdatasync
    int (*truncate)(void* arg, int fd, uint64_t len) = nullptr;
    int64_t (*size)(void* arg, int fd) = nullptr;
    int (*rename)(void* arg, const char* from, const char* to) = nullptr;
    int (*unlink)(void* arg, const char* path) = nullptr;
    int (*make_dir)(void* arg, const char* path) = nullptr;  // existing is fine
    int (*sync_dir)(void* arg, const char* path) = nullptr;  // after create, rename, unlink
    bool (*exists)(void* arg, const char* path) = nullptr;
    // Calls visit for each name in a directory but . and ..
    int (*list)(void* arg, const char* path, void (*visit)(void* to, const char* name),
                void* to) = nullptr;
};

extern const FileOps kSystemFiles;

// Writes all of it, however often that takes. 0 or -errno; *written (may be null) says how far it
// got.
int file_write_all(const FileOps* f, int fd, Bytes bytes, uint64_t* written);
// The same of many parts, which are as before afterwards; *calls (may be null): of writev.
int file_write_parts(const FileOps* f, int fd, iovec* parts, size_t count, uint64_t* written,
                     uint64_t* calls);
// Temporary file beside it, write, sync, rename, sync of the directory: whoever looks sees the old
// contents or the new.
int file_replace(const FileOps* f, const char* dir, const char* name, Bytes contents);

constexpr size_t kPathMax = 4096;
// "dir/name"; false when longer than kPathMax.
bool path_join(char out[kPathMax], const char* dir, const char* name);

}  // namespace rp
