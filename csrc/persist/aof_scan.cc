#include "persist/aof_scan.h"

#include <errno.h>

#include <cstdarg>
#include <cstdio>
#include <initializer_list>

#include "base/numbers.h"
#include "mem/mem.h"
#include "persist/crc32c.h"

namespace rp {

constexpr size_t kWindow = 1 << 20;
constexpr size_t kAnnotationMax = 1024;  // a longer line is none
constexpr size_t kHeaderMax = 32;        // "*<digits>\r\n"
constexpr size_t kOurLineMax = 96;
constexpr uint64_t kArgsMax = INT32_MAX;
constexpr uint64_t kSector = 512;  // a disk writes it whole or not at all

namespace {

// What became of a look at the next bytes.
enum class Got : uint8_t { it, end, bad };

// The file through a window: buf[at .. len) is read and not yet taken; `pos` is where that is in
// the file; nothing from `limit` on is looked at, be it in the window or not.
struct Scan {
    const FileOps* f;
    const char* path;
    const AofScanOptions* options;
    AofScan* out;
    PersistErr* err;
    int fd = -1;
    char* buf = nullptr;
    size_t cap = 0;
    size_t at = 0, len = 0;
    uint64_t pos = 0;
    uint64_t limit = UINT64_MAX;
    uint32_t crc = 0;  // of what was taken since the run began
    bool io_error = false;
    // Outside of runs: the offset of the MULTI that is open.
    bool in_multi = false;
    uint64_t multi_at = 0;
};

struct Annotation {
    uint64_t first, records, bytes;
    uint32_t crc;
};

}  // namespace

// ---- bytes ------------------------------------------------------------------------------------

static bool io_failed(Scan* s, int status) {
    s->io_error = true;
    snprintf(s->err->text, sizeof s->err->text, "%.480s: at byte %llu: cannot read it: %s", s->path,
             static_cast<unsigned long long>(s->pos), strerror(-status));
    return false;
}

// Bytes that may be looked at now.
static size_t there(const Scan* s) {
    const size_t read = s->len - s->at;
    return read < s->limit - s->pos ? read : static_cast<size_t>(s->limit - s->pos);
}

// Makes more of them. False: there are none (the limit, or an error).
static bool fill(Scan* s) {
    if (s->len - s->at >= s->limit - s->pos) return false;
    if (s->at > 0) memmove(s->buf, s->buf + s->at, s->len - s->at);
    s->len -= s->at;
    s->at = 0;
    if (s->len == s->cap) return false;
    const ssize_t n = s->f->read(s->f->arg, s->fd, s->buf + s->len, s->cap - s->len);
    if (n < 0) return io_failed(s, static_cast<int>(n));
    if (n == 0) s->limit = s->pos + s->len;  // shorter than it was a moment ago
    s->len += static_cast<size_t>(n);
    if (s->options->progress != nullptr)
        s->options->progress(s->options->progress_arg, static_cast<uint64_t>(n));
    return n > 0;
}

static void take(Scan* s, size_t n) {
    s->crc = crc32c(s->crc, {s->buf + s->at, n});
    s->at += n;
    s->pos += n;
}

static bool at_end(Scan* s) { return there(s) == 0 && !fill(s); }

// False: the end came first.
static bool skip(Scan* s, uint64_t n) {
    while (n > 0) {
        if (at_end(s)) return false;
        const size_t part = n < there(s) ? static_cast<size_t>(n) : there(s);
        take(s, part);
        n -= part;
    }
    return true;
}

// A line of at most `max` bytes with its CR LF; *line is without, and lies in the window until the
// next fill. It is not taken yet: take(s, line->len + 2).
static Got peek_line(Scan* s, size_t max, Bytes* line) {
    for (;;) {
        const char* from = s->buf + s->at;
        const size_t have = there(s) < max ? there(s) : max;
        const auto* end = static_cast<const char*>(memchr(from, '\n', have));
        if (end != nullptr) {
            const size_t len = static_cast<size_t>(end - from);
            if (len == 0 || from[len - 1] != '\r') return Got::bad;
            *line = {from, len - 1};
            return Got::it;
        }
        if (have == max) return Got::bad;
        if (!fill(s)) {
            *line = {s->buf + s->at, there(s)};
            return Got::end;
        }
    }
}

// ---- commands ---------------------------------------------------------------------------------

// "*<count>" or "$<length>". A cut one is still recognised by what is there of it.
static Got take_header(Scan* s, char kind, uint64_t max, uint64_t* n) {
    Bytes line;
    const Got got = peek_line(s, kHeaderMax, &line);
    if (got == Got::bad) return Got::bad;
    if (line.len > 0 && line[0] != kind) return Got::bad;
    if (got == Got::end) {
        for (size_t i = 1; i < line.len; i++) {
            const bool ends = i + 1 == line.len && line[i] == '\r' && i > 1;
            if (!ends && (line[i] < '0' || line[i] > '9')) return Got::bad;
        }
        return Got::end;
    }
    if (line.len < 2 || line[1] == '-' || !parse_u64(bytes_slice(line, 1, line.len - 1), n))
        return Got::bad;
    if (*n > max) return Got::bad;
    take(s, line.len + 2);
    return Got::it;
}

static Got take_line_end(Scan* s) {
    for (char want : {'\r', '\n'}) {
        if (at_end(s)) return Got::end;
        if (s->buf[s->at] != want) return Got::bad;
        take(s, 1);
    }
    return Got::it;
}

enum class Word : uint8_t { other, multi, exec };

static Word word_of(Bytes text) {
    if (bytes_equal_nocase(text, "multi")) return Word::multi;
    return bytes_equal_nocase(text, "exec") ? Word::exec : Word::other;
}

// One bulk argument; *word tells what it is.
static Got take_argument(Scan* s, Word* word) {
    uint64_t len;
    const Got got = take_header(s, '$', INT64_MAX, &len);
    if (got != Got::it) return got;
    while (len <= 5 && there(s) < len && fill(s)) {}
    const Bytes text = {s->buf + s->at, there(s) < len ? 0 : static_cast<size_t>(len)};
    *word = len <= 5 ? word_of(text) : Word::other;
    if (!skip(s, len)) return Got::end;
    return take_line_end(s);
}

// "<kind><number>\r\n" at p. Null for whatever is not that, or may not be.
static const char* quick_header(const char* p, const char* end, char kind, uint64_t* n) {
    if (end - p < 4 || *p++ != kind) return nullptr;
    if (*p == '0' && p[1] != '\r') return nullptr;
    const char* digits_end = end - p > 10 ? p + 9 : end - 2;
    const char* from = p;
    uint64_t value = 0;
    while (p < digits_end && *p >= '0' && *p <= '9')
        value = value * 10 + static_cast<uint64_t>(*p++ - '0');
    if (p == from || p[0] != '\r' || p[1] != '\n') return nullptr;
    *n = value;
    return p + 2;
}

// The length of the command at the front, when it is a good one and whole in the window; else 0,
// and the slow way tells what it is.
static size_t quick_command(const Scan* s, Word* word) {
    const char* start = s->buf + s->at;
    const char* end = start + there(s);
    uint64_t count, len = 0;
    const char* p = quick_header(start, end, '*', &count);
    if (p == nullptr || count == 0) return 0;
    for (uint64_t i = 0; i < count; i++) {
        p = quick_header(p, end, '$', &len);
        if (p == nullptr || static_cast<uint64_t>(end - p) < len + 2) return 0;
        p += len;
        if (p[0] != '\r' || p[1] != '\n') return 0;
        p += 2;
    }
    *word = count == 1 ? word_of({p - 2 - len, static_cast<size_t>(len)}) : Word::other;
    return static_cast<size_t>(p - start);
}

// *word: its name, if it stands alone.
static Got take_command(Scan* s, Word* word) {
    const size_t quick = quick_command(s, word);
    if (quick > 0) {
        take(s, quick);
        s->out->commands++;
        return Got::it;
    }
    uint64_t count;
    Got got = take_header(s, '*', kArgsMax, &count);
    if (got != Got::it) return got;
    if (count == 0) return Got::bad;
    for (uint64_t i = 0; i < count; i++) {
        Word argument;
        got = take_argument(s, &argument);
        if (got != Got::it) return got;
        *word = count == 1 ? argument : Word::other;
    }
    s->out->commands++;
    return Got::it;
}

// ---- verdicts ---------------------------------------------------------------------------------

[[gnu::format(printf, 5, 6)]] static bool verdict(Scan* s, AofState state, FindingKind kind,
                                                  uint64_t at, const char* format, ...) {
    s->out->state = state;
    s->out->kind = kind;
    s->out->good_bytes = at;
    va_list args;
    va_start(args, format);
    vsnprintf(s->out->text, sizeof s->out->text, format, args);
    va_end(args);
    return false;
}

static bool torn(Scan* s, uint64_t at, const char* what) {
    if (s->io_error) return false;
    return verdict(s, AofState::torn, FindingKind::torn_tail, at, "%s", what);
}

static bool damaged(Scan* s, uint64_t at, const char* what) {
    if (s->io_error) return false;
    return verdict(s, AofState::damaged, FindingKind::syntax, at, "%s", what);
}

static bool reopen(Scan* s, uint64_t at) {
    if (s->fd >= 0) s->f->close(s->f->arg, s->fd);
    s->at = s->len = 0;
    s->pos = 0;
    s->fd = s->f->open_read(s->f->arg, s->path);
    if (s->fd < 0) return io_failed(s, s->fd);
    return skip(s, at);
}

// Where the zeros begin that fill the file to its end, if they fill at least the part of a sector
// that a crash can leave so; else the end of the file. Looks from `from` on.
static uint64_t end_of_data(Scan* s, uint64_t from) {
    s->limit = s->out->file_bytes;
    if (!reopen(s, from)) return s->limit;
    uint64_t end = from;
    while (!at_end(s)) {
        size_t n = there(s);
        while (n > 0 && s->buf[s->at + n - 1] == '\0')
            n--;
        if (n > 0) end = s->pos + n;
        take(s, there(s));
    }
    const uint64_t sector = (end + kSector - 1) / kSector * kSector;
    return sector < s->limit ? end : s->limit;
}

// ---- runs -------------------------------------------------------------------------------------

static bool next_word(Bytes* rest, Bytes* word) {
    const auto* space = static_cast<const char*>(memchr(rest->ptr, ' ', rest->len));
    const size_t len = space == nullptr ? rest->len : static_cast<size_t>(space - rest->ptr);
    *word = {rest->ptr, len};
    const size_t used = space == nullptr ? len : len + 1;
    *rest = bytes_slice(*rest, used, rest->len - used);
    return len > 0;
}

static bool parse_crc(Bytes text, uint32_t* out) {
    if (text.len != 8) return false;
    *out = 0;
    for (size_t i = 0; i < 8; i++) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
        if (!digit && !letter) return false;
        *out = *out << 4 | static_cast<uint32_t>(digit ? c - '0' : c - 'a' + 10);
    }
    return true;
}

