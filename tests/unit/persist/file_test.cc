#include "persist/file.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <set>

#include "persist/sim_disk.h"

namespace rp {
namespace {

constexpr uint64_t kSeeds = 40;

Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }

// A folder of the real file system.
struct Folder {
    std::string path;
    Folder() {
        char name[] = "/tmp/rp_file_XXXXXX";  // tidy: allow
        path = mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string operator/(const std::string& name) const { return path + "/" + name; }
};

std::string read_whole(const FileOps* f, const std::string& path) {
    const int fd = f->open_read(f->arg, path.c_str());
    if (fd < 0) return strerror(-fd);
    std::string text;
    char piece[64];
    for (ssize_t n; (n = f->read(f->arg, fd, piece, sizeof piece)) > 0;)
        text.append(piece, static_cast<size_t>(n));
    f->close(f->arg, fd);
    return text;
}

TEST(SystemFiles, DoWhatTheyAreNamedFor) {
    Folder folder;
    const FileOps* f = &kSystemFiles;
    const std::string a = folder / "a", b = folder / "b", sub = folder / "sub";
    int fd = f->open_append(f->arg, a.c_str());
    ASSERT_GE(fd, 0);
    iovec parts[2] = {{const_cast<char*>("hello "), 6}, {const_cast<char*>("world"), 5}};
    EXPECT_EQ(11, f->writev(f->arg, fd, parts, 2));
    EXPECT_EQ(0, f->sync_data(f->arg, fd));
    EXPECT_EQ(11, f->size(f->arg, fd));
    EXPECT_EQ(0, f->truncate(f->arg, fd, 5));
    EXPECT_EQ(0, file_write_all(f, fd, "!", nullptr));
    EXPECT_EQ(0, f->close(f->arg, fd));
    EXPECT_EQ("hello!", read_whole(f, a));
    EXPECT_EQ(0, f->rename(f->arg, a.c_str(), b.c_str()));
    EXPECT_FALSE(f->exists(f->arg, a.c_str()));
    EXPECT_TRUE(f->exists(f->arg, b.c_str()));
    fd = f->open_new(f->arg, b.c_str());
    EXPECT_EQ(0, f->size(f->arg, fd));
    f->close(f->arg, fd);
    EXPECT_EQ(0, f->make_dir(f->arg, sub.c_str()));
    EXPECT_EQ(0, f->make_dir(f->arg, sub.c_str()));
    EXPECT_EQ(-ENOTDIR, f->make_dir(f->arg, b.c_str()));
    EXPECT_EQ(0, f->sync_dir(f->arg, folder.path.c_str()));
    std::set<std::string> names;
    const auto see = [](void* to, const char* name) {
        static_cast<std::set<std::string>*>(to)->insert(name);
    };
    EXPECT_EQ(0, f->list(f->arg, folder.path.c_str(), see, &names));
    EXPECT_EQ((std::set<std::string>{"b", "sub"}), names);
    EXPECT_EQ(0, f->unlink(f->arg, b.c_str()));
}

TEST(SystemFiles, SayWhatWentWrong) {
    Folder folder;
    const FileOps* f = &kSystemFiles;
    const std::string none = folder / "none", deep = folder / "none/x";
    EXPECT_EQ(-ENOENT, f->open_read(f->arg, none.c_str()));
    EXPECT_EQ(-ENOENT, f->open_append(f->arg, deep.c_str()));
    EXPECT_EQ(-ENOENT, f->unlink(f->arg, none.c_str()));
    EXPECT_EQ(-ENOENT, f->rename(f->arg, none.c_str(), deep.c_str()));
    EXPECT_EQ(-ENOENT, f->sync_dir(f->arg, none.c_str()));
    EXPECT_EQ(-ENOENT, f->list(
                           f->arg, none.c_str(), [](void*, const char*) {}, nullptr));
    EXPECT_EQ(-EBADF, f->sync_data(f->arg, -1));
    EXPECT_EQ(-EBADF, f->size(f->arg, -1));
    EXPECT_EQ(-EBADF, f->close(f->arg, -1));
}

TEST(Path, IsJoinedWithOneSlashAndRefusedWhenTooLong) {
    char path[kPathMax];
    EXPECT_TRUE(path_join(path, "/d", "x"));
    EXPECT_STREQ("/d/x", path);
    EXPECT_TRUE(path_join(path, "/d/", "x"));
    EXPECT_STREQ("/d/x", path);
    EXPECT_TRUE(path_join(path, "", "x"));
    EXPECT_STREQ("x", path);
    EXPECT_FALSE(path_join(path, std::string(kPathMax - 2, 'd').c_str(), "x"));
    EXPECT_TRUE(path_join(path, std::string(kPathMax - 3, 'd').c_str(), "x"));
}

TEST(FileReplace, WorksOnARealFileSystem) {
    Folder folder;
    EXPECT_EQ(0, file_replace(&kSystemFiles, folder.path.c_str(), "a", "one"));
    EXPECT_EQ(0, file_replace(&kSystemFiles, folder.path.c_str(), "a", "two"));
    EXPECT_EQ("two", read_whole(&kSystemFiles, folder / "a"));
    EXPECT_FALSE(std::filesystem::exists(folder / "temp-a"));
}

// The power fails behind each operation in turn.
TEST(FileReplace, LeavesOldContentsOrNewOnesAfterACrashAtAnyPoint) {
    const std::string old_text(100, 'o'), new_text(300, 'n');
    bool olds = false, news = false;
    size_t steps = 1;
    for (size_t step = 0; step <= steps; step++) {
        SimPtr disk = sim_new();
        sim_put(disk.get(), "/d/a", old_text);
        FileOps f = sim_ops(disk.get());
        sim_set_short_writes(disk.get(), 70);
        sim_die_after(disk.get(), step);
        const int status = file_replace(&f, "/d", "a", bytes(new_text));
        if (status != 0) steps = step + 1;
        EXPECT_EQ(0u, sim_open_files(disk.get()));
        for (uint64_t seed = 0; seed < kSeeds; seed++) {
            std::string got;
            SimPtr after = sim_crash(*disk, seed);
            ASSERT_TRUE(sim_get(after.get(), "/d/a", &got)) << step << " seed " << seed;
            ASSERT_TRUE(got == new_text || (status != 0 && got == old_text))
                << step << " seed " << seed << ": " << got;
            (got == new_text ? news : olds) = true;
        }
    }
    EXPECT_GE(steps, 9u) << "open, 5 writes, sync, rename, sync of the directory";
    EXPECT_TRUE(olds && news);
}

TEST(FileReplace, LeavesTheOldContentsAndNoRubbishWhenAnythingFails) {
    for (SimKind kind : {SimKind::open, SimKind::write, SimKind::sync, SimKind::rename}) {
        SimPtr disk = sim_new();
        sim_put(disk.get(), "/d/a", "old");
        FileOps f = sim_ops(disk.get());
        sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(kind), .error = ENOSPC});
        EXPECT_EQ(-ENOSPC, file_replace(&f, "/d", "a", "new"));
        std::string got;
        EXPECT_TRUE(sim_get(disk.get(), "/d/a", &got));
        EXPECT_EQ("old", got);
        EXPECT_EQ(std::vector<std::string>{"a"}, sim_list(disk.get(), "/d"));
        EXPECT_EQ(0u, sim_open_files(disk.get()));
    }
}

TEST(FileReplace, RefusesANameThatIsTooLong) {
    EXPECT_EQ(-ENAMETOOLONG,
              file_replace(&kSystemFiles, "/", std::string(kPathMax, 'x').c_str(), "y"));
}

}  // namespace
}  // namespace rp
