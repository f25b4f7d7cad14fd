"""Starts redis-server and RustyPotato for tests: free port, own folder, stopped by process id."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.resp import Conn
from tools.wait import SCALE, until

REDIS_SERVER = shutil.which("redis-server")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def dies_with(parent: int) -> None:
    """In a child before it runs its program: killed when the thread that started it is gone."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before
        os._exit(1)


def free_port() -> int:
    """One that nobody listens on, below those that outgoing connections are given: such a
    connection could take it before a server does."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("", port))
            return port


def clean_env(**extra: str) -> dict[str, str]:
    """The environment without RUSTYPOTATO_* settings from outside."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RUSTYPOTATO_")}
    return env | extra


def command_of(kind: str) -> list[str]:
    if kind == "redis":
        assert REDIS_SERVER, "redis-server is not installed (Debian package redis-server)"
        return [REDIS_SERVER]
    return [sys.executable, "-m", "rustypotato"]


def flags_of(settings: dict[str, object]) -> list[str]:
    """{"save": ""} becomes --save "": the grammar of redis-server."""
    out: list[str] = []
    for name, value in settings.items():
        out.append("--" + name.replace("_", "-"))
        out.extend(str(v) for v in (value if isinstance(value, (list, tuple)) else [value]))
    return out


class Server:
    """One server process. kind is "redis" or "rustypotato"."""

    def __init__(
        self,
        kind: str,
        config_file: str | None = None,
        env: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        **settings: object,
    ) -> None:
        """tls: connect() goes to the setting tls-port with it."""
        self.kind, self.tls = kind, tls
        self.dir = tempfile.mkdtemp(prefix=f"rp-{kind}-")
        self.port = int(settings.pop("port", 0)) or free_port()
        self.unixsocket = os.path.join(self.dir, "s.sock")
        self.log_path = Path(self.dir, "log")
        self.settings = {
            "port": self.port,
            "bind": "127.0.0.1",
            "unixsocket": self.unixsocket,
            "dir": self.dir,
            "save": "",
        } | settings
        self.argv = command_of(kind) + ([config_file] if config_file else [])
        self.argv += flags_of(self.settings)
        self.env = clean_env(**(env or {}))
        self.proc: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.proc
        return self.proc.pid

    def spawn(self) -> Server:
        parent = os.getpid()
        with self.log_path.open("ab") as log:
            self.proc = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                start_new_session=True,
                preexec_fn=lambda: dies_with(parent),
            )
        return self

    def start(self) -> Server:
        self.spawn()
        try:
            until(self._ready, f"{self.argv} answers on port {self.port}", 30)
        except AssertionError as error:
            tail = self.log_tail()
            self.stop()
            raise AssertionError(f"{error}\n{tail}") from None
        return self

    def _ready(self) -> bool:
        if not self.alive():
            raise AssertionError(f"{' '.join(self.argv)} ended at start, code {self.code()}")
        try:
            with self.connect(timeout_s=5) as conn:
                conn.send(b"*1\r\n$4\r\nPING\r\n")
                return conn.read_raw().startswith((b"+PONG", b"-NOAUTH"))
        except (OSError, EOFError):
            return False

    def alive(self) -> bool:
        return self.proc is not None and self.proc.poll() is None

    def code(self) -> int | None:
        return self.proc.poll() if self.proc else None

    def log_tail(self, size: int = 3000) -> str:
        try:
            return self.log_path.read_text(errors="replace")[-size:]
        except OSError:
            return "(no log)"

    def connect(self, unix: bool = False, timeout_s: float = 30 * SCALE) -> Conn:
        if self.tls and not unix:
            return Conn(("127.0.0.1", int(str(self.settings["tls-port"]))), timeout_s, self.tls)
        return Conn(self.unixsocket if unix else ("127.0.0.1", self.port), timeout_s)

    def rss_bytes(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def cpu_s(self) -> float:
        """Processor time used so far, by all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait_exit(self, deadline_s: float = 15) -> int:
        assert self.proc
        try:
            return self.proc.wait(deadline_s * SCALE)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"still running after {deadline_s * SCALE} s\n{self.log_tail()}"
            ) from None

    def stop(self) -> int | None:
        """SIGTERM, then SIGKILL after a deadline. Returns the exit code and removes the folder."""
        if self.proc is None:
            return None
        if self.alive():
            self.signal(signal.SIGTERM)
            try:
                self.proc.wait(10 * SCALE)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
        return self.code()

    def __enter__(self) -> Server:
        return self if self.alive() else self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def run_to_end(
    kind: str,
    *args: str,
    env: dict[str, str] | None = None,
    cwd: str | None = None,
    deadline_s: float = 20,
) -> subprocess.CompletedProcess[str]:
    """Runs a server that is expected to refuse the start."""
    return subprocess.run(
        command_of(kind) + list(args),
        env=clean_env(**(env or {})),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=deadline_s * SCALE,
    )