static bool parse_annotation(Bytes line, Annotation* out) {
    Bytes rest = bytes_slice(line, 5, line.len - 5), word;
    for (uint64_t* n : {&out->first, &out->records, &out->bytes}) {
        if (!next_word(&rest, &word) || !parse_u64(word, n) || *n == 0) return false;
    }
    uint64_t behind, end;
    if (__builtin_add_overflow(out->first, out->records, &behind)) return false;
    if (__builtin_add_overflow(out->bytes, uint64_t{1} << 40, &end)) return false;
    return next_word(&rest, &word) && rest.len == 0 && parse_crc(word, &out->crc);
}

static bool is_ours(Bytes line) { return line.len >= 5 && memcmp(line.ptr, "#RP1 ", 5) == 0; }
static bool is_whole_line(Bytes line) {
    constexpr Bytes kLine = RP_AOF_WHOLE_LINE;
    return bytes_equal(line, bytes_slice(kLine, 0, kLine.len - 2));
}

// Commands up to the limit, which is the end of the run or of what there is of it. `short_of`: the
// run's annotation when not all of its bytes are there.
enum class RunEnd : uint8_t { whole, cut, bad, longer_than_true };

static RunEnd take_run(Scan* s, const Annotation* short_of) {
    bool in_multi = false;
    while (!at_end(s)) {
        Bytes line;
        if (s->buf[s->at] == '#') {
            const Got got = peek_line(s, kAnnotationMax, &line);
            if (got == Got::end) return RunEnd::cut;
            if (got == Got::bad) return RunEnd::bad;
            if (is_ours(line) || is_whole_line(line))
                return short_of != nullptr ? RunEnd::longer_than_true : RunEnd::bad;
            take(s, line.len + 2);
            continue;
        }
        Word word = Word::other;
        const Got got = take_command(s, &word);
        if (got != Got::it) return got == Got::end ? RunEnd::cut : RunEnd::bad;
        if (word == (in_multi ? Word::multi : Word::exec)) return RunEnd::bad;
        if (word != Word::other) in_multi = !in_multi;
        // All that was written is here, so the length above it is wrong.
        if (short_of != nullptr && s->crc == short_of->crc) return RunEnd::longer_than_true;
    }
    return in_multi ? RunEnd::cut : RunEnd::whole;
}

