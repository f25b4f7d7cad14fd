"""A connection that runs commands and prints their replies, and what the prompt knows of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from ..wire.connection import Connection, WireError
from ..wire.resp import Reply
from .options import Options
from .printing import RAW, STANDARD, shown

FOREVER = -1
# Their replies are texts to be read: printed as they are, in every style.
_VERBATIM_ALWAYS = {b"info", b"lolwut"}
_VERBATIM = {
    (b"debug", b"htstats"),
    (b"debug", b"htstats-key"),
    (b"debug", b"client-eviction"),
    (b"memory", b"malloc-stats"),
    (b"memory", b"doctor"),
    (b"client", b"list"),
    (b"client", b"info"),
    (b"proxy", b"info"),
}
_VERBATIM_EXACT = {  # with that many words only
    (b"cluster", b"nodes"): 2,
    (b"cluster", b"info"): 2,
    (b"latency", b"graph"): 3,
    (b"latency", b"doctor"): 2,
}
SUBSCRIBES = {b"subscribe", b"psubscribe", b"ssubscribe"}
_READING = b"Reading messages... (press Ctrl-C to quit)\n"


def complain(text: str) -> None:
    """One line on standard error, after what standard output has."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def write(data: bytes) -> None:
    """To standard output, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def is_verbatim(words: Sequence[bytes]) -> bool:
    """Whether the reply of a command is printed as it is."""
    name = words[0].lower()
    if name in _VERBATIM_ALWAYS:
        return True
    if len(words) < 2:
        return False
    pair = (name, words[1].lower())
    return pair in _VERBATIM or _VERBATIM_EXACT.get(pair) == len(words)


class ErrorReply(Exception):
    """An error reply that ends the program (-e)."""


class Session:
    """One at a time; not thread-safe.

    Attributes:
        conn: None while there is no connection.
        db: the selected database. wanted_db: the one to select after a reconnection.
        in_multi: between MULTI and EXEC.
        interactive: commands come from a prompt or standard input: a lost connection is told and
            made again with the next command.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.address = options.address
        self.conn: Connection | None = None
        self.db = 0
        self.wanted_db = options.address.db
        self.in_multi = False
        self.interactive = False
        self._typed_login: tuple[str | None, str] | None = None  # by AUTH, for a reconnection
        self._before_multi_db = 0
        self._asking = False
        self._redirected = False

    # ---- connecting ----

    def connect(self, quiet: bool = False) -> bool:
        """Connects anew and logs in; what fails is said on standard error.

        Returns False when there is no connection, also when the database cannot be selected: a
        command must not run in another one. Without a login the server itself refuses.
        """
        self.close()
        try:
            self.conn = Connection(self.address)
        except WireError as error:
            if not quiet:
                complain(f"Could not connect to Redis at {self.address}: {error}")
            return False
        try:
            self._login()
            if self._select():
                self._switch_protocol()
                return True
        except WireError as error:
            complain(f"Error: {error}")
        self.close()
        return False

    def close(self) -> None:
        if self.conn is not None:
            self.conn.close()
        self.conn = None
        self.db, self.in_multi = 0, False

    def _command(self, *words: bytes | str) -> Reply:
        assert self.conn is not None
        return self.conn.call(*words)

    def forget_login(self) -> None:
        """Before another server: it must not see a password that was typed for this one."""
        self._typed_login = None

    def _login(self) -> None:
        user, password = self._typed_login or (self.address.user, self.address.password)
        if password is None:
            return
        words = [os.fsencode(word) for word in (user, password) if word is not None]
        reply = self._command("AUTH", *words)
        if reply.is_error:
            complain(f"AUTH failed: {reply.text()}")

    def _select(self) -> bool:
        if self.db == self.wanted_db:
            return True
        reply = self._command("SELECT", str(self.wanted_db))
        if reply.is_error:
            complain(f"SELECT {self.wanted_db} failed: {reply.text()}")
            return False
        self.db = self.wanted_db
        return True

    def _switch_protocol(self) -> None:
        if self.options.protocol != 3:
            return
        reply = self._command("HELLO", "3")
        if reply.is_error:
            complain(f"HELLO 3 failed: {reply.text()}")

    # ---- running ----

    def issue(self, words: Sequence[bytes], repeat: int = 1) -> bool:
        """Runs a command `repeat` times and prints its replies; follows redirections.

        Returns False when there is no connection or it was lost (said on standard error).
        """
        while True:
            if (self.conn is None or self._redirected) and not self.connect():
                self._redirected = False
                return False
            self._redirected = False
            try:
                if self._asking:
                    self._asking = False
                    self._command("ASKING")
                self._run(words, repeat)
            except WireError as error:
                self.close()
                complain(f"Error: {error}")
                return False
            if not self._redirected:
                return True

    def _run(self, words: Sequence[bytes], repeat: int) -> None:
        assert self.conn is not None
        name = words[0].lower()
        while repeat != 0:
            if repeat > 0:
                repeat -= 1
            self.conn.send(*words)
            if name == b"monitor":
                self._stream(in_band=False)
                return
            if name in SUBSCRIBES:
                if self.options.style.mode != RAW:
                    write(_READING)
                self._stream(in_band=True)
                return
            try:
                reply = self._show_answer(is_verbatim(words))
            except WireError:
                if name != b"shutdown":
                    raise
                self.close()
                return
            if self._redirected:
                return
            self._follow(name, words, reply)
            if self.options.interval_s:
                time.sleep(self.options.interval_s)

    def _stream(self, in_band: bool) -> None:
        """Prints what comes until an error reply, the end or Ctrl-C."""
        try:
            while not self._show_answer(False, in_band).is_error:
                pass
        except KeyboardInterrupt:
            if not self.interactive:
                raise
            write(b"\n")
            self.connect()

    def _answer(self, in_band: bool) -> Reply:
        """The next reply; pushes in between are shown or dropped, unless they are the answer."""
        assert self.conn is not None
        while True:
            reply = self.conn.read()
            if reply.kind != ">" or in_band:
                return reply
            if self.options.show_pushes:
                write(self._push_text(reply))

    def _push_text(self, reply: Reply) -> bytes:
        items = reply.value
        if (
            self.options.style.mode == STANDARD
            and len(items) == 2
            and items[0].value == b"invalidate"
            and items[1].kind == "*"
        ):
            keys = b", ".join(b"'" + key.value + b"'" for key in items[1].value)
            return b"-> invalidate: " + keys + b"\n"
        return shown(reply, self.options.style)

    def _show_answer(self, verbatim: bool, in_band: bool = False) -> Reply:
        reply = self._answer(in_band)
        if reply.is_error:
            if self.options.cluster and self._redirect(reply.text()):
                return reply
            if self.options.error_exit and not self.interactive:
                raise ErrorReply(reply.text())
        write(shown(reply, self.options.style, verbatim))
        return reply

    def _redirect(self, text: str) -> bool:
        """Takes "MOVED slot host:port" and "ASK slot host:port" as the next place to connect to."""
        kind, _, rest = text.partition(" ")
        slot, _, place = rest.partition(" ")
        host, colon, port = place.rpartition(":")
        if kind not in ("MOVED", "ASK") or not colon or not port.isdigit():
            return False
        self.address.host = host or self.address.host
        self.address.port = int(port)
        if self.interactive:
            where = f"{self.address.host}:{self.address.port}"
            write(f"-> Redirected to slot [{slot}] located at {where}\n".encode())
        self._redirected, self._asking = True, kind == "ASK"
        return True

    def _follow(self, name: bytes, words: Sequence[bytes], reply: Reply) -> None:
        """Keeps what the prompt shows in step with the command that ran."""
        alone, good = len(words) == 1, not reply.is_error
        if name == b"select" and len(words) == 2 and good:
            self.wanted_db = self.db = int(words[1]) if words[1].isdigit() else 0
        elif name == b"auth" and len(words) in (2, 3):
            if good:
                user = os.fsdecode(words[1]) if len(words) == 3 else None
                self._typed_login = (user, os.fsdecode(words[-1]))
            self._select()
        elif name == b"multi" and alone and good:
            self.in_multi, self._before_multi_db = True, self.db
        elif name == b"exec" and alone and self.in_multi:
            self.in_multi = False
            if not good or reply.kind == "_":
                self.wanted_db = self.db = self._before_multi_db
        elif name == b"discard" and alone and good:
            self.in_multi = False
            self.wanted_db = self.db = self._before_multi_db
        elif name == b"reset" and alone and good:
            self.in_multi, self.db, self.wanted_db = False, 0, 0
            self.forget_login()
