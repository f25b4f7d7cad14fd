// I8: whatever is done while a snapshot is written, the file holds the state of the cut. Several
// threads run random commands; the state at the cut is read behind the closed gate, and compared
// with what a fresh engine loads from the file. RP_SEED=<n> repeats the commands (the interleaving
// is its own), RP_ROUNDS=<n> makes it longer.
#include <thread>

#include "base/random.h"
#include "conf/config.h"
#include "mem/mem.h"
#include "store/expire.h"
#include "unit/engine/random_commands.h"
#include "unit/persist/snapshot_kit.h"

namespace rp::test {

namespace {

constexpr int64_t kStartMs = 1'700'000'000'000;
constexpr int kWriters = 3;
constexpr int kCounters = 400;
constexpr int kKeys = 40;  // of each type, and at their best three databases: a walk takes a while

uint64_t fresh_seed() {
    uint64_t seed = std::random_device()();
    if (const char* given = getenv("RP_SEED")) seed = strtoull(given, nullptr, 10);
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return seed;
}

int rounds(int normally) {
    const char* given = getenv("RP_ROUNDS");
    return given != nullptr ? atoi(given) : normally;
}

// Something so large that a write waits for the snapshot instead of copying it.
Words large(RandomCommands* r) {
    uint64_t type = r->below(5);
    if (type == 4) return {"SETRANGE", r->key("s"), "1100000", r->value()};
    Words words = type == 0   ? Words{"RPUSH", r->key("l")}
                  : type == 1 ? Words{"HSET", r->key("h")}
                  : type == 2 ? Words{"SADD", r->key("t")}
                              : Words{"ZADD", r->key("z")};
    for (int i = 0; i < 3000; i++) {
        if (type == 3) words.push_back("0." + r->number(1000));
        words.push_back("element-" + r->number(100000));
        if (type == 1) words.push_back(r->value());
    }
    return words;
}

struct Crowd {
    EngineFixture live{"maxmemory-policy allkeys-random\n"};
    SimPtr disk = sim_new();
    std::atomic<int> busy{0};
    std::atomic<int64_t> now{kStartMs};
    std::atomic<int> waits{0};
    std::vector<std::pair<std::string, State>> taken;
    bool may_squeeze = true;
    int cancelled = 0, overtaken = 0;

    // What changes in place, and keys that come and go, as fast as it goes.
    void count(uint64_t seed, int n) {
        {
            Client c(&live);
            RandomCommands r(seed);
            for (int i = 0; i < n; i++) {
                std::string key = "c" + r.number(kCounters);
                uint64_t which = r.below(16);
                if (which == 0)
                    c.run({"SET", key, "1", "PXAT", "99999999999999"});
                else if (which == 1)
                    c.run({"DEL", key});
                else if (which < 6)
                    c.run({"PEXPIREAT", key, "9999999999" + r.number(9999)});
                else
                    c.run({"INCR", key});
            }
        }
        busy--;
    }

    void write(uint64_t seed, int n) {
        {
            PatientClient c(&live);
            RandomCommands r(seed);
            r.keys = kKeys;
            for (int i = 0; i < n; i++) {
                if (r.below(200) == 0) c.run_patiently(large(&r));
                for (const Words& words : r.run())
                    c.run_patiently(words);
                if (r.below(4) == 0) clock_fake_ms(++now);
            }
            waits += c.pauses;
        }
        busy--;
    }

    // Now and then everything, or a part, has to go before the next write.
    void squeeze(RandomCommands* r) {
        bool on = may_squeeze && r->below(8) == 0;
        int64_t limit = r->below(4) == 0 ? 1 : mem_used() - static_cast<int64_t>(r->below(2000));
        live.config->maxmemory.store(on ? limit : 0, std::memory_order_relaxed);
    }

    void shoot(RandomCommands* r, Client* c) {
        Shot shot(&live, disk.get(), "dump-" + std::to_string(taken.size()) + ".rdb");
        bool cancel = r->below(6) == 0;
        shot.start();
        for (uint64_t i = r->below(4); i > 0; i--) {
            clock_fake_ms(now += static_cast<int64_t>(r->below(3)));
            squeeze(r);
            expire_crawl(&live.e->core.store, c->worker.slot, &c->worker.stats, nullptr, 50);
        }
        if (cancel) snapshot_cancel(shot.s);
        bool ok = shot.finish();
        overtaken += shot.end.saved_bytes_peak != 0;
        if (ok) {
            taken.emplace_back(shot.name, std::move(shot.at_cut));
        } else {
            EXPECT_TRUE(cancel);
            cancelled++;
        }
    }

    using Writer = void (Crowd::*)(uint64_t seed, int n);
    void run(Writer writer, uint64_t seed, int n) {
        sim_mkdir(disk.get(), kSnapshotDir);
        clock_fake_ms(kStartMs);
        std::vector<std::thread> writers;
        busy = kWriters;
        for (uint64_t i = 0; i < kWriters; i++)
            writers.emplace_back([=, this] { (this->*writer)(seed + i, n); });
        RandomCommands r(seed + kWriters);
        r.keys = kKeys;
        {
            Client c(&live);
            while (busy != 0)
                shoot(&r, &c);
        }
        for (std::thread& t : writers)
            t.join();
        clock_fake_ms(1);  // nothing has expired when the files are loaded
    }
};

void check(Crowd::Writer writer, int normally) {
    uint64_t seed = fresh_seed();
    random_seed(seed);
    Crowd crowd;
    crowd.may_squeeze = writer != &Crowd::count;
    crowd.run(writer, seed, rounds(normally));
    FileOps files = sim_ops(crowd.disk.get());
    size_t keys = 0;
    for (const auto& [name, state] : crowd.taken) {
        std::string why;
        State loaded = loaded_state(&files, name, &why);
        ASSERT_EQ(why, "");
        ASSERT_EQ(difference(state, loaded), "") << name;
        keys += state.size();
    }
    clock_fake_ms(0);
    printf("%zu snapshots of %zu keys, %d cancelled; writers were faster in %d, waited %d times\n",
           crowd.taken.size(), keys, crowd.cancelled, crowd.overtaken, crowd.waits.load());
    EXPECT_GT(crowd.taken.size(), 3u);
    EXPECT_GT(crowd.overtaken, 3);
}

}  // namespace

TEST(SnapshotOracle, TheFileHoldsTheStateOfTheCutWhateverIsWrittenMeanwhile) {
    check(&Crowd::write, 3000);
}

TEST(SnapshotOracle, CountersAndExpiriesAreThoseOfTheCut) { check(&Crowd::count, 30000); }

}  // namespace rp::test
