#include "persist/check.h"

#include <errno.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "mem/mem.h"
#include "persist/aof_chain.h"
#include "persist/key_set.h"
#include "persist/rdb_read.h"

namespace rp {

namespace {

constexpr char kRestore[] = "restore the file from a backup";
constexpr char kCut[] = "let check --fix cut it, or start with aof-load-truncated yes";

struct Check {
    const FileOps* f;
    const CheckPlaces* places;
    const CheckVisitor* visitor;
    char aof_dir[kPathMax];
    char rdb_path[kPathMax];
    CheckResult worst = CheckResult::good;
    uint64_t done = 0, total = 0;  // bytes
    uint64_t file_done = 0;        // rdb_read tells how far it is, not how much more
};

// Of one increment.
struct Increment {
    char path[kPathMax];
    bool readable;
    AofScan scan;
    PersistErr err;
};

}  // namespace

const char* finding_kind_text(FindingKind kind) {
    switch (kind) {
        case FindingKind::ok: return "ok";
        case FindingKind::torn_tail: return "torn tail";
        case FindingKind::checksum: return "checksum";
        case FindingKind::syntax: return "syntax";
        case FindingKind::missing: return "missing";
        case FindingKind::unreadable: return "unreadable";
        case FindingKind::note: return "note";
    }
    return "unknown";
}

// ---- telling ----------------------------------------------------------------------------------

[[gnu::format(printf, 6, 7)]] static void tell(Check* c, FindingKind kind, const char* file,
                                               int64_t offset, const char* advice,
                                               const char* format, ...) {
    char text[kPersistErrMax];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    CheckResult weight = CheckResult::damaged;
    if (kind == FindingKind::ok || kind == FindingKind::note) weight = CheckResult::good;
    if (kind == FindingKind::torn_tail) weight = CheckResult::torn;
    if (weight > c->worst) c->worst = weight;
    const Finding finding = {kind, file, offset, text, advice};
    if (c->visitor->finding != nullptr) c->visitor->finding(c->visitor->arg, &finding);
}

// A line that begins with the file's name: the rest of it.
static const char* without_name(const char* line, const char* file) {
    const size_t len = strlen(file);
    if (strncmp(line, file, len) != 0 || line[len] != ':') return line;
    return line[len + 1] == ' ' ? line + len + 2 : line + len + 1;
}

static void add_done(Check* c, uint64_t bytes) {
    c->done += bytes;
    if (c->done > c->total) c->total = c->done;
    if (c->visitor->progress != nullptr) c->visitor->progress(c->visitor->arg, c->done, c->total);
}

static void on_scan_progress(void* arg, uint64_t bytes) {
    add_done(static_cast<Check*>(arg), bytes);
}

static void on_rdb_progress(void* arg, uint64_t offset) {
    auto* c = static_cast<Check*>(arg);
    if (offset <= c->file_done) return;
    add_done(c, offset - c->file_done);
    c->file_done = offset;
}

// -errno when it is not there.
static int64_t size_of(const FileOps* f, const char* path) {
    const int fd = f->open_read(f->arg, path);
    if (fd < 0) return fd;
    const int64_t size = f->size(f->arg, fd);
    f->close(f->arg, fd);
    return size;
}

static void tell_unreadable(Check* c, const char* path, int64_t status) {
    if (status == -ENOENT) {
        tell(c, FindingKind::missing, path, -1, kRestore, "the manifest names it, it is not there");
    } else {
        tell(c, FindingKind::unreadable, path, -1, "check its permissions and the disk", "%s",
             strerror(static_cast<int>(-status)));
    }
}

// ---- snapshots --------------------------------------------------------------------------------

struct RdbFile {
    const FileOps* f;
    int fd;
};

static ssize_t read_rdb(void* arg, void* to, size_t len) {
    const auto* file = static_cast<const RdbFile*>(arg);
    return file->f->read(file->f->arg, file->fd, to, len);
}

// Defaults of the settings: a value is built in some form and thrown away.
constexpr RdbLimits kLimits = {.hash_entries = 128,
                               .hash_value = 64,
                               .zset_entries = 128,
                               .zset_value = 64,
                               .set_intset = 512,
                               .list_size = -2};

struct RdbCount {
    Check* c;
    const char* path;
    uint64_t keys = 0;
    KeySet met = {};
    bool met_all = true;  // false: there was no memory to look for keys that come twice
};

static bool count_key(void* arg, RdbKey* k, PersistErr* err) {
    auto* count = static_cast<RdbCount*>(arg);
    count->keys++;
    Met met = count->met_all ? key_set_add(&count->met, k->db, k->key) : Met::first;
    if (met == Met::no_memory) count->met_all = false;
    if (met != Met::again) return true;
    snprintf(err->text, sizeof err->text,
             "%.600s: the key '%.*s' of database %u is there twice: the file is "
             "damaged, use a backup",
             count->path, static_cast<int>(std::min<size_t>(k->key.len, 100)), k->key.ptr, k->db);
    return false;
}

static void count_progress(void* arg, uint64_t offset) {
    on_rdb_progress(static_cast<RdbCount*>(arg)->c, offset);
}

// "byte 17: what is wrong. What to do.", as rdb_read says it behind the path.
static void tell_bad_rdb(Check* c, const char* path, const char* why) {
    unsigned long long offset = 0;
    int used = 0;
    const bool placed = sscanf(why, "byte %llu%n", &offset, &used) == 1;
    const char* text = placed ? why + used + (why[used] == ':' ? 2 : 1) : why;
    FindingKind kind = FindingKind::syntax;
    if (strstr(why, "the checksum is ") != nullptr) kind = FindingKind::checksum;
    if (strstr(why, "it cannot be read: ") != nullptr) kind = FindingKind::unreadable;
    tell(c, kind, path, placed ? static_cast<int64_t>(offset) : -1, "", "%s", text);
}

// True: it is good, and its length is in *used.
static bool check_rdb(Check* c, const char* path, uint64_t* used, uint64_t* keys) {
    RdbFile file = {c->f, c->f->open_read(c->f->arg, path)};
    if (file.fd < 0) {
        tell_unreadable(c, path, file.fd);
        return false;
    }
    RdbCount count = {c, path};
    c->file_done = 0;
    RdbIn in;
    in.read = read_rdb;
    in.arg = &file;
    in.path = path;
    RdbVisitor visitor;
    visitor.arg = &count;
    visitor.key = count_key;
    visitor.progress = count_progress;
    PersistErr err;
    const bool good = rdb_read(&in, &kLimits, &visitor, used, &err);
    c->f->close(c->f->arg, file.fd);
    *keys = count.keys;
    key_set_free(&count.met);
    if (!count.met_all) {
        tell(c, FindingKind::note, path, -1, "", "no memory to look for keys that come twice");
    }
    if (!good) tell_bad_rdb(c, path, without_name(err.text, path));
    return good;
}

static void check_dump(Check* c) {
    const int64_t size = size_of(c->f, c->rdb_path);
    if (size == -ENOENT) return;
    if (size < 0) return tell_unreadable(c, c->rdb_path, size);
    uint64_t used, keys;
    if (!check_rdb(c, c->rdb_path, &used, &keys)) return;
    if (used < static_cast<uint64_t>(size)) {
        tell(c, FindingKind::syntax, c->rdb_path, static_cast<int64_t>(used), kRestore,
             "%llu bytes of rubbish follow the end of the snapshot",
             static_cast<unsigned long long>(static_cast<uint64_t>(size) - used));
        return;
    }
    tell(c, FindingKind::ok, c->rdb_path, -1, "", "snapshot of %llu keys, %lld bytes",
         static_cast<unsigned long long>(keys), static_cast<long long>(size));
}

// ---- the base ---------------------------------------------------------------------------------

static bool begins_as_rdb(const FileOps* f, const char* path) {
    char magic[5] = {};
    const int fd = f->open_read(f->arg, path);
    if (fd < 0) return false;
    const ssize_t n = f->read(f->arg, fd, magic, sizeof magic);
    f->close(f->arg, fd);
    return n > 0 && memcmp(magic, "REDIS", static_cast<size_t>(n)) == 0;
}

static AofScanOptions scan_options(Check* c, uint64_t from) {
    AofScanOptions options;
    options.deep = true;
    options.from = from;
    options.progress = on_scan_progress;
    options.progress_arg = c;
    return options;
}

// Commands in a base, perhaps behind a snapshot: all of it was there when the manifest named it.
static bool check_base_commands(Check* c, const char* path, uint64_t from, AofScan* scan) {
    PersistErr err;
    if (!aof_scan(c->f, path, scan, &err, scan_options(c, from))) {
        tell(c, FindingKind::unreadable, path, -1, "check the disk", "%s",
             without_name(err.text, path));
        return false;
    }
    if (scan->state == AofState::whole) return true;
    const FindingKind kind = scan->state == AofState::torn ? FindingKind::missing : scan->kind;
    tell(c, kind, path, static_cast<int64_t>(scan->good_bytes), kRestore, "%s", scan->text);
    return false;
}

static void check_base(Check* c, const AofFile* base) {
    char path[kPathMax];
    path_join(path, c->aof_dir, base->name);
    const int64_t size = size_of(c->f, path);
    if (size < 0) return tell_unreadable(c, path, size);
    if (size == 0) return tell(c, FindingKind::missing, path, 0, kRestore, "the file is empty");
    uint64_t used = 0, keys = 0;
    const bool is_rdb = begins_as_rdb(c->f, path);
    if (is_rdb && !check_rdb(c, path, &used, &keys)) return;
    AofScan scan;
    const bool more = used < static_cast<uint64_t>(size);
    if (more && !check_base_commands(c, path, used, &scan)) return;
    if (!is_rdb) {
        tell(c, FindingKind::ok, path, -1, "", "base of %llu commands, %lld bytes",
             static_cast<unsigned long long>(scan.commands), static_cast<long long>(size));
    } else {
        tell(c, FindingKind::ok, path, -1, "", "base of %llu keys, %lld bytes",
             static_cast<unsigned long long>(keys), static_cast<long long>(size));
    }
}

// ---- increments -------------------------------------------------------------------------------

static void scan_increment(Check* c, const AofFile* file, Increment* out) {
    path_join(out->path, c->aof_dir, file->name);
    out->readable = aof_scan(c->f, out->path, &out->scan, &out->err, scan_options(c, 0));
}

// What a crash may leave of an increment that nothing was durably written to.
static bool is_void(const Increment* i) {
    return i->readable && i->scan.good_bytes == 0 && i->scan.state != AofState::damaged;
}

static void tell_void(Check* c, const Increment* i) {
    if (i->scan.file_bytes == 0) return tell(c, FindingKind::ok, i->path, -1, "", "it is empty");
    tell(c, FindingKind::torn_tail, i->path, 0, kCut,
         "the end of the increment before it is missing: %llu bytes to cut",
         static_cast<unsigned long long>(i->scan.file_bytes));
}

static void tell_increment(Check* c, const Increment* i, const Increment* before, bool last) {
    const AofScan* scan = &i->scan;
    const auto at = static_cast<int64_t>(scan->good_bytes);
    if (!i->readable) {
        const int64_t size = size_of(c->f, i->path);
        return tell_unreadable(c, i->path, size < 0 ? size : -EIO);
    }
    if (before != nullptr && !aof_follows(&before->scan, scan))
        tell(c, FindingKind::missing, i->path, 0, kRestore,
             "record %llu was to follow the increment before it, and %llu does",
             static_cast<unsigned long long>(before->scan.next_seq),
             static_cast<unsigned long long>(scan->first_seq));
    switch (scan->state) {
        case AofState::whole:
            tell(c, FindingKind::ok, i->path, -1, "", "%llu commands in %llu runs, %llu bytes",
                 static_cast<unsigned long long>(scan->commands),
                 static_cast<unsigned long long>(scan->runs),
                 static_cast<unsigned long long>(scan->file_bytes));
            break;
        case AofState::torn:
            if (last) {
                tell(c, FindingKind::torn_tail, i->path, at, kCut, "%s: %llu bytes to cut",
                     scan->text,
                     static_cast<unsigned long long>(scan->file_bytes) -
                         static_cast<unsigned long long>(at));
            } else {
                tell(c, FindingKind::missing, i->path, at, kRestore,
                     "%s, and later increments go on", scan->text);
            }
            break;
        case AofState::damaged: tell(c, scan->kind, i->path, at, kRestore, "%s", scan->text);
    }
}

static size_t scan_increments(Check* c, const Manifest* m, Increment* out) {
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->files[i].kind == AofKind::incr) scan_increment(c, &m->files[i], &out[count++]);
    }
    return count;
}

