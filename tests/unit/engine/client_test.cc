// Replies recorded from redis-server 7.0.15, but for what only 7.2 has.
#include <sstream>
#include <thread>

#include "harness.h"

namespace rp::test {

// The text of a bulk or verbatim reply.
static std::string text_of(const std::string& reply) {
    std::string text = reply.substr(reply.find("\r\n") + 2);
    text.resize(text.size() - 2);
    return reply[0] == '=' ? text.substr(4) : text;
}

TEST(ClientCmd, NamesAreCheckedAndForgotten) {
    EngineFixture f;
    Client c(&f);
    const char bad[] =
        "-ERR Client names cannot contain spaces, newlines or special characters.\r\n";
    EXPECT_EQ(c.run({"CLIENT", "SETNAME", "a b"}), bad);
    EXPECT_EQ(c.run({"CLIENT", "SETNAME", "a\x7f"}), bad);
    EXPECT_EQ(c.run({"CLIENT", "SETNAME", "a\n"}), bad);
    c.check({{"CLIENT GETNAME", "$-1"},
             {"CLIENT SETNAME a~!", "+OK"},
             {"CLIENT GETNAME", "$3\r\na~!"},
             {"CLIENT SETNAME ", "+OK"},
             {"CLIENT GETNAME", "$-1"},
             {"CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command"},
             {"CLIENT", "-ERR wrong number of arguments for 'client' command"},
             {"CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP."},
             {"CLIENT NOSUCH ON", "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP."}});
}

TEST(ClientCmd, SetinfoAsInRedis72) {
    EngineFixture f;
    Client c(&f);
    c.check({{"CLIENT SETINFO LIB-NAME redis-py", "+OK"},
             {"CLIENT SETINFO lib-ver 8.0.0", "+OK"},
             {"CLIENT SETINFO nope x", "-ERR Unrecognized option 'nope'"}});
    EXPECT_EQ(c.run({"CLIENT", "SETINFO", "lib-ver", "a b"}),
              "-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n");
    EXPECT_TRUE(contains(c("CLIENT INFO"), " lib-name=redis-py lib-ver=8.0.0\n"));
}

TEST(ClientCmd, ListShowsEveryFieldInOrder) {
    EngineFixture f;
    Client c(&f);
    c("CLIENT SETNAME me");
    c("SELECT 2");
    std::istringstream line(text_of(c("CLIENT INFO")));
    std::string names, part;
    while (line >> part)
        names += part.substr(0, part.find('=')) + " ";
    EXPECT_EQ(names,
              "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free "
              "argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp "
              "lib-name lib-ver ");
    std::string info = c("CLIENT INFO");
    EXPECT_TRUE(contains(info,
                         " addr=127.0.0.1:5000 laddr=127.0.0.1:6379 fd=8 name=me age=0 idle=0 "
                         "flags=N db=2 sub=0 psub=0 ssub=0 multi=-1 "))
        << info;
    EXPECT_TRUE(contains(info, " events=r cmd=client|info user=default redir=-1 resp=2 ")) << info;
    c("HELLO 3");
    EXPECT_EQ(c("CLIENT INFO")[0], '=');
}

TEST(ClientCmd, ListShowsOthersTheirLastCommandAndTheirTransaction) {
    EngineFixture f;
    Client c(&f), d(&f), mine(&f, true);
    EXPECT_TRUE(contains(c("CLIENT LIST"), " cmd=NULL "));
    d("WATCH k");
    d("MULTI");
    d("GET k");
    c("SET k v");
    std::string id = std::to_string(d.session.id);
    std::string line = text_of(c("CLIENT LIST ID " + id));
    EXPECT_TRUE(contains(line, " flags=xd ")) << line;
    EXPECT_TRUE(contains(line, " multi=1 ")) << line;
    d("CLIENT GETNAME");
    d("DISCARD");
    d("CLIENT GETNAME");
    EXPECT_TRUE(contains(c("CLIENT LIST ID " + id), " cmd=client|getname "));
    d("MULTI");
    d("CLIENT INFO");
    std::string inside = d("EXEC");
    EXPECT_TRUE(contains(inside, " flags=x ") && contains(inside, " cmd=exec ")) << inside;
    std::string embedded = text_of(mine("CLIENT INFO"));
    EXPECT_TRUE(contains(embedded, " addr=in-process:0 laddr=in-process:0 fd=-1 ")) << embedded;
    EXPECT_TRUE(contains(embedded, " flags=N ")) << embedded;
}

TEST(ClientCmd, ListFilters) {
    EngineFixture f;
    Client c(&f), d(&f);
    std::string a = std::to_string(c.session.id), b = std::to_string(d.session.id);
    std::string all = text_of(c("CLIENT LIST"));
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2);
    EXPECT_LT(all.find("id=" + a + " "), all.find("id=" + b + " "));
    std::string some = text_of(c("CLIENT LIST ID " + b + " 999 " + a + " " + b + " -5 0"));
    EXPECT_EQ(std::count(some.begin(), some.end(), '\n'), 3);
    EXPECT_EQ(some.find("id=" + b + " "), 0u);
    c.check({{"CLIENT LIST TYPE", "-ERR syntax error"},
             {"CLIENT LIST TYPE normal x", "-ERR syntax error"},
             {"CLIENT LIST TYPE nope", "-ERR Unknown client type 'nope'"},
             {"CLIENT LIST ID 1 x", "-ERR Invalid client ID"},
             {"CLIENT LIST ID", "-ERR syntax error"},
             {"CLIENT LIST TYPE slave", "$0\r\n"},
             {"CLIENT LIST TYPE pubsub", "$0\r\n"}});
}

