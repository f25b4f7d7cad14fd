// py/call.cc: running a command with or without the GIL, and saying why not.
#include "py/caller.h"

#include <unistd.h>

#include <atomic>

namespace rp::py {

// Set once, when the interpreter is about to go: by its main thread, whose id this is then. What
// other threads are left are daemons, and the stores are closed under their feet.
static std::atomic<unsigned long> leaving{0};

void interpreter_leaves() { leaving.store(PyThread_get_thread_ident(), std::memory_order_release); }

// CPython stops daemon threads where they next ask for the GIL. One that asks a store ends up here
// before: it stops too, instead of reporting a closed store that is nobody's mistake.
static void stop_daemon_thread() {
    unsigned long main = leaving.load(std::memory_order_acquire);
    if (main == 0 || main == PyThread_get_thread_ident()) return;
    PyEval_SaveThread();
    for (;;)
        pause();
}

// The exception classes are plain Python (rustypotato.errors): errors are not hot, and so the
// module keeps no global state.
static PyObject* errors_call(const char* function, const char* format, int status,
                             const char* text) {
    PyObject* module = PyImport_ImportModule("rustypotato.errors");
    if (module == nullptr) return nullptr;
    PyObject* made = PyObject_CallMethod(module, function, format, status, text);
    Py_DECREF(module);
    return made;
}

void raise_status(int status, const char* text) {
    if (status == RP_NO_MEMORY) {
        PyErr_NoMemory();
        return;
    }
    PyObject* error =
        errors_call("from_status", "is", status, text ? text : rp_status_text(status));
    if (error == nullptr) return;
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error)), error);
    Py_DECREF(error);
}

void call_unlock(Call* call) {
    if (call->locked) call->c->lock->unlock();
    call->locked = false;
}

// False, with the exception set.
static bool fail(Call* call, int status, const char* text) {
    call_unlock(call);
    if (status == RP_CLOSED) stop_daemon_thread();
    raise_status(status, text);
    return false;
}

static bool own_session(Call* call) {
    Caller* c = call->c;
    if (!c->lock->try_lock()) {
        Py_BEGIN_ALLOW_THREADS c->lock->lock();
        Py_END_ALLOW_THREADS
    }
    call->locked = true;
    if (c->closed) return fail(call, RP_CLOSED, "the session is closed");
    call->session = c->session;
    return true;
}

static bool find_session(Call* call) {
    Caller* c = call->c;
    if (c->store == nullptr) return fail(call, RP_CLOSED, "the store was never opened");
    if (c->lock != nullptr) return own_session(call);
    int status = rp_session_here(c->store, c->protocol, &call->session);
    return status == RP_OK || fail(call, status, nullptr);
}

bool call_run(Call* call, int hint, size_t argc, const rp_bytes* argv) {
    if (!find_session(call)) return false;
    int status = rp_try_execute(call->session, hint, argc, argv, &call->reply);
    if (status == RP_BUSY) {
        Py_BEGIN_ALLOW_THREADS status = rp_execute(call->session, argc, argv, &call->reply);
        Py_END_ALLOW_THREADS
    }
    return status == RP_OK || fail(call, status, nullptr);
}

}  // namespace rp::py
