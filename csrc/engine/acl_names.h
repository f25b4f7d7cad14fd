// engine/acl_names.h: the words that access rules may name: categories, commands, subcommands.
//
// Besides the commands of this server a rule may name every other command of Redis 7.0: a file of
// users moves here as it is, and rules about commands that are not there wait for them. Such names
// have an id and categories, as the others, and no row.
//
// Ids       a row's id is its index in the command table; other names follow. kAclIdFuture is
//           nobody's: it tells whether a user may run commands that do not exist yet.
// Threads   acl_names_init: once, by engine_register_commands. The rest: any, constant.
#pragma once
#include "cmd/dispatch.h"

namespace rp {

constexpr size_t kAclIdsMax = 1024;
constexpr uint16_t kAclIdFuture = kAclIdsMax - 1;
constexpr uint16_t kAclNoId = UINT16_MAX;
constexpr size_t kAclWords = kAclIdsMax / 64;

// A set of ids.
struct AclIds {
    uint64_t word[kAclWords] = {};
    bool has(size_t id) const { return word[id / 64] >> (id % 64) & 1; }
    void add(size_t id) { word[id / 64] |= uint64_t{1} << (id % 64); }
    void remove(size_t id) { word[id / 64] &= ~(uint64_t{1} << (id % 64)); }
    void fill() { memset(word, 0xff, sizeof word); }
    void clear() { memset(word, 0, sizeof word); }
};

struct AclName {
    char name[48];    // "get", "client|list"
    uint32_t acl;     // categories, implied ones included
    uint16_t parent;  // the container's id, or kAclNoId
    bool container;
    const Cmd* row;  // null: not a command of this server
};

void acl_names_init();
size_t acl_name_count();
const AclName* acl_name_at(size_t id);
// In any case; kAclNoId if there is no such command. "get|x" names none: GET has no subcommands.
uint16_t acl_name_find(Bytes full_name);
// A container together with its subcommands; else the id alone.
void acl_name_family(uint16_t id, AclIds* out);

constexpr size_t kAclCategories = 21;
struct AclCategoryName {
    Bytes name;  // "keyspace"
    uint32_t bit;
    AclIds members;  // names that are in it
    AclIds reach;    // what +@name gives: members, and subcommands of those that are containers
    AclIds fitting;  // members known to Redis 7.0: what a description is fitted to
};
const AclCategoryName* acl_category_at(size_t i);
const AclCategoryName* acl_category_find(Bytes name);  // in any case, without '@'; or null

// Commands of Redis 7.0 that may be missing here, lower case; ends with a null name.
struct AclOtherName {
    const char* name;
    uint32_t acl;
};
extern const AclOtherName kAclOtherNames[];

}  // namespace rp
