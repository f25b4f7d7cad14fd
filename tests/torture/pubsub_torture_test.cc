// Several loops' worth of threads publish, subscribe, unsubscribe and close at once. Every message
// that PUBLISH counted arrives once, and all subscribers of a channel get one order.
#include <cstdlib>
#include <map>
#include <memory>
#include <thread>

#include "../unit/engine/harness.h"
#include "base/random.h"
#include "engine/pubsub.h"

namespace rp::test {

static int rounds() {
    const char* seconds = getenv("RP_TORTURE_SECONDS");
    return (seconds != nullptr ? atoi(seconds) : 2) * 1000;
}

constexpr int kThreads = 3;
constexpr int kChannels = 3;

using Received = std::vector<std::string>;

// A subscriber and all it ever got, by channel.
struct Listener {
    Client client;
    std::map<std::string, Received> got;
    uint64_t messages = 0;
    Listener(EngineFixture* f, Mailbox* box) : client(f) { client.session.mailbox = box; }

    void parse(const std::string& bytes) {
        for (size_t at = 0; at < bytes.size();) {
            std::vector<std::string> words;
            if (bytes[at] != '*') {  // MONITOR, or its refusal
                at = bytes.find("\r\n", at) + 2;
                continue;
            }
            int n = atoi(&bytes[at + 1]);
            at = bytes.find("\r\n", at) + 2;
            for (int i = 0; i < n; i++) {
                size_t end = bytes.find("\r\n", at);
                if (bytes[at] == ':') {
                    words.push_back(bytes.substr(at + 1, end - at - 1));
                    at = end + 2;
                    continue;
                }
                auto len = static_cast<size_t>(atoi(&bytes[at + 1]));
                words.push_back(bytes.substr(end + 2, len));
                at = end + 4 + len;
            }
            if (words[0] == "message") got[words[1]].push_back(words[2]);
            if (words[0] == "pmessage") got[words[2]].push_back(words[3]);
            if (words[0] == "message" || words[0] == "pmessage") messages++;
        }
    }
    void run(const std::string& line) { parse(client(line)); }
    void take() { parse(out_text(&client.session.out)); }
};

struct Tally {
    std::atomic<uint64_t> counted{0}, delivered{0};
    std::atomic<int> started{0}, done{0};
    std::map<std::string, Received> seen[kThreads];  // of each thread's steady subscriber
};

static std::string name_of(uint64_t channel) { return "c" + std::to_string(channel); }

static void publish(Client* publisher, Tally* tally, int thread, int i) {
    std::string text = std::to_string(thread) + ":" + std::to_string(i);
    std::string reply = publisher->run({"PUBLISH", name_of(random_below(kChannels)), text});
    tally->counted += static_cast<uint64_t>(atoi(reply.c_str() + 1));
}

static void change(EngineFixture* f, Mailbox* box, std::unique_ptr<Listener>* l, Tally* tally) {
    if (*l == nullptr) *l = std::make_unique<Listener>(f, box);
    std::string channel = name_of(random_below(kChannels));
    switch (random_below(5)) {
        case 0: return (*l)->run("SUBSCRIBE " + channel);
        case 1: return (*l)->run("UNSUBSCRIBE " + channel);
        case 2: return (*l)->run("PSUBSCRIBE c* " + channel);
        case 3: return (*l)->run("PUNSUBSCRIBE");
        default:
            // What it would still have got is counted for nobody: so it leaves in order first.
            (*l)->run("UNSUBSCRIBE");
            (*l)->run("PUNSUBSCRIBE");
            tally->delivered += (*l)->messages;
            l->reset();
    }
}

static void thread_main(EngineFixture* f, Tally* tally, int thread) {
    Mailbox box;
    box.wake = [](void*) {};
    box.cut = [](Session*) {};
    mailbox_here(&box);
    {
        Listener steady(f, &box);
        for (uint64_t i = 0; i < kChannels; i++)
            steady.run("SUBSCRIBE " + name_of(i));
        tally->started++;
        while (tally->started < kThreads)
            std::this_thread::yield();
        Client publisher(f);
        std::unique_ptr<Listener> wild[4];
        for (int i = 0; i < rounds(); i++) {
            publish(&publisher, tally, thread, i);
            change(f, &box, &wild[random_below(4)], tally);
            if (i % 8 == 0) mailbox_drain(&box);
            steady.take();
        }
        tally->done++;
        while (tally->done < kThreads)
            std::this_thread::yield();
        mailbox_drain(&box);
        steady.take();
        tally->delivered += steady.messages;
        for (auto& l : wild) {
            if (l == nullptr) continue;
            l->take();
            tally->delivered += l->messages;
        }
        tally->seen[thread] = steady.got;
    }
    mailbox_here(nullptr);
    mailbox_deinit(&box);
}

TEST(PubsubTorture, EveryCountedMessageArrivesOnceAndInOneOrder) {
    EngineFixture f;
    Tally tally;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; i++)
        threads.emplace_back(thread_main, &f, &tally, i);
    for (std::thread& t : threads)
        t.join();
    EXPECT_GT(tally.counted, static_cast<uint64_t>(rounds()));
    EXPECT_EQ(tally.counted, tally.delivered);
    size_t messages = 0;
    for (uint64_t i = 0; i < kChannels; i++) {
        const Received& first = tally.seen[0][name_of(i)];
        messages += first.size();
        for (int t = 1; t < kThreads; t++)
            EXPECT_TRUE(tally.seen[t][name_of(i)] == first) << "thread " << t << ", channel " << i;
    }
    EXPECT_EQ(messages, static_cast<size_t>(kThreads * rounds()));
    for (size_t kind = 0; kind < kTopicKinds; kind++)
        EXPECT_EQ(f.e->pubsub->topics[kind], 0u);
}

// Closing without a word while others publish: nothing is left behind.
TEST(PubsubTorture, SubscribersMayVanishWhileOthersPublish) {
    EngineFixture f;
    std::atomic<bool> stop{false};
    std::thread publisher([&] {
        Client c(&f);
        while (!stop)
            c("PUBLISH a text");
    });
    auto come_and_go = [&] {
        Mailbox box;
        box.wake = [](void*) {};
        box.cut = [](Session*) {};
        for (int i = 0; i < rounds() / 2; i++) {
            Listener l(&f, &box);
            l.run(i % 2 == 0 ? "SUBSCRIBE a b" : "PSUBSCRIBE a* ?");
            if (i % 3 == 0) l.run("MONITOR");
            if (i % 4 == 0) mailbox_drain(&box);
        }
        mailbox_deinit(&box);
    };
    std::thread one(come_and_go), two(come_and_go);
    one.join();
    two.join();
    stop = true;
    publisher.join();
    EXPECT_EQ(f.e->core.monitors, 0u);
    EXPECT_EQ(f.e->pubsub->topics[0], 0u);
}

}  // namespace rp::test
