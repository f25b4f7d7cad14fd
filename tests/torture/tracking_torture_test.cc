// Clients keep what they read by CLIENT TRACKING while others change it, over several loops' worth
// of threads. Whatever a cache holds when all is quiet is what the store holds.
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "../unit/engine/harness.h"
#include "base/random.h"
#include "engine/tracking.h"

namespace rp::test {

static int rounds() {
    const char* seconds = getenv("RP_TORTURE_SECONDS");
    return (seconds != nullptr ? atoi(seconds) : 2) * 500;
}

constexpr uint64_t kKeys = 24;
constexpr int kReaders = 2;
constexpr int kWriters = 2;

static std::string key_of(uint64_t i) { return "k" + std::to_string(i); }

static std::string word_at(const std::string& bytes, size_t* at) {
    size_t end = bytes.find("\r\n", *at);
    auto len = static_cast<size_t>(atoi(&bytes[*at + 1]));
    std::string word = bytes.substr(end + 2, len);
    *at = end + 4 + len;
    return word;
}

// A client with a cache: absent = it has to ask.
struct Cache {
    Client client;
    std::map<std::string, std::string> kept;
    uint64_t messages = 0, hits = 0;
    Cache(EngineFixture* f, Mailbox* box) : client(f) {
        client.session.mailbox = box;
        client("HELLO 3");
    }

