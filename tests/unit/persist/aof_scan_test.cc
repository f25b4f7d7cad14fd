#include "persist/aof_scan.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "persist/log_text.h"
#include "persist/sim_disk.h"

namespace rp {
namespace {

const std::string kMulti = resp({"MULTI"}), kExec = resp({"EXEC"});

std::string set(const std::string& key, const std::string& value) {
    return resp({"SET", key, value});
}

struct Scanned : AofScan {
    bool readable = false;
    PersistErr err;
};

Scanned scan(const std::string& contents, bool deep = true) {
    SimPtr disk = sim_new();
    sim_put(disk.get(), "/d/a", contents);
    FileOps f = sim_ops(disk.get());
    Scanned got;
    got.readable = aof_scan(&f, "/d/a", &got, &got.err, {.deep = deep});
    EXPECT_TRUE(got.readable) << got.err.text;
    EXPECT_EQ(0u, sim_open_files(disk.get()));
    EXPECT_EQ(contents.size(), got.file_bytes);
    return got;
}

// With and without a look inside the runs.
void expect(const std::string& contents, AofState state, uint64_t good,
            const std::string& text = "") {
    for (bool deep : {false, true}) {
        Scanned got = scan(contents, deep);
        EXPECT_EQ(static_cast<int>(state), static_cast<int>(got.state)) << got.text;
        EXPECT_EQ(good, got.good_bytes) << got.text;
        EXPECT_NE(std::string::npos, std::string(got.text).find(text)) << got.text;
        EXPECT_EQ(state == AofState::whole, got.text[0] == '\0');
        EXPECT_EQ(state == AofState::torn, got.kind == FindingKind::torn_tail);
    }
}

// A log, and where its blocks end.
struct Text {
    std::string all;
    std::vector<size_t> borders{0};
    void add(const std::string& block) {
        all += block;
        borders.push_back(all.size());
    }
    size_t border_before(size_t at) const {
        return *(std::upper_bound(borders.begin(), borders.end(), at) - 1);
    }
};

Text runs() {
    Text t;
    t.add(run_of(1, 2, resp({"SELECT", "0"}) + set("k", "v") + set("k2", "12345")));
    t.add(run_of(3, 1, kMulti + set("a", "1") + set("b", "2") + kExec));
    t.add(run_of(4, 3, resp({"DEL", "k"}) + resp({"SELECT", "3"}) + set("z", "#RP1 1 1 1\r\n")));
    return t;
}

Text foreign() {
    Text t;
    t.add(resp({"SELECT", "0"}));
    t.add("#TS:1700000000\r\n");
    t.add(set("k", "v"));
    t.add(kMulti + set("a", "1") + "#TS:1700000001\r\n" + set("b", "2") + kExec);
    t.add(resp({"DEL", "k"}));
    return t;
}

TEST(AofScan, AWholeFileIsWhole) {
    expect("", AofState::whole, 0);
    expect(runs().all, AofState::whole, runs().all.size());
    expect(foreign().all, AofState::whole, foreign().all.size());
    // Redis wrote, then we, then Redis again, then we after a start.
    const std::string mixed = foreign().all + runs().all + foreign().all + runs().all;
    expect(mixed, AofState::whole, mixed.size());
    Scanned got = scan(runs().all);
    EXPECT_EQ(3u, got.runs);
    EXPECT_EQ(10u, got.commands);
    EXPECT_EQ(1u, got.first_seq);
    EXPECT_EQ(7u, got.next_seq);
    got = scan(foreign().all);
    EXPECT_EQ(0u, got.runs);
    EXPECT_EQ(7u, got.commands);
    EXPECT_EQ(0u, got.first_seq);
}

TEST(AofScan, AFileCutAtAnyByteIsTornThere) {
    for (const Text& t : {runs(), foreign()}) {
        for (size_t at = 0; at <= t.all.size(); at++) {
            SCOPED_TRACE(at);
            const bool border = t.border_before(at) == at;
            expect(t.all.substr(0, at), border ? AofState::whole : AofState::torn,
                   t.border_before(at));
        }
    }
}

TEST(AofScan, ZerosInPlaceOfTheLastSectorsAreATornTail) {
    Text t = runs();
    t.add(run_of(7, 1, set("big", std::string(3000, 'x'))));
    const size_t start = t.borders[3];
    for (size_t from = start / 512 * 512 + 512; from < t.all.size(); from += 512) {
        std::string text = t.all;
        std::fill(text.begin() + static_cast<ptrdiff_t>(from), text.end(), '\0');
        expect(text, AofState::torn, start);
    }
    // The size came, nothing of the run did; and the same behind commands of Redis.
    expect(runs().all + std::string(1000, '\0'), AofState::torn, runs().all.size());
    expect(foreign().all + std::string(1000, '\0'), AofState::torn, foreign().all.size());
    expect(std::string(1000, '\0'), AofState::torn, 0);
    const std::string part = foreign().all + set("big", std::string(900, 'x')).substr(0, 300);
    expect(part + std::string(2000, '\0'), AofState::torn, foreign().all.size());
    // A zero byte at the end is no sector.
    std::string flipped = runs().all;
    flipped.back() = '\0';
    expect(flipped, AofState::damaged, runs().borders[2], "checksum");
}

TEST(AofScan, ZerosInTheMiddleAreDamage) {
    Text t = runs();
    t.add(run_of(7, 1, set("big", std::string(3000, 'x'))));
    std::string text = t.all;
    std::fill(text.begin() + 1024, text.begin() + 1536, '\0');
    expect(text, AofState::damaged, t.borders[3], "checksum of a run of 3031 bytes is wrong");
    expect(text + run_of(8, 1, set("k", "v")), AofState::damaged, t.borders[3], "checksum");
}

// The bytes of which only the next run tells that they are wrong: who wrote, first, records.
bool untold(const Text& t, size_t at) {
    const size_t run = t.border_before(at);
    size_t spaces = 0;
    for (size_t i = run; i < at; i++)
        spaces += t.all[i] == ' ';
    const bool in_line = t.all.find('\n', run) > at;
    const bool is_first = run == 0, is_last = run == t.borders[t.borders.size() - 2];
    return in_line && ((is_first && at < 5) || (is_last && (spaces == 1 || spaces == 2)));
}

TEST(AofScan, AFlippedBitIsDamageAndNeverATornTail) {
    const Text t = runs();
    size_t told = 0;
    for (size_t at = 0; at < t.all.size(); at++) {
        for (int bit = 0; bit < 8; bit++) {
            SCOPED_TRACE(std::to_string(at) + " bit " + std::to_string(bit));
            std::string text = t.all;
            text[at] = static_cast<char>(text[at] ^ (1 << bit));
            for (bool deep : {false, true}) {
                Scanned got = scan(text, deep);
                EXPECT_NE(AofState::torn, got.state) << got.text;
                told += got.state == AofState::damaged;
                if (got.state == AofState::whole) {
                    EXPECT_TRUE(untold(t, at));
                } else if (got.kind != FindingKind::missing) {  // a number: the next run tells
                    EXPECT_LE(got.good_bytes, at);
                }
            }
        }
    }
    EXPECT_GT(told, t.all.size() * 16 - 200);
}

TEST(AofScan, DamageSaysWhereItsBlockBegins) {
    const Text t = runs();
    std::string text = t.all;
    text[t.borders[2] - 3] ^= 1;  // in the second of three runs
    expect(text, AofState::damaged, t.borders[1], "the checksum of a run of");
    EXPECT_EQ(FindingKind::checksum, scan(text).kind);
}

TEST(AofScan, ALengthThatItsOwnBytesContradictIsNoTornTail) {
    const std::string body = set("k", "v");
    const std::string good = run_of(1, 1, body);
    std::string longer = good;
    const std::string number = std::to_string(body.size());
    longer.replace(longer.find(" " + number + " "), number.size() + 2, " 9999 ");
    expect(longer, AofState::damaged, 0, "length in the annotation line");
    expect(longer + run_of(2, 1, body), AofState::damaged, 0, "length in the annotation line");
    expect(longer + body, AofState::damaged, 0, "length in the annotation line");
    longer.replace(longer.find(" 9999 "), 6, " 18446744073709551615 ");
    expect(longer, AofState::damaged, 0, "damaged annotation line");
}

TEST(AofScan, AValueThatLooksLikeARunIsAValue) {
    const std::string fake = "\r\n" + run_of(9, 1, set("x", "y"));
    const std::string text = run_of(1, 1, set("k", fake + fake));
    expect(text, AofState::whole, text.size());
    expect(text.substr(0, text.size() - 5), AofState::torn, 0);
    const std::string plain = set("k", fake + fake);
    expect(plain.substr(0, plain.size() - 5), AofState::torn, 0);
}

TEST(AofScan, AGapInTheNumbersIsMissingData) {
    const std::string one = run_of(5, 2, set("a", "1"));
    expect(one + run_of(8, 1, set("b", "2")), AofState::damaged, one.size(),
           "record 7 was to follow, and 8 does");
    expect(one + run_of(6, 1, set("b", "2")), AofState::damaged, one.size());
    EXPECT_EQ(FindingKind::missing, scan(one + run_of(6, 1, set("b", "2"))).kind);
    const std::string anew = one + run_of(1, 1, set("b", "2"));
    expect(anew, AofState::whole, anew.size());
}

TEST(AofScan, FilesFollowEachOtherByTheirNumbers) {
    const Scanned one = scan(run_of(5, 2, set("a", "1"))), anew = scan(runs().all);
    const Scanned next = scan(run_of(7, 1, set("a", "1"))), other = scan(foreign().all);
    EXPECT_TRUE(aof_follows(&one, &next));
    EXPECT_FALSE(aof_follows(&next, &one));
    EXPECT_TRUE(aof_follows(&one, &anew));
    EXPECT_TRUE(aof_follows(&one, &other));
    EXPECT_TRUE(aof_follows(&other, &one));
}

TEST(AofScan, SyntaxErrorsAreDamage) {
    const std::string ok = set("k", "v");
    struct {
        std::string text;
        const char* want;
    } const kCases[] = {
        {"SET k v\r\n", "not a command at byte"},
        {"*3\n$3\r\nSET\r\n", "not a command"},
        {"*0\r\n", "not a command"},
        {"*-1\r\n", "not a command"},
        {"*99999999999999999999\r\n", "not a command"},
        {"*2147483648\r\n", "not a command"},
        {"*1\r\n$-1\r\n", "not a command"},
        {"*1\r\n$+4\r\nPING\r\n", "not a command"},
        {"*1\r\n$04\r\nPING\r\n", "not a command"},
        {"*1\r\n$3\r\nPING\r\n", "not a command"},
        {"*1\r\n:3\r\n", "not a command"},
        {"\r\n", "not a command"},
        {"#" + std::string(2000, 'x') + "\r\n", "annotation line without an end"},
        {"#TS:1\n", "annotation line without an end"},
        {kExec, "EXEC without MULTI"},
        {kMulti + ok + kMulti, "MULTI without EXEC"},
        {kMulti + ok + run_of(1, 1, ok), "MULTI without EXEC"},
        {"#RP1 1 1 1\r\n", "damaged annotation"},
        {"#RP1 0 1 1 00000000\r\n", "damaged annotation"},
        {"#RP1 1 1 1 0000000G\r\n", "damaged annotation"},
        {"#RP1 1 1 1 00000000 1\r\n", "damaged annotation"},
        {"#RP1 18446744073709551615 1 1 00000000\r\n", "damaged annotation"},
        {run_of(1, 1, ok) + "#XY:1\r\n", "unknown annotation"},
    };
    for (const auto& c : kCases) {
        SCOPED_TRACE(c.text.substr(0, 60));
        const bool later =
            c.text.compare(0, 4, "#RP1") == 0 && c.text.find("#XY") != std::string::npos;
        const size_t at = later ? run_of(1, 1, ok).size() : 0;
        expect(c.text, AofState::damaged, at, c.want);
        expect(c.text + ok, AofState::damaged, at, c.want);
    }
}

TEST(AofScan, ARunWithARightChecksumOverNoCommandsIsFoundByTheDeepScan) {
    const std::string ok = set("k", "v");
    for (const std::string& body : {std::string("hello"), kMulti + ok, ok + kExec,
                                    ok.substr(0, ok.size() - 2), run_of(1, 1, ok)}) {
        const std::string text = run_of(1, 1, body);
        Scanned got = scan(text);
        EXPECT_EQ(AofState::damaged, got.state) << body;
        EXPECT_STREQ("a run does not consist of whole commands", got.text);
        EXPECT_EQ(AofState::whole, scan(text, false).state);
        EXPECT_EQ(AofState::damaged, scan(text + run_of(2, 1, ok)).state);
    }
}

TEST(AofScan, AnOpenMultiOfRedisIsCutWhole) {
    const std::string before = foreign().all;
    expect(before + kMulti + set("a", "1"), AofState::torn, before.size(), "MULTI has no EXEC");
    expect(before + kMulti + set("a", "1") + "#TS:17", AofState::torn, before.size());
}

TEST(AofScan, BlocksLargerThanTheWindowAreFine) {
    const std::string big(3 << 20, 'v');
    for (const std::string& text : {run_of(1, 1, set("k", big)), set("k", big)}) {
        const std::string all = text + text;
        if (all[0] == '*') {
            expect(all, AofState::whole, all.size());
            expect(all.substr(0, all.size() - 7), AofState::torn, text.size());
        } else {
            expect(text, AofState::whole, text.size());
            expect(text.substr(0, text.size() - 7), AofState::torn, 0);
            const std::string more = text + run_of(2, 1, set("a", "b"));
            expect(more, AofState::whole, more.size());
        }
    }
}

TEST(AofScan, AnErrorOfTheDiskIsNotDamage) {
    SimPtr disk = sim_new();
    sim_put(disk.get(), "/d/a", runs().all);
    FileOps f = sim_ops(disk.get());
    AofScan got;
    PersistErr err;
    sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(SimKind::read), .error = EIO});
    EXPECT_FALSE(aof_scan(&f, "/d/a", &got, &err));
    EXPECT_STREQ("/d/a: at byte 0: cannot read it: Input/output error", err.text);
    EXPECT_FALSE(aof_scan(&f, "/d/b", &got, &err));
    EXPECT_STREQ("/d/b: at byte 0: cannot read it: No such file or directory", err.text);
    EXPECT_EQ(0u, sim_open_files(disk.get()));
}

