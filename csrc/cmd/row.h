// cmd/row.h: one row per command: the only description of a command there is. Arity checks, key
// extraction, ACL categories, COMMAND (INFO DOCS COUNT LIST GETKEYS), docs/commands.md and the
// generated tests come from it.
//
// A family file (string.cc, keys.cc, ...) holds its functions and, at its end, its rows; engine/
// lists the families. Rows are constants.
#pragma once
#include <cstring>

#include "base/bytes.h"

namespace rp {

struct CmdCtx;
struct Reply;

struct Args {
    const Bytes* items = nullptr;
    size_t len = 0;
    Bytes operator[](size_t i) const { return items[i]; }
};

// Runs with its keys' segments pinned or locked by the dispatcher; never locks, never blocks.
using CmdFn = void (*)(CmdCtx* c, Args argv, Reply* out);

enum CmdFlags : uint32_t {
    // Redis' flags, by their COMMAND INFO names.
    kCmdWrite = 1u << 0,
    kCmdReadonly = 1u << 1,
    kCmdDenyOom = 1u << 2,
    kCmdAdmin = 1u << 3,
    kCmdPubsub = 1u << 4,
    kCmdNoScript = 1u << 5,
    kCmdBlocking = 1u << 6,
    kCmdLoading = 1u << 7,
    kCmdStale = 1u << 8,
    kCmdSkipMonitor = 1u << 9,
    kCmdSkipSlowlog = 1u << 10,
    kCmdAsking = 1u << 11,
    kCmdFast = 1u << 12,
    kCmdNoAuth = 1u << 13,
    kCmdMayReplicate = 1u << 14,
    kCmdSentinel = 1u << 15,
    kCmdOnlySentinel = 1u << 16,
    kCmdNoMandatoryKeys = 1u << 17,
    kCmdProtected = 1u << 18,
    kCmdNoAsyncLoading = 1u << 19,
    kCmdNoMulti = 1u << 20,
    kCmdAllowBusy = 1u << 21,
    kCmdMovableKeys = 1u << 22,
    // Ours, not shown.
    kCmdSubscriber = 1u << 24,  // allowed to a RESP2 client that has subscribed
    kCmdSyscmd = 1u << 25,      // COMMAND DOCS: doc_flags syscmd
    kCmdExclusive = 1u << 26,   // R5: runs alone behind the gate
    kCmdKeyspace =
        1u << 27,  // reads keys it does not declare (KEYS, SCAN, DBSIZE): in EXEC this needs R5
    kCmdImmediate = 1u << 28,   // never queued by MULTI (MULTI EXEC DISCARD WATCH QUIT RESET)
    kCmdLockedRead = 1u << 29,  // runs with its keys locked though it is no write (WATCH)
    kCmdHidden = 1u << 30,      // not listed by COMMAND (POST, Host:)
};

enum AclCategory : uint32_t {
    kAclKeyspace = 1u << 0,
    kAclRead = 1u << 1,
    kAclWrite = 1u << 2,
    kAclSet = 1u << 3,
    kAclSortedSet = 1u << 4,
    kAclList = 1u << 5,
    kAclHash = 1u << 6,
    kAclString = 1u << 7,
    kAclBitmap = 1u << 8,
    kAclHyperLogLog = 1u << 9,
    kAclGeo = 1u << 10,
    kAclStream = 1u << 11,
    kAclPubsub = 1u << 12,
    kAclAdmin = 1u << 13,
    kAclFast = 1u << 14,
    kAclSlow = 1u << 15,
    kAclBlocking = 1u << 16,
    kAclDangerous = 1u << 17,
    kAclConnection = 1u << 18,
    kAclTransaction = 1u << 19,
    kAclScripting = 1u << 20,
    // read/write/admin/dangerous/pubsub/fast/slow/blocking follow from the flags as in Redis
    // (row_acl): a row names only what does not follow.
};

// Where the keys are. Most commands have one spec; MSET-like ones a step; EVAL-like ones a count.
enum KeyFlags : uint32_t {
    kKeyRW = 1u << 0,
    kKeyRO = 1u << 1,
    kKeyOW = 1u << 2,
    kKeyRM = 1u << 3,
    kKeyAccess = 1u << 4,
    kKeyUpdate = 1u << 5,
    kKeyInsert = 1u << 6,
    kKeyDelete = 1u << 7,
    kKeyNotKey = 1u << 8,
    kKeyIncomplete = 1u << 9,
    kKeyVariable = 1u << 10,
};
struct KeySpec {
    uint32_t flags = 0;  // 0 = no such spec
    // begin_search: at `index`, or after the word `keyword` searched from `start_from`.
    int index = 0;
    const char* keyword = nullptr;
    int start_from = 0;
    // find_keys: range (last relative to first, -1 = last argument; limit as in Redis) or a count.
    int last = 0;
    int step = 1;
    int limit = 0;
    int num_index = -1;  // >= 0: keynum: index of the count, relative to the first
    int first_key = 0;   //   and of the first key
    const char* notes = nullptr;
};
constexpr int kKeySpecsMax = 4;

// Which arguments name channels (or patterns of them): for permissions.
enum ChannelFlags : uint8_t {
    kChannelSubscribe = 1u << 0,
    kChannelUnsubscribe = 1u << 1,
    kChannelPublish = 1u << 2,
    kChannelPattern = 1u << 3,
};
struct ChannelSpec {
    uint8_t flags = 0;  // 0 = none of them
    int8_t first = 0;   // index in argv
    int8_t last = 0;    // -1 = the last argument
};

// What replies look like, for docs and reply checks.
enum class Shape : uint8_t {
    ok,
    integer,
    bulk,
    bulk_or_null,
    simple,
    array,
    map,
    any,
    nothing,
};

struct Cmd {
    const char* name = nullptr;  // upper case; a subcommand's own word ("LIST")
    CmdFn run = nullptr;         // null: a container of subcommands
    int arity = 0;               // as Redis: negative = at least
    uint32_t flags = 0;
    uint32_t acl = 0;
    KeySpec keys[kKeySpecsMax] = {};
    ChannelSpec channels = {};
    const char* group = nullptr;  // string generic transactions connection server ...
    const char* syntax = "";      // see below
    Shape reply = Shape::any;
    const char* since = nullptr;
    const char* cost = nullptr;      // complexity, in our words
    const char* about = nullptr;     // one sentence, in our words
    const char* tips[4] = {};        // COMMAND tips ("nondeterministic_output", ...)
    const char* history[8][2] = {};  // {version, what changed, in our words}
    const char* deprecated_since = nullptr;
    const char* replaced_by = nullptr;
    const Cmd* subcommands = nullptr;  // ends with a row whose name is null
    // MOVE, COPY ... DB n: the other database whose segments of the same keys are needed; -1 =
    // none.
    int64_t (*other_db)(Args argv) = nullptr;
    // Must it wait before it runs (engine/wait.h)? Then it is presented again later. Outside of
    // MULTI.
    bool (*waits)(CmdCtx* c, Args argv) = nullptr;
};

inline bool row_is(const Cmd* row, const char* name) { return strcmp(row->name, name) == 0; }

// Syntax, without the command's own name (parser: engine/syntax.h). Items have one space between
// them:
//     item      name:type              key string integer double pattern unix-time
//               TOKEN                  a pure token, named by its lower-case self
//               name~TOKEN             a pure token with another name; TOKEN may be any characters
//               TOKEN name:type        a token and its argument
//               name=(a|b|c)           one of; each alternative is one item
//               name={a b}             a block
//               TOKEN name=(...)       with a token; TOKEN name={...} too
//     suffixes  ...                    may be repeated (the token, if any, once)
//               +...                   may be repeated, token each time
//               @6.2.0                 since
//               ^6.2.0                 deprecated since
//               [item]                 optional (suffixes go inside)
//     keys      key:key                key_spec_index counts up from 0; name:key#1 names it
// A name may hold a colon: the type is behind the last one. Example (SET):
//     "key:key value:string [condition=(NX|XX)@2.6.12] [GET@6.2.0]
//     [expiration=(EX seconds:integer@2.6.12|PX milliseconds:integer@2.6.12|KEEPTTL@6.0.0)]"

// First key / last key / step as COMMAND INFO shows them (first spec).
struct KeyRange {
    int first, last, step;
};
KeyRange row_key_range(const Cmd* row);
uint32_t row_acl(const Cmd* row);  // named and implied categories

// Calls fn for each key of an invocation, in order, with the flags of its spec. Returns false if
// the arguments are malformed for the specs (numkeys not a number...).
using KeyVisit = void (*)(void* arg, size_t argv_index, uint32_t key_flags);
bool row_each_key(const Cmd* row, Args argv, KeyVisit fn, void* arg);

// The flags of a key of this invocation: what a spec with kKeyVariable comes to.
uint32_t row_key_flags(const Cmd* row, Args argv, uint32_t flags);

}  // namespace rp
