"""The server as a service: systemd's notifications, the background, the pidfile."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rustypotato.__main__ import Signals
from rustypotato.service import Service
from tools.resp import Conn
from tools.servers import Server, clean_env, free_port, run_to_end
from tools.wait import SCALE, until

pytestmark = pytest.mark.ours("systemd is not asked of redis-server here")


class Manager:
    """What systemd is to a service: a datagram socket that listens."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address[0] == "@" else address)
        self.socket.settimeout(30 * SCALE)
        self.env = {"NOTIFY_SOCKET": address}
        self.heard: list[str] = []

    def wait_for(self, word: str) -> None:
        while not any(word in text.split("\n") for text in self.heard):
            self.heard.append(self.socket.recv(4096).decode())


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@rp-test-{os.getpid()}"
    made = Manager(name)
    yield made
    made.socket.close()


@pytest.mark.parametrize("setting", ["systemd", "auto"])
def test_systemd_hears_of_ready_reloading_and_stopping(
    server_of: Callable[..., Server], manager: Manager, tmp_path: Path, setting: str
) -> None:
    log = tmp_path / "log"
    server = server_of(env=manager.env, supervised=setting, logfile=str(log)).spawn()
    manager.wait_for("READY=1")
    with server.connect() as conn:
        assert conn.call("PING") == "PONG", "ready means that it answers"
        info = conn.call("INFO", "server").decode()
    assert "process_supervised:systemd\r\n" in info
    manager.heard.clear()
    server.signal(signal.SIGHUP)
    manager.wait_for("RELOADING=1")
    assert "MONOTONIC_USEC=" in manager.heard[-1]
    manager.wait_for("READY=1")
    manager.heard.clear()
    server.signal(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert server.wait_exit() == 0


def test_a_reopened_log_is_no_readiness(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """While data are loaded, and while it stops, SIGHUP must not end systemd's waiting."""
    monkeypatch.setenv("NOTIFY_SOCKET", manager.env["NOTIFY_SOCKET"])
    service = Service([b"--supervised", b"systemd"])
    signals = Signals(service)

    def heard() -> str:
        return manager.socket.recv(4096).decode()

    signals.reopen_log(signal.SIGHUP, None)
    service.ready()
    assert heard() == "STATUS=Ready to accept connections\nREADY=1"
    signals.reopen_log(signal.SIGHUP, None)
    assert heard().startswith("RELOADING=1\n")
    assert heard() == "READY=1"
    service.stopping()
    signals.reopen_log(signal.SIGHUP, None)
    assert heard() == "STOPPING=1\nSTATUS=Stopping"
    service.notify("STATUS=the last word")
    assert heard() == "STATUS=the last word"


def test_nothing_is_told_unless_asked_for(
    server_of: Callable[..., Server], manager: Manager
) -> None:
    server = server_of(env=manager.env).start()
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    manager.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        manager.socket.recv(100)


def test_a_manager_that_went_away_is_one_line_in_the_log(
    server_of: Callable[..., Server], tmp_path: Path
) -> None:
    env = {"NOTIFY_SOCKET": str(tmp_path / "nobody")}
    server = server_of(env=env, supervised="systemd").start()
    until(lambda: "systemd cannot be told" in server.log_tail(), "it says so")


def background(tmp_path: Path, *flags: str, stdin: bytes = b"") -> tuple[int, int]:
    """Starts a server that leaves the foreground: (exit code of the start, port)."""
    port, pidfile = free_port(), tmp_path / "pid"
    command = [sys.executable, "-m", "rustypotato", "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(tmp_path), "--save", "", "--logfile", str(tmp_path / "log")]
    command += ["--pidfile", str(pidfile), *flags]
    done = subprocess.run(
        command, env=clean_env(), input=stdin, capture_output=True, check=False, timeout=60 * SCALE
    )
    return done.returncode, port


def end(tmp_path: Path) -> None:
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    until(lambda: not (tmp_path / "pid").exists(), "the server is gone")


def test_daemonize_goes_on_in_a_child_that_serves(tmp_path: Path) -> None:
    code, port = background(tmp_path, "--daemonize", "yes")
    assert code == 0
    pid = int((tmp_path / "pid").read_text())
    with Conn(("127.0.0.1", port)) as conn:
        # The start ends when it listens; an answer may still be LOADING.
        until(lambda: conn.call("PING") == "PONG", "it serves")
        assert f"process_id:{pid}\r\n" in conn.call("INFO", "server").decode()
    assert os.getsid(pid) == pid, "it leads a session of its own"
    for fd in (0, 1, 2):
        assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
    end(tmp_path)


def test_daemonize_with_settings_from_standard_input(tmp_path: Path) -> None:
    code, port = background(tmp_path, "-", stdin=b"daemonize yes\nmaxclients 77\n")
    assert code == 0
    with Conn(("127.0.0.1", port)) as conn:
        assert conn.call("CONFIG", "GET", "maxclients") == [b"maxclients", b"77"]
    end(tmp_path)


def test_a_daemon_that_cannot_start_says_why_to_who_started_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_to_end(
            "rustypotato", "--port", str(port), "--bind", "127.0.0.1", "--daemonize", "yes",
            "--dir", str(tmp_path), "--pidfile", str(tmp_path / "pid"),
        )  # fmt: skip
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("rustypotato: ") and str(port) in line
    assert not (tmp_path / "pid").exists()


def test_a_store_inside_a_program_stays_there() -> None:
    import rustypotato

    with pytest.raises(rustypotato.ConfigError, match="daemonize"):
        rustypotato.Store(daemonize=True)


# ---------------------------------------------------------------- packaging

PACKAGING = Path(__file__).parents[2] / "packaging"
# Not for every machine: a file that must be there, or a path that must be free.
LEFT_ALONE = ("aclfile", "dir", "daemonize", "include", "tls-")


def example_settings() -> dict[str, str]:
    lines = (PACKAGING / "redis.conf").read_text().splitlines()
    settings = [line[2:] for line in lines if line.startswith("# ")]
    return dict(line.split(" ", 1) for line in settings)  # type: ignore[misc]


def test_the_example_configuration_holds_every_setting_with_its_default(
    server_of: Callable[..., Server], tmp_path: Path
) -> None:
    settings = example_settings()
    path = tmp_path / "redis.conf"
    kept = {n: v for n, v in settings.items() if not n.startswith(LEFT_ALONE)}
    path.write_text("".join(f"{name} {value}\n" for name, value in kept.items()))
    with server_of() as plain, plain.connect() as conn:
        flat = conn.call("CONFIG", "GET", "*")
        defaults = dict(zip(flat[::2], flat[1::2], strict=True))
    with server_of(config_file=str(path)) as server, server.connect() as conn:
        flat = conn.call("CONFIG", "GET", "*")
        found = dict(zip(flat[::2], flat[1::2], strict=True))
    own = {b"port", b"unixsocket", b"dir", b"pidfile", b"io-threads", b"bind"}
    differ = {n: (v, found[n]) for n, v in defaults.items() if n not in own and found[n] != v}
    assert differ == {}
    known = {name.decode() for name in defaults}
    assert set(settings) <= known and len(settings) > 150


def test_the_unit_starts_what_the_package_has() -> None:
    unit = (PACKAGING / "rustypotato.service").read_text()
    assert "Type=notify\n" in unit and "--supervised systemd" in unit
    rotated = re.search(r"^(\S+)/\*\.log \{", (PACKAGING / "logrotate.conf").read_text(), re.M)
    [logs] = re.findall(r"^LogsDirectory=(\S+)$", unit, re.M)  # else ProtectSystem forbids writing
    assert rotated and rotated[1] == f"/var/log/{logs}"
    dockerfile = (PACKAGING / "Dockerfile").read_text()
    for path in ("packaging/redis.conf",):
        assert f"COPY {path}" in dockerfile and (PACKAGING.parent / path).exists()
