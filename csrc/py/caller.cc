// py/caller.cc: the type _core.Caller: the commands that are called most, by hand.
//
// One method = arguments, call_run, reply. RP_IS_QUICK is said where a call touches a few keys and
// scans nothing; call_run still releases the GIL when there is much to copy or something to wait
// for.
#include "py/caller.h"

#include <cstring>
#include <new>
#include <string>

namespace rp::py {

static Caller* self_of(PyObject* self) { return reinterpret_cast<Caller*>(self); }

template <size_t N>
static constexpr rp_bytes word(const char (&text)[N]) {
    return {text, N - 1};
}

static bool count_fits(const char* method, Py_ssize_t given, Py_ssize_t least, Py_ssize_t most) {
    if (given >= least && given <= most) return true;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd to %zd positional arguments, %zd were given",
                 method, least, most, given);
    return false;
}

// ---- execute ----------------------------------------------------------------------------------

static bool run_args(Call* call, PyObject* const* args, Py_ssize_t nargs, Argv* argv, Hold* hold) {
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError, "the name of a command is missing");
        return false;
    }
    if (!argv_reserve(argv, static_cast<size_t>(nargs))) return false;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (!arg_from(call->c, args[i], hold, &argv->items[argv->count])) return false;
        argv->count++;
    }
    return call_run(call, RP_IF_QUICK, argv->count, argv->items);
}

static PyObject* m_execute(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
    Call call(self_of(self));
    Argv argv;
    Hold hold;
    return run_args(&call, args, nargs, &argv, &hold) ? reply_object(&call) : nullptr;
}

static PyObject* m_raw(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
    Call call(self_of(self));
    Argv argv;
    Hold hold;
    return run_args(&call, args, nargs, &argv, &hold) ? reply_raw(&call) : nullptr;
}

// ---- one key ----------------------------------------------------------------------------------

static PyObject* get_value(Caller* c, PyObject* key, PyObject* missing) {
    Call call(c);
    Hold hold;
    rp_bytes argv[2];
    argv[0] = word("GET");
    if (!arg_from(c, key, &hold, &argv[1])) return nullptr;
    return call_run(&call, RP_IS_QUICK, 2, argv) ? reply_value(&call, missing) : nullptr;
}

static PyObject* m_get(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    PyObject* missing = nargs == 2 ? args[1] : Py_None;
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject* name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CompareWithASCIIString(name, "default") != 0 || nargs != 1) {
            PyErr_Format(PyExc_TypeError, "get() got an unexpected argument '%U'", name);
            return nullptr;
        }
        missing = args[nargs + i];
    }
    if (!count_fits("get", nargs, 1, 2)) return nullptr;
    return get_value(self_of(self), args[0], missing);
}

// COMMAND key number, with a number that is mostly left out.
static PyObject* add(PyObject* self, PyObject* const* args, Py_ssize_t nargs, const char* method,
                     rp_bytes by_one, rp_bytes by_many) {
    if (!count_fits(method, nargs, 1, 2)) return nullptr;
    Call call(self_of(self));
    Hold hold;
    rp_bytes argv[3];
    argv[0] = nargs == 1 ? by_one : by_many;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (!arg_from(call.c, args[i], &hold, &argv[i + 1])) return nullptr;
    }
    bool done = call_run(&call, RP_IS_QUICK, static_cast<size_t>(nargs) + 1, argv);
    return done ? reply_integer(&call) : nullptr;
}

static PyObject* m_incr(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
    return add(self, args, nargs, "incr", word("INCR"), word("INCRBY"));
}

static PyObject* m_decr(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
    return add(self, args, nargs, "decr", word("DECR"), word("DECRBY"));
}

// ---- set --------------------------------------------------------------------------------------

struct SetOption {
    const char* name;
    rp_bytes word;
    bool has_value;
};
static const SetOption kSetOptions[] = {{"ex", word("EX"), true},
                                        {"px", word("PX"), true},
                                        {"exat", word("EXAT"), true},
                                        {"pxat", word("PXAT"), true},
                                        {"nx", word("NX"), false},
                                        {"xx", word("XX"), false},
                                        {"keepttl", word("KEEPTTL"), false},
                                        {"get", word("GET"), false}};

