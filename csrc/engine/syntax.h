// engine/syntax.h: the syntax text of a row (grammar: cmd/row.h) as a tree of arguments, for
// COMMAND DOCS and docs/commands.md.
//
//   "key:key [condition=(NX|XX)@2.6.12]"   ->   key             key, key spec 0
//                                               condition       oneof, optional, since 2.6.12
//                                                 nx  xx        pure-token
//
// Ownership  a Syntax is plain memory; its texts point into the row's text.
// Threads    any: parsing has no state.
// Limits     kSyntaxNodesMax arguments, kSyntaxDepthMax levels.
#pragma once
#include "base/bytes.h"

namespace rp {

constexpr size_t kSyntaxNodesMax = 64;
constexpr int kSyntaxDepthMax = 8;

// In the order of their names in syntax.cc.
enum class ArgType : uint8_t {
    string,
    integer,
    real,
    key,
    pattern,
    unix_time,
    pure_token,
    oneof,
    block,
};
Bytes arg_type_name(ArgType t);  // "string", "pure-token": as COMMAND DOCS writes it

struct ArgNode {
    Bytes name;  // see arg_name
    Bytes token;
    Bytes since;  // empty: none, as the others
    Bytes deprecated_since;
    ArgType type = ArgType::string;
    bool has_token = false;   // a token may be the empty text
    bool lower_name = false;  // the name is the token in lower case
    bool optional = false;
    bool multiple = false;
    bool multiple_token = false;  // REQUIRES: multiple
    int8_t key_spec = -1;         // index into Cmd::keys, -1: no key
    int16_t next = -1;            // next sibling, -1: the last one
    int16_t child = -1;           // first alternative or member
    uint16_t children = 0;
};

struct Syntax {
    ArgNode nodes[kSyntaxNodesMax];
    size_t used = 0;
    int16_t first = -1;   // of the top level, -1: no arguments
    size_t count = 0;     // of the top level
    size_t error_at = 0;  // where parsing stopped, if it failed
};

constexpr size_t kArgNameMax = 64;
// The node's name; `buf` holds it if it has to be made.
Bytes arg_name(const ArgNode* n, char buf[kArgNameMax]);

// False: `text` is not in the grammar, or beyond the limits; out->error_at says where.
[[nodiscard]] bool syntax_parse(const char* text, Syntax* out);

// The way a reader writes it: "key value [NX | XX] [EX seconds | PX milliseconds]". Calls put with
// pieces of text.
using SyntaxPut = void (*)(void* arg, Bytes piece);
void syntax_print(const Syntax* s, SyntaxPut put, void* arg);

}  // namespace rp
