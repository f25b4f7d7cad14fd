"""What looking after it costs: one server whose settings change from round to round."""

from __future__ import annotations

import statistics
from typing import Any

from matrix import Cell, Dataset, load_dataset, run_cell
from servers import Client, Server

Row = dict[str, Any]
KEYS, VALUE_BYTES = 100_000, 64
OPEN = "ACL SETUSER default ~* +@all"
WATCHED = "CONFIG SET latency-tracking yes slowlog-log-slower-than 10000"
VARIANTS = {
    "as it comes": (OPEN, WATCHED),
    "latency-tracking no, slowlog -1": (
        OPEN,
        "CONFIG SET latency-tracking no slowlog-log-slower-than -1",
    ),
    "a user ~{keys}* +@read +@write": (
        WATCHED,
        "ACL SETUSER default resetkeys ~{keys}* -@all +@read +@write",
    ),
}


def change(admin: Client, variant: str, keys: str) -> None:
    for line in VARIANTS[variant]:
        admin.ask(*line.format(keys=keys).split())


def share_text(cpu: list[float], base: list[float]) -> str:
    """How much more than the base in the same round: median and the middle half, in per cent."""
    shares = [100 * (one / plain - 1) for one, plain in zip(cpu, base, strict=True)]
    low, middle, high = statistics.quantiles(shares, n=4)
    return f"{middle:+.1f} ({low:+.1f}..{high:+.1f})"


def cost_rows(
    server: Server, load: str, cpus: list[int], cells: list[tuple[str, int]], runs: int, s: float
) -> list[Row]:
    """cells: (op, pipeline). Every round runs all variants, each time in another order."""
    data = Dataset(KEYS, VALUE_BYTES)
    load_dataset(load, [server], data, cpus)
    rows: list[Row] = []
    with Client(server.port) as admin:
        admin.ask("ACL", "SETUSER", "admin", "on", "nopass", "~*", "&*", "+@all")
        admin.ask("AUTH", "admin", "any")
        some = admin.ask("RANDOMKEY")
        assert isinstance(some, bytes)
        keys = some.decode()[:3]
        for op, pipeline in cells:
            seen: dict[str, list[float]] = {name: [] for name in VARIANTS}
            for turn in range(runs):
                names = list(VARIANTS)[turn % 3 :] + list(VARIANTS)[: turn % 3]
                for name in names:
                    change(admin, name, keys)
                    sample = run_cell(load, server, Cell(op, pipeline, data), cpus, 50, s, turn)
                    seen[name].append(sample.cpu_us)
            base = seen[list(VARIANTS)[1]]
            rows += [
                {
                    "op": op.upper(),
                    "P": pipeline,
                    "server": name.format(keys=keys),
                    "us/cmd": f"{statistics.median(cpu):.3f}",
                    "more than without, %": share_text(cpu, base),
                }
                for name, cpu in seen.items()
            ]
    return rows
