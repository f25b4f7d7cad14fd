"""What a server says about itself: INFO, the slow log, latency; taken apart, with types.

Works on anything that runs commands: a session in this process, a connection to any Redis server.
A command that a server does not have, or that is not allowed, leaves its part empty.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple

from ..errors import ResponseError
from ..tools.places import ToolError

# Runs one command and returns its RESP2 reply, bulk strings as str; error replies raise.
Run = Callable[..., Any]

SLOWLOG_ENTRIES = 16
_ERRORS = (ResponseError, ToolError)
_LACKING = ("unknown command", "unknown subcommand", "Unknown subcommand", "NOPERM")
# The lines that every command has one of; before Redis 6.2 without the last two fields.
_COMMAND = re.compile(
    r"^cmdstat_([^:\r\n]*):calls=(\d+),usec=(\d+)(?:,usec_per_call=[\d.]+)?"
    r"(?:,rejected_calls=(\d+),failed_calls=(\d+))?",
    re.MULTILINE,
)
_PERCENTILES = re.compile(r"^latency_percentiles_usec_([^:\r\n]*):([^\r\n]*)", re.MULTILINE)
_PERCENTILE = re.compile(r"p([\d.]+)=([\d.]+)")
_ERROR = "errorstat_"


class CommandStats(NamedTuple):
    """Of one command since the start or CONFIG RESETSTAT; times in microseconds."""

    calls: int
    usec: float
    rejected: int
    failed: int


class Database(NamedTuple):
    keys: int
    expires: int
    avg_ttl_ms: float


class SlowEntry(NamedTuple):
    id: int
    at: int
    usec: int
    words: list[str]
    client: str


# Counts up to and including so many microseconds: [(1, 10), (2, 15), ...].
Histogram = list[tuple[int, int]]


def number(text: str) -> float | None:
    """Returns the number of an INFO field; "ok" and "true" are 1, "err" and "false" 0.

    None: it is no number, or not a finite one.
    """
    if text in ("ok", "true"):
        return 1.0
    if text in ("err", "fail", "false"):
        return 0.0
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def pairs(text: str) -> dict[str, str]:
    """ "keys=1,expires=0" -> {"keys": "1", "expires": "0"}."""
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def _whole(part: dict[str, str], name: str) -> int:
    return int(number(part.get(name, "")) or 0)


class Info:
    """A reply of INFO.

    Attributes:
        fields: every "name:value" line; later sections win.
    """

    def __init__(self, text: str) -> None:
        self.fields: dict[str, str] = {}
        self._whole = text
        self._commands: dict[str, CommandStats] | None = None
        for line in text.splitlines():
            name, colon, value = line.partition(":")
            if colon and not line.startswith("#"):
                self.fields[name] = value

    def text(self, name: str, default: str = "") -> str:
        return self.fields.get(name, default)

    def number(self, name: str, default: float = 0.0) -> float:
        value = number(self.fields.get(name, ""))
        return default if value is None else value

    def _prefixed(self, prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
        for name, value in self.fields.items():
            if name.startswith(prefix):
                yield name[len(prefix) :], pairs(value)

    def commands(self) -> dict[str, CommandStats]:
        if self._commands is None:
            self._commands = self._read_commands()
        return self._commands

    def _read_commands(self) -> dict[str, CommandStats]:
        return {
            name: CommandStats(int(calls), float(usec), int(rejected or 0), int(failed or 0))
            for name, calls, usec, rejected, failed in _COMMAND.findall(self._whole)
        }

    def percentile_texts(self) -> dict[str, list[tuple[str, str]]]:
        """Of run times since the start: {"get": [("50", "1.003"), ("99", "2.007")]}, microseconds."""
        parts = _PERCENTILES.findall(self._whole)
        return {name: _PERCENTILE.findall(part) for name, part in parts}

    def percentiles(self) -> dict[str, dict[float, float]]:
        """The same as numbers: {"get": {50.0: 1.003, 99.0: 2.007}}."""
        return {
            name: {float(percent): float(usec) for percent, usec in found}
            for name, found in self.percentile_texts().items()
        }

    def errors(self) -> dict[str, int]:
        return {name: _whole(part, "count") for name, part in self._prefixed(_ERROR)}

    def databases(self) -> dict[str, Database]:
        out = {}
        for name, part in self._prefixed("db"):
            if name.isdigit() and "keys" in part:
                ttl_ms = number(part.get("avg_ttl", "")) or 0.0
                out["db" + name] = Database(_whole(part, "keys"), _whole(part, "expires"), ttl_ms)
        return out


class Call:
    """Runs commands. What the server lacks is asked once: each refusal counts as an error there."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lacking: set[tuple[str, ...]] = set()

    def __call__(self, *words: str) -> Any:
        return self._run(*words)

    def optional(self, *words: str) -> Any:
        """None if the server refuses the command."""
        if words[:2] in self._lacking:
            return None
        try:
            return self._run(*words)
        except _ERRORS as error:
            if any(text in str(error) for text in _LACKING):
                self._lacking.add(words[:2])
            return None


def read_info(call: Call) -> Info:
    return Info(call("INFO", "all"))


def read_settings(call: Call, *names: str) -> dict[str, str]:
    """Of a server that takes several names at once: Redis 7, RustyPotato."""
    reply = call.optional("CONFIG", "GET", *names) or []
    return dict(zip(reply[::2], reply[1::2]))


def read_slowlog(call: Call, count: int = SLOWLOG_ENTRIES) -> tuple[int, list[SlowEntry]] | None:
    """Returns (how many there are, the latest ones); None: this server has no slow log."""
    length = call.optional("SLOWLOG", "LEN")
    entries = call.optional("SLOWLOG", "GET", str(count))
    if length is None or entries is None:
        return None
    out = []
    for entry in entries:
        client = entry[4] if len(entry) > 4 else ""
        out.append(SlowEntry(entry[0], entry[1], entry[2], list(entry[3]), client))
    return length, out


