// A Log on a simulated disk, producers that hand in records, and a reader that checks every promise
// of the format while it reads what is there.
//
// A record is "SET s<number> <filler>", so that the file itself says which numbers are in it.
#pragma once
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "base/log.h"
#include "mem/mem.h"
#include "persist/aof_chain.h"
#include "persist/crc32c.h"
#include "persist/log.h"
#include "unit/persist/sim_disk.h"

namespace rp::test {

constexpr int64_t kLongMs = 20000;
constexpr const char* kDir = "/d/appendonlydir";
constexpr const char* kName = "appendonly.aof";

inline std::string path_of(const std::string& name) { return std::string(kDir) + "/" + name; }
inline std::string incr_path(int64_t seq) {
    return path_of(std::string(kName) + "." + std::to_string(seq) + ".incr.aof");
}

// ---- handing in -------------------------------------------------------------------------------

inline std::string set_command(uint64_t seq, const std::string& filler) {
    std::string key = "s" + std::to_string(seq);
    return "*3\r\n$3\r\nSET\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n$" +
           std::to_string(filler.size()) + "\r\n" + filler + "\r\n";
}

// One thread's batch under way.
struct Voice {
    Journal* journal;
    LogBatch* batch = nullptr;
    uint64_t last = 0;

    explicit Voice(Journal* j) : journal(j) {}
    ~Voice() { submit(); }

    LogRecord* next(uint64_t seq) {
        if (batch == nullptr) {
            batch = new (mem_alloc(sizeof(LogBatch))) LogBatch;
            batch->cap = 4;
            batch->records = static_cast<LogRecord*>(mem_alloc(batch->cap * sizeof(LogRecord)));
        }
        if (batch->count == batch->cap) {
            auto* more = static_cast<LogRecord*>(mem_alloc(2 * batch->cap * sizeof(LogRecord)));
            memcpy(more, batch->records, batch->count * sizeof(LogRecord));
            mem_free(batch->records, batch->cap * sizeof(LogRecord));
            batch->records = more;
            batch->cap *= 2;
        }
        last = seq;
        batch->records[batch->count] = {seq, 0, 0, 0, false};
        return &batch->records[batch->count++];
    }
    uint64_t draw() { return journal->next_seq.fetch_add(1); }

