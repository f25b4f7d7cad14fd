"""What the server has to do with the system it runs on: background, service manager, pidfile."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import _core

BACKGROUND_PIDFILE = "/var/run/redis.pid"  # Redis' default once it leaves the foreground
NOTICE, WARNING = 2, 3


class Service:
    """The settings that count before a store is opened, and what is done about them.

    Attributes:
        supervisor: "systemd", "upstart" or "no".
        pidfile: path, or "" for none.
        daemonize: whether to go on in the background.
        is_ready: all data are there, and no stop has begun.
    """

    def __init__(self, args: Sequence[bytes]) -> None:
        """Reads the settings as the store will; standard input is kept for it.

        Raises:
            ConfigError: a setting is unknown or out of range.
        """
        self._args = list(args)
        self._stdin_again = self._make_stdin_seekable() if b"-" in self._args else False
        self.daemonize = self._setting("daemonize") == "yes"
        self.pidfile = self._setting("pidfile")
        self.supervisor = self._supervisor(self._setting("supervised"))
        self.is_ready = False
        self._ready_pipe: int | None = None

    def _setting(self, name: str) -> str:
        if self._stdin_again:
            os.lseek(0, 0, os.SEEK_SET)
        value = os.fsdecode(_core.setting(self._args, _core.USE_ENVIRONMENT, name))
        if self._stdin_again:
            os.lseek(0, 0, os.SEEK_SET)
        return value

    @staticmethod
    def _make_stdin_seekable() -> bool:
        """What "-" reads is read twice: here and by the store."""
        import tempfile  # takes 5 ms, and few starts need it

        with tempfile.TemporaryFile() as copy:
            while block := os.read(0, 1 << 16):
                copy.write(block)
            copy.flush()
            os.dup2(copy.fileno(), 0)
        return True

    @staticmethod
    def _supervisor(setting: str) -> str:
        if setting in ("auto", "upstart") and os.environ.get("UPSTART_JOB"):
            return "upstart"
        if setting in ("auto", "systemd") and os.environ.get("NOTIFY_SOCKET"):
            return "systemd"
        return "no"

    # ------------------------------------------------------------ background

    def leave_foreground(self) -> None:
        """Goes on in a child without a terminal; this process ends when that serves, or failed.

        REQUIRES: no thread runs yet.
        """
        if not self.daemonize or self.supervisor != "no":
            return
        reader, writer = os.pipe()
        if os.fork() != 0:
            os.close(writer)
            self._await_child(reader)
        os.close(reader)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (1, 2) if self._stdin_again else (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        self._ready_pipe = writer
        self.pidfile = self.pidfile or BACKGROUND_PIDFILE

    @staticmethod
    def _await_child(reader: int) -> NoReturn:
        """The child writes nothing when it serves, and what is wrong when it does not."""
        text = b""
        while block := os.read(reader, 4096):
            text += block
        if text == b"\n":
            os._exit(0)
        sys.stderr.write(os.fsdecode(text) or "rustypotato: ended while it started\n")
        sys.stderr.flush()
        os._exit(1)

    def _tell_parent(self, text: str) -> None:
        if self._ready_pipe is not None:
            os.write(self._ready_pipe, os.fsencode(text))
            os.close(self._ready_pipe)
            self._ready_pipe = None

    def failed(self, why: str) -> None:
        """One line for whoever started the server."""
        print(f"rustypotato: {why}", file=sys.stderr)
        self._tell_parent(f"rustypotato: {why}\n")

    # ------------------------------------------------------------ pidfile

    def write_pidfile(self) -> None:
        if not self.pidfile:
            return
        try:
            with open(self.pidfile, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
        except OSError as error:
            if self.pidfile != BACKGROUND_PIDFILE:
                raise
            _core.log_say(WARNING, f"Failed to write PID file: {error}")
            self.pidfile = ""

    def remove_pidfile(self) -> None:
        if self.pidfile and os.path.exists(self.pidfile):
            os.unlink(self.pidfile)

    # ------------------------------------------------------------ service manager

    def listening(self) -> None:
        """Clients are answered; the data may still be on their way."""
        self._tell_parent("\n")

    def ready(self) -> None:
        """All data are there."""
        if self.supervisor == "upstart":
            os.environ.pop("UPSTART_JOB", None)
            _core.log_say(NOTICE, "supervised by upstart, will stop to signal readiness")
            os.kill(os.getpid(), signal.SIGSTOP)
        self.notify("STATUS=Ready to accept connections\nREADY=1")
        self.is_ready = True

    def stopping(self) -> None:
        self.is_ready = False
        self.notify("STOPPING=1\nSTATUS=Stopping")

    def notify(self, text: str) -> None:
        """Tells systemd, as sd_notify does: one datagram, and no answer to wait for."""
        address = os.environ.get("NOTIFY_SOCKET")
        if self.supervisor != "systemd" or not address:
            return
        if address[0] == "@":  # Linux' abstract names
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.connect(address)
                sock.send(text.encode())
        except OSError as error:
            _core.log_say(WARNING, f"systemd cannot be told '{text}': {error}")
