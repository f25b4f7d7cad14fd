// A reply in prefixes and whole: a longer prefix may turn "needs more" into an answer and never
// changes one; whatever is read lies inside the bytes given.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "resp/reader.h"

namespace {

void require(bool fact, const char* what) {
    if (fact) return;
    fprintf(stderr, "resp_reader: %s\n", what);
    abort();
}

// A copy that ends with its last byte, so that a sanitizer sees a read behind it.
struct Exact {
    char* bytes;
    Exact(const uint8_t* data, size_t size)
        : bytes(static_cast<char*>(malloc(size + (size == 0)))) {
        if (size > 0) memcpy(bytes, data, size);
    }
    ~Exact() { free(bytes); }
    Exact(const Exact&) = delete;
    Exact& operator=(const Exact&) = delete;
};

void check_items(const char* buf, size_t size) {
    size_t pos = 0;
    for (;;) {
        size_t before = pos;
        rp::ReplyItem item;
        if (rp::reply_read(buf, size, &pos, &item) != 1) {
            require(pos == before, "pos moves on success only");
            return;
        }
        require(pos > before && pos <= size, "an item has bytes, inside the buffer");
        if (item.text.len > 0) {
            require(item.text.ptr >= buf + before && item.text.ptr + item.text.len <= buf + pos,
                    "the text is part of the item");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Exact all(data, size);
    check_items(all.bytes, size);
    int64_t span = rp::reply_span(all.bytes, size);
    require(span >= -1 && span <= static_cast<int64_t>(size), "the span is inside the buffer");
    size_t step = size / 64 + 1;
    for (size_t n = 0; n < size; n += step) {
        Exact prefix(data, n);
        int64_t part = rp::reply_span(prefix.bytes, n);
        bool whole = span > 0 && static_cast<int64_t>(n) >= span;
        if (whole) require(part == span, "bytes behind a reply do not matter");
        if (span >= 0 && !whole) require(part == 0, "a prefix of a reply is incomplete");
        if (part == -1) require(span == -1, "what is malformed stays malformed");
    }
    return 0;
}
