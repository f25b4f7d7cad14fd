#include "persist/manifest.h"

#include <errno.h>

#include <cstdarg>
#include <cstdio>

#include "base/assert.h"
#include "base/numbers.h"
#include "conf/split_args.h"
#include "mem/mem.h"

namespace rp {

// ---- the list ---------------------------------------------------------------------------------

static void reserve(Manifest* m, size_t cap) {
    if (cap <= m->cap) return;
    const size_t wanted = cap < 8 ? 8 : cap * 2;
    auto* files = static_cast<AofFile*>(mem_alloc(wanted * sizeof(AofFile)));
    if (m->count > 0) memcpy(files, m->files, m->count * sizeof(AofFile));
    mem_free(m->files, m->cap * sizeof(AofFile));
    m->files = files;
    m->cap = wanted;
}

static AofFile* push(Manifest* m) {
    reserve(m, m->count + 1);
    AofFile* file = &m->files[m->count++];
    *file = {};
    return file;
}

void manifest_free(Manifest* m) {
    mem_free(m->files, m->cap * sizeof(AofFile));
    *m = {};
}

Manifest manifest_copy(const Manifest* m) {
    Manifest copy;
    reserve(&copy, m->count);
    if (m->count > 0) memcpy(copy.files, m->files, m->count * sizeof(AofFile));
    copy.count = m->count;
    return copy;
}

static const AofFile* last_of(const Manifest* m, AofKind kind) {
    for (size_t i = m->count; i-- > 0;) {
        if (m->files[i].kind == kind) return &m->files[i];
    }
    return nullptr;
}

const AofFile* manifest_base(const Manifest* m) { return last_of(m, AofKind::base); }
const AofFile* manifest_last_incr(const Manifest* m) { return last_of(m, AofKind::incr); }

void manifest_add(Manifest* m, const char* appendfilename, AofKind kind, int64_t seq) {
    RP_ASSERT(strlen(appendfilename) <= kAppendNameMax);
    RP_ASSERT(kind != AofKind::history);
    AofFile* file = push(m);
    file->seq = seq;
    file->kind = kind;
    snprintf(file->name, sizeof file->name, "%s.%lld.%s", appendfilename,
             static_cast<long long>(seq), kind == AofKind::base ? "base.rdb" : "incr.aof");
}

void manifest_rebase(Manifest* m, const char* appendfilename, int64_t base_seq,
                     int64_t first_incr) {
    for (size_t i = 0; i < m->count; i++) {
        AofFile* file = &m->files[i];
        const bool old_incr = file->kind == AofKind::incr && file->seq < first_incr;
        if (old_incr || file->kind == AofKind::base) file->kind = AofKind::history;
    }
    manifest_add(m, appendfilename, AofKind::base, base_seq);
}

void manifest_drop_history(Manifest* m) {
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->files[i].kind != AofKind::history) m->files[kept++] = m->files[i];
    }
    m->count = kept;
}

// ---- text -> list -----------------------------------------------------------------------------

struct Line {
    const char* path;
    size_t number;
    PersistErr* err;
};

[[gnu::format(printf, 2, 3)]] static bool bad_line(const Line* line, const char* format, ...) {
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(line->err->text, sizeof line->err->text,
             "%.400s:%zu: %s: repair the line or restore the file from a backup", line->path,
             line->number, what);
    return false;
}

// What was seen of a line: "file <name> seq <n> type <t>", in any order; other pairs are passed
// over, as Redis does (later versions write more).
struct LineFields {
    AofFile file = {};
    bool has_name = false, has_seq = false, has_type = false;
};

static bool take_name(const Line* line, Bytes value, LineFields* out) {
    if (value.len == 0) return bad_line(line, "the file name is empty");
    if (value.len >= kAofNameMax) return bad_line(line, "the file name has over 255 bytes");
    if (memchr(value.ptr, '/', value.len) != nullptr)
        return bad_line(line, "'%.*s' is a path, not the name of a file in this directory",
                        static_cast<int>(value.len), value.ptr);
    if (memchr(value.ptr, '\0', value.len) != nullptr)
        return bad_line(line, "the file name has a NUL byte");
    if (bytes_equal(value, ".") || bytes_equal(value, ".."))
        return bad_line(line, "'.' and '..' are no files");
    memcpy(out->file.name, value.ptr, value.len);
    out->file.name[value.len] = '\0';
    out->has_name = true;
    return true;
}

