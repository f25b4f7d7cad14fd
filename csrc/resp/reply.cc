#include "resp/reply.h"

#include <cstdarg>
#include <cstdio>

#include "base/assert.h"
#include "base/numbers.h"

namespace rp {

constexpr size_t kHeaderMax = 1 + kI64TextMax + 2;  // type byte, number, CRLF
constexpr size_t kErrorMax = 1024;

static char* put_crlf(char* at) {
    at[0] = '\r';
    at[1] = '\n';
    return at + 2;
}

static char* put_header(char* at, char type, int64_t n) {
    *at++ = type;
    if (RP_LIKELY(n >= 0 && n < 10)) {
        *at++ = static_cast<char>('0' + n);
    } else if (n >= 10 && n < 100) {
        *at++ = static_cast<char>('0' + n / 10);
        *at++ = static_cast<char>('0' + n % 10);
    } else {
        at += format_i64(at, n);
    }
    return put_crlf(at);
}

static void write_header(Reply* r, char type, int64_t n) {
    char* start = out_reserve(r->out, kHeaderMax);
    out_commit(r->out, static_cast<size_t>(put_header(start, type, n) - start));
}

static void write_line(Reply* r, char type, Bytes text) {
    if (RP_UNLIKELY(text.len > kOutChunkMin - 3)) {
        out_write(r->out, {&type, 1});
        out_write(r->out, text);
        return out_write(r->out, "\r\n");
    }
    char* at = out_reserve(r->out, text.len + 3);
    at[0] = type;
    memcpy(at + 1, text.ptr, text.len);
    put_crlf(at + 1 + text.len);
    out_commit(r->out, text.len + 3);
}

void reply_raw(Reply* r, Bytes wire) { out_write(r->out, wire); }

void reply_ok(Reply* r) {
    memcpy(out_reserve(r->out, 5), "+OK\r\n", 5);
    out_commit(r->out, 5);
}

void reply_simple(Reply* r, Bytes text) { write_line(r, '+', text); }

static void note_error(Reply* r, Bytes text) {
    size_t n = 0;
    while (n < text.len && n < kErrorCodeMax && text[n] != ' ')
        n++;
    memcpy(r->code, text.ptr, n);
    r->code_len = static_cast<uint8_t>(n);
    r->errors++;
}

void reply_error(Reply* r, Bytes text) {
    note_error(r, text);
    out_write(r->out, "-");
    // A line break would let the text of an error forge further replies.
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text[i] != '\r' && text[i] != '\n') continue;
        out_write(r->out, {text.ptr + from, i - from});
        out_write(r->out, " ");
        from = i + 1;
    }
    out_write(r->out, {text.ptr + from, text.len - from});
    out_write(r->out, "\r\n");
}

void reply_errorf(Reply* r, const char* format, ...) {
    char text[kErrorMax];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0) n = 0;
    size_t len = static_cast<size_t>(n);
    reply_error(r, {text, len < sizeof text ? len : sizeof text - 1});
}

void reply_int(Reply* r, int64_t v) { write_header(r, ':', v); }

void reply_bulk(Reply* r, Bytes b) {
    // Blocks that would leave most of a fresh chunk empty are cut over chunks instead.
    if (RP_UNLIKELY(b.len > kOutChunkMin - kHeaderMax - 2)) {
        write_header(r, '$', static_cast<int64_t>(b.len));
        out_write(r->out, b);
        return out_write(r->out, "\r\n");
    }
    char* start = out_reserve(r->out, kHeaderMax + b.len + 2);
    char* at = put_header(start, '$', static_cast<int64_t>(b.len));
    if (b.len > 0) memcpy(at, b.ptr, b.len);
    at = put_crlf(at + b.len);
    out_commit(r->out, static_cast<size_t>(at - start));
}

void reply_bulk_int(Reply* r, int64_t v) {
    char text[kI64TextMax];
    reply_bulk(r, {text, format_i64(text, v)});
}

void reply_bulk_blob(Reply* r, Blob* borrow, size_t off, size_t len) {
    if (len < kOutBlobMin) return reply_bulk(r, {borrow->data + off, len});
    write_header(r, '$', static_cast<int64_t>(len));
    out_blob(r->out, borrow, off, len);
    out_write(r->out, "\r\n");
}

void reply_null(Reply* r) { out_write(r->out, r->resp == 3 ? Bytes("_\r\n") : Bytes("$-1\r\n")); }

void reply_null_array(Reply* r) {
    out_write(r->out, r->resp == 3 ? Bytes("_\r\n") : Bytes("*-1\r\n"));
}

void reply_array(Reply* r, size_t n) { write_header(r, '*', static_cast<int64_t>(n)); }

void reply_map(Reply* r, size_t pairs) {
    int64_t n = static_cast<int64_t>(pairs);
    if (r->resp == 3) return write_header(r, '%', n);
    write_header(r, '*', 2 * n);
}

void reply_set(Reply* r, size_t n) {
    write_header(r, r->resp == 3 ? '~' : '*', static_cast<int64_t>(n));
}

void reply_push(Reply* r, size_t n) {
    write_header(r, r->resp == 3 ? '>' : '*', static_cast<int64_t>(n));
}

void reply_bool(Reply* r, bool v) {
    if (r->resp == 3) return out_write(r->out, v ? Bytes("#t\r\n") : Bytes("#f\r\n"));
    write_header(r, ':', v ? 1 : 0);
}

void reply_double(Reply* r, double v) {
    char text[40];
    Bytes b = {text, format_double(text, v)};
    if (r->resp == 3) return write_line(r, ',', b);
    reply_bulk(r, b);
}

void reply_long_double(Reply* r, long double v) {
    char text[kLdTextMax];
    reply_bulk(r, {text, format_long_double(text, v)});
}

void reply_verbatim(Reply* r, Bytes text, const char ext[3]) {
    if (r->resp != 3) return reply_bulk(r, text);
    write_header(r, '=', static_cast<int64_t>(text.len + 4));
    out_write(r->out, {ext, 3});
    out_write(r->out, ":");
    out_write(r->out, text);
    out_write(r->out, "\r\n");
}

}  // namespace rp