// Less of the run is in the file than announced: was the file cut, or the length changed?
static bool judge_short_run(Scan* s, uint64_t at, const Annotation* a) {
    switch (take_run(s, a)) {
        case RunEnd::whole:
        case RunEnd::cut: return torn(s, at, "the last run is incomplete");
        case RunEnd::longer_than_true:
            return damaged(s, at, "the length in the annotation line of a run is wrong");
        case RunEnd::bad: break;
    }
    if (s->io_error) return false;
    return verdict(s, AofState::damaged, FindingKind::checksum, at,
                   "a run is incomplete and damaged at byte %llu",
                   static_cast<unsigned long long>(s->pos));
}

// The run at `at` is not what its annotation line says. `body`: where its bytes begin.
static bool judge_bad_run(Scan* s, uint64_t at, uint64_t body, const Annotation* a) {
    const uint64_t end = end_of_data(s, at);
    if (s->io_error) return false;
    if (body + a->bytes <= end)
        return verdict(s, AofState::damaged, FindingKind::checksum, at,
                       "the checksum of a run of %llu bytes is wrong",
                       static_cast<unsigned long long>(a->bytes));
    s->limit = end;
    if (!reopen(s, body < end ? body : end)) return false;
    s->crc = 0;
    return judge_short_run(s, at, a);
}

