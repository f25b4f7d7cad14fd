// What the log hears is what redis-server reads: random commands are run here, their log becomes an
// append-only file, and redis-server, started on it, must have the same DEBUG DIGEST.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "conf/config.h"
#include "random_commands.h"
#include "replay.h"

namespace rp::test {

namespace fs = std::filesystem;

// A redis-server of this test's own on a socket in a folder of its own.
struct RedisServer {
    fs::path dir;
    pid_t pid = -1;
    int fd = -1;

    RedisServer() {
        std::string name = fs::temp_directory_path() / "rp-effects-XXXXXX";
        dir = mkdtemp(name.data());
        fs::create_directory(dir / "appendonlydir");
    }
    ~RedisServer() {
        if (fd >= 0) close(fd);
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, 0);
        }
        fs::remove_all(dir);
    }
    void give_log(const std::string& bytes) {
        std::ofstream(dir / "appendonlydir/appendonly.aof.1.incr.aof", std::ios::binary) << bytes;
        std::ofstream(dir / "appendonlydir/appendonly.aof.manifest")
            << "file appendonly.aof.1.incr.aof seq 1 type i\n";
    }
    void start() {
        pid = fork();
        if (pid != 0) return;
        std::string socket = (dir / "s").string(), log = (dir / "log").string();
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket.c_str(),
               "--dir", dir.c_str(), "--appendonly", "yes", "--save", "", "--logfile", log.c_str(),
               "--enable-debug-command", "yes", static_cast<char*>(nullptr));
        _exit(127);
    }
    bool alive() const { return waitpid(pid, nullptr, WNOHANG) == 0; }
    bool connect_once() {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un to = {};
        to.sun_family = AF_UNIX;
        snprintf(to.sun_path, sizeof to.sun_path, "%s", (dir / "s").c_str());
        if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return true;
        close(fd);
        fd = -1;
        return false;
    }
    std::string ask(const std::string& line) {
        std::string sent = line + "\r\n", got;
        EXPECT_EQ(write(fd, sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
        char ch;
        while (read(fd, &ch, 1) == 1 && ch != '\n')
            got += ch;
        return got.substr(0, got.find('\r'));
    }
    // False: it did not start; its log says why.
    bool ready() {
        while (!connect_once()) {
            if (!alive()) return false;
            usleep(5000);
        }
        while (ask("PING") != "+PONG") {
            if (!alive()) return false;
            usleep(5000);
        }
        return true;
    }
    std::string messages() {
        std::ifstream log(dir / "log");
        return {std::istreambuf_iterator<char>(log), {}};
    }
};

static std::string digest_of(Engine* e, EpochSlot* slot) {
    CmdCtx c = quiet_context(e, slot);
    Digest d;
    char hex[kDigestHexLen];
    digest_store(&c, &d);
    digest_hex(&d, hex);
    return "+" + std::string(hex, sizeof hex);
}

// The clock here is a day ahead: what is still alive in the end has not expired in redis-server.
static std::string some_log(uint64_t seed, std::string* digest) {
    RandomCommands r(seed);
    r.lex = false;
    EngineFixture live;
    Client c(&live);
    MemoryLog log;
    c.worker.voice.journal = &log;
    int64_t now = clock_wall_ms() + 86'400'000;
    for (int i = 0; i < 3000; i++) {
        clock_fake_ms(now += static_cast<int64_t>(r.below(3)));
        for (const Words& words : r.run())
            c.run(words);
    }
    for (int db = 0; db < 3; db++) {  // nothing lies about expired
        c.run({"SELECT", std::to_string(db)});
        c("SCAN 0 COUNT 100000");
    }
    clock_fake_ms(0);
    *digest = digest_of(live.e, c.worker.slot);
    return as_file(log.merged());
}

TEST(EffectsRedis, LoadsTheLogAndHoldsTheSameData) {
    if (system("redis-server --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no redis-server";
    uint64_t seed = std::random_device()();
    if (const char* given = getenv("RP_SEED")) seed = strtoull(given, nullptr, 10);
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::string digest;
    RedisServer redis;
    redis.give_log(some_log(seed, &digest));
    redis.start();
    ASSERT_TRUE(redis.ready()) << redis.messages();
    EXPECT_EQ(redis.ask("DEBUG DIGEST"), digest) << redis.messages();
}

}  // namespace rp::test
