// py/replies.cc: RESP bytes as Python objects.
//
// A reply is read piece by piece (rustypotato.h); only lines and short bulks that straddle two
// pieces are put together. Long bulks are copied without the GIL, from memory that the reply holds.
#include <cmath>
#include <cstring>
#include <string>

#include "py/caller.h"

namespace rp::py {

// Copies at least this long are worth letting others run.
constexpr size_t kCopyFreely = 256 * 1024;

struct Cursor {
    const Caller* c;
    const char* at;
    const char* end;
    const void* next;
    std::string spill;  // a line over two pieces
};

static Cursor cursor_of(const Call* call) {
    const rp_reply& r = call->reply;
    return {call->c, r.first.ptr, r.first.ptr + r.first.len, r.next, {}};
}

static bool broken() {
    PyErr_SetString(PyExc_SystemError, "rustypotato: malformed reply");
    return false;
}

static bool next_piece(Cursor* cur) {
    if (cur->next == nullptr) return broken();
    rp_bytes piece;
    cur->next = rp_reply_piece(cur->next, &piece);
    cur->at = piece.ptr;
    cur->end = piece.ptr + piece.len;
    return true;
}

// The text up to CRLF; *line is valid until the next line is read.
static bool read_line(Cursor* cur, rp_bytes* line) {
    size_t left = static_cast<size_t>(cur->end - cur->at);
    const void* cr = left >= 2 ? memchr(cur->at, '\r', left - 1) : nullptr;
    if (cr != nullptr) {
        const char* stop = static_cast<const char*>(cr);
        *line = {cur->at, static_cast<size_t>(stop - cur->at)};
        cur->at = stop + 2;
        return true;
    }
    cur->spill.clear();
    while (cur->spill.size() < 2 || cur->spill.back() != '\n') {
        while (cur->at == cur->end) {
            if (!next_piece(cur)) return false;
        }
        cur->spill.push_back(*cur->at++);
    }
    *line = {cur->spill.data(), cur->spill.size() - 2};
    return true;
}

static bool read_number(rp_bytes line, long long* out) {
    size_t i = line.len > 0 && line.ptr[0] == '-' ? 1 : 0;
    if (i == line.len) return broken();
    unsigned long long n = 0;
    for (size_t at = i; at < line.len; at++) {
        n = n * 10 + static_cast<unsigned>(line.ptr[at] - '0');
    }
    *out = static_cast<long long>(i ? 0 - n : n);
    return true;
}

// Moves n bytes over; runs without the GIL if they are many. False: the reply is too short.
static bool copy_out(Cursor* cur, char* to, size_t n) {
    while (n > 0) {
        while (cur->at == cur->end) {
            if (cur->next == nullptr) return false;
            rp_bytes piece;
            cur->next = rp_reply_piece(cur->next, &piece);
            cur->at = piece.ptr;
            cur->end = piece.ptr + piece.len;
        }
        size_t left = static_cast<size_t>(cur->end - cur->at);
        size_t part = n < left ? n : left;
        memcpy(to, cur->at, part);
        cur->at += part;
        to += part;
        n -= part;
    }
    return true;
}

static PyObject* decode(const Caller* c, const char* text, size_t len) {
    auto size = static_cast<Py_ssize_t>(len);
    if (c->encoding == nullptr) return PyUnicode_DecodeUTF8(text, size, "strict");
    const char* name = PyUnicode_AsUTF8(c->encoding);
    return name == nullptr ? nullptr : PyUnicode_Decode(text, size, name, "strict");
}

static inline PyObject* text_object(const Caller* c, const char* text, size_t len) {
    if (c->decode) return decode(c, text, len);
    return PyBytes_FromStringAndSize(text, static_cast<Py_ssize_t>(len));
}

// n bytes and the CRLF behind them; `skip` of them are not wanted ("txt:").
static PyObject* read_bulk(Cursor* cur, size_t n, size_t skip) {
    char ignored[4];
    if (skip != 0 && !copy_out(cur, ignored, skip)) return broken(), nullptr;
    n -= skip;
    if (static_cast<size_t>(cur->end - cur->at) >= n + 2 && n < kCopyFreely) {
        PyObject* made = text_object(cur->c, cur->at, n);
        cur->at += n + 2;
        return made;
    }
    PyObject* made = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(n));
    if (made == nullptr) return nullptr;
    char* to = PyBytes_AS_STRING(made);
    bool fine;
    if (n < kCopyFreely) {
        fine = copy_out(cur, to, n);
    } else {
        Py_BEGIN_ALLOW_THREADS  // nobody else has seen `made`
            fine = copy_out(cur, to, n);
        Py_END_ALLOW_THREADS
    }
    if (!fine || !copy_out(cur, ignored, 2)) {
        Py_DECREF(made);
        return broken(), nullptr;
    }
    if (!cur->c->decode) return made;
    PyObject* text = decode(cur->c, to, n);
    Py_DECREF(made);
    return text;
}

