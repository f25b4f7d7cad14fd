// resp/parser.h: bytes from a client -> commands. In place, resumable, no allocation per argument.
//
//   loop buffer   ...|*2 $3 GET $1 k|*3 $3 SET $1 k $5 hel|        <- read(2) filled up to here
//                    ^ complete: argv points into the buffer
//                                   ^ partial: the caller moves these bytes to the front of the
//                                     client's own buffer; the parser keeps offsets, not pointers,
//                                     and goes on where it stopped (never from the start again)
//
// A bulk of at least kBigArg bytes that is not wholly in the buffer is not buffered: the parser
// makes a Blob that grows with what arrives (never with what was announced) and the caller reads
// straight into it; a SET then adopts that Blob as its value.
//
// Invariants  P1 no byte is looked at more than twice, however the command arrives.
//             P2 parser_memory <= 8 x bytes received + 3 x kBigWindow: nothing is allocated for an
//                announcement. (An empty argument is 6 bytes on the wire and a 16-byte slot; the
//                array of slots doubles.)
//             P3 no recursion; after an error every call returns that error.
// Threads     single owner.
// Errors      Redis 7.0's texts, see parser_next.
#pragma once
#include "base/bytes.h"
#include "mem/blob.h"

namespace rp {

constexpr size_t kLineMax = 64 * 1024;  // a header line or an inline command
constexpr size_t kBigArg = 32 * 1024;
constexpr size_t kBigWindow = 16 * 1024;      // least room offered for reading into a big argument
constexpr int64_t kMultibulkMax = INT32_MAX;  // as Redis 7.0
constexpr size_t kArgsMin = 8;
constexpr int64_t kUnauthMultibulkMax = 10;
constexpr int64_t kUnauthBulkMax = 16384;

struct ParserLimits {
    int64_t bulk_max = 512LL * 1024 * 1024;  // proto-max-bulk-len, at least 1 MiB
    // Else the kUnauth limits hold. Run each command before parsing the next one while false: it
    // may be the AUTH that lifts them.
    bool authenticated = true;
};

// One command. argv lies in the pool or in the parser, its bytes in the buffer given to parser_next
// or in Blobs of the parser: valid until parser_reset_command, the next use of the pool's slots, or
// the move of the buffer, whichever comes first.
struct Command {
    Bytes* argv = nullptr;
    size_t argc = 0;
    // Borrowed; if not null it holds argv[big_index] whole, and the executor may blob_ref it. Other
    // big arguments of the same command have Blobs too, which are not shown.
    Blob* big = nullptr;
    size_t big_index = 0;
    size_t wire_bytes = 0;  // how long it was on the wire
};

// Shared scratch of a loop: argv slots for one batch of commands. The caller sets used = 0 after it
// ran the batch; parser_next adds to it.
struct ArgPool {
    Bytes* slots = nullptr;  // owned by the caller
    size_t cap = 0;
    size_t used = 0;
};

enum class Parse : uint8_t {
    command,  // *out is filled
    empty,    // an empty request (*0, blank line) was skipped; call again
    more,     // needs bytes
    full,     // no room beside the commands not yet run: run the batch, reset, call again
    error,    // *error holds the text without "-ERR "; close after replying
};

struct Parser;  // opaque, ~160 bytes; `parser_new` per connection
Parser* parser_new();
void parser_free(Parser* p);

// Looks at buf[*pos .. len). (Not const: an inline command's words are decoded where they stand.)
// On `command` *pos is after the command. On `more` *pos is where the partial command starts: the
// caller must present the parser_keep bytes from there on, with more behind them, at the next call
// (the address may differ, and *pos may then be 0).
//
// *error: borrowed from p, e.g. "Protocol error: invalid bulk length". For `POST` and `Host:`
// requests it is "", and the connection is closed without a reply (cross-protocol scripting).
Parse parser_next(Parser* p, const ParserLimits* limits, ArgPool* pool, char* buf, size_t len,
                  size_t* pos, Command* out, Bytes* error);

// After `more`: how many bytes from *pos on the caller has to keep. What lies behind them in the
// buffer has been taken into a big argument and must be dropped. (All of it, mostly: len - *pos.)
size_t parser_keep(const Parser* p);

// While a big argument is being filled, reads go here instead of into a buffer: room for `*cap`
// bytes (>= kBigWindow unless less is missing; grows geometrically to the announced length, and
// ends with the argument's CRLF, so nothing else can be read into it). False when none is pending,
// and when memory is short: parser_next then returns that error.
bool parser_big_window(Parser* p, char** window, size_t* cap);
// n bytes were read into the window. When it is filled, call parser_next with the kept bytes.
void parser_big_filled(Parser* p, size_t n);

// Frees what the last command held (big blobs, own argv), never what belongs to the partial
// one. Call after each executed command.
void parser_reset_command(Parser* p);
size_t parser_memory(const Parser* p);  // bytes held, for CLIENT LIST and limits
// Bytes of the current partial command already taken out of the caller's buffer (into a big blob).
size_t parser_taken(const Parser* p);

}  // namespace rp
