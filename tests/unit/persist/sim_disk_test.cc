#include "persist/sim_disk.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <set>

namespace rp {
namespace {

constexpr uint64_t kSeeds = 300;

Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }

std::string contents(const SimDisk* disk, const std::string& path) {
    std::string text;
    return sim_get(disk, path, &text) ? text : "(none)";
}

// Everything that a crash may leave at `path`.
std::set<std::string> outcomes(const SimDisk& disk, const std::string& path,
                               SimCrash options = {}) {
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < kSeeds; seed++)
        seen.insert(contents(sim_crash(disk, seed, options).get(), path));
    return seen;
}

struct Sim : testing::Test {
    SimPtr disk = sim_new();
    FileOps f = sim_ops(disk.get());

    void SetUp() override { sim_mkdir(disk.get(), "/d"); }
    int append(const char* path, const std::string& text) {
        const int fd = f.open_append(f.arg, path);
        EXPECT_GE(fd, 0);
        EXPECT_EQ(0, file_write_all(&f, fd, bytes(text), nullptr));
        return fd;
    }
};

TEST_F(Sim, ReadsBackWhatWasWritten) {
    const int fd = append("/d/a", "hello");
    EXPECT_EQ(5, f.size(f.arg, fd));
    EXPECT_EQ(0, f.close(f.arg, fd));
    const int in = f.open_read(f.arg, "/d/a");
    char text[8] = {};
    EXPECT_EQ(3, f.read(f.arg, in, text, 3));
    EXPECT_EQ(2, f.read(f.arg, in, text + 3, 5));
    EXPECT_EQ(0, f.read(f.arg, in, text, 5));
    EXPECT_STREQ("hello", text);
    f.close(f.arg, in);
    EXPECT_EQ(0u, sim_open_files(disk.get()));
    EXPECT_EQ(-ENOENT, f.open_read(f.arg, "/d/b"));
    EXPECT_EQ(-ENOENT, f.open_append(f.arg, "/x/b"));
    EXPECT_EQ(-EISDIR, f.open_read(f.arg, "/d"));
    EXPECT_TRUE(f.exists(f.arg, "/d/a"));
    EXPECT_FALSE(f.exists(f.arg, "/d/b"));
}

TEST_F(Sim, SyncedContentsSurviveEveryCrash) {
    sim_put(disk.get(), "/d/a", "old.");
    const int fd = append("/d/a", "synced");
    f.sync_data(f.arg, fd);
    EXPECT_EQ(std::set<std::string>{"old.synced"}, outcomes(*disk, "/d/a"));
}

TEST_F(Sim, UnsyncedContentsAreTornAtAnyByte) {
    sim_put(disk.get(), "/d/a", "old.");
    const int fd = append("/d/a", "abc");
    file_write_all(&f, fd, "def", nullptr);
    const std::set<std::string> want = {"old.",     "old.a",     "old.ab",    "old.abc",
                                        "old.abcd", "old.abcde", "old.abcdef"};
    EXPECT_EQ(want, outcomes(*disk, "/d/a", {.zeros = false}));
    EXPECT_EQ(want, outcomes(*disk, "/d/a")) << "no zeros but from a sector's start on";
}

TEST_F(Sim, BehindATearAtASectorThereMayBeZeros) {
    sim_put(disk.get(), "/d/a", "old.");
    append("/d/a", std::string(2000, 'n'));
    const std::string all = "old." + std::string(2000, 'n');
    size_t zeros = 0;
    for (const std::string& text : outcomes(*disk, "/d/a")) {
        const size_t end = std::min(text.find_first_of('\0'), text.size());
        EXPECT_EQ(all.substr(0, end), text.substr(0, end));
        EXPECT_EQ(std::string::npos, text.find_first_not_of('\0', end));
        if (end == text.size()) continue;
        zeros++;
        EXPECT_TRUE(end == 4 || end % 512 == 0) << end;
        EXPECT_GT(text.size(), 512u);
        EXPECT_LE(text.size(), all.size());
    }
    EXPECT_GT(zeros, 5u);
}

