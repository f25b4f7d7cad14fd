// Users: rules as text, what they allow, how a change reaches sessions. What Redis says to each
// rule is compared in tests/differential; here are the things that need no server.
#include "engine/acl.h"
#include <thread>
#include "base/glob.h"

#include "../engine/harness.h"

namespace rp::test {

static Bytes view(const std::string& s) { return {s.data(), s.size()}; }

// The user after these rules, as ACL LIST shows it, or the error of the first wrong one.
static std::string rules(const std::vector<std::string>& words, AclRules* out = nullptr) {
    engine_register_commands();
    AclRules r = acl_rules_new(false);
    for (const std::string& w : words) {
        AclError e = acl_rules_apply(&r, view(w), false);
        if (e != AclError::none) return acl_error_text(e);
    }
    if (out != nullptr) *out = r;
    return acl_describe(&r);
}

static AclDenied check(const AclRules& r, const std::vector<std::string>& words) {
    std::vector<Bytes> argv;
    for (const std::string& w : words)
        argv.push_back(view(w));
    CmdRef ref = command_find(argv[0]);
    if (ref.row->subcommands != nullptr) ref = command_find_sub(&ref, argv[1]);
    size_t at;
    return acl_check(&r, &ref, {argv.data(), argv.size()}, &at);
}

TEST(AclRules, ADescriptionReadAgainMeansTheSame) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {},
             {"on", "nopass", "~*", "&*", "+@all"},
             {">a", "+@all", "-@dangerous", "+config|get", "-get"},
             {"+@read", "-@hash", "+select|0", "+xadd", "%R~a", "%W~a", "%R~b"},
             {"(+get ~a)", "(+@all -@write allkeys &x)", "skip-sanitize-payload"}}) {
        AclRules first;
        std::string text = rules(words, &first);
        std::map<std::string, AclRules> again;
        std::string why, file = "user x " + text + "\n";
        ASSERT_TRUE(acl_parse_file(view(file), "f", false, &again, &why)) << text << ": " << why;
        EXPECT_EQ(acl_describe(&again["x"]), text);
        for (size_t id = 0; id < acl_name_count(); id++) {
            EXPECT_EQ(again["x"].selectors[0].commands.has(id), first.selectors[0].commands.has(id))
                << text << acl_name_at(id)->name;
        }
    }
}

TEST(AclRules, ARefusedRuleChangesNothing) {
    for (const char* wrong : {"+nope", "~a b", "%~a", "(+get +nope)", "<pw", "#12", "+get|", "x"}) {
        AclRules r = acl_rules_new(false);
        EXPECT_NE(acl_rules_apply(&r, bytes_of(wrong), false), AclError::none) << wrong;
        EXPECT_EQ(acl_describe(&r), rules({})) << wrong;
    }
}

TEST(AclRules, OnePasswordOfSeveralIsEnoughAndANearMissIsNot) {
    AclRules r;
    rules({">one", ">two"}, &r);
    EXPECT_TRUE(acl_password_fits(&r, "one"));
    EXPECT_TRUE(acl_password_fits(&r, "two"));
    EXPECT_FALSE(acl_password_fits(&r, "onetwo"));
    EXPECT_FALSE(acl_password_fits(&r, ""));
    EXPECT_FALSE(acl_password_fits(&r, view(r.passwords[0]))) << "the hash is no password";
}

TEST(AclCheck, KeysAreJudgedByWhatTheCommandDoesToThem) {
    AclRules r;
    rules({"+@all", "%R~r*", "%W~w*", "~b*"}, &r);
    EXPECT_EQ(check(r, {"GET", "r1"}), AclDenied::none);
    EXPECT_EQ(check(r, {"GET", "w1"}), AclDenied::key);
    EXPECT_EQ(check(r, {"SET", "w1", "v"}), AclDenied::none);
    EXPECT_EQ(check(r, {"SET", "w1", "v", "GET"}), AclDenied::key) << "it reads, too";
    EXPECT_EQ(check(r, {"SET", "r1", "v"}), AclDenied::key);
    EXPECT_EQ(check(r, {"COPY", "r1", "w1"}), AclDenied::none);
    EXPECT_EQ(check(r, {"COPY", "w1", "r1"}), AclDenied::key);
    EXPECT_EQ(check(r, {"RENAME", "r1", "w1"}), AclDenied::key) << "it deletes the source";
    EXPECT_EQ(check(r, {"MGET", "r1", "b1", "z"}), AclDenied::key);
    EXPECT_EQ(check(r, {"ZUNIONSTORE", "w", "2", "r1", "b1"}), AclDenied::none);
    EXPECT_EQ(check(r, {"ZUNIONSTORE", "w", "2", "r1", "w1"}), AclDenied::key);
    EXPECT_EQ(check(r, {"DBSIZE"}), AclDenied::none);
}

