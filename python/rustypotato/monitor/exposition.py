"""/metrics: a reading of the store as Prometheus text, format 0.0.4.

Names, labels and types are redis_exporter's (names.py); what it has no name for is rustypotato_*.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Callable

from .._core import __version__
from ..errors import RustyPotatoError
from . import names, reading
from .reading import Call, CommandStats, Info

Turn = Callable[[], AbstractContextManager[Call]]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
EMPTY_DATABASES_MAX = 64  # more than so many are shown only if they hold keys
_NEVER = CommandStats(0, 0.0, 0, 0)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def _value_text(value: float) -> str:
    if type(value) is int:
        return str(value)
    return str(int(value)) if value == int(value) else repr(value)


# The words are names of commands and errors, the numbers bounds of buckets: the same ones over
# and over, a few hundred.
@lru_cache(maxsize=2048)
def _escaped(word: str) -> str:
    return word.translate(_ESCAPES)


_bound_text = lru_cache(maxsize=2048)(_value_text)


class Writer:
    """Collects families of samples: family() first, then its samples."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._name = ""

    def family(self, name: str, kind: str, about: str) -> None:
        self._name = name
        self._lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]

    def sample(self, value: float, labels: dict[str, str] | None = None, suffix: str = "") -> None:
        text = ""
        if labels:
            inner = (f'{key}="{_escaped(word)}"' for key, word in labels.items())
            text = "{" + ",".join(inner) + "}"
        self._lines.append(f"{self._name}{suffix}{text} {_value_text(value)}")

    def single(
        self, name: str, kind: str, about: str, value: float, labels: dict[str, str] | None = None
    ) -> None:
        self.family(name, kind, about)
        self.sample(value, labels)

    def labelled(
        self, name: str, kind: str, about: str, label: str, values: Iterable[tuple[str, float]]
    ) -> None:
        """A family with one label; nothing at all without values."""
        start = f'{name}{{{label}="'
        lines = [f'{start}{_escaped(word)}"}} {_value_text(value)}' for word, value in values]
        if lines:
            self.family(name, kind, about)
            self._lines += lines

    # Of both the name is in front of every sample once: they are the bulk of a page.

    def buckets(
        self, label: str, word: str, counts: reading.Histogram, total: int, usec: float
    ) -> None:
        """All samples of a histogram."""
        name, labels = self._name, f'{label}="{_escaped(word)}"'
        start = f'{name}_bucket{{{labels},le="'
        self._lines += [f'{start}{_bound_text(upper)}"}} {count}' for upper, count in counts]
        self._lines += [
            f'{start}+Inf"}} {total}',
            f"{name}_count{{{labels}}} {total}",
            f"{name}_sum{{{labels}}} {_value_text(usec)}",
        ]

    def quantiles(
        self, label: str, word: str, found: list[tuple[str, str]], calls: int, usec: float
    ) -> None:
        """All samples of a summary; what INFO says is how a page says it."""
        name, labels = self._name, f'{label}="{_escaped(word)}"'
        start = f'{name}{{{labels},quantile="'
        self._lines += [f'{start}{percent}"}} {value}' for percent, value in found]
        self._lines += [
            f"{name}_sum{{{labels}}} {_value_text(usec)}",
            f"{name}_count{{{labels}}} {calls}",
        ]

    def bytes(self) -> bytes:
        return ("\n".join(self._lines) + "\n").encode(errors="backslashreplace")


def _fields(out: Writer, info: Info) -> None:
    for table, kind in ((names.GAUGES, "gauge"), (names.COUNTERS, "counter")):
        for field, name in table.items():
            value = reading.number(info.text(field))
            if value is not None:
                out.single(f"redis_{name}", kind, f"{field} of INFO.", value)
    for field in filter(lambda field: field.startswith(names.OWN_PREFIX), info.fields):
        value = reading.number(info.fields[field])
        if value is not None:
            kind = "counter" if field in names.OWN_COUNTERS else "gauge"
            out.single(field, kind, f"{field} of INFO.", value)


