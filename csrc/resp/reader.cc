#include "resp/reader.h"

#include <cmath>

#include "base/numbers.h"

namespace rp {

// The reader of one item goes through these outcomes, which reply_read returns as they are.
constexpr int kItem = 1;
constexpr int kMore = 0;
constexpr int kBad = -1;

constexpr int64_t kCountMax = INT32_MAX;          // elements of one aggregate
constexpr int64_t kLengthMax = int64_t{1} << 40;  // bytes of one bulk: far above any server's limit

// The text up to CRLF at buf[at..len); *next is behind the CRLF.
static int read_line(const char* buf, size_t len, size_t at, Bytes* line, size_t* next) {
    const char* cr = static_cast<const char*>(memchr(buf + at, '\r', len - at));
    if (cr == nullptr) return kMore;
    size_t end = static_cast<size_t>(cr - buf);
    if (end + 1 == len) return kMore;
    if (buf[end + 1] != '\n') return kBad;
    *line = {buf + at, end - at};
    *next = end + 2;
    return kItem;
}

static int read_bulk(const char* buf, size_t len, Bytes line, size_t* at, ReplyItem* out) {
    int64_t n;
    if (!parse_i64(line, &n) || n < -1 || n > kLengthMax) return kBad;
    if (n == -1) {
        if (out->kind != ReplyKind::bulk) return kBad;
        out->kind = ReplyKind::null;
        return kItem;
    }
    size_t size = static_cast<size_t>(n), left = len - *at;
    if (left < size + 2) {
        // A wrong terminator is reported as soon as it shows.
        return left == size + 1 && buf[*at + size] != '\r' ? kBad : kMore;
    }
    if (buf[*at + size] != '\r' || buf[*at + size + 1] != '\n') return kBad;
    out->text = {buf + *at, size};
    *at += size + 2;
    if (out->kind != ReplyKind::verbatim) return kItem;
    if (size < 4 || out->text[3] != ':') return kBad;
    out->text = bytes_slice(out->text, 4, size - 4);
    return kItem;
}

static int read_count(Bytes line, ReplyItem* out) {
    int64_t n;
    if (!parse_i64(line, &n) || n < -1 || n > kCountMax) return kBad;
    if (n == -1) {
        if (out->kind != ReplyKind::array) return kBad;
        out->kind = ReplyKind::null;
        return kItem;
    }
    out->count = static_cast<size_t>(n);
    return kItem;
}

static int read_number(Bytes line, ReplyItem* out) {
    out->text = line;
    if (bytes_equal_nocase(line, "nan") || bytes_equal_nocase(line, "-nan")) {
        out->number = std::nan("");
        return kItem;
    }
    return parse_double(line, &out->number) ? kItem : kBad;
}

static int read_big_number(Bytes line, ReplyItem* out) {
    out->text = line;
    size_t i = line.len > 0 && (line[0] == '-' || line[0] == '+') ? 1 : 0;
    if (i == line.len) return kBad;
    for (; i < line.len; i++) {
        if (line[i] < '0' || line[i] > '9') return kBad;
    }
    return kItem;
}

static int read_boolean(Bytes line, ReplyItem* out) {
    if (line.len != 1 || (line[0] != 't' && line[0] != 'f')) return kBad;
    out->integer = line[0] == 't' ? 1 : 0;
    return kItem;
}

static bool kind_of(char type, ReplyKind* out) {
    switch (type) {
        case '+': *out = ReplyKind::simple; return true;
        case '-': *out = ReplyKind::error; return true;
        case ':': *out = ReplyKind::integer; return true;
        case '$': *out = ReplyKind::bulk; return true;
        case '_': *out = ReplyKind::null; return true;
        case '#': *out = ReplyKind::boolean; return true;
        case ',': *out = ReplyKind::number; return true;
        case '(': *out = ReplyKind::big_number; return true;
        case '=': *out = ReplyKind::verbatim; return true;
        case '!': *out = ReplyKind::bulk_error; return true;
        case '*': *out = ReplyKind::array; return true;
        case '%': *out = ReplyKind::map; return true;
        case '~': *out = ReplyKind::set; return true;
        case '>': *out = ReplyKind::push; return true;
        case '|': *out = ReplyKind::attribute; return true;
        default: return false;
    }
}

int reply_read(const char* buf, size_t len, size_t* pos, ReplyItem* out) {
    if (*pos >= len) return kMore;
    *out = {};
    if (!kind_of(buf[*pos], &out->kind)) return kBad;
    Bytes line;
    size_t at;
    int found = read_line(buf, len, *pos + 1, &line, &at);
    if (found != kItem) return found;
    switch (out->kind) {
        case ReplyKind::simple:
        case ReplyKind::error: out->text = line; break;
        case ReplyKind::integer: found = parse_i64(line, &out->integer) ? kItem : kBad; break;
        case ReplyKind::null: found = line.len == 0 ? kItem : kBad; break;
        case ReplyKind::boolean: found = read_boolean(line, out); break;
        case ReplyKind::number: found = read_number(line, out); break;
        case ReplyKind::big_number: found = read_big_number(line, out); break;
        case ReplyKind::bulk:
        case ReplyKind::verbatim:
        case ReplyKind::bulk_error: found = read_bulk(buf, len, line, &at, out); break;
        case ReplyKind::array:
        case ReplyKind::map:
        case ReplyKind::set:
        case ReplyKind::push:
        case ReplyKind::attribute: found = read_count(line, out); break;
    }
    if (found == kItem) *pos = at;
    return found;
}

// Items that follow before the one just read is whole; an attribute precedes the item it describes.
static uint64_t items_inside(const ReplyItem* item) {
    switch (item->kind) {
        case ReplyKind::array:
        case ReplyKind::set:
        case ReplyKind::push: return item->count;
        case ReplyKind::map: return 2 * static_cast<uint64_t>(item->count);
        case ReplyKind::attribute: return 2 * static_cast<uint64_t>(item->count) + 1;
        default: return 0;
    }
}

int64_t reply_span(const char* buf, size_t len) {
    size_t pos = 0;
    // Each header adds at most 2^32 and takes 4 bytes of buf, so the sum cannot overflow.
    uint64_t missing = 1;
    while (missing > 0) {
        ReplyItem item;
        int got = reply_read(buf, len, &pos, &item);
        if (got != kItem) return got;
        missing += items_inside(&item) - 1;
    }
    return static_cast<int64_t>(pos);
}

}  // namespace rp
