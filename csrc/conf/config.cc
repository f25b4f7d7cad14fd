// Values of the settings: life cycle, CONFIG GET and CONFIG SET.
#include "conf/config.h"

#include <sched.h>
#include <unistd.h>

#include <climits>
#include <new>

#include "base/assert.h"
#include "base/glob.h"
#include "conf/value.h"

namespace rp {

static int64_t cpu_count() {
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) return CPU_COUNT(&cpus);
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? online : 1;
}

static std::string working_directory() {
    char path[PATH_MAX];
    return getcwd(path, sizeof path) ? path : "/";
}

Status config_new(Config** out) {
    Config* c = new (std::nothrow) Config;
    if (!c) return Status::no_memory;
    c->texts = new (std::nothrow) ConfigTexts;
    if (!c->texts) {
        delete c;
        return Status::no_memory;
    }
    const int64_t cpus = cpu_count();
    c->texts->io_threads_default = cpus < kIoThreadsDefaultMax ? cpus : kIoThreadsDefaultMax;
    for (size_t i = 0; i < config_row_count(); i++) {
        const ConfigRow* row = config_row_at(i);
        ConfigValue value = value_default(c, row);
        if (row->kind == ConfigKind::directory) value.text = working_directory();
        value_store(c, row, value);
    }
    *out = c;
    return Status::ok;
}

void config_free(Config* take) {
    if (!take) return;
    delete take->texts;
    delete take;
}

static size_t copy_out(const std::string& text, char* out, size_t size) {
    if (size != 0) {
        const size_t len = text.size() < size ? text.size() : size - 1;
        memcpy(out, text.data(), len);
        out[len] = '\0';
    }
    return text.size();
}

size_t config_text(const Config* c, Bytes name, char* out, size_t size) {
    const ConfigRow* row = config_row_find(name);
    RP_ASSERT(row);
    return copy_out(value_format(row, value_read(c, row)), out, size);
}

size_t config_file(const Config* c, char* out, size_t size) {
    return copy_out(c->texts->file, out, size);
}

// --- GET
// ---------------------------------------------------------------------------------------------

static bool is_pattern(Bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text[i] == '*' || text[i] == '?' || text[i] == '[') return true;
    }
    return false;
}

// What `name` is called in the answer: as the first pattern that finds it says; false: none does.
static bool name_asked(const ConfigRow* row, Bytes name, const Bytes* patterns, size_t count,
                       Bytes* shown) {
    for (size_t i = 0; i < count; i++) {
        const bool pattern = is_pattern(patterns[i]);
        if (pattern && (row->flags & kConfigHidden)) continue;
        if (pattern ? glob_match(patterns[i], name, true) : bytes_equal_nocase(patterns[i], name)) {
            *shown = pattern ? name : patterns[i];
            return true;
        }
    }
    return false;
}

size_t config_get(const Config* c, const Bytes* patterns, size_t count, ConfigSink sink) {
    size_t found = 0;
    for (size_t i = 0; i < config_row_count(); i++) {
        const ConfigRow* row = config_row_at(i);
        for (const char* name : {row->name, row->alias}) {
            Bytes shown;
            if (!name || !name_asked(row, bytes_of(name), patterns, count, &shown)) continue;
            found++;
            if (sink.row)
                sink.row(sink.arg, shown, bytes_of(value_format(row, value_read(c, row))));
        }
    }
    return found;
}

size_t config_unused(const Config* c, ConfigSink sink) {
    size_t found = 0;
    for (size_t i = 0; i < config_row_count(); i++) {
        const ConfigRow* row = config_row_at(i);
        if (row->flags & kConfigEffective) continue;
        const ConfigValue value = value_read(c, row);
        if (value == value_default(c, row)) continue;
        found++;
        const std::string text =
            row->flags & kConfigSensitive ? "(hidden)" : value_format(row, value);
        if (sink.row) sink.row(sink.arg, bytes_of(row->name), bytes_of(text));
    }
    return found;
}

// --- SET
// ---------------------------------------------------------------------------------------------

struct Change {
    const ConfigRow* row = nullptr;
    ConfigValue before, after;
};

static std::string to_string(Bytes b) { return std::string(b.ptr ? b.ptr : "", b.len); }