// ---- cutting ----------------------------------------------------------------------------------

TEST(AofCut, KeepsWhatItCuts) {
    SimPtr disk = sim_new();
    const std::string all(200000, 'x');
    sim_put(disk.get(), "/d/a", all + "torn");
    FileOps f = sim_ops(disk.get());
    PersistErr err;
    ASSERT_TRUE(aof_cut(&f, "/d/a", all.size(), &err)) << err.text;
    std::string text;
    EXPECT_TRUE(sim_get(disk.get(), "/d/a", &text));
    EXPECT_EQ(all, text);
    EXPECT_TRUE(sim_get(disk.get(), "/d/a.cut-200000", &text));
    EXPECT_EQ("torn", text);
    EXPECT_EQ(0u, sim_open_files(disk.get()));
}

TEST(AofCut, NoCrashLosesABit) {
    const std::string good = runs().all, tail = "#RP1 7 1";
    size_t steps = 1;
    for (size_t step = 0; step <= steps; step++) {
        SimPtr disk = sim_new();
        sim_put(disk.get(), "/d/a", good + tail);
        FileOps f = sim_ops(disk.get());
        PersistErr err;
        sim_die_after(disk.get(), step);
        const bool done = aof_cut(&f, "/d/a", good.size(), &err);
        if (!done) steps = step + 1;
        for (uint64_t seed = 0; seed < 50; seed++) {
            SimPtr after = sim_crash(*disk, seed);
            std::string text, cut;
            ASSERT_TRUE(sim_get(after.get(), "/d/a", &text));
            if (text == good) {
                ASSERT_TRUE(sim_get(after.get(), "/d/a.cut-" + std::to_string(good.size()), &cut));
                ASSERT_EQ(tail, cut);
            } else {
                ASSERT_EQ(good + tail, text);
                ASSERT_FALSE(done);
            }
        }
    }
    EXPECT_GE(steps, 6u);
}

TEST(AofCut, SaysWhatFailedAndThenCutsNothing) {
    for (SimKind kind : {SimKind::read, SimKind::write, SimKind::sync, SimKind::sync_dir}) {
        SimPtr disk = sim_new();
        sim_put(disk.get(), "/d/a", "12345");
        FileOps f = sim_ops(disk.get());
        PersistErr err;
        sim_fail(disk.get(), {.kinds = static_cast<uint32_t>(kind), .error = ENOSPC});
        EXPECT_FALSE(aof_cut(&f, "/d/a", 2, &err));
        EXPECT_STREQ("/d/a.cut-2: cannot keep there what is to be cut: No space left on device",
                     err.text);
        std::string text;
        EXPECT_TRUE(sim_get(disk.get(), "/d/a", &text));
        EXPECT_EQ("12345", text);
    }
}

}  // namespace
}  // namespace rp