TEST(ClientCmd, KillMarksOthersAndWakesThem) {
    EngineFixture f;
    static int wakes;
    wakes = 0;
    f.e->net.wake_all = [](void*) { wakes++; };
    Client c(&f), d(&f, false, "1.2.3.4:5"), g(&f, false, "1.2.3.4:7");
    c.check({{"CLIENT KILL x", "-ERR No such client"},
             {"CLIENT KILL ID", "-ERR No such client"},
             {"CLIENT KILL ID 3 ADDR", "-ERR syntax error"},
             {"CLIENT KILL nope x", "-ERR syntax error"},
             {"CLIENT KILL ID 0", "-ERR client-id should be greater than 0"},
             {"CLIENT KILL TYPE nope", "-ERR Unknown client type 'nope'"},
             {"CLIENT KILL USER nobody", "-ERR No such user 'nobody'"},
             {"CLIENT KILL SKIPME maybe", "-ERR syntax error"},
             {"CLIENT KILL TYPE pubsub", ":0"},
             {"CLIENT KILL ID 777 SKIPME no", ":0"},
             {"CLIENT KILL LADDR 127.0.0.1:6379 ADDR 1.2.3.4:6", ":0"}});
    EXPECT_EQ(wakes, 0);
    EXPECT_EQ(c("CLIENT KILL 1.2.3.4:5"), "+OK\r\n");
    EXPECT_EQ(wakes, 1);
    EXPECT_TRUE(d.session.kill.load());
    EXPECT_EQ(c("CLIENT KILL 1.2.3.4:5"), "-ERR No such client\r\n") << "it is as good as gone";
    EXPECT_EQ(c("CLIENT KILL LADDR 127.0.0.1:6379 USER default TYPE normal"), ":1\r\n");
    EXPECT_TRUE(g.session.kill.load());
    EXPECT_EQ(c.last, Ran::done);
    d("PING");
    EXPECT_EQ(d.last, Ran::close);
}

TEST(ClientCmd, KillOfOneselfAnswersFirst) {
    EngineFixture f;
    Client c(&f), mine(&f, true);
    EXPECT_EQ(c("CLIENT KILL SKIPME no"), ":1\r\n");
    EXPECT_EQ(c.last, Ran::close);
    EXPECT_EQ(mine("CLIENT KILL SKIPME no TYPE normal"), ":1\r\n")
        << "but not of in-process callers";
    EXPECT_EQ(mine.last, Ran::done);
    EXPECT_FALSE(mine.session.kill.load());
}

TEST(ClientCmd, ReplyOffAndSkip) {
    EngineFixture f;
    Client c(&f);
    EXPECT_EQ(c("CLIENT REPLY x"), "-ERR syntax error\r\n");
    EXPECT_EQ(c("CLIENT REPLY SKIP"), "");
    EXPECT_EQ(c("PING"), "");
    EXPECT_EQ(c("PING"), "+PONG\r\n");
    EXPECT_EQ(c("CLIENT REPLY OFF"), "");
    EXPECT_EQ(c("CLIENT REPLY SKIP"), "");
    EXPECT_EQ(c("PING"), "");
    EXPECT_EQ(c("NOPE"), "");
    EXPECT_EQ(c("CLIENT REPLY ON"), "+OK\r\n");
    EXPECT_EQ(c("PING"), "+PONG\r\n");
}

TEST(ClientCmd, PauseErrors) {
    EngineFixture f;
    Client c(&f);
    c.check({{"CLIENT PAUSE 1.5", "-ERR timeout is not an integer or out of range"},
             {"CLIENT PAUSE -1", "-ERR timeout is negative"},
             {"CLIENT PAUSE 9223372036854775807", "-ERR timeout is out of range"},
             {"CLIENT PAUSE x nope", "-ERR CLIENT PAUSE mode must be WRITE or ALL"},
             {"CLIENT PAUSE", "-ERR wrong number of arguments for 'client|pause' command"},
             {"CLIENT PAUSE 1 all x",
              "-ERR unknown subcommand or wrong number of arguments for "
              "'PAUSE'. Try CLIENT HELP."},
             {"CLIENT PAUSE 0", "+OK"},
             {"PING", "+PONG"}});
}