static bool take_type(const Line* line, Bytes value, LineFields* out) {
    const char type = value.len == 1 ? value[0] : '\0';
    if (type != 'b' && type != 'i' && type != 'h')
        return bad_line(line, "type '%.*s' is none of b (base), i (increment), h (history)",
                        static_cast<int>(value.len < 40 ? value.len : 40), value.ptr);
    out->file.kind = static_cast<AofKind>(type);
    out->has_type = true;
    return true;
}

static bool take_pair(const Line* line, Bytes key, Bytes value, LineFields* out) {
    if (bytes_equal_nocase(key, "file")) return take_name(line, value, out);
    if (bytes_equal_nocase(key, "type")) return take_type(line, value, out);
    if (!bytes_equal_nocase(key, "seq")) return true;
    if (!parse_i64(value, &out->file.seq) || out->file.seq < 1)
        return bad_line(line, "seq '%.*s' is not a number from 1 on",
                        static_cast<int>(value.len < 40 ? value.len : 40), value.ptr);
    out->has_seq = true;
    return true;
}

// `text` is decoded where it stands.
static bool parse_fields(const Line* line, Bytes text, char* scratch, LineFields* out) {
    Bytes words[2];
    size_t count = 0;
    for (;;) {
        size_t len;
        const SplitArg got = split_args_next(&text, scratch, &len);
        if (got == SplitArg::unbalanced) return bad_line(line, "unbalanced quotes");
        if (got == SplitArg::end) break;
        words[count++ % 2] = {scratch, len};
        scratch += len;
        if (count % 2 == 0 && !take_pair(line, words[0], words[1], out)) return false;
    }
    if (count % 2 != 0)
        return bad_line(line, "a word without its value: 'file <name> seq <n> type <t>' expected");
    if (!out->has_name || !out->has_seq || !out->has_type)
        return bad_line(line, "no '%s': 'file <name> seq <n> type <t>' expected",
                        !out->has_name  ? "file"
                        : !out->has_seq ? "seq"
                                        : "type");
    return true;
}

// M1.
static bool fits(const Line* line, const Manifest* m, const AofFile* file) {
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->files[i].name, file->name) == 0)
            return bad_line(line, "'%s' is named twice", file->name);
    }
    if (m->count == kManifestFilesMax) return bad_line(line, "too many files for a manifest");
    if (file->kind == AofKind::base && manifest_base(m) != nullptr)
        return bad_line(line, "a second base, '%s' is one already", manifest_base(m)->name);
    const AofFile* before = file->kind == AofKind::incr ? manifest_last_incr(m) : nullptr;
    if (before != nullptr && before->seq >= file->seq)
        return bad_line(line, "increment %lld comes after %lld: they must ascend",
                        static_cast<long long>(file->seq), static_cast<long long>(before->seq));
    return true;
}

static bool parse_line(const Line* line, Bytes text, char* scratch, Manifest* out) {
    if (text.len > 0 && text[0] == '#') return true;
    if (memchr(text.ptr, '\0', text.len) != nullptr)
        return bad_line(line, "a NUL byte: this is no text");
    LineFields fields;
    if (!parse_fields(line, text, scratch, &fields)) return false;
    if (!fits(line, out, &fields.file)) return false;
    *push(out) = fields.file;
    return true;
}

static bool parse_lines(Bytes text, const char* path, Manifest* out, char* scratch,
                        PersistErr* err) {
    Line line = {path, 0, err};
    while (text.len > 0) {
        line.number++;
        const auto* end = static_cast<const char*>(memchr(text.ptr, '\n', text.len));
        if (end == nullptr)
            return bad_line(&line, "the last line has no newline, so the file is cut");
        const size_t len = static_cast<size_t>(end - text.ptr);
        if (!parse_line(&line, {text.ptr, len}, scratch, out)) return false;
        text = bytes_slice(text, len + 1, text.len - len - 1);
    }
    line.number = 1;
    if (out->count == 0) return bad_line(&line, "it names no file");
    return true;
}

bool manifest_parse(Bytes text, const char* path, Manifest* out, PersistErr* err) {
    *out = {};
    if (text.len > kManifestMax) {
        snprintf(err->text, sizeof err->text, "%.480s: larger than %zu bytes: this is no manifest",
                 path, kManifestMax);
        return false;
    }
    auto* scratch = static_cast<char*>(mem_alloc(text.len + 1));
    const bool good = parse_lines(text, path, out, scratch, err);
    mem_free(scratch, text.len + 1);
    if (!good) manifest_free(out);
    return good;
}

