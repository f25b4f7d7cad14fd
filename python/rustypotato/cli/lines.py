"""Lines that were typed or piped: commands for the server and the few that are the client's own."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import BinaryIO

from .printing import STANDARD
from .session import Session, write
from .words import BadQuotes, split

_REPEAT = re.compile(rb"[+-]?[0-9]+")
_SLOW_S = 0.5  # a command that takes longer says how long
RC_MAX = 64 << 10  # bytes of ~/.redisclirc that are read


class Console:
    """Runs lines in a session.

    Attributes:
        hints: whether the prompt shows them (:set hints, :set nohints).
        clear: what `clear` does.
        connected: called after `connect host port`.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.hints = True
        self.clear: Callable[[], None] = lambda: None
        self.connected: Callable[[], None] = lambda: None
        session.interactive = True

    def run(self, line: bytes) -> bool:
        """Runs one line; False: it was the last one."""
        try:
            words = split(line)
        except BadQuotes as error:
            write(f"{error}\n".encode())
            return True
        if not words:
            return True
        repeat = 1
        if len(words) > 1 and _REPEAT.fullmatch(words[0]):
            repeat = int(words[0])
            if not 0 < repeat < 1 << 63:
                write(b"Invalid redis-cli repeat command option value.\n")
                return True
            words = words[1:]
        name = words[0].lower()
        if name in (b"quit", b"exit"):
            return False
        self._run_words(name, words, repeat)
        return True

    def _run_words(self, name: bytes, words: list[bytes], repeat: int) -> None:
        if name.startswith(b":"):
            self.set_preference(words)
        elif name in (b"help", b"?"):
            self._help(words[1:])
        elif name == b"connect" and len(words) == 3:
            self._connect(words[1], words[2])
        elif name == b"clear" and len(words) == 1:
            self.clear()
        else:
            began = time.monotonic()
            self.session.issue(words, repeat)
            took = time.monotonic() - began
            if took >= _SLOW_S and self.session.options.style.mode == STANDARD:
                write(b"(%.2fs)\n" % took)

    def _help(self, topic: list[bytes]) -> None:
        from .docs import show_help

        show_help(self.session, topic)

    def _connect(self, host: bytes, port: bytes) -> None:
        address = self.session.address
        if not port.isdigit() or int(port) > 65535:
            write(b"Invalid server port.\n")
            return
        address.unix, address.host, address.port = None, os.fsdecode(host), int(port)
        self.session.forget_login()
        self.session.connect()
        self.connected()

    def set_preference(self, words: list[bytes], where: bytes = b"") -> None:
        """`:set hints` and `:set nohints`."""
        if words[0].lower() != b":set" or len(words) < 2:
            write(b"%sunknown redis-cli internal command '%s'\n" % (where, words[0]))
        elif words[1].lower() in (b"hints", b"nohints"):
            self.hints = words[1].lower() == b"hints"
        else:
            write(b"%sunknown redis-cli preference '%s'\n" % (where, words[1]))

    def load_preferences(self) -> None:
        """Reads ~/.redisclirc, or the file that REDISCLI_RCFILE names."""
        path = os.environ.get("REDISCLI_RCFILE") or os.path.expanduser("~/.redisclirc")
        try:
            with open(path, "rb") as file:
                text = file.read(RC_MAX)
        except OSError:
            return
        for line in text.splitlines():
            try:
                words = split(line)
            except BadQuotes:
                words = [line]
            if words:
                self.set_preference(words, b".redisclirc: ")


def run_lines(session: Session, file: BinaryIO) -> int:
    """Runs the lines of a file that is no terminal; returns the exit code."""
    session.connect()
    console = Console(session)
    for line in file:
        if not console.run(line.rstrip(b"\n")):
            break
    return 0
