#include "persist/sim_disk.h"

#include <errno.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace rp {
namespace {

// A change of contents that no sync has made durable.
struct Change {
    bool cut = false;  // truncate to `len`, else append `bytes`
    uint64_t len = 0;
    std::string bytes = {};
};

// A change of names: `name` becomes `node`, or vanishes (node 0). A rename is one change that does
// both.
struct NameChange {
    std::string gone = {};  // "": none
    std::string name = {};  // "": none
    int node = 0;
};

struct Node {
    bool is_dir = false;
    // A file.
    std::string now, durable;
    std::vector<Change> changes;
    std::vector<std::pair<uint64_t, uint64_t>> lost;  // ranges a failed sync has given up
    // A directory.
    std::map<std::string, int> names, durable_names;
    std::vector<NameChange> name_changes;
};

struct Handle {
    int node;
    std::string path;
    bool writable;
    uint64_t at;
};

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    size_t from = 0;
    while (from <= path.size()) {
        size_t to = path.find('/', from);
        if (to == std::string::npos) to = path.size();
        if (to > from && path.substr(from, to - from) != ".")
            parts.push_back(path.substr(from, to - from));
        from = to + 1;
    }
    return parts;
}

}  // namespace

struct SimDisk {
    mutable std::mutex lock;
    std::map<int, Node> nodes;
    int next_node = 2;  // 1 is the root
    std::map<int, Handle> handles;
    int next_fd = 1000;
    std::vector<SimOp> trace;
    size_t changes = 0;
    std::vector<SimFault> faults;
    uint64_t space = UINT64_MAX;
    size_t short_max = 0;
    size_t dies_after = SIZE_MAX;
    std::function<void(const SimOp&)> hook;

    int find(const std::string& path) const {
        int node = 1;
        for (const std::string& part : parts_of(path)) {
            const Node& dir = nodes.at(node);
            if (!dir.is_dir) return -ENOTDIR;
            auto it = dir.names.find(part);
            if (it == dir.names.end()) return -ENOENT;
            node = it->second;
        }
        return node;
    }
    // The directory a path lies in, and its last part.
    int parent(const std::string& path, std::string* name) const {
        std::vector<std::string> parts = parts_of(path);
        if (parts.empty()) return -EINVAL;
        *name = parts.back();
        std::string dir;
        for (size_t i = 0; i + 1 < parts.size(); i++)
            dir += "/" + parts[i];
        const int node = find(dir);
        return node > 0 && !nodes.at(node).is_dir ? -ENOTDIR : node;
    }
    int add_node(bool is_dir) {
        nodes[next_node].is_dir = is_dir;
        return next_node++;
    }
    void change_names(int dir, const NameChange& change) {
        Node& node = nodes.at(dir);
        if (!change.gone.empty()) node.names.erase(change.gone);
        if (!change.name.empty()) node.names[change.name] = change.node;
        node.name_changes.push_back(change);
    }
};

