"""python -m rustypotato check DIR [--fix] [--json]."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence

from ..errors import RustyPotatoError
from .places import (
    DAMAGED,
    GOOD,
    RESULTS,
    TORN,
    Finding,
    Places,
    ToolError,
    add_names,
    check,
    fix,
    places_from,
    shown,
)
from .progress import Progress

EXIT_CODES = """\
exit codes: 0 = all is good (with --fix: now), 1 = something is wrong with the data,
            2 = it could not be looked at (usage, no such directory, permissions)
"""
SUMMARY = {
    GOOD: "all is good",
    TORN: "a torn tail: what a crash leaves of the last write",
    DAMAGED: "the data is not good",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rustypotato check",
        description="Reads a data directory and says what is wrong with it, where, and what to do.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dir", metavar="DIR", help="the data directory (setting `dir`)")
    parser.add_argument(
        "--fix",
        action="store_true",
        help="cut a torn tail, nothing else; what is cut stays beside the file. Not while a server "
        "uses the directory",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    add_names(parser)
    return parser


def _look(places: Places, quiet: bool) -> tuple[int, list[Finding]]:
    with Progress("checking", quiet=quiet) as progress:
        return check(places, progress)


def _cut(places: Places) -> list[Finding]:
    try:
        return fix(places)
    except RustyPotatoError as error:
        raise ToolError(str(error)) from None


def exit_code(result: int, findings: list[Finding]) -> int:
    """0, 1, or 2 when the only trouble is that something cannot be read."""
    if result == GOOD:
        return 0
    kinds = {finding.kind for finding in findings if finding.is_fault}
    return 2 if kinds == {"unreadable"} else 1


def main(argv: Sequence[str]) -> int:
    """Runs the tool; returns the exit code."""
    args = _parser().parse_args(argv)
    if not os.path.isdir(args.dir):
        raise ToolError(f"{args.dir}: there is no such directory", 2)
    places = places_from(args, args.dir)
    result, findings = _look(places, args.json)
    if not args.json:
        for finding in findings:
            print(finding.line(), flush=True)
    fixed: list[Finding] = []
    if args.fix and result == TORN:
        fixed = _cut(places)
        result, after = _look(places, args.json)
        findings = findings if args.json else after
    if args.json:
        report = {
            "result": RESULTS[result],
            "findings": [finding.as_dict() for finding in findings],
            "fixed": [finding.as_dict() for finding in fixed],
        }
        print(json.dumps(report, indent=2))
    else:
        for finding in fixed:
            print(finding.line())
        if args.fix and result == DAMAGED:
            print("nothing was cut: only a torn tail may be")
        print(f"{shown(places.dir)}: {SUMMARY[result]}")
    return exit_code(result, findings)