static bool check_numbers(Scan* s, uint64_t at, const Annotation* a) {
    const AofScan* out = s->out;
    if (out->next_seq == 0 || a->first == out->next_seq || a->first == 1) return true;
    return verdict(
        s, AofState::damaged, FindingKind::missing, at, "record %llu was to follow, and %llu does",
        static_cast<unsigned long long>(out->next_seq), static_cast<unsigned long long>(a->first));
}

// The bytes behind an annotation line of ours, which has been taken.
static bool scan_run(Scan* s, uint64_t at, const Annotation* a) {
    const uint64_t body = s->pos, end = s->limit;
    if (!check_numbers(s, at, a)) return false;
    s->crc = 0;
    RunEnd got = RunEnd::whole;
    if (s->options->deep && a->bytes <= end - body) {
        s->limit = body + a->bytes;
        got = take_run(s, nullptr);
        skip(s, s->limit - s->pos);
        s->limit = end;
    }
    const bool all = skip(s, body + a->bytes - s->pos);
    if (s->io_error) return false;
    if (!all || s->crc != a->crc) return judge_bad_run(s, at, body, a);
    if (got != RunEnd::whole) return damaged(s, at, "a run does not consist of whole commands");
    s->out->runs++;
    if (s->out->first_seq == 0) s->out->first_seq = a->first;
    s->out->next_seq = a->first + a->records;
    return true;
}

