"""--scan, and the walk over all keys that the other modes share."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from ..wire.connection import Connection, WireError
from ..wire.resp import Reply, encode
from .options import Options
from .printing import STANDARD
from .session import Session, complain, write
from .words import quoted

_SHOW_EVERY_S = 0.1
_ASK_MAX = 500  # commands sent before their replies are read
_PAUSE_EVERY = 100  # SCANs, for the modes that look at each key


class ScanError(Exception):
    """The walk cannot go on; the text is the line to show."""


class Progress:
    """How far a walk is: one line on standard error, which must be a terminal that does not show
    the results, too."""

    def __init__(self, total: int, with_output: bool = False) -> None:
        self.total = total
        self.is_shown = self.can_be_shown(with_output)
        self._last = time.monotonic()
        self._is_dirty = False

    @staticmethod
    def can_be_shown(with_output: bool = False) -> bool:
        return sys.stderr.isatty() and (with_output or not sys.stdout.isatty())

    def __call__(self, done: int) -> None:
        if not self.is_shown or time.monotonic() - self._last < _SHOW_EVERY_S:
            return
        self._last = time.monotonic()
        self._is_dirty = True
        share = min(100.0, 100 * done / self.total) if self.total else 0.0
        bar = "#" * int(share / 2.5)
        text = f"\r\x1b[K[{bar:<40}] {share:5.1f} %  {done} of {self.total} keys"
        print(text, end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Before anything else is printed, and at the end."""
        if self._is_dirty:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_dirty = False


class Walk:
    """SCAN from the first to the last key, in batches. The first Ctrl-C ends it in order.

    Attributes:
        is_cut: Ctrl-C came.
        pause_every: batches between pauses (-i).
    """

    def __init__(self, session: Session, pause_every: int = _PAUSE_EVERY) -> None:
        assert session.conn is not None
        self.conn: Connection = session.conn
        self.options: Options = session.options
        self.pause_every = pause_every
        self.is_cut = False
        signal.signal(signal.SIGINT, self._cut)

    def _cut(self, number: int, frame: FrameType | None) -> None:
        self.is_cut = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def total(self) -> int:
        """DBSIZE."""
        reply = self.conn.call("DBSIZE")
        if reply.kind != ":":
            raise ScanError(f"Couldn't determine DBSIZE: {reply.text()}")
        return int(reply.value)

    def __iter__(self) -> Iterator[list[bytes]]:
        cursor, loops = b"0", 0
        while not self.is_cut:
            cursor, keys = self._scan(cursor)
            loops += 1
            yield keys
            if self.options.interval_s and loops % self.pause_every == 0:
                time.sleep(self.options.interval_s)
            if cursor == b"0":
                return

    def _scan(self, cursor: bytes) -> tuple[bytes, list[bytes]]:
        words: list[bytes] = [b"SCAN", cursor]
        if self.options.pattern is not None:
            words += [b"MATCH", self.options.pattern]
        if self.options.count is not None:
            words += [b"COUNT", b"%d" % self.options.count]
        if self.options.key_type is not None:
            words += [b"TYPE", self.options.key_type]
        reply = self.conn.call(*words)
        if reply.is_error:
            raise ScanError(f"SCAN error: {reply.text()}")
        if reply.kind != "*" or len(reply.value) != 2 or reply.value[1].kind != "*":
            raise ScanError("Invalid reply from SCAN!")
        return reply.value[0].value, [key.value for key in reply.value[1].value]

    def ask(self, commands: list[list[bytes]]) -> list[Reply]:
        """The replies of a pipeline, in parts: a server may stop to read while nobody reads."""
        replies: list[Reply] = []
        for at in range(0, len(commands), _ASK_MAX):
            part = commands[at : at + _ASK_MAX]
            self.conn.send_bytes(b"".join(map(encode, part)))
            replies += [self.conn.answer() for _ in part]
        return replies


def guarded(job: Callable[[], None]) -> int:
    """Runs a walk; returns the exit code: 1 after one line about why it could not go on."""
    try:
        job()
    except ScanError as error:
        complain(str(error))
        return 1
    except WireError as error:
        complain(f"Error: {error}")
        return 1
    return 0


def _print_keys(session: Session) -> None:
    walk = Walk(session, pause_every=1)
    is_standard = session.options.style.mode == STANDARD
    done = 0
    progress = Progress(walk.total()) if Progress.can_be_shown() else None
    for keys in walk:
        done += len(keys)
        text = b"".join([(quoted(key) if is_standard else key) + b"\n" for key in keys])
        if sys.stdout.isatty() or session.options.interval_s:
            write(text)
        else:
            sys.stdout.buffer.write(text)  # many small batches: not a write(2) for each
        if progress:
            progress(done)
    sys.stdout.flush()
    if progress:
        progress.clear()


def run_scan(session: Session) -> int:
    """Prints the keys; returns the exit code."""
    return guarded(lambda: _print_keys(session))
