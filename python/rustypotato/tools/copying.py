"""Copies that are on the disk when they are said to be."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from .places import Places, ToolError, log_files

_PIECE = 1 << 20
_TRIES = 50


def sync_dir(path: str) -> None:
    """Makes creations and renames in a directory durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Meter:
    """Adds up what several copies have done."""

    def __init__(self, total: int, show: Callable[[int, int], None]) -> None:
        self.total = total
        self.done = 0
        self.show = show

    def add(self, count: int) -> None:
        self.done += count
        self.show(self.done, max(self.total, self.done))


def copy_open(source: BinaryIO, size: int, target: str, meter: Meter) -> None:
    """Copies `size` bytes of an open file (fewer if it ends) to a new file, durably."""
    with open(target, "xb") as out:
        while size > 0:
            piece = source.read(min(_PIECE, size))
            if not piece:
                break
            out.write(piece)
            size -= len(piece)
            meter.add(len(piece))
        out.flush()
        os.fsync(out.fileno())


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


# (name, open file, bytes to copy)
Opened = tuple[str, BinaryIO, int]


def _open(path: str, stack: ExitStack) -> BinaryIO:
    file: BinaryIO = stack.enter_context(open(path, "rb"))  # noqa: SIM115
    return file


def _open_named(places: Places, stack: ExitStack) -> list[Opened] | None:
    """The manifest and the files that it names; None: they changed meanwhile."""
    names = log_files(places)
    if not names:
        return []
    all_names = [places.appendfilename + ".manifest", *names]
    try:
        files = [_open(os.path.join(places.log_dir, name), stack) for name in all_names]
    except FileNotFoundError:
        if log_files(places) == names:
            raise
        return None
    if log_files(places) != names:
        return None
    sizes = [_size(file) for file in reversed(files)]
    return list(zip(all_names, files, reversed(sizes)))


def open_log(places: Places, stack: ExitStack) -> list[Opened]:
    """Manifest, base and increments as they belong together; [] without a log.

    A server may be writing meanwhile. What is open stays readable, even if a rewrite deletes it.
    Sizes are taken from the last file back to the first: so an earlier increment is never shorter
    than what a later one goes on from.
    """
    for _ in range(_TRIES):
        with ExitStack() as attempt:
            opened = _open_named(places, attempt)
            if opened is not None:
                stack.enter_context(attempt.pop_all())
                return opened
    raise ToolError(f"{places.log_dir}: the manifest changes faster than it can be read")


def copy_data(places: Places, target: str, show: Callable[[int, int], None]) -> bool:
    """Copies the log and the snapshot of a directory into `target`; False: there is neither.

    The manifest comes last: until then the copy says of itself that it is none.
    """
    to = places.at(target)
    with ExitStack() as stack:
        log = open_log(places, stack)
        snapshot: list[Opened] = []
        if os.path.exists(places.snapshot):
            file = _open(places.snapshot, stack)
            snapshot = [(places.dbfilename, file, _size(file))]
        meter = Meter(sum(size for _, _, size in log + snapshot), show)
        if log:
            os.mkdir(to.log_dir)
            for name, file, size in [*log[1:], log[0]]:
                copy_open(file, size, os.path.join(to.log_dir, name), meter)
            sync_dir(to.log_dir)
        for _, file, size in snapshot:
            copy_open(file, size, to.snapshot, meter)
        sync_dir(target)
        return bool(log or snapshot)


@contextmanager
def new_directory(path: str) -> Iterator[str]:
    """Yields a temporary directory that becomes `path` when all went well, else vanishes."""
    path = os.path.abspath(path)
    parent, name = os.path.split(path)
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise ToolError(f"{path}: it is there already: choose a new name")
    if not os.path.isdir(parent):
        raise ToolError(f"{parent}: there is no such directory")
    temporary = tempfile.mkdtemp(prefix=f".{name}.", suffix=".partial", dir=parent)
    try:
        yield temporary
        sync_dir(temporary)
        os.rename(temporary, path)
        sync_dir(parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
