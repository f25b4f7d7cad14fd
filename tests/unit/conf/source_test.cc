// Files, standard input, environment and flags: what they may say, and what they are told if they
// err.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <string>
#include <vector>

#include "conf/config.h"

namespace rp {
namespace {

Bytes bytes(const std::string& s) { return {s.data(), s.size()}; }

struct SourceTest : testing::Test {
    Config* c = nullptr;
    ConfigErr err;
    std::string folder;

    void SetUp() override {
        ASSERT_EQ(config_new(&c), Status::ok);
        std::string name = testing::TempDir() + "rp-conf-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        char real[PATH_MAX];
        ASSERT_NE(realpath(name.c_str(), real), nullptr);
        folder = real;
    }
    void TearDown() override {
        config_free(c);
        for (const std::string& f : files)
            unlink(f.c_str());
        rmdir(folder.c_str());
    }

    std::vector<std::string> files;

    std::string write(const std::string& name, const std::string& text) {
        const std::string path = folder + "/" + name;
        FILE* f = fopen(path.c_str(), "w");
        EXPECT_NE(f, nullptr);
        EXPECT_EQ(fwrite(text.data(), 1, text.size(), f), text.size());
        fclose(f);
        files.push_back(path);
        return path;
    }

    std::string read(const std::string& path) {
        FILE* f = fopen(path.c_str(), "r");
        EXPECT_NE(f, nullptr);
        char part[65536];
        const size_t len = fread(part, 1, sizeof part, f);
        fclose(f);
        return std::string(part, len);
    }

    std::string text(const std::string& name) {
        char out[4096];
        config_text(c, bytes(name), out, sizeof out);
        return out;
    }

    std::string set(const std::string& name, const std::string& value) {
        const ConfigPair pair = {bytes(name), bytes(value)};
        err = {};
        return config_set_many(c, &pair, 1, true, &err) ? "" : err.text;
    }

