// resp/reader.h: reads replies (what a client does): wire bytes -> events, for the Python module
// and for tests. Iterative: depth costs nothing. Texts point into the caller's buffer.
#pragma once
#include "base/bytes.h"

namespace rp {

enum class ReplyKind : uint8_t {
    simple,
    error,
    integer,
    bulk,
    null,
    boolean,
    number,
    big_number,
    verbatim,
    bulk_error,
    // Followed by `count` items; map: 2 x count; attribute: 2 x count and then what it describes.
    array,
    map,
    set,
    push,
    attribute,
};

struct ReplyItem {
    ReplyKind kind;
    Bytes text;  // simple, error, bulk, verbatim (without the "txt:" prefix), big_number, number
    int64_t integer;  // integer, boolean (0/1)
    double number;
    size_t count;  // elements of an aggregate; pairs of a map or an attribute
};

// Reads one item at buf[*pos..len); on success *pos moves past it (past the header of an
// aggregate). Returns 1 = item, 0 = needs more bytes, -1 = malformed.
int reply_read(const char* buf, size_t len, size_t* pos, ReplyItem* out);
// Length of the whole first reply (nested items included), 0 if incomplete, -1 if malformed.
int64_t reply_span(const char* buf, size_t len);

}  // namespace rp
