#include "../cmd/harness.h"

#include "cmd/admit.h"

namespace rp::test {

TEST(Dispatch, RunsACommandWhateverTheCaseOfItsName) {
    TestEngine e;
    Client c(&e);
    EXPECT_EQ(c("sEt k v"), "+OK\r\n");
    EXPECT_EQ(c("GET k"), "$1\r\nv\r\n");
    EXPECT_EQ(c("get missing"), "$-1\r\n");
}

TEST(Dispatch, NamesTheUnknownCommandAndItsFirstArguments) {
    TestEngine e;
    Client c(&e);
    EXPECT_EQ(c("NOPE a b"), "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' \r\n");
    EXPECT_EQ(c("OBJECT NOPE k"), "-ERR unknown subcommand 'NOPE'. Try OBJECT HELP.\r\n");
}

TEST(Dispatch, ChecksArityFromTheRow) {
    TestEngine e;
    Client c(&e);
    EXPECT_EQ(c("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
    EXPECT_EQ(c("OBJECT ENCODING"),
              "-ERR wrong number of arguments for 'object|encoding' command\r\n");
}

TEST(Dispatch, FindsTheKeyOfASubcommand) {
    TestEngine e;
    Client c(&e);
    c("SET n 12345");
    EXPECT_EQ(c("OBJECT ENCODING n"), "$3\r\nint\r\n");
    EXPECT_EQ(c("OBJECT ENCODING missing"), "$-1\r\n");
}

TEST(Dispatch, APipelineIsAnsweredInOrder) {
    TestEngine e;
    Client c(&e);
    EXPECT_EQ(c.pipeline({{"SET", "a", "1"}, {"INCR", "a"}, {"GET", "a"}, {"DEL", "a"}}),
              "+OK\r\n:2\r\n$1\r\n2\r\n:1\r\n");
}

static bool admit_nobody(CmdCtx*, const CmdRef*, Args, Rejection* why) {
    return reject_with(why, Err::no_auth);
}

TEST(Dispatch, CommandsOfAGuardedSessionAreAskedAboutOthersAreNot) {
    TestEngine e;
    Client c(&e);
    e.core.hooks.admit = admit_nobody;
    EXPECT_EQ(c("SET k v"), "+OK\r\n");
    c.session.guarded = true;
    EXPECT_EQ(c("GET k"), "-NOAUTH Authentication required.\r\n");
    EXPECT_EQ(c("NOPE").substr(0, 12), "-ERR unknown");
}

TEST(Dispatch, QueuedCommandsAreAskedAboutAgain) {
    TestEngine e;
    Client c(&e);
    e.core.hooks.admit = [](CmdCtx* ctx, const CmdRef* ref, Args, Rejection* why) {
        bool write = (ref->row->flags & kCmdWrite) != 0;
        return !(ctx->in_exec && write) || reject(why, "NOPERM not now");
    };
    c.session.guarded = true;
    EXPECT_EQ(c.pipeline({{"MULTI"}, {"SET", "k", "v"}, {"GET", "k"}, {"EXEC"}}),
              "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n-NOPERM not now\r\n$-1\r\n");
}

TEST(Dispatch, ARenamedCommandHasOnlyItsNewName) {
    TestEngine e;
    Client c(&e);
    Renames* names = renames_new();
    EXPECT_EQ(renames_add(names, "get", "FETCH"), Renamed::done);
    EXPECT_EQ(renames_add(names, "set", "get"), Renamed::done);
    EXPECT_EQ(renames_add(names, "del", ""), Renamed::done);
    EXPECT_EQ(renames_add(names, "del", "x"), Renamed::unknown);
    EXPECT_EQ(renames_add(names, "incr", "mget"), Renamed::taken);
    EXPECT_EQ(renames_add(names, "OBJECT", "look"), Renamed::done);
    e.core.renames = names;
    EXPECT_EQ(c("GET k v"), "+OK\r\n");
    EXPECT_EQ(c("fetch k"), "$1\r\nv\r\n");
    EXPECT_EQ(c.pipeline({{"FETCH", "k"}, {"DEL", "k"}}).substr(0, 19), "$1\r\nv\r\n-ERR unknown");
    EXPECT_EQ(c("SET k v").substr(0, 12), "-ERR unknown");
    EXPECT_EQ(c("look foo"), "-ERR unknown subcommand 'foo'. Try LOOK HELP.\r\n");
    EXPECT_TRUE(renames_reach(names, command_find("set").row));
    EXPECT_FALSE(renames_reach(names, command_find("del").row));
    e.core.renames = nullptr;
    renames_free(names);
}

TEST(Dispatch, ReadingAnExpiredKeyDeletesIt) {
    TestEngine e;
    Client c(&e);
    clock_fake_ms(1000);
    c("SET k v PX 10");
    EXPECT_EQ(c("DBSIZE"), ":1\r\n");
    clock_fake_ms(1011);
    EXPECT_EQ(c("GET k"), "$-1\r\n");
    EXPECT_EQ(c("DBSIZE"), ":0\r\n");
    EXPECT_EQ(c.worker.stats.expired.load(), 1u);
    clock_fake_ms(0);
}

TEST(Dispatch, AKeyIsStillThereInTheVeryMillisecondOfItsExpiry) {
    TestEngine e;
    Client c(&e);
    clock_fake_ms(1000);
    c("SET k v PX 10");
    clock_fake_ms(1010);
    EXPECT_EQ(c("GET k"), "$1\r\nv\r\n");
    clock_fake_ms(0);
}

TEST(Dispatch, ALargeValueIsReadUnderTheLockAndSentByReference) {
    TestEngine e;
    Client c(&e);
    std::string big(100000, 'x');
    EXPECT_EQ(c.run({"SET", "k", big}), "+OK\r\n");
    EXPECT_EQ(c("STRLEN k"), ":100000\r\n");
    EXPECT_EQ(c("GET k"), "$100000\r\n" + big + "\r\n");
    EXPECT_EQ(c.worker.stats.read_locked.load(), 1u);
    EXPECT_EQ(c("MGET k nope"), "*2\r\n$100000\r\n" + big + "\r\n$-1\r\n");
}

TEST(Dispatch, AppendToALargeValueNeitherTearsNorLosesAReplyOnItsWay) {
    TestEngine e;
    Client c(&e);
    std::string big(20000, 'x');
    c.run({"SET", "k", big});
    EXPECT_EQ(c.pipeline({{"GET", "k"}, {"APPEND", "k", "y"}, {"GET", "k"}}),
              "$20000\r\n" + big + "\r\n:20001\r\n$20001\r\n" + big + "y\r\n");
    EXPECT_EQ(c("APPEND k zz"), ":20003\r\n");
    EXPECT_EQ(c("GETRANGE k 19999 -1"), "$4\r\nxyzz\r\n");
}

TEST(Dispatch, EveryQueuedReplyComesInOneArray) {
    TestEngine e;
    Client c(&e);
    EXPECT_EQ(c("MULTI"), "+OK\r\n");
    EXPECT_EQ(c("SET a 1"), "+QUEUED\r\n");
    EXPECT_EQ(c("INCR a"), "+QUEUED\r\n");
    EXPECT_EQ(c("GET a"), "+QUEUED\r\n");
    EXPECT_EQ(c("EXEC"), "*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n");
    EXPECT_EQ(c("EXEC"), "-ERR EXEC without MULTI\r\n");
}

TEST(Dispatch, AnErrorAtQueueTimeAbortsExecAndOneAtRunTimeDoesNot) {
    TestEngine e;
    Client c(&e);
    c("MULTI");
    c("SET a 1");
    EXPECT_EQ(c("NOPE").substr(0, 4), "-ERR");
    EXPECT_EQ(c("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
    EXPECT_EQ(c("GET a"), "$-1\r\n");
    c("SET s x");
    c("MULTI");
    c("INCR s");
    c("SET a 1");
    EXPECT_EQ(c("EXEC"), "*2\r\n-ERR value is not an integer or out of range\r\n+OK\r\n");
    EXPECT_EQ(c("GET a"), "$1\r\n1\r\n");
}

TEST(Dispatch, ARefusedExecEndsTheTransactionAndSaysWhy) {
    TestEngine e;
    Client c(&e);
    c("MULTI");
    c("SET a 1");
    EXPECT_EQ(c("EXEC now"),
              "-EXECABORT Transaction discarded because of: wrong number of "
              "arguments for 'exec' command\r\n");
    EXPECT_EQ(c("EXEC"), "-ERR EXEC without MULTI\r\n");
    EXPECT_EQ(c("GET a"), "$-1\r\n");
}

TEST(Dispatch, ScanDeletesTheExpiredKeysItMeets) {
    TestEngine e;
    Client c(&e);
    clock_fake_ms(1000);
    for (int i = 0; i < 50; i++)
        c("SET k" + std::to_string(i) + " v PX 1");
    c("SET stays v");
    clock_fake_ms(1002);
    EXPECT_EQ(c("SCAN 0 COUNT 1000"), "*2\r\n$1\r\n0\r\n*1\r\n$5\r\nstays\r\n");
    EXPECT_EQ(c("DBSIZE"), ":1\r\n");
    clock_fake_ms(0);
}

TEST(Dispatch, WatchFailsExecAfterAnyChangeOfTheKeyAndOnlyThen) {
    TestEngine e;
    Client c(&e), other(&e);
    for (const char* change : {"SET k 2", "DEL k", "APPEND k x", "EXPIRE k 100", "PERSIST t",
                               "RENAME k k2", "FLUSHALL", "SWAPDB 0 1", "MOVE k 1", "INCR n"}) {
        c("FLUSHALL");
        c("SET k 1");
        c("SET n 1");
        c("SET t 1 EX 100");
        c("WATCH k n t");
        other(change);
        c("MULTI");
        c("SET mine 1");
        EXPECT_EQ(c("EXEC"), "*-1\r\n") << change;
        EXPECT_EQ(c("GET mine"), "$-1\r\n") << change;
    }
    c("SET k 1");
    c("WATCH k");
    for (const char* harmless :
         {"GET k", "SET other 1", "TTL k", "EXISTS k", "SET k 9 NX", "PERSIST k", "SWAPDB 2 3"}) {
        other(harmless);
    }
    c("MULTI");
    EXPECT_EQ(c("EXEC"), "*0\r\n");
}

TEST(Dispatch, WatchSeesAKeyExpireButNotOneThatHadExpiredBefore) {
    TestEngine e;
    Client c(&e), other(&e);
    clock_fake_ms(1000);
    c("SET k v PX 10");
    c("WATCH k");
    clock_fake_ms(1011);
    c("MULTI");
    EXPECT_EQ(c("EXEC"), "*-1\r\n");
    c("SET k v PX 10");
    clock_fake_ms(1022);
    c("WATCH k");
    other("GET k");  // deletes it: nothing has changed for the watcher
    c("MULTI");
    EXPECT_EQ(c("EXEC"), "*0\r\n");
    clock_fake_ms(0);
}

TEST(Dispatch, AWatchInOneDatabaseDoesNotSeeTheSameKeyOfAnother) {
    TestEngine e;
    Client c(&e), other(&e);
    c("WATCH k");
    other.session.db = 1;
    other("SET k v");
    c("MULTI");
    EXPECT_EQ(c("EXEC"), "*0\r\n");
}

TEST(Dispatch, FlushInsideExecRunsAloneAndFreesAfterwards) {
    TestEngine e;
    Client c(&e);
    for (int i = 0; i < 1000; i++)
        c("SET k" + std::to_string(i) + " v");
    c("MULTI");
    c("DBSIZE");
    c("FLUSHALL");
    c("SET x 1");
    c("DBSIZE");
    EXPECT_EQ(c("EXEC"), "*4\r\n:1000\r\n+OK\r\n+OK\r\n:1\r\n");
    EXPECT_EQ(c.worker.garbage_count, 0u);
}

TEST(Dispatch, CopyAndMoveLockTheOtherDatabaseToo) {
    TestEngine e;
    Client c(&e);
    c("SET a v");
    EXPECT_EQ(c("COPY a b DB 3"), ":1\r\n");
    EXPECT_EQ(c("COPY a b DB 3"), ":0\r\n");
    EXPECT_EQ(c("COPY a b DB 3 REPLACE"), ":1\r\n");
    EXPECT_EQ(c("MOVE a 3"), ":1\r\n");
    EXPECT_EQ(c("MOVE a 99"), "-ERR DB index is out of range\r\n");
    EXPECT_EQ(c("COPY a a"), "-ERR source and destination objects are the same\r\n");
    c.session.db = 3;
    EXPECT_EQ(c("MGET a b"), "*2\r\n$1\r\nv\r\n$1\r\nv\r\n");
}

TEST(Dispatch, ScanVisitsEveryKeyOnceWhenNothingChanges) {
    TestEngine e;
    Client c(&e);
    for (int i = 0; i < 5000; i++)
        c("SET key:" + std::to_string(i) + " v");
    std::string cursor = "0";
    size_t keys = 0;
    do {
        std::string r = c("SCAN " + cursor + " COUNT 100");
        size_t at = r.find("\r\n", 4) + 2;
        cursor = r.substr(at, r.find("\r\n", at) - at);
        for (size_t p = r.find("key:"); p != std::string::npos; p = r.find("key:", p + 4))
            keys++;
    } while (cursor != "0");
    EXPECT_EQ(keys, 5000u);
}

}  // namespace rp::test
