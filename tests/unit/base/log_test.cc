#include "base/log.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log_queue.h"

namespace rp {

// Sends the log to a file of its own and puts everything back afterwards.
class Log : public testing::Test {
  protected:
    void SetUp() override {
        path = testing::TempDir() + "rp_log_test_" + std::to_string(getpid());
        unlink(path.c_str());
        ASSERT_EQ(Status::ok, log_open(path.c_str()));
        log_set_level(LogLevel::debug);
    }

    void TearDown() override {
        EXPECT_EQ(Status::ok, log_open(nullptr));
        log_set_level(LogLevel::notice);
        log_set_quiet(false);
        clock_fake_ms(0);
        unlink(path.c_str());
    }

    static std::string file_text(const std::string& from) {
        std::ifstream in(from);
        return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    std::string written() const { return file_text(path); }

    std::string path;
};

TEST_F(Log, LinesHaveRedisShape) {
    setenv("TZ", "UTC", 1);
    tzset();
    clock_fake_ms(1795408335007);
    RP_LOG_DEBUG("a");
    RP_LOG_VERBOSE("b");
    RP_LOG_NOTICE("c %d", 3);
    RP_LOG_WARNING("d");
    std::string head = std::to_string(getpid()) + ":M 23 Nov 2026 04:32:15.007 ";
    EXPECT_EQ(head + ". a\n" + head + "- b\n" + head + "* c 3\n" + head + "# d\n", written());
}

TEST_F(Log, LevelAndQuietHoldLinesBack) {
    log_set_level(LogLevel::warning);
    EXPECT_EQ(LogLevel::warning, log_level());
    RP_LOG_NOTICE("too low");
    log_set_quiet(true);
    RP_LOG_WARNING("quiet");
    EXPECT_EQ("", written());
    log_set_quiet(false);
    RP_LOG_WARNING("heard");
    EXPECT_NE(std::string::npos, written().find("# heard\n"));
}

TEST_F(Log, LongLinesAreCutAtTheLimit) {
    std::string text(5000, 'x');
    RP_LOG_NOTICE("%s", text.c_str());
    EXPECT_EQ(static_cast<size_t>(kLogLineMax), written().size());
    EXPECT_EQ("x\n", written().substr(kLogLineMax - 2));
}

TEST_F(Log, TextCannotForgeALine) {
    RP_LOG_NOTICE("name=%s", "a\r\n1:M fake\x1b[31m\x7f tab\t");
    std::string text = written();
    EXPECT_NE(std::string::npos, text.find("* name=a  1:M fake [31m  tab\t\n"));
    EXPECT_EQ(text.size() - 1, text.find('\n'));
}

TEST_F(Log, FailedOpenKeepsTheOldTarget) {
    EXPECT_EQ(Status::io, log_open("/nonexistent-folder/rp.log"));
    EXPECT_EQ(ENOENT, errno);
    RP_LOG_NOTICE("still here");
    EXPECT_NE(std::string::npos, written().find("still here"));
}

TEST_F(Log, AnotherFileTakesOverAndAppends) {
    std::string other = path + "_other";
    std::ofstream(other) << "old\n";
    EXPECT_EQ(Status::ok, log_open(other.c_str()));
    RP_LOG_NOTICE("moved");
    std::string text = file_text(other);
    EXPECT_EQ(0u, text.find("old\n"));
    EXPECT_NE(std::string::npos, text.find("moved"));
    EXPECT_EQ("", written());
    unlink(other.c_str());
}

TEST_F(Log, ErrnoSurvivesALine) {
    errno = EPIPE;
    RP_LOG_NOTICE("x");
    EXPECT_EQ(EPIPE, errno);
}

TEST_F(Log, ThreadsNeverMixLinesEvenWhileTheFileChanges) {
    constexpr int kThreads = 4, kLines = 300;
    std::string other = path + "_other";
    std::vector<std::thread> writers;
    for (int t = 0; t < kThreads; t++) {
        writers.emplace_back([t] {
            for (int i = 0; i < kLines; i++)
                RP_LOG_NOTICE("<%d:%d:%0100d>", t, i, i);
        });
    }
    for (int i = 0; i < 50; i++) {
        EXPECT_EQ(Status::ok, log_open(i % 2 == 0 ? other.c_str() : path.c_str()));
    }
    for (std::thread& writer : writers)
        writer.join();
    std::string text = written() + file_text(other);
    int lines = 0;
    for (size_t at = 0; at < text.size(); lines++) {
        size_t end = text.find('\n', at);
        ASSERT_NE(std::string::npos, end);
        std::string line = text.substr(at, end - at);
        EXPECT_EQ(line.find('<'), line.rfind('<'));
        EXPECT_EQ('>', line.back());
        at = end + 1;
    }
    EXPECT_EQ(kThreads * kLines, lines);
    unlink(other.c_str());
}

// ---- shapes -----------------------------------------------------------------------------------

static std::string shaped(LogFormat format, const std::string& text) {
    char out[kLogShapedMax];
    size_t n = log_shape(format, LogLevel::warning, 1795408335007, text.data(), text.size(), out);
    return std::string(out, n);
}

// What JSON says between the quotes of "msg".
static std::string json_text(const std::string& text) {
    std::string line = shaped(LogFormat::json, text);
    std::string head = "{\"ts\":\"2026-11-23T04:32:15.007Z\",\"level\":\"warning\",\"pid\":" +
                       std::to_string(getpid()) + ",\"msg\":\"";
    EXPECT_EQ(head, line.substr(0, head.size()));
    EXPECT_EQ("\"}\n", line.substr(line.size() - 3));
    return line.substr(head.size(), line.size() - head.size() - 3);
}

TEST(LogShape, JsonEscapesWhatWouldEndAString) {
    EXPECT_EQ("plain \xC3\xA4 \xF0\x9F\xA5\x94", json_text("plain \xC3\xA4 \xF0\x9F\xA5\x94"));
    EXPECT_EQ("a\\\"b\\\\c", json_text("a\"b\\c"));
    EXPECT_EQ("\\u000a\\u000d\\u0009\\u001b\\u007f", json_text("\n\r\t\x1b\x7f"));
    EXPECT_EQ("\\u0085\\u009b", json_text("\xC2\x85\xC2\x9B"));
}

TEST(LogShape, JsonReplacesWhatIsNotUtf8) {
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(bad + "a", json_text("\xFF"
                                   "a"));
    EXPECT_EQ(bad + bad, json_text("\xC0\x80"));                      // too long a form of NUL
    EXPECT_EQ(bad + bad + bad, json_text("\xED\xA0\x80"));            // half a surrogate pair
    EXPECT_EQ(bad + bad, json_text("\xE2\x82"));                      // cut short
    EXPECT_EQ(bad + bad + bad + bad, json_text("\xF4\x90\x80\x80"));  // beyond U+10FFFF
}

TEST(LogShape, LogfmtIsOneLineOfPairs) {
    EXPECT_EQ("ts=2026-11-23T04:32:15.007Z level=warning pid=" + std::to_string(getpid()) +
                  " msg=\"x=\\\"1\\\" level=debug\\u000a\"\n",
              shaped(LogFormat::logfmt, "x=\"1\" level=debug\n"));
}

TEST(LogShape, TheWorstTextFits) {
    for (LogFormat format : {LogFormat::redis, LogFormat::logfmt, LogFormat::json}) {
        std::string line = shaped(format, std::string(4000, '\x01'));
        EXPECT_LT(line.size(), kLogShapedMax);
        EXPECT_EQ('\n', line.back());
    }
}

TEST_F(Log, ReopenFollowsTheName) {
    std::string old = path + "_old";
    RP_LOG_NOTICE("before");
    ASSERT_EQ(0, rename(path.c_str(), old.c_str()));
    RP_LOG_NOTICE("between");
    EXPECT_EQ(Status::ok, log_reopen());
    RP_LOG_NOTICE("after");
    EXPECT_NE(std::string::npos, file_text(old).find("between"));
    EXPECT_NE(std::string::npos, written().find("after"));
    EXPECT_EQ(std::string::npos, file_text(old).find("after"));
    unlink(old.c_str());
}

// ---- the queue --------------------------------------------------------------------------------

TEST_F(Log, TheQueueKeepsOrderAndCountsWhatItLoses) {
    log_set_quiet(true);
    log_queue_start();
    for (size_t i = 0; i < kLogQueueLines + 5; i++)
        RP_LOG_NOTICE("%zu", i);
    LogLine r;
    for (size_t i = 0; i < kLogQueueLines; i++) {
        ASSERT_TRUE(log_queue_take(&r, 0));
        EXPECT_EQ(std::to_string(i), std::string(r.text, r.len));
        EXPECT_EQ(0u, r.lost);
    }
    EXPECT_FALSE(log_queue_take(&r, 0));
    RP_LOG_WARNING("a\nb");
    ASSERT_TRUE(log_queue_take(&r, 0));
    EXPECT_EQ(5u, r.lost);
    EXPECT_EQ("a b", std::string(r.text, r.len));
    EXPECT_EQ(LogLevel::warning, r.level);
    log_queue_stop();
    EXPECT_EQ("", written());
}

TEST_F(Log, ATakerIsWokenByALineAndByWake) {
    log_queue_start();
    LogLine r = {};
    std::thread taker([&] { EXPECT_TRUE(log_queue_take(&r, 60000)); });
    RP_LOG_NOTICE("here");
    taker.join();
    EXPECT_EQ("here", std::string(r.text, r.len));
    log_queue_wake();  // before anybody waits: the next one comes back
    EXPECT_FALSE(log_queue_take(&r, 60000));
    log_queue_stop();
}

}  // namespace rp
