// An engine and its clients without a network: commands go in as words, wire bytes come out.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/engine.h"
#include "unit/resp/out_text.h"

namespace rp::test {

struct EngineFixture {
    Engine* e = nullptr;
    Config* config = nullptr;
    explicit EngineFixture(const char* settings = "") {
        ConfigErr err;
        EXPECT_EQ(config_new(&config), Status::ok);
        EXPECT_TRUE(config_load_text(config, bytes_of(settings), "test", false, &err)) << err.text;
        EXPECT_EQ(engine_open(config, &e), Status::ok);
    }
    ~EngineFixture() { engine_close(e); }
    void set(const std::string& name, const std::string& value) {
        ConfigErr err;
        ConfigPair pair = {{name.data(), name.size()}, {value.data(), value.size()}};
        EXPECT_TRUE(config_set_many(config, &pair, 1, true, &err)) << err.text;
    }
};

// Made, used and destroyed by one thread.
struct Client {
    Session session;
    Worker worker;
    Engine* e;
    Ran last = Ran::done;

    explicit Client(EngineFixture* f, bool embedded = false, const char* addr = "127.0.0.1:5000")
        : e(f->e) {
        worker_init(&worker);
        worker.slot = epoch_slot();
        session.embedded = embedded;
        if (!embedded) {
            snprintf(session.addr, sizeof session.addr, "%s", addr);
            snprintf(session.laddr, sizeof session.laddr, "127.0.0.1:6379");
            session.fd = 8;
        }
        engine_add_worker(e, &worker);
        engine_add_session(e, &session, &worker);
    }
    ~Client() {
        engine_remove_session(e, &session);
        engine_remove_worker(e, &worker);
        out_clear(&session.out);
        worker_deinit(&worker);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    std::string run(const std::vector<std::string>& words) {
        std::vector<Bytes> argv;
        for (const std::string& w : words)
            argv.push_back({w.data(), w.size()});
        Command command;
        command.argv = argv.data();
        command.argc = argv.size();
        last = execute(&session, &command);
        std::string reply = out_text(&session.out);
        epoch_reclaim(worker.slot);
        return reply;
    }
    // "SET k v": words split at single spaces.
    std::string operator()(const std::string& line) {
        std::vector<std::string> words(1);
        for (char ch : line) {
            if (ch == ' ') {
                words.emplace_back();
            } else {
                words.back() += ch;
            }
        }
        return run(words);
    }
    // Runs lines like `GET k -> $1\r\nv\r\n`; the reply is without its last CRLF.
    void check(std::initializer_list<std::pair<const char*, const char*>> lines) {
        for (const auto& [line, reply] : lines) {
            EXPECT_EQ((*this)(line), std::string(reply) + "\r\n") << line;
        }
    }
};

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace rp::test
