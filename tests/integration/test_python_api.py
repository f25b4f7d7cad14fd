"""The library: Store, Server, exceptions, threads, fork, as section "Python" of the plan says."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.resp import Conn
from tools.wait import until

pytestmark = pytest.mark.ours("it has no library")


@pytest.fixture
def rp():
    return pytest.importorskip("rustypotato")


@pytest.fixture
def store(rp) -> Iterator:
    with rp.Store() as made:
        yield made


def test_get_set_delete(store) -> None:
    assert store.get("k") is None
    assert store.set("k", "v") is True
    assert store.get("k") == b"v"
    assert store.get(b"k") == b"v"
    assert store.set(b"\0\xff", b"\r\n") is True
    assert store.get(b"\0\xff") == b"\r\n"
    assert store.delete("k") == 1
    assert store.delete("k", b"\0\xff", "none") == 1
    assert store.get("k") is None


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("text", b"text"),
        ("über", "über".encode()),
        (b"bytes", b"bytes"),
        (bytearray(b"ba"), b"ba"),
        (memoryview(b"mv"), b"mv"),
        (5, b"5"),
        (-7, b"-7"),
        (2**70, b"1180591620717411303424"),
        (1.5, b"1.5"),
        (0.1, b"0.1"),
        ("", b""),
        (b"", b""),
    ],
)
def test_values_of_every_usual_type(store, value, kept) -> None:
    store.set("k", value)
    assert store.get("k") == kept
    store.set(value, "as a key")
    assert store.get(kept) == b"as a key"


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, object(), ("t",)])
def test_values_of_other_types_are_refused(store, value) -> None:
    with pytest.raises(TypeError):
        store.set("k", value)
    with pytest.raises(TypeError):
        store.set(value, "v")
    with pytest.raises(TypeError):
        store.get(value)
    with pytest.raises(TypeError):
        store.execute("SET", "k", value)
    assert len(store) == 0


def test_set_options(store) -> None:
    assert store.set("k", "v", nx=True) is True
    assert not store.set("k", "w", nx=True)
    assert store.get("k") == b"v"
    assert not store.set("none", "w", xx=True)
    assert store.set("k", "w", xx=True, ex=100) is True
    assert 99 <= store.ttl("k") <= 100
    assert store.set("k", "w", px=50_000) is True
    assert 49 <= store.ttl("k") <= 50
    assert store.set("k", "x", keepttl=True) is True
    assert 49 <= store.ttl("k") <= 50
    assert store.set("k", "y") is True
    assert store.ttl("k") == -1
    assert store.ttl("none") == -2


def test_exists_incr_decr_expire(store, rp) -> None:
    assert store.exists("n") == 0
    assert store.incr("n") == 1
    assert store.incr("n", 9) == 10
    assert store.decr("n") == 9
    assert store.decr("n", 10) == -1
    assert store.exists("n", "n", "none") == 2
    assert store.expire("n", 100) is True
    assert store.expire("none", 100) is False
    assert 99 <= store.ttl("n") <= 100
    assert store.expire("n", -1) is True
    assert store.exists("n") == 0
    store.set("s", "abc")
    with pytest.raises(rp.ResponseError, match="value is not an integer or out of range"):
        store.incr("s")
    store.set("max", 2**63 - 1)
    with pytest.raises(rp.ResponseError, match="increment or decrement would overflow"):
        store.incr("max")


def test_mget_mset(store) -> None:
    store.mset({"a": 1, b"b": "2", "c": b"3"})
    assert store.mget("a", "none", b"c") == [b"1", None, b"3"]
    assert store.mget(["a", "b"]) == [b"1", b"2"]


def test_len_contains_iteration_keys_scan(store) -> None:
    names = {b"key:%d" % i for i in range(1000)}
    assert len(store) == 0 and not list(store)
    store.mset({n: 1 for n in names})
    assert len(store) == 1000
    assert "key:5" in store and b"key:5" in store and "none" not in store
    assert set(store) == names
    assert set(store.keys()) == names
    assert set(store.keys("key:1?")) == {b"key:1%d" % i for i in range(10)}
    assert set(store.scan()) == names
    assert set(store.scan(match="key:1?")) == {b"key:1%d" % i for i in range(10)}
    found = []
    for key in store:  # Deleting while iterating is allowed.
        found.append(key)
        store.delete(key)
    assert set(found) == names and len(store) == 0


def test_execute_returns_python_objects(store, rp) -> None:
    assert store.execute("SET", "k", "v") in ("OK", b"OK", True)
    assert store.execute("GET", "k") == b"v"
    assert store.execute("get", b"none") is None
    assert store.execute("INCRBY", "n", 5) == 5
    assert store.execute("MGET", "k", "none") == [b"v", None]
    assert store.execute("EXISTS", "k") == 1
    assert store.execute("PING") in ("PONG", b"PONG")
    assert store.execute("SCAN", 0) is not None
    assert store.execute("LCS", "k", "k") == b"v"
    with pytest.raises(rp.ResponseError, match="unknown command 'nope'"):
        store.execute("nope")
    with pytest.raises(rp.ResponseError, match="wrong number of arguments for 'get' command"):
        store.execute("GET")
    with pytest.raises(TypeError):
        store.execute()


def test_every_command_the_server_has(store) -> None:
    """One executor: COMMAND in process lists what the server lists."""
    assert store.execute("COMMAND", "COUNT") > 50
    assert b"set" in [
        bytes(n) if isinstance(n, bytes) else n.encode() for n in store.execute("COMMAND", "LIST")
    ]


def test_exceptions_form_one_family(rp) -> None:
    assert issubclass(rp.RustyPotatoError, Exception)
    for name in (
        "ResponseError",
        "WrongTypeError",
        "OutOfMemoryError",
        "ExecAbortError",
        "AuthenticationError",
        "ConfigError",
    ):
        assert issubclass(getattr(rp, name), rp.RustyPotatoError), name
    assert issubclass(rp.WrongTypeError, rp.ResponseError)


def test_exceptions_of_real_errors(store, rp) -> None:
    store.execute("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(rp.OutOfMemoryError, match="OOM command not allowed"):
        store.set("k", "v")
    store.execute("CONFIG", "SET", "maxmemory", "0")
    with pytest.raises(rp.RustyPotatoError):
        store.execute("SET", "k", "v", "NX", "XX")
    try:
        store.execute("CONFIG", "SET", "hz", "x")
    except rp.ResponseError as error:
        assert str(error).startswith("ERR CONFIG SET failed") or str(error).startswith(
            "CONFIG SET failed"
        )
    else:
        raise AssertionError("no error")


def test_settings_of_a_store(rp) -> None:
    with rp.Store(maxmemory="10mb", maxmemory_policy="allkeys-lru", databases=4) as store:

        def get(name: str) -> bytes:
            reply = store.execute("CONFIG", "GET", name)
            return reply[name.encode()] if isinstance(reply, dict) else reply[1]

        assert get("maxmemory") == b"10485760"
        assert get("maxmemory-policy") == b"allkeys-lru"
        assert get("databases") == b"4"
    for settings, name in (
        ({"nope": 1}, "nope"),
        ({"maxmemory": "x"}, "maxmemory"),
        ({"databases": 0}, "databases"),
    ):
        with pytest.raises((rp.ConfigError, TypeError, ValueError), match=name):
            rp.Store(**settings)


def test_stores_are_independent(rp) -> None:
    with rp.Store() as one, rp.Store() as two:
        one.set("k", "1")
        assert two.get("k") is None
        two.set("k", "2")
        assert (one.get("k"), two.get("k")) == (b"1", b"2")


def test_a_closed_store_says_so(rp) -> None:
    store = rp.Store()
    store.set("k", "v")
    store.close()
    store.close()
    for call in (
        lambda: store.get("k"),
        lambda: store.set("k", "v"),
        lambda: len(store),
        lambda: store.execute("PING"),
        lambda: list(store),
        lambda: store.listen(),
        lambda: store.session(protocol=2),
    ):
        with pytest.raises(rp.RustyPotatoError, match="closed"):
            call()


def test_raw_sessions(store) -> None:
    one, two = store.session(protocol=2), store.session(protocol=3)
    assert one.raw(b"GET", b"none") == b"$-1\r\n"
    assert two.raw(b"GET", b"none") == b"_\r\n"
    assert one.raw(b"SELECT", b"1") == b"+OK\r\n"
    assert one.raw(b"SET", b"k", b"v") == b"+OK\r\n"
    assert two.raw(b"GET", b"k") == b"_\r\n"
    assert store.get("k") is None
    assert two.raw(b"MULTI") == b"+OK\r\n"
    assert one.raw(b"SELECT", b"0") == b"+OK\r\n"
    assert one.raw(b"GET", b"k") == b"$-1\r\n"
    one.close()
    two.close()


def test_a_session_may_outlive_its_use_of_the_store(rp) -> None:
    store = rp.Store()
    session = store.session(protocol=2)
    store.close()
    with pytest.raises(rp.RustyPotatoError):
        session.raw(b"PING")
    del session, store
    gc.collect()


def test_listen_serves_the_same_live_data(store, tmp_path: Path) -> None:
    store.set("k", "before")
    path = str(tmp_path / "s.sock")
    port = store.listen(port=0, unixsocket=path).port
    with Conn(("127.0.0.1", port)) as tcp, Conn(path) as unix:
        assert tcp.call("GET", "k") == b"before"
        assert unix.call("SET", "k", "by socket") == "OK"
        assert store.get("k") == b"by socket"
        store.set("k", "by python")
        assert tcp.call("GET", "k") == b"by python"
        assert tcp.call("WATCH", "k") == "OK"
        store.set("k", "changed")
        tcp.call("MULTI")
        assert tcp.call("EXEC") is None, "WATCH sees writes from Python"


def test_listen_on_a_port_in_use(store, rp) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises((rp.RustyPotatoError, OSError), match=str(port)):
            store.listen(port=port)
    store.set("k", "v")
    assert store.get("k") == b"v", "the store goes on"


def test_server_as_context_manager(rp, tmp_path: Path) -> None:
    with rp.Server(port=0) as server:
        with Conn(("127.0.0.1", server.port)) as conn:
            assert conn.call("SET", "k", "v") == "OK"
            assert conn.call("GET", "k") == b"v"
        port = server.port
    with pytest.raises(OSError):
        Conn(("127.0.0.1", port))


def test_threads(store) -> None:
    """Any number at once: counters add up, and no thread waits for ever."""
    workers, rounds = 8, 2000
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(rounds):
                store.incr("shared")
                store.set(f"own:{number}", i)
                assert store.get(f"own:{number}") == b"%d" % i
                store.execute("MSET", f"a:{number}", i, f"b:{number}", i)
                assert len(set(store.mget(f"a:{number}", f"b:{number}"))) == 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert store.get("shared") == b"%d" % (workers * rounds)


def test_a_long_call_does_not_hold_the_gil(rp) -> None:
    with rp.Store(enable_debug_command="yes") as store:
        worker = threading.Thread(target=lambda: store.execute("DEBUG", "SLEEP", "0.3"))
        worker.start()
        ticks, start = 0, time.monotonic()
        while worker.is_alive():
            ticks += 1
            time.sleep(0.001)
        assert ticks > 20 and time.monotonic() - start < 20


def test_expiry_without_any_thread(store) -> None:
    store.set("k", "v", px=20)
    until(lambda: store.get("k") is None, "gone on access")
    assert "k" not in store and len(store) == 0


def test_memory_is_given_back(rp) -> None:
    def rss() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    def round_of_work() -> None:
        with rp.Store() as store:
            store.mset({f"k{i}": b"x" * 1000 for i in range(2000)})
            store.set("big", b"x" * (16 << 20))
            assert len(store.get("big")) == 16 << 20

    for _ in range(3):
        round_of_work()
    before = rss()
    for _ in range(15):
        round_of_work()
    assert rss() - before < 32 << 20


def test_a_large_value_round_trips(store) -> None:
    value = os.urandom(1 << 20) * 64
    store.set("big", value)
    assert store.get("big") == value


FORK = """
import os, sys, rustypotato
store = rustypotato.Store()
if {listen}: store.listen(port=0)
store.set("k", "v")
pid = os.fork()
if pid == 0:
    for call in (lambda: store.get("k"), lambda: store.set("k", "w"),
                 lambda: store.execute("GET", "k"), lambda: len(store)):
        try:
            call()
        except rustypotato.RustyPotatoError as error:
            if "fork" not in str(error):
                print("unclear:", error); os._exit(3)
        else:
            os._exit(4)
    fresh = rustypotato.Store()
    fresh.set("k", "child")
    os._exit(0 if fresh.get("k") == b"child" else 5)
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 0, os.waitstatus_to_exitcode(status)
assert store.get("k") == b"v"
store.close()
print("fine")
"""


def run_python(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("listen", [False, True])
def test_fork_gives_a_clear_error(rp, listen: bool) -> None:
    done = run_python(FORK.format(listen=listen))
    assert done.returncode == 0 and done.stdout == "fine\n", done.stdout + done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "import rustypotato; s = rustypotato.Store(); s.set('k', 'v')",
        "import rustypotato; s = rustypotato.Store(); s.listen(port=0)",
        "import rustypotato; s = rustypotato.Server(port=0); s.__enter__()",
        "import rustypotato, threading; s = rustypotato.Store(); s.listen(port=0)\n"
        "threading.Thread(target=lambda: [s.incr('n') for _ in range(10**9)], daemon=True).start()",
        "import rustypotato; s = rustypotato.Store(); x = s.session(protocol=2)",
    ],
)
def test_the_interpreter_ends_cleanly(rp, text: str) -> None:
    """Nothing was closed: exit stops the threads in order."""
    done = run_python(text)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr


def test_an_embedded_store_starts_no_thread(rp) -> None:
    done = run_python(
        "import os, rustypotato\ns = rustypotato.Store()\ns.set('k', 'v')\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    assert done.stdout == "1\n", done.stdout + done.stderr


def test_version_and_typing(rp) -> None:
    assert rp.__version__[0].isdigit()
    folder = Path(rp.__file__).parent
    assert (folder / "py.typed").exists()
    for name in rp.__all__:
        assert getattr(rp, name).__doc__ or name.startswith("__"), f"{name} has no docstring"
    for name in (
        "get",
        "set",
        "delete",
        "exists",
        "incr",
        "decr",
        "expire",
        "ttl",
        "mget",
        "mset",
        "keys",
        "scan",
        "execute",
        "listen",
        "session",
        "close",
    ):
        assert getattr(rp.Store, name).__doc__, f"Store.{name} has no docstring"
