// py/args.cc: Python objects as command arguments.
#include <cstdio>
#include <cstring>

#include "py/caller.h"

namespace rp::py {

static bool keep(Hold* hold, PyObject* take) {
    if (take == nullptr) return false;
    if (hold->temps == nullptr) hold->temps = PyList_New(0);
    bool fine = hold->temps != nullptr && PyList_Append(hold->temps, take) == 0;
    Py_DECREF(take);
    return fine;
}

static bool from_bytes(PyObject* take, Hold* hold, rp_bytes* out) {
    if (!keep(hold, take)) return false;
    *out = {PyBytes_AS_STRING(take), static_cast<size_t>(PyBytes_GET_SIZE(take))};
    return true;
}

static bool from_str(const Caller* c, PyObject* text, Hold* hold, rp_bytes* out) {
    if (c->encoding != nullptr) {
        const char* name = PyUnicode_AsUTF8(c->encoding);
        if (name == nullptr) return false;
        return from_bytes(PyUnicode_AsEncodedString(text, name, "strict"), hold, out);
    }
    Py_ssize_t size;
    const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);  // kept by the str itself
    if (utf8 == nullptr) return false;
    *out = {utf8, static_cast<size_t>(size)};
    return true;
}

static bool from_text(PyObject* take, Hold* hold, rp_bytes* out) {
    if (!keep(hold, take)) return false;
    Py_ssize_t size;
    const char* utf8 = PyUnicode_AsUTF8AndSize(take, &size);
    if (utf8 == nullptr) return false;
    *out = {utf8, static_cast<size_t>(size)};
    return true;
}

static bool from_int(PyObject* number, Hold* hold, rp_bytes* out) {
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (value == -1 && PyErr_Occurred()) return false;
    constexpr size_t kDigitsMax = 24;
    if (overflow != 0 || sizeof hold->digits - hold->used < kDigitsMax) {
        return from_text(PyNumber_ToBase(number, 10), hold, out);
    }
    char* at = hold->digits + hold->used;
    int len = snprintf(at, kDigitsMax, "%lld", value);
    hold->used += static_cast<size_t>(len);
    *out = {at, static_cast<size_t>(len)};
    return true;
}

// As repr: the shortest text that reads back as the same number.
static bool from_float(PyObject* number, Hold* hold, rp_bytes* out) {
    char* text =
        PyOS_double_to_string(PyFloat_AS_DOUBLE(number), 'r', 0, Py_DTSF_ADD_DOT_0, nullptr);
    if (text == nullptr) return false;
    PyObject* bytes = PyBytes_FromString(text);
    PyMem_Free(text);
    return from_bytes(bytes, hold, out);
}

bool arg_convert(const Caller* c, PyObject* object, Hold* hold, rp_bytes* out) {
    if (PyBytes_Check(object)) {
        *out = {PyBytes_AS_STRING(object), static_cast<size_t>(PyBytes_GET_SIZE(object))};
        return true;
    }
    if (PyUnicode_Check(object)) return from_str(c, object, hold, out);
    if (PyBool_Check(object) || object == Py_None) {
        PyErr_Format(PyExc_TypeError, "%R is no argument for a command: write 0, 1 or b''", object);
        return false;
    }
    if (PyLong_Check(object)) return from_int(object, hold, out);
    if (PyFloat_Check(object)) return from_float(object, hold, out);
    // A copy, so that nobody can change it while the command runs.
    if (PyObject_CheckBuffer(object)) return from_bytes(PyBytes_FromObject(object), hold, out);
    PyErr_Format(PyExc_TypeError,
                 "a command's argument must be bytes, str, int or float, not %.200s",
                 Py_TYPE(object)->tp_name);
    return false;
}

bool argv_reserve(Argv* argv, size_t more) {
    size_t need = argv->count + more;
    if (need <= argv->cap) return true;
    size_t cap = need < 2 * argv->cap ? 2 * argv->cap : need;
    auto* items = static_cast<rp_bytes*>(PyMem_Malloc(cap * sizeof(rp_bytes)));
    if (items == nullptr) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(items, argv->items, argv->count * sizeof(rp_bytes));
    if (argv->items != argv->inside) PyMem_Free(argv->items);
    argv->items = items;
    argv->cap = cap;
    return true;
}

bool argv_add_object(Argv* argv, const Caller* c, PyObject* object, Hold* hold) {
    rp_bytes b;
    if (!arg_from(c, object, hold, &b) || !argv_reserve(argv, 1)) return false;
    argv_add(argv, b);
    return true;
}

}  // namespace rp::py