static bool refuse(ConfigErr* err, const std::string& name, const std::string& why) {
    config_err_set(err,
                   "ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why);
    return false;
}

static bool may_set_protected(const Config* c, bool local_client) {
    switch (static_cast<DebugAccess>(config_num(c->enable_protected_configs))) {
        case DebugAccess::no: return false;
        case DebugAccess::yes: return true;
        case DebugAccess::local: return local_client;
    }
    RP_ASSERT(false);
}

// Names first, as Redis does: one that is unknown, fixed or doubled beats any wrong value.
static bool find_rows(Config* c, const ConfigPair* pairs, size_t count, bool local_client,
                      std::vector<Change>* changes, ConfigErr* err) {
    bool seen[kConfigRowsMax] = {};
    for (size_t i = 0; i < count; i++) {
        const std::string name = to_string(pairs[i].name);
        const ConfigRow* row = config_row_find(pairs[i].name);
        if (!row) {
            config_err_set(
                err, "ERR Unknown option or number of arguments for CONFIG SET - '" + name + "'");
            return false;
        }
        if (row->flags & kConfigImmutable) return refuse(err, name, "can't set immutable config");
        if ((row->flags & kConfigProtected) && !may_set_protected(c, local_client)) {
            return refuse(err, name, "can't set protected config");
        }
        bool* twice = &seen[config_row_index(row)];
        if (*twice) return refuse(err, name, "duplicate parameter");
        *twice = true;
        changes->push_back({.row = row, .before = value_read(c, row), .after = {}});
    }
    return true;
}

// Whether the callback has something to do.
static bool takes_effect(const Change& it) {
    return it.before != it.after || (it.row->flags & kConfigFile) != 0;
}

// Asks the callback about every changed row; undoes everything on a veto.
static bool apply_all(Config* c, const std::vector<Change>& changes, ConfigErr* err) {
    ConfigTexts* t = c->texts;
    if (!t->apply) return true;
    for (size_t i = 0; i < changes.size(); i++) {
        if (!takes_effect(changes[i])) continue;
        char why[256] = {};
        if (t->apply(t->apply_arg, changes[i].row, why, sizeof why)) continue;
        for (const Change& it : changes)
            value_store(c, it.row, it.before);
        for (size_t j = 0; j <= i; j++) {
            if (!takes_effect(changes[j])) continue;
            char ignored[256] = {};
            // It was in force a moment ago; if it cannot come back, there is nothing better to do.
            (void)t->apply(t->apply_arg, changes[j].row, ignored, sizeof ignored);
        }
        return refuse(err, changes[i].row->name, why);
    }
    return true;
}

// REQUIRES: set_lock.
static bool set_many(Config* c, const ConfigPair* pairs, size_t count, bool local_client,
                     ConfigErr* err) {
    std::vector<Change> changes;
    if (!find_rows(c, pairs, count, local_client, &changes, err)) return false;
    for (size_t i = 0; i < count; i++) {
        Change* change = &changes[i];
        change->after = change->before;
        std::string why;
        if (!value_parse(change->row, {to_string(pairs[i].value)}, &change->after, &why)) {
            return refuse(err, to_string(pairs[i].name), why);
        }
    }
    for (const Change& it : changes)
        value_store(c, it.row, it.after);
    return apply_all(c, changes, err);
}

bool config_set_many(Config* c, const ConfigPair* pairs, size_t count, bool local_client,
                     ConfigErr* err) {
    std::lock_guard<std::mutex> held(c->texts->set_lock);
    return set_many(c, pairs, count, local_client, err);
}

bool config_try_set_many(Config* c, const ConfigPair* pairs, size_t count, bool local_client,
                         ConfigErr* err) {
    std::unique_lock<std::mutex> held(c->texts->set_lock, std::try_to_lock);
    if (held.owns_lock()) return set_many(c, pairs, count, local_client, err);
    config_err_set(err, "ERR CONFIG SET failed: another one is under way, try again");
    return false;
}

void config_on_apply(Config* c, ConfigApply fn, void* arg) {
    std::lock_guard<std::mutex> held(c->texts->set_lock);
    c->texts->apply = fn;
    c->texts->apply_arg = arg;
}

}  // namespace rp
