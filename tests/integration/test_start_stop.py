"""Start and stop: settings and their sources, errors in one line, signals, exit codes."""

from __future__ import annotations

import functools
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.doors import Door
from tools.resp import encode
from tools.servers import Server, command_of, free_port, run_to_end
from tools.wait import SCALE, until

pytestmark = [pytest.mark.once, pytest.mark.sockets]


@pytest.fixture
def kind(door: Door) -> str:
    return door.server.kind


@pytest.fixture
def server_of(kind: str, server_of: Callable[..., Server]) -> Callable[..., Server]:
    return functools.partial(server_of, kind)


def config(server: Server, name: str) -> str:
    with server.connect() as conn:
        return conn.call("CONFIG", "GET", name)[1].decode()


# ---------------------------------------------------------------- refusing to start

REFUSED = [
    (["--nope", "1"], "nope"),
    (["--port", "99999"], "port"),
    (["--port", "-1"], "port"),
    (["--port", "abc"], "port"),
    (["--port"], "port"),
    (["--maxmemory", "12x"], "maxmemory"),
    (["--maxmemory-policy", "sometimes"], "maxmemory-policy"),
    (["--appendonly", "maybe"], "appendonly"),
    (["--databases", "0"], "databases"),
    (["--io-threads", "0"], "io-threads"),
    (["--io-threads", "1000000"], "io-threads"),
    (["--timeout", "-5"], "timeout"),
    (["--client-output-buffer-limit", "normal", "1"], "client-output-buffer-limit"),
    (["--dir", "nowhere/at/all"], "dir"),
]


@pytest.mark.parametrize(("flags", "name"), REFUSED, ids=[" ".join(r[0]) for r in REFUSED])
def test_a_bad_setting_stops_the_start(
    kind: str, tmp_path: Path, flags: list[str], name: str
) -> None:
    base = [] if "--port" in flags else ["--port", str(free_port())]
    done = run_to_end(kind, *base, *flags, cwd=str(tmp_path))
    assert done.returncode == 1
    assert name in done.stderr + done.stdout
    if kind == "rustypotato":
        one_clear_line(done, name)