static bool set_option(Caller* c, PyObject* name, PyObject* value, Argv* argv, Hold* hold,
                       bool* wants_old) {
    for (const SetOption& option : kSetOptions) {
        if (PyUnicode_CompareWithASCIIString(name, option.name) != 0) continue;
        if (option.has_value) {
            if (value == Py_None) return true;
            argv_add(argv, option.word);
            return argv_add_object(argv, c, value, hold);
        }
        int yes = PyObject_IsTrue(value);
        if (yes > 0) argv_add(argv, option.word);
        if (yes > 0 && option.word.len == 3) *wants_old = true;
        return yes >= 0;
    }
    PyErr_Format(PyExc_TypeError, "set() got an unexpected argument '%U'", name);
    return false;
}

// True for +OK, False for nil (NX or XX did not hold), else whatever it is (QUEUED in MULTI).
static PyObject* set_reply(Call* call) {
    rp_bytes first = call->reply.first;
    if (first.len == 5 && memcmp(first.ptr, "+OK", 3) == 0) Py_RETURN_TRUE;
    bool nil = first.len >= 2 && (first.ptr[0] == '_' || memcmp(first.ptr, "$-", 2) == 0);
    if (nil) Py_RETURN_FALSE;
    return reply_object(call);
}

static PyObject* m_set(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* names) {
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "set() takes a key and a value (options by name), %zd given",
                     nargs);
        return nullptr;
    }
    Call call(self_of(self));
    Argv argv;
    Hold hold;
    bool wants_old = false;
    argv_add(&argv, word("SET"));
    argv.count = 3;
    if (!arg_from(call.c, args[0], &hold, &argv.items[1])) return nullptr;
    if (!arg_from(call.c, args[1], &hold, &argv.items[2])) return nullptr;
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    if (named != 0 && !argv_reserve(&argv, 2 * static_cast<size_t>(named))) return nullptr;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject* name = PyTuple_GET_ITEM(names, i);
        if (!set_option(call.c, name, args[nargs + i], &argv, &hold, &wants_old)) return nullptr;
    }
    if (!call_run(&call, RP_IS_QUICK, argv.count, argv.items)) return nullptr;
    return wants_old ? reply_object(&call) : set_reply(&call);
}

// ---- several keys -----------------------------------------------------------------------------

static bool add_all(Argv* argv, Caller* c, PyObject* const* keys, Py_ssize_t count, Hold* hold) {
    if (!argv_reserve(argv, static_cast<size_t>(count))) return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!argv_add_object(argv, c, keys[i], hold)) return false;
    }
    return true;
}

static PyObject* count_keys(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                            rp_bytes name) {
    if (nargs == 0) return PyLong_FromLong(0);
    Call call(self_of(self));
    Argv argv;
    Hold hold;
    argv_add(&argv, name);
    if (!add_all(&argv, call.c, args, nargs, &hold)) return nullptr;
    bool done = call_run(&call, RP_IS_QUICK, argv.count, argv.items);
    return done ? reply_integer(&call) : nullptr;
}

static PyObject* m_delete(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
    return count_keys(self, args, nargs, word("DEL"));
}

static PyObject* m_exists(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
    return count_keys(self, args, nargs, word("EXISTS"));
}

static bool is_one_key(PyObject* o) {
    return PyBytes_Check(o) || PyUnicode_Check(o) || PyLong_Check(o) || PyFloat_Check(o) ||
           PyObject_CheckBuffer(o);
}

static PyObject* many_values(Caller* c, PyObject* const* keys, Py_ssize_t count) {
    if (count == 0) return PyList_New(0);
    Call call(c);
    Argv argv;
    Hold hold;
    argv_add(&argv, word("MGET"));
    if (!add_all(&argv, c, keys, count, &hold)) return nullptr;
    bool done = call_run(&call, RP_IS_QUICK, argv.count, argv.items);
    return done ? reply_object(&call) : nullptr;
}

