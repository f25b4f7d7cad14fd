"""Progress on standard error: a bar of `rich` on a terminal, else a plain line now and then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

_PLAIN_EVERY_S = 5.0


def size_text(count: float) -> str:
    """1234567 -> "1.2 MB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _rich_bar() -> Any | None:
    if not sys.stderr.isatty():
        return None
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        return None
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[amount]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class Progress:
    """with Progress("copying") as progress: progress(done, total), as often as you like.

    Args:
        what: the word in front.
        unit: what is counted; None: bytes.
        quiet: show nothing.
    """

    def __init__(self, what: str, unit: str | None = None, quiet: bool = False) -> None:
        self.what = what
        self.unit = unit
        self.quiet = quiet
        self._bar = None if quiet else _rich_bar()
        self._task: Any = None
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self.what, total=None, amount="")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(
                self._task, completed=done, total=total or None, amount=self._text(done, total)
            )
        elif not self.quiet and time.monotonic() - self._last >= _PLAIN_EVERY_S:
            self._last = time.monotonic()
            percent = f"{100 * done // total} %, " if total else ""
            print(f"{self.what}: {percent}{self._text(done, total)}", file=sys.stderr, flush=True)

    def _text(self, done: int, total: int) -> str:
        if self.unit is not None:
            return f"{done} of {total} {self.unit}"
        return f"{size_text(done)} of {size_text(total)}"
