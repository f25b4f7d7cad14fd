#include "persist/dir_lock.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace rp {
namespace {

struct DirLock : testing::Test {
    std::string dir;
    PersistErr err;

    void SetUp() override {
        char name[] = "/tmp/rp_lock_XXXXXX";  // tidy: allow
        dir = mkdtemp(name);
    }
    void TearDown() override { std::filesystem::remove_all(dir); }
    int lock() {
        int fd;
        return dir_lock(dir.c_str(), &fd, &err) ? fd : -1;
    }
};

TEST_F(DirLock, IsHeldByOneAtATime) {
    const int fd = lock();
    ASSERT_GE(fd, 0) << err.text;
    EXPECT_EQ(-1, lock());
    EXPECT_EQ("this process (pid " + std::to_string(getpid()) + ") is using " + dir +
                  ": stop it first or choose another dir",
              err.text);
    dir_unlock(fd);
    const int again = lock();
    EXPECT_GE(again, 0);
    dir_unlock(again);
}

TEST_F(DirLock, NamesTheOtherProcess) {
    int ready[2], end[2];
    ASSERT_EQ(0, pipe(ready) | pipe(end));
    const pid_t child = fork();
    if (child == 0) {
        char c = lock() >= 0 ? 'y' : 'n';
        if (write(ready[1], &c, 1) != 1 || read(end[0], &c, 1) != 1) _exit(1);
        _exit(0);
    }
    char c = 0;
    ASSERT_EQ(1, read(ready[0], &c, 1));
    ASSERT_EQ('y', c);
    EXPECT_EQ(-1, lock());
    EXPECT_EQ("another process (pid " + std::to_string(child) + ") is using " + dir +
                  ": stop it first or choose another dir",
              err.text);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const int fd = lock();  // a kill releases it
    EXPECT_GE(fd, 0) << err.text;
    dir_unlock(fd);
    for (int side : {ready[0], ready[1], end[0], end[1]})
        close(side);
}

TEST_F(DirLock, IsReleasedEvenWhileAForkedChildHasTheDescriptor) {
    const int fd = lock();
    int end[2];
    ASSERT_EQ(0, pipe(end));
    const pid_t child = fork();
    if (child == 0) {
        char c;
        close(end[1]);
        _exit(read(end[0], &c, 1) == 0 ? 0 : 1);
    }
    dir_unlock(fd);
    const int again = lock();
    EXPECT_GE(again, 0) << err.text;
    dir_unlock(again);
    close(end[0]);
    close(end[1]);
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(0, status);
}

TEST_F(DirLock, SaysWhyItCannot) {
    int fd;
    EXPECT_FALSE(dir_lock("/nowhere/at/all", &fd, &err));
    EXPECT_EQ(-1, fd);
    EXPECT_STREQ(
        "/nowhere/at/all/rustypotato.lock: cannot create the lock file: No such file or directory",
        err.text);
    EXPECT_FALSE(dir_lock(std::string(kPathMax, 'x').c_str(), &fd, &err));
}

}  // namespace
}  // namespace rp