static PyObject* m_mget(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
    if (nargs != 1 || is_one_key(args[0])) return many_values(self_of(self), args, nargs);
    // A copy of our own: the list may change while the GIL is released.
    PyObject* keys = PySequence_Tuple(args[0]);
    if (keys == nullptr) return nullptr;
    PyObject* made =
        many_values(self_of(self), PySequence_Fast_ITEMS(keys), PyTuple_GET_SIZE(keys));
    Py_DECREF(keys);
    return made;
}

// ---- like a dict ------------------------------------------------------------------------------

static PyObject* s_subscript(PyObject* self, PyObject* key) {
    PyObject* value = get_value(self_of(self), key, Py_None);  // no value is None
    if (value != Py_None) return value;
    Py_DECREF(value);
    PyErr_SetObject(PyExc_KeyError, key);
    return nullptr;
}

static int set_item(PyObject* self, PyObject* key, PyObject* value) {
    PyObject* args[] = {key, value};
    PyObject* done = m_set(self, args, 2, nullptr);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int s_ass_subscript(PyObject* self, PyObject* key, PyObject* value) {
    if (value != nullptr) return set_item(self, key, value);
    PyObject* gone = m_delete(self, &key, 1);
    if (gone == nullptr) return -1;
    bool none = PyLong_Check(gone) && PyLong_AsLong(gone) == 0;
    Py_DECREF(gone);
    if (none) PyErr_SetObject(PyExc_KeyError, key);
    return none ? -1 : 0;
}

static int s_contains(PyObject* self, PyObject* key) {
    PyObject* found = m_exists(self, &key, 1);
    if (found == nullptr) return -1;
    int yes = PyObject_IsTrue(found);
    Py_DECREF(found);
    return yes;
}

static Py_ssize_t s_length(PyObject* self) {
    Call call(self_of(self));
    rp_bytes argv[] = {word("DBSIZE")};
    PyObject* size = call_run(&call, RP_IS_QUICK, 1, argv) ? reply_integer(&call) : nullptr;
    if (size == nullptr) return -1;
    Py_ssize_t n = PyLong_AsSsize_t(size);
    Py_DECREF(size);
    return n;
}

// An empty store is a store.
static int s_bool(PyObject*) { return 1; }

// ---- life -------------------------------------------------------------------------------------

static bool set_options(Caller* c, int protocol, int decode, PyObject* encoding) {
    if (protocol != 2 && protocol != 3) {
        PyErr_SetString(PyExc_ValueError, "protocol must be 2 or 3");
        return false;
    }
    c->protocol = protocol;
    c->decode = decode != 0;
    const char* name = PyUnicode_AsUTF8(encoding);
    if (name == nullptr) return false;
    if (strcmp(name, "utf-8") != 0 && strcmp(name, "utf8") != 0) {
        Py_INCREF(encoding);
        c->encoding = encoding;
    }
    return true;
}

// Settings as C strings. False with ValueError for one with a NUL.
struct Settings {
    const char** items = nullptr;
    ~Settings() { PyMem_Free(items); }
};

static bool settings_from(PyObject* tuple, Settings* out) {
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    out->items = static_cast<const char**>(
        PyMem_Malloc((static_cast<size_t>(count) + 1) * sizeof(const char*)));
    if (out->items == nullptr) return PyErr_NoMemory(), false;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject* item = PyTuple_GET_ITEM(tuple, i);
        char* text = PyBytes_Check(item) ? PyBytes_AS_STRING(item) : nullptr;
        if (text == nullptr || strlen(text) != static_cast<size_t>(PyBytes_GET_SIZE(item))) {
            PyErr_SetString(PyExc_ValueError, "a setting must be text without NUL bytes");
            return false;
        }
        out->items[i] = text;
    }
    return true;
}

