// Two paths. parse_whole reads a well-formed multibulk command that lies wholly in the buffer,
// which is nearly every command there is, straight into the pool. Whatever it does not like (a
// partial command, an error, an inline command, a big number) starts again in the second path,
// which keeps its progress in the Parser and gives every answer there is.
#include "resp/parser.h"

#include <bit>
#include <cstdio>

#include "base/assert.h"
#include "base/numbers.h"
#include "conf/split_args.h"
#include "mem/mem.h"

namespace rp {

// An argument of a partial command. Offsets and not pointers, since the bytes will move.
struct Slot {
    size_t at;  // offset from the command's start, or kInBlob + index in Parser.bigs
    size_t len;
};
static_assert(sizeof(Slot) == sizeof(Bytes), "slots become Bytes where they are");

constexpr size_t kInBlob = size_t{1} << 63;
constexpr size_t kSlotsKept = 64;  // a larger array is given back after its command
constexpr int64_t kNoBulk = -1;

struct Parser {
    // The partial command. All zero (bulk: kNoBulk) between commands. Offsets count from its start.
    size_t next;    // first byte not consumed
    size_t seen;    // no line end lies in [next, seen)
    size_t taken;   // bytes that went into Blobs and left the caller's buffer
    int64_t bulk;   // length of the argument at `next`, or kNoBulk: its header comes first
    uint32_t argc;  // complete arguments
    uint32_t todo;  // arguments still missing
    bool started;   // the multibulk header has been read
    bool filling;   // the argument goes into the last of bigs
    // The partial command's, then, if `held`, the last command's until parser_reset_command.
    bool held;
    bool failed;
    bool midway;  // a partial command or an error is remembered: no fast path
    uint8_t error_len;
    char error[60];
    Slot* slots;
    Blob** bigs;
    uint32_t slots_cap;
    uint32_t bigs_len;
    uint32_t bigs_cap;
    uint32_t big_index;  // argument that bigs[0] holds
    size_t keep;
};

Parser* parser_new() {
    Parser* p = static_cast<Parser*>(mem_calloc(sizeof(Parser)));
    p->bulk = kNoBulk;
    return p;
}

static void slots_free(Parser* p) {
    mem_free(p->slots, p->slots_cap * sizeof(Slot));
    p->slots = nullptr;
    p->slots_cap = 0;
}

static void bigs_free(Parser* p) {
    for (uint32_t i = 0; i < p->bigs_len; i++)
        blob_unref(p->bigs[i]);
    mem_free(p->bigs, p->bigs_cap * sizeof(Blob*));
    p->bigs = nullptr;
    p->bigs_len = p->bigs_cap = 0;
}

void parser_free(Parser* p) {
    if (p == nullptr) return;
    bigs_free(p);
    slots_free(p);
    mem_free(p, sizeof(Parser));
}

void parser_reset_command(Parser* p) {
    if (RP_LIKELY(!p->held)) return;
    bigs_free(p);
    if (p->slots_cap > kSlotsKept) slots_free(p);
    p->held = false;
}

size_t parser_memory(const Parser* p) {
    size_t sum = sizeof(Parser) + p->slots_cap * sizeof(Slot) + p->bigs_cap * sizeof(Blob*);
    for (uint32_t i = 0; i < p->bigs_len; i++)
        sum += sizeof(Blob) + p->bigs[i]->cap;
    return sum;
}

size_t parser_taken(const Parser* p) { return p->taken; }

size_t parser_keep(const Parser* p) { return p->keep; }

// ---- the path of whole commands ---------------------------------------------------------------

// Cross-protocol scripting: a browser can be made to send these, never a client of ours.
static inline bool is_http(Bytes word) {
    if (RP_LIKELY(word.len - 4 > 1)) return false;
    return bytes_equal_nocase(word, "post") || bytes_equal_nocase(word, "host:");
}

static_assert(std::endian::native == std::endian::little, "header words are compared as read");

// Where a header's number leads: the first byte behind the header line, null if this is not for the
// fast path. (As in Redis, whatever follows the CR passes for the LF.)
struct Length {
    const char* body;
    size_t n;
};

// Three to five digits at s + 1. Lengths that may pass ParserLimits.bulk_max are longer than that.
[[gnu::noinline]] static Length long_length(const char* s, const char* end, char type) {
    if (end - s < 8 || s[0] != type || s[1] == '0') return {nullptr, 0};
    size_t n = 0, i = 1;
    for (; s[i] != '\r'; i++) {
        size_t digit = static_cast<unsigned char>(s[i]) - size_t{'0'};
        if (digit > 9 || i == 6) return {nullptr, 0};
        n = n * 10 + digit;
    }
    if (i < 4) return {nullptr, 0};
    return {s + i + 2, n};
}

// The header at s, of which at least 5 bytes exist: one or two digits, by comparing whole words.
static inline Length length_at(const char* s, const char* end, char type) {
    uint32_t w;
    memcpy(&w, s, sizeof w);
    const uint32_t first = static_cast<unsigned char>(type);
    size_t high = (w >> 8 & 0xff) - size_t{'0'}, low = (w >> 16 & 0xff) - size_t{'0'};
    if ((w & 0x00ff00ff) == (first | uint32_t{'\r'} << 16) && high <= 9) return {s + 4, high};
    if ((w & 0xff0000ff) == (first | uint32_t{'\r'} << 24) && high - 1 <= 8 && low <= 9) {
        return {s + 5, high * 10 + low};
    }
    return long_length(s, end, type);
}

// One whole command at *at with room in the pool: fills *out, moves *at. False: nothing happened.
static inline bool parse_whole(const ParserLimits* limits, ArgPool* pool, const char** at,
                               const char* end, Command* out) {
    const char* const start = *at;
    // The shortest command and the shortest argument: "*1\r\n$0\r\n\r\n".
    if (RP_UNLIKELY(end - start < 10 || !limits->authenticated)) return false;
    Length argc = length_at(start, end, '*');
    // None, or more than there is room for.
    if (RP_UNLIKELY(argc.body == nullptr || argc.n - 1 >= pool->cap - pool->used)) return false;
    Bytes* const argv = pool->slots + pool->used;
    const Bytes* const last = argv + argc.n;
    const char* s = argc.body;
    for (Bytes* arg = argv; arg != last; arg++) {
        if (RP_UNLIKELY(end - s < 6)) return false;
        Length len = length_at(s, end, '$');
        if (RP_UNLIKELY(len.body == nullptr)) return false;
        if (RP_UNLIKELY(static_cast<size_t>(end - len.body) < len.n + 2)) return false;
        *arg = {len.body, len.n};
        s = len.body + len.n + 2;
    }
    if (RP_UNLIKELY(is_http(argv[0]))) return false;
    *out = {.argv = argv, .argc = argc.n, .wire_bytes = static_cast<size_t>(s - start)};
    pool->used += argc.n;
    *at = s;
    return true;
}

// ---- the path of everything else --------------------------------------------------------------

enum class Step : uint8_t { done, more, failed };

// From here on every call returns this error. Text longer than Parser.error is cut.
static Step fail(Parser* p, const char* text) {
    size_t len = strlen(text);
    RP_DCHECK(len <= sizeof p->error);
    memcpy(p->error, text, len);
    p->error_len = static_cast<uint8_t>(len);
    p->failed = true;
    p->filling = false;
    bigs_free(p);
    slots_free(p);
    return Step::failed;
}

static Step fail_memory(Parser* p) { return fail(p, "Protocol error: out of memory"); }

// "expected '$', got 'x'". A NUL would end the text for many clients, so it shows as a blank.
static Step fail_type(Parser* p, char got) {
    char text[40];
    snprintf(text, sizeof text, "Protocol error: expected '$', got '%c'", got == '\0' ? ' ' : got);
    return fail(p, text);
}

static Step slot_add(Parser* p, size_t at, size_t len) {
    if (p->argc == p->slots_cap) {
        size_t cap = p->slots_cap == 0 ? kArgsMin : 2 * size_t{p->slots_cap};
        void* grown = mem_try_realloc(p->slots, p->slots_cap * sizeof(Slot), cap * sizeof(Slot));
        if (grown == nullptr) return fail_memory(p);
        p->slots = static_cast<Slot*>(grown);
        p->slots_cap = static_cast<uint32_t>(cap);
    }
    p->slots[p->argc++] = {at, len};
    return Step::done;
}

// Finds the first `mark` from p->next on, looking at each byte once.
static Step line_end(Parser* p, const char* cmd, size_t avail, char mark, const char* too_long,
                     size_t* end) {
    size_t from = p->seen > p->next ? p->seen : p->next;
    size_t limit = p->next + kLineMax + 1;
    size_t stop = avail < limit ? avail : limit;
    const void* found = from < stop ? memchr(cmd + from, mark, stop - from) : nullptr;
    if (found != nullptr) {
        *end = static_cast<size_t>(static_cast<const char*>(found) - cmd);
        p->seen = *end;
        return Step::done;
    }
    p->seen = stop;
    return avail >= limit ? fail(p, too_long) : Step::more;
}

// A header line: its type byte at p->next, the number's text, CR and one more byte.
static Step header(Parser* p, const char* cmd, size_t avail, const char* too_long, Bytes* number,
                   size_t* behind) {
    size_t cr;
    Step step = line_end(p, cmd, avail, '\r', too_long, &cr);
    if (step != Step::done) return step;
    if (cr + 1 >= avail) return Step::more;
    // A line that is only CR has no type byte; its number is empty.
    *number = {cmd + p->next + 1, cr > p->next ? cr - p->next - 1 : 0};
    *behind = cr + 2;
    return Step::done;
}

// "*3". todo = 0 afterwards: an empty request.
static Step multibulk_header(Parser* p, const ParserLimits* limits, const char* cmd, size_t avail) {
    Bytes number;
    size_t behind;
    Step step =
        header(p, cmd, avail, "Protocol error: too big mbulk count string", &number, &behind);
    if (step != Step::done) return step;
    int64_t n;
    if (!parse_i64(number, &n) || n > kMultibulkMax) {
        return fail(p, "Protocol error: invalid multibulk length");
    }
    if (n > kUnauthMultibulkMax && !limits->authenticated) {
        return fail(p, "Protocol error: unauthenticated multibulk length");
    }
    p->started = true;
    p->todo = n > 0 ? static_cast<uint32_t>(n) : 0;
    p->next = behind;
    return Step::done;
}

// A Blob for the argument at p->next, of which `here` bytes have come.
static Step big_start(Parser* p, size_t here) {
    if (p->bigs_len == p->bigs_cap) {
        uint32_t cap = p->bigs_cap == 0 ? 1 : 2 * p->bigs_cap;
        void* grown = mem_try_realloc(p->bigs, p->bigs_cap * sizeof(Blob*), cap * sizeof(Blob*));
        if (grown == nullptr) return fail_memory(p);
        p->bigs = static_cast<Blob**>(grown);
        p->bigs_cap = cap;
    }
    size_t whole = static_cast<size_t>(p->bulk) + 2, cap = here + kBigWindow;
    Blob* b = blob_try_new(cap < whole ? cap : whole);
    if (b == nullptr) return fail_memory(p);
    if (p->bigs_len == 0) p->big_index = p->argc;
    p->bigs[p->bigs_len++] = b;
    p->filling = true;
    return Step::done;
}

// "$5"
static Step bulk_header(Parser* p, const ParserLimits* limits, const char* cmd, size_t avail) {
    Bytes number;
    size_t behind;
    Step step =
        header(p, cmd, avail, "Protocol error: too big bulk count string", &number, &behind);
    if (step != Step::done) return step;
    if (cmd[p->next] != '$') return fail_type(p, cmd[p->next]);
    int64_t n;
    if (!parse_i64(number, &n) || n < 0 || n > limits->bulk_max) {
        return fail(p, "Protocol error: invalid bulk length");
    }
    if (n > kUnauthBulkMax && !limits->authenticated) {
        return fail(p, "Protocol error: unauthenticated bulk length");
    }
    p->bulk = n;
    p->next = behind;
    size_t len = static_cast<size_t>(n), here = avail - behind;
    return len >= kBigArg && here < len + 2 ? big_start(p, here) : Step::done;
}

// Grows the Blob being filled so that `n` more bytes fit, or as many as are missing.
static Blob* big_room(Parser* p, size_t n) {
    Blob** b = &p->bigs[p->bigs_len - 1];
    size_t whole = static_cast<size_t>(p->bulk) + 2, need = whole - (*b)->len;
    if ((*b)->cap - (*b)->len >= (n < need ? n : need)) return *b;
    size_t cap = 2 * (*b)->cap;
    if (cap < (*b)->len + n) cap = (*b)->len + n;
    Blob* grown = blob_try_resize(*b, cap < whole ? cap : whole);
    if (grown == nullptr) {
        fail_memory(p);
        return nullptr;
    }
    return *b = grown;
}

// Moves what the buffer holds of a big argument into its Blob.
static Step big_body(Parser* p, const char* cmd, size_t avail) {
    size_t here = avail - p->next;
    Blob* b = big_room(p, here);
    if (b == nullptr) return Step::failed;
    size_t len = static_cast<size_t>(p->bulk), need = len + 2 - b->len;
    size_t n = here < need ? here : need;
    memcpy(b->data + b->len, cmd + p->next, n);
    b->len += n;
    if (n < need) {
        p->taken += n;
        return Step::more;
    }
    p->next += n;
    b->len = len;  // The CRLF came along, to spare the caller a read for it.
    p->filling = false;
    return slot_add(p, kInBlob + (p->bigs_len - 1), len);
}

static Step bulk_body(Parser* p, const char* cmd, size_t avail) {
    if (p->filling) return big_body(p, cmd, avail);
    size_t len = static_cast<size_t>(p->bulk);
    if (avail - p->next < len + 2) return Step::more;
    Step step = slot_add(p, p->next, len);
    p->next += len + 2;
    return step;
}

static Step arguments(Parser* p, const ParserLimits* limits, const char* cmd, size_t avail) {
    while (p->todo > 0) {
        if (p->bulk == kNoBulk) {
            Step step = bulk_header(p, limits, cmd, avail);
            if (step != Step::done) return step;
        }
        Step step = bulk_body(p, cmd, avail);
        if (step != Step::done) return step;
        p->bulk = kNoBulk;
        p->todo--;
    }
    return Step::done;
}

static void forget_partial(Parser* p) {
    p->next = p->seen = p->taken = 0;
    p->bulk = kNoBulk;
    p->argc = p->todo = 0;
    p->started = p->midway = false;
}

// The parser stands behind a request without a command.
static Parse skip(Parser* p, size_t wire, size_t* pos) {
    *pos += wire;
    forget_partial(p);
    return Parse::empty;
}

static Parse answer_error(const Parser* p, Bytes* error) {
    *error = {p->error, p->error_len};
    return Parse::error;
}

static Parse answer_more(Parser* p, size_t avail) {
    p->keep = p->filling ? p->next : avail;
    return Parse::more;
}

// argv is complete, in the pool or in p->slots.
static Parse answer_command(Parser* p, Bytes* argv, size_t* pos, Command* out, Bytes* error) {
    if (is_http(argv[0])) {
        fail(p, "");
        return answer_error(p, error);
    }
    *out = {.argv = argv, .argc = p->argc, .wire_bytes = p->next + p->taken};
    if (p->bigs_len > 0) {
        out->big = p->bigs[0];
        out->big_index = p->big_index;
    }
    bool own_argv = static_cast<void*>(argv) == static_cast<void*>(p->slots);
    p->held = own_argv || p->bigs_len > 0;
    if (!p->held && p->slots_cap > kSlotsKept) slots_free(p);
    *pos += p->next;
    forget_partial(p);
    return Parse::command;
}

// Gives each slot its address, in the pool if there is room, else where the slots are.
static Parse emit(Parser* p, ArgPool* pool, const char* cmd, size_t* pos, Command* out,
                  Bytes* error) {
    Bytes* argv = reinterpret_cast<Bytes*>(p->slots);
    if (p->argc <= pool->cap - pool->used) {
        argv = pool->slots + pool->used;
        pool->used += p->argc;
    } else if (pool->used > 0) {
        return Parse::full;
    }
    for (uint32_t i = 0; i < p->argc; i++) {
        Slot slot;
        memcpy(&slot, &p->slots[i], sizeof slot);
        const char* at = slot.at >= kInBlob ? p->bigs[slot.at - kInBlob]->data : cmd + slot.at;
        Bytes arg = {at, slot.len};
        memcpy(static_cast<void*>(&argv[i]), &arg, sizeof arg);
    }
    return answer_command(p, argv, pos, out, error);
}

// A line of words. They are decoded in place, so the room for them is made sure of first.
static Parse parse_inline(Parser* p, ArgPool* pool, char* cmd, size_t avail, size_t* pos,
                          Command* out, Bytes* error) {
    size_t lf;
    Step step = line_end(p, cmd, avail, '\n', "Protocol error: too big inline request", &lf);
    if (step == Step::more) return answer_more(p, avail);
    if (step == Step::failed) return answer_error(p, error);
    Bytes line = {cmd, lf > 0 && cmd[lf - 1] == '\r' ? lf - 1 : lf};
    size_t words_max = line.len / 2 + 1;
    if (words_max > pool->cap - pool->used && pool->used > 0) return Parse::full;
    char* to = cmd;
    for (;;) {
        size_t len;
        SplitArg got = split_args_next(&line, to, &len);
        if (got == SplitArg::end) break;
        if (got == SplitArg::unbalanced) {
            fail(p, "Protocol error: unbalanced quotes in request");
            return answer_error(p, error);
        }
        if (slot_add(p, static_cast<size_t>(to - cmd), len) != Step::done) {
            return answer_error(p, error);
        }
        to += len;
    }
    p->next = lf + 1;
    if (p->argc == 0) return skip(p, p->next, pos);
    return emit(p, pool, cmd, pos, out, error);
}

[[gnu::noinline]] static Parse parse_resumable(Parser* p, const ParserLimits* limits, ArgPool* pool,
                                               char* buf, size_t len, size_t* pos, Command* out,
                                               Bytes* error) {
    char* cmd = buf + *pos;
    size_t avail = len - *pos;
    if (p->failed) return answer_error(p, error);
    RP_ASSERT(avail >= p->next && "the caller dropped bytes of a partial command");
    if (avail == 0) return answer_more(p, 0);
    if (p->held) return Parse::full;  // What would be kept of this command has its place taken.
    p->midway = true;
    if (!p->started) {
        if (*cmd != '*') return parse_inline(p, pool, cmd, avail, pos, out, error);
        Step step = multibulk_header(p, limits, cmd, avail);
        if (step == Step::more) return answer_more(p, avail);
        if (step == Step::failed) return answer_error(p, error);
        if (p->todo == 0) return skip(p, p->next, pos);
    }
    Step step = arguments(p, limits, cmd, avail);
    if (step == Step::more) return answer_more(p, avail);
    if (step == Step::failed) return answer_error(p, error);
    return emit(p, pool, cmd, pos, out, error);
}

Parse parser_next(Parser* p, const ParserLimits* limits, ArgPool* pool, char* buf, size_t len,
                  size_t* pos, Command* out, Bytes* error) {
    if (RP_LIKELY(!p->midway)) {
        const char* at = buf + *pos;
        if (RP_LIKELY(parse_whole(limits, pool, &at, buf + len, out))) {
            *pos = static_cast<size_t>(at - buf);
            return Parse::command;
        }
    }
    return parse_resumable(p, limits, pool, buf, len, pos, out, error);
}

// ---- reading straight into a big argument -----------------------------------------------------

bool parser_big_window(Parser* p, char** window, size_t* cap) {
    if (!p->filling) return false;
    size_t need = static_cast<size_t>(p->bulk) + 2 - p->bigs[p->bigs_len - 1]->len;
    if (need == 0) return false;  // Full: parser_next takes it from here.
    Blob* b = big_room(p, kBigWindow);
    if (b == nullptr) return false;
    *window = b->data + b->len;
    *cap = b->cap - b->len;
    return true;
}

void parser_big_filled(Parser* p, size_t n) {
    Blob* b = p->bigs[p->bigs_len - 1];
    RP_ASSERT(p->filling && n <= b->cap - b->len);
    b->len += n;
    p->taken += n;
}

}  // namespace rp
