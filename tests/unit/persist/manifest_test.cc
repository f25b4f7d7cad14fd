#include "persist/manifest.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <string>

#include "persist/sim_disk.h"

namespace rp {
namespace {

Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }

// As redis-server 7.0.15 wrote it after three rewrites, with auto-gc off.
constexpr char kFromRedis[] =
    "file \"my file.aof.3.base.rdb\" seq 3 type b\n"
    "file \"my file.aof.2.base.rdb\" seq 2 type h\n"
    "file \"my file.aof.2.incr.aof\" seq 2 type h\n"
    "file \"my file.aof.3.incr.aof\" seq 3 type i\n";

std::string format(const Manifest* m) {
    std::string text(manifest_format(m, nullptr, 0) + 1, '?');
    EXPECT_EQ(text.size() - 1, manifest_format(m, text.data(), text.size()));
    EXPECT_EQ('\0', text.back());
    text.pop_back();
    return text;
}

// "" or the error.
std::string parse(const std::string& text, Manifest* out) {
    PersistErr err;
    if (manifest_parse(bytes(text), "/d/x.manifest", out, &err)) return "";
    EXPECT_EQ(nullptr, out->files);
    return err.text;
}

std::string error_of(const std::string& text) {
    Manifest m;
    std::string got = parse(text, &m);
    manifest_free(&m);
    return got;
}

TEST(Manifest, ReadsAndWritesWhatRedisWrites) {
    Manifest m;
    ASSERT_EQ("", parse(kFromRedis, &m));
    ASSERT_EQ(4u, m.count);
    EXPECT_STREQ("my file.aof.3.base.rdb", manifest_base(&m)->name);
    EXPECT_STREQ("my file.aof.3.incr.aof", manifest_last_incr(&m)->name);
    EXPECT_EQ(AofKind::history, m.files[1].kind);
    EXPECT_EQ(2, m.files[1].seq);
    EXPECT_EQ(kFromRedis, format(&m));
    manifest_free(&m);
}

TEST(Manifest, AcceptsWhatRedisAccepts) {
    for (const char* text : {
             "# a comment\nfile a seq 1 type i\n",
             "file a seq 1 type i\r\n",
             "  FILE a SEQ 1 TYPE i  \n",
             "type i seq 1 file a\n",
             "file 'a' seq \"1\" type i\n",
             "file a seq 1 type i startoffset 0 endoffset 17\n",
             "file i seq 2 type i\nfile a seq 1 type b\n",
             "file i1 seq 2 type i\nfile i2 seq 7 type i\nfile a seq 9 type b\n",
             "file a seq 1 type h\n",
         }) {
        EXPECT_EQ("", error_of(text)) << text;
    }
}

TEST(Manifest, RefusesEveryMalformedLineWithItsNumber) {
    struct {
        const char* text;
        const char* want;
    } const kCases[] = {
        {"", ":1: it names no file"},
        {"# nothing\n", ":1: it names no file"},
        {"file a seq 1 type i", ":1: the last line has no newline"},
        {"file a seq 1 type i\nfile b se", ":2: the last line has no newline"},
        {"\n", ":1: no 'file'"},
        {"file a seq 1 type i\n\n", ":2: no 'file'"},
        {"file a seq 1\n", ":1: no 'type'"},
        {"file a type i\n", ":1: no 'seq'"},
        {"seq 1 type i\n", ":1: no 'file'"},
        {"file a seq 1 type i x\n", ":1: a word without its value"},
        {"file \"a seq 1 type i\n", ":1: unbalanced quotes"},
        {"file it's seq 1 type i\n", ":1: unbalanced quotes"},
        {"file \"a\"b seq 1 type i\n", ":1: unbalanced quotes"},
        {"file \"\" seq 1 type i\n", ":1: the file name is empty"},
        {"file ../a seq 1 type i\n", ":1: '../a' is a path"},
        {"file .. seq 1 type i\n", ":1: '.' and '..' are no files"},
        {"file \"a\\x00b\" seq 1 type i\n", ":1: the file name has a NUL byte"},
        {"file a seq 0 type i\n", ":1: seq '0' is not a number from 1 on"},
        {"file a seq -1 type i\n", ":1: seq '-1' is not"},
        {"file a seq 1x type i\n", ":1: seq '1x' is not"},
        {"file a seq 9223372036854775808 type i\n", ":1: seq '9223372036854775808' is not"},
        {"file a seq 1 type x\n", ":1: type 'x' is none of b (base)"},
        {"file a seq 1 type incr\n", ":1: type 'incr' is none of"},
        {"file a seq 1 type b\nfile b seq 2 type b\n", ":2: a second base, 'a' is one already"},
        {"file a seq 2 type i\nfile b seq 2 type i\n", ":2: increment 2 comes after 2"},
        {"file a seq 2 type i\nfile b seq 1 type i\n", ":2: increment 1 comes after 2"},
        {"file a seq 1 type b\nfile a seq 2 type i\n", ":2: 'a' is named twice"},
    };
    for (const auto& c : kCases) {
        const std::string got = error_of(c.text);
        EXPECT_EQ(0u, got.find(std::string("/d/x.manifest") + c.want)) << c.text << " -> " << got;
        EXPECT_NE(std::string::npos, got.find(": repair the line or restore")) << got;
        EXPECT_EQ(std::string::npos, got.find('\n'));
    }
    EXPECT_NE("", error_of(std::string("file a\0 seq 1 type i\n", 21)));
    EXPECT_NE("", error_of(std::string(kManifestMax + 1, '#')));
    EXPECT_NE("", error_of("file " + std::string(256, 'x') + " seq 1 type i\n"));
    EXPECT_EQ("", error_of("file " + std::string(255, 'x') + " seq 1 type i\n"));
}

TEST(Manifest, RefusesMoreFilesThanAnyRealOneHas) {
    std::string text;
    for (size_t i = 1; i <= kManifestFilesMax + 1; i++)
        text += "file f" + std::to_string(i) + " seq " + std::to_string(i) + " type i\n";
    EXPECT_NE(std::string::npos, error_of(text).find("too many files"));
}

TEST(Manifest, EveryNameComesBackAsItWas) {
    for (std::string name : {"plain", "with space", "it's", "q\"uote", "back\\slash",
                             "\x01\x7f\xff", "tab\tnew\nline", "#first", "na\xc3\xafve"}) {
        Manifest m;
        manifest_add(&m, name.c_str(), AofKind::base, 7);
        manifest_add(&m, name.c_str(), AofKind::incr, 8);
        Manifest again;
        ASSERT_EQ("", parse(format(&m), &again)) << format(&m);
        ASSERT_EQ(2u, again.count);
        EXPECT_EQ(name + ".7.base.rdb", again.files[0].name);
        EXPECT_EQ(name + ".8.incr.aof", again.files[1].name);
        manifest_free(&m);
        manifest_free(&again);
    }
}

TEST(Manifest, FormatNeverWritesPastItsBuffer) {
    Manifest m;
    manifest_add(&m, "a", AofKind::incr, 1);
    const std::string whole = format(&m);
    for (size_t size = 1; size <= whole.size() + 1; size++) {
        std::string out(size + 1, '~');
        EXPECT_EQ(whole.size(), manifest_format(&m, out.data(), size));
        EXPECT_EQ('~', out[size]);
        EXPECT_EQ(whole.substr(0, size - 1), std::string(out.c_str()));
    }
    manifest_free(&m);
}

TEST(Manifest, ARebaseKeepsTheNewIncrementsAndMakesTheRestHistory) {
    Manifest m;
    manifest_add(&m, "a", AofKind::base, 1);
    manifest_add(&m, "a", AofKind::incr, 1);
    manifest_add(&m, "a", AofKind::incr, 2);
    manifest_add(&m, "a", AofKind::incr, 3);
    Manifest copy = manifest_copy(&m);
    manifest_rebase(&copy, "a", 2, 3);
    EXPECT_EQ(
        "file a.2.base.rdb seq 2 type b\n"
        "file a.1.base.rdb seq 1 type h\n"
        "file a.1.incr.aof seq 1 type h\n"
        "file a.2.incr.aof seq 2 type h\n"
        "file a.3.incr.aof seq 3 type i\n",
        format(&copy));
    Manifest again;
    EXPECT_EQ("", parse(format(&copy), &again));
    manifest_drop_history(&copy);
    EXPECT_EQ("file a.2.base.rdb seq 2 type b\nfile a.3.incr.aof seq 3 type i\n", format(&copy));
    EXPECT_EQ(4u, m.count);
    EXPECT_STREQ("a.1.base.rdb", manifest_base(&m)->name);
    manifest_free(&m);
    manifest_free(&copy);
    manifest_free(&again);
}

TEST(Manifest, AnEmptyOneHasNoBaseAndNoIncrement) {
    Manifest m;
    EXPECT_EQ(nullptr, manifest_base(&m));
    EXPECT_EQ(nullptr, manifest_last_incr(&m));
    EXPECT_EQ(0u, manifest_format(&m, nullptr, 0));
    manifest_free(&m);
}

// ---- on disk ----------------------------------------------------------------------------------

struct OnDisk : testing::Test {
    SimPtr disk = sim_new();
    FileOps f = sim_ops(disk.get());
    Manifest m;
    bool found = false;
    PersistErr err;