def read_spikes(call: Call) -> list[tuple[str, int, int, int]]:
    """LATENCY LATEST: (event, when in seconds, latest and longest in milliseconds)."""
    return [tuple(event[:4]) for event in call.optional("LATENCY", "LATEST") or []]


def read_histograms(call: Call) -> dict[str, tuple[int, Histogram]]:
    """LATENCY HISTOGRAM: {"get": (calls, counts by time)}."""
    reply = call.optional("LATENCY", "HISTOGRAM") or []
    out: dict[str, tuple[int, Histogram]] = {}
    for name, detail in zip(reply[::2], reply[1::2]):
        part = dict(zip(detail[::2], detail[1::2]))
        flat = part.get("histogram_usec", [])
        counts = list(zip(flat[::2], flat[1::2]))
        out[name] = (int(part.get("calls", 0)), counts)
    return out


def read_clients(call: Call) -> list[dict[str, str]]:
    text = call.optional("CLIENT", "LIST") or ""
    return [
        dict(word.split("=", 1) for word in line.split(" ") if "=" in word)
        for line in text.splitlines()
    ]


def loading_text(info: Info) -> str | None:
    """How far loading is, of INFO persistence; None: nothing is loaded now."""
    if not info.number("loading"):
        return None
    share, keys = info.text("loading_loaded_perc", "0.00"), "rdb_last_load_keys_loaded"
    return f"loading: {share} %, {info.text(keys, '0')} keys"


def refusal(call: Call, info: Info) -> str | None:
    """Says why the server is not ready to take writes; None: it is."""
    loading = loading_text(info)
    if loading is not None:
        return loading
    try:
        call("PING")  # Redis refuses it, too, while the disk refuses writes
    except _ERRORS as error:
        return str(error)
    limit = info.number("maxmemory")
    counted = info.number("used_memory") - info.number("mem_not_counted_for_evict")
    full = limit and counted > limit
    if full and info.text("maxmemory_policy") == "noeviction":
        return "OOM: maxmemory is reached and nothing may be evicted"
    return None


class Moment(NamedTuple):
    """The counters of one moment; two of them make rates."""

    at: float  # time.monotonic()
    info: Info
    commands: dict[str, CommandStats]
    histograms: dict[str, tuple[int, Histogram]]


def read_moment(call: Call) -> Moment:
    at = time.monotonic()
    info = read_info(call)
    return Moment(at, info, info.commands(), read_histograms(call))


class CommandRate(NamedTuple):
    per_s: float
    mean_usec: float


def rate(before: Moment, after: Moment, field: str) -> float:
    """Growth of a counter per second; 0 after CONFIG RESETSTAT or a restart."""
    seconds = after.at - before.at
    grown = after.info.number(field) - before.info.number(field)
    return max(0.0, grown / seconds) if seconds > 0 else 0.0


def command_rates(before: Moment, after: Moment) -> dict[str, CommandRate]:
    """Commands that ran between two moments."""
    seconds = after.at - before.at
    out = {}
    for name, now in after.commands.items():
        past = before.commands.get(name, CommandStats(0, 0.0, 0, 0))
        calls, usec = now.calls - past.calls, now.usec - past.usec
        if calls > 0 and seconds > 0:
            out[name] = CommandRate(calls / seconds, max(0.0, usec) / calls)
    return out


class CommandRow(NamedTuple):
    """A command in the tables that people look at; percentiles are since the start."""

    name: str
    per_s: float
    calls: int
    mean_usec: float  # of the last calls; since the start if there were none
    p50_usec: float | None
    p99_usec: float | None
    failed: int


def command_rows(before: Moment, after: Moment) -> list[CommandRow]:
    """The commands ever called, those called most between two moments first."""
    rates = command_rates(before, after)
    percentiles = after.info.percentiles()
    rows = []
    for name, stats in after.commands.items():
        found = percentiles.get(name, {})
        now = rates.get(name) or CommandRate(0.0, stats.usec / max(1, stats.calls))
        failed = stats.failed + stats.rejected
        row = (name, now.per_s, stats.calls, now.mean_usec, found.get(50.0), found.get(99.0))
        rows.append(CommandRow(*row, failed))
    return sorted(rows, key=lambda row: (-row.per_s, -row.calls))


def _sizes(histograms: Mapping[str, tuple[int, Histogram]]) -> dict[float, int]:
    """Calls by the upper end of their time, over all commands."""
    out: dict[float, int] = {}
    for _, counts in histograms.values():
        below = 0
        for usec, up_to in counts:
            out[usec] = out.get(usec, 0) + up_to - below
            below = up_to
    return out


def quantiles(before: Moment, after: Moment, shares: tuple[float, ...]) -> list[float | None]:
    """Run times in microseconds below which that share of all calls between two moments stayed.

    None where nothing ran, or the server keeps no histograms. Inside a bucket of the histogram
    times are taken as spread evenly.
    """
    past = _sizes(before.histograms)
    sizes = {usec: n - past.get(usec, 0) for usec, n in _sizes(after.histograms).items()}
    buckets = sorted((usec, n) for usec, n in sizes.items() if n > 0)
    total = sum(n for _, n in buckets)
    return [_quantile(buckets, share * total) if total else None for share in shares]


def _quantile(buckets: list[tuple[float, int]], rank: float) -> float:
    below = 0
    for usec, n in buckets:
        if below + n >= rank:
            low = usec / 2 if usec > 1 else 0.0
            return low + (usec - low) * (rank - below) / n
        below += n
    return buckets[-1][0]
