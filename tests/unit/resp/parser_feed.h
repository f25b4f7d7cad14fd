// A caller of the parser as net/conn is one: keeps partial bytes, parses ahead into batches, reads
// big arguments through the window. Writes what it saw to a transcript that does not depend on how
// the bytes were cut. Used by parser_test.cc and by the fuzz target.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "resp/parser.h"

namespace rp {

struct ParserFeed {
    Parser* parser = parser_new();
    ParserLimits limits;
    bool keep_bytes = true;  // false: transcripts of huge inputs hold only counts
    bool use_window = true;  // false: big arguments come through the buffer, too
    std::vector<Bytes> slots;
    ArgPool pool;
    std::string buf;             // bytes received and not consumed
    std::vector<Command> batch;  // parsed, not run
    std::string seen;            // the transcript
    size_t commands = 0;
    size_t args = 0;
    size_t bigs = 0;  // commands that came with a Blob
    bool closed = false;

    explicit ParserFeed(size_t pool_cap = 16) : slots(pool_cap) {
        pool = {slots.data(), pool_cap, 0};
    }
    ~ParserFeed() { parser_free(parser); }
    ParserFeed(const ParserFeed&) = delete;
    ParserFeed& operator=(const ParserFeed&) = delete;
};

inline void feed_require(bool fact, const char* what) {
    if (fact) return;
    fprintf(stderr, "parser_feed: %s\n", what);
    abort();
}

inline void feed_run_batch(ParserFeed* f) {
    for (const Command& c : f->batch) {
        feed_require(c.argc > 0, "a command has at least its name");
        f->commands++;
        f->args += c.argc;
        f->seen += "(" + std::to_string(c.wire_bytes) + ")";
        for (size_t i = 0; i < c.argc && f->keep_bytes; i++) {
            f->seen += " " + std::to_string(c.argv[i].len) + ":";
            f->seen.append(c.argv[i].ptr, c.argv[i].len);
        }
        f->seen += "\n";
        if (c.big != nullptr) {
            f->bigs++;
            feed_require(c.big_index < c.argc, "big_index names an argument");
            feed_require(c.argv[c.big_index].ptr == c.big->data, "the big argument is the Blob's");
            feed_require(c.argv[c.big_index].len == c.big->len, "the Blob holds it whole");
        }
        parser_reset_command(f->parser);
    }
    f->batch.clear();
    f->pool.used = 0;
}

// P2, at a moment when only a partial command is held.
inline void feed_check_memory(const ParserFeed* f) {
    size_t received = f->buf.size() + parser_taken(f->parser);
    feed_require(parser_memory(f->parser) <= 8 * received + 3 * kBigWindow, "P2: memory bound");
}

inline void feed_pump(ParserFeed* f) {
    size_t pos = 0;
    while (!f->closed) {
        Command c;
        Bytes error;
        size_t before = pos;
        switch (parser_next(f->parser, &f->limits, &f->pool, f->buf.data(), f->buf.size(), &pos, &c,
                            &error)) {
            case Parse::command:
                f->batch.push_back(c);
                if (!f->limits.authenticated) feed_run_batch(f);
                break;
            case Parse::empty: feed_require(pos > before, "an empty request has bytes"); break;
            case Parse::full:
                feed_require(!f->batch.empty(), "full without a batch would never end");
                feed_run_batch(f);
                break;
            case Parse::error:
                feed_run_batch(f);
                f->seen += "error " + std::string(error.ptr, error.len) + "\n";
                f->closed = true;
                feed_require(parser_next(f->parser, &f->limits, &f->pool, f->buf.data(),
                                         f->buf.size(), &pos, &c, &error) == Parse::error,
                             "P3: an error stays");
                break;
            case Parse::more:
                feed_run_batch(f);
                f->buf.erase(0, pos);
                f->buf.resize(parser_keep(f->parser));
                feed_check_memory(f);
                return;
        }
    }
}

inline void feed(ParserFeed* f, const char* data, size_t n) {
    while (n > 0 && !f->closed) {
        char* window;
        size_t cap, part = n;
        if (f->use_window && parser_big_window(f->parser, &window, &cap)) {
            part = n < cap ? n : cap;
            memcpy(window, data, part);
            parser_big_filled(f->parser, part);
        } else {
            f->buf.append(data, part);
        }
        feed_pump(f);
        data += part;
        n -= part;
    }
}

inline void feed(ParserFeed* f, const std::string& s) { feed(f, s.data(), s.size()); }

// As one piece, or in pieces of 1..piece_max bytes chosen by a small generator.
inline std::string feed_cut(const std::string& s, size_t piece_max, uint64_t seed, size_t pool_cap,
                            bool use_window = true, bool authenticated = true) {
    ParserFeed f(pool_cap);
    f.use_window = use_window;
    f.limits.authenticated = authenticated;
    for (size_t at = 0; at < s.size() && !f.closed;) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t n = piece_max == 0 ? s.size() : 1 + (seed >> 33) % piece_max;
        if (n > s.size() - at) n = s.size() - at;
        feed(&f, s.data() + at, n);
        at += n;
    }
    return f.seen;
}

}  // namespace rp
