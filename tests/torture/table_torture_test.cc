// Readers, writers, scanners, growth, shrink and thread ends, all at once, for RP_TORTURE_SECONDS
// per test (default 2). Everything a reader meets can tell whether it is right:
//
//   every change of a key has a version; started[k] is raised before it, done[k] after it;
//   a value holds key, version, length and a checksum;
//   a version divisible by kDeleteEvery is a deletion, unless the key is one of those never
//   deleted.
//
// So a reader that noted d = done[k] before and s = started[k] after its call knows what it may
// see: a hit has a version in [max(d, last seen), s] that is no deletion; a miss needs a deletion
// in that range. Anything else is a torn read, a lost key, a stale value or freed memory.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdarg>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "mem/mem.h"
#include "table/table.h"

namespace rp {

constexpr size_t kKeys = 300;
constexpr size_t kTideKeys = 4000;   // come and go, so that segments grow and shrink
constexpr size_t kHotSegments = 12;  // all keys live here
constexpr uint64_t kDeleteEvery = 3;

static int64_t torture_ns() {
    const char* text = getenv("RP_TORTURE_SECONDS");
    return static_cast<int64_t>((text != nullptr ? atof(text) : 2.0) * 1e9);
}

// Fails the test once, with what was seen, and makes everybody stop.
struct Verdict {
    std::atomic<bool> stop{false};
    std::atomic<bool> failed{false};

    [[gnu::format(printf, 3, 4)]] void expect(bool good, const char* format, ...) {
        if (good || failed.exchange(true)) return;
        char text[300];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        ADD_FAILURE() << text;
        stop.store(true);
    }
};

struct Stamp {  // at the front of every value
    uint64_t key;
    uint64_t version;
    uint64_t len;
    uint64_t sum;
};

static uint64_t stamp_sum(const Stamp& s) {
    uint64_t x = (s.key * 0x9e3779b97f4a7c15u) ^ (s.version * 0xbf58476d1ce4e5b9u) ^ s.len;
    return (x ^ (x >> 29)) * 0x94d049bb133111ebu;
}

struct KeyState {
    std::string name;
    uint64_t hash;
    std::atomic<uint64_t> started{0};
    std::atomic<uint64_t> done{0};
    bool deletable;
    bool exists = false;  // under the segment's lock
};

struct Torture {
    Table* t = table_new();
    std::unique_ptr<KeyState[]> keys{new KeyState[kKeys + kTideKeys]};
    Verdict verdict;
    std::atomic<uint64_t> reads{0}, writes{0}, passes{0}, resizes{0};

