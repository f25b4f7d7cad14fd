#include "persist/check.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <vector>

#include "persist/log_text.h"
#include "persist/rdb_write.h"
#include "persist/sim_disk.h"
#include "table/entry.h"
#include "unit/resp/out_text.h"

namespace rp {
namespace {

// With `again`: its last key once more, in a database of its own, or not.
enum class Again : uint8_t { no, elsewhere, yes };
std::string snapshot(int keys, Again again = Again::no) {
    Out bytes;
    RdbOut out;
    out.out = &bytes;
    out.compress = false;
    RdbHead head = {};
    rdb_begin(&out, &head);
    rdb_select_db(&out, 0);
    auto add = [&out](int i) {
        const std::string key = "key:" + std::to_string(i), value(30, 'v');
        rdb_key(&out, {key.data(), key.size()}, Type::string, kNoExpiry, -1, -1);
        rdb_string(&out, {value.data(), value.size()});
    };
    for (int i = 0; i < keys; i++)
        add(i);
    if (again == Again::elsewhere) rdb_select_db(&out, 1);
    if (again != Again::no) add(keys - 1);
    rdb_end(&out);
    return out_text(&bytes);
}

std::string set(const std::string& key, const std::string& value) {
    return resp({"SET", key, value});
}

constexpr char kBase[] = "/d/appendonlydir/appendonly.aof.2.base.rdb";
constexpr char kIncr[] = "/d/appendonlydir/appendonly.aof.3.incr.aof";
constexpr char kLast[] = "/d/appendonlydir/appendonly.aof.4.incr.aof";
constexpr char kManifest[] = "/d/appendonlydir/appendonly.aof.manifest";
constexpr char kDump[] = "/d/dump.rdb";

struct CheckTest : testing::Test {
    SimPtr disk = sim_new();
    FileOps f = sim_ops(disk.get());
    std::vector<std::string> found;  // "kind file@offset: text"
    std::vector<std::string> advice;
    uint64_t done = 0, total = 0;
    std::string incr = run_of(5, 1, set("a", "1")) + run_of(6, 2, set("b", "2") + set("c", "3"));
    std::string last = run_of(8, 1, set("d", "4"));
    PersistErr err;

    void SetUp() override {
        put(kManifest,
            "file appendonly.aof.2.base.rdb seq 2 type b\n"
            "file appendonly.aof.1.base.rdb seq 1 type h\n"
            "file appendonly.aof.3.incr.aof seq 3 type i\n"
            "file appendonly.aof.4.incr.aof seq 4 type i\n");
        put(kBase, snapshot(3));
        put(kIncr, incr);
        put(kLast, last);
        put(kDump, snapshot(2));
    }
    void TearDown() override { EXPECT_EQ(0u, sim_open_files(disk.get())); }
    void put(const std::string& path, const std::string& text) { sim_put(disk.get(), path, text); }
    std::string get(const std::string& path) {
        std::string text;
        return sim_get(disk.get(), path, &text) ? text : "(none)";
    }
    void remove(const char* path) { EXPECT_EQ(0, f.unlink(f.arg, path)); }