TEST(AclCheck, KeyPatternsMeanWhatGlobSays) {
    const std::vector<std::string> patterns = {"app:*", "a*b*", "a\\*", "[a]*", "a?*", "a**", "aa"};
    for (const std::string& pattern : patterns) {
        AclRules r;
        rules({"+@all", "~" + pattern}, &r);
        for (const char* key : {"", "a", "app:", "app:1", "app", "a*", "ab", "aab", "b"}) {
            bool allowed = check(r, {"GET", key}) == AclDenied::none;
            EXPECT_EQ(allowed, glob_match(view(pattern), bytes_of(key))) << pattern << " " << key;
        }
    }
}

TEST(AclCheck, OneSelectorMustAllowAllOfACommand) {
    AclRules r;
    rules({"+set", "~a", "(+get ~b)"}, &r);
    EXPECT_EQ(check(r, {"SET", "a", "v"}), AclDenied::none);
    EXPECT_EQ(check(r, {"GET", "b"}), AclDenied::none);
    EXPECT_EQ(check(r, {"GET", "a"}), AclDenied::key);
    EXPECT_EQ(check(r, {"SET", "b", "v"}), AclDenied::key);
    EXPECT_EQ(check(r, {"DEL", "a"}), AclDenied::command);
}

TEST(AclCheck, AFirstArgumentMayBeAllowedAlone) {
    AclRules r;
    rules({"+select|0", "+debug|object", "~*"}, &r);
    EXPECT_EQ(check(r, {"SELECT", "0"}), AclDenied::none);
    EXPECT_EQ(check(r, {"SELECT", "1"}), AclDenied::command);
    EXPECT_EQ(check(r, {"DEBUG", "OBJECT", "k"}), AclDenied::none);
    EXPECT_EQ(check(r, {"DEBUG", "SLEEP", "1"}), AclDenied::command);
}

TEST(AclCheck, ChannelPatternsMatchChannelsAndNamePatternsLiterally) {
    AclRules r;
    rules({"&news.*", "(&x)"}, &r);
    EXPECT_TRUE(acl_allows_channel(&r, "news.a", false));
    EXPECT_TRUE(acl_allows_channel(&r, "x", false));
    EXPECT_FALSE(acl_allows_channel(&r, "new", false));
    EXPECT_TRUE(acl_allows_channel(&r, "news.*", true));
    EXPECT_FALSE(acl_allows_channel(&r, "news.a", true)) << "not written in the rules";
}

TEST(AclNames, EveryCommandOfThisServerCanBeNamedAndHasItsRowsIndex) {
    engine_register_commands();
    for (uint32_t i = 0; i < command_count(); i++) {
        CmdRef ref = command_by_index(i);
        if (ref.row->flags & kCmdHidden) continue;
        char name[64];
        size_t len = cmd_full_name(ref.parent, ref.row, name);
        EXPECT_EQ(acl_name_find({name, len}), i) << name;
    }
}

TEST(AclLog, EqualRefusalsWithinAMinuteAreOneEntry) {
    AclLog log;
    auto add = [&](const char* object, int64_t at_ms) {
        AclLogEntry e;
        e.object = object;
        e.at_ms = at_ms;
        acl_log_add(&log, e, 3);
    };
    add("a", 1000);
    add("b", 2000);
    add("a", 61000);
    ASSERT_EQ(log.entries.size(), 2u);
    EXPECT_EQ(log.entries[0].object, "a");
    EXPECT_EQ(log.entries[0].count, 2u);
    add("b", 62001);
    EXPECT_EQ(log.entries.size(), 3u) << "a minute and a millisecond later";
    add("c", 62002);
    EXPECT_EQ(log.entries.size(), 3u) << "the limit";
    EXPECT_EQ(log.entries[0].object, "c");
    acl_log_reset(&log);
    EXPECT_EQ(acl_log_newest(&log, 10).size(), 0u);
}

static const char* const kNoPing =
    "-NOPERM this user has no permissions to run the 'ping' command\r\n";

TEST(AclSessions, AnUnrestrictedSessionIsNotGuarded) {
    EngineFixture f;
    Client c(&f), admin(&f);
    EXPECT_FALSE(c.session.guarded);
    admin("ACL SETUSER default -ping");
    EXPECT_TRUE(c.session.guarded);
    EXPECT_EQ(c("PING"), kNoPing);
    admin("ACL SETUSER default +@all");
    EXPECT_EQ(c("PING"), "+PONG\r\n");
    EXPECT_FALSE(c.session.guarded) << "it has found out by itself";
}

