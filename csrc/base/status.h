// base/status.h: the outcome of an operation that the world, not the caller, can make fail.
//
// Three kinds of failure are never mixed: a user's mistake is an error reply (cmd/err.h), a failing
// world is a Status, a bug is RP_ASSERT. A Status is dropped only by status_ignore, which says why.
#pragma once
#include <cstdint>

namespace rp {

enum class [[nodiscard]] Status : uint8_t{
    ok,        no_memory,
    limit,  // a named limit was reached
    not_found, exists,
    denied,   // permission
    in_use,   // address or file taken by another
    invalid,  // malformed input
    io,       // the operating system said no; errno holds why
    closed,   // the store or server has been closed
    foreign,  // used in a forked child
};

const char* status_text(Status s);

inline void status_ignore(Status, const char* /*why*/) {}

}  // namespace rp