// aof_void_from.
static size_t void_from(const Increment* list, size_t count) {
    auto** scans = static_cast<const AofScan**>(mem_alloc(count * sizeof(AofScan*)));
    bool readable = true;
    for (size_t i = 0; i < count; i++) {
        scans[i] = &list[i].scan;
        readable &= list[i].readable;
    }
    const size_t from = readable ? aof_void_from(scans, count) : count;
    mem_free(scans, count * sizeof(AofScan*));
    return from;
}

// Of the increments before `end` the last that holds anything, and all behind it, may be torn.
static size_t first_cuttable(const Increment* list, size_t end) {
    size_t first = end;
    while (first > 0 && is_void(&list[first - 1]))
        first--;
    return first > 0 ? first - 1 : 0;
}

static void tell_increments(Check* c, const Increment* list, size_t count) {
    const Increment* before = nullptr;  // the last one with numbers
    const size_t end = void_from(list, count), cuttable = first_cuttable(list, end);
    for (size_t i = 0; i < count; i++) {
        if (i >= end) {
            tell_void(c, &list[i]);
            continue;
        }
        tell_increment(c, &list[i], before, i >= cuttable);
        if (list[i].readable && list[i].scan.next_seq != 0) before = &list[i];
    }
}

static Increment* alloc_increments(const Manifest* m) {
    return static_cast<Increment*>(mem_calloc(m->count * sizeof(Increment)));
}

