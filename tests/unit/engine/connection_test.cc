// Replies recorded from redis-server 7.0.15.
#include "harness.h"

namespace rp::test {

static const char kNoAuth[] = "-NOAUTH Authentication required.";
static const char kWrongPass[] = "-WRONGPASS invalid username-password pair or user is disabled.";
static const char kHelloNoAuth[] =
    "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH "
    "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time";

TEST(Connection, PingAndEcho) {
    EngineFixture f;
    Client c(&f);
    c.check({{"PING", "+PONG"},
             {"PING x", "$1\r\nx"},
             {"PING a b", "-ERR wrong number of arguments for 'ping' command"},
             {"ECHO x", "$1\r\nx"},
             {"ECHO", "-ERR wrong number of arguments for 'echo' command"}});
}

TEST(Connection, SelectChecksItsRange) {
    EngineFixture f;
    Client c(&f);
    c.check({{"SELECT x", "-ERR value is not an integer or out of range"},
             {"SELECT 16", "-ERR DB index is out of range"},
             {"SELECT -1", "-ERR DB index is out of range"},
             {"SELECT 2147483648",
              "-ERR value is out of range, value must between -2147483648 and 2147483647"},
             {"SET k zero", "+OK"},
             {"SELECT 15", "+OK"},
             {"GET k", "$-1"}});
    EXPECT_EQ(c.session.db.load(), 15u);
}

TEST(Connection, HelloTellsAboutTheServerInBothProtocols) {
    EngineFixture f;
    Client c(&f);
    std::string id = std::to_string(c.session.id);
    std::string pairs =
        "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto";
    std::string rest = "\r\n$2\r\nid\r\n:" + id +
                       "\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole"
                       "\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
    EXPECT_EQ(c("HELLO"), "*14\r\n" + pairs + "\r\n:2" + rest);
    EXPECT_EQ(c("HELLO 3"), "%7\r\n" + pairs + "\r\n:3" + rest);
    EXPECT_EQ(c("GET none"), "_\r\n");
    EXPECT_EQ(c("HELLO"), "%7\r\n" + pairs + "\r\n:3" + rest);
    EXPECT_EQ(c("HELLO 2"), "*14\r\n" + pairs + "\r\n:2" + rest);
}

TEST(Connection, HelloErrors) {
    EngineFixture f;
    Client c(&f);
    c.check({{"HELLO 2 SETNAME a AUTH default x y", "-ERR Syntax error in HELLO option 'y'"},
             {"HELLO x y", "-ERR Protocol version is not an integer or out of range"},
             {"HELLO 4 y", "-NOPROTO unsupported protocol version"},
             {"HELLO -1", "-NOPROTO unsupported protocol version"},
             {"HELLO 3 AUTH nobody x", kWrongPass},
             {"HELLO 3 AUTH nobody x nonsense", kWrongPass},
             {"HELLO 3 SETNAME bob AUTH nobody x", kWrongPass},
             {"CLIENT GETNAME", "$3\r\nbob"},
             {"HELLO 3 AUTH default x SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'"},
             {"GET none", "$-1"}});
    EXPECT_EQ(c.run({"HELLO", "2", "SETNAME", "a b"}),
              "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
}

TEST(Connection, HelloInsideATransactionSpeaksTheNewProtocolAtOnce) {
    EngineFixture f;
    Client c(&f);
    c("MULTI");
    c("HELLO 3");
    c("GET none");
    std::string reply = c("EXEC");
    EXPECT_EQ(reply.substr(0, 8), "*2\r\n%7\r\n");
    EXPECT_EQ(reply.substr(reply.size() - 3), "_\r\n");
}

TEST(Connection, AuthWithoutAPassword) {
    EngineFixture f;
    Client c(&f);
    c.check({{"AUTH a b c", "-ERR syntax error"},
             {"AUTH x",
              "-ERR AUTH <password> called without any password configured for the default user. "
              "Are you sure your configuration is correct?"},
             {"AUTH nobody x", kWrongPass},
             {"AUTH default x", "+OK"},
             {"AUTH", "-ERR wrong number of arguments for 'auth' command"}});
}

TEST(Connection, AuthWithAPassword) {
    EngineFixture f("requirepass secret\n");
    Client c(&f);
    c.check({{"PING", kNoAuth},
             {"HELLO", kHelloNoAuth},
             {"HELLO 3 SETNAME x", kHelloNoAuth},
             {"HELLO 3 AUTH default x", kWrongPass},
             {"HELLO x", "-ERR Protocol version is not an integer or out of range"},
             {"AUTH x", kWrongPass},
             {"AUTH ", kWrongPass},
             {"AUTH secre", kWrongPass},
             {"AUTH secretx", kWrongPass},
             {"AUTH Default secret", kWrongPass},
             {"AUTH default secret", "+OK"},
             {"PING", "+PONG"},
             {"AUTH no", kWrongPass},
             {"PING", "+PONG"},
             {"RESET", "+RESET"},
             {"PING", kNoAuth}});
    EXPECT_EQ(c.run({"AUTH", std::string("secret\0", 7)}), std::string(kWrongPass) + "\r\n");
    EXPECT_EQ(c("HELLO 3 AUTH default secret").substr(0, 2), "%7");
}

TEST(Connection, APasswordSetLaterConcernsNewClientsOnly) {
    EngineFixture f;
    Client before(&f);
    f.set("requirepass", "x");
    Client after(&f);
    EXPECT_EQ(before("PING"), "+PONG\r\n");
    EXPECT_EQ(after("AUTH y"), std::string(kWrongPass) + "\r\n");
    EXPECT_EQ(after("AUTH x"), "+OK\r\n");
}

TEST(Connection, InProcessCallersNeedNoPassword) {
    EngineFixture f("requirepass secret\n");
    Client c(&f, true);
    c.check({{"SET k v", "+OK"}, {"RESET", "+RESET"}, {"GET k", "$1\r\nv"}});
}

TEST(Connection, QuitAnswersAndAsksForTheEnd) {
    EngineFixture f;
    Client c(&f);
    c("MULTI");
    EXPECT_EQ(c("QUIT a b"), "+OK\r\n");
    EXPECT_EQ(c.last, Ran::close);
}

TEST(Connection, ResetMakesTheSessionNew) {
    EngineFixture f;
    Client c(&f), d(&f);
    c("SELECT 3");
    c("CLIENT SETNAME bob");
    c("CLIENT SETINFO LIB-NAME lib");
    c("CLIENT NO-EVICT on");
    c("HELLO 3");
    c("WATCH k");
    c("MULTI");
    c("SET k v");
    c.check({{"RESET", "+RESET"},
             {"CLIENT GETNAME", "$-1"},
             {"EXEC", "-ERR EXEC without MULTI"},
             {"GET k", "$-1"}});
    d("SELECT 3");
    d("SET k 1");
    d("SELECT 0");
    c.check({{"MULTI", "+OK"}, {"EXEC", "*0"}});
    std::string info = c("CLIENT INFO");
    EXPECT_TRUE(contains(info, " flags=e ")) << "Redis 7.0 keeps NO-EVICT";
    EXPECT_TRUE(contains(info, " lib-name=lib ")) << "and the library";
    EXPECT_TRUE(contains(info, " db=0 ")) << info;
}

TEST(Connection, ResetEndsReplyOffButNotASkip) {
    EngineFixture f;
    Client c(&f);
    EXPECT_EQ(c("CLIENT REPLY OFF"), "");
    EXPECT_EQ(c("RESET"), "+RESET\r\n");
    EXPECT_EQ(c("PING"), "+PONG\r\n");
    EXPECT_EQ(c("CLIENT REPLY SKIP"), "");
    EXPECT_EQ(c("RESET"), "");
    EXPECT_EQ(c("PING"), "+PONG\r\n");
}

}  // namespace rp::test
