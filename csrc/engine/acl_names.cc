#include "engine/acl_names.h"

#include <cstdio>

namespace rp {

static struct AclWordList {
    AclName names[kAclIdsMax];
    size_t count;
    AclCategoryName categories[kAclCategories];
} g_words;

// In the order of ACL CAT.
static constexpr struct {
    Bytes name;
    uint32_t bit;
} kCategories[kAclCategories] = {
    {"keyspace", kAclKeyspace},
    {"read", kAclRead},
    {"write", kAclWrite},
    {"set", kAclSet},
    {"sortedset", kAclSortedSet},
    {"list", kAclList},
    {"hash", kAclHash},
    {"string", kAclString},
    {"bitmap", kAclBitmap},
    {"hyperloglog", kAclHyperLogLog},
    {"geo", kAclGeo},
    {"stream", kAclStream},
    {"pubsub", kAclPubsub},
    {"admin", kAclAdmin},
    {"fast", kAclFast},
    {"slow", kAclSlow},
    {"blocking", kAclBlocking},
    {"dangerous", kAclDangerous},
    {"connection", kAclConnection},
    {"transaction", kAclTransaction},
    {"scripting", kAclScripting},
};

static bool is_listed(const AclName* n) {
    return n->row == nullptr || (n->row->flags & kCmdHidden) == 0;
}

// Newer than 7.0: "7.2.0".
static bool is_newer(const AclName* n) {
    return n->row != nullptr && n->row->since != nullptr && strcmp(n->row->since, "7.1") > 0;
}

static void add_rows() {
    for (uint32_t i = 0; i < command_count(); i++) {
        CmdRef ref = command_by_index(i);
        AclName* n = &g_words.names[g_words.count++];
        cmd_full_name(ref.parent, ref.row, n->name);
        n->acl = row_acl(ref.row);
        n->row = ref.row;
        n->parent = kAclNoId;
        n->container = ref.row->subcommands != nullptr;
        for (uint16_t at = 0; ref.parent != nullptr && at < i; at++) {
            if (g_words.names[at].row == ref.parent) n->parent = at;
        }
    }
}

static void add_others() {
    for (const AclOtherName* other = kAclOtherNames; other->name != nullptr; other++) {
        if (acl_name_find(bytes_of(other->name)) != kAclNoId) continue;
        RP_ASSERT(g_words.count < kAclIdFuture);
        AclName* n = &g_words.names[g_words.count++];
        snprintf(n->name, sizeof n->name, "%s", other->name);
        n->acl = other->acl;
        n->parent = kAclNoId;
        const char* bar = strchr(other->name, '|');
        if (bar == nullptr) continue;
        n->parent = acl_name_find({other->name, static_cast<size_t>(bar - other->name)});
        RP_ASSERT(n->parent != kAclNoId);
        g_words.names[n->parent].container = true;
    }
}

static void fill_category(AclCategoryName* c) {
    for (uint16_t id = 0; id < g_words.count; id++) {
        const AclName* n = &g_words.names[id];
        if (!(n->acl & c->bit) || !is_listed(n)) continue;
        c->members.add(id);
        acl_name_family(id, &c->reach);
        if (!is_newer(n)) c->fitting.add(id);
    }
}

void acl_names_init() {
    static_assert(sizeof(AclName::name) >= 2 * 24, "a container's and a subcommand's name");
    if (g_words.count != 0) return;
    RP_ASSERT(command_count() < kAclIdFuture);
    add_rows();
    add_others();
    for (size_t i = 0; i < kAclCategories; i++) {
        g_words.categories[i].name = kCategories[i].name;
        g_words.categories[i].bit = kCategories[i].bit;
        fill_category(&g_words.categories[i]);
    }
}

size_t acl_name_count() { return g_words.count; }
const AclName* acl_name_at(size_t id) { return &g_words.names[id]; }

uint16_t acl_name_find(Bytes full_name) {
    for (uint16_t id = 0; id < g_words.count; id++) {
        if (bytes_equal_nocase(bytes_of(g_words.names[id].name), full_name) &&
            is_listed(&g_words.names[id])) {
            return id;
        }
    }
    return kAclNoId;
}

void acl_name_family(uint16_t id, AclIds* out) {
    out->add(id);
    if (!g_words.names[id].container) return;
    for (uint16_t at = 0; at < g_words.count; at++) {
        if (g_words.names[at].parent == id) out->add(at);
    }
}

const AclCategoryName* acl_category_at(size_t i) { return &g_words.categories[i]; }

const AclCategoryName* acl_category_find(Bytes name) {
    for (const AclCategoryName& c : g_words.categories) {
        if (bytes_equal_nocase(c.name, name)) return &c;
    }
    return nullptr;
}

}  // namespace rp