static void check_increments(Check* c, const Manifest* m) {
    Increment* list = alloc_increments(m);
    tell_increments(c, list, scan_increments(c, m, list));
    mem_free(list, m->count * sizeof(Increment));
}

// ---- what else is there -----------------------------------------------------------------------

struct Strays {
    Check* c;
    const Manifest* m;
};

static bool is_named(const Strays* s, const char* name) {
    for (size_t i = 0; i < s->m->count; i++) {
        if (strcmp(s->m->files[i].name, name) == 0) return true;
    }
    char manifest[kAofNameMax];
    snprintf(manifest, sizeof manifest, "%s.manifest", s->c->places->appendfilename);
    return strcmp(manifest, name) == 0;
}

static void see_stray(void* arg, const char* name) {
    auto* s = static_cast<Strays*>(arg);
    if (is_named(s, name)) return;
    char path[kPathMax];
    if (!path_join(path, s->c->aof_dir, name)) return;
    if (strstr(name, ".cut-") != nullptr) {
        tell(s->c, FindingKind::note, path, -1, "delete it when nobody wants to look at it",
             "bytes that were cut off a torn file");
    } else {
        tell(s->c, FindingKind::note, path, -1, "delete it if you know where it comes from",
             "the manifest does not name it, so it is not loaded");
    }
}