TEST(AclSessions, ChangedRulesHoldForTheNextCommandOfEverySession) {
    EngineFixture f;
    Client c(&f), admin(&f);
    admin("ACL SETUSER bob on >pw +@all ~*");
    EXPECT_EQ(c("AUTH bob pw"), "+OK\r\n");
    EXPECT_EQ(c("ACL WHOAMI"), "$3\r\nbob\r\n");
    admin("ACL SETUSER bob -ping off resetpass");
    EXPECT_EQ(c("PING"), kNoPing);
    EXPECT_EQ(c("GET k"), "$-1\r\n") << "a user that is off stays logged in";
    Client d(&f);
    EXPECT_EQ(d("AUTH bob pw").substr(0, 10), "-WRONGPASS");
}

TEST(AclSessions, ADeletedUserIsDisconnectedAndMayDoNothingMeanwhile) {
    EngineFixture f;
    Client c(&f), inside(&f, true), admin(&f);
    admin("ACL SETUSER bob on nopass allkeys allchannels allcommands");
    c("AUTH bob x");
    inside("AUTH bob x");
    EXPECT_FALSE(c.session.guarded);
    EXPECT_EQ(admin("ACL DELUSER bob nobody"), ":1\r\n");
    EXPECT_TRUE(c.session.kill);
    EXPECT_EQ(c("PING"), "-NOAUTH Authentication required.\r\n");
    EXPECT_FALSE(inside.session.kill) << "there is no connection to close";
    EXPECT_EQ(inside("PING"), "-NOAUTH Authentication required.\r\n");
    EXPECT_EQ(inside("AUTH default x"), "+OK\r\n");
    EXPECT_EQ(inside("PING"), "+PONG\r\n");
}

TEST(AclSessions, WhoDeletesItselfIsAnsweredAndThenClosed) {
    EngineFixture f;
    Client c(&f);
    c("ACL SETUSER bob on nopass +@all");
    c("AUTH bob x");
    EXPECT_EQ(c("ACL DELUSER bob"), ":1\r\n");
    EXPECT_EQ(c.last, Ran::close);
}

TEST(AclSessions, InProcessCallersObeyNoRulesUntilTheyLogIn) {
    EngineFixture f("requirepass secret\n");
    Client c(&f, true);
    EXPECT_EQ(c("ACL SETUSER default off -ping"), "+OK\r\n");
    EXPECT_EQ(c("PING"), "+PONG\r\n");
    EXPECT_EQ(c("ACL WHOAMI"), "$7\r\ndefault\r\n");
    EXPECT_EQ(c("AUTH secret").substr(0, 10), "-WRONGPASS");
    c("ACL SETUSER default on");
    EXPECT_EQ(c("AUTH secret"), "+OK\r\n");
    EXPECT_EQ(c("PING"), kNoPing);
    EXPECT_EQ(c("RESET"), "+RESET\r\n");
    EXPECT_EQ(c("PING"), "+PONG\r\n");
}

TEST(AclSessions, ATransactionIsJudgedAgainWhenItRuns) {
    EngineFixture f;
    Client c(&f), admin(&f);
    admin("ACL SETUSER bob on nopass +@all ~*");
    c("AUTH bob x");
    c("MULTI");
    EXPECT_EQ(c("SET k v"), "+QUEUED\r\n");
    EXPECT_EQ(c("GET k"), "+QUEUED\r\n");
    admin("ACL SETUSER bob -set");
    EXPECT_EQ(c("EXEC"),
              "*2\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated "
              "and the EXEC call. This command is no longer allowed for the following reason: no "
              "permission to execute the command or subcommand\r\n$-1\r\n");
}

TEST(AclSessions, SmallLimitsHoldForStrangersOnly) {
    EngineFixture f("requirepass secret\n");
    Client c(&f);
    EXPECT_FALSE(acl_trusted(f.e->acl, &c.session));
    c("AUTH secret");
    EXPECT_TRUE(acl_trusted(f.e->acl, &c.session));
    Client d(&f);
    f.set("requirepass", "");
    EXPECT_TRUE(acl_trusted(f.e->acl, &d.session)) << "nothing to prove any more";
    EXPECT_EQ(d("PING"), "+PONG\r\n");
}