    void add_at(uint64_t seq, uint32_t db, const std::string& filler) {
        LogRecord* r = next(seq);
        std::string text = set_command(seq, filler);
        out_write(&batch->bytes, {text.data(), text.size()});
        r->len = text.size();
        r->first_db = r->last_db = db;
    }
    void add(uint32_t db = 0, const std::string& filler = "v") { add_at(draw(), db, filler); }
    void add_empty() { next(draw()); }
    uint64_t submit() {
        if (batch == nullptr) return last;
        journal->waiting_bytes.fetch_add(log_batch_waiting(batch));
        journal->submit(journal, batch);
        batch = nullptr;
        return last;
    }
    uint64_t put(uint32_t db = 0, const std::string& filler = "v") {
        add(db, filler);
        return submit();
    }
};

// ---- reading ----------------------------------------------------------------------------------

struct Read {
    std::vector<uint64_t> seqs;  // of the records, as they stand
    std::vector<int64_t> dbs;    // selected for each
    uint64_t behind = 0;         // the number that the next run must begin with; 0: any
    size_t runs = 0, stamps = 0;
    bool torn = false;  // the last run is not whole
    size_t whole_lines = 0;
    std::string wrong;  // a broken promise
};

inline bool take_line(const std::string& text, size_t* at, std::string* line) {
    size_t end = text.find("\r\n", *at);
    if (end == std::string::npos) return false;
    *line = text.substr(*at, end - *at);
    *at = end + 2;
    return true;
}

// The whole commands of one run.
inline void read_commands(const std::string& text, int64_t* db, Read* out) {
    std::string line;
    for (size_t at = 0; at < text.size();) {
        if (!take_line(text, &at, &line) || line.empty()) {
            out->wrong = "a run that ends within a command";
            return;
        }
        if (line[0] == '#') {
            out->stamps++;
            continue;
        }
        std::vector<std::string> words(strtoul(line.c_str() + 1, nullptr, 10));
        for (std::string& word : words) {
            take_line(text, &at, &line);
            size_t len = strtoul(line.c_str() + 1, nullptr, 10);
            word = text.substr(at, len);
            at += len + 2;
        }
        if (words[0] == "SELECT") {
            if (std::to_string(*db) == words[1]) out->wrong = "a SELECT of the selected database";
            *db = atoi(words[1].c_str());
            continue;
        }
        out->seqs.push_back(strtoull(words[1].c_str() + 1, nullptr, 10));
        out->dbs.push_back(*db);
    }
}

// One increment. Stops at the first run that is not whole.
inline void read_increment(const std::string& text, Read* out) {
    int64_t db = -1;
    std::string line;
    for (size_t at = 0; at < text.size() && out->wrong.empty();) {
        unsigned long long first, records, bytes;
        unsigned crc;
        size_t start = at;
        if (text.compare(at, strlen(RP_AOF_WHOLE_LINE), RP_AOF_WHOLE_LINE) == 0) {
            at += strlen(RP_AOF_WHOLE_LINE);
            out->whole_lines++;
            continue;
        }
        if (!take_line(text, &at, &line) ||
            sscanf(line.c_str(), "#RP1 %llu %llu %llu %8x", &first, &records, &bytes, &crc) != 4 ||
            text.size() - at < bytes || crc32c(0, {text.data() + at, bytes}) != crc) {
            out->torn = true;
            at = start;
            return;
        }
        if (out->behind != 0 && first != out->behind && first != 1)
            out->wrong = "a gap before a run: " + line;
        out->behind = first + records;
        out->runs++;
        size_t before = out->seqs.size();
        read_commands(text.substr(at, bytes), &db, out);
        for (size_t i = before; i < out->seqs.size(); i++) {
            if (out->seqs[i] < first || out->seqs[i] >= first + records) {
                out->wrong = "a record that is not of its run: " + line;
            }
        }
        at += bytes;
    }
}

// All increments that the manifest names, in order, but for those that a power cut has made void. A
// base "upto <n>" stands for its numbers.
inline Read read_all(SimDisk* disk) {
    Read out;
    FileOps files = sim_ops(disk);
    Manifest m;
    bool found;
    PersistErr err;
    bool dropped;  // as a start does
    if (!manifest_load(&files, kDir, kName, &m, &found, &err) ||
        !aof_drop_void(&files, kDir, &m, true, &dropped, &err)) {
        out.wrong = err.text;
    }
    for (size_t i = 0; i < m.count && out.wrong.empty(); i++) {
        std::string text;
        if (m.files[i].kind == AofKind::history) continue;
        if (!sim_get(disk, path_of(m.files[i].name), &text)) {
            out.wrong = std::string("the manifest names a missing file: ") + m.files[i].name;
        } else if (m.files[i].kind == AofKind::base) {
            uint64_t upto = strtoull(text.c_str() + 5, nullptr, 10);
            for (uint64_t s = 1; s <= upto; s++) {
                out.seqs.push_back(s);
                out.dbs.push_back(0);
            }
            out.behind = 0;  // a cut and other empty numbers may be in the next run
        } else if (out.torn) {
            if (!text.empty()) out.wrong = "something stands behind a torn increment";
        } else {
            read_increment(text, &out);
        }
    }
    manifest_free(&m);
    return out;
}

// Numbers from 1 on, none missing, none twice (a base has those of its cut, too); returns the last.
inline uint64_t prefix_of(const Read& r) {
    EXPECT_EQ(r.wrong, "");
    for (size_t i = 0; i < r.seqs.size(); i++) {
        if (r.seqs[i] == i + 1) continue;
        ADD_FAILURE() << "number " << r.seqs[i] << " stands at place " << i + 1;
        return i;
    }
    return r.seqs.size();
}

// ---- a log ------------------------------------------------------------------------------------

struct LogTest : ::testing::Test {
    SimPtr disk = sim_new();
    FileOps files = sim_ops(disk.get());
    Log* log = nullptr;
    Journal* journal = nullptr;
    LogOptions options;

    void SetUp() override {
        log_set_quiet(true);
        sim_mkdir(disk.get(), kDir);
        options.files = &files;
        options.dir = kDir;
        options.appendfilename = kName;
    }
    void TearDown() override {
        if (log != nullptr) close();
    }

    bool open(FsyncPolicy policy = FsyncPolicy::everysec) {
        Manifest m;
        bool found;
        PersistErr err;
        if (!manifest_load(&files, kDir, kName, &m, &found, &err)) return false;
        options.policy = policy;
        Status s = log_open(options, &m, &log, &err);
        manifest_free(&m);
        if (s != Status::ok) return false;
        journal = log_journal(log);
        return true;
    }
    bool close() {
        bool whole = log_close(log);
        log = nullptr;
        EXPECT_EQ(sim_open_files(disk.get()), 0u);
        return whole;
    }
    bool wait(uint64_t seq) { return log_wait(log, seq, kLongMs); }
    // False: the disk is dead, so that it will never be.
    bool log_wait_or_dead(uint64_t seq) {
        while (!log_wait(log, seq, 5)) {
            if (journal->refuses.load()) return journal_acked(journal, seq);
        }
        return true;
    }
    LogStats stats() {
        LogStats s;
        log_stats(log, &s);
        return s;
    }
    // A state that the log's threads bring about.
    template <typename Condition>
    bool comes(Condition condition) {
        for (int64_t i = 0; i < kLongMs; i++) {
            if (condition()) return true;
            usleep(1000);
        }
        return false;
    }
    int64_t rotate() {
        EpochPin pin(epoch_slot());
        return log_rotate(log, epoch_slot());
    }
    // What a snapshot does once it has written everything up to the cut.
    int rebase(int64_t first_incr, uint64_t upto) {
        int64_t seq = log_next_base_seq(log);
        std::string name = std::string(kName) + "." + std::to_string(seq) + ".base.rdb";
        std::string text = "upto " + std::to_string(upto);
        int err = file_replace(&files, kDir, name.c_str(), {text.data(), text.size()});
        return err != 0 ? err : log_rebase(log, seq, first_incr);
    }
};

}  // namespace rp::test
