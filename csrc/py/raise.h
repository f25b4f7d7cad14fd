// py/raise.h: statuses of the engine as exceptions, for what pybind11 binds.
#pragma once
#include <pybind11/pybind11.h>

#include <cstdlib>

#include "py/caller.h"

namespace rp::py {

[[noreturn]] inline void fail(int status, char* take) {
    raise_status(status, take);
    free(take);
    throw pybind11::error_already_set();
}

inline void check(int status) {
    if (status < 0) fail(status, nullptr);
}

// The exception is a TypeError if it is something else, or not open.
inline Caller* store_of(const pybind11::handle& object) {
    Caller* c = caller_from(object.ptr());
    if (c == nullptr) throw pybind11::error_already_set();
    return c;
}

}  // namespace rp::py
