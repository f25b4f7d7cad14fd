"""rustypotato cli --help, from the table of options."""

from __future__ import annotations

from .options import ROWS

HEAD = """\
Usage: rustypotato cli [options] [command [argument ...]]

Runs one command, or many from a prompt or standard input, on any Redis-compatible server. Options,
output and exit codes are redis-cli's. Options end where the command begins.
"""
TAIL = """
Environment: REDISCLI_AUTH (password), RUSTYPOTATO_HISTFILE, REDISCLI_HISTFILE (history of the
prompt, default ~/.rustypotato_history), REDISCLI_RCFILE (":set nohints", default ~/.redisclirc).

Examples:
  rustypotato cli -p 7000 SET greeting hello EX 60
  rustypotato cli -u rediss://user:password@example.com/2 --json HGETALL user:1
  cat picture.png | rustypotato cli -x SET picture
  rustypotato cli -r -1 -i 1 INFO memory | grep used_memory_human
  rustypotato cli --scan --pattern 'user:*'
  rustypotato cli --pipe < commands.resp

exit codes: 0 = done, 1 = no connection, wrong usage, with -e an error reply
"""
_COLUMN = 26


def usage() -> str:
    """The whole text."""
    lines = [HEAD]
    for row in ROWS:
        left = "  " + ", ".join(row.names.split()) + (f" {row.value}" if row.value else "")
        gap = " " * max(2, _COLUMN - len(left))
        lines.append(f"{left}{gap}{row.help}\n")
    return "".join(lines) + TAIL
