// What a journal has heard, played into another engine, and what two engines hold, side by side.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "../store/memory_log.h"
#include "cmd/families.h"
#include "engine/digest.h"
#include "harness.h"

namespace rp::test {

// Every key with its type, value and exact expiry, expired ones included.
using State = std::map<std::string, std::string>;

struct StateWalk {
    CmdCtx* c;
    uint32_t db;
    State* out;
};

inline void note_entry(Entry* e, void* arg) {
    auto* w = static_cast<StateWalk*>(arg);
    Digest d;
    char hex[kDigestHexLen];
    digest_mix_value(w->c, e, &d);
    digest_hex(&d, hex);
    Bytes key = entry_key(e);
    Bytes type = type_name(entry_type(e));
    std::string text = std::string(type.ptr, type.len) + " " + std::string(hex, sizeof hex);
    if (entry_type(e) == Type::string) {
        StringView v;
        db_value(&w->c->a, e, &v);
        text += " '" + std::string(v.bytes.ptr, std::min<size_t>(v.bytes.len, 40)) + "'";
    }
    text += " " + std::to_string(entry_expiry_ms(e));
    (*w->out)[std::to_string(w->db) + ":" + std::string(key.ptr, key.len)] = text;
}

// REQUIRES: the gate is closed, or nobody else executes.
inline CmdCtx quiet_context(Engine* e, EpochSlot* slot) {
    CmdCtx c;
    c.engine = e;
    c.store = c.a.store = &e->core.store;
    c.a.slot = slot;
    c.a.locked = true;
    return c;
}
inline State state_of(Engine* e, EpochSlot* slot) {
    State state;
    CmdCtx c = quiet_context(e, slot);
    for (uint32_t db = 0; db < c.store->db_count; db++) {
        StateWalk walk = {&c, db, &state};
        uint64_t cursor = 0;
        do {
            cursor = table_scan(c.store->dbs[db].table, cursor, note_entry, &walk);
        } while (cursor != 0);
    }
    return state;
}

// Of equal states none; else what differs, a line each.
inline std::string difference(const State& live, const State& replayed) {
    std::string text;
    for (const auto& [key, value] : live) {
        auto other = replayed.find(key);
        if (other != replayed.end() && other->second == value) continue;
        text += key + " is " + value + ", replayed " +
                (other != replayed.end() ? other->second : "nothing") + "\n";
    }
    for (const auto& [key, value] : replayed) {
        if (live.count(key) == 0) text += key + " is nothing, replayed " + value + "\n";
    }
    return text;
}

// A fresh engine that plays records, as the loader of a log does.
struct Player {
    EngineFixture engine;
    Client c{&engine};
    size_t played = 0;

    Player() { c.session.replay = true; }

    void play(const LoggedRecord& r) {
        if (r.bytes.empty()) return;
        if (c.session.db.load() != r.first_db) c.run({"SELECT", std::to_string(r.first_db)});
        for (const Words& words : commands_of(r.bytes)) {
            std::string reply = c.run(words);
            EXPECT_EQ(reply.find("-ERR"), std::string::npos) << r.bytes << reply;
            EXPECT_NE(reply[0], '-') << r.bytes << reply;
        }
        EXPECT_EQ(c.session.db.load(), r.last_db) << r.bytes;
        EXPECT_FALSE(c.session.multi.active) << r.bytes;
    }
    // Everything numbered up to `seq`.
    void play_to(const std::vector<LoggedRecord>& records, uint64_t seq) {
        for (; played < records.size() && records[played].seq <= seq; played++)
            play(records[played]);
    }
    State state() { return state_of(engine.e, c.worker.slot); }
};

// As the log lies on the disk: SELECT where the database changes.
inline std::string as_file(const std::vector<LoggedRecord>& records) {
    std::string file;
    uint32_t db = UINT32_MAX;
    for (const LoggedRecord& r : records) {
        if (r.bytes.empty()) continue;
        if (r.first_db != db) {
            std::string text = std::to_string(r.first_db);
            file +=
                "*2\r\n$6\r\nSELECT\r\n$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
        }
        file += r.bytes;
        db = r.last_db;
    }
    return file;
}

}  // namespace rp::test