namespace {

SimDisk* disk_of(void* arg) { return static_cast<SimDisk*>(arg); }

uint32_t bit(SimKind kind) { return static_cast<uint32_t>(kind); }

// Of the first fault that is due.
int fault_for(SimDisk* d, const SimOp& op) {
    for (SimFault& fault : d->faults) {
        if ((fault.kinds & bit(op.kind)) == 0 || fault.times == 0) continue;
        if (op.path.find(fault.path_part) == std::string::npos) continue;
        if (fault.after > 0) {
            fault.after--;
            continue;
        }
        if (fault.times > 0) fault.times--;
        return -fault.error;
    }
    return 0;
}

// Every operation: the hook, faults, the body, the trace.
void nothing(SimDisk*) {}

template <typename Body, typename OnFault = void (*)(SimDisk*)>
int64_t operate(void* arg, SimOp op, Body body, OnFault on_fault = nothing) {
    SimDisk* d = disk_of(arg);
    std::function<void(const SimOp&)> hook;
    {
        std::lock_guard<std::mutex> hold(d->lock);
        hook = d->hook;
    }
    if (hook) hook(op);
    std::lock_guard<std::mutex> hold(d->lock);
    if (d->changes >= d->dies_after) return -EIO;
    op.result = fault_for(d, op);
    if (op.result != 0) {
        on_fault(d);
    } else {
        op.result = body(d, &op);
    }
    if (op.changes) d->changes++;
    d->trace.push_back(op);
    return op.result;
}

std::string path_of_fd(SimDisk* d, int fd) {
    std::lock_guard<std::mutex> hold(d->lock);
    auto it = d->handles.find(fd);
    return it == d->handles.end() ? "" : it->second.path;
}

int open_handle(SimDisk* d, int node, const std::string& path, bool writable) {
    d->handles[d->next_fd] = {node, path, writable, 0};
    return d->next_fd++;
}

int op_open_read(void* arg, const char* path) {
    return static_cast<int>(
        operate(arg, {.kind = SimKind::open, .path = path}, [](SimDisk* d, SimOp* op) -> int64_t {
            const int node = d->find(op->path);
            if (node < 0) return node;
            if (d->nodes.at(node).is_dir) return -EISDIR;
            return open_handle(d, node, op->path, false);
        }));
}

void cut(Node* node, uint64_t len) {
    if (len == node->now.size()) return;
    node->now.resize(len, '\0');
    for (auto& [from, to] : node->lost) {
        from = std::min(from, len);
        to = std::min(to, len);
    }
    node->changes.push_back({.cut = true, .len = len});
}

int64_t open_writable(SimDisk* d, SimOp* op, bool empty) {
    std::string name;
    const int dir = d->parent(op->path, &name);
    if (dir < 0) return dir;
    int node = d->find(op->path);
    if (node > 0 && d->nodes.at(node).is_dir) return -EISDIR;
    op->changes = node < 0 || empty;
    if (node < 0) {
        node = d->add_node(false);
        d->change_names(dir, {.name = name, .node = node});
    } else if (empty) {
        cut(&d->nodes.at(node), 0);
    }
    return open_handle(d, node, op->path, true);
}

int op_open_append(void* arg, const char* path) {
    return static_cast<int>(
        operate(arg, {.kind = SimKind::open, .path = path},
                [](SimDisk* d, SimOp* op) { return open_writable(d, op, false); }));
}

int op_open_new(void* arg, const char* path) {
    return static_cast<int>(
        operate(arg, {.kind = SimKind::open, .path = path},
                [](SimDisk* d, SimOp* op) { return open_writable(d, op, true); }));
}

// No operation of the disk: never fails but for a wrong descriptor, and is not in the trace.
int op_close(void* arg, int fd) {
    SimDisk* d = disk_of(arg);
    std::lock_guard<std::mutex> hold(d->lock);
    return d->handles.erase(fd) == 1 ? 0 : -EBADF;
}

ssize_t op_read(void* arg, int fd, void* to, size_t len) {
    SimOp want = {.kind = SimKind::read, .path = path_of_fd(disk_of(arg), fd), .len = len};
    return operate(arg, want, [&](SimDisk* d, SimOp*) -> int64_t {
        auto it = d->handles.find(fd);
        if (it == d->handles.end()) return -EBADF;
        Handle& handle = it->second;
        const std::string& text = d->nodes.at(handle.node).now;
        if (handle.at >= text.size()) return 0;
        const size_t n = std::min<size_t>(len, text.size() - handle.at);
        memcpy(to, text.data() + handle.at, n);
        handle.at += n;
        return static_cast<int64_t>(n);
    });
}

// Always at the end.
int64_t write_bytes(SimDisk* d, int fd, std::string bytes) {
    auto it = d->handles.find(fd);
    if (it == d->handles.end() || !it->second.writable) return -EBADF;
    Node& node = d->nodes.at(it->second.node);
    if (d->short_max != 0 && bytes.size() > d->short_max) bytes.resize(d->short_max);
    if (bytes.size() > d->space) bytes.resize(d->space);
    if (bytes.empty()) return -ENOSPC;
    d->space -= d->space == UINT64_MAX ? 0 : bytes.size();
    node.now += bytes;
    const auto taken = static_cast<int64_t>(bytes.size());
    node.changes.push_back({.bytes = std::move(bytes)});
    return taken;
}

ssize_t op_writev(void* arg, int fd, const iovec* parts, int count) {
    std::string bytes;
    for (int i = 0; i < count; i++)
        bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    SimOp want = {.kind = SimKind::write,
                  .path = path_of_fd(disk_of(arg), fd),
                  .len = bytes.size(),
                  .changes = true};
    if (bytes.empty()) return 0;
    return operate(arg, want, [&](SimDisk* d, SimOp*) { return write_bytes(d, fd, bytes); });
}

void zero(std::string* text, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to && i < text->size(); i++)
        (*text)[i] = '\0';
}

void make_durable(Node* node) {
    node->durable = node->now;
    for (const auto& [from, to] : node->lost)
        zero(&node->durable, from, to);
    node->changes.clear();
}

// The pages count as clean from now on, wherever they are.
void give_up(Node* node) {
    if (node->now.size() > node->durable.size())
        node->lost.emplace_back(node->durable.size(), node->now.size());
    make_durable(node);
}

