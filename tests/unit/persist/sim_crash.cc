// What a power cut leaves of a simulated disk.
#include <algorithm>
#include <random>
#include <set>

#include "persist/sim_state.h"

namespace rp {

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
