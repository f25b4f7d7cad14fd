// The command table: rows of all families, found by name. Filled once before any thread runs.
#include <cstdlib>

#include "cmd/dispatch.h"
#include "cmd/plan.h"

namespace rp {

// Open addressing over upper-cased names; about 100 top-level names among 1024 slots.
constexpr int kNameSlotsLog2 = 10;
constexpr size_t kNameSlots = size_t{1} << kNameSlotsLog2;
constexpr size_t kRowsMax = 600;
constexpr size_t kNameLenMax = 31;

static struct Registry {
    CmdRef slots[kNameSlots];
    CmdRef rows[kRowsMax];  // by index, subcommands behind their container
    Plan plans[kRowsMax];
    size_t count;
    const Cmd* top[kRowsMax];
    size_t top_count;
} g_registry;

constexpr uint64_t kUpperMask = 0xDFDFDFDFDFDFDFDF;  // clears the bit that tells 'a' from 'A'

// The first bytes of a name in upper case, in one word: overlapping loads, no loop.
static uint64_t name_word(Bytes name) {
    uint32_t low, high;
    if (name.len >= 8) {
        uint64_t word;
        memcpy(&word, name.ptr, 8);
        return word & kUpperMask;
    }
    if (name.len >= 4) {
        memcpy(&low, name.ptr, 4);
        memcpy(&high, name.ptr + name.len - 4, 4);
        return (static_cast<uint64_t>(high) << 32 | low) & kUpperMask;
    }
    if (name.len == 0) return 0;
    auto at = [&](size_t i) { return static_cast<uint64_t>(static_cast<uint8_t>(name[i])); };
    return (at(0) | at(name.len / 2) << 8 | at(name.len - 1) << 16) & kUpperMask;
}

static size_t name_slot(uint64_t word, size_t len) {
    return ((word ^ len * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u) >> (64 - kNameSlotsLog2);
}

static Rule plan_rule(const Cmd* row) {
    if (row->flags & kCmdExclusive) return Rule::exclusive;
    if (strcmp(row->name, "EXEC") == 0) return Rule::exec;
    if (row->keys[0].flags == 0 || (row->keys[0].flags & kKeyNotKey)) return Rule::keyless;
    if (row->flags & kCmdLockedRead) return Rule::locked_read;
    bool single = row->keys[1].flags == 0 && row->keys[0].last == 0 && row->keys[0].num_index < 0 &&
                  row->keys[0].keyword == nullptr && row->other_db == nullptr;
    if (row->flags & kCmdWrite) return single ? Rule::write_one : Rule::write_many;
    return single ? Rule::read_one : Rule::read_many;
}

static bool plan_quick(const Cmd* row) {
    if (row->flags & kCmdFast) return true;
    return row->cost != nullptr && strcmp(row->cost, "O(1)") == 0;
}

static CmdRef add_row(const Cmd* row, const Cmd* parent) {
    RP_ASSERT(g_registry.count < kRowsMax);
    CmdRef ref = {row, parent, static_cast<uint32_t>(g_registry.count)};
    g_registry.plans[g_registry.count] = {plan_rule(row), static_cast<uint8_t>(row->keys[0].index),
                                          plan_quick(row)};
    g_registry.rows[g_registry.count++] = ref;
    return ref;
}

void commands_register(const Cmd* family) {
    for (const Cmd* row = family; row->name != nullptr; row++) {
        RP_ASSERT(strlen(row->name) <= kNameLenMax);
        CmdRef ref = add_row(row, nullptr);
        g_registry.top[g_registry.top_count++] = row;
        Bytes name = bytes_of(row->name);
        size_t at = name_slot(name_word(name), name.len);
        while (g_registry.slots[at].row != nullptr)
            at = (at + 1) % kNameSlots;
        g_registry.slots[at] = ref;
        for (const Cmd* sub = row->subcommands; sub != nullptr && sub->name != nullptr; sub++) {
            add_row(sub, row);
        }
    }
}

static bool name_equal(const char* upper, Bytes name) {
    size_t i = 0;
    for (; i < name.len && upper[i] != 0; i++) {
        if (upper[i] != ascii_upper(name[i])) return false;
    }
    return i == name.len && upper[i] == 0;
}

CmdRef command_find(Bytes name) {
    if (name.len > kNameLenMax) return {};
    for (size_t at = name_slot(name_word(name), name.len);; at = (at + 1) % kNameSlots) {
        const CmdRef* slot = &g_registry.slots[at];
        if (slot->row == nullptr || name_equal(slot->row->name, name)) return *slot;
    }
}

CmdRef command_find_sub(const CmdRef* parent, Bytes word) {
    uint32_t at = parent->index + 1;  // subcommands follow their container
    for (; at < g_registry.count && g_registry.rows[at].parent == parent->row; at++) {
        if (name_equal(g_registry.rows[at].row->name, word)) return g_registry.rows[at];
    }
    return {};
}

size_t command_count() { return g_registry.count; }
size_t command_top_count() { return g_registry.top_count; }
const Cmd* command_at(size_t i) { return g_registry.top[i]; }
CmdRef command_by_index(uint32_t index) { return g_registry.rows[index]; }
Plan command_plan(uint32_t index) { return g_registry.plans[index]; }

}  // namespace rp