    Torture();
    ~Torture();
};

Torture::Torture() {
    uint64_t number = 0;
    for (size_t i = 0; i < kKeys + kTideKeys; i++) {
        KeyState* k = &keys[i];
        do {
            k->name = (i % 8 == 0 ? "k" : "torture:key:") + std::to_string(number++);
            k->hash = table_hash({k->name.data(), k->name.size()});
        } while (segment_index(k->hash) >= kHotSegments);
        k->deletable = i >= kKeys || i % 4 != 0;
    }
}

// What is left must be whole, and everything must be given back.
Torture::~Torture() {
    for (size_t i = 0; i < kSegments; i++) {
        MutexGuard guard(&t->segments[i].lock);
        table_check_segment(t, i);
    }
    size_t expected = 0;
    for (size_t i = 0; i < kKeys + kTideKeys; i++)
        expected += keys[i].exists ? 1 : 0;
    EXPECT_EQ(expected, table_keys(t));
    printf("reads %llu, writes %llu, scans %llu, resizes %llu\n",
           static_cast<unsigned long long>(reads.load()),
           static_cast<unsigned long long>(writes.load()),
           static_cast<unsigned long long>(passes.load()),
           static_cast<unsigned long long>(resizes.load()));
    epoch_drain(epoch_slot());
    EXPECT_EQ(0u, epoch_waiting_bytes());
    table_free(t);
}

static Bytes key_bytes(const KeyState* k) { return {k->name.data(), k->name.size()}; }

// ---- values -----------------------------------------------------------------------------------

static Entry* make_entry(const Torture* tt, const KeyState* k, uint64_t version) {
    char value[600];
    Stamp stamp = {static_cast<uint64_t>(k - tt->keys.get()), version, 0, 0};
    stamp.len = sizeof(Stamp) + random_below(60) + (random_below(20) == 0 ? 300 : 0);
    stamp.sum = stamp_sum(stamp);
    memcpy(value, &stamp, sizeof(stamp));
    memset(value + sizeof(stamp), static_cast<int>(version & 0xff), stamp.len - sizeof(stamp));
    int64_t expiry = random_below(4) == 0 ? static_cast<int64_t>(version) : kNoExpiry;
    return entry_new_string(key_bytes(k), {value, stamp.len}, Encoding::embstr, expiry);
}

// The stamp of an entry that belongs to k, if it is whole.
static Stamp check_entry(Torture* tt, const Entry* e) {
    Stamp stamp = {};
    Bytes value = entry_inline(e);
    tt->verdict.expect(value.len >= sizeof(Stamp), "value of %zu bytes", value.len);
    if (value.len < sizeof(Stamp)) return stamp;
    memcpy(&stamp, value.ptr, sizeof(stamp));
    bool whole =
        stamp.sum == stamp_sum(stamp) && stamp.len == value.len && stamp.key < kKeys + kTideKeys;
    tt->verdict.expect(whole, "torn value");
    if (!whole) return stamp;
    for (size_t i = sizeof(Stamp); i < value.len; i++) {
        whole = whole && static_cast<uint8_t>(value[i]) == (stamp.version & 0xff);
    }
    tt->verdict.expect(whole, "torn filling of key %llu",
                       static_cast<unsigned long long>(stamp.key));
    tt->verdict.expect(bytes_equal(entry_key(e), key_bytes(&tt->keys[stamp.key])),
                       "value of another key");
    return stamp;
}

// ---- writers ----------------------------------------------------------------------------------

enum class Write { any, keep, remove };

static uint64_t next_version(const KeyState* k, Write how) {
    uint64_t next = k->done.load() + 1;
    if (!k->deletable || how == Write::any) return next;
    if (how == Write::keep) return next % kDeleteEvery == 0 ? next + 1 : next;
    return (next + kDeleteEvery - 1) / kDeleteEvery * kDeleteEvery;
}

// A newer version of one key: overwritten, inserted or deleted, as the version says.
static void write_key(Torture* tt, EpochSlot* s, KeyState* k, Write how) {
    Segment* seg = table_segment(tt->t, k->hash);
    MutexGuard guard(&seg->lock);
    uint64_t version = next_version(k, how);
    k->started.store(version);
    uint64_t array = seg->array.load();
    Place at = table_locate(tt->t, key_bytes(k), k->hash);
    tt->verdict.expect((at.entry != nullptr) == k->exists, "writer lost %s", k->name.c_str());
    bool deletion = k->deletable && version % kDeleteEvery == 0;
    if (deletion && at.entry != nullptr) {
        entry_retire(s, table_remove(s, tt->t, k->hash, at));
    } else if (!deletion && at.entry != nullptr) {
        entry_retire(s, table_replace(tt->t, k->hash, at, make_entry(tt, k, version)));
    } else if (!deletion) {
        table_insert(s, tt->t, k->hash, make_entry(tt, k, version));
    }
    k->exists = !deletion;
    if (seg->array.load() != array) tt->resizes.fetch_add(1, std::memory_order_relaxed);
    k->done.store(version);
}

static void writer(Torture* tt) {
    EpochSlot* s = epoch_slot();
    uint64_t writes = 0;
    for (; !tt->verdict.stop.load(std::memory_order_relaxed); writes++) {
        write_key(tt, s, &tt->keys[random_below(kKeys)], Write::any);
        // As a session does: several commands per pin, at times none at all.
        if (writes % 64 == 0) epoch_pin(s);
        if (writes % 64 == 40) epoch_unpin(s);
    }
    while (epoch_pinned(s))
        epoch_unpin(s);
    tt->writes.fetch_add(writes);
}

// Inserts and removes the tide keys in waves of random height.
static void tide(Torture* tt) {
    EpochSlot* s = epoch_slot();
    KeyState* keys = &tt->keys[kKeys];
    for (size_t level = 0; !tt->verdict.stop.load(std::memory_order_relaxed);) {
        size_t high = level + random_below(kTideKeys - level) + 1;
        while (level < high)
            write_key(tt, s, &keys[level++], Write::keep);
        size_t low = random_below(2) == 0 ? 0 : random_below(level);
        while (level > low)
            write_key(tt, s, &keys[--level], Write::remove);
    }
}

// ---- readers ----------------------------------------------------------------------------------

static bool deletion_between(uint64_t from, uint64_t to) {
    return to / kDeleteEvery > 0 && to / kDeleteEvery * kDeleteEvery >= from;
}

static void read_key(Torture* tt, EpochSlot* s, const KeyState* k, uint64_t* last_seen) {
    EpochPin pin(s);
    uint64_t from = k->done.load();
    if (*last_seen > from) from = *last_seen;
    Entry* e = table_find(tt->t, key_bytes(k), k->hash);
    uint64_t to = k->started.load();
    if (e == nullptr) {
        bool legal = from == 0 || (k->deletable && deletion_between(from, to));
        tt->verdict.expect(legal, "%s missed between versions %llu and %llu", k->name.c_str(),
                           static_cast<unsigned long long>(from),
                           static_cast<unsigned long long>(to));
        return;
    }
    Stamp stamp = check_entry(tt, e);
    bool legal = stamp.version >= from && stamp.version <= to &&
                 !(k->deletable && stamp.version % kDeleteEvery == 0);
    tt->verdict.expect(legal, "%s shows version %llu, between %llu and %llu", k->name.c_str(),
                       static_cast<unsigned long long>(stamp.version),
                       static_cast<unsigned long long>(from), static_cast<unsigned long long>(to));
    *last_seen = stamp.version;
    RP_YIELD();
    if (random_below(16) == 0) check_entry(tt, e);  // still whole: we are pinned
}

static void reader(Torture* tt, int64_t until_ns) {
    EpochSlot* s = epoch_slot();
    std::vector<uint64_t> last_seen(kKeys + kTideKeys);
    uint64_t reads = 0;
    for (; !tt->verdict.stop.load(std::memory_order_relaxed); reads++) {
        size_t i = random_below(kKeys + kTideKeys);
        if (reads % 8 == 0) {
            EpochPin pin(s);
            table_prefetch_bucket(tt->t, tt->keys[i].hash);
            table_prefetch_entry(tt->t, tt->keys[i].hash, true);
        }
        read_key(tt, s, &tt->keys[i], &last_seen[i]);
        if (reads % 1024 == 0 && clock_mono_ns() > until_ns) break;
    }
    tt->reads.fetch_add(reads);
}

// Threads come and go: slots are recycled, orphans adopted.
static void reader_generations(Torture* tt) {
    while (!tt->verdict.stop.load()) {
        std::thread one([tt] { reader(tt, clock_mono_ns() + 20 * 1000 * 1000); });
        one.join();
        std::thread two([tt] {
            for (int i = 0; i < 100; i++) {
                write_key(tt, epoch_slot(), &tt->keys[random_below(kKeys)], Write::any);
            }
        });
        two.join();
    }
}

struct ScanPass {
    Torture* tt;
    std::vector<bool> seen;
};

static void scan_visit(Entry* e, void* arg) {
    ScanPass* pass = static_cast<ScanPass*>(arg);
    Stamp stamp = check_entry(pass->tt, e);
    if (stamp.key < pass->seen.size()) pass->seen[stamp.key] = true;
}

// Keys that are never deleted appear in every pass that began after their first insert.
static void scan_once(Torture* tt, EpochSlot* s) {
    ScanPass pass = {tt, std::vector<bool>(kKeys + kTideKeys)};
    std::vector<bool> there(kKeys);
    for (size_t i = 0; i < kKeys; i++)
        there[i] = tt->keys[i].done.load() > 0;
    uint64_t cursor = 0;
    do {
        EpochPin pin(s);
        cursor = table_scan(tt->t, cursor, scan_visit, &pass);
    } while (cursor != 0);
    for (size_t i = 0; i < kKeys; i++) {
        const KeyState* k = &tt->keys[i];
        bool must = there[i] && !k->deletable;
        tt->verdict.expect(!must || pass.seen[i], "SCAN missed %s", k->name.c_str());
    }
    tt->passes.fetch_add(1);
}

static void scanner(Torture* tt) {
    EpochSlot* s = epoch_slot();
    while (!tt->verdict.stop.load(std::memory_order_relaxed)) {
        scan_once(tt, s);
        for (int i = 0; i < 20; i++) {
            EpochPin pin(s);
            Entry* e = table_random(tt->t);
            if (e != nullptr) check_entry(tt, e);
        }
    }
}

// ---- tests ------------------------------------------------------------------------------------

static void seed_from_env() {
    const char* text = getenv("RP_SEED");
    if (text != nullptr) random_seed(strtoull(text, nullptr, 10));
}

static void run_for(Torture* tt, int64_t ns) {
    int64_t until = clock_mono_ns() + ns;
    while (!tt->verdict.stop.load() && clock_mono_ns() < until) {
        timespec nap = {0, 5 * 1000 * 1000};
        nanosleep(&nap, nullptr);
    }
    tt->verdict.stop.store(true);
}

// The harness itself, before threads come into it.
TEST(TableTorture, HarnessAgreesOnOneThread) {
    seed_from_env();
    Torture tt;
    EpochSlot* s = epoch_slot();
    std::vector<uint64_t> last_seen(kKeys + kTideKeys);
    for (int i = 0; i < 30000; i++) {
        write_key(&tt, s, &tt.keys[random_below(kKeys + kTideKeys)], Write::any);
        size_t r = random_below(kKeys + kTideKeys);
        read_key(&tt, s, &tt.keys[r], &last_seen[r]);
    }
    scan_once(&tt, s);
    EXPECT_FALSE(tt.verdict.failed.load());
}

TEST(TableTorture, ReadersSeeOnlyWhatWasThere) {
    Torture tt;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++)
        threads.emplace_back([&] { writer(&tt); });
    for (int i = 0; i < 2; i++)
        threads.emplace_back([&] { reader(&tt, INT64_MAX); });
    threads.emplace_back([&] { tide(&tt); });
    threads.emplace_back([&] { scanner(&tt); });
    run_for(&tt, torture_ns());
    for (std::thread& each : threads)
        each.join();
    EXPECT_GT(tt.resizes.load(), 0u);
    EXPECT_GT(tt.passes.load(), 0u);
}