    // Each: "" or the error.
    std::string file(const std::string& content) {
        err = {};
        return config_load_text(c, bytes(content), "file", false, &err) ? "" : err.text;
    }
    std::string load(std::vector<const char*> args, std::vector<const char*> environment = {},
                     int stdin_fd = -1) {
        environment.push_back(nullptr);
        ConfigSources s;
        s.argc = static_cast<int>(args.size());
        s.argv = args.data();
        s.environment = environment.data();
        s.stdin_fd = stdin_fd;
        err = {};
        return config_load(c, s, &err) ? "" : err.text;
    }
    void fresh() {
        config_free(c);
        ASSERT_EQ(config_new(&c), Status::ok);
    }
};

TEST_F(SourceTest, FileTakesCommentsBlanksQuotesAndUnits) {
    EXPECT_EQ(file("# comment\n\n   # another\n  timeout   5  \r\n\"hz\" '20'\nMAXMEMORY 1kb\n"
                   "requirepass \"a b\\x41\\n\"\nbind 127.0.0.1 -::1\nloglevel VERBOSE"),
              "");
    EXPECT_EQ(text("timeout"), "5");
    EXPECT_EQ(text("hz"), "20");
    EXPECT_EQ(text("maxmemory"), "1024");
    EXPECT_EQ(text("requirepass"), "a bA\n");
    EXPECT_EQ(text("bind"), "127.0.0.1 -::1");
    EXPECT_EQ(text("loglevel"), "verbose");
}

TEST_F(SourceTest, TheLastLineWinsAndLimitsAddUp) {
    EXPECT_EQ(file("timeout 5\ntimeout 6\nbind 127.0.0.1 ::1\nbind ::2\n"
                   "client-output-buffer-limit normal 1 2 3\n"
                   "client-output-buffer-limit pubsub 4 5 6\n"),
              "");
    EXPECT_EQ(text("timeout"), "6");
    EXPECT_EQ(text("bind"), "::2");
    EXPECT_EQ(text("client-output-buffer-limit"),
              "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6");
}

TEST_F(SourceTest, SaveLinesAddUpAfterTheFirst) {
    EXPECT_EQ(file("save 900 1\nsave 300 10\n"), "");
    EXPECT_EQ(text("save"), "900 1 300 10");
    EXPECT_EQ(load({"--save", "60 5"}), "");
    EXPECT_EQ(text("save"), "900 1 300 10 60 5");
    EXPECT_EQ(load({"--save", "", "--save", "5", "5"}), "");
    EXPECT_EQ(text("save"), "5 5");
    EXPECT_EQ(load({}, {"RUSTYPOTATO_SAVE=1 2 3 4"}), "");
    EXPECT_EQ(text("save"), "1 2 3 4");
    EXPECT_EQ(file("save \"\"\n"), "");
    EXPECT_EQ(text("save"), "");
}

TEST_F(SourceTest, ErrorsNameTheLineTheSettingAndWhatIsAllowed) {
    EXPECT_EQ(file("timeout 1\nport 99999\n"),
              "file line 2: 'port': argument must be between 0 and 65535 inclusive (got '99999')");
    EXPECT_EQ(file("nope 1"), "file line 1: unknown setting 'nope'");
    EXPECT_EQ(file("timeout"), "file line 1: 'timeout': wrong number of arguments");
    EXPECT_EQ(file("timeout 1 2"), "file line 1: 'timeout': wrong number of arguments (got '1 2')");
    EXPECT_EQ(file("a \"b"), "file line 1: unbalanced quotes");
    EXPECT_EQ(file(std::string("timeout 5\0", 10)),
              "file line 1: a NUL byte: this is not a text file");
    EXPECT_EQ(file("include x"), "file line 1: 'include' is not allowed here");
    EXPECT_EQ(file("maxmemory-policy lru"),
              "file line 1: 'maxmemory-policy': argument(s) must be one of the following: "
              "volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, "
              "allkeys-lfu, allkeys-random, noeviction (got 'lru')");
    EXPECT_EQ(file("replicaof 127.0.0.1 99999"),
              "file line 1: 'replicaof': Invalid master port (got '127.0.0.1 99999')");
    EXPECT_EQ(file("appendfilename a/b"),
              "file line 1: 'appendfilename': appendfilename can't be a path, just a filename "
              "(got 'a/b')");
    EXPECT_EQ(file("unixsocketperm 1000"),
              "file line 1: 'unixsocketperm': argument must be between 0 and 777 inclusive "
              "(got '1000')");
}

TEST_F(SourceTest, SecretsAreNotRepeatedInErrors) {
    EXPECT_EQ(file("requirepass se cret"), "file line 1: 'requirepass': wrong number of arguments");
}

TEST_F(SourceTest, WhatCannotBeHonouredIsRefused) {
    EXPECT_EQ(file("loadmodule x.so"), "file line 1: 'loadmodule' is not supported; remove it");
}

static void add_line(void* arg, const Bytes* words, size_t count, const char* where) {
    auto* text = static_cast<std::string*>(arg);
    *text += std::string(where) + ":";
    for (size_t i = 0; i < count; i++)
        *text += " <" + std::string(words[i].ptr, words[i].len) + ">";
    *text += "\n";
}

TEST_F(SourceTest, UsersAndRenamedCommandsAreKeptWithTheirLines) {
    EXPECT_EQ(file("user alice on (+get ~a)\nrename-command GET \"\"\nUSER bob off"), "");
    std::string users, renames;
    config_each_user(c, add_line, &users);
    config_each_rename(c, add_line, &renames);
    EXPECT_EQ(users, "file line 1: <alice> <on> <(+get> <~a)>\nfile line 3: <bob> <off>\n");
    EXPECT_EQ(renames, "file line 2: <GET> <>\n");
    EXPECT_EQ(file("user"), "file line 1: 'user': a name and rules must follow");
    EXPECT_EQ(file("rename-command GET"), "file line 1: 'rename-command': two names must follow");
}

TEST_F(SourceTest, DaemonizeMayBeTakenBack) {
    const std::string a = write("a.conf", "\ndaemonize yes\n");
    EXPECT_EQ(load({a.c_str(), "--daemonize", "no", "--supervised", "systemd"}), "");
}

TEST_F(SourceTest, WhatRedisRewritesCanBeRead) {
    EXPECT_EQ(file("daemonize no\nuser default on nopass sanitize-payload ~* &* +@all\n"
                   "list-max-ziplist-entries 5\nlist-max-ziplist-value 6\nreplicaof no one\n"
                   "slave-priority 7\nshutdown-on-sigterm save now\noom-score-adj-values 1 2 3\n"),
              "");
    EXPECT_EQ(text("replica-priority"), "7");
    EXPECT_EQ(text("shutdown-on-sigterm"), "save now");
}

TEST_F(SourceTest, IncludesAreReadInPlace) {
    write("b.conf", "timeout 2\nhz 20\n");
    const std::string a =
        write("a.conf", "timeout 1\ninclude " + folder + "/b.conf\nhz 30\ninclude " + folder +
                            "/none*.conf\ninclude \"" + folder + "/b*.conf\"\nhz 40\n");
    EXPECT_EQ(load({a.c_str()}), "");
    EXPECT_EQ(text("timeout"), "2");
    EXPECT_EQ(text("hz"), "40");
    char name[PATH_MAX];
    config_file(c, name, sizeof name);
    EXPECT_EQ(name, a);
}

TEST_F(SourceTest, IncludeErrorsNameTheInnerFile) {
    const std::string b = write("b.conf", "\nbad 1\n");
    const std::string a = write("a.conf", "include " + b + "\n");
    EXPECT_EQ(load({a.c_str()}), "config file '" + b + "' line 2: unknown setting 'bad'");
    fresh();
    const std::string d = write("d.conf", "include " + folder + "/gone.conf\n");
    EXPECT_EQ(load({d.c_str()}), "config file '" + d + "' line 1: config file '" + folder +
                                     "/gone.conf': cannot open it: No such file or directory");
}

TEST_F(SourceTest, IncludesThatRunInACircleStop) {
    const std::string a = folder + "/a.conf";
    write("a.conf", "include " + a + "\n");
    EXPECT_EQ(load({a.c_str()}),
              "config file '" + a + "' line 1: 'include' nested deeper than 16 files");
}

TEST_F(SourceTest, AFileThatCannotBeReadIsNamed) {
    EXPECT_EQ(load({"/nonexistent/x.conf"}),
              "config file '/nonexistent/x.conf': cannot open it: No such file or directory");
    EXPECT_EQ(load({"/"}), "config file '/': cannot read it: Is a directory");
}

TEST_F(SourceTest, AFileAboveTheLimitIsRefused) {
    const std::string a = write("big.conf", std::string(kConfigFileMax + 1, '#'));
    EXPECT_EQ(load({a.c_str()}), "config file '" + a + "': cannot read it: File too large");
}

TEST_F(SourceTest, SourcesHaveAnOrder) {
    const std::string a = write("a.conf", "timeout 1\nhz 21\ntcp-keepalive 31\nport 41\n");
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const std::string input = "hz 22\ntcp-keepalive 32\nport 42\n";
    ASSERT_EQ(::write(pipe_fds[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    close(pipe_fds[1]);
    EXPECT_EQ(load({a.c_str(), "--port", "44", "-"},
                   {"RUSTYPOTATO_TCP_KEEPALIVE=33", "RUSTYPOTATO_PORT=43", "OTHER=1"}, pipe_fds[0]),
              "");
    close(pipe_fds[0]);
    EXPECT_EQ(text("timeout"), "1");
    EXPECT_EQ(text("hz"), "22");
    EXPECT_EQ(text("tcp-keepalive"), "33");
    EXPECT_EQ(text("port"), "44");
    EXPECT_EQ(set("port", "45"), "");
    EXPECT_EQ(text("port"), "45");
}

TEST_F(SourceTest, StandardInputErrorsAreNamed) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    ASSERT_EQ(::write(pipe_fds[1], "hz 2\nx 1\n", 9), 9);
    close(pipe_fds[1]);
    EXPECT_EQ(load({"-"}, {}, pipe_fds[0]), "standard input line 2: unknown setting 'x'");
    close(pipe_fds[0]);
}

TEST_F(SourceTest, EnvironmentNamesEverySetting) {
    EXPECT_EQ(load({}, {"RUSTYPOTATO_SERVER_CPULIST=0-1", "RUSTYPOTATO_SLAVE_PRIORITY=3",
                        "RUSTYPOTATO_CLIENT_OUTPUT_BUFFER_LIMIT=normal 1 2 3",
                        "RUSTYPOTATO_BIND=127.0.0.1 ::1", "rustypotato_port=1"}),
              "");
    EXPECT_EQ(text("server_cpulist"), "0-1");
    EXPECT_EQ(text("replica-priority"), "3");
    EXPECT_EQ(text("bind"), "127.0.0.1 ::1");
    EXPECT_EQ(text("port"), "6379");
}

TEST_F(SourceTest, EnvironmentErrorsNameTheVariable) {
    EXPECT_EQ(load({}, {"RUSTYPOTATO_PORTS=1"}),
              "environment variable RUSTYPOTATO_PORTS: there is no such setting; unset it");
    EXPECT_EQ(load({}, {"RUSTYPOTATO_PORT=x"}),
              "environment variable RUSTYPOTATO_PORT: 'port': argument couldn't be parsed into an "
              "integer (got 'x')");
}

TEST_F(SourceTest, FlagsFollowTheGrammarOfRedisServer) {
    EXPECT_EQ(load({"--port", "7000", "--bind", "127.0.0.1", "::1", "--requirepass", "--abc",
                    "--timeout 5", "--HZ", "20", "--save", "--dir", "/",
                    "--client-output-buffer-limit", "normal 1 2 3 pubsub 4 5 6"}),
              "");
    EXPECT_EQ(text("port"), "7000");
    EXPECT_EQ(text("bind"), "127.0.0.1 ::1");
    EXPECT_EQ(text("requirepass"), "--abc");
    EXPECT_EQ(text("timeout"), "5");
    EXPECT_EQ(text("hz"), "20");
    EXPECT_EQ(text("save"), "");
    EXPECT_EQ(text("dir"), "/");
    EXPECT_EQ(text("client-output-buffer-limit"),
              "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6");
}

TEST_F(SourceTest, FlagErrorsNameTheFlag) {
    EXPECT_EQ(load({"--port", "1", "2"}),
              "flag --port: 'port': wrong number of arguments (got '1 2')");
    EXPECT_EQ(load({"--port"}), "flag --port: a value must follow");
    EXPECT_EQ(load({"--nope", "1"}), "flag --nope: unknown setting 'nope'");
    EXPECT_EQ(load({"--port=7000"}),
              "flag --port=7000: write --port and the value as two arguments");
    EXPECT_EQ(load({"-port", "1"}),
              "command line: argument '-port' is unexpected: write --name value");
    EXPECT_EQ(load({"--"}), "command line: '--' must be followed by the name of a setting");
    EXPECT_EQ(load({"--timeout", "\"5\""}),
              "flag --timeout: 'timeout': argument couldn't be parsed into an integer "
              "(got '\"5\"')");
    EXPECT_EQ(load({"--dir", "/nonexistent"}),
              "flag --dir: 'dir': No such file or directory (got '/nonexistent')");
}

// --- REWRITE
// -------------------------------------------------------------------------------------------

TEST_F(SourceTest, RewriteKeepsCommentsAndOrderAndAppendsWhatIsNew) {
    const std::string a = write("r.conf",
                                "# my header\n"
                                "port 0\n"
                                "\n"
                                "   timeout   5\n"
                                "save 900 1\n"
                                "save 300 10\n"
                                "client-output-buffer-limit normal 1 2 3\n"
                                "maxmemory 1kb\n"
                                "requirepass \"a b\"\n"
                                "slave-priority 90\n"
                                "user default on nopass ~* &* +@all\n"
                                "timeout 6\n"
                                "# last\n");
    ASSERT_EQ(chmod(a.c_str(), 0600), 0);
    EXPECT_EQ(load({a.c_str(), "--io-threads", "3"}), "");
    ASSERT_TRUE(config_load_text(c, "dir /\n", "t", false, &err));
    for (const auto& [name, value] : {std::pair{"timeout", "33"},
                                      {"maxmemory", "2mb"},
                                      {"save", "10 1"},
                                      {"dynamic-hz", "no"},
                                      {"client-output-buffer-limit", "pubsub 1mb 2 3"},
                                      {"notify-keyspace-events", "KEA"},
                                      {"requirepass", "x\"y\nz\x01"},
                                      {"maxmemory-clients", "5%"},
                                      {"masterauth", "foo"},
                                      {"bind", "127.0.0.1 -::1"},
                                      {"stream-node-max-bytes", "5000000000"}}) {
        EXPECT_EQ(set(name, value), "") << name;
    }
    ASSERT_TRUE(config_rewrite(c, nullptr, &err)) << err.text;
    EXPECT_EQ(read(a),
              "# my header\n"
              "port 0\n"
              "\n"
              "timeout 33\n"
              "save 10 1\n"
              "client-output-buffer-limit normal 1 2 3\n"
              "maxmemory 2mb\n"
              "requirepass \"x\\\"y\\nz\\x01\"\n"
              "replica-priority 90\n"
              "user default on nopass ~* &* +@all\n"
              "# last\n"
              "\n"
              "# Generated by CONFIG REWRITE\n"
              "bind 127.0.0.1 -::1\n"
              "io-threads 3\n"
              "client-output-buffer-limit pubsub 1mb 2 3\n"
              "maxmemory-clients 5%\n"
              "dynamic-hz no\n"
              "dir \"/\"\n"
              "notify-keyspace-events \"AKE\"\n"
              "stream-node-max-bytes 5000000000\n"
              "masterauth \"foo\"\n");
    struct stat st = {};
    ASSERT_EQ(stat(a.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST_F(SourceTest, RewriteTwiceChangesNothing) {
    const std::string a = write("r.conf", "port 5\n");
    EXPECT_EQ(load({a.c_str(), "--hz", "20"}), "");
    ASSERT_TRUE(config_rewrite(c, nullptr, &err));
    const std::string once = read(a);
    ASSERT_TRUE(config_rewrite(c, nullptr, &err));
    EXPECT_EQ(read(a), once);
}

TEST_F(SourceTest, WhatIsRewrittenLoadsBackTheSame) {
    const std::string a = write("r.conf", "");
    EXPECT_EQ(load({a.c_str()}), "");
    for (const auto& [name, value] :
         {std::pair{"save", ""},
          {"bind", ""},
          {"requirepass", "\x7f\\ \"'\t"},
          {"logfile", ""},
          {"latency-tracking-info-percentiles", ""},
          {"notify-keyspace-events", "gxE"},
          {"client-output-buffer-limit", "normal 1 2 3 replica 0 0 0 pubsub 7 8 9"},
          {"shutdown-on-sigint", "save force"},
          {"tls-key-file", "a b"},
          {"dbfilename", "x"}}) {
        (void)set(name, value);
    }
    ASSERT_TRUE(config_rewrite(c, nullptr, &err)) << err.text;
    std::vector<std::pair<std::string, std::string>> before;
    const auto collect = [](void* arg, Bytes name, Bytes value) {
        static_cast<decltype(before)*>(arg)->emplace_back(std::string(name.ptr, name.len),
                                                          std::string(value.ptr, value.len));
    };
    const Bytes all = "*";
    config_get(c, &all, 1, {collect, &before});
    fresh();
    EXPECT_EQ(load({a.c_str()}), "");
    auto after = before;
    after.clear();
    config_get(c, &all, 1, {collect, &after});
    EXPECT_EQ(after, before);
}

TEST_F(SourceTest, RewriteGoesThroughASymbolicLink) {
    const std::string a = write("real.conf", "port 5\n");
    const std::string link = folder + "/link.conf";
    ASSERT_EQ(symlink(a.c_str(), link.c_str()), 0);
    files.push_back(link);
    EXPECT_EQ(load({link.c_str()}), "");
    EXPECT_EQ(set("port", "6"), "");
    ASSERT_TRUE(config_rewrite(c, link.c_str(), &err));
    struct stat st = {};
    ASSERT_EQ(lstat(link.c_str(), &st), 0);
    EXPECT_TRUE(S_ISLNK(st.st_mode));
    EXPECT_EQ(read(a).substr(0, 7), "port 6\n");
}

TEST_F(SourceTest, RewriteErrorsAreProtocolTexts) {
    EXPECT_FALSE(config_rewrite(c, nullptr, &err));
    EXPECT_STREQ(err.text, "ERR The server is running without a config file");
    EXPECT_FALSE(config_rewrite(c, "/nonexistent/x.conf", &err));
    EXPECT_STREQ(err.text, "ERR Rewriting config file: No such file or directory");
}

}  // namespace
}  // namespace rp
