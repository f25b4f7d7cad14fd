// bench/wire/replies.h: counts complete RESP2 replies in a byte stream, keeping almost nothing.
//
// A reply is a tree of elements. `open` is the number of elements still missing from the reply at
// hand: one at its start, plus n for each array header of n. The reply is complete when `open`
// comes back to zero, so nesting of any depth needs no stack. Bulk bodies are only stepped over
// (`skip`), which lets the caller drop them in the kernel without copying.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>

struct ReplyCounts {
    uint64_t replies = 0;
    uint64_t errors = 0;      // error lines, at the top or inside an array
    uint64_t misses = 0;      // nil replies
    uint64_t unexpected = 0;  // complete replies of another type or length than the command gives
    char first_problem[160] = {};
};

struct ReplyParser {
    uint64_t open = 0;
    uint64_t skip = 0;        // bytes of the current bulk body (and its CRLF) still to come
    char expect_type = 0;     // type byte of a good top-level reply; 0 accepts any
    int64_t expect_len = -1;  // length of a good top-level bulk; -1 accepts any
    uint32_t line_n = 0;      // bytes of an unfinished line, kept from the last read
    char line[256] = {};      // longer lines (only error texts) are cut
};

inline void reply_problem(ReplyCounts* c, const char* text, uint32_t n) {
    if (c->first_problem[0] != 0) return;
    if (n > sizeof c->first_problem - 1) n = sizeof c->first_problem - 1;
    memcpy(c->first_problem, text, n);
}

inline void reply_element_done(ReplyParser* p, ReplyCounts* c) {
    if (--p->open == 0) c->replies++;
}

// Takes one line without its CRLF. Returns false when it cannot start a RESP2 element.
inline bool reply_line(ReplyParser* p, ReplyCounts* c, const char* line, uint32_t n) {
    if (n == 0) return false;
    const char type = line[0];
    const bool top = p->open == 0;
    if (top) p->open = 1;
    int64_t len = 0;
    if (type == '$' || type == '*') {
        const char* at = line + 1;
        const bool minus = n > 1 && *at == '-';
        for (at += minus ? 1 : 0; at < line + n && *at >= '0' && *at <= '9'; at++) {
            len = len * 10 + (*at - '0');
        }
        if (at != line + n || n < 2 || n > 20) return false;
        if (minus) len = -1;
    }
    const bool nil = len < 0;
    if (top && type != '-' && !nil && p->expect_type != 0 &&
        (type != p->expect_type || (type == '$' && p->expect_len >= 0 && len != p->expect_len))) {
        c->unexpected++;
        reply_problem(c, line, n);
    }
    switch (type) {
        case '-':
            c->errors++;
            reply_problem(c, line, n);
            [[fallthrough]];
        case '+':
        case ':': reply_element_done(p, c); return true;
        case '$':
            if (!nil) {
                p->skip = static_cast<uint64_t>(len) + 2;
                return true;
            }
            c->misses++;
            reply_element_done(p, c);
            return true;
        case '*':
            if (nil) c->misses++;
            if (!nil) p->open += static_cast<uint64_t>(len);
            reply_element_done(p, c);
            return true;
        default: return false;
    }
}

// Steps over n bytes of a bulk body. REQUIRES: n <= p->skip and p->skip > 0.
inline void reply_skip(ReplyParser* p, ReplyCounts* c, uint64_t n) {
    p->skip -= n;
    if (p->skip == 0) reply_element_done(p, c);
}

// Takes the next n bytes of the stream. Returns false when they are not RESP2.
inline bool reply_feed(ReplyParser* p, ReplyCounts* c, const char* at, size_t n) {
    const char* end = at + n;
    while (at < end) {
        const size_t left = static_cast<size_t>(end - at);
        if (p->skip > 0) {
            const size_t take = p->skip < left ? static_cast<size_t>(p->skip) : left;
            reply_skip(p, c, take);
            at += take;
            continue;
        }
        const char* nl = static_cast<const char*>(memchr(at, '\n', left));
        const size_t piece = nl != nullptr ? static_cast<size_t>(nl - at) : left;
        const char* line = at;
        uint32_t line_n = static_cast<uint32_t>(piece < sizeof p->line ? piece : sizeof p->line);
        if (nl == nullptr || p->line_n > 0) {  // the line spans reads: gather it
            const uint32_t room = static_cast<uint32_t>(sizeof p->line) - p->line_n;
            const uint32_t take = line_n < room ? line_n : room;
            memcpy(p->line + p->line_n, at, take);
            p->line_n += take;
            if (nl == nullptr) return true;
            line = p->line;
            line_n = p->line_n;
        }
        p->line_n = 0;
        if (line_n > 0 && line[line_n - 1] == '\r') line_n--;
        if (!reply_line(p, c, line, line_n)) {
            reply_problem(c, line, line_n);
            return false;
        }
        at = nl + 1;
    }
    return true;
}