// Sessions log in, read and are cut off while their user's rules change and the user comes and
// goes. Whatever they are told is true of some moment; once the changes have ended, the last rules
// hold.
// Refused, or closed by who took the channel away, or by itself: never left listening.
TEST(AclSessions, ASubscribeDoesNotSlipPastAChangeOfRules) {
    EngineFixture f;
    Client admin(&f);
    admin("ACL SETUSER bob on nopass +@all resetchannels");
    Mailbox box;
    box.wake = [](void*) {};
    std::atomic<int> turn{0}, ready{0};
    std::atomic<bool> slipped{false};
    constexpr int kRounds = 1000;
    int refused = 0, closed = 0;
    std::thread other([&] {
        for (int round = 1; round <= kRounds; round++) {
            Client bob(&f);
            bob.session.mailbox = &box;
            bob("AUTH bob x");
            ready = round;
            while (turn != round) {}
            bool denied = contains(bob("SUBSCRIBE a"), "-NOPERM");
            bool ends = bob.last == Ran::close;
            ready = -round;
            while (turn != -round) {
                std::this_thread::yield();
            }
            if (!denied && !ends && !bob.session.kill) slipped = true;
            denied ? refused++ : closed++;
        }
    });
    for (int round = 1; round <= kRounds; round++) {
        admin("ACL SETUSER bob &a");
        while (ready != round) {
            std::this_thread::yield();
        }
        turn = round;
        // Every tenth time it listens before the change, else they race.
        while (round % 10 == 0 && ready != -round) {
            std::this_thread::yield();
        }
        for (int i = round % 50; i > 0; i--)
            cpu_relax();
        admin("ACL SETUSER bob resetchannels");
        while (ready != -round) {
            std::this_thread::yield();
        }
        turn = -round;
    }
    other.join();
    mailbox_deinit(&box);
    EXPECT_FALSE(slipped);
    EXPECT_GE(closed, kRounds / 10) << refused;
}

TEST(AclSessions, RulesMayChangeWhileOthersExecute) {
    EngineFixture f;
    Client admin(&f);
    admin("ACL SETUSER bob on nopass +@all ~* &*");
    std::atomic<bool> over{false};
    std::atomic<int> refused{0}, allowed{0};
    auto reader = [&] {
        while (!over.load()) {
            Client c(&f);
            if (c("AUTH bob x") != "+OK\r\n") continue;
            for (int i = 0; i < 20; i++) {
                std::string reply = c("GET k");
                if (reply == "$-1\r\n") {
                    allowed++;
                } else {
                    ASSERT_TRUE(contains(reply, "'get' command") || contains(reply, "-NOAUTH"))
                        << reply;
                    refused++;
                }
            }
        }
    };
    std::thread one(reader), two(reader);
    for (int round = 0; round < 20000 && (round < 300 || refused == 0 || allowed == 0); round++) {
        EXPECT_EQ(admin("ACL SETUSER bob on nopass allkeys allchannels -get"), "+OK\r\n");
        EXPECT_EQ(admin("ACL SETUSER bob +@all"), "+OK\r\n");
        if (round % 8 == 0) {
            EXPECT_EQ(admin("ACL DELUSER bob"), ":1\r\n");
        }
    }
    admin("ACL SETUSER bob on nopass allkeys allchannels +@all");
    Client last(&f);
    last("AUTH bob x");
    EXPECT_FALSE(last.session.guarded);
    admin("ACL SETUSER bob -get");
    EXPECT_TRUE(contains(last("GET k"), "-NOPERM"));
    over = true;
    one.join();
    two.join();
    EXPECT_GT(refused, 0);
    EXPECT_GT(allowed, 0);
}

TEST(AclConfigure, WrongLinesSayWhereTheyAre) {
    auto load = [](const char* settings) {
        EngineFixture f(settings);
        ConfigErr err;
        return engine_configure(f.e, &err) ? std::string() : std::string(err.text);
    };
    EXPECT_EQ(load("user bob on >pw ~* +@all\nuser carl on\n"), "");
    EXPECT_EQ(load("port 1\nuser bob on +nope\n"),
              "test line 2: 'user': '+nope': Unknown command or category name in ACL");
    EXPECT_EQ(load("user bob on secret\n"), "test line 1: 'user': Syntax error");
    EXPECT_EQ(load("user bob on\nuser bob off\n"), "test line 2: 'user': 'bob' is there already");
    EXPECT_EQ(load("user bob (+get\n"), "test line 1: 'user': a parenthesis is not closed");
    EXPECT_EQ(load("rename-command nope x\n"),
              "test line 1: 'rename-command': there is no such command (got 'nope')");
    EXPECT_EQ(load("rename-command get set\n"),
              "test line 1: 'rename-command': the new name is that of another command (got 'get')");
    EXPECT_EQ(load("aclfile /x\nuser bob on\n").substr(0, 30), "'aclfile': cannot be used toge");
    EXPECT_EQ(load("aclfile /nonexistent/users.acl\n"),
              "'aclfile': Error loading ACLs, opening file '/nonexistent/users.acl': No such file "
              "or directory");
}

}  // namespace rp::test