    // Pushes and replies in their order; returns the last reply that is a string or a null.
    std::optional<std::string> parse(const std::string& bytes) {
        std::optional<std::string> reply;
        for (size_t at = 0; at < bytes.size();) {
            if (bytes[at] == '>') {
                at = bytes.find("invalidate\r\n", at) + 12;
                drop(bytes, &at);
                messages++;
            } else if (bytes[at] == '$') {
                reply = word_at(bytes, &at);
            } else {
                at = bytes.find("\r\n", at) + 2;
                reply = std::nullopt;
            }
        }
        return reply;
    }
    void drop(const std::string& bytes, size_t* at) {
        size_t end = bytes.find("\r\n", *at);
        int n = atoi(&bytes[*at + 1]);
        if (bytes[*at] == '_') kept.clear();
        *at = end + 2;
        for (; n > 0; n--)
            kept.erase(word_at(bytes, at));
    }
    // What a library does: the reply first goes into the cache, then come the messages behind it.
    void read(const std::string& key) {
        if (kept.count(key) != 0) {
            hits++;
            return;
        }
        std::string bytes = client("GET " + key);
        size_t at = 0;
        while (bytes[at] == '>') {  // in front of the reply
            at = bytes.find("invalidate\r\n", at) + 12;
            drop(bytes, &at);
            messages++;
        }
        kept[key] = bytes[at] == '$' ? word_at(bytes, &at) : (at = bytes.find("\r\n", at) + 2, "");
        parse(bytes.substr(at));
    }
    void take() { parse(out_text(&client.session.out)); }
};

struct Stage {
    EngineFixture* f;
    std::string mode;
    std::atomic<int> writing{kWriters};
    std::atomic<int> quiet{0}, checked{0};
    std::atomic<uint64_t> wrong{0}, messages{0}, hits{0};
};

static void change(Client* c, int round) {
    std::string key = key_of(random_below(kKeys));
    std::string other = key_of(random_below(kKeys));
    std::string value = std::to_string(round);
    switch (random_below(16)) {
        case 0: (*c)("DEL " + key); return;
        case 1: (*c)("RENAME " + key + " " + other); return;
        case 2: (*c)("MSET " + key + " " + value + " " + other + " " + value); return;
        case 3: (*c)("SET " + key + " " + value + " PX 1"); return;
        case 4:
            (*c)("MULTI");
            (*c)("APPEND " + key + " x");
            (*c)("INCR " + other);
            (*c)("EXEC");
            return;
        case 5:
            if (round % 64 == 0) (*c)("FLUSHALL");
            return;
        default: (*c)("SET " + key + " " + value);
    }
}

static void writer_main(Stage* stage) {
    Client c(stage->f, random_below(2) == 0);
    for (int i = 0; i < rounds(); i++) {
        change(&c, i);
        if (i % 4 == 0) engine_end_turn(stage->f->e);
    }
    engine_end_turn(stage->f->e);
    stage->writing--;
}

// Every entry of the cache against the store, by a client that does not track.
static void compare(Stage* stage, Cache* cache) {
    Client plain(stage->f);
    for (const auto& [key, value] : cache->kept) {
        std::string wanted = "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
        if (value.empty()) wanted = "$-1\r\n";
        std::string got = plain("GET " + key);
        if (got == wanted) continue;
        stage->wrong++;
        ADD_FAILURE() << stage->mode << ": " << key << " is kept as " << value << " but is " << got;
    }
}

static void reader_main(Stage* stage) {
    Mailbox box;
    box.wake = [](void*) {};
    box.cut = [](Session*) {};
    mailbox_here(&box);
    {
        Cache steady(stage->f, &box);
        steady.client("CLIENT TRACKING " + stage->mode);
        std::unique_ptr<Cache> wild;  // comes and goes
        for (int i = 0; stage->writing != 0 || i < 100; i++) {
            if (wild == nullptr) {
                wild = std::make_unique<Cache>(stage->f, &box);
                wild->client("CLIENT TRACKING " + stage->mode);
            }
            steady.read(key_of(random_below(kKeys)));
            wild->read(key_of(random_below(kKeys)));
            if (i % 8 == 0) {
                engine_end_turn(stage->f->e);
                mailbox_drain(&box);
            }
            if (i % 512 == 0) wild.reset();
            steady.take();
            if (wild != nullptr) wild->take();
        }
        stage->quiet++;
        while (stage->quiet < kReaders)
            std::this_thread::yield();
        // The keys that have an expiry go now, and are told.
        for (int64_t until = clock_wall_ms() + 5; clock_wall_ms() < until;)
            std::this_thread::yield();
        Client plain(stage->f);
        for (uint64_t i = 0; i < kKeys; i++)
            plain("GET " + key_of(i));
        engine_end_turn(stage->f->e);
        stage->checked++;
        while (stage->checked < kReaders)
            std::this_thread::yield();
        engine_end_turn(stage->f->e);
        mailbox_drain(&box);
        steady.take();
        compare(stage, &steady);
        stage->messages += steady.messages;
        stage->hits += steady.hits;
        wild.reset();
    }
    mailbox_here(nullptr);
    mailbox_deinit(&box);
}

constexpr int kActs = 16;

static void run_act(EngineFixture* f, const char* mode) {
    Stage stage = {f, mode};
    std::vector<std::thread> threads;
    for (int i = 0; i < kReaders; i++)
        threads.emplace_back(reader_main, &stage);
    for (int i = 0; i < kWriters; i++)
        threads.emplace_back(writer_main, &stage);
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(stage.wrong, 0u);
    EXPECT_GT(stage.messages, 0u);
    EXPECT_GT(stage.hits, 0u);
    EXPECT_FALSE(f->e->core.store.tracked);
    EXPECT_EQ(f->e->tracking->items, 0u);
}

// Only what is stale at the end is seen: so there are many ends.
static void run(const char* mode, const char* settings) {
    EngineFixture f(settings);
    for (int i = 0; i < kActs; i++)
        run_act(&f, mode);
}

TEST(TrackingTorture, NoCacheIsStaleWhenAllIsQuiet) { run("ON", ""); }
TEST(TrackingTorture, NoCacheIsStaleThoughTheTableIsSmall) {
    run("ON", "tracking-table-max-keys 8");
}
TEST(TrackingTorture, NoBroadcastCacheIsStaleWhenAllIsQuiet) { run("ON BCAST PREFIX k", ""); }

}  // namespace rp::test