// ---- objects ----------------------------------------------------------------------------------

static PyObject* read_object(Cursor* cur);

static PyObject* error_object(rp_bytes text) {
    PyObject* module = PyImport_ImportModule("rustypotato.errors");
    if (module == nullptr) return nullptr;
    PyObject* message =
        PyUnicode_DecodeUTF8(text.ptr, static_cast<Py_ssize_t>(text.len), "backslashreplace");
    PyObject* made = message ? PyObject_CallMethod(module, "from_reply", "O", message) : nullptr;
    Py_XDECREF(message);
    Py_DECREF(module);
    return made;
}

static PyObject* list_object(Cursor* cur, long long count) {
    if (count < 0) Py_RETURN_NONE;
    PyObject* list = PyList_New(static_cast<Py_ssize_t>(count));
    if (list == nullptr) return nullptr;
    for (long long i = 0; i < count; i++) {
        PyObject* item = read_object(cur);
        if (item == nullptr) {
            Py_DECREF(list);
            return nullptr;
        }
        PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), item);
    }
    return list;
}

// A map whose keys cannot be a dict's becomes a list of pairs; a set likewise a list.
static bool is_unhashable() {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return false;
    PyErr_Clear();
    return true;
}

static PyObject* pairs_object(PyObject* flat) {
    Py_ssize_t count = PyList_GET_SIZE(flat) / 2;
    PyObject* pairs = PyList_New(count);
    for (Py_ssize_t i = 0; pairs != nullptr && i < count; i++) {
        PyObject* pair =
            PyTuple_Pack(2, PyList_GET_ITEM(flat, 2 * i), PyList_GET_ITEM(flat, 2 * i + 1));
        if (pair == nullptr) {
            Py_CLEAR(pairs);
            break;
        }
        PyList_SET_ITEM(pairs, i, pair);
    }
    return pairs;
}

static PyObject* map_object(Cursor* cur, long long pairs) {
    PyObject* flat = list_object(cur, 2 * pairs);
    if (flat == nullptr) return nullptr;
    PyObject* dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != nullptr && i + 1 < PyList_GET_SIZE(flat); i += 2) {
        if (PyDict_SetItem(dict, PyList_GET_ITEM(flat, i), PyList_GET_ITEM(flat, i + 1)) != 0) {
            Py_CLEAR(dict);
            if (is_unhashable()) dict = pairs_object(flat);
            break;
        }
    }
    Py_DECREF(flat);
    return dict;
}

static PyObject* set_object(Cursor* cur, long long count) {
    PyObject* list = list_object(cur, count);
    if (list == nullptr) return nullptr;
    PyObject* set = PySet_New(list);
    if (set == nullptr && is_unhashable()) return list;
    Py_DECREF(list);
    return set;
}

static PyObject* integer_object(rp_bytes line) {
    long long n;
    return read_number(line, &n) ? PyLong_FromLongLong(n) : nullptr;
}

static PyObject* big_number_object(rp_bytes line) {
    std::string text(line.ptr, line.len);
    return PyLong_FromString(text.c_str(), nullptr, 10);
}

static PyObject* double_object(rp_bytes line) {
    std::string text(line.ptr, line.len);
    double value = PyOS_string_to_double(text.c_str(), nullptr, nullptr);
    return value == -1.0 && PyErr_Occurred() ? nullptr : PyFloat_FromDouble(value);
}

static PyObject* bulk_object(Cursor* cur, char type, long long n) {
    if (n < 0) Py_RETURN_NONE;
    if (type != '!') return read_bulk(cur, static_cast<size_t>(n), type == '=' ? 4 : 0);
    std::string text(static_cast<size_t>(n), '\0');
    char crlf[2];
    if (!copy_out(cur, text.data(), text.size()) || !copy_out(cur, crlf, 2))
        return broken(), nullptr;
    return error_object({text.data(), text.size()});
}

static PyObject* counted_object(Cursor* cur, char type, rp_bytes line) {
    long long n;
    if (!read_number(line, &n)) return nullptr;
    switch (type) {
        case '$':
        case '=':
        case '!': return bulk_object(cur, type, n);
        case '%': return map_object(cur, n);
        case '~': return set_object(cur, n);
        case '|': {  // what it says about the next item is not shown
            PyObject* ignored = list_object(cur, 2 * n);
            if (ignored == nullptr) return nullptr;
            Py_DECREF(ignored);
            return read_object(cur);
        }
        default: return list_object(cur, n);
    }
}

