// Arguments as they may lie in memory: nothing may follow from where they lie.
#include "../cmd/harness.h"

namespace rp::test {

static std::string run_at(Client* c, std::vector<Bytes> argv) {
    Command command;
    command.argv = argv.data();
    command.argc = argv.size();
    EXPECT_EQ(execute(&c->session, &command), Ran::done);
    return out_text(&c->session.out);
}

// In a packed copy of a command an empty argument begins where the next one does.
TEST(Arguments, AnEmptyKeyMayBeginWhereTheNextOneDoes) {
    TestEngine e;
    Client c(&e);
    c("SET foo v");
    const char* text = "foo";
    EXPECT_EQ(run_at(&c, {"MGET", {text, 0}, {text, 3}}), "*2\r\n$-1\r\n$1\r\nv\r\n");
    EXPECT_EQ(run_at(&c, {"DEL", {text, 0}, {text, 3}}), ":1\r\n");
}

TEST(Arguments, KeysMayOverlap) {
    TestEngine e;
    Client c(&e);
    const char* text = "foobar";
    EXPECT_EQ(run_at(&c, {"MSET", {text, 3}, "1", {text, 6}, "2", {text, 1}, "3"}), "+OK\r\n");
    EXPECT_EQ(c("MGET foo foobar f"), "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
    EXPECT_EQ(run_at(&c, {"RENAME", {text, 3}, {text, 6}}), "+OK\r\n");
    EXPECT_EQ(c("GET foobar"), "$1\r\n1\r\n");
}

// An entry counts its bytes in 32 bits: no setting makes a longer value.
TEST(Arguments, NoValueGrowsBeyondWhatAnEntryHolds) {
    TestEngine e;
    Client c(&e);
    e.core.config->proto_max_bulk_len = int64_t{8} << 30;
    const char* too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    EXPECT_EQ(c("SETRANGE k 4294967295 x"), too_long);
    EXPECT_EQ(c("EXISTS k"), ":0\r\n");
}

TEST(Arguments, TheFarthestExpiryIsRoundedWithoutOverflow) {
    TestEngine e;
    Client c(&e);
    c("SET k v PXAT 9223372036854775807");
    EXPECT_EQ(c("EXPIRETIME k"), ":9223372036854776\r\n");
}

}  // namespace rp::test
