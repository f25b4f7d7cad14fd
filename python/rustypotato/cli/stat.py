"""--stat: a line of INFO's main numbers, again and again."""

from __future__ import annotations

import re
import time

from .reconnect import call_again
from .session import Session, complain, write

_HEAD_EVERY = 20  # lines
_HEAD = (
    b"------- data ------ --------------------- load -------------------- - child -\n"
    b"keys       mem      clients blocked requests            connections          \n"
)
_CHILDREN = ("", "SAVE", "AOF", "SAVE+AOF", "LOAD")
_KEYS = re.compile(r"^db\d+:keys=(\d+)", re.MULTILINE)


def human(count: int) -> str:
    """1536 -> "1.50K"."""
    if count < 0:
        return "-" + human(-count)
    if count < 1024:
        return f"{count}B"
    size = float(count)
    for unit in "KMGT":
        size /= 1024
        if size < 1024 or unit == "T":
            break
    return f"{size:.2f}{unit}"


def stat_line(info: str, before: int) -> tuple[str, int]:
    """(the line, the number of commands so far).

    Args:
        before: that number of the last line; 0: this is the first one.
    """
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)

    def number(name: str) -> int:
        text = fields.get(name, "0")
        return int(text) if text.lstrip("-").isdigit() else 0

    keys = sum(map(int, _KEYS.findall(info)))
    requests = number("total_commands_processed")
    child = number("rdb_bgsave_in_progress") | number("aof_rewrite_in_progress") << 1
    child |= number("loading") << 2
    load = f"{requests} (+{requests - before if before else 0})"
    line = (
        f"{keys!s:<11}{human(number('used_memory')):<8} {number('connected_clients')!s:<8}"
        f"{number('blocked_clients')!s:<8}{load:<19} {number('total_connections_received')!s:<12}"
    )
    return line + (_CHILDREN[child] if child < len(_CHILDREN) else ""), requests


def run_stat(session: Session) -> int:
    """Never ends by itself; 1 when INFO is refused."""
    requests, lines = 0, 0
    while True:
        reply = call_again(session, b"INFO")
        if reply.is_error:
            complain(f"ERROR: {reply.text()}")
            return 1
        if lines % _HEAD_EVERY == 0:
            write(_HEAD)
        lines += 1
        line, requests = stat_line(reply.text(), requests)
        write(line.encode() + b"\n")
        time.sleep(session.options.interval_s or 1.0)
