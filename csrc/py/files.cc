// py/files.cc: what the tools check, backup and restore ask of the engine: files, no store.
#include "py/files.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <string>
#include <tuple>
#include <vector>

#include "embed/rustypotato.h"
#include "py/raise.h"

namespace py11 = pybind11;

namespace rp::py {

// (directory, appenddirname, appendfilename, dbfilename)
using Places = std::tuple<std::string, std::string, std::string, std::string>;

static rp_places places_of(const Places& p) {
    return {std::get<0>(p).c_str(), std::get<1>(p).c_str(), std::get<2>(p).c_str(),
            std::get<3>(p).c_str()};
}

struct Found {
    std::string kind, file, text, advice;
    int64_t offset;
};

// Filled without the GIL; only `progress` takes it.
struct Collected {
    std::vector<Found> found;
    py11::object progress;
    std::exception_ptr raised;
};

static void on_finding(void* arg, const rp_finding* f) {
    static_cast<Collected*>(arg)->found.push_back(
        {f->kind_text, f->file, f->text, f->advice, f->offset});
}

// No exception may pass through the engine: it is kept, and stops the check.
static int on_progress(void* arg, uint64_t done, uint64_t total) {
    auto* c = static_cast<Collected*>(arg);
    py11::gil_scoped_acquire acquire;
    try {
        c->progress(done, total);
        if (PyErr_CheckSignals() != 0) throw py11::error_already_set();
    } catch (...) {
        c->raised = std::current_exception();
    }
    return c->raised ? 1 : 0;
}

static py11::str file_name(const std::string& text) {
    return py11::reinterpret_steal<py11::str>(
        PyUnicode_DecodeFSDefaultAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
}

static py11::str shown(const std::string& text) {
    return py11::reinterpret_steal<py11::str>(
        PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

static py11::list as_list(const Collected& c) {
    py11::list out;
    for (const Found& f : c.found) {
        out.append(
            py11::make_tuple(f.kind, file_name(f.file), f.offset, shown(f.text), shown(f.advice)));
    }
    return out;
}

static rp_finder finder_for(Collected* c) {
    return {c, on_finding, c->progress.is_none() ? nullptr : on_progress};
}

static py11::tuple check_files(const Places& where, const py11::object& progress) {
    Collected c = {{}, progress, nullptr};
    const rp_places places = places_of(where);
    const rp_finder finder = finder_for(&c);
    int result;
    {
        py11::gil_scoped_release release;
        result = rp_check_files(&places, &finder);
    }
    if (c.raised) std::rethrow_exception(c.raised);
    return py11::make_tuple(result, as_list(c));
}

static py11::list fix_files(const Places& where) {
    Collected c = {{}, py11::none(), nullptr};
    const rp_places places = places_of(where);
    const rp_finder finder = finder_for(&c);
    char* error = nullptr;
    int status;
    {
        py11::gil_scoped_release release;
        status = rp_fix_files(&places, &finder, &error);
    }
    if (status != RP_OK) fail(status, error);
    return as_list(c);
}

static py11::list log_files(const Places& where) {
    std::vector<std::pair<std::string, char>> names;
    const rp_places places = places_of(where);
    const auto visit = [](void* arg, const char* name, int kind) {
        static_cast<decltype(names)*>(arg)->emplace_back(name, static_cast<char>(kind));
    };
    char* error = nullptr;
    const int status = rp_log_files(&places, visit, &names, &error);
    if (status != RP_OK) fail(status, error);
    py11::list out;
    for (const auto& [name, kind] : names)
        out.append(py11::make_tuple(file_name(name), std::string(1, kind)));
    return out;
}

static int lock_dir(const std::string& dir) {
    int lock;
    char* error = nullptr;
    const int status = rp_lock_dir(dir.c_str(), &lock, &error);
    if (status != RP_OK) fail(status, error);
    return lock;
}

void define_files(py11::module_& m) {
    using py11::arg;
    m.def("check_files", check_files, arg("places"), arg("progress"),
          "Reads all files. (0 good, 1 torn, 2 damaged; [(kind, file, offset, text, advice)]). "
          "Releases the GIL.");
    m.def("fix_files", fix_files, arg("places"),
          "Cuts a torn tail; returns a finding for each cut. Releases the GIL.");
    m.def("log_files", log_files, arg("places"), "[(name, kind)] of the log's manifest.");
    m.def("lock_dir", lock_dir, arg("dir"), "Takes a data directory, as a server does.");
    m.def("unlock_dir", rp_unlock_dir, arg("lock"), "Gives it back.");
}

}  // namespace rp::py