    CheckVisitor visitor() {
        CheckVisitor v;
        v.arg = this;
        v.finding = [](void* arg, const Finding* finding) {
            auto* t = static_cast<CheckTest*>(arg);
            std::string text = finding_kind_text(finding->kind);
            text += std::string(" ") + strrchr(finding->file, '/');
            if (finding->offset >= 0) text += "@" + std::to_string(finding->offset);
            t->found.push_back(text + ": " + finding->text);
            t->advice.push_back(finding->advice);
        };
        v.progress = [](void* arg, uint64_t now, uint64_t all) {
            auto* t = static_cast<CheckTest*>(arg);
            EXPECT_GE(now, t->done);
            EXPECT_LE(now, all);
            t->done = now;
            t->total = all;
        };
        return v;
    }
    CheckResult check(CheckPlaces places = {}) {
        found.clear();
        advice.clear();
        done = total = 0;
        places.dir = "/d";
        return persist_check(&f, places, visitor());
    }
    bool fix() {
        found.clear();
        done = 0;
        CheckPlaces places;
        places.dir = "/d";
        return persist_fix(&f, places, visitor(), &err);
    }
    // The one finding that is not ok.
    std::string fault() {
        std::string got;
        for (const std::string& text : found) {
            if (text.compare(0, 3, "ok ") != 0) got += (got.empty() ? "" : " | ") + text;
        }
        return got;
    }
};

TEST_F(CheckTest, AWholeDirectoryIsGood) {
    EXPECT_EQ(CheckResult::good, check());
    const std::vector<std::string> want = {
        "ok /appendonly.aof.2.base.rdb: base of 3 keys, " + std::to_string(snapshot(3).size()) +
            " bytes",
        "ok /appendonly.aof.3.incr.aof: 3 commands in 2 runs, " + std::to_string(incr.size()) +
            " bytes",
        "ok /appendonly.aof.4.incr.aof: 1 commands in 1 runs, " + std::to_string(last.size()) +
            " bytes",
        "ok /dump.rdb: snapshot of 2 keys, " + std::to_string(snapshot(2).size()) + " bytes",
    };
    EXPECT_EQ(want, found);
    EXPECT_EQ(total, done);
    EXPECT_EQ(snapshot(3).size() + snapshot(2).size() + incr.size() + last.size(), total);
}

TEST_F(CheckTest, ASnapshotAloneIsGoodAndNothingAtAllIsNot) {
    disk = sim_new();
    f = sim_ops(disk.get());
    put(kDump, snapshot(1));
    EXPECT_EQ(CheckResult::good, check());
    remove(kDump);
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ("missing /d: neither a log nor a snapshot is here", fault());
    CheckPlaces places;
    places.dir = "/nowhere";
    found.clear();
    EXPECT_EQ(CheckResult::damaged, persist_check(&f, places, visitor()));
    EXPECT_EQ("unreadable /nowhere: No such file or directory", fault());
}

TEST_F(CheckTest, AFileThatTheManifestNamesMustBeThere) {
    for (const char* path : {kBase, kIncr, kLast}) {
        const std::string text = get(path);
        remove(path);
        EXPECT_EQ(CheckResult::damaged, check());
        EXPECT_EQ(std::string("missing ") + strrchr(path, '/') +
                      ": the manifest names it, it is not there",
                  fault());
        EXPECT_FALSE(fix());
        put(path, text);
    }
    put(kBase, "");
    check();
    EXPECT_EQ("missing /appendonly.aof.2.base.rdb@0: the file is empty", fault());
}

TEST_F(CheckTest, ABadManifestIsToldWithItsLine) {
    put(kManifest, "file appendonly.aof.2.base.rdb seq 2 type b\nfile x seq y type i\n");
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ(0u, fault().find("syntax /appendonly.aof.manifest: line 2: seq 'y' is not a number"));
    remove(kManifest);
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ(0u, fault().find("missing /appendonlydir: 'appendonly.aof.2.base.rdb' is there but "
                               "'appendonly.aof.manifest' is missing"))
        << fault();
}

TEST_F(CheckTest, ADamagedSnapshotIsToldWithItsPlace) {
    const std::string good = snapshot(3);
    for (const char* path : {kBase, kDump}) {
        std::string bad = good;
        bad[bad.size() - 20] ^= 1;  // in a value
        put(path, bad);
        EXPECT_EQ(CheckResult::damaged, check());
        EXPECT_EQ(0u, fault().find(std::string("checksum ") + strrchr(path, '/') + "@")) << fault();
        put(path, good.substr(0, good.size() / 2));
        EXPECT_EQ(CheckResult::damaged, check());
        EXPECT_NE(std::string::npos, fault().find("it ends too early")) << fault();
        put(path, "rubbish, and not a short one");
        EXPECT_EQ(CheckResult::damaged, check());
        EXPECT_EQ(0u, fault().find(std::string("syntax ") + strrchr(path, '/') + "@")) << fault();
        put(path, good);
    }
    put(kDump, good + "rubbish");
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ("syntax /dump.rdb@" + std::to_string(good.size()) +
                  ": 7 bytes of rubbish follow the end of the snapshot",
              fault());
}

TEST_F(CheckTest, AKeyThatComesTwiceIsFound) {
    put(kDump, snapshot(5000, Again::elsewhere));
    EXPECT_EQ(CheckResult::good, check());
    put(kDump, snapshot(5000, Again::yes));
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ(
        "syntax /dump.rdb: the key 'key:4999' of database 0 is there twice: the file is "
        "damaged, use a backup",
        fault());
}

TEST_F(CheckTest, ABaseOfCommandsMustBeWhole) {
    put(kBase, set("a", "1"));
    EXPECT_EQ(CheckResult::good, check());
    put(kBase, set("a", "1").substr(0, 10));
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ("missing /appendonly.aof.2.base.rdb@0: the last command is incomplete", fault());
    put(kBase, snapshot(2) + set("a", "1"));  // as Redis 7 takes over a file of Redis 6
    EXPECT_EQ(CheckResult::good, check());
    put(kBase, snapshot(2) + "rubbish");
    EXPECT_EQ(CheckResult::damaged, check());
}

TEST_F(CheckTest, ATornTailIsFixedAndKept) {
    const std::string torn = run_of(9, 1, set("e", "5")).substr(0, 30);
    put(kLast, last + torn);
    EXPECT_EQ(CheckResult::torn, check());
    EXPECT_EQ("torn tail /appendonly.aof.4.incr.aof@" + std::to_string(last.size()) +
                  ": the last run is incomplete: 30 bytes to cut",
              fault());
    ASSERT_TRUE(fix()) << err.text;
    EXPECT_EQ(1u, found.size());
    EXPECT_EQ(last, get(kLast));
    EXPECT_EQ(torn, get(std::string(kLast) + ".cut-" + std::to_string(last.size())));
    EXPECT_EQ(CheckResult::good, check());
    EXPECT_NE(std::string::npos, fault().find("note /appendonly.aof.4.incr.aof.cut-"));
    ASSERT_TRUE(fix());
    EXPECT_TRUE(found.empty()) << "nothing was left to do";
}

TEST_F(CheckTest, WhatFollowsAMissingEndIsCutIfThatWasNotYetOnTheDisk) {
    const std::string torn = incr + run_of(8, 1, set("e", "5")).substr(0, 30);
    for (const std::string& before : {torn, incr.substr(0, incr.size() - 5)}) {
        put(kIncr, before);
        put(kLast, run_of(9, 1, set("f", "6")));
        EXPECT_EQ(CheckResult::torn, check()) << fault();
        ASSERT_TRUE(fix()) << err.text;
        EXPECT_EQ("", get(kLast));
        EXPECT_EQ(run_of(9, 1, set("f", "6")), get(std::string(kLast) + ".cut-0"));
        EXPECT_EQ(CheckResult::good, check()) << fault();
        remove((std::string(kLast) + ".cut-0").c_str());
    }
}

TEST_F(CheckTest, ATornIncrementIsFixedOnlyWhenNothingThatCountsFollowsIt) {
    const std::string torn = incr + run_of(8, 1, set("e", "5")).substr(0, 30);
    put(kIncr, torn);
    put(kLast, RP_AOF_WHOLE_LINE + last);
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ("missing /appendonly.aof.3.incr.aof@" + std::to_string(incr.size()) +
                  ": the last run is incomplete, and later increments go on",
              fault());
    EXPECT_FALSE(fix());
    EXPECT_STREQ("/d: nothing was cut: there is other damage than a torn tail", err.text);
    EXPECT_EQ(torn, get(kIncr));
    for (const std::string& nothing : {std::string(), std::string(1024, '\0')}) {
        put(kIncr, torn);
        put(kLast, nothing);
        EXPECT_EQ(CheckResult::torn, check()) << fault();
        EXPECT_TRUE(fix());
        EXPECT_EQ(incr, get(kIncr));
        EXPECT_EQ("", get(kLast));
        EXPECT_EQ(CheckResult::good, check()) << fault();
    }
}

TEST_F(CheckTest, AGapBetweenIncrementsIsMissingData) {
    put(kIncr, run_of(5, 1, set("a", "1")));
    put(kLast, RP_AOF_WHOLE_LINE + last);
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ(
        "missing /appendonly.aof.4.incr.aof@0: record 6 was to follow the increment before it, "
        "and 8 does",
        fault());
}

TEST_F(CheckTest, DamageInTheMiddleIsNotCut) {
    incr[40] ^= 4;
    put(kIncr, incr);
    EXPECT_EQ(CheckResult::damaged, check());
    EXPECT_EQ(0u, fault().find("checksum /appendonly.aof.3.incr.aof@0: the checksum of a run"));
    EXPECT_FALSE(fix());
    EXPECT_EQ(incr, get(kIncr));
}

TEST_F(CheckTest, WhatTheManifestDoesNotNameIsNoted) {
    put("/d/appendonlydir/appendonly.aof.9.base.rdb", "x");
    put("/d/appendonly.aof", "x");
    EXPECT_EQ(CheckResult::good, check());
    EXPECT_EQ(
        "note /appendonly.aof.9.base.rdb: the manifest does not name it, so it is not loaded | "
        "note /appendonly.aof: a log in one file, as Redis wrote it before version 7: it is not "
        "loaded",
        fault());
}

TEST_F(CheckTest, ARewriteMeanwhileIsNoted) {
    sim_set_hook(disk.get(), [&](const SimOp& op) {
        if (op.path != kLast || get(kManifest).find("seq 5") != std::string::npos) return;
        put(kManifest, "file appendonly.aof.5.incr.aof seq 5 type i\n");
        sim_put(disk.get(), "/d/appendonlydir/appendonly.aof.5.incr.aof", "");
    });
    EXPECT_EQ(CheckResult::good, check());
    EXPECT_NE(std::string::npos, fault().find("the log was rewritten meanwhile"));
}

TEST_F(CheckTest, OtherNamesAreFound) {
    put("/d/my log/it's.manifest", "file \"it's.1.incr.aof\" seq 1 type i\n");
    put("/d/my log/it's.1.incr.aof", last);
    CheckPlaces places;
    places.appenddirname = "my log";
    places.appendfilename = "it's";
    EXPECT_EQ(CheckResult::good, check(places));
    EXPECT_EQ("", fault());
}

TEST_F(CheckTest, AnErrorOfTheDiskIsNotDamage) {
    for (const char* path : {kBase, kIncr, kDump}) {
        sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(SimKind::read),
                              .path_part = path,
                              .times = -1,
                              .error = EIO});
        EXPECT_EQ(CheckResult::damaged, check());
        EXPECT_NE(std::string::npos, fault().find("unreadable")) << fault();
        EXPECT_NE(std::string::npos, fault().find("Input/output error")) << fault();
        EXPECT_FALSE(fix());
        sim_mend(disk.get());
    }
}

TEST_F(CheckTest, EveryFlippedBitOfTheSnapshotIsFound) {
    const std::string good = snapshot(3);
    for (size_t at = 0; at < good.size(); at++) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
        put(kBase, bad);
        EXPECT_EQ(CheckResult::damaged, check()) << at;
    }
}

}  // namespace
}  // namespace rp
