#include "persist/replay.h"

#include <cstdio>
#include <cstring>

#include "mem/mem.h"
#include "resp/parser.h"

namespace rp {

constexpr size_t kReadSize = 1 << 20;
constexpr size_t kPoolSlots = 4096;

namespace {

// The file through a window: data[at .. len) is not yet looked at, `pos` is read next.
struct Reader {
    Replay* r;
    const char* path;
    PersistErr* err;
    int fd;
    uint64_t pos;
    uint64_t end;
    char* data;
    size_t cap, len, at;
    Parser* parser;
    ArgPool pool;
    Command commands[kBatchMax];
    size_t count;
    bool inside;  // of a command: no annotation may stand here
};

}  // namespace

static bool fail(Reader* in, const char* what) {
    snprintf(in->err->text, sizeof in->err->text, "%s: at byte %llu: %s", in->path,
             static_cast<unsigned long long>(in->pos - (in->len - in->at)), what);
    return false;
}

// ---- running ----------------------------------------------------------------------------------

// Only what the executor says before a command runs is a fault of the file: a command that failed
// when it was logged fails now as well.
static bool refused(const Session* s) {
    static constexpr Bytes kUnknown = "-ERR unknown", kArity = "-ERR wrong number of arguments";
    const OutChunk* head = s->out.head;
    if (head == nullptr) return false;
    Bytes reply = out_chunk_bytes(head);
    auto starts = [&](Bytes with) {
        return reply.len >= with.len && memcmp(reply.ptr, with.ptr, with.len) == 0;
    };
    return starts(kUnknown) || starts(kArity);
}

static bool run_one(Reader* in, Command* command) {
    Session* s = in->r->session;
    Ran ran = execute(s, command);
    bool bad = ran != Ran::done || refused(s);
    out_clear(&s->out);
    if (!bad) return true;
    char text[128];
    Bytes name = command->argv[0];
    snprintf(text, sizeof text, "'%.*s' is not a command of this server, or has wrong arguments",
             static_cast<int>(name.len < 40 ? name.len : 40), name.ptr);
    return fail(in, text);
}

// All at once while every reply is an OK in its turn; else one by one would not tell more.
static bool run_batch(Reader* in) {
    Session* s = in->r->session;
    bool ok = true;
    if (in->count == 1) {
        ok = run_one(in, &in->commands[0]);
    } else {
        for (size_t done = 0; done < in->count && ok;) {
            size_t ran = 0;
            Ran outcome = execute_batch(s, in->commands + done, in->count - done, &ran);
            done += ran;
            ok = outcome == Ran::done && !refused(s);
            out_clear(&s->out);
        }
        if (!ok) fail(in, "a command here cannot be replayed");
    }
    in->r->commands += in->count;
    in->count = 0;
    in->pool.used = 0;
    parser_reset_command(in->parser);
    return ok;
}

// ---- reading ----------------------------------------------------------------------------------

static bool more_room(Reader* in) {
    size_t left = in->len - in->at;
    if (in->at != 0) memmove(in->data, in->data + in->at, left);
    in->at = 0;
    in->len = left;
    if (in->cap - in->len >= kReadSize / 2) return true;
    auto* bigger = static_cast<char*>(mem_try_realloc(in->data, in->cap, 2 * in->cap));
    if (bigger == nullptr) return fail(in, "out of memory");
    in->data = bigger;
    in->cap *= 2;
    return true;
}

// Reads on, into a big argument if one is being filled. False: the end, or an error (err set).
static bool read_more(Reader* in) {
    char* to;
    size_t room;
    bool big = parser_big_window(in->parser, &to, &room);
    if (!big) {
        if (!more_room(in)) return false;
        to = in->data + in->len;
        room = in->cap - in->len;
    }
    if (in->pos >= in->end) return fail(in, "the file ends inside a command");
    if (room > in->end - in->pos) room = static_cast<size_t>(in->end - in->pos);
    ssize_t n = in->r->files->read(in->r->files->arg, in->fd, to, room);
    if (n < 0) return fail(in, strerror(static_cast<int>(-n)));
    if (n == 0) return fail(in, "the file is shorter than it was");
    in->pos += static_cast<uint64_t>(n);
    if (in->r->progress != nullptr) in->r->progress(in->r->progress_arg, static_cast<uint64_t>(n));
    if (big) {
        parser_big_filled(in->parser, static_cast<size_t>(n));
    } else {
        in->len += static_cast<size_t>(n);
    }
    return true;
}

enum class Step : uint8_t { go_on, run, need_bytes, failed };

static Step skip_annotation(Reader* in) {
    const void* eol = memchr(in->data + in->at, '\n', in->len - in->at);
    if (eol == nullptr) return Step::need_bytes;
    in->at = static_cast<size_t>(static_cast<const char*>(eol) - in->data) + 1;
    return Step::go_on;
}

static Step next_command(Reader* in) {
    if (in->at == in->len) return Step::need_bytes;
    if (!in->inside && in->data[in->at] == '#') return skip_annotation(in);
    ParserLimits limits;
    Bytes error;
    limits.bulk_max = INT64_MAX;  // the log may hold more than clients may now send
    Parse got = parser_next(in->parser, &limits, &in->pool, in->data, in->len, &in->at,
                            &in->commands[in->count], &error);
    in->inside = got == Parse::more;
    switch (got) {
        case Parse::command: return ++in->count == kBatchMax ? Step::run : Step::go_on;
        case Parse::empty: return Step::go_on;
        case Parse::full: return Step::run;
        case Parse::more: in->len = in->at + parser_keep(in->parser); return Step::need_bytes;
        case Parse::error: break;
    }
    char text[kPersistErrMax / 2];
    snprintf(text, sizeof text, "%.*s", static_cast<int>(error.len), error.ptr);
    fail(in, text);
    return Step::failed;
}

static bool at_end(const Reader* in) {
    return in->at == in->len && !in->inside && in->pos >= in->end;
}

static bool run_all(Reader* in) {
    while (!at_end(in)) {
        if (in->r->cancel != nullptr && in->r->cancel->load(std::memory_order_relaxed)) {
            return fail(in, "stopped while loading");
        }
        Step step = next_command(in);
        if (step == Step::failed) return false;
        // The commands of a batch point into the window: they run before it moves.
        if (step != Step::go_on && in->count > 0 && !run_batch(in)) return false;
        if (step == Step::need_bytes && !at_end(in) && !read_more(in)) return false;
    }
    return in->count == 0 || run_batch(in);
}

static bool skip_to(Reader* in, uint64_t from) {
    while (in->pos < from) {
        uint64_t left = from - in->pos;
        size_t room = left < in->cap ? static_cast<size_t>(left) : in->cap;
        ssize_t n = in->r->files->read(in->r->files->arg, in->fd, in->data, room);
        if (n <= 0) return fail(in, "the file is shorter than it was");
        in->pos += static_cast<uint64_t>(n);
    }
    return true;
}

bool replay_file(Replay* r, const char* path, uint64_t from, uint64_t end, PersistErr* err) {
    Reader in = {};
    in.r = r;
    in.path = path;
    in.err = err;
    in.end = end;
    in.fd = r->files->open_read(r->files->arg, path);
    if (in.fd < 0) return fail(&in, strerror(-in.fd));
    in.cap = kReadSize;
    in.data = static_cast<char*>(mem_alloc(in.cap));
    in.parser = parser_new();
    in.pool.slots = static_cast<Bytes*>(mem_alloc(kPoolSlots * sizeof(Bytes)));
    in.pool.cap = kPoolSlots;
    bool ok = skip_to(&in, from) && run_all(&in);
    mem_free(in.pool.slots, kPoolSlots * sizeof(Bytes));
    parser_free(in.parser);
    mem_free(in.data, in.cap);
    r->files->close(r->files->arg, in.fd);
    return ok;
}

}  // namespace rp