TEST(ClientCmd, PauseWriteHoldsWritesAndUnpauseEndsIt) {
    EngineFixture f;
    static int wakes;
    wakes = 0;
    f.e->net.wake_all = [](void*) { wakes++; };
    Client c(&f);
    c("MULTI");
    c("SET k v");
    EXPECT_EQ(c("DISCARD"), "+OK\r\n");
    Client d(&f);
    d("MULTI");
    d("SET k v");
    EXPECT_EQ(c("CLIENT PAUSE 60000 WRITE"), "+OK\r\n");
    EXPECT_EQ(c("CLIENT PAUSE 1 WRITE"), "+OK\r\n") << "does not make it shorter";
    EXPECT_EQ(c("GET k"), "$-1\r\n");
    EXPECT_EQ(c("SET k v"), "");
    EXPECT_EQ(c.last, Ran::paused);
    EXPECT_EQ(d("EXEC"), "");
    EXPECT_EQ(d.last, Ran::paused);
    c("MULTI");
    c("GET k");
    EXPECT_EQ(c("EXEC"), "*1\r\n$-1\r\n");
    EXPECT_EQ(c("CLIENT UNPAUSE"), "+OK\r\n");
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(d("EXEC"), "*1\r\n+OK\r\n");
    EXPECT_EQ(c("SET k v"), "+OK\r\n");
}

TEST(ClientCmd, PauseAllEndsByItself) {
    EngineFixture f;
    Client c(&f);
    EXPECT_EQ(c("CLIENT PAUSE 30"), "+OK\r\n");
    int64_t start = clock_mono_ms();
    EXPECT_EQ(c("PING"), "");
    EXPECT_EQ(c.last, Ran::paused);
    engine_pause_wait(f.e, &c.session);
    EXPECT_GE(clock_mono_ms() - start, 25);
    EXPECT_EQ(c("PING"), "+PONG\r\n");
}

TEST(ClientCmd, InProcessCallersWakeWhenThePauseEnds) {
    EngineFixture f;
    Client c(&f);
    c("CLIENT PAUSE 60000 WRITE");
    std::string reply;
    std::thread other([&] {
        Client mine(&f, true);
        while (reply.empty()) {
            reply = mine("SET k v");
            if (mine.last == Ran::paused) engine_pause_wait(f.e, &mine.session);
        }
    });
    EXPECT_EQ(c("CLIENT UNPAUSE"), "+OK\r\n");
    other.join();
    EXPECT_EQ(reply, "+OK\r\n");
}

TEST(ClientCmd, UnblockFindsNobody) {
    EngineFixture f;
    Client c(&f);
    c.check({{"CLIENT UNBLOCK 99", ":0"},
             {"CLIENT UNBLOCK x", "-ERR value is not an integer or out of range"},
             {"CLIENT UNBLOCK 99 error", ":0"},
             {"CLIENT UNBLOCK x nope", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"}});
}

TEST(ClientCmd, ModesAndTracking) {
    EngineFixture f;
    Client c(&f);
    c.check({{"CLIENT NO-EVICT on", "+OK"},
             {"CLIENT NO-EVICT x", "-ERR syntax error"},
             {"CLIENT NO-EVICT", "-ERR wrong number of arguments for 'client|no-evict' command"},
             {"CLIENT NO-TOUCH ON", "+OK"},
             {"CLIENT GETREDIR", ":-1"},
             {"CLIENT TRACKINGINFO",
              "*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n"
              ":-1\r\n$8\r\nprefixes\r\n*0"}});
    EXPECT_TRUE(contains(c("CLIENT INFO"), " flags=eT "));
    EXPECT_TRUE(contains(c("CLIENT HELP"), "+CLIENT <subcommand>"));
}

TEST(ClientCmd, ListWhileClientsComeAndGo) {
    EngineFixture f;
    std::atomic<bool> stop{false};
    std::thread churn([&] {
        for (int i = 0; !stop.load(); i++) {
            Client c(&f, i % 2 == 0);
            c("CLIENT SETNAME n" + std::to_string(i));
            c("MULTI");
            c("SET k v");
            c("EXEC");
        }
    });
    Client c(&f);
    for (int i = 0; i < 300; i++) {
        EXPECT_TRUE(contains(c("CLIENT LIST"), "cmd=client|list"));
        c("CLIENT KILL TYPE normal");
    }
    stop.store(true);
    churn.join();
    EXPECT_EQ(f.e->clients.count, 1u);
    EXPECT_EQ(f.e->clients.connected.load(), 1u);
}

// A store may live on after SHUTDOWN: whoever is held back there must not spin until the pause
// ends.
TEST(ClientCmd, APausedCallerNapsAfterAStopRequestToo) {
    EngineFixture f;
    Client c(&f, true);
    EXPECT_EQ(c("CLIENT PAUSE 60000"), "+OK\r\n");
    f.e->stop = StopState::requested;
    int64_t since = clock_mono_ms();
    engine_pause_wait(f.e, &c.session);
    EXPECT_GE(clock_mono_ms() - since, 20);
}

}  // namespace rp::test
