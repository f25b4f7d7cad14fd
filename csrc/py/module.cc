// py/module.cc: the module rustypotato._core: Caller (by hand), and what is called rarely
// (pybind11).
//
// Free threading  the module keeps no state but "the interpreter leaves" (call.cc), caller.h says
//                 how a Caller is safe, and the engine is made for many threads: no GIL is needed.
// Signals         none are installed here; wait_stop comes back when a handler has to run.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "py/files.h"
#include "py/log.h"
#include "py/raise.h"
#include "py/subscriber.h"

namespace py11 = pybind11;

namespace rp::py {

static int listen(const py11::handle& store, int port, const std::optional<std::string>& bind,
                  const std::optional<std::string>& unixsocket) {
    Caller* c = store_of(store);
    rp_address address = {port, bind ? bind->c_str() : nullptr,
                          unixsocket ? unixsocket->c_str() : nullptr};
    char* error = nullptr;
    int used = 0, status;
    {
        py11::gil_scoped_release release;
        status = rp_listen(c->store, &address, &used, &error);
    }
    if (status != RP_OK) fail(status, error);
    return used;
}

static void stop(const py11::handle& store) {
    Caller* c = store_of(store);
    py11::gil_scoped_release release;
    rp_stop(c->store);
}

static void load(const py11::handle& store) {
    Caller* c = store_of(store);
    char* error = nullptr;
    int status;
    {
        py11::gil_scoped_release release;
        status = rp_load(c->store, &error);
    }
    if (status != RP_OK) fail(status, error);
}

static bool wait_stop(const py11::handle& store, int timeout_ms) {
    Caller* c = store_of(store);
    int got;
    {
        py11::gil_scoped_release release;
        got = rp_wait_stop(c->store, timeout_ms);
    }
    check(got);
    return got == 1;
}

static void request_stop(const py11::handle& store) {
    check(rp_request_stop(store_of(store)->store));
}

static bool prepare_stop(const py11::handle& store) {
    Caller* c = store_of(store);
    int status;
    {
        py11::gil_scoped_release release;
        status = rp_prepare_stop(c->store);
    }
    if (status != RP_DATA) check(status);
    return status == RP_OK;
}

// "open", "closed" or "foreign".
static const char* state(const py11::handle& store) {
    switch (rp_check(store_of(store)->store)) {
        case RP_OK: return "open";
        case RP_FOREIGN: return "foreign";
        default: return "closed";
    }
}

static std::string docs(const std::string& which) {
    char* text = rp_docs(which.c_str());
    if (text == nullptr)
        throw py11::value_error("docs: 'commands', 'configuration' or 'redis.conf'");
    std::string out(text);
    free(text);
    return out;
}

}  // namespace rp::py

PYBIND11_MODULE(_core, m, py11::mod_gil_not_used()) {
    using namespace rp::py;
    using py11::arg;
    m.doc() = "The engine of rustypotato. Use the classes of the package, not this module.";
    PyObject* type = caller_type_new(m.ptr());
    if (type == nullptr) throw py11::error_already_set();
    m.add_object("Caller", py11::reinterpret_steal<py11::object>(type));
    m.attr("USE_ENVIRONMENT") = static_cast<int>(RP_USE_ENVIRONMENT);
    m.attr("SERVER") = static_cast<int>(RP_SERVER);
    m.attr("CLOSED") = static_cast<int>(RP_CLOSED);
    m.attr("FOREIGN") = static_cast<int>(RP_FOREIGN);
    m.attr("DATA") = static_cast<int>(RP_DATA);
    m.attr("CUT") = static_cast<int>(RP_CUT);
    m.attr("INVALID") = static_cast<int>(RP_INVALID);
    m.attr("__version__") = rp_version();
    m.attr("redis_version") = rp_redis_version();
    m.def("listen", listen, arg("store"), arg("port"), arg("bind"), arg("unixsocket"),
          "Serves a store; returns the TCP port, 0 without one. Releases the GIL.");
    m.def("load", load, arg("store"),
          "Brings back what the directory of a server's store holds. Releases the GIL.");
    m.def("stop", stop, arg("store"), "Stops serving a store. Releases the GIL until it is done.");
    m.def("wait_stop", wait_stop, arg("store"), arg("timeout_ms"),
          "Waits until SHUTDOWN or request_stop, or a signal. True: a stop was asked for.");
    m.def("prepare_stop", prepare_stop, arg("store"),
          "Writes what a stop has to leave on the disk. False: that failed, the store goes on.");
    m.def("request_stop", request_stop, arg("store"), "Asks for a stop and returns at once.");
    m.def("state", state, arg("store"), "\"open\", \"closed\" or \"foreign\" (inherited by fork).");
    m.def("interpreter_leaves", interpreter_leaves, "Before stores are closed at exit.");
    m.def("docs", docs, arg("which"), "\"commands\", \"configuration\" or \"redis.conf\".");
    define_files(m);
    define_log(m);
    define_subscriber(m);
}
