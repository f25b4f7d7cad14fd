// A journal that keeps every batch in memory: what a log would have written, and whether the
// journal's promises were kept.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "store/journal.h"

namespace rp::test {

using Words = std::vector<std::string>;

struct LoggedRecord {
    uint64_t seq;
    uint32_t first_db, last_db;
    std::string bytes;
};

// The commands of a run of RESP arrays.
inline std::vector<Words> commands_of(const std::string& bytes) {
    std::vector<Words> commands;
    size_t at = 0;
    auto number = [&](char kind) {
        EXPECT_EQ(bytes[at], kind) << "at " << at;
        size_t end = bytes.find("\r\n", at);
        uint64_t n = 0;
        EXPECT_TRUE(parse_u64({bytes.data() + at + 1, end - at - 1}, &n));
        at = end + 2;
        return n;
    };
    while (at < bytes.size()) {
        commands.emplace_back(number('*'));
        for (std::string& word : commands.back()) {
            size_t len = number('$');
            word = bytes.substr(at, len);
            at += len + 2;
        }
    }
    EXPECT_EQ(at, bytes.size());
    return commands;
}

struct MemoryLog : Journal {
    std::mutex lock;
    std::vector<LoggedRecord> records;  // in the order of their arrival
    uint64_t batches = 0;

    MemoryLog() {
        submit = [](Journal* j, LogBatch* take) { static_cast<MemoryLog*>(j)->take_in(take); };
        refusal = [](Journal*, char* out, size_t size) {
            return static_cast<size_t>(
                snprintf(out, size, "MISCONF Errors writing to the AOF file: No space left"));
        };
    }

    void take_in(LogBatch* take) {
        std::string bytes(take->bytes.bytes, 0);
        out_copy(&take->bytes, bytes.data());
        std::lock_guard<std::mutex> guard(lock);
        size_t at = 0;
        for (size_t i = 0; i < take->count; i++) {
            const LogRecord& r = take->records[i];
            EXPECT_TRUE(i == 0 || r.seq > take->records[i - 1].seq) << "J2";
            EXPECT_FALSE(r.rotate);
            records.push_back({r.seq, r.first_db, r.last_db, bytes.substr(at, r.len)});
            at += r.len;
        }
        EXPECT_EQ(at, bytes.size()) << "every byte belongs to a record";
        batches++;
        waiting_bytes.fetch_sub(log_batch_waiting(take), std::memory_order_relaxed);
        log_batch_free(take);
    }

    // All so far, by number, each number once (J1). REQUIRES: nobody executes (J4).
    std::vector<LoggedRecord> merged() {
        std::lock_guard<std::mutex> guard(lock);
        std::vector<LoggedRecord> all = records;
        std::sort(all.begin(), all.end(),
                  [](const LoggedRecord& a, const LoggedRecord& b) { return a.seq < b.seq; });
        EXPECT_EQ(all.size(), next_seq.load() - 1) << "J1";
        for (size_t i = 0; i < all.size(); i++)
            EXPECT_EQ(all[i].seq, i + 1) << "J1";
        return all;
    }

    // What was logged since the last call: commands joined by " | ", words by a space; records by
    // " || ", empty ones as "-". A database other than the first is shown as "@1 ".
    std::string said() {
        std::string text;
        for (const LoggedRecord& r : merged()) {
            if (r.seq <= heard) continue;
            heard = r.seq;
            if (!text.empty()) text += " || ";
            if (r.bytes.empty()) text += "-";
            if (r.first_db != 0) text += "@" + std::to_string(r.first_db) + " ";
            bool first = true;
            for (const Words& words : commands_of(r.bytes)) {
                if (!first) text += " | ";
                first = false;
                for (size_t i = 0; i < words.size(); i++)
                    text += (i != 0 ? " " : "") + words[i];
            }
        }
        return text;
    }
    uint64_t heard = 0;
};

}  // namespace rp::test
