"""Where things are in a data directory, and what a check found there."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from .. import _core

LOCK_NAME = "rustypotato.lock"  # as in csrc/persist/dir_lock.h
GOOD, TORN, DAMAGED = 0, 1, 2
RESULTS = {GOOD: "good", TORN: "torn", DAMAGED: "damaged"}


def shown(text: str) -> str:
    """A name for people: whatever it holds, one line of text."""
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(escaped)


class ToolError(Exception):
    """Ends a tool with one line on standard error.

    Attributes:
        code: the exit code.
    """

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Places:
    """A data directory and the names of the settings in it."""

    dir: str
    appenddirname: str = "appendonlydir"
    appendfilename: str = "appendonly.aof"
    dbfilename: str = "dump.rdb"

    @property
    def log_dir(self) -> str:
        return os.path.join(self.dir, self.appenddirname)

    @property
    def manifest(self) -> str:
        return os.path.join(self.log_dir, self.appendfilename + ".manifest")

    @property
    def snapshot(self) -> str:
        return os.path.join(self.dir, self.dbfilename)

    def at(self, directory: str) -> Places:
        """The same names elsewhere."""
        return replace(self, dir=directory)

    def raw(self) -> tuple[bytes, bytes, bytes, bytes]:
        fields = (self.dir, self.appenddirname, self.appendfilename, self.dbfilename)
        a, b, c, d = (os.fsencode(field) for field in fields)
        return a, b, c, d


@dataclass(frozen=True)
class Finding:
    """What a check says of one file.

    Attributes:
        kind: "ok", "torn tail", "checksum", "syntax", "missing", "unreadable" or "note".
        file: its path.
        offset: in bytes, None: of the file as a whole.
        text: what was found.
        advice: what to do, or "".
    """

    kind: str
    file: str
    offset: int | None
    text: str
    advice: str

    @property
    def is_fault(self) -> bool:
        return self.kind not in ("ok", "note")

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def line(self) -> str:
        where = "" if self.offset is None else f" at byte {self.offset}"
        text = f"{self.kind:<11}{shown(self.file)}{where}: {self.text}"
        return f"{text}\n{'':11}what to do: {self.advice}" if self.advice else text


def _findings(raw: list[tuple[str, str, int, str, str]]) -> list[Finding]:
    return [
        Finding(kind, file, None if offset < 0 else offset, text, advice)
        for kind, file, offset, text, advice in raw
    ]


def check(
    places: Places, progress: Callable[[int, int], None] | None = None
) -> tuple[int, list[Finding]]:
    """Reads everything. Returns GOOD, TORN or DAMAGED and at least one finding for each file."""
    result, raw = _core.check_files(places.raw(), progress)
    return result, _findings(raw)


def fix(places: Places) -> list[Finding]:
    """Cuts a torn tail; returns a note for each cut. Raises ServeError when it must not."""
    return _findings(_core.fix_files(places.raw()))


def log_files(places: Places) -> list[str]:
    """Names of base and increments as the manifest has them, [] without a log."""
    return [name for name, kind in _core.log_files(places.raw()) if kind != "h"]


def add_names(parser: argparse.ArgumentParser) -> None:
    """The settings that name things in a data directory."""
    names = parser.add_argument_group("names in the directory, if they were changed in redis.conf")
    names.add_argument("--appenddirname", default=Places.appenddirname, metavar="NAME")
    names.add_argument("--appendfilename", default=Places.appendfilename, metavar="NAME")
    names.add_argument("--dbfilename", default=Places.dbfilename, metavar="NAME")


def places_from(args: argparse.Namespace, directory: str) -> Places:
    """The places that the flags speak of. The log's own directory stands for the one it is in."""
    directory = os.path.normpath(directory)
    places = Places(directory, args.appenddirname, args.appendfilename, args.dbfilename)
    if os.path.exists(os.path.join(directory, places.appendfilename + ".manifest")):
        parent, name = os.path.split(os.path.abspath(directory))
        return replace(places, dir=parent, appenddirname=name)
    return places