TEST(TableTorture, ThreadsComeAndGo) {
    Torture tt;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++)
        threads.emplace_back([&] { reader_generations(&tt); });
    threads.emplace_back([&] { tide(&tt); });
    run_for(&tt, torture_ns());
    for (std::thread& each : threads)
        each.join();
}

// ---- epochs alone -----------------------------------------------------------------------------

// Nodes are never really freed here, so a reader can ask one whether it is too late. `age` is how
// many epochs ago the node a pinned reader holds was retired: 3 would mean that it may be freed
// (E2).
struct AgedNode {
    std::atomic<uint64_t> retired_at{0};  // 0: linked
    std::atomic<bool> freed{true};
};

constexpr size_t kAgedNodes = 4096;

struct AgeTest {
    AgedNode nodes[kAgedNodes];
    std::atomic<AgedNode*> shown[8] = {};
    Verdict verdict;
    std::atomic<uint64_t> ages[4] = {};
};

static void aged_free(void* node, size_t) {
    static_cast<AgedNode*>(node)->freed.store(true, std::memory_order_release);
}

static void age_writer(AgeTest* at, size_t from, size_t to) {
    EpochSlot* s = epoch_slot();
    for (size_t i = from; !at->verdict.stop.load(std::memory_order_relaxed);) {
        AgedNode* n = &at->nodes[i];
        if (!n->freed.load(std::memory_order_acquire)) {  // lapped the reclaimer
            epoch_reclaim(s);
            std::this_thread::yield();
            continue;
        }
        i = i + 1 == to ? from : i + 1;
        n->retired_at.store(0, std::memory_order_relaxed);
        n->freed.store(false, std::memory_order_relaxed);
        AgedNode* old = at->shown[random_below(8)].exchange(n, std::memory_order_acq_rel);
        if (old == nullptr) continue;
        RP_YIELD();
        old->retired_at.store(g_epoch.load(), std::memory_order_relaxed);
        epoch_retire(s, old, 16, aged_free);
    }
}

