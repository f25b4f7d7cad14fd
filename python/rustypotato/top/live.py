"""The loop of `top`: read, draw, wait for a key or the next turn."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from ..monitor import reading
from ..monitor.reading import Call, Moment, Run
from . import SORTS
from .view import SLOW_SHOWN, Frame, draw


class Source:
    """Reads a server; keeps the reading before, for rates."""

    def __init__(self, run: Run, name: str) -> None:
        self._call = Call(run)
        self.name = name
        self._before: Moment | None = None

    def forget(self) -> None:
        self._before = None

    def read(self) -> Frame:
        after = reading.read_moment(self._call)
        before, self._before = self._before or after, after
        slowlog = reading.read_slowlog(self._call, SLOW_SHOWN)
        not_ready = reading.refusal(self._call, after.info)
        return Frame(self.name, before, after, slowlog, not_ready)


def print_once(source: Source, sort: str) -> None:
    """One frame as plain lines, as wide as the terminal or COLUMNS say."""
    console = Console()
    console.print(draw(source.read(), sort, console.width, None))


@contextmanager
def _single_keys() -> Iterator[bool]:
    """Keys arrive at once and are not shown. Yields False if standard input is no terminal."""
    if not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield True
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _key(keys: bool, seconds: float) -> str:
    """Waits for a key so long; "" if none came."""
    if not keys:
        time.sleep(seconds)
        return ""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    if not ready:
        return ""
    data = os.read(sys.stdin.fileno(), 16)
    return data.decode(errors="ignore")[:1].lower() if data else "q"  # the terminal went away


def run(source: Source, interval_s: float, sort: str) -> None:
    """Draws until q."""
    console = Console()
    with _single_keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        next_at = time.monotonic()
        frame = source.read()
        while True:
            live.update(draw(frame, sort, *console.size), refresh=True)
            key = _key(keys, max(0.0, next_at + interval_s - time.monotonic()))
            if key == "q":
                return
            if key == "s":
                sort = SORTS[(SORTS.index(sort) + 1) % len(SORTS)]
            if key == "r":
                source.forget()
            if time.monotonic() >= next_at + interval_s or key == "r":
                next_at = time.monotonic()
                frame = source.read()
