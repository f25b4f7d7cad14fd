// Loading a log of several increments, beside what `rustypotato check` says of the same files.
#include "persist/aof_scan.h"
#include "persist/check.h"
#include "persist/log_text.h"
#include "unit/persist/snapshot_kit.h"

namespace rp::test {
namespace {

std::string name_of(int seq) { return "appendonly.aof." + std::to_string(seq) + ".incr.aof"; }
std::string path_of(int seq) { return "/d/appendonlydir/" + name_of(seq); }
std::string set(const std::string& key) { return resp({"SET", key, "v"}); }

struct LoadLogTest : testing::Test {
    SimPtr disk = sim_new();
    FileOps files = sim_ops(disk.get());
    bool truncated_ok = true;
    std::string why;  // of a load that was refused

    void put(const std::vector<std::string>& increments) {
        disk = sim_new();
        files = sim_ops(disk.get());
        std::string manifest;
        int seq = 0;
        for (const std::string& text : increments) {
            sim_put(disk.get(), path_of(++seq), text);
            manifest += "file " + name_of(seq) + " seq " + std::to_string(seq) + " type i\n";
        }
        sim_put(disk.get(), "/d/appendonlydir/appendonly.aof.manifest", manifest);
    }
    std::string get(const std::string& path) {
        std::string text;
        return sim_get(disk.get(), path, &text) ? text : "(none)";
    }
    CheckResult check() {
        CheckPlaces places;
        places.dir = "/d";
        return persist_check(&files, places, CheckVisitor{});
    }
    // How many keys a start would find; -1: it refuses.
    int load() {
        LoadOptions o;
        o.files = &files;
        o.dir = "/d";
        o.dbfilename = "dump.rdb";
        o.aof_dir = "/d/appendonlydir";
        o.appendfilename = "appendonly.aof";
        o.truncated_ok = truncated_ok;
        State state;
        return load_new(o, &state, &why) ? static_cast<int>(state.size()) : -1;
    }
};

const std::string kFirst = run_of(1, 10, set("a"));
const std::string kNext = run_of(11, 1, set("b"));
const std::string kLater = run_of(15, 1, set("c"));

TEST_F(LoadLogTest, AnIncrementWithoutNumbersHidesNoGapBeforeTheNextOne) {
    for (const std::string& between : {std::string(), std::string(RP_AOF_WHOLE_LINE)}) {
        put({kFirst, between, RP_AOF_WHOLE_LINE + kLater});
        EXPECT_EQ(CheckResult::damaged, check());
        EXPECT_EQ(-1, load());
        EXPECT_EQ(path_of(3) + ": records are missing before it; restore a backup", why);
        EXPECT_EQ(RP_AOF_WHOLE_LINE + kLater, get(path_of(3)));
        put({kFirst, between, RP_AOF_WHOLE_LINE + kNext});
        EXPECT_EQ(CheckResult::good, check());
        EXPECT_EQ(2, load()) << why;
        put({kFirst, between, run_of(1, 1, set("c"))});  // of a new process
        EXPECT_EQ(CheckResult::good, check());
        EXPECT_EQ(2, load()) << why;
    }
}

TEST_F(LoadLogTest, WhatIsVoidBehindAnIncrementWithoutNumbersIsCut) {
    for (const std::string& between : {std::string(), std::string(RP_AOF_WHOLE_LINE)}) {
        put({kFirst, between, kLater});
        EXPECT_EQ(CheckResult::torn, check());
        truncated_ok = false;
        EXPECT_EQ(-1, load());
        EXPECT_EQ(path_of(3) +
                      ": the end of the increment before it is missing; set aof-load-truncated yes "
                      "to start without what follows",
                  why);
        truncated_ok = true;
        EXPECT_EQ(1, load()) << why;
        EXPECT_EQ("", get(path_of(3)));
        EXPECT_EQ(kLater, get(path_of(3) + ".cut-0"));
        EXPECT_EQ(CheckResult::good, check());
    }
}

}  // namespace
}  // namespace rp::test
