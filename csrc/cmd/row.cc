#include "cmd/row.h"

#include "base/numbers.h"

namespace rp {

static int absolute_last(const KeySpec* k) { return k->last >= 0 ? k->index + k->last : k->last; }

// Several specs are one range if each is a plain one that goes on where the one before ended.
KeyRange row_key_range(const Cmd* row) {
    KeyRange range = {0, 0, 0};
    bool single = row->keys[1].flags == 0;
    for (const KeySpec& k : row->keys) {
        if (k.flags == 0) break;
        if (k.keyword != nullptr || k.num_index >= 0) continue;
        if (!single && k.step != 1) continue;
        if (range.first != 0 && range.last != k.index - 1) continue;
        if (range.first == 0) range = {k.index, 0, k.step};
        range.last = absolute_last(&k);
    }
    return range;
}

uint32_t row_acl(const Cmd* row) {
    uint32_t acl = row->acl;
    if (row->flags & kCmdWrite) acl |= kAclWrite;
    // As Redis: read-only commands that are about scripting are no reads.
    if ((row->flags & kCmdReadonly) && !(acl & kAclScripting)) acl |= kAclRead;
    if (row->flags & kCmdAdmin) acl |= kAclAdmin | kAclDangerous;
    if (row->flags & kCmdPubsub) acl |= kAclPubsub;
    if (row->flags & kCmdFast) acl |= kAclFast;
    if (row->flags & kCmdBlocking) acl |= kAclBlocking;
    if (!(acl & kAclFast)) acl |= kAclSlow;
    return acl;
}

static size_t spec_begin(const KeySpec* k, Args argv) {
    if (k->keyword == nullptr) return static_cast<size_t>(k->index);
    size_t n = argv.len;
    bool back = k->start_from < 0;
    size_t i = back ? n - static_cast<size_t>(-k->start_from) : static_cast<size_t>(k->start_from);
    for (; i > 0 && i < n; i = back ? i - 1 : i + 1) {
        if (bytes_equal_nocase(argv[i], bytes_of(k->keyword))) return i + 1;
    }
    return n;  // the word is not there: no keys from this spec
}

// Keys counted by a number among the arguments (EVAL, ZUNION).
static bool visit_counted(const KeySpec* k, Args argv, size_t begin, KeyVisit fn, void* arg) {
    int64_t count;
    size_t at = begin + static_cast<size_t>(k->num_index);
    if (at >= argv.len || !parse_i64(argv[at], &count) || count < 0) return false;
    size_t first = begin + static_cast<size_t>(k->first_key);
    size_t step = static_cast<size_t>(k->step);
    if (first > argv.len || static_cast<uint64_t>(count) > (argv.len - first + step - 1) / step) {
        return false;
    }
    for (size_t i = 0; i < static_cast<size_t>(count); i++)
        fn(arg, first + i * step, k->flags);
    return true;
}

static void visit_range(const KeySpec* k, Args argv, size_t begin, KeyVisit fn, void* arg) {
    size_t end = argv.len;  // one past the last key
    if (k->last >= 0) {
        end = begin + static_cast<size_t>(k->last) + 1;
    } else if (k->limit <= 1) {
        end = argv.len - static_cast<size_t>(-k->last) + 1;
    } else {
        end = begin + (argv.len - begin) / static_cast<size_t>(k->limit);
    }
    if (end > argv.len) end = argv.len;
    for (size_t i = begin; i < end; i += static_cast<size_t>(k->step))
        fn(arg, i, k->flags);
}

bool row_each_key(const Cmd* row, Args argv, KeyVisit fn, void* arg) {
    for (const KeySpec& k : row->keys) {
        if (k.flags == 0) break;
        if (k.flags & kKeyNotKey) continue;
        size_t begin = spec_begin(&k, argv);
        if (begin >= argv.len) continue;
        if (k.num_index >= 0) {
            if (!visit_counted(&k, argv, begin, fn, arg)) return false;
        } else {
            visit_range(&k, argv, begin, fn, arg);
        }
    }
    return true;
}

// SET reads the key only with GET.
uint32_t row_key_flags(const Cmd* row, Args argv, uint32_t flags) {
    if ((flags & kKeyVariable) == 0 || strcmp(row->name, "SET") != 0) return flags;
    for (size_t i = 3; i < argv.len; i++) {
        if (bytes_equal_nocase(argv[i], "GET")) return kKeyRW | kKeyAccess | kKeyUpdate;
    }
    return kKeyOW | kKeyUpdate;
}

}  // namespace rp
