#include "store/journal.h"

#include "../cmd/harness.h"
#include "memory_log.h"
#include "store/expire.h"

namespace rp::test {

struct JournalTest : ::testing::Test {
    TestEngine e;
    Client c{&e};
    MemoryLog log;
    Access a;
    JournalTest() {
        c.worker.voice.journal = &log;
        a.store = &e.core.store;
        a.slot = c.worker.slot;
        a.stats = &c.worker.stats;
        a.log = &c.worker.voice;
        a.locked = true;
    }
    ~JournalTest() override { clock_fake_ms(0); }
    void add(std::initializer_list<Bytes> words) {
        record_add(&a, words.begin(), words.size(), nullptr, 0);
    }
    std::string only_bytes() {
        journal_submit(a.log);
        std::vector<LoggedRecord> all = log.merged();
        EXPECT_EQ(all.size(), 1u);
        return all.empty() ? "" : all[0].bytes;
    }
};

TEST_F(JournalTest, ACommandIsKeptAsRedisWritesIt) {
    record_open(&a);
    add({"SET", "k", Bytes("\0\r\n", 3)});
    record_close(&a);
    EXPECT_EQ(only_bytes(), std::string("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\0\r\n\r\n", 29));
}

TEST_F(JournalTest, AnOpenRecordWithoutCommandsIsEmptyAndStillSubmitted) {
    record_open(&a);
    record_close(&a);
    record_open(&a);
    record_multi(&a);
    record_close(&a);
    EXPECT_EQ(journal_submit(a.log), 2u);
    EXPECT_EQ(log.said(), "- || -");
}

TEST_F(JournalTest, AnotherDatabaseIsSelectedInsideTheRecord) {
    Access other = a;
    other.db = 3;
    record_open(&a);
    add({"A"});
    record_add(&other, (const Bytes[]){"B"}, 1, nullptr, 0);
    add({"C"});
    record_close(&a);
    journal_submit(a.log);
    std::vector<LoggedRecord> all = log.merged();
    EXPECT_EQ(all[0].first_db, 0u);
    EXPECT_EQ(all[0].last_db, 0u);
    EXPECT_EQ(log.said(), "A | SELECT 3 | B | SELECT 0 | C");
}

TEST_F(JournalTest, TheFirstDatabaseIsThatOfTheFirstCommand) {
    Access other = a;
    other.db = 3;
    record_open(&a);
    record_multi(&a);
    record_delete(&other, "k");
    record_close(&a);
    journal_submit(a.log);
    EXPECT_EQ(log.merged()[0].first_db, 3u);
    EXPECT_EQ(log.merged()[0].last_db, 3u);
    EXPECT_EQ(log.said(), "@3 MULTI | DEL k | EXEC");
}

TEST_F(JournalTest, WithoutAnOpenRecordACommandIsOneNoReplyRestsOn) {
    record_delete(&a, "k");
    EXPECT_EQ(journal_submit(a.log), 0u);
    record_open(&a);
    add({"A"});
    record_close(&a);
    record_delete(&a, "k");
    EXPECT_EQ(journal_submit(a.log), 2u);
    EXPECT_EQ(log.said(), "DEL k || A || DEL k");
    EXPECT_EQ(journal_submit(a.log), 0u);
}

TEST_F(JournalTest, ManyRecordsAndLongWordsAreOneBatch) {
    std::string word(100000, 'x');
    for (int i = 0; i < 1000; i++) {
        record_open(&a);
        add({"SET", {word.data(), static_cast<size_t>(i * 100)}, "v"});
        record_close(&a);
    }
    EXPECT_EQ(journal_submit(a.log), 1000u);
    EXPECT_EQ(log.batches, 1u);
    std::vector<LoggedRecord> all = log.merged();
    for (size_t i = 0; i < all.size(); i++) {
        std::vector<Words> said = commands_of(all[i].bytes);
        ASSERT_EQ(said.size(), 1u);
        EXPECT_EQ(said[0][1], word.substr(0, i * 100));
    }
    EXPECT_EQ(log.waiting_bytes.load(), 0u);
}

TEST_F(JournalTest, ACommandCanBeSaidWordByWord) {
    record_open(&a);
    record_begin(&a, 3);
    record_word(&a, "SREM");
    record_word(&a, "k");
    record_word(&a, "");
    record_close(&a);
    EXPECT_EQ(only_bytes(), "*3\r\n$4\r\nSREM\r\n$1\r\nk\r\n$0\r\n\r\n");
}

TEST_F(JournalTest, ABlobIsReferencedNotCopied) {
    Blob* blob = blob_new(kOutBlobMin + 1);
    blob->len = kOutBlobMin + 1;
    memset(blob->data, 'b', blob->len);
    const Bytes words[] = {"SET", "k", bytes_slice(blob_bytes(blob), 1, kOutBlobMin)};
    record_add(&a, words, 3, blob, 2);
    EXPECT_EQ(refs_count(&blob->refs), 2u);
    std::vector<Words> said = commands_of(only_bytes());
    EXPECT_EQ(said[0][2], std::string(kOutBlobMin, 'b'));
    EXPECT_EQ(refs_count(&blob->refs), 1u);
    blob_unref(blob);
}

// ---- who speaks -------------------------------------------------------------------------------

TEST_F(JournalTest, ASilentWorkerDrawsNoNumbers) {
    c.worker.voice.journal = nullptr;
    c("SET k v");
    EXPECT_EQ(log.next_seq.load(), 1u);
    EXPECT_EQ(c.session.rests_on, 0u);
}

TEST_F(JournalTest, AWriteThatChangesNothingIsAnEmptyRecordAndAReadIsNone) {
    c("DEL k");
    c("GET k");
    EXPECT_EQ(log.said(), "-");
    EXPECT_EQ(c.session.rests_on, 1u);
    c("SET k v");
    c("SETNX k w");
    EXPECT_EQ(log.said(), "SET k v || -");
    EXPECT_EQ(c.session.rests_on, 3u);
}

TEST_F(JournalTest, APipelineIsOneBatch) {
    c.pipeline({{"SET", "a", "1"}, {"GET", "a"}, {"INCR", "a"}, {"MSET", "b", "2", "c", "3"}});
    EXPECT_EQ(log.batches, 1u);
    EXPECT_EQ(log.said(), "SET a 1 || INCR a || MSET b 2 c 3");
    EXPECT_EQ(c.session.rests_on, 3u);
}

TEST_F(JournalTest, AReadThatMayTakeLongKeepsNothingBack) {
    c.pipeline({{"SET", "a", "1"}, {"KEYS", "*"}, {"SET", "b", "1"}});
    EXPECT_EQ(log.batches, 2u);
    EXPECT_EQ(c.session.rests_on, 2u);
}

TEST_F(JournalTest, AnExpiredKeyIsDeletedBeforeTheCommandThatMeetsIt) {
    clock_fake_ms(1000);
    c("SET k v PX 10");
    clock_fake_ms(1011);
    c("APPEND k w");
    EXPECT_EQ(log.said(), "SET k v PXAT 1010 || DEL k | APPEND k w");
}

TEST_F(JournalTest, AReaderOfAnExpiredKeySaysSoAndDoesNotWaitForIt) {
    clock_fake_ms(1000);
    c("SET k v PX 10");
    c.session.rests_on = 0;
    clock_fake_ms(1011);
    EXPECT_EQ(c("GET k"), "$-1\r\n");
    EXPECT_EQ(log.said(), "SET k v PXAT 1010 || DEL k");
    EXPECT_EQ(c.session.rests_on, 0u);
}

TEST_F(JournalTest, ScanAndRandomkeySayWhatTheyDelete) {
    clock_fake_ms(1000);
    c.session.db = 2;
    c.pipeline({{"SET", "a", "1", "PX", "10"}, {"SET", "b", "1", "PX", "10"}});
    log.said();
    clock_fake_ms(1011);
    c("SCAN 0 COUNT 100000");
    c("RANDOMKEY");
    std::string said = log.said();
    EXPECT_TRUE(said == "@2 DEL a || @2 DEL b" || said == "@2 DEL b || @2 DEL a") << said;
}

TEST_F(JournalTest, TheCrawlerSaysWhatItDeletes) {
    clock_fake_ms(1000);
    c.session.db = 5;
    c("SET k v PX 10");
    log.said();
    clock_fake_ms(1011);
    auto crawl = [&] {
        return expire_crawl(&e.core.store, c.worker.slot, &c.worker.stats, &c.worker.voice,
                            1000000);
    };
    log.waiting_bytes = log.waiting_max + 1;
    EXPECT_EQ(crawl(), 0u) << "the log is full";
    log.waiting_bytes = 0;
    EXPECT_EQ(crawl(), 1u);
    EXPECT_EQ(log.said(), "@5 DEL k");
}

TEST_F(JournalTest, AnEvictionIsARecordBeforeThatOfTheCommand) {
    c("SET k v");
    log.said();
    e.core.config->maxmemory_policy = 6;  // allkeys-random
    e.core.config->maxmemory = 1;
    EXPECT_EQ(c("SET other v").substr(0, 4), "-OOM");
    EXPECT_EQ(c("DEL other"), ":0\r\n");
    EXPECT_EQ(log.said(), "DEL k || -");
}

TEST_F(JournalTest, WhatIsSaidInOtherDatabasesSelectsThem) {
    clock_fake_ms(1000);
    c.session.db = 1;
    c("SET k old PX 10");
    c.session.db = 0;
    c("SET k v");
    log.said();
    clock_fake_ms(1011);
    c("MOVE k 1");
    EXPECT_EQ(log.said(), "@1 DEL k | SELECT 0 | MOVE k 1");
    EXPECT_EQ(c("COPY k k2 DB 1"), ":0\r\n");
    EXPECT_EQ(log.said(), "-");
}

// ---- transactions -----------------------------------------------------------------------------

TEST_F(JournalTest, ExecIsOneRecordOrNone) {
    c("MULTI");
    c("SET a 1");
    c("GET a");
    c("DEL nothing");
    c("INCR a");
    EXPECT_EQ(log.said(), "");
    c("EXEC");
    EXPECT_EQ(log.said(), "MULTI | SET a 1 | INCR a | EXEC");
    c("MULTI");
    c("DEL nothing");
    c("EXEC");
    EXPECT_EQ(log.said(), "-");
    c("MULTI");
    c("GET a");
    c("EXEC");
    EXPECT_EQ(log.said(), "");
}

TEST_F(JournalTest, AnExecThatFlushesIsOneRecordToo) {
    c("SET a 1");
    c("MULTI");
    c("FLUSHALL");
    c("SET b 1");
    log.said();
    EXPECT_EQ(c("EXEC"), "*2\r\n+OK\r\n+OK\r\n");
    EXPECT_EQ(log.said(), "MULTI | FLUSHALL | SET b 1 | EXEC");
    EXPECT_EQ(c.session.rests_on, log.next_seq.load() - 1);
}

TEST_F(JournalTest, AnExecThatFailsItsWatchSaysNothing) {
    Client other(&e);
    c("SET a 1");
    c("WATCH a");
    other("SET a 2");  // silent
    c("MULTI");
    c("SET a 3");
    log.said();
    EXPECT_EQ(c("EXEC"), "*-1\r\n");
    EXPECT_EQ(log.said(), "-");
}

TEST_F(JournalTest, ExpiryMetByAReadInsideExecIsPartOfItsRecord) {
    clock_fake_ms(1000);
    c("SET k v PX 10");
    log.said();
    clock_fake_ms(1011);
    c("MULTI");
    c("GET k");
    c("SET a 1");
    c("EXEC");
    EXPECT_EQ(log.said(), "MULTI | DEL k | SET a 1 | EXEC");
    c("SET k v PX 10");
    log.said();
    clock_fake_ms(1100);
    c("MULTI");
    c("GET k");
    c("EXEC");
    EXPECT_EQ(log.said(), "DEL k");
}

// ---- a full log, a refusing one ---------------------------------------------------------------

TEST_F(JournalTest, AFullLogHoldsWritesBackAndNothingElse) {
    log.waiting_bytes = log.waiting_max + 1;
    EXPECT_EQ(c("SET k v"), "");
    EXPECT_EQ(c.last, Ran::paused);
    EXPECT_EQ(c("GET k"), "$-1\r\n");
    EXPECT_EQ(c("MULTI"), "+OK\r\n");
    EXPECT_EQ(c("SET k v"), "+QUEUED\r\n");
    EXPECT_EQ(c("EXEC"), "");
    EXPECT_EQ(c.last, Ran::paused);
    log.waiting_bytes = 0;
    EXPECT_EQ(c("EXEC"), "*1\r\n+OK\r\n");
    log.waiting_bytes = log.waiting_max + 1;
    EXPECT_EQ(c.pipeline({{"GET", "k"}, {"SET", "k", "w"}, {"GET", "k"}}), "$1\r\nv\r\n");
    EXPECT_EQ(c.last, Ran::paused);
    log.waiting_bytes = 0;
}

TEST_F(JournalTest, ALogThatRefusesIsAnErrorForWritersAsInRedis) {
    const char* error = "MISCONF Errors writing to the AOF file: No space left\r\n";
    log.refuses = true;
    log.waiting_bytes = log.waiting_max + 1;  // an error rather than a wait
    EXPECT_EQ(c("SET k v"), std::string("-") + error);
    EXPECT_EQ(c("GET k"), "$-1\r\n");
    c("MULTI");
    c("GET k");
    EXPECT_EQ(c("EXEC"), "*1\r\n$-1\r\n");
    log.refuses = false;
    log.waiting_bytes = 0;
    c("MULTI");
    EXPECT_EQ(c("SET k v"), "+QUEUED\r\n");
    log.refuses = true;
    EXPECT_EQ(c("EXEC"), std::string("-EXECABORT Transaction discarded because of: ") + error);
    c("MULTI");
    EXPECT_EQ(c("SET k v"), std::string("-") + error);
    EXPECT_EQ(c("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
    EXPECT_EQ(c("GET k"), "$-1\r\n");
    EXPECT_EQ(log.next_seq.load(), 1u);
}

TEST_F(JournalTest, AnotherReasonRefusesWritesWithoutALog) {
    c.worker.voice.journal = nullptr;
    e.core.refuses_writes = true;
    e.core.hooks.write_refusal = [](Engine*, char* out, size_t size) {
        return static_cast<size_t>(snprintf(out, size, "MISCONF snapshots fail"));
    };
    EXPECT_EQ(c("SET k v"), "-MISCONF snapshots fail\r\n");
    EXPECT_EQ(c("GET k"), "$-1\r\n");
}

// ---- replay -----------------------------------------------------------------------------------

TEST_F(JournalTest, AReplayIsSilentAndNoClockDeletesItsKeys) {
    clock_fake_ms(1000000);
    c.session.replay = true;
    log.refuses = true;
    EXPECT_EQ(c("SET k v PXAT 5"), "+OK\r\n");
    EXPECT_EQ(c("APPEND k w"), ":2\r\n");
    EXPECT_EQ(c("PEXPIREAT k 7"), ":1\r\n");
    EXPECT_EQ(c("PERSIST k"), ":1\r\n");
    EXPECT_EQ(c("GET k"), "$2\r\nvw\r\n");
    EXPECT_EQ(log.next_seq.load(), 1u);
}

}  // namespace rp::test