static void age_reader(AgeTest* at) {
    EpochSlot* s = epoch_slot();
    while (!at->verdict.stop.load(std::memory_order_relaxed)) {
        EpochPin pin(s);
        AgedNode* n = at->shown[random_below(8)].load(std::memory_order_acquire);
        if (n == nullptr) continue;
        for (uint64_t spin = random_below(200); spin > 0; spin--)
            cpu_relax();
        RP_YIELD();
        uint64_t retired = n->retired_at.load(std::memory_order_relaxed);
        uint64_t now = g_epoch.load();
        uint64_t age = retired == 0 || now < retired ? 0 : now - retired;
        at->ages[age < 3 ? age : 3].fetch_add(1, std::memory_order_relaxed);
        at->verdict.expect(age < 3, "a pinned reader holds a node of age %llu",
                           static_cast<unsigned long long>(age));
        at->verdict.expect(!n->freed.load(std::memory_order_acquire),
                           "a pinned reader holds a freed node");
    }
}

TEST(EpochTorture, NobodyHoldsAFreedNode) {
    auto at = std::make_unique<AgeTest>();
    std::vector<std::thread> threads;
    threads.emplace_back([&] { age_writer(at.get(), 0, kAgedNodes / 2); });
    threads.emplace_back([&] { age_writer(at.get(), kAgedNodes / 2, kAgedNodes); });
    for (int i = 0; i < 3; i++)
        threads.emplace_back([&] { age_reader(at.get()); });
    int64_t until = clock_mono_ns() + torture_ns();
    while (!at->verdict.stop.load() && clock_mono_ns() < until) {
        // A synchronize now and then must end, whatever the others do.
        epoch_synchronize(epoch_slot());
        std::this_thread::yield();
    }
    at->verdict.stop.store(true);
    for (std::thread& each : threads)
        each.join();
    epoch_drain(epoch_slot());
    printf("ages 0..3+: %llu %llu %llu %llu\n", static_cast<unsigned long long>(at->ages[0].load()),
           static_cast<unsigned long long>(at->ages[1].load()),
           static_cast<unsigned long long>(at->ages[2].load()),
           static_cast<unsigned long long>(at->ages[3].load()));
    EXPECT_GT(at->ages[0].load(), 0u);
}

// RP_SEED has no use here: it is the interleaving that matters.
TEST(EpochTorture, SynchronizeMeansNobodyIsLeft) {
    std::atomic<int*> shown{nullptr};
    Verdict verdict;
    int cells[2] = {1, 1};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++) {
        threads.emplace_back([&] {
            EpochSlot* s = epoch_slot();
            while (!verdict.stop.load(std::memory_order_relaxed)) {
                EpochPin pin(s);
                int* cell = shown.load(std::memory_order_acquire);
                if (cell == nullptr) continue;
                RP_YIELD();
                verdict.expect(*cell == 1, "read after synchronize");
            }
        });
    }
    EpochSlot* s = epoch_slot();
    int64_t until = clock_mono_ns() + torture_ns() / 2;
    for (int i = 0; !verdict.stop.load() && clock_mono_ns() < until; i++) {
        shown.store(&cells[i & 1], std::memory_order_release);
        std::this_thread::yield();
        shown.store(nullptr, std::memory_order_release);
        epoch_synchronize(s);
        cells[i & 1] = 0;  // plain: TSan sees a reader that is still there
        cells[i & 1] = 1;
    }
    verdict.stop.store(true);
    for (std::thread& each : threads)
        each.join();
}

}  // namespace rp
