"""--eval FILE key ... , arg ...: a Lua script from a file."""

from __future__ import annotations

from .session import Session, complain


def run_eval(session: Session) -> int:
    """Returns the exit code."""
    path = session.options.file
    try:
        with open(path, "rb") as file:
            script = file.read()
    except OSError as error:
        complain(f"Can't open file '{path}': {error.strerror}")
        return 1
    words = session.options.words
    comma = words.index(b",") if b"," in words else len(words)
    keys, args = words[:comma], words[comma + 1 :]
    return 0 if session.issue([b"EVAL", script, b"%d" % len(keys), *keys, *args]) else 1
