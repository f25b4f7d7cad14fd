#include "persist/dir_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace rp {

static bool refuse(PersistErr* err, const char* path, const char* what) {
    snprintf(err->text, sizeof err->text, "%s: cannot %s: %s", path, what, strerror(errno));
    return false;
}

static long owner_of(int fd) {
    char text[32] = {};
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, nullptr, 10) : 0;
}

static bool refuse_in_use(PersistErr* err, const char* dir, int fd) {
    const long pid = owner_of(fd);
    char who[128] = "another process";
    if (pid > 0 && kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) {
        // The lock went to its children with fork().
        snprintf(who, sizeof who, "a process forked by pid %ld, which itself has ended,", pid);
    } else if (pid == getpid()) {
        snprintf(who, sizeof who, "this process (pid %ld)", pid);
    } else if (pid > 0) {
        snprintf(who, sizeof who, "another process (pid %ld)", pid);
    }
    snprintf(err->text, sizeof err->text, "%s is using %s: stop it first or choose another dir",
             who, dir);
    return false;
}

static bool write_owner(int fd) {
    char text[32];
    const int len = snprintf(text, sizeof text, "%ld\n", static_cast<long>(getpid()));
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, static_cast<size_t>(len), 0) == len;
}

bool dir_lock(const char* dir, int* fd, PersistErr* err) {
    char path[kPathMax];
    *fd = -1;
    if (!path_join(path, dir, kLockName)) {
        snprintf(err->text, sizeof err->text, "%.200s...: the path is too long", dir);
        return false;
    }
    const int got = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (got < 0) return refuse(err, path, "create the lock file");
    if (flock(got, LOCK_EX | LOCK_NB) != 0) {
        const bool held = errno == EWOULDBLOCK;
        held ? refuse_in_use(err, dir, got) : refuse(err, path, "lock it");
        close(got);
        return false;
    }
    if (!write_owner(got)) {
        refuse(err, path, "write to it");
        dir_unlock(got);
        return false;
    }
    *fd = got;
    return true;
}

void dir_unlock(int fd) {
    // Said aloud, because a forked child may hold a copy of the descriptor; and the file stays,
    // because whoever waits for it may have it open.
    flock(fd, LOCK_UN);
    close(fd);
}

}  // namespace rp
