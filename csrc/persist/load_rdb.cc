#include "persist/load_rdb.h"

#include <cstdio>
#include <cstring>

#include "base/clock.h"

namespace rp {

constexpr size_t kTogether = 64;    // keys put into their tables together, between two breaths
constexpr uint64_t kRecordMin = 3;  // bytes of the shortest key in a file: type, key, value

namespace {

// An entry on its way to its bucket.
struct Coming {
    Entry* entry;
    uint64_t hash;
    uint32_t db;
    int lfu;
    int64_t idle_s;
};

struct Loader {
    const RdbLoad* o;
    Access* a;
    const char* path;
    int fd = -1;
    uint64_t size = 0;  // of the file
    Coming coming[kTogether] = {};
    size_t count = 0;
    // Not yet told.
    uint64_t keys = 0, expired = 0;
    uint64_t told_bytes = 0;
};

}  // namespace

static Entry* make_entry(RdbKey* k) {
    if (k->type != Type::string) return entry_new_value(k->key, k->type, &k->value, k->expiry_ms);
    Entry* e = db_make_string(k->key, k->text, k->string, k->expiry_ms);
    blob_unref(k->string);
    k->string = nullptr;
    return e;
}

static bool fail_twice(const Loader* l, Bytes key, PersistErr* err) {
    snprintf(err->text, sizeof err->text,
             "%.600s: the key '%.*s' is there twice: the file is damaged, use a backup", l->path,
             static_cast<int>(key.len < 128 ? key.len : 128), key.ptr);
    return false;
}

// Takes the entry only if that is true.
static bool put(Loader* l, const Coming* c, PersistErr* err) {
    Access* a = l->a;
    a->db = c->db;
    Bytes key = entry_key(c->entry);
    Table* t = db_table(a);
    MutexGuard held(&table_segment(t, c->hash)->lock);
    Handle h = {key, c->hash, table_locate(t, key, c->hash)};
    if (h.at.entry != nullptr) return fail_twice(l, key, err);
    db_put(a, &h, c->entry);
    age_restore(a, c->entry, c->idle_s, c->lfu);
    l->keys++;
    return true;
}

static bool put_all(Loader* l, PersistErr* err) {
    size_t i = 0;
    while (i < l->count && put(l, &l->coming[i], err))
        i++;
    bool ok = i == l->count;
    for (; i < l->count; i++)
        entry_free(l->coming[i].entry);
    l->count = 0;
    return ok;
}

// INFO's gate and the epochs go on.
static void breathe(Loader* l) {
    gate_leave(l->a->slot);
    gate_enter(&l->a->store->gate, l->a->slot);
}

static void drop(RdbKey* k) {
    if (k->type == Type::string) {
        blob_unref(k->string);
    } else {
        value_free(&k->value);
    }
}

static bool db_is_there(const Loader* l, uint32_t db, PersistErr* err) {
    uint32_t dbs = l->a->store->db_count;
    if (db < dbs) return true;
    snprintf(err->text, sizeof err->text,
             "%.600s: it holds database %u and `databases` is %u: raise it", l->path, db, dbs);
    return false;
}

static bool take_key(void* arg, RdbKey* k, PersistErr* err) {
    auto* l = static_cast<Loader*>(arg);
    if (!db_is_there(l, k->db, err)) {
        drop(k);
        return false;
    }
    if (!l->o->base_of_log && k->expiry_ms != kNoExpiry && k->expiry_ms < clock_wall_ms()) {
        l->expired++;
        drop(k);
        return true;
    }
    uint64_t hash = table_hash(k->key);
    table_prefetch_bucket(l->a->store->dbs[k->db].table, hash);
    l->coming[l->count++] = {make_entry(k), hash, k->db, k->lfu, k->idle_s};
    if (l->count < kTogether) return true;
    bool ok = put_all(l, err);
    breathe(l);
    return ok;
}

static void take_sizes(void* arg, uint32_t db, uint64_t keys, uint64_t /*ttl*/) {
    auto* l = static_cast<Loader*>(arg);
    if (db >= l->a->store->db_count) return;  // the first key says so
    uint64_t most = l->size / kRecordMin;
    table_reserve(l->a->slot, l->a->store->dbs[db].table, keys < most ? keys : most);
}

static void tell(Loader* l, uint64_t bytes) {
    const RdbLoad* o = l->o;
    if (o->progress != nullptr) {
        o->progress(o->progress_arg, bytes - l->told_bytes, l->keys, l->expired);
    }
    l->told_bytes = bytes;
    l->keys = l->expired = 0;
}

static void note_bytes(void* arg, uint64_t bytes) { tell(static_cast<Loader*>(arg), bytes); }

static ssize_t read_file(void* arg, void* to, size_t len) {
    const auto* l = static_cast<Loader*>(arg);
    const FileOps* f = l->o->files;
    const std::atomic<bool>* cancel = l->o->cancel;
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return -ECANCELED;
    return f->read(f->arg, l->fd, to, len);
}

static bool load_open(Loader* l, uint64_t* used, PersistErr* err) {
    RdbIn in = {.read = read_file, .arg = l, .path = l->path, .checksum = l->o->checksum};
    RdbVisitor visitor = {
        .arg = l, .key = take_key, .aux = nullptr, .sizes = take_sizes, .progress = note_bytes};
    gate_enter(&l->a->store->gate, l->a->slot);
    bool ok = rdb_read(&in, &l->o->limits, &visitor, used, err);
    PersistErr ignored;
    ok = put_all(l, ok ? err : &ignored) && ok;
    gate_leave(l->a->slot);
    tell(l, *used);
    return ok;
}

bool load_rdb(const RdbLoad* load, const char* path, uint64_t* used, PersistErr* err) {
    const FileOps* f = load->files;
    Loader l = {.o = load, .a = load->access, .path = path};
    l.fd = f->open_read(f->arg, path);
    int64_t size = l.fd < 0 ? l.fd : f->size(f->arg, l.fd);
    if (size < 0) {
        snprintf(err->text, sizeof err->text, "%.900s: cannot be read: %s", path,
                 strerror(static_cast<int>(-size)));
        if (l.fd >= 0) f->close(f->arg, l.fd);
        return false;
    }
    l.size = static_cast<uint64_t>(size);
    bool ok = load_open(&l, used, err);
    f->close(f->arg, l.fd);
    return ok;
}

}  // namespace rp
