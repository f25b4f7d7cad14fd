// What is on the simulated disk. For sim_disk.cc and sim_crash.cc.
#pragma once
#include <errno.h>

#include <map>
#include <mutex>

#include "persist/sim_disk.h"

namespace rp {

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

inline std::vector<std::string> parts_of(const std::string& path) {
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

inline void zero(std::string* text, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to && i < text->size(); i++)
        (*text)[i] = '\0';
}

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

}  // namespace rp
