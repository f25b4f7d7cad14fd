// py/files.h: adds to _core what needs files but no store.
#pragma once
#include <pybind11/pybind11.h>

namespace rp::py {

void define_files(pybind11::module_& m);

}  // namespace rp::py