static PyObject* line_object(Cursor* cur, char type, rp_bytes line) {
    switch (type) {
        case '+': return text_object(cur->c, line.ptr, line.len);
        case '-': return error_object(line);
        case ':': return integer_object(line);
        case '_': Py_RETURN_NONE;
        case '#': return PyBool_FromLong(line.len == 1 && line.ptr[0] == 't');
        case ',': return double_object(line);
        case '(': return big_number_object(line);
        case '$':
        case '=':
        case '!':
        case '*':
        case '%':
        case '~':
        case '>':
        case '|': return counted_object(cur, type, line);
        default: return broken(), nullptr;
    }
}

static PyObject* read_object(Cursor* cur) {
    rp_bytes line;
    if (!read_line(cur, &line) || line.len == 0)
        return PyErr_Occurred() ? nullptr : (broken(), nullptr);
    if (Py_EnterRecursiveCall(" while reading a reply")) return nullptr;
    char type = line.ptr[0];
    PyObject* made = line_object(cur, type, {line.ptr + 1, line.len - 1});
    Py_LeaveRecursiveCall();
    return made;
}

// ---- whole replies ----------------------------------------------------------------------------

static PyObject* raise_reply(rp_bytes text) {
    PyObject* error = error_object(text);
    if (error == nullptr) return nullptr;
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error)), error);
    Py_DECREF(error);
    return nullptr;
}

static bool has_parts(char type) {
    return type == '*' || type == '%' || type == '~' || type == '>' || type == '|';
}

// Making lists and dicts may run the garbage collector, and so foreign code: the session must be
// free.
static PyObject* aggregate_object(Call* call) {
    Cursor cur = cursor_of(call);
    rp_held* held = rp_reply_hold(call->session);
    call_unlock(call);
    PyObject* made = read_object(&cur);
    rp_held_free(held);
    return made;
}

static PyObject* raise_first(Call* call) {
    Cursor cur = cursor_of(call);
    rp_bytes line;
    if (!read_line(&cur, &line)) return nullptr;
    std::string text(line.ptr + 1, line.len - 1);
    call_unlock(call);
    return raise_reply({text.data(), text.size()});
}

PyObject* reply_object(Call* call) {
    if (call->reply.total == 0) Py_RETURN_NONE;
    char type = call->reply.first.ptr[0];
    if (type == '-') return raise_first(call);
    if (has_parts(type)) return aggregate_object(call);
    Cursor cur = cursor_of(call);
    PyObject* made = read_object(&cur);
    if (call->reply.next != nullptr) rp_reply_drop(call->session);
    return made;
}

PyObject* reply_raw(Call* call) {
    const rp_reply& r = call->reply;
    PyObject* made = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(r.total));
    if (made == nullptr) return nullptr;
    Cursor cur = cursor_of(call);
    char* to = PyBytes_AS_STRING(made);
    if (r.total < kCopyFreely) {
        copy_out(&cur, to, r.total);
    } else {
        Py_BEGIN_ALLOW_THREADS copy_out(&cur, to, r.total);
        Py_END_ALLOW_THREADS
    }
    if (r.next != nullptr) rp_reply_drop(call->session);
    return made;
}

// "$5\r\nvalue\r\n" in one piece, which is what most replies to GET are.
static PyObject* short_bulk(const Caller* c, rp_bytes b) {
    size_t n = 0, i = 1;
    for (; i < b.len && b.ptr[i] >= '0' && b.ptr[i] <= '9'; i++) {
        n = n * 10 + static_cast<size_t>(b.ptr[i] - '0');
    }
    if (i == 1 || b.len != i + 2 + n + 2) return nullptr;
    return text_object(c, b.ptr + i + 2, n);
}

static PyObject* again(PyObject* object) {
    Py_INCREF(object);
    return object;
}

PyObject* reply_value(Call* call, PyObject* missing) {
    rp_bytes first = call->reply.first;
    if (first.len >= 2 && first.ptr[0] == '$' && call->reply.next == nullptr) {
        if (first.ptr[1] == '-') return again(missing);
        PyObject* made = short_bulk(call->c, first);
        if (made != nullptr || PyErr_Occurred()) return made;
    }
    if (first.len != 0 && first.ptr[0] == '_') return again(missing);
    return reply_object(call);
}

PyObject* reply_integer(Call* call) {
    rp_bytes first = call->reply.first;
    if (first.len < 4 || first.ptr[0] != ':') return reply_object(call);
    return integer_object({first.ptr + 1, first.len - 3});
}

}  // namespace rp::py