    void SetUp() override { sim_mkdir(disk.get(), "/d"); }
    void TearDown() override {
        manifest_free(&m);
        EXPECT_EQ(0u, sim_open_files(disk.get()));
    }
    bool load(const char* name = "a") {
        manifest_free(&m);
        return manifest_load(&f, "/d", name, &m, &found, &err);
    }
};

TEST_F(OnDisk, NothingThereIsNoError) {
    EXPECT_TRUE(load());
    EXPECT_FALSE(found);
    EXPECT_TRUE(manifest_load(&f, "/nowhere", "a", &m, &found, &err));
    EXPECT_FALSE(found);
    for (const char* name : {"temp-a.manifest", "a.1.incr", "a.incr.aof", "a.x.incr.aof", "notes",
                             "a.1.incr.aof.cut-17", ".manifest", "temp-5.rdb"})
        sim_put(disk.get(), std::string("/d/") + name, "");
    EXPECT_TRUE(load()) << err.text;
    EXPECT_FALSE(found);
}

TEST_F(OnDisk, WhatWasSavedIsLoaded) {
    manifest_add(&m, "a", AofKind::incr, 1);
    EXPECT_EQ(0, manifest_save(&f, "/d", "a", &m));
    ASSERT_TRUE(load());
    EXPECT_TRUE(found);
    EXPECT_STREQ("a.1.incr.aof", manifest_last_incr(&m)->name);
}

TEST_F(OnDisk, DataWithoutItsManifestIsRefused) {
    for (const char* name : {"a.1.base.rdb", "a.12.base.aof", "a.3.incr.aof"}) {
        disk = sim_new();
        f = sim_ops(disk.get());
        sim_put(disk.get(), std::string("/d/") + name, "");
        EXPECT_FALSE(load());
        EXPECT_EQ("/d: '" + std::string(name) +
                      "' is there but 'a.manifest' is missing: restore it from a backup, or move "
                      "the files away to start empty",
                  err.text);
    }
}

TEST_F(OnDisk, DataOfAnotherNameIsRefused) {
    sim_put(disk.get(), "/d/other.manifest", "file other.1.incr.aof seq 1 type i\n");
    sim_put(disk.get(), "/d/other.1.incr.aof", "");
    EXPECT_FALSE(load());
    EXPECT_EQ(
        "/d: 'other.1.incr.aof' belongs to appendfilename 'other', not 'a': set that, or move the "
        "files away to start empty",
        std::string(err.text));
    EXPECT_TRUE(load("other"));
    EXPECT_TRUE(found);
}

TEST_F(OnDisk, AnErrorOfTheDiskIsNotTakenForNothingThere) {
    sim_put(disk.get(), "/d/a.manifest", "file a.1.incr.aof seq 1 type i\n");
    for (SimKind kind : {SimKind::open, SimKind::read}) {
        sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(kind), .error = EACCES});
        EXPECT_FALSE(load());
        EXPECT_STREQ("/d/a.manifest: cannot read it: Permission denied", err.text);
    }
    sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(SimKind::list)});
    EXPECT_FALSE(load("b"));
    EXPECT_STREQ("/d: cannot list it: Input/output error", err.text);
}