TEST_F(Sim, ACutMayOrMayNotHaveHappened) {
    sim_put(disk.get(), "/d/a", "12345");
    const int fd = f.open_append(f.arg, "/d/a");
    f.truncate(f.arg, fd, 2);
    EXPECT_EQ((std::set<std::string>{"12345", "12"}), outcomes(*disk, "/d/a"));
    f.sync_data(f.arg, fd);
    EXPECT_EQ(std::set<std::string>{"12"}, outcomes(*disk, "/d/a"));
}

TEST_F(Sim, ANewFileWithoutADirectorySyncMayBeGone) {
    const int fd = append("/d/a", "x");
    f.sync_data(f.arg, fd);
    EXPECT_EQ((std::set<std::string>{"(none)", "x"}), outcomes(*disk, "/d/a"));
    f.sync_dir(f.arg, "/d");
    EXPECT_EQ(std::set<std::string>{"x"}, outcomes(*disk, "/d/a"));
}

TEST_F(Sim, ARenameOrUnlinkWithoutADirectorySyncMayBeUndone) {
    sim_put(disk.get(), "/d/new", "2");
    sim_put(disk.get(), "/d/a", "1");
    sim_put(disk.get(), "/d/b", "3");
    EXPECT_EQ(0, f.rename(f.arg, "/d/new", "/d/a"));
    EXPECT_EQ(0, f.unlink(f.arg, "/d/b"));
    EXPECT_EQ((std::set<std::string>{"1", "2"}), outcomes(*disk, "/d/a"));
    EXPECT_EQ((std::set<std::string>{"3", "(none)"}), outcomes(*disk, "/d/b"));
    // Never at both places, nor at none.
    bool unlink_alone = false;
    for (uint64_t seed = 0; seed < kSeeds; seed++) {
        SimPtr after = sim_crash(*disk, seed);
        EXPECT_NE(contents(after.get(), "/d/a") == "2", sim_get(after.get(), "/d/new", nullptr));
        unlink_alone |=
            contents(after.get(), "/d/a") == "1" && !sim_get(after.get(), "/d/b", nullptr);
    }
    EXPECT_TRUE(unlink_alone) << "names do not wait for each other";
    f.sync_dir(f.arg, "/d");
    EXPECT_EQ(std::set<std::string>{"2"}, outcomes(*disk, "/d/a"));
    EXPECT_EQ(std::set<std::string>{"(none)"}, outcomes(*disk, "/d/b"));
}

TEST_F(Sim, ADirectoryWithoutASyncOfItsParentMayBeGoneWithAllThatIsInIt) {
    f.make_dir(f.arg, "/d/sub");
    const int fd = append("/d/sub/a", "x");
    f.sync_data(f.arg, fd);
    f.sync_dir(f.arg, "/d/sub");
    EXPECT_EQ((std::set<std::string>{"(none)", "x"}), outcomes(*disk, "/d/sub/a"));
    f.sync_dir(f.arg, "/d");
    EXPECT_EQ(std::set<std::string>{"x"}, outcomes(*disk, "/d/sub/a"));
    EXPECT_EQ(0, f.make_dir(f.arg, "/d/sub"));
    EXPECT_EQ(-ENOTDIR, f.make_dir(f.arg, "/d/sub/a"));
}

TEST_F(Sim, SpaceEndsWithAShortWriteAndThenENOSPC) {
    sim_set_space(disk.get(), 4);
    const int fd = f.open_new(f.arg, "/d/a");
    uint64_t written = 0;
    EXPECT_EQ(-ENOSPC, file_write_all(&f, fd, "123456", &written));
    EXPECT_EQ(4u, written);
    f.truncate(f.arg, fd, 1);
    EXPECT_EQ(-ENOSPC, file_write_all(&f, fd, "123456", &written));
    EXPECT_EQ(3u, written);
    sim_mend(disk.get());
    EXPECT_EQ(0, file_write_all(&f, fd, "78", nullptr));
    EXPECT_EQ("112378", contents(disk.get(), "/d/a"));
}