static void check_single_file(Check* c) {
    char path[kPathMax];
    if (!path_join(path, c->places->dir, c->places->appendfilename)) return;
    if (!c->f->exists(c->f->arg, path)) return;
    tell(c, FindingKind::note, path, -1,
         "start redis-server 7 on this directory once: it moves the file into the log's directory",
         "a log in one file, as Redis wrote it before version 7: it is not loaded");
}

// ---- all --------------------------------------------------------------------------------------

static void add_total(Check* c, const char* path) {
    const int64_t size = size_of(c->f, path);
    if (size > 0) c->total += static_cast<uint64_t>(size);
}

static void measure(Check* c, const Manifest* m) {
    char path[kPathMax];
    add_total(c, c->rdb_path);
    for (size_t i = 0; i < m->count; i++) {
        if (m->files[i].kind == AofKind::history) continue;
        if (path_join(path, c->aof_dir, m->files[i].name)) add_total(c, path);
    }
}

static void no_names(void*, const char*) {}

static bool open_places(Check* c) {
    const CheckPlaces* p = c->places;
    const bool fits = path_join(c->aof_dir, p->dir, p->appenddirname) &&
                      path_join(c->rdb_path, p->dir, p->dbfilename) &&
                      // A name behind it.
                      strlen(c->aof_dir) + kAofNameMax < kPathMax;
    const int status = fits ? c->f->list(c->f->arg, p->dir, no_names, nullptr) : -ENAMETOOLONG;
    if (status == 0) return true;
    tell(c, FindingKind::unreadable, p->dir, -1, "check the name of the directory", "%s",
         strerror(-status));
    return false;
}

static void check_log(Check* c, const Manifest* m) {
    const AofFile* base = manifest_base(m);
    if (base != nullptr) check_base(c, base);
    check_increments(c, m);
    Strays strays = {c, m};
    c->f->list(c->f->arg, c->aof_dir, see_stray, &strays);
}

