// embed/check.cc: the tools' side of rustypotato.h: what needs files but no store.
#include "persist/check.h"

#include <errno.h>

#include <cstdlib>

#include "embed/rustypotato.h"
#include "persist/dir_lock.h"

using namespace rp;

static_assert(RP_FOUND_OK == static_cast<int>(FindingKind::ok));
static_assert(RP_FOUND_TORN_TAIL == static_cast<int>(FindingKind::torn_tail));
static_assert(RP_FOUND_CHECKSUM == static_cast<int>(FindingKind::checksum));
static_assert(RP_FOUND_SYNTAX == static_cast<int>(FindingKind::syntax));
static_assert(RP_FOUND_MISSING == static_cast<int>(FindingKind::missing));
static_assert(RP_FOUND_UNREADABLE == static_cast<int>(FindingKind::unreadable));
static_assert(RP_FOUND_NOTE == static_cast<int>(FindingKind::note));
static_assert(RP_FILES_GOOD == static_cast<int>(CheckResult::good));
static_assert(RP_FILES_TORN == static_cast<int>(CheckResult::torn));
static_assert(RP_FILES_DAMAGED == static_cast<int>(CheckResult::damaged));

// The caller's finder, and the way in which it stops a check: reads fail from then on.
struct Finder {
    const rp_finder* finder;
    bool stopped = false;
};

static void on_finding(void* arg, const Finding* f) {
    const auto* to = static_cast<Finder*>(arg)->finder;
    const rp_finding finding = {static_cast<int>(f->kind),
                                finding_kind_text(f->kind),
                                f->file,
                                f->offset,
                                f->text,
                                f->advice};
    if (to->finding != nullptr) to->finding(to->arg, &finding);
}

static void on_progress(void* arg, uint64_t done, uint64_t total) {
    auto* f = static_cast<Finder*>(arg);
    if (f->stopped || f->finder->progress == nullptr) return;
    f->stopped = f->finder->progress(f->finder->arg, done, total) != 0;
}

static ssize_t read_unless_stopped(void* arg, int fd, void* to, size_t len) {
    if (static_cast<Finder*>(arg)->stopped) return -ECANCELED;
    return kSystemFiles.read(kSystemFiles.arg, fd, to, len);
}

static FileOps files_for(Finder* f) {
    FileOps files = kSystemFiles;  // which look at no arg
    files.arg = f;
    files.read = read_unless_stopped;
    return files;
}

static CheckVisitor visitor_for(Finder* f) {
    CheckVisitor visitor;
    visitor.arg = f;
    visitor.finding = on_finding;
    visitor.progress = on_progress;
    return visitor;
}

static CheckPlaces places_of(const rp_places* from) {
    CheckPlaces places;
    places.dir = from->dir;
    if (from->appenddirname != nullptr) places.appenddirname = from->appenddirname;
    if (from->appendfilename != nullptr) places.appendfilename = from->appendfilename;
    if (from->dbfilename != nullptr) places.dbfilename = from->dbfilename;
    return places;
}

static int fail(char** error, int code, const PersistErr* err) {
    if (error != nullptr) *error = strdup(err->text);
    return code;
}

int rp_check_files(const rp_places* places, const rp_finder* finder) {
    Finder f = {finder};
    const FileOps files = files_for(&f);
    return static_cast<int>(persist_check(&files, places_of(places), visitor_for(&f)));
}

int rp_fix_files(const rp_places* places, const rp_finder* finder, char** error) {
    if (error != nullptr) *error = nullptr;
    int lock;
    const int locked = rp_lock_dir(places->dir, &lock, error);
    if (locked != RP_OK) return locked;
    Finder f = {finder};
    const FileOps files = files_for(&f);
    PersistErr err;
    const bool good = persist_fix(&files, places_of(places), visitor_for(&f), &err);
    rp_unlock_dir(lock);
    return good ? RP_OK : fail(error, RP_IO, &err);
}

int rp_log_files(const rp_places* from, void (*visit)(void* arg, const char* name, int kind),
                 void* arg, char** error) {
    if (error != nullptr) *error = nullptr;
    const CheckPlaces places = places_of(from);
    char dir[kPathMax];
    Manifest m;
    bool found;
    PersistErr err;
    if (!path_join(dir, places.dir, places.appenddirname)) return RP_INVALID;
    if (!manifest_load(&kSystemFiles, dir, places.appendfilename, &m, &found, &err))
        return fail(error, RP_IO, &err);
    for (size_t i = 0; i < m.count; i++)
        visit(arg, m.files[i].name, static_cast<char>(m.files[i].kind));
    manifest_free(&m);
    return RP_OK;
}

int rp_lock_dir(const char* dir, int* lock, char** error) {
    if (error != nullptr) *error = nullptr;
    PersistErr err;
    if (dir_lock(dir, lock, &err)) return RP_OK;
    return fail(error, RP_IN_USE, &err);
}

void rp_unlock_dir(int lock) { dir_unlock(lock); }
