// A table with one string per key, for tests that care about the table and not about entries.
#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "table/table.h"

namespace rp {

inline Bytes as_bytes(const std::string& s) { return {s.data(), s.size()}; }
inline std::string as_string(Bytes b) { return std::string(b.ptr, b.len); }

// Inline bytes or a blob's. REQUIRES the lock for blobs (E1).
inline std::string entry_text(const Entry* e) {
    return as_string(entry_encoding(e) == Encoding::blob ? blob_bytes(entry_blob(e))
                                                         : entry_inline(e));
}

class TableFixture : public ::testing::Test {
  protected:
    void SetUp() override { t = table_new(); }
    void TearDown() override {
        check();
        table_free(t);
        epoch_drain(s);
        EXPECT_EQ(0u, epoch_waiting_bytes());
    }

    // Sets key to value, as SET would: insert or replace. The hash may be forced to collide.
    void put(const std::string& key, const std::string& value) {
        put(key, value, table_hash(as_bytes(key)));
    }
    void put(const std::string& key, const std::string& value, uint64_t hash) {
        put_entry(entry_new_string(as_bytes(key), as_bytes(value), Encoding::embstr, kNoExpiry),
                  hash);
    }
    void put_entry(Entry* take) { put_entry(take, table_hash(entry_key(take))); }
    void put_entry(Entry* take, uint64_t hash) {
        MutexGuard guard(&table_segment(t, hash)->lock);
        Place at = table_locate(t, entry_key(take), hash);
        if (at.entry == nullptr) {
            table_insert(s, t, hash, take);
        } else {
            entry_retire(s, table_replace(t, hash, at, take));
        }
    }
    bool remove(const std::string& key) { return remove(key, table_hash(as_bytes(key))); }
    bool remove(const std::string& key, uint64_t hash) {
        MutexGuard guard(&table_segment(t, hash)->lock);
        Place at = table_locate(t, as_bytes(key), hash);
        if (at.entry == nullptr) return false;
        entry_retire(s, table_remove(s, t, hash, at));
        return true;
    }
    Entry* find(const std::string& key) { return find(key, table_hash(as_bytes(key))); }
    Entry* find(const std::string& key, uint64_t hash) {
        EpochPin pin(s);
        return table_find(t, as_bytes(key), hash);
    }
    std::optional<std::string> get(const std::string& key) {
        EpochPin pin(s);
        Entry* e = table_find(t, as_bytes(key), table_hash(as_bytes(key)));
        if (e == nullptr) return std::nullopt;
        return entry_text(e);
    }
    void check() {
        if (forced_hashes) return;  // those keys are not where their hash says
        for (size_t i = 0; i < kSegments; i++) {
            MutexGuard guard(&t->segments[i].lock);
            table_check_segment(t, i);
        }
    }

    Table* t = nullptr;
    EpochSlot* s = epoch_slot();
    bool forced_hashes = false;
};

}  // namespace rp
