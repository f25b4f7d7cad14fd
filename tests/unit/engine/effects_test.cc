// What the log hears of each command: word by word, and by the oracle (I9): whatever was done,
// replaying the log up to a number gives the state that existed at that number.
#include "base/random.h"
#include "conf/config.h"
#include "mem/mem.h"
#include "random_commands.h"
#include "replay.h"
#include "store/expire.h"

#include <atomic>
#include <set>
#include <thread>

namespace rp::test {

constexpr int64_t kStartMs = 1'700'000'000'000;

// ---- word by word -----------------------------------------------------------------------------

struct EffectTest : ::testing::Test {
    EngineFixture engine;
    Client c{&engine};
    MemoryLog log;
    EffectTest() {
        clock_fake_ms(10000);
        c.worker.voice.journal = &log;
    }
    ~EffectTest() override { clock_fake_ms(0); }
    void expect(std::initializer_list<std::pair<const char*, const char*>> lines) {
        for (const auto& [line, said] : lines) {
            std::string reply = c(line);
            EXPECT_EQ(log.said(), said) << line << " replied " << reply;
        }
    }
};

TEST_F(EffectTest, SetIsPlainOrHasAnAbsoluteExpiry) {
    expect({{"SET k v", "SET k v"},
            {"set k v EX 10", "SET k v PXAT 20000"},
            {"SET k v PX 10", "SET k v PXAT 10010"},
            {"SET k v EXAT 30", "SET k v PXAT 30000"},
            {"SET k v PXAT 5", "SET k v PXAT 5"},
            {"SET k v NX", "DEL k | SET k v"},
            {"SET k v XX GET", "SET k v"},
            {"SET k v NX", "-"},
            {"SET k w KEEPTTL", "SET k w"},
            {"EXPIRE k 100", "PEXPIREAT k 110000"},
            {"SET k x KEEPTTL", "SET k x PXAT 110000"},
            {"SETEX k 10 v", "SET k v PXAT 20000"},
            {"PSETEX k 10 v", "SET k v PXAT 10010"},
            {"SETNX k v", "-"},
            {"SETNX n v", "SETNX n v"},
            {"GETSET n w", "GETSET n w"},
            {"MSET a 1 b 2", "MSET a 1 b 2"},
            {"MSETNX c 1 a 2", "-"},
            {"MSETNX c 1 d 2", "MSETNX c 1 d 2"},
            {"SET k v EX 0", "-"}});
}

TEST_F(EffectTest, GetexIsWhatItDidToTheExpiry) {
    expect({{"SET k v", "SET k v"},
            {"GETEX k", "-"},
            {"GETEX k PERSIST", "-"},
            {"GETEX k EX 10", "PEXPIREAT k 20000"},
            {"GETEX k PXAT 30001", "PEXPIREAT k 30001"},
            {"GETEX k PERSIST", "PERSIST k"},
            {"GETEX k EXAT 1", "DEL k"},
            {"GETEX k EX 10", "-"},
            {"SET k v", "SET k v"},
            {"GETDEL k", "DEL k"},
            {"GETDEL k", "-"}});
}

TEST_F(EffectTest, ExpiryIsAbsoluteAndInThePastADeletion) {
    expect({{"SET k v", "SET k v"},
            {"EXPIRE k 1", "PEXPIREAT k 11000"},
            {"PEXPIRE k 1", "PEXPIREAT k 10001"},
            {"EXPIREAT k 20", "PEXPIREAT k 20000"},
            {"PEXPIREAT k 20001 GT", "PEXPIREAT k 20001"},
            {"PEXPIREAT k 20001 NX", "-"},
            {"PERSIST k", "PERSIST k"},
            {"PERSIST k", "-"},
            {"EXPIRE k -1", "DEL k"},
            {"EXPIRE k 10", "-"},
            {"SET k v", "SET k v"},
            {"PEXPIREAT k 10000", "DEL k"}});
}

TEST_F(EffectTest, SumsOfIntegersAreReplayedAndThoseOfFloatsAreNot) {
    expect({{"INCR k", "INCR k"},
            {"DECRBY k 5", "DECRBY k 5"},
            {"INCRBYFLOAT k 0.1", "SET k -3.9 KEEPTTL"},
            {"INCRBYFLOAT f 1e-7", "SET f 0.0000001 KEEPTTL"},
            {"INCR f", "-"},
            {"APPEND f x", "APPEND f x"},
            {"SETRANGE f 1 yy", "SETRANGE f 1 yy"},
            {"SETRANGE f 1 ", "-"}});
}

TEST_F(EffectTest, KeysAndDatabasesAreSaidAsTheyWere) {
    expect({{"MSET a 1 b 2 c 3", "MSET a 1 b 2 c 3"},
            {"RENAME a d", "RENAME a d"},
            {"RENAME d d", "-"},
            {"RENAMENX d b", "-"},
            {"RENAMENX d e", "RENAMENX d e"},
            {"COPY e f DB 1", "COPY e f DB 1"},
            {"COPY e b REPLACE", "COPY e b REPLACE"},
            {"MOVE e 1", "MOVE e 1"},
            {"UNLINK b nothing", "UNLINK b nothing"},
            {"SWAPDB 0 1", "SWAPDB 0 1"},
            {"SWAPDB 1 1", "-"},
            {"SELECT 1", ""},
            {"SET k v", "@1 SET k v"},
            {"FLUSHDB", "@1 FLUSHDB"},
            {"FLUSHDB", "-@1 "},
            {"FLUSHALL ASYNC", "@1 FLUSHALL ASYNC"}});
}

TEST_F(EffectTest, OfListsAPopFromSeveralNamesItsKey) {
    expect({{"RPUSH l a b c d e", "RPUSH l a b c d e"},
            {"LPUSHX nothing a", "-"},
            {"LPOP l", "LPOP l"},
            {"RPOP l 0", "-"},
            {"LMPOP 2 nothing l RIGHT", "RPOP l 1"},
            {"LMPOP 1 l LEFT COUNT 2", "LPOP l 2"},
            {"LMPOP 1 nothing LEFT", "-"},
            {"LMOVE l l LEFT LEFT", "LMOVE l l LEFT LEFT"},
            {"RPOPLPUSH l m", "RPOPLPUSH l m"},
            {"LTRIM m 0 -1", "-"},
            {"LTRIM m 1 0", "LTRIM m 1 0"}});
}

TEST_F(EffectTest, OfHashesASumOfFloatsIsAField) {
    expect({{"HSET h f 1 g 2", "HSET h f 1 g 2"},
            {"HSETNX h f 2", "-"},
            {"HINCRBY h f 2", "HINCRBY h f 2"},
            {"HINCRBYFLOAT h f 0.1", "HSET h f 3.1"},
            {"HINCRBYFLOAT h x 0.1", "HSET h x 0.1"},
            {"HINCRBYFLOAT h f x", "-"},
            {"HDEL h nothing", "-"},
            {"HDEL h f g x", "HDEL h f g x"}});
}

TEST_F(EffectTest, OfSetsChanceIsToldByItsOutcome) {
    auto popped = [&](const char* line, size_t words) {
        std::string reply = c(line);
        std::string said = log.said();
        EXPECT_EQ(said.substr(0, 7), "SREM s ") << said;
        EXPECT_EQ(static_cast<size_t>(std::count(said.begin(), said.end(), ' ')), words + 1)
            << said;
    };
    c("SADD s 1 2 3 4 5 6 7 8 9 a b c d e f");
    log.said();
    popped("SPOP s", 1);
    popped("SPOP s 2", 2);
    popped("SPOP s 11", 11);  // most of it
    expect({{"SPOP s 0", "-"},
            {"SPOP s 5", "DEL s"},
            {"SPOP s 5", "-"},
            {"SPOP s", "-"},
            {"SADD s x", "SADD s x"},
            {"SPOP s", "SREM s x"},
            {"SADD s 1 2", "SADD s 1 2"},
            {"SMOVE s t 1", "SMOVE s t 1"},
            {"SMOVE s t 7", "-"},
            {"SUNIONSTORE d s t", "SUNIONSTORE d s t"},
            {"SINTERSTORE nothing s t", "-"}});
}

TEST_F(EffectTest, OfSortedSetsAPopFromSeveralNamesItsKey) {
    expect({{"ZADD z 1 a 2 b 3 c 4 d", "ZADD z 1 a 2 b 3 c 4 d"},
            {"ZADD z NX 5 a", "-"},
            {"ZADD z INCR 0.1 a", "ZADD z INCR 0.1 a"},
            {"ZINCRBY z 0.2 a", "ZINCRBY z 0.2 a"},
            {"ZMPOP 2 nothing z MIN", "ZPOPMIN z 1"},
            {"ZMPOP 1 z MAX COUNT 2", "ZPOPMAX z 2"},
            {"ZMPOP 1 nothing MAX", "-"},
            {"ZPOPMIN z 0", "-"},
            {"ZPOPMIN z 5", "ZPOPMIN z 5"},
            {"ZUNIONSTORE d 1 z", "-"}});
}

TEST_F(EffectTest, ATransactionAcrossDatabasesIsOneRecord) {
    expect({{"MULTI", ""},
            {"SET a 1 PX 5", ""},
            {"SELECT 2", ""},
            {"INCRBYFLOAT a 1", ""},
            {"SELECT 0", ""},
            {"GETDEL a", ""},
            {"EXEC",
             "MULTI | SET a 1 PXAT 10005 | SELECT 2 | SET a 1 KEEPTTL | SELECT 0 | DEL a | EXEC"}});
}

TEST_F(EffectTest, ABigValueIsLoggedByReference) {
    std::string big(100000, 'x');
    Blob* blob = blob_new(big.size());
    memcpy(blob->data, big.data(), big.size());
    blob->len = big.size();
    Bytes argv[] = {"SET", "k", blob_bytes(blob), "EX", "10"};
    Command cmd = {.argv = argv, .argc = 5, .big = blob, .big_index = 2, .wire_bytes = 0};
    log.submit = [](Journal*, LogBatch* take) {
        size_t copied = 0;
        for (const OutChunk* chunk = take->bytes.head; chunk != nullptr; chunk = chunk->next) {
            if (chunk->blob == nullptr) copied += chunk->len;
        }
        EXPECT_LT(copied, 200u);
        EXPECT_GT(take->bytes.bytes, 100000u);
        log_batch_free(take);
    };
    execute(&c.session, &cmd);
    out_clear(&c.session.out);
    blob_unref(blob);
}

TEST_F(EffectTest, DebugPopulateIsAsManyRecords) {
    engine.config->enable_debug_command = 1;
    expect({{"DEBUG POPULATE 2 p", "SET p:0 value:0 || SET p:1 value:1"}});
}

TEST_F(EffectTest, WhoeverPingsHearsThatWritesAreRefusedAsInRedis) {
    log.refuses = true;
    EXPECT_EQ(c("PING"), "-MISCONF Errors writing to the AOF file: No space left\r\n");
    EXPECT_EQ(c("ECHO x"), "$1\r\nx\r\n");
    log.refuses = false;
    EXPECT_EQ(c("PING"), "+PONG\r\n");
}

// Payloads are in the tests of DUMP and RESTORE.
static const std::set<std::string> kTriedElsewhere = {"RESTORE"};

TEST(Effects, EveryCommandThatWritesIsAmongTheRandomOnes) {
    engine_register_commands();
    std::set<std::string> tried = kTriedElsewhere;
    RandomCommands r(1);
    for (int i = 0; i < 50000; i++) {
        std::string name = r.command()[0];
        std::transform(name.begin(), name.end(), name.begin(), ascii_upper);
        tried.insert(name);
    }
    for (size_t i = 0; i < command_top_count(); i++) {
        if (!(command_at(i)->flags & kCmdWrite)) continue;
        EXPECT_EQ(tried.count(command_at(i)->name), 1u) << command_at(i)->name;
    }
}

// ---- the oracle -------------------------------------------------------------------------------

static uint64_t fresh_seed() {
    uint64_t seed = std::random_device()();
    if (const char* given = getenv("RP_SEED")) seed = strtoull(given, nullptr, 10);
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return seed;
}

static int rounds(int normally) {
    const char* given = getenv("RP_ROUNDS");
    return given != nullptr ? atoi(given) : normally;
}

static std::string line_of(const Words& words) {
    std::string line;
    for (const std::string& w : words)
        line += w.substr(0, 40) + " ";
    return line;
}

// Now and then everything, or a part, has to go before the next write.
static void squeeze(EngineFixture* f, RandomCommands* r, uint64_t one_in) {
    bool on = r->below(one_in) == 0;
    int64_t limit = r->below(2) == 0 ? 1 : mem_used() - static_cast<int64_t>(r->below(2000));
    f->config->maxmemory.store(on ? limit : 0, std::memory_order_relaxed);
}

TEST(Effects, OfOneClientEveryCommandReplaysToTheSameState) {
    uint64_t seed = fresh_seed();
    random_seed(seed);
    RandomCommands r(seed);
    EngineFixture live("maxmemory-policy allkeys-random\n");
    Client c(&live);
    MemoryLog log;
    Player player;
    std::string said;
    int64_t now = kStartMs;
    c.worker.voice.journal = &log;
    for (int i = 0; i < rounds(2500); i++) {
        clock_fake_ms(now += static_cast<int64_t>(r.below(4)));
        std::string lines;
        squeeze(&live, &r, 150);
        for (const Words& words : r.run()) {
            lines += line_of(words) + "\n";
            c.run(words);
        }
        live.config->maxmemory = 0;
        if (r.below(50) == 0) {
            expire_crawl(&live.e->core.store, c.worker.slot, &c.worker.stats, &c.worker.voice, 0);
        }
        State before = state_of(live.e, c.worker.slot);
        clock_fake_ms(kStartMs + 1'000'000'000);  // no clock is needed to replay
        player.play_to(log.records, UINT64_MAX);
        std::string differs = difference(before, player.state());
        ASSERT_EQ(differs, "") << "after\n" << lines << "which said " << log.said();
        log.said();
    }
    log.merged();
    clock_fake_ms(0);
}

// ---- several threads --------------------------------------------------------------------------

// Runs what it is given in batches, as a connection does.
static void run_batch(Session* s, const std::vector<Words>& commands) {
    std::vector<std::vector<Bytes>> argv(commands.size());
    std::vector<Command> batch(commands.size());
    for (size_t i = 0; i < commands.size(); i++) {
        for (const std::string& w : commands[i])
            argv[i].push_back({w.data(), w.size()});
        batch[i].argv = argv[i].data();
        batch[i].argc = argv[i].size();
    }
    size_t done = 0, ran = 0;
    while (done < batch.size()) {
        execute_batch(s, &batch[done], std::min(batch.size() - done, kBatchMax), &ran);
        done += ran;
        out_clear(&s->out);
    }
}

struct Checkpoint {
    uint64_t seq;
    State state;
};

struct Crowd {
    EngineFixture live{"maxmemory-policy allkeys-random\n"};
    MemoryLog log;
    std::atomic<int> busy{0};
    std::atomic<int64_t> now{kStartMs};

    void writer(uint64_t seed, int n) {
        {
            Client c(&live);
            RandomCommands r(seed);
            c.worker.voice.journal = &log;
            for (int i = 0; i < n; i++) {
                std::vector<Words> commands;
                for (uint64_t k = r.below(6); k > 0; k--)
                    for (Words& words : r.run())
                        commands.push_back(std::move(words));
                if (r.below(4) == 0) clock_fake_ms(++now);
                run_batch(&c.session, commands);
                EXPECT_EQ(c.worker.voice.batch, nullptr) << "J3";
                EXPECT_LT(c.session.rests_on, log.next_seq.load());
            }
        }
        busy--;
    }

    // The state of an instant at which nobody executes, and the last number drawn.
    Checkpoint look(EpochSlot* slot) {
        Gate* gate = &live.e->core.store.gate;
        Checkpoint at;
        gate_close(gate, slot);
        at.seq = log.next_seq.load() - 1;
        {
            std::lock_guard<std::mutex> guard(log.lock);
            EXPECT_EQ(log.records.size(), at.seq) << "J4";
        }
        at.state = state_of(live.e, slot);
        gate_open(gate, slot);
        return at;
    }

    // Time, expiry, memory pressure and checkpoints, until the writers are done.
    std::vector<Checkpoint> watch(uint64_t seed) {
        Client c(&live);
        RandomCommands r(seed);
        c.worker.voice.journal = &log;
        std::vector<Checkpoint> seen;
        while (busy != 0) {
            clock_fake_ms(now += static_cast<int64_t>(r.below(3)));
            squeeze(&live, &r, 8);
            expire_crawl(&live.e->core.store, c.worker.slot, &c.worker.stats, &c.worker.voice, 50);
            seen.push_back(look(c.worker.slot));
        }
        live.config->maxmemory = 0;
        seen.push_back(look(c.worker.slot));
        return seen;
    }
};

TEST(Effects, OfManyThreadsEveryPrefixOfTheLogIsAStateThatExisted) {
    constexpr int kWriters = 3;
    uint64_t seed = fresh_seed();  // of the commands; the interleaving is its own
    Crowd crowd;
    clock_fake_ms(kStartMs);
    std::vector<std::thread> writers;
    crowd.busy = kWriters;
    for (int i = 0; i < kWriters; i++)
        writers.emplace_back(
            [&, i] { crowd.writer(seed + static_cast<uint64_t>(i), rounds(3000)); });
    std::vector<Checkpoint> seen = crowd.watch(seed + kWriters);
    for (std::thread& t : writers)
        t.join();
    std::vector<LoggedRecord> records = crowd.log.merged();
    clock_fake_ms(kStartMs + 1'000'000'000);
    Player player;
    uint64_t last = UINT64_MAX;
    for (const Checkpoint& at : seen) {
        if (at.seq == last) continue;
        last = at.seq;
        player.play_to(records, at.seq);
        ASSERT_EQ(difference(at.state, player.state()), "") << "at number " << at.seq;
    }
    printf("%zu records, %zu checkpoints\n", records.size(), seen.size());
    EXPECT_GT(seen.size(), 10u);
    clock_fake_ms(0);
}

}  // namespace rp::test
