#include "persist/aof_chain.h"

#include <cstdio>
#include <new>

#include "base/log.h"
#include "mem/mem.h"

namespace rp {

// Nothing in it had been promised to survive a power cut that took the end of an older one.
static bool is_unsettled(const AofScan* s) {
    if (s->state == AofState::damaged) return false;
    return s->good_bytes == 0 || (s->ours && !s->says_whole);
}

size_t aof_void_from(const AofScan* const* scans, size_t count) {
    const AofScan* before = nullptr;  // the last one with numbers
    size_t from = 0;
    for (; from < count; from++) {
        if (before != nullptr && !aof_follows(before, scans[from])) break;
        if (scans[from]->next_seq != 0) before = scans[from];
        if (scans[from]->state == AofState::torn) {
            from++;
            break;
        }
    }
    for (size_t i = from; i < count; i++) {
        if (!is_unsettled(scans[i])) return count;
    }
    return from;
}

namespace {

struct Chain {
    const AofFile** files;
    AofScan* scans;
    const AofScan** refs;
    size_t count;
};

}  // namespace

static bool chain_read(const FileOps* f, const char* dir, const Manifest* m, Chain* c,
                       PersistErr* err) {
    char path[kPathMax];
    for (size_t i = 0; i < m->count; i++) {
        if (m->files[i].kind != AofKind::incr) continue;
        if (!path_join(path, dir, m->files[i].name)) return false;
        c->files[c->count] = &m->files[i];
        c->refs[c->count] = &c->scans[c->count];
        if (!aof_scan(f, path, &c->scans[c->count++], err)) return false;
    }
    return true;
}

// The last one first: whatever happens between, what is left is void as before.
static bool chain_cut(const FileOps* f, const char* dir, const Chain* c, size_t from,
                      PersistErr* err) {
    char path[kPathMax];
    for (size_t i = c->count; i-- > from;) {
        if (c->scans[i].file_bytes == 0) continue;
        path_join(path, dir, c->files[i]->name);
        RP_LOG_WARNING(
            "%s: the end of the increment before it is missing: cutting %llu bytes, kept in "
            "%s.cut-0",
            path, static_cast<unsigned long long>(c->scans[i].file_bytes), path);
        if (!aof_cut(f, path, 0, err)) return false;
    }
    return true;
}

static bool drop_void(const FileOps* f, const char* dir, const Manifest* m, bool may_cut,
                      bool* dropped, Chain* c, PersistErr* err) {
    if (!chain_read(f, dir, m, c, err)) return false;
    size_t from = aof_void_from(c->refs, c->count);
    for (size_t i = from; i < c->count; i++)
        *dropped |= c->scans[i].file_bytes != 0;
    if (!*dropped) return true;
    if (may_cut) return chain_cut(f, dir, c, from, err);
    snprintf(err->text, sizeof err->text,
             "%.600s/%s: the end of the increment before it is missing; set aof-load-truncated yes "
             "to start without what follows",
             dir, c->files[from]->name);
    return false;
}

bool aof_drop_void(const FileOps* f, const char* dir, const Manifest* m, bool may_cut,
                   bool* dropped, PersistErr* err) {
    *dropped = false;
    size_t n = m->count;
    Chain c = {.files = static_cast<const AofFile**>(mem_alloc(n * sizeof(AofFile*))),
               .scans = static_cast<AofScan*>(mem_calloc(n * sizeof(AofScan))),
               .refs = static_cast<const AofScan**>(mem_alloc(n * sizeof(AofScan*))),
               .count = 0};
    bool ok = drop_void(f, dir, m, may_cut, dropped, &c, err);
    mem_free(c.files, n * sizeof(AofFile*));
    mem_free(c.scans, n * sizeof(AofScan));
    mem_free(c.refs, n * sizeof(AofScan*));
    return ok;
}

}  // namespace rp