// _open(settings: tuple[bytes, ...], flags, protocol, decode, encoding)
static PyObject* m_open(PyObject* self, PyObject* args) {
    Caller* c = self_of(self);
    PyObject *tuple, *encoding;
    unsigned flags;
    int protocol, decode;
    if (!PyArg_ParseTuple(args, "O!IipU:_open", &PyTuple_Type, &tuple, &flags, &protocol, &decode,
                          &encoding)) {
        return nullptr;
    }
    if (c->store != nullptr) {
        PyErr_SetString(PyExc_RuntimeError, "a store is opened once: make another one");
        return nullptr;
    }
    Settings settings;
    if (!set_options(c, protocol, decode, encoding) || !settings_from(tuple, &settings))
        return nullptr;
    char* error = nullptr;
    int count = static_cast<int>(PyTuple_GET_SIZE(tuple));
    int status;
    rp_store* store = nullptr;
    Py_BEGIN_ALLOW_THREADS  // it may read files
        status = rp_open(count, settings.items, flags, &store, &error);
    Py_END_ALLOW_THREADS c->store = store;
    if (status == RP_OK) Py_RETURN_NONE;
    raise_status(status, error);
    free(error);
    return nullptr;
}

// _attach(store, protocol, decode, encoding): a session of its own.
static PyObject* m_attach(PyObject* self, PyObject* args) {
    Caller* c = self_of(self);
    PyObject *owner, *encoding;
    int protocol, decode;
    if (!PyArg_ParseTuple(args, "OipU:_attach", &owner, &protocol, &decode, &encoding))
        return nullptr;
    Caller* from = caller_from(owner);
    if (from == nullptr || !set_options(c, protocol, decode, encoding)) return nullptr;
    if (c->lock != nullptr) {
        PyErr_SetString(PyExc_RuntimeError, "a session is opened once: make another one");
        return nullptr;
    }
    int status = rp_session_open(from->store, protocol, &c->session);
    if (status != RP_OK) {
        raise_status(status, nullptr);
        return nullptr;
    }
    c->lock = new std::mutex;
    Py_INCREF(owner);
    c->owner = owner;
    c->store = from->store;
    Py_RETURN_NONE;
}

// _observe(): of a Session that nobody else uses yet.
static PyObject* m_observe(PyObject* self, PyObject*) {
    const Caller* c = self_of(self);
    if (c->session != nullptr && !c->closed) rp_session_observe(c->session);
    Py_RETURN_NONE;
}

// Of a Session: waits for a call under way in another thread.
static void close_session(Caller* c) {
    Py_BEGIN_ALLOW_THREADS c->lock->lock();
    if (!c->closed) rp_session_close(c->session);
    c->closed = true;
    c->lock->unlock();
    Py_END_ALLOW_THREADS
}

static PyObject* m_close(PyObject* self, PyObject*) {
    Caller* c = self_of(self);
    if (c->lock != nullptr) {
        close_session(c);
    } else if (c->store != nullptr) {
        rp_store* store = c->store;
        Py_BEGIN_ALLOW_THREADS  // calls under way may need it to come back
            rp_close(store);
        Py_END_ALLOW_THREADS
    }
    Py_RETURN_NONE;
}

static PyObject* t_new(PyTypeObject* type, PyObject*, PyObject*) {
    return type->tp_alloc(type, 0);  // zeroed: not open
}

static void t_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    Caller* c = self_of(self);
    if (c->lock != nullptr) {
        if (!c->closed) rp_session_close(c->session);
        delete c->lock;
    } else {
        rp_free(c->store);
    }
    Py_XDECREF(c->owner);
    Py_XDECREF(c->encoding);
    type->tp_free(self);
    Py_DECREF(type);
}

// ---- the type ---------------------------------------------------------------------------------

template <typename Function>
static PyCFunction as_method(Function f) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

