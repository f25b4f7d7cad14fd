"""rustypotato cli: redis-cli's command line, for any Redis-compatible server.

    options.py   the table of options and its parser       usage.py     --help, from that table
    session.py   a connection that runs and prints         printing.py  replies as bytes
    words.py     words of a line, texts in quotes          lines.py     commands from lines
    prompt.py    the interactive prompt (prompt_toolkit)   history.py   what is kept of it
    docs.py      COMMAND DOCS as a table                   hints.py     what may follow a line
    pipe.py scan.py bigkeys.py stat.py latency.py eval.py  the other modes

A single command must start fast: what only one mode needs is imported by that mode.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from .. import _core
from .options import HelpAsked, Options, UsageError, VersionAsked, parse
from .session import ErrorReply, Session, complain
from .words import unquote


def main(argv: Sequence[str]) -> int:
    """Runs the client; argv is what stands behind `cli`. Returns the exit code."""
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)  # to end quietly, as `cli ... | head` does
    try:
        options = parse(argv, sys.stdout.isatty())
        if options.ask_password:
            _ask_password(options)
        return _run(options)
    except HelpAsked:
        from .usage import usage

        print(usage(), end="")
        return 0
    except VersionAsked:
        print(f"rustypotato cli {_core.__version__} (speaks as redis-cli {_core.redis_version})")
        return 0
    except UsageError as error:
        complain(str(error))
        return 1
    except ErrorReply as error:
        complain(str(error))
        return 1


def _ask_password(options: Options) -> None:
    import getpass

    options.address.password = getpass.getpass("Please input password: ")


def _run(options: Options) -> int:
    session = Session(options)
    try:
        return _run_session(session)
    finally:
        session.close()


def _run_session(session: Session) -> int:
    if session.options.mode:
        return _run_mode(session)
    if session.options.words:
        return _run_command(session)
    from .lines import run_lines

    if sys.stdin.isatty():
        return _run_prompt(session)
    return run_lines(session, sys.stdin.buffer)


def _run_prompt(session: Session) -> int:
    try:
        from .prompt import run_prompt
    except ImportError as error:
        complain(
            f"The prompt needs the Python package prompt_toolkit ({error}): pip install "
            "prompt_toolkit. Commands as arguments or on standard input work without it."
        )
        return 1
    return run_prompt(session)


def _run_mode(session: Session) -> int:
    mode = session.options.mode
    if mode == "intrinsic-latency":
        from .latency import run_intrinsic

        return run_intrinsic(session.options.seconds)
    if not session.connect():
        return 1
    from . import bigkeys, eval, latency, pipe, scan, stat

    modes = {
        "pipe": pipe.run_pipe,
        "scan": scan.run_scan,
        "bigkeys": bigkeys.run_bigkeys,
        "memkeys": bigkeys.run_memkeys,
        "hotkeys": bigkeys.run_hotkeys,
        "stat": stat.run_stat,
        "latency": latency.run_latency,
        "latency-history": latency.run_history,
        "latency-dist": latency.run_spectrum,
        "eval": eval.run_eval,
    }
    return modes[mode](session)


def _run_command(session: Session) -> int:
    options = session.options
    words: list[bytes] = []
    for word in options.words:
        taken = unquote(word) if options.quoted_input else word
        if taken is None:
            print("Invalid quoted string")
            return 1
        words.append(taken)
    if options.stdin_last:
        words.append(sys.stdin.buffer.read())
    elif options.stdin_tag is not None:
        if options.stdin_tag not in words:
            complain("Using -X option but stdin tag not match.")
            return 1
        words[words.index(options.stdin_tag)] = sys.stdin.buffer.read()
    if words[0].lower() in (b"help", b"?"):
        from .docs import show_help

        show_help(session, words[1:])
        return 0
    return 0 if session.issue(words, options.repeat) else 1
