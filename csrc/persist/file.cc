#include "persist/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace rp {

// ---- the operating system's -------------------------------------------------------------------

// Calls until it is not a signal that ended it; its result, or -errno.
template <typename Call>
static auto uninterrupted(Call call) -> decltype(call()) {
    for (;;) {
        const auto got = call();
        if (got >= 0) return got;
        if (errno != EINTR) return static_cast<decltype(call())>(-errno);
    }
}

static int open_with(const char* path, int flags) {
    return uninterrupted([&] { return open(path, flags | O_CLOEXEC, 0644); });
}

static int sys_open_read(void*, const char* path) { return open_with(path, O_RDONLY); }
static int sys_open_append(void*, const char* path) {
    return open_with(path, O_WRONLY | O_CREAT | O_APPEND);
}
static int sys_open_new(void*, const char* path) {
    return open_with(path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC);
}

// Not tried again: after EINTR the descriptor is gone all the same.
static int sys_close(void*, int fd) { return close(fd) == 0 || errno == EINTR ? 0 : -errno; }

static ssize_t sys_read(void*, int fd, void* to, size_t len) {
    return uninterrupted([&] { return read(fd, to, len); });
}
static ssize_t sys_writev(void*, int fd, const iovec* parts, int count) {
    return uninterrupted([&] { return writev(fd, parts, count); });
}
static int sys_sync_data(void*, int fd) {
    return uninterrupted([&] { return fdatasync(fd); });
}
static int sys_truncate(void*, int fd, uint64_t len) {
    return uninterrupted([&] { return ftruncate(fd, static_cast<off_t>(len)); });
}

static int64_t sys_size(void*, int fd) {
    struct stat info;
    return fstat(fd, &info) == 0 ? static_cast<int64_t>(info.st_size) : -errno;
}

static int sys_rename(void*, const char* from, const char* to) {
    return rename(from, to) == 0 ? 0 : -errno;
}
static int sys_unlink(void*, const char* path) { return unlink(path) == 0 ? 0 : -errno; }

static int sys_make_dir(void*, const char* path) {
    if (mkdir(path, 0755) == 0) return 0;
    const int why = errno;
    struct stat info;
    if (why == EEXIST && stat(path, &info) == 0) return S_ISDIR(info.st_mode) ? 0 : -ENOTDIR;
    return -why;
}

static int sys_sync_dir(void*, const char* path) {
    const int fd = open_with(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return fd;
    int status = uninterrupted([&] { return fsync(fd); });
    close(fd);
    // Some file systems (FUSE, CIFS) know no such thing: there is nothing more one could do.
    return status == -EINVAL || status == -ENOTSUP ? 0 : status;
}

static bool sys_exists(void*, const char* path) {
    struct stat info;
    return stat(path, &info) == 0;
}

static int sys_list(void*, const char* path, void (*visit)(void* to, const char* name), void* to) {
    DIR* dir = opendir(path);
    if (dir == nullptr) return -errno;
    int status = 0;
    for (;;) {
        errno = 0;
        const dirent* item = readdir(dir);
        if (item == nullptr) {
            status = -errno;
            break;
        }
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            visit(to, item->d_name);
    }
    closedir(dir);
    return status;
}

const FileOps kSystemFiles = {
    .open_read = sys_open_read,
    .open_append = sys_open_append,
    .open_new = sys_open_new,
    .close = sys_close,
    .read = sys_read,
    .writev = sys_writev,
    .sync_data = sys_sync_data,
    .truncate = sys_truncate,
    .size = sys_size,
    .rename = sys_rename,
    .unlink = sys_unlink,
    .make_dir = sys_make_dir,
    .sync_dir = sys_sync_dir,
    .exists = sys_exists,
    .list = sys_list,
};

// ---- on top of any ----------------------------------------------------------------------------

static_assert(IOV_MAX >= 1024);
constexpr size_t kPartsMax = 1024;  // of one writev

int file_write_all(const FileOps* f, int fd, Bytes bytes, uint64_t* written) {
    iovec part = {const_cast<char*>(bytes.ptr), bytes.len};
    return file_write_parts(f, fd, &part, bytes.len != 0, written, nullptr);
}

int file_write_parts(const FileOps* f, int fd, iovec* parts, size_t count, uint64_t* written,
                     uint64_t* calls) {
    size_t at = 0, skip = 0;  // what is written: whole parts, and so much of the next
    uint64_t done = 0, called = 0;
    int status = 0;
    while (at < count && status == 0) {
        const size_t n = count - at < kPartsMax ? count - at : kPartsMax;
        const iovec whole = parts[at];
        parts[at] = {static_cast<char*>(whole.iov_base) + skip, whole.iov_len - skip};
        const ssize_t wrote = f->writev(f->arg, fd, parts + at, static_cast<int>(n));
        parts[at] = whole;
        called++;
        if (wrote <= 0) {
            status = wrote == 0 ? -EIO : static_cast<int>(wrote);
            break;
        }
        done += static_cast<uint64_t>(wrote);
        skip += static_cast<size_t>(wrote);
        while (at < count && skip >= parts[at].iov_len)
            skip -= parts[at++].iov_len;
    }
    if (written != nullptr) *written = done;
    if (calls != nullptr) *calls = called;
    return status;
}

static int write_new(const FileOps* f, const char* path, Bytes contents) {
    const int fd = f->open_new(f->arg, path);
    if (fd < 0) return fd;
    int status = file_write_all(f, fd, contents, nullptr);
    if (status == 0) status = f->sync_data(f->arg, fd);
    const int closed = f->close(f->arg, fd);
    return status == 0 ? closed : status;
}

int file_replace(const FileOps* f, const char* dir, const char* name, Bytes contents) {
    char path[kPathMax], temporary[kPathMax], temporary_name[kPathMax];
    const int len = snprintf(temporary_name, sizeof temporary_name, "temp-%s", name);
    if (len < 0 || static_cast<size_t>(len) >= sizeof temporary_name) return -ENAMETOOLONG;
    if (!path_join(path, dir, name) || !path_join(temporary, dir, temporary_name))
        return -ENAMETOOLONG;
    int status = write_new(f, temporary, contents);
    if (status == 0) status = f->rename(f->arg, temporary, path);
    if (status != 0) {
        f->unlink(f->arg, temporary);
        return status;
    }
    return f->sync_dir(f->arg, dir);
}

bool path_join(char out[kPathMax], const char* dir, const char* name) {
    const size_t len = strlen(dir);
    const char* between = len > 0 && dir[len - 1] != '/' ? "/" : "";
    const int n = snprintf(out, kPathMax, "%s%s%s", dir, between, name);
    return n >= 0 && static_cast<size_t>(n) < kPathMax;
}

}  // namespace rp
