// py/subscriber.h: in-process subscriptions for Python.
#pragma once
#include <pybind11/pybind11.h>

namespace rp::py {

void define_subscriber(pybind11::module_& m);

}  // namespace rp::py
