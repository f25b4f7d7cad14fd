// What the log hears of RESTORE, and what it does when it is told again.
#include "base/random.h"
#include "persist/rdb_write.h"
#include "replay.h"

namespace rp::test {

struct RestoreTest : ::testing::Test {
    EngineFixture engine;
    Client c{&engine};
    MemoryLog log;
    std::string payload;  // of the string "v"
    RestoreTest() {
        clock_fake_ms(10000);
        c.worker.voice.journal = &log;
        Out out;
        rdb_payload(&out, Type::string, "v", nullptr, true);
        payload = out_text(&out);
    }
    ~RestoreTest() override { clock_fake_ms(0); }
    std::string said(std::vector<std::string> words) {
        words.insert(words.begin() + 3, payload);
        std::string reply = c.run(words);
        std::string text = log.said();
        size_t at = text.find(payload);
        return at == std::string::npos ? text : text.replace(at, payload.size(), "P");
    }
};

TEST_F(RestoreTest, IsSaidWithAnAbsoluteExpiryAndReplaces) {
    EXPECT_EQ("RESTORE k 0 P REPLACE ABSTTL", said({"RESTORE", "k", "0"}));
    EXPECT_EQ("-", said({"RESTORE", "k", "0"}));
    EXPECT_EQ("RESTORE k 10010 P REPLACE ABSTTL", said({"restore", "k", "10", "replace"}));
    EXPECT_EQ("RESTORE n 20000 P REPLACE ABSTTL", said({"RESTORE", "n", "20000", "ABSTTL"}));
    EXPECT_EQ("RESTORE i 0 P REPLACE ABSTTL IDLETIME 7",
              said({"RESTORE", "i", "0", "IDLETIME", "7"}));
    EXPECT_EQ("RESTORE f 0 P REPLACE ABSTTL FREQ 4",
              said({"RESTORE", "f", "0", "FREQ", "3", "FREQ", "4"}));
}

TEST_F(RestoreTest, OfWhatIsNoMoreADeletionIsSaidIfAnything) {
    EXPECT_EQ("-", said({"RESTORE", "k", "5", "ABSTTL"}));
    EXPECT_EQ("SET k v", (c("SET k v"), log.said()));
    EXPECT_EQ("DEL k", said({"RESTORE", "k", "5", "ABSTTL", "REPLACE"}));
    EXPECT_EQ(c("EXISTS k"), ":0\r\n");
}

// It was there when it was said; a PERSIST may follow.
TEST_F(RestoreTest, ToldAgainLaterTheKeyIsThere) {
    c.session.replay = true;
    said({"RESTORE", "k", "5", "REPLACE", "ABSTTL"});
    c("PERSIST k");
    c.session.replay = false;
    EXPECT_EQ(c("GET k"), "$1\r\nv\r\n");
}

}  // namespace rp::test
