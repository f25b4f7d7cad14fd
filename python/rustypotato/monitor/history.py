"""What the dashboard plots: the last minutes, sampled by a thread, in a ring of fixed size."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable

from . import reading
from .reading import Moment

EVERY_S = 2.0
SAMPLES_MAX = 450  # 15 minutes
FIELDS = (
    "t",
    "ops",
    "hits",
    "misses",
    "net_in",
    "net_out",
    "used",
    "rss",
    "clients",
    "keys",
    "cpu",
    "mean_usec",
    "p50_usec",
    "p99_usec",
    "evicted",
    "expired",
)
Row = tuple["float | None", ...]


def _cpu(moment: Moment) -> float:
    return moment.info.number("used_cpu_sys") + moment.info.number("used_cpu_user")


def _mean_usec(before: Moment, after: Moment) -> float | None:
    rates = reading.command_rates(before, after).values()
    calls = sum(rate.per_s for rate in rates)
    return sum(rate.per_s * rate.mean_usec for rate in rates) / calls if calls else None


def row(before: Moment, after: Moment) -> Row:
    """One sample, in the order of FIELDS; rates are per second."""
    info, seconds = after.info, after.at - before.at

    def per_s(field: str) -> float:
        return reading.rate(before, after, field)

    p50, p99 = reading.quantiles(before, after, (0.5, 0.99))
    return (
        round(time.time(), 3),
        per_s("total_commands_processed"),
        per_s("keyspace_hits"),
        per_s("keyspace_misses"),
        per_s("total_net_input_bytes"),
        per_s("total_net_output_bytes"),
        info.number("used_memory"),
        info.number("used_memory_rss"),
        info.number("connected_clients"),
        sum(db.keys for db in info.databases().values()),
        max(0.0, _cpu(after) - _cpu(before)) / seconds if seconds > 0 else 0.0,
        _mean_usec(before, after),
        p50,
        p99,
        per_s("evicted_keys"),
        per_s("expired_keys"),
    )


class History:
    """Samples until close(). Reading is safe from any thread.

    Args:
        take: reads a Moment; None: not possible now, the sample is left out.
    """

    def __init__(self, take: Callable[[], Moment | None]) -> None:
        self._take = take
        self._lock = threading.Lock()
        self._rows: deque[Row] = deque(maxlen=SAMPLES_MAX)
        self._count = 0  # rows ever made
        self._last: tuple[Moment, Moment] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rp-history", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(EVERY_S)

    def last(self) -> tuple[Moment, Moment] | None:
        """The two latest moments; None in the first seconds."""
        with self._lock:
            return self._last

    def since(self, seen: int) -> tuple[int, list[Row]]:
        """Returns (how many rows there were ever, those after the first `seen`)."""
        with self._lock:
            wanted = max(0, self._count - seen) if seen <= self._count else self._count
            return self._count, list(self._rows)[-wanted:] if wanted else []

    def _run(self) -> None:
        before = self._take()
        while not self._stop.wait(EVERY_S):
            after = self._take()
            if before is not None and after is not None:
                made = row(before, after)
                with self._lock:
                    self._rows.append(made)
                    self._count += 1
                    self._last = (before, after)
            before = after or before