// ---- list -> text -----------------------------------------------------------------------------

struct Text {
    char* out;
    size_t size, len;
};

static void add(Text* t, Bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++, t->len++) {
        if (t->len + 1 < t->size) t->out[t->len] = bytes[i];
    }
}

static bool plain(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\'; }

// As split_args_next takes it back. Redis quotes the same bytes but for the single quote, which it
// then cannot read.
static void add_name(Text* t, const char* name) {
    bool quoted = false;
    for (const char* p = name; *p != '\0'; p++)
        quoted |= !plain(*p);
    if (!quoted) return add(t, bytes_of(name));
    add(t, "\"");
    for (const char* p = name; *p != '\0'; p++) {
        char escape[8];
        const auto byte = static_cast<unsigned char>(*p);
        if (*p == '"' || *p == '\\') {
            snprintf(escape, sizeof escape, "\\%c", *p);
        } else if (byte < ' ' || byte >= 0x7f) {
            snprintf(escape, sizeof escape, "\\x%02x", byte);
        } else {
            snprintf(escape, sizeof escape, "%c", *p);
        }
        add(t, bytes_of(escape));
    }
    add(t, "\"");
}

static void add_files(Text* t, const Manifest* m, AofKind kind) {
    for (size_t i = 0; i < m->count; i++) {
        const AofFile* file = &m->files[i];
        if (file->kind != kind) continue;
        add(t, "file ");
        add_name(t, file->name);
        char rest[64];
        snprintf(rest, sizeof rest, " seq %lld type %c\n", static_cast<long long>(file->seq),
                 static_cast<char>(kind));
        add(t, bytes_of(rest));
    }
}

size_t manifest_format(const Manifest* m, char* buf, size_t size) {
    Text t = {buf, size, 0};
    add_files(&t, m, AofKind::base);
    add_files(&t, m, AofKind::history);
    add_files(&t, m, AofKind::incr);
    if (size > 0) buf[t.len < size ? t.len : size - 1] = '\0';
    return t.len;
}

// ---- on disk ----------------------------------------------------------------------------------

static bool name_of(char out[kAofNameMax], const char* appendfilename) {
    if (strlen(appendfilename) > kAppendNameMax) return false;
    snprintf(out, kAofNameMax, "%s.manifest", appendfilename);
    return true;
}

static bool ends_with(Bytes text, Bytes end) {
    return text.len >= end.len && bytes_equal(bytes_slice(text, text.len - end.len, end.len), end);
}

// The length of the appendfilename that a data file's name begins with; 0: it is none.
static size_t stem_of(Bytes name) {
    static const Bytes kEnds[] = {".base.rdb", ".base.aof", ".incr.aof"};
    for (Bytes end : kEnds) {
        if (!ends_with(name, end)) continue;
        size_t at = name.len - end.len;
        const size_t digits_end = at;
        while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
            at--;
        return at < digits_end && at > 1 && name[at - 1] == '.' ? at - 1 : 0;
    }
    return 0;
}

struct Orphan {
    char name[kAofNameMax] = {};
    size_t stem = 0;
    size_t count = 0;
};

static void see_name(void* to, const char* name) {
    auto* found = static_cast<Orphan*>(to);
    const Bytes text = bytes_of(name);
    size_t stem = stem_of(text);
    if (stem == 0 && ends_with(text, ".manifest") && strncmp(name, "temp-", 5) != 0)
        stem = text.len - strlen(".manifest");
    if (stem == 0 || text.len >= kAofNameMax) return;
    found->count++;
    // The same one every time, whatever the order of the directory.
    if (found->stem != 0 && strcmp(found->name, name) <= 0) return;
    found->stem = stem;
    memcpy(found->name, name, text.len + 1);
}

// What a power cut during the very first start leaves (log_files.cc): an empty increment that no
// manifest names yet.
static bool is_first_start(const FileOps* f, const char* dir, const Orphan* found) {
    char path[kPathMax];
    if (found->count != 1 || !ends_with(bytes_of(found->name), ".1.incr.aof")) return false;
    if (!path_join(path, dir, found->name)) return false;
    const int fd = f->open_read(f->arg, path);
    if (fd < 0) return false;
    const int64_t size = f->size(f->arg, fd);
    f->close(f->arg, fd);
    return size == 0;
}

void founding_name(char out[kAofNameMax], const char* appendfilename) {
    snprintf(out, kAofNameMax, "%.*s.founding", static_cast<int>(kAppendNameMax), appendfilename);
}

static bool was_being_founded(const FileOps* f, const char* dir, const char* appendfilename) {
    char name[kAofNameMax], path[kPathMax];
    founding_name(name, appendfilename);
    return path_join(path, dir, name) && f->exists(f->arg, path);
}

// There is no manifest: is there something that had one?
static bool refuse_orphans(const FileOps* f, const char* dir, const char* manifest_name,
                           const char* appendfilename, PersistErr* err) {
    Orphan found;
    const int status = f->list(f->arg, dir, see_name, &found);
    if (status == -ENOENT) return true;
    if (status != 0) {
        snprintf(err->text, sizeof err->text, "%.480s: cannot list it: %s", dir, strerror(-status));
        return false;
    }
    if (found.stem == 0 || is_first_start(f, dir, &found)) return true;
    const Bytes stem = {found.name, found.stem};
    if (bytes_equal(stem, bytes_of(appendfilename))) {
        if (was_being_founded(f, dir, appendfilename)) return true;
        snprintf(err->text, sizeof err->text,
                 "%.400s: '%s' is there but '%s' is missing: restore it from a backup, or move the "
                 "files away to start empty",
                 dir, found.name, manifest_name);
    } else {
        snprintf(err->text, sizeof err->text,
                 "%.400s: '%s' belongs to appendfilename '%.*s', not '%s': set that, or move the "
                 "files away to start empty",
                 dir, found.name, static_cast<int>(stem.len), stem.ptr, appendfilename);
    }
    return false;
}

static bool refuse_io(PersistErr* err, const char* path, int status) {
    snprintf(err->text, sizeof err->text, "%.480s: cannot read it: %s", path, strerror(-status));
    return false;
}

// Up to kManifestMax + 1 bytes, so that a larger file shows. 0 or -errno.
static int read_all(const FileOps* f, int fd, char* to, size_t* len) {
    *len = 0;
    while (*len < kManifestMax + 1) {
        const ssize_t n = f->read(f->arg, fd, to + *len, kManifestMax + 1 - *len);
        if (n < 0) return static_cast<int>(n);
        if (n == 0) break;
        *len += static_cast<size_t>(n);
    }
    return 0;
}

static bool read_manifest(const FileOps* f, const char* path, int fd, Manifest* out,
                          PersistErr* err) {
    auto* text = static_cast<char*>(mem_alloc(kManifestMax + 1));
    size_t len;
    const int status = read_all(f, fd, text, &len);
    const bool good =
        status == 0 ? manifest_parse({text, len}, path, out, err) : refuse_io(err, path, status);
    mem_free(text, kManifestMax + 1);
    return good;
}

bool manifest_load(const FileOps* f, const char* dir, const char* appendfilename, Manifest* out,
                   bool* found, PersistErr* err) {
    *out = {};
    *found = false;
    char name[kAofNameMax], path[kPathMax];
    if (!name_of(name, appendfilename) || !path_join(path, dir, name)) {
        snprintf(err->text, sizeof err->text,
                 "appendfilename '%.200s': the name or its path is too long (%zu bytes at most)",
                 appendfilename, kAppendNameMax);
        return false;
    }
    const int fd = f->open_read(f->arg, path);
    if (fd == -ENOENT) return refuse_orphans(f, dir, name, appendfilename, err);
    if (fd < 0) return refuse_io(err, path, fd);
    *found = read_manifest(f, path, fd, out, err);
    f->close(f->arg, fd);
    return *found;
}

int manifest_save(const FileOps* f, const char* dir, const char* appendfilename,
                  const Manifest* m) {
    char name[kAofNameMax];
    if (!name_of(name, appendfilename)) return -ENAMETOOLONG;
    const size_t size = manifest_format(m, nullptr, 0) + 1;
    auto* text = static_cast<char*>(mem_alloc(size));
    manifest_format(m, text, size);
    const int status = file_replace(f, dir, name, {text, size - 1});
    mem_free(text, size);
    return status;
}

}  // namespace rp
