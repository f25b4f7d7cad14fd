"""A program in a pseudo-terminal, and what its screen shows: pexpect drives it, pyte is the screen.

Tests wait for what a person would see, not for the bytes that draw it.
"""

from __future__ import annotations

import os
import re
import time

import pexpect
import pyte

from tools.wait import SCALE

ROWS, COLUMNS = 40, 120
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"


class Terminal:
    """with Terminal([program, ...]) as terminal: terminal.type("PING\\r"); terminal.sees("PONG")"""

    def __init__(
        self,
        argv: list[str],
        env: dict[str, str] | None = None,
        columns: int = COLUMNS,
        rows: int = ROWS,
    ) -> None:
        full = {
            **(os.environ if env is None else env),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody answers where the cursor is
        }
        for name in ("COLUMNS", "LINES"):  # pytest-xdist sets them: the terminal's size counts
            full.pop(name, None)
        self.child = pexpect.spawn(
            argv[0], argv[1:], env=full, dimensions=(rows, columns), timeout=10 * SCALE
        )
        self.child.delaybeforesend = None
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.child.close(force=True)

    def type(self, text: str) -> None:
        self.child.send(text)

    def lines(self) -> list[str]:
        """What is on the screen, without empty lines at the end."""
        text = "\n".join(line.rstrip() for line in self.screen.display).rstrip()
        return text.split("\n")

    def last(self) -> str:
        return self.lines()[-1]

    def _pump(self, seconds: float) -> bool:
        """Takes output; False at the end of the program."""
        try:
            data = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self.stream.feed(data)
        return True

    def until(self, condition, what: str, deadline_s: float = 15) -> None:
        """Takes output until condition() holds."""
        end = time.monotonic() + deadline_s * SCALE
        while not condition():
            alive = self._pump(0.05)
            if condition():
                return
            shown = "\n".join(self.lines())
            assert alive, f"the program ended; never seen: {what}\n{shown}"
            assert time.monotonic() < end, f"not seen: {what}\n{shown}"

    def sees(self, text: str) -> None:
        """Waits until the text stands on the screen."""
        text = text.rstrip()  # as the lines are
        self.until(lambda: text in "\n".join(self.lines()), repr(text))

    def sees_match(self, pattern: str, deadline_s: float = 15) -> str:
        """Waits until the pattern is found on the screen; what is there then."""
        self.until(lambda: re.search(pattern, "\n".join(self.lines())), pattern, deadline_s)
        return "\n".join(self.lines())

    def sees_last(self, text: str) -> None:
        """Waits until the last line is that text."""
        self.until(lambda: self.last() == text.rstrip(), f"last line {text!r}")

    def sees_no(self, text: str) -> None:
        self.until(lambda: text not in "\n".join(self.lines()), f"{text!r} to go away")

    def ends(self) -> int:
        """Waits for the end of the program; its exit code, or -signal."""
        end = time.monotonic() + 15 * SCALE
        while self._pump(0.05):
            assert time.monotonic() < end, "still running\n" + "\n".join(self.lines())
        self.child.close()
        status = self.child.exitstatus
        return status if status is not None else -(self.child.signalstatus or 0)