def _derived(out: Writer, info: Info) -> None:
    started = time.time() - info.number("uptime_in_seconds")
    out.single("redis_start_time_seconds", "gauge", "Unix time of the start.", int(started))
    fork = info.number("latest_fork_usec") / 1e6
    out.single("redis_latest_fork_seconds", "gauge", "latest_fork_usec of INFO.", fork)
    # One dashboard of redis_exporter asks for the ratio by this name.
    ratio = info.number("mem_fragmentation_ratio")
    about = "mem_fragmentation_ratio of INFO."
    out.single("redis_memory_fragmentation_ratio", "gauge", about, ratio)
    labels = {label: info.text(label) for label in names.INSTANCE_LABELS}
    out.single("redis_instance_info", "gauge", "What runs here; always 1.", 1, labels)
    version = {"version": __version__}
    out.single("rustypotato_info", "gauge", "The version of RustyPotato; always 1.", 1, version)


def _commands(out: Writer, info: Info) -> None:
    stats = sorted(info.commands().items())
    families: tuple[tuple[str, str, Callable[[CommandStats], float]], ...] = (
        ("total", "Calls per command.", lambda s: s.calls),
        ("duration_seconds_total", "Run time per command.", lambda s: s.usec / 1e6),
        ("rejected_calls_total", "Calls refused before they ran.", lambda s: s.rejected),
        ("failed_calls_total", "Calls that ran and failed.", lambda s: s.failed),
    )
    for name, about, pick in families:
        values = [(command, pick(one)) for command, one in stats]
        out.labelled(f"redis_commands_{name}", "counter", about, "cmd", values)
    errors = sorted(info.errors().items())
    out.labelled("redis_errors_total", "counter", "Error replies per code.", "err", errors)


def _percentiles(out: Writer, info: Info) -> None:
    percentiles, stats = info.percentile_texts(), info.commands()
    if percentiles:
        about = "Run times in microseconds since the start; quantiles are percentages."
        out.family("redis_latency_percentiles_usec", "summary", about)
    for command, found in sorted(percentiles.items()):
        one = stats.get(command, _NEVER)
        out.quantiles("cmd", command, found, one.calls, one.usec)


def _histograms(out: Writer, call: Call, info: Info) -> None:
    histograms, stats = reading.read_histograms(call), info.commands()
    if histograms:
        about = "Run times in microseconds since the start."
        out.family("redis_commands_latencies_usec", "histogram", about)
    for command, (calls, counts) in sorted(histograms.items()):
        out.buckets("cmd", command, counts, calls, stats.get(command, _NEVER).usec)


def _keyspace(out: Writer, info: Info, database_count: int) -> None:
    found = info.databases()
    everyone = [f"db{number}" for number in range(min(database_count, EMPTY_DATABASES_MAX))]
    everyone += [db for db in found if db not in everyone]
    empty = reading.Database(0, 0, 0.0)
    keys = [(db, found.get(db, empty).keys) for db in everyone]
    expiring = [(db, found.get(db, empty).expires) for db in everyone]
    ttl = [(db, one.avg_ttl_ms / 1e3) for db, one in sorted(found.items())]
    out.labelled("redis_db_keys", "gauge", "Keys per database.", "db", keys)
    about = "Keys with an expiry per database."
    out.labelled("redis_db_keys_expiring", "gauge", about, "db", expiring)
    about = "Estimated mean time to live."
    out.labelled("redis_db_avg_ttl_seconds", "gauge", about, "db", ttl)


def _settings(out: Writer, settings: dict[str, str]) -> None:
    for setting in names.SETTINGS:
        value = reading.number(settings.get(setting, ""))
        if value is not None:
            name = f"redis_config_{setting.replace('-', '_')}"
            out.single(name, "gauge", f"The setting {setting}.", value)
    words = settings.get("client-output-buffer-limit", "").split()
    classes = [words[i : i + 4] for i in range(0, len(words) - 3, 4)]
    if not classes:
        return
    name = "redis_config_client_output_buffer_limit"
    out.family(f"{name}_bytes", "gauge", "Unread replies at which a client is closed.")
    for kind, hard, soft, _ in classes:
        out.sample(float(hard), {"class": kind, "limit": "hard"})
        out.sample(float(soft), {"class": kind, "limit": "soft"})
    out.family(f"{name}_overcome_seconds", "gauge", "How long the soft limit may be exceeded.")
    for kind, _, _, seconds in classes:
        out.sample(float(seconds), {"class": kind, "limit": "soft"})


