"""Draws one frame of `top` with rich."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..monitor import reading
from ..monitor.reading import CommandRow, Info, Moment, SlowEntry
from ..tools.places import shown
from ..tools.progress import size_text

_COMMANDS_SHOWN = 16
_DATABASES_SHOWN = 4
SLOW_SHOWN = 8
_TALL_ROWS = 34  # a narrow terminal with fewer shows two boxes
_BOX_ROWS = 9  # of the four boxes, borders included
_SLOW_WORDS, _SLOW_CHARACTERS = 8, 200


class Frame(NamedTuple):
    source: str
    before: Moment
    after: Moment
    slowlog: tuple[int, list[SlowEntry]] | None
    not_ready: str | None


def count_text(value: float) -> str:
    """1234567 -> "1.23M", 0.512 -> "0.5"."""
    for unit in ("", "k", "M", "G"):
        if abs(value) < 1000:
            digits = 1 if value < 10 and value != int(value) else 0
            return f"{value:.{digits}f}" if unit == "" else f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g}T"


def usec_text(usec: float | None) -> str:
    if usec is None:
        return "-"
    if usec < 1000:
        return f"{usec:.3g} µs"
    return f"{usec / 1000:.3g} ms" if usec < 1e6 else f"{usec / 1e6:.3g} s"


def span_text(seconds: float) -> str:
    """93784 -> "1d 2h"."""
    left = int(seconds)
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return " ".join(parts[:2]) or "0s"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    return grid


def _box(title: str, grid: Table) -> Panel:
    return Panel(grid, title=title, title_align="left", border_style="dim", height=_BOX_ROWS)


def _field(info: Info, name: str, default: str = "?") -> str:
    """What the server says of itself; any server may be on the other end."""
    return shown(info.text(name, default))


def _head(frame: Frame) -> RenderableType:
    info = frame.after.info
    own = _field(info, "rustypotato_version", "")
    what = f"RustyPotato {own}" if own else f"Redis {_field(info, 'redis_version')}"
    ops = reading.rate(frame.before, frame.after, "total_commands_processed")
    line = Text.assemble(
        (f" {what} ", "bold reverse"),
        f"  {shown(frame.source)}  up {span_text(info.number('uptime_in_seconds'))}  ",
        f"{_field(info, 'role')}  ",
        (f"{count_text(ops)} ops/s", "bold cyan"),
    )
    if frame.not_ready is not None:
        line.append(f"  not ready: {shown(frame.not_ready)}", "bold red")
    return line


def _command_rows(frame: Frame, sort: str) -> list[CommandRow]:
    """The first ones in that order."""
    order: dict[str, Callable[[CommandRow], Any]] = {
        "rate": lambda row: (-row.per_s, -row.calls),
        "calls": lambda row: -row.calls,
        "time": lambda row: (-row.per_s * row.mean_usec, -row.calls * row.mean_usec),
        "name": lambda row: row.name,
    }
    rows = reading.command_rows(frame.before, frame.after)
    return sorted(rows, key=order[sort])[:_COMMANDS_SHOWN]


def _commands(frame: Frame, sort: str, rows: int) -> RenderableType:
    table = Table(expand=True, box=None, padding=(0, 1), header_style="dim")
    mark = {sort: " ▾"}
    table.add_column("command" + mark.get("name", ""), no_wrap=True, style="cyan")
    table.add_column("ops/s" + mark.get("rate", ""), justify="right", no_wrap=True)
    table.add_column("", ratio=1, min_width=6)
    table.add_column("calls" + mark.get("calls", ""), justify="right", no_wrap=True)
    table.add_column("mean" + mark.get("time", ""), justify="right", no_wrap=True)
    table.add_column("p50", justify="right", no_wrap=True)
    table.add_column("p99", justify="right", no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    listed = _command_rows(frame, sort)[:rows]
    most = max((row.per_s for row in listed), default=0.0)
    for row in listed:
        table.add_row(
            escape(shown(row.name)),
            count_text(row.per_s),
            ProgressBar(total=most or 1.0, completed=row.per_s, complete_style="cyan"),
            count_text(row.calls),
            usec_text(row.mean_usec),
            usec_text(row.p50_usec),
            usec_text(row.p99_usec),
            Text(count_text(row.failed), "red" if row.failed else "dim"),
        )
    return Panel(table, title="commands", title_align="left", border_style="dim")


def _memory(info: Info) -> RenderableType:
    grid, limit = _grid(), info.number("maxmemory")
    used = info.number("used_memory")
    grid.add_row("used", f"[bold]{size_text(used)}[/]")
    grid.add_row("resident", size_text(info.number("used_memory_rss")))
    grid.add_row("peak", size_text(info.number("used_memory_peak")))
    share = f"{100 * used / limit:.0f} % of {size_text(limit)}" if limit else "no limit"
    grid.add_row("maxmemory", share)
    grid.add_row("policy", escape(_field(info, "maxmemory_policy", "-")))
    grid.add_row("dataset", size_text(info.number("used_memory_dataset")))
    grid.add_row("rss / used", escape(_field(info, "mem_fragmentation_ratio", "-")))
    return _box("memory", grid)


def _activity(frame: Frame) -> RenderableType:
    info, grid = frame.after.info, _grid()

    def per_s(field: str) -> float:
        return reading.rate(frame.before, frame.after, field)

    hits, misses = per_s("keyspace_hits"), per_s("keyspace_misses")
    hit_share = f"{100 * hits / (hits + misses):.1f} %" if hits + misses else "-"
    limit = _field(info, "maxclients", "")
    clients = _field(info, "connected_clients") + (f" of {limit}" if limit else "")
    p50, p99 = reading.quantiles(frame.before, frame.after, (0.5, 0.99))
    grid.add_row("clients", f"[bold]{escape(clients)}[/]")
    grid.add_row("blocked", escape(_field(info, "blocked_clients", "0")))
    grid.add_row("net in", size_text(per_s("total_net_input_bytes")) + "/s")
    grid.add_row("net out", size_text(per_s("total_net_output_bytes")) + "/s")
    grid.add_row("hits", hit_share)
    grid.add_row("p50 now", usec_text(p50))
    grid.add_row("p99 now", usec_text(p99))
    return _box("clients", grid)


def _state(good: bool) -> str:
    return "[green]ok[/]" if good else "[bold red]failed[/]"


def _keeping(info: Info) -> RenderableType:
    grid = _grid()
    if info.number("aof_enabled"):
        grid.add_row("log", _state(info.number("aof_last_write_status", 1) > 0))
        grid.add_row("log size", size_text(info.number("aof_current_size")))
        grid.add_row("waiting", size_text(info.number("aof_buffer_length")))
    else:
        grid.add_row("log", "off")
    saved = info.number("rdb_last_save_time")
    ago = span_text(max(0.0, time.time() - saved)) + " ago" if saved else "never"
    running = info.number("rdb_bgsave_in_progress") or info.number("aof_rewrite_in_progress")
    grid.add_row("snapshot", "running" if running else ago)
    grid.add_row("last one", _state(info.number("rdb_last_bgsave_status", 1) > 0))
    grid.add_row("unsaved", count_text(info.number("rdb_changes_since_last_save")))
    return _box("disk", grid)


def _keys(frame: Frame) -> RenderableType:
    info, grid = frame.after.info, _grid()
    found = info.databases()
    for name, db in list(found.items())[:_DATABASES_SHOWN]:
        grid.add_row(name, f"[bold]{count_text(db.keys)}[/], {count_text(db.expires)} TTL")
    if len(found) > _DATABASES_SHOWN:
        grid.add_row("more", f"{len(found) - _DATABASES_SHOWN} databases")
    if not found:
        grid.add_row("keys", "none")
    for label, field in (("expired", "expired_keys"), ("evicted", "evicted_keys")):
        grid.add_row(label, count_text(reading.rate(frame.before, frame.after, field)) + "/s")
    return _box("keys", grid)


def _slow_row(entry: SlowEntry) -> tuple[str, str, str, str]:
    words = " ".join(shown(word) for word in entry.words[:_SLOW_WORDS])[:_SLOW_CHARACTERS]
    when = time.strftime("%H:%M:%S", time.localtime(entry.at))
    return when, usec_text(entry.usec), escape(words), escape(shown(entry.client))


def _slow(frame: Frame, rows: int) -> RenderableType:
    length, entries = frame.slowlog or (0, [])
    table = Table(expand=True, box=None, padding=(0, 1), header_style="dim")
    table.add_column("at", no_wrap=True, style="dim")
    table.add_column("took", justify="right", no_wrap=True, style="yellow")
    table.add_column("command", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("client", no_wrap=True, style="dim")
    for entry in entries[:rows]:
        table.add_row(*_slow_row(entry))
    body: RenderableType = table if entries else Text("empty", "dim")
    if frame.slowlog is None:
        body = Text("this server has none, or does not show it", "dim")
    title = f"slow log ({length})"
    return Panel(body, title=title, title_align="left", border_style="dim")


def draw(frame: Frame, sort: str, width: int, height: int | None) -> RenderableType:
    """Returns the frame for a terminal of that size; height None: as long as it gets."""
    info = frame.after.info
    boxes = [_memory(info), _activity(frame), _keys(frame), _keeping(info)]
    in_a_row = 4 if width >= 100 else 2
    if in_a_row == 2 and height is not None and height < _TALL_ROWS:
        boxes = boxes[:2]
    middle = Table.grid(expand=True)
    for _ in range(in_a_row):
        middle.add_column(ratio=1)
    for first in range(0, len(boxes), in_a_row):
        middle.add_row(*boxes[first : first + in_a_row])
    used = 1 + _BOX_ROWS * (len(boxes) // in_a_row)
    left = SLOW_SHOWN * 4 if height is None else max(8, height - used)
    slow_rows = min(SLOW_SHOWN, max(1, left // 4))
    command_rows = max(1, left - slow_rows - 6)
    return Group(
        _head(frame), middle, _commands(frame, sort, command_rows), _slow(frame, slow_rows)
    )