TEST_F(Sim, ShortWritesAreCarriedOn) {
    sim_set_short_writes(disk.get(), 2);
    append("/d/a", "1234567");
    EXPECT_EQ("1234567", contents(disk.get(), "/d/a"));
}

TEST_F(Sim, AFaultHitsTheOperationItNames) {
    sim_fail(disk.get(),
             {.kinds = static_cast<uint32_t>(SimKind::write), .after = 1, .error = EIO});
    sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(SimKind::open),
                          .path_part = "/d/x",
                          .times = -1,
                          .error = EROFS});
    const int fd = append("/d/a", "1");
    EXPECT_EQ(-EIO, file_write_all(&f, fd, "2", nullptr));
    EXPECT_EQ(0, file_write_all(&f, fd, "3", nullptr));
    EXPECT_EQ("13", contents(disk.get(), "/d/a"));
    EXPECT_EQ(-EROFS, f.open_new(f.arg, "/d/x"));
    EXPECT_EQ(-EROFS, f.open_new(f.arg, "/d/x"));
}

TEST_F(Sim, WhatAFailedSyncGaveUpNoLaterSyncSaves) {
    sim_put(disk.get(), "/d/a", "1");
    const int fd = append("/d/a", "lost");
    sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(SimKind::sync)});
    EXPECT_EQ(-EIO, f.sync_data(f.arg, fd));
    EXPECT_EQ(0, file_write_all(&f, fd, "2", nullptr));
    EXPECT_EQ(0, f.sync_data(f.arg, fd));
    EXPECT_EQ("1lost2", contents(disk.get(), "/d/a"));
    EXPECT_EQ(std::set<std::string>{std::string("1\0\0\0\0"
                                                "2",
                                                6)},
              outcomes(*disk, "/d/a"));
}

TEST_F(Sim, NothingHappensAfterThePowerFails) {
    sim_die_after(disk.get(), 2);
    const int fd = append("/d/a", "1");  // creates, writes
    EXPECT_EQ(-EIO, f.sync_data(f.arg, fd));
    EXPECT_EQ(-EIO, f.rename(f.arg, "/d/a", "/d/b"));
    EXPECT_EQ(2u, sim_changes(disk.get()));
    EXPECT_EQ("1", contents(disk.get(), "/d/a"));
}

TEST_F(Sim, TheTraceAndTheHookSeeEveryOperation) {
    std::vector<SimKind> hooked;
    sim_set_hook(disk.get(), [&](const SimOp& op) { hooked.push_back(op.kind); });
    const int fd = append("/d/a", "12");
    f.sync_data(f.arg, fd);
    f.rename(f.arg, "/d/a", "/d/b");
    const std::vector<SimKind> want = {SimKind::open, SimKind::write, SimKind::sync,
                                       SimKind::rename};
    EXPECT_EQ(want, hooked);
    const std::vector<SimOp> trace = sim_trace(disk.get());
    ASSERT_EQ(4u, trace.size());
    EXPECT_EQ("/d/a", trace[1].path);
    EXPECT_EQ(2, trace[1].result);
    EXPECT_EQ("/d/b", trace[3].to);
}

TEST_F(Sim, HolesAppearOnlyWhereAskedForAndBehindWhatWasSynced) {
    sim_put(disk.get(), "/d/a", std::string(5000, 'o'));
    append("/d/a", std::string(20000, 'n'));
    bool holed = false;
    for (uint64_t seed = 0; seed < kSeeds; seed++) {
        std::string text = contents(sim_crash(*disk, seed, {.holes = true}).get(), "/d/a");
        EXPECT_EQ(std::string(5000, 'o'), text.substr(0, 5000));
        holed |= text.size() == 25000 && text[6000] == '\0' && text[24999] == 'n';
    }
    EXPECT_TRUE(holed);
}

}  // namespace
}  // namespace rp
