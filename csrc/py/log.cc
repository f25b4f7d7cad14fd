// py/log.cc: the engine's log lines, fetched by Python; and lines of the server's Python part.
#include "py/log.h"

#include <pybind11/stl.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "embed/rustypotato.h"
#include "py/raise.h"

namespace py11 = pybind11;

namespace rp::py {

// (level 0..3, seconds since 1970, lines lost before it, text)
static py11::object log_take(int timeout_ms) {
    rp_log_line line;
    int got;
    if (timeout_ms == 0) {
        got = rp_log_take(&line, 0);
    } else {
        py11::gil_scoped_release release;
        got = rp_log_take(&line, timeout_ms);
    }
    if (got == 0) return py11::none();
    PyObject* text =
        PyUnicode_DecodeUTF8(line.text, static_cast<Py_ssize_t>(line.len), "backslashreplace");
    if (text == nullptr) throw py11::error_already_set();
    return py11::make_tuple(line.level, static_cast<double>(line.time_ms) / 1000, line.lost,
                            py11::reinterpret_steal<py11::str>(text));
}

static void log_reopen() {
    char* error = nullptr;
    int status;
    {
        py11::gil_scoped_release release;
        status = rp_log_reopen(&error);
    }
    if (status != RP_OK) fail(status, error);
}

static void log_say(int level, const std::string& text) {
    py11::gil_scoped_release release;
    rp_log_say(level, text.c_str());
}

static py11::bytes setting(const std::vector<py11::bytes>& args, int flags,
                           const std::string& name) {
    std::vector<std::string> words;
    for (const py11::bytes& arg : args)
        words.emplace_back(static_cast<std::string>(arg));
    std::vector<const char*> argv;
    for (const std::string& word : words)
        argv.push_back(word.c_str());
    char* error = nullptr;
    char* value = rp_setting(static_cast<int>(argv.size()), argv.data(),
                             static_cast<unsigned>(flags), name.c_str(), &error);
    if (value == nullptr) fail(RP_INVALID, error);
    py11::bytes out(value);
    free(value);
    return out;
}

void define_log(py11::module_& m) {
    using py11::arg;
    m.attr("LOG_QUEUE") = static_cast<int>(RP_LOG_QUEUE);
    m.def("log_take", log_take, arg("timeout_ms"),
          "The next line: (level, time, lost, text), or None. Waits without the GIL.");
    m.def(
        "log_queued", [] { return rp_log_queued() != 0; }, "Whether lines wait for log_take.");
    m.def("log_wake", rp_log_wake, "Lets a log_take that waits come back.");
    m.def("log_reopen", log_reopen, "Opens the log file again by its name.");
    m.def("log_say", log_say, arg("level"), arg("text"), "Logs a line: level 0 to 3.");
    m.def("setting", setting, arg("args"), arg("flags"), arg("name"),
          "One setting as a store opened with these would have it.");
}

}  // namespace rp::py
