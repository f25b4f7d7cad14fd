// redis-server starts from directories whose manifest we wrote, whatever the name.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "persist/log_text.h"
#include "persist/manifest.h"

namespace rp {
namespace {

// The first bytes of the reply, "" when nobody answers.
std::string ask(const std::string& socket_path, const std::string& request) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path.c_str());
    char reply[256];
    ssize_t n = -1;
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()))
        n = read(fd, reply, sizeof reply);
    close(fd);
    return n > 0 ? std::string(reply, static_cast<size_t>(n)) : "";
}

pid_t start_redis(const std::string& dir, const std::string& name) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    if (chdir(dir.c_str()) != 0) _exit(1);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", "s", "--save", "",
           "--appendonly", "yes", "--logfile", "log", "--appendfilename", name.c_str(),
           static_cast<char*>(nullptr));
    _exit(127);
}

// What GET k says once the server has loaded; "ended" if it did not start.
std::string value_from_redis(const std::string& dir, const std::string& name) {
    const pid_t pid = start_redis(dir, name);
    std::string reply = "no answer";
    for (int tries = 0; tries < 1000; tries++) {
        if (waitpid(pid, nullptr, WNOHANG) == pid) return "ended";
        const std::string got = ask(dir + "/s", "GET k\r\n");
        if (!got.empty() && got.compare(0, 8, "-LOADING") != 0) {
            reply = got;
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return reply;
}

TEST(ManifestForRedis, IsReadByItWhateverTheName) {
    if (system("redis-server --version >/dev/null 2>&1") != 0)
        GTEST_SKIP() << "redis-server is not installed";
    const std::string kNames[] = {
        "appendonly.aof", "with  space",  "tab\there",
        "it's",           "na\xc3\xafve", "#hash",
        "\x01\x7f",       "%n",           std::string(kAppendNameMax, 'n')};
    for (const std::string& name : kNames) {
        char folder[] = "/tmp/rp_manifest_XXXXXX";  // tidy: allow
        const std::string dir = mkdtemp(folder), log = dir + "/appendonlydir";
        std::filesystem::create_directory(log);
        Manifest m;
        manifest_add(&m, name.c_str(), AofKind::incr, 1);
        manifest_rebase(&m, name.c_str(), 1, 2);
        manifest_drop_history(&m);
        manifest_add(&m, name.c_str(), AofKind::incr, 2);
        manifest_add(&m, name.c_str(), AofKind::incr, 3);
        ASSERT_EQ(0, manifest_save(&kSystemFiles, log.c_str(), name.c_str(), &m));
        const std::string select = resp({"SELECT", "0"});
        const std::string set = select + resp({"SET", "k", "1"});
        const std::string incr = run_of(1, 1, select + resp({"INCR", "k"}));
        const std::string texts[] = {set, incr, incr};  // a base of commands is fine for it
        for (size_t i = 0; i < m.count; i++) {
            const Bytes text = {texts[i].data(), texts[i].size()};
            ASSERT_EQ(0, file_replace(&kSystemFiles, log.c_str(), m.files[i].name, text));
        }
        EXPECT_EQ("$1\r\n3\r\n", value_from_redis(dir, name)) << name;
        manifest_free(&m);
        std::filesystem::remove_all(dir);
    }
}

}  // namespace
}  // namespace rp
