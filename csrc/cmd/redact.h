// cmd/redact.h: which arguments of a command nobody but the server may read. Whatever shows
// commands to people (SLOWLOG, MONITOR, log lines) shows kRedacted in their place.
//
//     AUTH                        every argument
//     HELLO                       both words after AUTH
//     ACL SETUSER DELUSER GETUSER from the name on
//     CONFIG SET                  values of secret settings
//     MIGRATE                     the words after AUTH, AUTH2
//
// Threads  any; pure functions.
#pragma once
#include "cmd/row.h"

namespace rp {

constexpr Bytes kRedacted = "(redacted)";

// `parent`: the container if `row` is a subcommand, else null. The words of a command that was
// admitted; of others (unknown, wrong count) the answer may be false for what was a secret, so they
// are not shown at all.
bool arg_is_secret(const Cmd* parent, const Cmd* row, Args argv, size_t i);

// argv[i] as it may be shown.
inline Bytes arg_shown(const Cmd* parent, const Cmd* row, Args argv, size_t i) {
    return arg_is_secret(parent, row, argv, i) ? kRedacted : argv[i];
}

}  // namespace rp
