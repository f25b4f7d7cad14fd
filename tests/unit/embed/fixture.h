// A store opened and closed around each test, and commands as words.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "embed/rustypotato.h"

struct Words {
    std::vector<rp_bytes> items;
    Words(std::initializer_list<const char*> words) {
        for (const char* word : words)
            items.push_back({word, std::char_traits<char>::length(word)});
    }
};

inline std::string text_of(const rp_reply& reply) {
    std::string out(reply.first.ptr == nullptr ? "" : reply.first.ptr, reply.first.len);
    for (const void* next = reply.next; next != nullptr;) {
        rp_bytes piece;
        next = rp_reply_piece(next, &piece);
        out.append(piece.ptr, piece.len);
    }
    EXPECT_EQ(out.size(), reply.total);
    return out;
}

inline std::string run(rp_session* session, const Words& words) {
    rp_reply reply;
    int code = rp_execute(session, words.items.size(), words.items.data(), &reply);
    return code == RP_OK ? text_of(reply) : rp_status_text(code);
}

inline rp_store* open_store(std::initializer_list<const char*> flags = {}) {
    std::vector<const char*> argv(flags);
    rp_store* store = nullptr;
    char* error = nullptr;
    int code = rp_open(static_cast<int>(argv.size()), argv.data(), 0, &store, &error);
    EXPECT_EQ(code, RP_OK) << error;
    free(error);
    return store;
}

class EmbedTest : public testing::Test {
  protected:
    void SetUp() override { store = open_store(); }
    void TearDown() override { rp_free(store); }

    rp_session* here() {
        rp_session* session = nullptr;
        EXPECT_EQ(rp_session_here(store, 2, &session), RP_OK);
        return session;
    }
    rp_session* open_session(int protocol) {
        rp_session* session = nullptr;
        EXPECT_EQ(rp_session_open(store, protocol, &session), RP_OK);
        return session;
    }

    rp_store* store = nullptr;
};