// ---- the file ---------------------------------------------------------------------------------

// Something other than a run went wrong: `at` is where the block began, s->pos about where.
static bool judge_syntax(Scan* s, uint64_t at, Got got, const char* cut, const char* bad) {
    if (s->io_error) return false;
    if (got == Got::end) return torn(s, at, cut);
    const uint64_t where = s->pos, end = end_of_data(s, at);
    if (s->io_error) return false;
    // Nothing but zeros from about there on.
    if (end < s->out->file_bytes && end <= where + kOurLineMax) {
        s->limit = end;
        return torn(s, at, cut);
    }
    return verdict(s, AofState::damaged, FindingKind::syntax, at, "%s at byte %llu", bad,
                   static_cast<unsigned long long>(where));
}

static bool scan_annotation(Scan* s) {
    const uint64_t at = s->pos;
    Bytes line;
    const Got got = peek_line(s, kAnnotationMax, &line);
    if (got != Got::it) {
        const uint64_t from = s->in_multi ? s->multi_at : at;
        return judge_syntax(s, from, got, "the last annotation line is incomplete",
                            "an annotation line without an end");
    }
    s->out->ours |= at == 0 && (is_ours(line) || is_whole_line(line));
    if (is_whole_line(line) && !s->in_multi) {
        s->out->says_whole = true;
        take(s, line.len + 2);
        return true;
    }
    if (!is_ours(line)) {
        const bool known = line.len >= 4 && memcmp(line.ptr, "#TS:", 4) == 0;
        if (!known && s->out->runs > 0) return damaged(s, at, "an unknown annotation line");
        take(s, line.len + 2);
        return true;
    }
    Annotation a;
    if (!parse_annotation(line, &a)) return damaged(s, at, "a damaged annotation line");
    if (s->in_multi) return damaged(s, s->multi_at, "MULTI without EXEC");
    take(s, line.len + 2);
    return scan_run(s, at, &a);
}

static bool scan_command(Scan* s) {
    const uint64_t at = s->pos;
    Word word = Word::other;
    const Got got = take_command(s, &word);
    if (got != Got::it) {
        const uint64_t from = s->in_multi ? s->multi_at : at;
        return judge_syntax(s, from, got, "the last command is incomplete", "not a command");
    }
    if (word == Word::multi) {
        if (s->in_multi) return damaged(s, s->multi_at, "MULTI without EXEC");
        s->in_multi = true;
        s->multi_at = at;
    } else if (word == Word::exec) {
        if (!s->in_multi) return damaged(s, at, "EXEC without MULTI");
        s->in_multi = false;
    }
    return true;
}

static void scan_all(Scan* s) {
    while (!at_end(s)) {
        const bool good = s->buf[s->at] == '#' ? scan_annotation(s) : scan_command(s);
        if (!good) return;
    }
    if (s->in_multi) {
        torn(s, s->multi_at, "the last MULTI has no EXEC");
        return;
    }
    s->out->good_bytes = s->pos;
}

bool aof_scan(const FileOps* f, const char* path, AofScan* out, PersistErr* err,
              const AofScanOptions& options) {
    *out = {};
    Scan s = {.f = f, .path = path, .options = &options, .out = out, .err = err};
    s.fd = f->open_read(f->arg, path);
    const int64_t size = s.fd < 0 ? s.fd : f->size(f->arg, s.fd);
    if (size < 0) {
        io_failed(&s, static_cast<int>(size));
    } else {
        out->file_bytes = s.limit = static_cast<uint64_t>(size);
        s.cap = s.limit < kWindow ? static_cast<size_t>(s.limit) + kAnnotationMax : kWindow;
        s.buf = static_cast<char*>(mem_alloc(s.cap));
        skip(&s, options.from);
        scan_all(&s);
        mem_free(s.buf, s.cap);
    }
    if (s.fd >= 0) f->close(f->arg, s.fd);
    return !s.io_error;
}

