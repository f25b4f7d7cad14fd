// The table beside std::unordered_map: the same random operations, the same answers. Tides of
// inserts and removes make every segment grow and shrink, and a SCAN is always under way.
//
// The seed is printed; RP_SEED=<n> replays it (operations, keys and hashes), RP_MODEL_OPS=<n> sets
// the number of operations.
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/random.h"
#include "unit/table/fixture.h"

namespace rp {

static uint64_t env_number(const char* name, uint64_t otherwise) {
    const char* text = getenv(name);
    return text != nullptr ? strtoull(text, nullptr, 10) : otherwise;
}

struct ModelValue {
    std::string text;  // unless integer
    int64_t integer = 0;
    bool is_integer = false;
    int64_t expiry_ms = kNoExpiry;
};

class TableModel : public TableFixture {
  protected:
    using Model = std::unordered_map<std::string, ModelValue>;

    void SetUp() override {
        uint64_t seed = env_number("RP_SEED", 0);
        if (seed == 0) random_secret(&seed, sizeof(seed));
        printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
        RecordProperty("seed", std::to_string(seed));
        random_seed(seed);
        hash_seed(seed);
        TableFixture::SetUp();
    }

    // Mostly short keys of a range that decides how often they meet; some long ones.
    static std::string random_key(uint64_t range) {
        std::string key = std::to_string(random_below(range));
        switch (random_below(16)) {
            case 0: return std::string(250 + random_below(20), 'k') + key;
            case 1: return key + std::string(random_below(40), '\0');
            default: return "key:" + key;
        }
    }

    static std::string random_text() {
        size_t len = random_below(100);
        if (random_below(30) == 0) len = 250 + random_below(10);
        if (random_below(500) == 0) len = kBlobMin - 2 + random_below(4);
        return std::string(len, static_cast<char>('a' + random_below(26)));
    }

    static Entry* entry_of(const std::string& key, const ModelValue& v) {
        if (v.is_integer) return entry_new_integer(as_bytes(key), v.integer, v.expiry_ms);
        return entry_new_string(as_bytes(key), as_bytes(v.text), Encoding::embstr, v.expiry_ms);
    }

    void set(const std::string& key) {
        ModelValue v;
        v.is_integer = random_below(4) == 0;
        if (v.is_integer) {
            v.integer = static_cast<int64_t>(random_u64());
        } else {
            v.text = random_text();
        }
        if (random_below(3) == 0) v.expiry_ms = static_cast<int64_t>(random_below(1 << 30));
        put_entry(entry_of(key, v));
        model[key] = v;
    }

    void drop(const std::string& key) {
        ASSERT_EQ(model.erase(key) == 1, remove(key)) << key;
        dropped.insert(key);
    }

    void change_in_place(const std::string& key) {
        auto found = model.find(key);
        Entry* e = find(key);
        if (found == model.end() || e == nullptr) return;
        uint64_t hash = table_hash(as_bytes(key));
        MutexGuard guard(&table_segment(t, hash)->lock);
        if (found->second.is_integer) {
            found->second.integer++;
            table_set_integer(t, hash, e, found->second.integer);
        }
        if (e->flags & kEntryExpiry) {
            found->second.expiry_ms = random_below(2) == 0 ? kNoExpiry : 77;
            table_set_expiry(t, hash, e, found->second.expiry_ms);
        }
    }

    void expect_same(const std::string& key) {
        Entry* e = find(key);
        auto found = model.find(key);
        ASSERT_EQ(found != model.end(), e != nullptr) << key;
        if (e == nullptr) return;
        const ModelValue& v = found->second;
        ASSERT_EQ(key, as_string(entry_key(e)));
        ASSERT_EQ(v.expiry_ms, entry_expiry_ms(e));
        ASSERT_EQ(v.is_integer, entry_encoding(e) == Encoding::integer);
        if (v.is_integer) {
            ASSERT_EQ(v.integer, entry_integer(e));
        } else {
            ASSERT_EQ(v.text, entry_text(e));
        }
    }

    static void note(Entry* e, void* arg) {
        static_cast<TableModel*>(arg)->seen.insert(as_string(entry_key(e)));
    }

    // Keys that were there when the scan began and were never removed must have been seen.
    void scan_step() {
        if (cursor == 0) {
            at_start.clear();
            for (const auto& [key, value] : model)
                at_start.push_back(key);
            seen.clear();
            dropped.clear();
        }
        {
            EpochPin pin(s);
            cursor = table_scan(t, cursor, note, this);
        }
        if (cursor != 0) return;
        for (const std::string& key : at_start) {
            ASSERT_TRUE(dropped.count(key) || seen.count(key)) << "SCAN missed " << key;
        }
        scans++;
    }

    void expect_sums() {
        ASSERT_EQ(model.size(), table_keys(t));
        uint64_t ttl_keys = 0;
        for (const auto& [key, value] : model)
            ttl_keys += value.expiry_ms != kNoExpiry ? 1 : 0;
        ASSERT_EQ(ttl_keys, table_ttl_keys(t));
    }

    Model model;
    uint64_t cursor = 0;
    std::vector<std::string> at_start;
    std::unordered_set<std::string> seen, dropped;
    int scans = 0;
};

TEST_F(TableModel, AnswersAsAnUnorderedMapDoes) {
    uint64_t ops = env_number("RP_MODEL_OPS", 300000);
    uint64_t range = 30000;
    bool rising = true;
    for (uint64_t op = 0; op < ops && !HasFatalFailure(); op++) {
        if (op % 40000 == 0) rising = !rising || op == 0;
        std::string key = random_key(range);
        uint64_t dice = random_below(100);
        if (dice < (rising ? 60u : 10u)) {
            set(key);
        } else if (dice < 70) {
            // Falling tides take keys that exist, or they would never fall far.
            if (!rising && !model.empty()) key = model.begin()->first;
            drop(key);
        } else if (dice < 80) {
            change_in_place(key);
        }
        expect_same(key);
        if (op % 2 == 0) scan_step();
        if (op % 256 == 0) {
            size_t segment = random_below(kSegments);
            MutexGuard guard(&t->segments[segment].lock);
            table_check_segment(t, segment);
        }
        if (op % 10000 == 0) expect_sums();
    }
    for (const auto& [key, value] : model)
        expect_same(key);
    EXPECT_GT(scans, 3);
}

// The same in one segment with tens of thousands of keys: long copies, many sizes of array.
TEST_F(TableModel, OneSegmentBreathesInAndOut) {
    std::vector<std::string> keys;
    for (uint64_t i = 0; keys.size() < 4000; i++) {
        std::string key = std::to_string(i);
        if (segment_index(table_hash(as_bytes(key))) == 5) keys.push_back(key);
    }
    size_t high = 0;
    for (int wave = 0; wave < 6 && !HasFatalFailure(); wave++) {
        size_t target = wave % 2 == 0 ? 1 + random_below(keys.size()) : random_below(20);
        while (high < target)
            set(keys[high++]);
        while (high > target)
            drop(keys[--high]);
        for (size_t i = 0; i < keys.size(); i += 1 + random_below(20))
            expect_same(keys[i]);
        for (int i = 0; i < 50; i++)
            scan_step();
        MutexGuard guard(&t->segments[5].lock);
        table_check_segment(t, 5);
    }
    expect_sums();
}

}  // namespace rp
