// py/log.h: adds the engine's log to _core.
#pragma once
#include <pybind11/pybind11.h>

namespace rp::py {

void define_log(pybind11::module_& m);

}  // namespace rp::py