int op_sync_data(void* arg, int fd) {
    SimDisk* d = disk_of(arg);
    SimOp want = {.kind = SimKind::sync, .path = path_of_fd(d, fd), .changes = true};
    const auto on_fault = [&](SimDisk* disk) {
        auto it = disk->handles.find(fd);
        if (it != disk->handles.end()) give_up(&disk->nodes.at(it->second.node));
    };
    const auto body = [&](SimDisk* disk, SimOp*) -> int64_t {
        auto it = disk->handles.find(fd);
        if (it == disk->handles.end()) return -EBADF;
        make_durable(&disk->nodes.at(it->second.node));
        return 0;
    };
    return static_cast<int>(operate(arg, want, body, on_fault));
}

int op_truncate(void* arg, int fd, uint64_t len) {
    SimOp want = {.kind = SimKind::truncate,
                  .path = path_of_fd(disk_of(arg), fd),
                  .len = len,
                  .changes = true};
    return static_cast<int>(operate(arg, want, [&](SimDisk* d, SimOp*) -> int64_t {
        auto it = d->handles.find(fd);
        if (it == d->handles.end() || !it->second.writable) return -EBADF;
        Node& node = d->nodes.at(it->second.node);
        if (d->space != UINT64_MAX && len < node.now.size()) d->space += node.now.size() - len;
        cut(&node, len);
        return 0;
    }));
}

int64_t op_size(void* arg, int fd) {
    SimDisk* d = disk_of(arg);
    std::lock_guard<std::mutex> hold(d->lock);
    auto it = d->handles.find(fd);
    if (it == d->handles.end()) return -EBADF;
    return static_cast<int64_t>(d->nodes.at(it->second.node).now.size());
}

// Within one directory: nobody here renames across.
int64_t rename_file(SimDisk* d, const SimOp& op) {
    std::string from, to;
    const int dir = d->parent(op.path, &from);
    const int other = d->parent(op.to, &to);
    if (dir < 0 || other < 0) return dir < 0 ? dir : other;
    if (dir != other) return -EXDEV;
    auto it = d->nodes.at(dir).names.find(from);
    if (it == d->nodes.at(dir).names.end()) return -ENOENT;
    const int node = it->second;
    d->change_names(dir, {.gone = from, .name = to, .node = node});
    return 0;
}

int op_rename(void* arg, const char* from, const char* to) {
    return static_cast<int>(
        operate(arg, {.kind = SimKind::rename, .path = from, .to = to, .changes = true},
                [](SimDisk* d, SimOp* op) { return rename_file(d, *op); }));
}

int op_unlink(void* arg, const char* path) {
    return static_cast<int>(operate(arg, {.kind = SimKind::unlink, .path = path, .changes = true},
                                    [](SimDisk* d, SimOp* op) -> int64_t {
                                        std::string name;
                                        const int dir = d->parent(op->path, &name);
                                        const int node = d->find(op->path);
                                        if (dir < 0 || node < 0) return dir < 0 ? dir : node;
                                        if (d->nodes.at(node).is_dir) return -EISDIR;
                                        if (d->space != UINT64_MAX)
                                            d->space += d->nodes.at(node).now.size();
                                        d->change_names(dir, {.gone = name});
                                        return 0;
                                    }));
}

int op_make_dir(void* arg, const char* path) {
    return static_cast<int>(operate(arg, {.kind = SimKind::make_dir, .path = path, .changes = true},
                                    [](SimDisk* d, SimOp* op) -> int64_t {
                                        const int there = d->find(op->path);
                                        if (there > 0)
                                            return d->nodes.at(there).is_dir ? 0 : -ENOTDIR;
                                        std::string name;
                                        const int dir = d->parent(op->path, &name);
                                        if (dir < 0) return dir;
                                        d->change_names(dir,
                                                        {.name = name, .node = d->add_node(true)});
                                        return 0;
                                    }));
}

int op_sync_dir(void* arg, const char* path) {
    return static_cast<int>(operate(arg, {.kind = SimKind::sync_dir, .path = path, .changes = true},
                                    [](SimDisk* d, SimOp* op) -> int64_t {
                                        const int node = d->find(op->path);
                                        if (node < 0) return node;
                                        Node& dir = d->nodes.at(node);
                                        if (!dir.is_dir) return -ENOTDIR;
                                        dir.durable_names = dir.names;
                                        dir.name_changes.clear();
                                        return 0;
                                    }));
}

bool op_exists(void* arg, const char* path) {
    SimDisk* d = disk_of(arg);
    std::lock_guard<std::mutex> hold(d->lock);
    return d->find(path) > 0;
}

