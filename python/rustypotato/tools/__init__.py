"""Tools for data directories: python -m rustypotato check | backup | restore.

    check DIR         is everything in it readable and whole? --fix cuts a torn tail
    backup DEST       a verified copy of a directory or of a running server
    restore SRC DIR   puts such a copy where a server is to start

Exit codes: 0 = good, done; 1 = the data is not good, or it was refused or failed; 2 = the question
could not be asked: wrong usage, no such directory, no permission.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

NAMES = ("check", "backup", "restore")


def run(argv: Sequence[str]) -> int:
    """Runs the tool that argv[0] names; returns the exit code."""
    from . import backup, check, restore
    from .places import ToolError

    main = {"check": check.main, "backup": backup.main, "restore": restore.main}[argv[0]]
    try:
        return main(argv[1:])
    except ToolError as error:
        return _fail(argv[0], str(error), error.code)
    except OSError as error:
        return _fail(argv[0], str(error), 1)
    except KeyboardInterrupt:
        return _fail(argv[0], "interrupted", 130)


def _fail(name: str, text: str, code: int) -> int:
    text = text.encode(errors="backslashreplace").decode()  # of names that are no text
    print(f"rustypotato {name}: {text}", file=sys.stderr)
    return code