bool aof_follows(const AofScan* prev, const AofScan* next) {
    const bool known = prev->next_seq != 0 && next->first_seq != 0;
    return !known || next->first_seq == 1 || next->first_seq == prev->next_seq;
}

// ---- cutting ----------------------------------------------------------------------------------

static bool cut_failed(PersistErr* err, const char* path, const char* what, int status) {
    snprintf(err->text, sizeof err->text, "%.480s: cannot %s: %s", path, what, strerror(-status));
    return false;
}

// Copies the bytes of `from` behind `at`; 0 or -errno.
static int copy_tail(const FileOps* f, int from, uint64_t at, int to) {
    constexpr size_t kPiece = 64 * 1024;
    auto* piece = static_cast<char*>(mem_alloc(kPiece));
    int status = 0;
    uint64_t pos = 0;
    for (;;) {
        const ssize_t n = f->read(f->arg, from, piece, kPiece);
        if (n <= 0) {
            status = static_cast<int>(n);
            break;
        }
        const auto got = static_cast<size_t>(n);
        const size_t before = pos >= at ? 0 : at - pos < got ? static_cast<size_t>(at - pos) : got;
        status = file_write_all(f, to, {piece + before, got - before}, nullptr);
        if (status != 0) break;
        pos += got;
    }
    mem_free(piece, kPiece);
    return status;
}

static int keep_aside(const FileOps* f, const char* path, uint64_t at, const char* aside) {
    const int from = f->open_read(f->arg, path);
    if (from < 0) return from;
    const int to = f->open_append(f->arg, aside);
    int status = to < 0 ? to : copy_tail(f, from, at, to);
    if (status == 0) status = f->sync_data(f->arg, to);
    if (to >= 0) {
        const int closed = f->close(f->arg, to);
        if (status == 0) status = closed;
    }
    f->close(f->arg, from);
    return status;
}

static int sync_folder_of(const FileOps* f, const char* path) {
    char dir[kPathMax];
    const char* slash = strrchr(path, '/');
    const size_t len = slash == nullptr ? 0 : static_cast<size_t>(slash - path);
    if (len >= sizeof dir) return -ENAMETOOLONG;
    if (slash == nullptr) return f->sync_dir(f->arg, ".");
    if (len == 0) return f->sync_dir(f->arg, "/");
    memcpy(dir, path, len);
    dir[len] = '\0';
    return f->sync_dir(f->arg, dir);
}

static int cut_file(const FileOps* f, const char* path, uint64_t at) {
    const int fd = f->open_append(f->arg, path);
    if (fd < 0) return fd;
    int status = f->truncate(f->arg, fd, at);
    if (status == 0) status = f->sync_data(f->arg, fd);
    const int closed = f->close(f->arg, fd);
    return status == 0 ? closed : status;
}

bool aof_cut(const FileOps* f, const char* path, uint64_t at, PersistErr* err) {
    char aside[kPathMax];
    const int len =
        snprintf(aside, sizeof aside, "%s.cut-%llu", path, static_cast<unsigned long long>(at));
    if (len < 0 || static_cast<size_t>(len) >= sizeof aside)
        return cut_failed(err, path, "cut it", -ENAMETOOLONG);
    int status = keep_aside(f, path, at, aside);
    if (status == 0) status = sync_folder_of(f, path);
    if (status != 0) return cut_failed(err, aside, "keep there what is to be cut", status);
    status = cut_file(f, path, at);
    return status == 0 || cut_failed(err, path, "cut it", status);
}

}  // namespace rp