int op_list(void* arg, const char* path, void (*visit)(void* to, const char* name), void* to) {
    std::vector<std::string> names;
    const int status = static_cast<int>(
        operate(arg, {.kind = SimKind::list, .path = path}, [&](SimDisk* d, SimOp* op) -> int64_t {
            const int node = d->find(op->path);
            if (node < 0) return node;
            if (!d->nodes.at(node).is_dir) return -ENOTDIR;
            for (const auto& [name, child] : d->nodes.at(node).names)
                names.push_back(name);
            return 0;
        }));
    for (const std::string& name : names)
        visit(to, name.c_str());
    return status;
}

}  // namespace

// ---- set-up -----------------------------------------------------------------------------------

void SimDelete::operator()(SimDisk* disk) const { delete disk; }

SimPtr sim_new() {
    SimPtr disk(new SimDisk);
    disk->nodes[1].is_dir = true;
    return disk;
}

FileOps sim_ops(SimDisk* disk) {
    return {
        .arg = disk,
        .open_read = op_open_read,
        .open_append = op_open_append,
        .open_new = op_open_new,
        .close = op_close,
        .read = op_read,
        .writev = op_writev,
        .sync_data = op_sync_data,
        .truncate = op_truncate,
        .size = op_size,
        .rename = op_rename,
        .unlink = op_unlink,
        .make_dir = op_make_dir,
        .sync_dir = op_sync_dir,
        .exists = op_exists,
        .list = op_list,
    };
}

// Finds or makes a directory, durably.
static int durable_dir(SimDisk* d, const std::vector<std::string>& parts, size_t count) {
    int node = 1;
    for (size_t i = 0; i < count; i++) {
        auto it = d->nodes.at(node).names.find(parts[i]);
        int next = it == d->nodes.at(node).names.end() ? 0 : it->second;
        if (next == 0) {
            next = d->add_node(true);
            d->nodes.at(node).names[parts[i]] = next;
        }
        d->nodes.at(node).durable_names[parts[i]] = next;
        node = next;
    }
    return node;
}

void sim_mkdir(SimDisk* d, const std::string& path) {
    std::lock_guard<std::mutex> hold(d->lock);
    const std::vector<std::string> parts = parts_of(path);
    durable_dir(d, parts, parts.size());
}

void sim_put(SimDisk* d, const std::string& path, const std::string& contents) {
    std::lock_guard<std::mutex> hold(d->lock);
    const std::vector<std::string> parts = parts_of(path);
    const int dir = durable_dir(d, parts, parts.size() - 1);
    const int node = d->add_node(false);
    d->nodes.at(node).now = d->nodes.at(node).durable = contents;
    d->nodes.at(dir).names[parts.back()] = node;
    d->nodes.at(dir).durable_names[parts.back()] = node;
}

bool sim_get(const SimDisk* d, const std::string& path, std::string* contents) {
    std::lock_guard<std::mutex> hold(d->lock);
    const int node = d->find(path);
    if (node < 0 || d->nodes.at(node).is_dir) return false;
    if (contents != nullptr) *contents = d->nodes.at(node).now;
    return true;
}

std::vector<std::string> sim_list(const SimDisk* d, const std::string& path) {
    std::lock_guard<std::mutex> hold(d->lock);
    std::vector<std::string> names;
    const int node = d->find(path);
    if (node > 0) {
        for (const auto& [name, child] : d->nodes.at(node).names)
            names.push_back(name);
    }
    return names;
}

size_t sim_open_files(const SimDisk* d) {
    std::lock_guard<std::mutex> hold(d->lock);
    return d->handles.size();
}

std::vector<SimOp> sim_trace(const SimDisk* d) {
    std::lock_guard<std::mutex> hold(d->lock);
    return d->trace;
}

size_t sim_changes(const SimDisk* d) {
    std::lock_guard<std::mutex> hold(d->lock);
    return d->changes;
}

// ---- faults -----------------------------------------------------------------------------------

void sim_fail(SimDisk* d, const SimFault& fault) {
    std::lock_guard<std::mutex> hold(d->lock);
    d->faults.push_back(fault);
}

void sim_mend(SimDisk* d) {
    std::lock_guard<std::mutex> hold(d->lock);
    d->faults.clear();
    d->space = UINT64_MAX;
    d->short_max = 0;
}

void sim_set_space(SimDisk* d, uint64_t bytes_left) {
    std::lock_guard<std::mutex> hold(d->lock);
    d->space = bytes_left;
}