TEST_F(OnDisk, ANameThatIsTooLongIsRefused) {
    EXPECT_TRUE(load(std::string(kAppendNameMax, 'n').c_str()));
    EXPECT_FALSE(load(std::string(kAppendNameMax + 1, 'n').c_str()));
    EXPECT_EQ(-ENAMETOOLONG,
              manifest_save(&f, "/d", std::string(kAppendNameMax + 1, 'n').c_str(), &m));
}

// The power fails behind each operation of a save, of the first one and of a later one.
TEST_F(OnDisk, ACrashLeavesTheOldManifestOrTheNewOne) {
    Manifest old_one, new_one;
    manifest_add(&old_one, "a", AofKind::incr, 1);
    manifest_add(&new_one, "a", AofKind::base, 2);
    manifest_add(&new_one, "a", AofKind::incr, 2);
    for (bool had_one : {false, true}) {
        size_t steps = 1;
        for (size_t step = 0; step <= steps; step++) {
            SimPtr d = sim_new();
            sim_mkdir(d.get(), "/d");
            if (had_one) sim_put(d.get(), "/d/a.manifest", format(&old_one));
            FileOps files = sim_ops(d.get());
            sim_die_after(d.get(), step);
            const int status = manifest_save(&files, "/d", "a", &new_one);
            if (status != 0) steps = step + 1;
            for (uint64_t seed = 0; seed < 40; seed++) {
                SimPtr after = sim_crash(*d, seed);
                FileOps again = sim_ops(after.get());
                manifest_free(&m);
                ASSERT_TRUE(manifest_load(&again, "/d", "a", &m, &found, &err)) << err.text;
                const std::string got = found ? format(&m) : "";
                const bool is_new = got == format(&new_one);
                ASSERT_TRUE(is_new || (status != 0 && got == (had_one ? format(&old_one) : "")))
                    << step << " seed " << seed << ": " << got;
            }
        }
        EXPECT_GE(steps, 5u);
    }
    manifest_free(&old_one);
    manifest_free(&new_one);
}

}  // namespace
}  // namespace rp
