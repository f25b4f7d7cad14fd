// py/caller.h: the hand-written part of _core. A Caller runs commands: a Store through the session
// of whichever thread calls, a Session through the one it owns.
//
// Why by hand: a pybind11 method costs several times a METH_FASTCALL one, and get and set are
// called millions of times. pybind11 binds the rest (module.cc).
//
// The GIL   a command goes through rp_try_execute first, which declines whatever might take long;
//           then the GIL is released and rp_execute waits. Nothing of Python is touched in between.
// Threads   any, with or without a GIL: `store` never changes once set; an own session is under
//           `lock`, a thread's session is that thread's. A reply with parts is taken off the
//           session before objects are made of it, since making objects may run a finalizer that
//           calls us again.
#pragma once
#include <Python.h>

#include <mutex>

#include "embed/rustypotato.h"

namespace rp::py {

struct Caller {
    PyObject_HEAD rp_store* store;  // null until _open or _attach; a Session's is its owner's
    rp_session* session;            // null: the calling thread's own. Under `lock`
    PyObject* owner;                // of a Session: its Store, kept alive
    PyObject* encoding;             // str, or null: utf-8
    std::mutex* lock;               // of a Session
    int protocol;
    bool decode;  // bulk replies become str
    bool closed;  // of a Session, under `lock`
};

// New reference; null with an exception set.
PyObject* caller_type_new(PyObject* module);
// Null with a TypeError set if it is something else, or not open.
Caller* caller_from(PyObject* object);

// ---- arguments (args.cc) ----------------------------------------------------------------------

// What keeps converted arguments alive during a call. Digits of small numbers live inside.
struct Hold {
    PyObject* temps = nullptr;  // list
    char digits[72];
    size_t used = 0;
    Hold() {}  // digits stay as they are
    ~Hold() { Py_XDECREF(temps); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
};

// A bytes-like, str, int or float as bytes, borrowed from the object or from `hold`. False with a
// TypeError for bool, None and everything else.
bool arg_convert(const Caller* c, PyObject* object, Hold* hold, rp_bytes* out);

inline bool arg_from(const Caller* c, PyObject* object, Hold* hold, rp_bytes* out) {
    if (PyBytes_CheckExact(object)) {
        *out = {PyBytes_AS_STRING(object), static_cast<size_t>(PyBytes_GET_SIZE(object))};
        return true;
    }
    if (PyUnicode_CheckExact(object) && PyUnicode_IS_COMPACT_ASCII(object) && !c->encoding) {
        *out = {reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(object)),
                static_cast<size_t>(PyUnicode_GET_LENGTH(object))};
        return true;
    }
    return arg_convert(c, object, hold, out);
}

// argv of a command: on the stack while short.
struct Argv {
    static constexpr size_t kInside = 16;
    rp_bytes inside[kInside];
    rp_bytes* items = inside;
    size_t count = 0;
    size_t cap = kInside;
    Argv() {}  // inside stays as it is
    ~Argv() {
        if (items != inside) PyMem_Free(items);
    }
    Argv(const Argv&) = delete;
    Argv& operator=(const Argv&) = delete;
};
bool argv_reserve(Argv* argv, size_t more);  // false with MemoryError
inline void argv_add(Argv* argv, rp_bytes b) {
    argv->items[argv->count++] = b;
}  // after argv_reserve
bool argv_add_object(Argv* argv, const Caller* c, PyObject* object, Hold* hold);

// ---- calling (call.cc) ------------------------------------------------------------------------

// A call under way: which session, and whether its lock is held.
struct Call {
    Caller* c;
    rp_session* session = nullptr;
    rp_reply reply = {};
    bool locked = false;
    explicit Call(Caller* caller) : c(caller) {}
    ~Call() {
        if (locked) c->lock->unlock();
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
};
// Runs a command. False with the exception set for a status other than RP_OK.
bool call_run(Call* call, int hint, size_t argc, const rp_bytes* argv);
void call_unlock(Call* call);
// The interpreter's main thread: stores are closed from here on, and daemon threads stop at them.
void interpreter_leaves();
// Raises ClosedError and friends for a negative status.
void raise_status(int status, const char* text);

// ---- replies (replies.cc) ---------------------------------------------------------------------

// Each consumes call->reply and returns a new reference, or null with an exception set; an error
// reply is raised.
PyObject* reply_object(Call* call);  // whatever it is
PyObject* reply_raw(Call* call);     // bytes of the wire
PyObject* reply_value(Call* call,
                      PyObject* missing);  // bulk; `missing` (borrowed) when there is none
PyObject* reply_integer(Call* call);

}  // namespace rp::py