void sim_set_short_writes(SimDisk* d, size_t max) {
    std::lock_guard<std::mutex> hold(d->lock);
    d->short_max = max;
}

void sim_die_after(SimDisk* d, size_t changes) {
    std::lock_guard<std::mutex> hold(d->lock);
    d->dies_after = d->changes + changes;
}

void sim_set_hook(SimDisk* d, std::function<void(const SimOp&)> before) {
    std::lock_guard<std::mutex> hold(d->lock);
    d->hook = std::move(before);
}

// ---- the power cut ----------------------------------------------------------------------------

namespace {

using Random = std::mt19937_64;

// 0 .. n, the ends as likely as all between them together.
uint64_t pick(Random& random, uint64_t n) {
    switch (random() % 4) {
        case 0: return 0;
        case 1: return n;
        default: return random() % (n + 1);
    }
}

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSector = 512;

// Pages that never came, in what was not synced.
void make_holes(Random& random, std::string* text, uint64_t from) {
    while (from < text->size()) {
        const uint64_t to = (from / kPage + 1) * kPage;
        if (random() % 2 == 0) zero(text, from, to);
        from = to;
    }
}

// The size of a write that began at `from` came to the disk, its last sectors did not.
void make_zero_tail(Random& random, std::string* text, uint64_t from, uint64_t len) {
    const uint64_t sector = (text->size() + kSector - 1) / kSector * kSector;
    if (sector > from + len) return;
    const uint64_t zeros = pick(random, from + len - sector);
    if (zeros == 0) return;
    text->resize(text->size() / kSector * kSector < from ? from : text->size() / kSector * kSector);
    text->resize(sector + zeros, '\0');
}

std::string crashed_contents(const Node& node, Random& random, const SimCrash& options) {
    std::string text = node.durable;
    const uint64_t whole = pick(random, node.changes.size());
    uint64_t synced = text.size();
    for (uint64_t i = 0; i < whole; i++) {
        const Change& change = node.changes[i];
        if (change.cut) {
            text.resize(change.len, '\0');
            synced = std::min<uint64_t>(synced, text.size());
        } else {
            text += change.bytes;
        }
    }
    if (whole < node.changes.size() && !node.changes[whole].cut) {
        const std::string& bytes = node.changes[whole].bytes;
        const uint64_t before = text.size();
        text.append(bytes, 0, pick(random, bytes.size()));
        if (options.zeros && random() % 3 == 0) make_zero_tail(random, &text, before, bytes.size());
    }
    if (options.holes) make_holes(random, &text, synced);
    return text;
}

void apply(std::map<std::string, int>* names, const NameChange& change) {
    if (!change.gone.empty()) names->erase(change.gone);
    if (!change.name.empty()) (*names)[change.name] = change.node;
}

std::map<std::string, int> crashed_names(const Node& dir, Random& random, const SimCrash& options) {
    std::map<std::string, int> names = dir.durable_names;
    if (!options.reorder_names || random() % 2 == 0) {
        const uint64_t count = pick(random, dir.name_changes.size());
        for (uint64_t i = 0; i < count; i++)
            apply(&names, dir.name_changes[i]);
        return names;
    }
    std::set<std::string> left_out;  // names with a change that did not happen: no later one did
    for (const NameChange& change : dir.name_changes) {
        const bool blocked = left_out.count(change.gone) != 0 || left_out.count(change.name) != 0;
        if (!blocked && random() % 2 == 0) {
            apply(&names, change);
            continue;
        }
        if (!change.gone.empty()) left_out.insert(change.gone);
        if (!change.name.empty()) left_out.insert(change.name);
    }
    return names;
}

void copy_crashed(const SimDisk& from, int from_node, SimDisk* to, int to_node, Random& random,
                  const SimCrash& options) {
    for (const auto& [name, child] : crashed_names(from.nodes.at(from_node), random, options)) {
        const Node& node = from.nodes.at(child);
        const int made = to->add_node(node.is_dir);
        to->nodes.at(to_node).names[name] = made;
        to->nodes.at(to_node).durable_names[name] = made;
        if (node.is_dir) {
            copy_crashed(from, child, to, made, random, options);
        } else {
            Node& file = to->nodes.at(made);
            file.now = file.durable = crashed_contents(node, random, options);
        }
    }
}

}  // namespace

SimPtr sim_crash(const SimDisk& disk, uint64_t seed, SimCrash options) {
    std::lock_guard<std::mutex> hold(disk.lock);
    Random random(seed);
    SimPtr after = sim_new();
    copy_crashed(disk, 1, after.get(), 1, random, options);
    return after;
}

}  // namespace rp
