// resp/reply.h: writes RESP2 and RESP3. The one place that knows how a reply looks on the wire.
//
// A Reply is an Out and the protocol version that the client chose (HELLO); commands write in terms
// of meaning (a map, a null, a double) and this file turns it into the version's bytes.
#pragma once
#include "resp/out.h"

namespace rp {

constexpr size_t kErrorCodeMax = 24;

struct Reply {
    Out* out = nullptr;
    uint8_t resp = 2;  // 2 or 3
    uint8_t code_len = 0;
    char code[kErrorCodeMax];  // first word of the last error: "ERR", "WRONGTYPE"
    uint32_t errors = 0;       // error replies written; the dispatcher reads and resets it

    Bytes error_code() const { return {code, code_len}; }
};

void reply_raw(Reply* r, Bytes wire);     // complete wire bytes, as they are
void reply_ok(Reply* r);                  // +OK
void reply_simple(Reply* r, Bytes text);  // +text; no CR or LF inside
// "-" + text + CRLF. CR and LF inside become spaces; text is not cut. Counts in r->errors.
void reply_error(Reply* r, Bytes text);
[[gnu::format(printf, 2, 3)]] void reply_errorf(Reply* r, const char* format,
                                                ...);  // at most 1 KiB
void reply_int(Reply* r, int64_t v);
void reply_bulk(Reply* r, Bytes b);
void reply_bulk_int(Reply* r, int64_t v);                              // $ + decimal digits
void reply_bulk_blob(Reply* r, Blob* borrow, size_t off, size_t len);  // referenced when long
void reply_null(Reply* r);                                             // $-1 or _
void reply_null_array(Reply* r);                                       // *-1 or _
void reply_array(Reply* r, size_t n);
void reply_map(Reply* r, size_t pairs);                        // RESP2: *2n
void reply_set(Reply* r, size_t n);                            // RESP2: *n
void reply_push(Reply* r, size_t n);                           // RESP2: *n
void reply_bool(Reply* r, bool v);                             // RESP2: :0 :1
void reply_double(Reply* r, double v);                         // RESP2: bulk
void reply_long_double(Reply* r, long double v);               // bulk, human format (INCRBYFLOAT)
void reply_verbatim(Reply* r, Bytes text, const char ext[3]);  // RESP2: bulk

}  // namespace rp
