#include "persist/sim_disk.h"

#include <errno.h>

#include <algorithm>

#include "persist/sim_state.h"

namespace rp {

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

}  // namespace rp