def one_clear_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """The last line says what is wrong and names it; there is no traceback."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]
    assert len(lines[0]) < 400


@pytest.mark.ours("Redis 7.0 has no environment variables")
def test_a_bad_environment_variable_stops_the_start(door: Door, kind: str, tmp_path: Path) -> None:
    for variable, value, name in (
        ("RUSTYPOTATO_PORT", "99999", "port"),
        ("RUSTYPOTATO_NOPE", "1", "NOPE"),
        ("RUSTYPOTATO_MAXMEMORY_POLICY", "x", "maxmemory-policy"),
    ):
        done = run_to_end(kind, env={variable: value}, cwd=str(tmp_path))
        assert done.returncode == 1
        one_clear_line(done)
        assert variable in done.stderr or name in done.stderr


def test_a_bad_line_in_the_file_is_named_with_its_number(kind: str, tmp_path: Path) -> None:
    conf = tmp_path / "redis.conf"
    conf.write_text("# comment\n\nhz 10\nmaxmemory-policy sometimes\n")
    done = run_to_end(kind, str(conf), "--port", str(free_port()))
    assert done.returncode == 1
    assert "maxmemory-policy" in done.stderr + done.stdout
    if kind == "rustypotato":
        one_clear_line(done, "maxmemory-policy", "4", "redis.conf")


def test_an_unreadable_file(kind: str, tmp_path: Path) -> None:
    for name in ("missing.conf", "folder.conf"):
        if name == "folder.conf":
            (tmp_path / name).mkdir()
            if kind == "redis":
                continue  # It reads a folder as an empty file.
        done = run_to_end(kind, str(tmp_path / name), "--port", str(free_port()))
        assert done.returncode == 1
        assert name in done.stderr + done.stdout
        if kind == "rustypotato":
            one_clear_line(done, name)


def test_a_port_in_use(kind: str, door: Door, tmp_path: Path) -> None:
    port = door.server.port
    done = run_to_end(
        kind, "--port", str(port), "--bind", "127.0.0.1", "--save", "", cwd=str(tmp_path)
    )
    assert done.returncode == 1
    assert str(port) in done.stderr + done.stdout
    if kind == "rustypotato":
        one_clear_line(done, str(port))
    assert door("PING") == "PONG"


@pytest.mark.ours("Redis 7.0 logs a warning and starts without the socket")
def test_a_unix_socket_that_cannot_be_made(door: Door, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "no" / "such" / "folder" / "s.sock"
    done = run_to_end(
        kind, "--port", str(free_port()), "--unixsocket", str(path), cwd=str(tmp_path)
    )
    assert done.returncode == 1
    one_clear_line(done, "s.sock")


# ---------------------------------------------------------------- sources of settings


def test_ready_line_and_default_settings(server_of: Callable[..., Server]) -> None:
    server = server_of().start()
    until(lambda: "Ready to accept connections" in server.log_tail(), "the line is there")
    assert config(server, "databases") == "16"
    assert config(server, "maxmemory-policy") == "noeviction"
    assert config(server, "port") == str(server.port)


def test_file_then_flags(server_of: Callable[..., Server], tmp_path: Path) -> None:
    conf = tmp_path / "redis.conf"
    conf.write_text(
        "# a comment\n\nHZ 33\ntimeout 11\nmaxmemory 100mb\n"
        'requirepass "se cr\\x65t"\nmaxmemory-samples 7\n'
        "client-output-buffer-limit normal 1mb 1mb 10\n"
        "client-output-buffer-limit pubsub 2mb 2mb 20\n"
    )
    server = server_of(config_file=str(conf), timeout="22").start()
    with server.connect() as conn:
        assert conn.call("PING").startswith("NOAUTH")
        assert conn.call("AUTH", "se cret") == "OK"
        for name, value in (
            ("hz", b"33"),
            ("timeout", b"22"),
            ("maxmemory", b"104857600"),
            ("maxmemory-samples", b"7"),
        ):
            assert conn.call("CONFIG", "GET", name)[1] == value, name
        limits = conn.call("CONFIG", "GET", "client-output-buffer-limit")[1]
        assert b"normal 1048576 1048576 10" in limits and b"pubsub 2097152 2097152 20" in limits
        info = conn.call("INFO", "server").decode()
        assert f"config_file:{conf}" in info


def test_flags_with_several_values(server_of: Callable[..., Server]) -> None:
    server = server_of(
        **{
            "client-output-buffer-limit": ["normal", "1mb", "1mb", "10"],
            "bind": ["127.0.0.1", "-::1"],
        }
    ).start()
    assert "normal 1048576 1048576 10" in config(server, "client-output-buffer-limit")
    assert config(server, "bind") == "127.0.0.1 -::1"


@pytest.mark.ours("Redis 7.0 has no environment variables")
def test_environment_stands_between_file_and_flags(
    door: Door, server_of: Callable[..., Server], tmp_path: Path
) -> None:
    conf = tmp_path / "redis.conf"
    conf.write_text("hz 11\ntimeout 12\nmaxmemory-samples 3\n")
    env = {
        "RUSTYPOTATO_TIMEOUT": "21",
        "RUSTYPOTATO_MAXMEMORY_SAMPLES": "4",
        "RUSTYPOTATO_MAXMEMORY": "64mb",
    }
    server = server_of(config_file=str(conf), env=env, **{"maxmemory-samples": "9"}).start()
    assert config(server, "hz") == "11"
    assert config(server, "timeout") == "21"
    assert config(server, "maxmemory-samples") == "9"
    assert config(server, "maxmemory") == str(64 << 20)


def test_config_from_standard_input(kind: str, tmp_path: Path) -> None:
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        proc = subprocess.Popen(
            [*command_of(kind), "-", "--port", str(port), "--save", "", "--dir", str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    server = Server(kind, port=port)
    server.proc = proc
    try:
        assert proc.stdin
        proc.stdin.write(b"hz 44\n")
        proc.stdin.close()
        until(server._ready, "ready")
        assert config(server, "hz") == "44"
    finally:
        server.stop()


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_io_threads(server_of: Callable[..., Server], threads: str) -> None:
    server = server_of(**{"io-threads": threads}).start()
    assert config(server, "io-threads") == threads
    conns = [server.connect() for _ in range(20)]
    for conn in conns:
        conn.send(encode("INCR", "n") * 100)
    for conn in conns:
        for _ in range(100):
            conn.read()
    assert conns[0].call("GET", "n") == b"2000"
    for conn in conns:
        conn.close()


def test_other_number_of_databases(server_of: Callable[..., Server]) -> None:
    server = server_of(databases="3").start()
    with server.connect() as conn:
        assert conn.call("SELECT", 2) == "OK"
        assert conn.call("SELECT", 3) == "ERR DB index is out of range"


def test_unix_socket_permissions(server_of: Callable[..., Server]) -> None:
    server = server_of(unixsocketperm="700").start()
    assert stat.S_IMODE(os.stat(server.unixsocket).st_mode) == 0o700
    with server.connect(unix=True) as conn:
        assert conn.call("PING") == "PONG"


def test_port_0_serves_only_the_unix_socket(kind: str, tmp_path: Path) -> None:
    server = Server(kind)
    server.argv[server.argv.index("--port") + 1] = "0"
    server.spawn()
    try:
        until(lambda: Path(server.unixsocket).exists(), "the unix socket is there")

        def pong() -> bool:
            try:
                with server.connect(unix=True) as conn:
                    return conn.call("PING") == "PONG"
            except OSError:
                return False

        until(pong, "it answers")
        with pytest.raises(ConnectionRefusedError):
            server.connect()
    finally:
        server.stop()


def test_pidfile_and_logfile(server_of: Callable[..., Server], tmp_path: Path) -> None:
    pidfile, logfile = tmp_path / "pid", tmp_path / "log"
    server = server_of(pidfile=str(pidfile), logfile=str(logfile)).start()
    until(lambda: "Ready to accept connections" in logfile.read_text(), "the line is there")
    assert pidfile.read_text().strip() == str(server.pid)
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert not pidfile.exists()


# ---------------------------------------------------------------- stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_with_exit_code_0(server_of: Callable[..., Server], number: int) -> None:
    server = server_of().start()
    conns = [server.connect() for _ in range(10)]
    for conn in conns:
        assert conn.call("SET", "k", "v") == "OK"
    server.signal(number)
    for conn in conns:
        assert conn.read_to_end() == b""
        conn.close()
    assert server.wait_exit() == 0
    assert not Path(server.unixsocket).exists(), "the unix socket is removed"


def test_a_signal_under_load(server_of: Callable[..., Server]) -> None:
    """What was acknowledged was done; the rest sees a closed connection, not a torn reply."""
    server = server_of().start()
    torn: list[bytes] = []

    def load() -> None:
        with server.connect() as conn:
            try:
                while True:
                    conn.send(encode("INCR", "n") * 50)
                    for _ in range(50):
                        assert conn.read_raw().startswith(b":")
            except (EOFError, OSError):
                if conn.pos < len(conn.buf) and not conn.buf.endswith(b"\r\n"):
                    torn.append(bytes(conn.buf[-40:]))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    with server.connect() as conn:
        until(lambda: int(conn.call("GET", "n") or 0) > 500, "the load runs")
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    for thread in threads:
        thread.join(10 * SCALE)
        assert not thread.is_alive()
    assert not torn


@pytest.mark.ours("Redis ends with code 1 at the second signal")
def test_a_second_ctrl_c_exits_130(door: Door, server_of: Callable[..., Server]) -> None:
    """While the first is being obeyed, held up by a command that nothing can interrupt."""
    server = server_of(**{"io-threads": "2"}).start()
    conn = server.connect()
    conn.call("MSET", "a", "a" * 11_500, "b", "b" * 11_500)
    before = server.cpu_s()
    conn.send(encode("LCS", "a", "b", "LEN") * 10)
    until(lambda: server.cpu_s() > before + 0.05, "it is being computed")
    # The first is seen within a moment; signals that come before that count as one with it.
    for _ in range(100):
        if not server.alive():
            break
        server.signal(signal.SIGINT)
        try:
            server.proc.wait(0.1)
        except subprocess.TimeoutExpired:
            pass
    assert server.wait_exit(5) == 130
    conn.close()


def test_the_port_is_free_again_after_the_end(kind: str) -> None:
    port = free_port()
    for _ in range(3):
        with Server(kind, port=port) as server, server.connect() as conn:
            assert conn.call("PING") == "PONG"


@pytest.mark.ours("--version is our own text")
def test_version_and_help(door: Door, kind: str) -> None:
    for flag in ("--version", "-v"):
        done = run_to_end(kind, flag)
        assert done.returncode == 0 and "0." in done.stdout and len(done.stdout.splitlines()) == 1
    for flag in ("--help", "-h"):
        done = run_to_end(kind, flag)
        assert done.returncode == 0 and "--port" in done.stdout
