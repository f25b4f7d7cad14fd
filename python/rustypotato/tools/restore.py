"""python -m rustypotato restore SRC DIR [--force]."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .. import _core
from ..errors import RustyPotatoError
from .copying import copy_data, sync_dir
from .places import (
    GOOD,
    LOCK_NAME,
    TORN,
    Places,
    ToolError,
    add_names,
    check,
    log_files,
    places_from,
)
from .progress import Progress

EPILOG = """\
DIR is where a server is to start (setting `dir`). It is refused while a server uses it, and when
there is something in it; with --force what is there moves to DIR/before-restore-<time> first.

exit codes: 0 = it is there, synced and checked, 1 = refused or failed, 2 = wrong usage
"""
IGNORED = {LOCK_NAME, "lost+found"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rustypotato restore",
        description="Puts a backup where a server is to start.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("src", metavar="SRC", help="a backup, or the data directory of a server")
    parser.add_argument("dir", metavar="DIR", help="the data directory to fill")
    parser.add_argument("--force", action="store_true", help="even if DIR is not empty")
    add_names(parser)
    return parser


def _verify(places: Places, what: str) -> None:
    with Progress("checking") as progress:
        result, findings = check(places, progress)
    if result == GOOD:
        return
    lines = "\n".join(finding.line() for finding in findings if finding.is_fault)
    hint = "\nrun `rustypotato check --fix` on it first" if result == TORN else ""
    raise ToolError(f"{what} is not good:\n{lines}{hint}")


@contextmanager
def locked(directory: str) -> Iterator[None]:
    """Holds the directory as a server would."""
    try:
        lock = _core.lock_dir(os.fsencode(directory))
    except RustyPotatoError as error:
        raise ToolError(str(error)) from None
    try:
        yield
    finally:
        _core.unlock_dir(lock)


def _make_room(directory: str, force: bool) -> None:
    there = sorted(set(os.listdir(directory)) - IGNORED)
    if not there:
        return
    if not force:
        raise ToolError(
            f"{directory}: it is not empty ({', '.join(there[:3])}{', ...' * (len(there) > 3)}): "
            "choose another one, or --force to move that aside"
        )
    aside = os.path.join(directory, time.strftime("before-restore-%Y%m%d-%H%M%S"))
    os.mkdir(aside)
    for name in there:
        os.rename(os.path.join(directory, name), os.path.join(aside, name))
    sync_dir(aside)
    sync_dir(directory)
    print(f"{aside}: holds what was in {directory} before")


def restore(source: Places, directory: str, force: bool) -> None:
    """Copies a backup into a directory that nobody uses."""
    if not os.path.isdir(source.dir):
        raise ToolError(f"{source.dir}: there is no such directory", 2)
    if os.path.realpath(source.dir) == os.path.realpath(directory):
        raise ToolError("SRC and DIR are the same directory", 2)
    _verify(source, "the backup")
    existed = os.path.isdir(directory)
    os.makedirs(directory, exist_ok=True)
    if not existed:
        sync_dir(os.path.dirname(os.path.abspath(directory)))
    with locked(directory):
        _make_room(directory, force)
        with Progress("copying") as progress:
            copy_data(source, directory, progress)
        _verify(source.at(directory), "what was copied")


def main(argv: Sequence[str]) -> int:
    """Runs the tool; returns the exit code."""
    args = _parser().parse_args(argv)
    source = places_from(args, args.src)
    restore(source, args.dir, args.force)
    mode = "yes" if log_files(source) else "no"
    print(f"{args.dir}: restored. Start with --dir {args.dir} --appendonly {mode}")
    return 0
