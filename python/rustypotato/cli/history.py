"""The history of the prompt: a file of lines, as redis-cli's, that holds no secrets."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prompt_toolkit.history import History

from .words import BadQuotes, quoted, split

LINES_MAX = 1000  # kept when the file is read
_READ_MAX = 4 << 20  # bytes of the file's end that are looked at

_SECRET_SETTINGS = ("requirepass", "masterauth", "masteruser")
_SECRET_ENDS = ("pass", "auth", "password")


def path_of_history() -> str | None:
    """RUSTYPOTATO_HISTFILE, REDISCLI_HISTFILE, else ~/.rustypotato_history. None: /dev/null."""
    path = os.environ.get("RUSTYPOTATO_HISTFILE") or os.environ.get("REDISCLI_HISTFILE")
    path = path or os.path.expanduser("~/.rustypotato_history")
    return None if path == os.devnull else path


def _words(line: str) -> list[str]:
    raw = os.fsencode(line)
    try:
        words = split(raw)
    except BadQuotes:
        words = raw.replace(b'"', b" ").replace(b"'", b" ").split()
    return [os.fsdecode(word).lower() for word in words]


def _names_secret(name: str) -> bool:
    return name in _SECRET_SETTINGS or name.endswith(_SECRET_ENDS)


def is_secret(line: str) -> bool:
    """Whether a line holds a password, or may hold one."""
    words = _words(line)
    if words and words[0].lstrip("+-").isdigit():
        words = words[1:]
    if not words:
        return False
    name, rest = words[0], words[1:]
    if name == "auth":
        return True
    if name == "acl":
        return rest[:1] in (["setuser"], ["getuser"], ["deluser"])
    if name == "config":
        return rest[:1] == ["set"] and any(map(_names_secret, rest[1::2]))
    if name in ("hello", "migrate"):
        return "auth" in rest or "auth2" in rest
    if name == "sentinel":
        return any(word.endswith(("-pass", "-user")) for word in rest)
    return False


def one_line(text: str) -> str:
    r"""A command that was typed over several lines, with its line ends as \n."""
    if "\n" not in text:
        return text
    try:
        return os.fsdecode(b" ".join(quoted(word) for word in split(os.fsencode(text))))
    except BadQuotes:
        return text.replace("\n", " ")


class LineHistory(History):
    """One line a command, newest last. What cannot be read or written is not kept, silently: the
    prompt must work in a read-only home, too."""

    def __init__(self, path: str | None) -> None:
        super().__init__()
        self.path = path

    def append_string(self, string: str) -> None:
        """Secrets are not even kept in memory, where the arrow keys would show them."""
        line = one_line(string.strip())
        if not line or is_secret(line):
            return
        strings = self.get_strings()
        if not strings or strings[-1] != line:
            super().append_string(line)

    def load_history_strings(self) -> Iterable[str]:
        """The newest first."""
        lines = self._read()
        if len(lines) > 2 * LINES_MAX:
            self._write("wb", lines[-LINES_MAX:])
        return reversed([os.fsdecode(line) for line in lines[-LINES_MAX:]])

    def _read(self) -> list[bytes]:
        if self.path is None:
            return []
        try:
            with open(self.path, "rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - _READ_MAX))
                return [line for line in file.read().splitlines() if line]
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        self._write("ab", [os.fsencode(string)])

    def _write(self, mode: str, lines: list[bytes]) -> None:
        if self.path is None:
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if mode == "ab" else os.O_TRUNC)
            with os.fdopen(os.open(self.path, flags, 0o600), mode) as file:
                file.write(b"".join(line + b"\n" for line in lines))
        except OSError:
            pass