def _slowlog(out: Writer, call: Call) -> None:
    found = reading.read_slowlog(call, 1)
    if found is None:
        return
    length, entries = found
    last_id, usec = (entries[0].id, entries[0].usec) if entries else (0, 0)
    out.single("redis_slowlog_length", "gauge", "Entries in the slow log.", length)
    out.single("redis_slowlog_last_id", "gauge", "Id of the latest entry.", last_id)
    about = "Run time of the latest entry of the slow log."
    out.single("redis_last_slow_execution_duration_seconds", "gauge", about, usec / 1e6)


def _spikes(out: Writer, call: Call) -> None:
    spikes = reading.read_spikes(call)
    when = [(event, at) for event, at, _, _ in spikes]
    took = [(event, latest / 1e3) for event, _, latest, _ in spikes]
    name, label = "redis_latency_spike", "event_name"
    out.labelled(f"{name}_last", "gauge", "Unix time of the latest spike.", label, when)
    about = "Length of the latest spike."
    out.labelled(f"{name}_duration_seconds", "gauge", about, label, took)


def _store(out: Writer, call: Call) -> None:
    info = reading.read_info(call)
    wanted = (*names.SETTINGS, "client-output-buffer-limit", "databases")
    settings = reading.read_settings(call, *wanted)
    _fields(out, info)
    _derived(out, info)
    _commands(out, info)
    _percentiles(out, info)
    _histograms(out, call, info)
    _keyspace(out, info, int(settings.get("databases", 16)))
    _settings(out, settings)
    _slowlog(out, call)
    _spikes(out, call)
    ready = reading.refusal(call, info) is None
    about = "1: it takes writes; 0: see /readyz."
    out.single("rustypotato_ready", "gauge", about, float(ready))


class Exporter:
    """What is counted about scrapes themselves. Any number of threads may scrape."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scrapes = 0
        self._seconds = 0.0
        self._errors = 0

    def scrape(self, turn: Turn) -> bytes:
        """Returns the page. If the store cannot be read it says redis_up 0, and why."""
        began = time.perf_counter()
        out, problem = Writer(), ""
        try:
            with turn() as call:
                _store(out, call)
        except RustyPotatoError as error:
            out, problem = Writer(), str(error)
        took = time.perf_counter() - began
        with self._lock:
            self._scrapes += 1
            self._seconds += took
            self._errors += bool(problem)
            self._about_scrapes(out, problem, took)
        return out.bytes()

    def _about_scrapes(self, out: Writer, problem: str, took: float) -> None:
        name = "redis_exporter"
        out.single("redis_up", "gauge", "1: the store answered.", float(not problem))
        about = "1: the store could not be read; why."
        error = {"err": problem}
        out.single(f"{name}_last_scrape_error", "gauge", about, float(bool(problem)), error)
        about = "Seconds that reading the store took."
        out.single(f"{name}_last_scrape_duration_seconds", "gauge", about, took)
        about = "Always 0: it is in this process."
        out.single(f"{name}_last_scrape_connect_time_seconds", "gauge", about, 0)
        out.single(f"{name}_scrapes_total", "counter", "Scrapes.", self._scrapes)
        out.family(f"{name}_scrape_duration_seconds", "summary", "Seconds of all scrapes.")
        out.sample(self._seconds, suffix="_sum")
        out.sample(self._scrapes, suffix="_count")
        about = "Scrapes that could not read the store."
        out.single("redis_target_scrape_request_errors_total", "counter", about, self._errors)
        build = {"version": __version__, "commit_sha": "", "build_date": "", "golang_version": ""}
        out.single(f"{name}_build_info", "gauge", "Version; always 1.", 1, build)