static PyMethodDef kMethods[] = {
    {"execute", as_method(m_execute), METH_FASTCALL,
     "execute($self, /, *args)\n--\n\n"
     "Runs any command: execute(\"SET\", \"k\", \"v\", \"EX\", 10).\n\n"
     "Arguments are bytes-like, str, int or float. Returns bytes (str with decode), int, None, "
     "list,\n"
     "and with protocol 3 also dict, set, float and bool. Releases the GIL for whatever may take "
     "long.\n"
     "Raises ResponseError or one of its kin for an error reply, TypeError for other arguments."},
    {"raw", as_method(m_raw), METH_FASTCALL,
     "raw($self, /, *args)\n--\n\n"
     "Runs any command and returns the reply's bytes exactly as a client on a socket would get "
     "them."},
    {"get", as_method(m_get), METH_FASTCALL | METH_KEYWORDS,
     "get($self, key, /, default=None)\n--\n\n"
     "Returns the string at `key`, or `default` if there is none.\n\n"
     "Raises WrongTypeError if the key holds something else. Long values are copied without the "
     "GIL."},
    {"set", as_method(m_set), METH_FASTCALL | METH_KEYWORDS,
     "set($self, key, value, /, *, ex=None, px=None, exat=None, pxat=None, nx=False, xx=False, "
     "keepttl=False, get=False)\n--\n\n"
     "Sets `key` to `value`.\n\n"
     "ex, px: lives so many seconds, milliseconds. exat, pxat: until that Unix time in seconds,\n"
     "milliseconds. keepttl: keeps the expiry it has. nx, xx: only if the key is absent, present.\n"
     "Returns True, or False if nx or xx did not hold; with get=True the old value or None.\n"
     "Raises OutOfMemoryError when maxmemory does not allow it."},
    {"delete", as_method(m_delete), METH_FASTCALL,
     "delete($self, /, *keys)\n--\n\nDeletes keys. Returns how many there were."},
    {"exists", as_method(m_exists), METH_FASTCALL,
     "exists($self, /, *keys)\n--\n\nReturns how many of the keys exist; one named twice counts "
     "twice."},
    {"incr", as_method(m_incr), METH_FASTCALL,
     "incr($self, key, amount=1, /)\n--\n\n"
     "Adds to the integer at `key` (absent = 0) and returns the sum.\n\n"
     "Raises ResponseError if there is no 64-bit integer, or the sum would be none."},
    {"decr", as_method(m_decr), METH_FASTCALL,
     "decr($self, key, amount=1, /)\n--\n\n"
     "Subtracts from the integer at `key` (absent = 0) and returns the difference.\n\n"
     "Raises ResponseError as incr does."},
    {"mget", as_method(m_mget), METH_FASTCALL,
     "mget($self, /, *keys)\n--\n\n"
     "Returns the values of keys (or of one iterable of keys) at one instant, None for absent "
     "ones."},
    {"_open", m_open, METH_VARARGS, nullptr},
    {"_attach", m_attach, METH_VARARGS, nullptr},
    {"_observe", m_observe, METH_NOARGS, nullptr},
    {"close", m_close, METH_NOARGS,
     "close($self, /)\n--\n\n"
     "Ends it; closing twice is fine. A store stops serving, waits for calls under way and forgets "
     "its\n"
     "data. What comes later raises ClosedError. Does nothing in a forked child."},
    {nullptr, nullptr, 0, nullptr}};

static PyType_Slot kSlots[] = {
    {Py_tp_doc, const_cast<char*>("What runs commands: the base of Store and Session.")},
    {Py_tp_new, reinterpret_cast<void*>(t_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(t_dealloc)},
    {Py_tp_methods, kMethods},
    {Py_mp_length, reinterpret_cast<void*>(s_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(s_subscript)},
    {Py_mp_ass_subscript, reinterpret_cast<void*>(s_ass_subscript)},
    {Py_sq_contains, reinterpret_cast<void*>(s_contains)},
    {Py_nb_bool, reinterpret_cast<void*>(s_bool)},
    {0, nullptr}};

static PyType_Spec kSpec = {"rustypotato._core.Caller", sizeof(Caller), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, kSlots};

PyObject* caller_type_new(PyObject* module) {
    return PyType_FromModuleAndSpec(module, &kSpec, nullptr);
}

Caller* caller_from(PyObject* object) {
    PyTypeObject* type = Py_TYPE(object);
    while (type != nullptr && type->tp_dealloc != t_dealloc)
        type = type->tp_base;
    Caller* c = type == nullptr ? nullptr : self_of(object);
    if (c == nullptr) {
        PyErr_Format(PyExc_TypeError, "a Store is needed, not %.200s", Py_TYPE(object)->tp_name);
    } else if (c->store == nullptr) {
        raise_status(RP_CLOSED, "the store was never opened");
        c = nullptr;
    }
    return c;
}

}  // namespace rp::py