// False: there is a log, and it cannot be known which files it has.
static bool load_manifest(Check* c, Manifest* m, bool* found) {
    PersistErr err;
    const char* name = c->places->appendfilename;
    if (manifest_load(c->f, c->aof_dir, name, m, found, &err)) return true;
    char path[kPathMax], file[kAofNameMax];
    snprintf(file, sizeof file, "%.*s.manifest", static_cast<int>(kAppendNameMax), name);
    path_join(path, c->aof_dir, file);
    const bool is_there = c->f->exists(c->f->arg, path);
    const char* where = is_there ? path : c->aof_dir;
    const char* text = without_name(err.text, where);
    const bool is_line = text[0] >= '0' && text[0] <= '9';
    const FindingKind kind = !is_there ? FindingKind::missing
                             : is_line ? FindingKind::syntax
                                       : FindingKind::unreadable;
    tell(c, kind, where, -1, "", "%s%s", is_line ? "line " : "", text);
    return false;
}

static bool same_files(const Manifest* a, const Manifest* b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->files[i].name, b->files[i].name) != 0) return false;
    }
    return true;
}

// A rewrite by a server that uses the directory makes files vanish.
static void note_changes(Check* c, const Manifest* before) {
    Manifest now;
    bool found = false;
    PersistErr err;
    const bool known =
        manifest_load(c->f, c->aof_dir, c->places->appendfilename, &now, &found, &err);
    if (!known || !same_files(before, &now))
        tell(c, FindingKind::note, c->aof_dir, -1, "check again, or when the server has stopped",
             "the log was rewritten meanwhile: what is said above may be wrong");
    manifest_free(&now);
}

CheckResult persist_check(const FileOps* f, const CheckPlaces& places,
                          const CheckVisitor& visitor) {
    Check c = {};
    c.f = f;
    c.places = &places;
    c.visitor = &visitor;
    if (!open_places(&c)) return c.worst;
    Manifest m;
    bool found = false;
    const bool known = load_manifest(&c, &m, &found);
    measure(&c, &m);
    if (found) {
        check_log(&c, &m);
        note_changes(&c, &m);
    }
    check_dump(&c);
    check_single_file(&c);
    if (known && !found && !f->exists(f->arg, c.rdb_path))
        tell(&c, FindingKind::missing, places.dir, -1,
             "check the name of the directory, and --appenddirname, --appendfilename, --dbfilename",
             "neither a log nor a snapshot is here");
    manifest_free(&m);
    return c.worst;
}

// ---- fixing -----------------------------------------------------------------------------------

static bool cut_increments(Check* c, const Increment* list, size_t count, PersistErr* err) {
    // The last one first: whatever happens between, nothing stands behind a cut.
    const size_t end = void_from(list, count), first = first_cuttable(list, end);
    for (size_t i = count; i-- > first;) {
        const AofScan* scan = &list[i].scan;
        const uint64_t at = i >= end ? 0 : scan->good_bytes;
        if (!list[i].readable || at == scan->file_bytes) continue;
        if (!aof_cut(c->f, list[i].path, at, err)) return false;
        tell(c, FindingKind::note, list[i].path, static_cast<int64_t>(at), "",
             "%llu bytes were cut and kept in %s.cut-%llu",
             static_cast<unsigned long long>(scan->file_bytes - at), list[i].path,
             static_cast<unsigned long long>(at));
    }
    return true;
}

static bool fix_log(Check* c, PersistErr* err) {
    Manifest m;
    bool found;
    if (!manifest_load(c->f, c->aof_dir, c->places->appendfilename, &m, &found, err)) return false;
    if (!found) return true;
    Increment* list = alloc_increments(&m);
    const bool good = cut_increments(c, list, scan_increments(c, &m, list), err);
    mem_free(list, m.count * sizeof(Increment));
    manifest_free(&m);
    return good;
}

bool persist_fix(const FileOps* f, const CheckPlaces& places, const CheckVisitor& visitor,
                 PersistErr* err) {
    if (persist_check(f, places, {}) == CheckResult::damaged) {
        snprintf(err->text, sizeof err->text,
                 "%.480s: nothing was cut: there is other damage than a torn tail", places.dir);
        return false;
    }
    Check c = {};
    c.f = f;
    c.places = &places;
    c.visitor = &visitor;
    return open_places(&c) && fix_log(&c, err);
}

}  // namespace rp
