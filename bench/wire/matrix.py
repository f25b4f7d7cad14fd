"""The speed measurements: which cells there are, and running them interleaved over servers."""

from __future__ import annotations

import os
import statistics
import sys
from dataclasses import dataclass
from typing import Any

from loadgen import run_load
from servers import Server

REFERENCE = "redis"
DATA_BYTES_MAX = 1280 << 20  # more keys than fit in this are not loaded
IN_FLIGHT_MAX = 256 << 20  # cells with more bytes than this on the way are left out
MSET_KEYS = 10
BARS = {1: 1.1, 16: 2.5, 64: 4.0}  # pipeline: least ratio of CPU per command, for GET and SET
BUSY_LEAST = 0.95  # a server below this waited for the load: its ops/s is a lower bound
PUSHED_MOST = 0.03  # above this, another process disturbed the run
FLYING_LONG = 32 << 20  # bytes in flight from which a round takes so long that the window must grow
LONG_SECONDS = 1.5
LONG_RAMP_SECONDS = 0.5


@dataclass(frozen=True)
class Dataset:
    """What is in every server while its cells run. value_bytes 0: counters for INCR."""

    keys: int
    value_bytes: int


@dataclass(frozen=True)
class Cell:
    op: str
    pipeline: int
    data: Dataset


@dataclass
class Sample:
    """One run of one cell on one server."""

    ops_per_s: float
    cpu_us: float  # server CPU per command
    busy: float  # share of the window the server was on a CPU
    pushed: float  # share of the window it was ready, but something else had its CPU
    load_cpu_us: float
    p50_us: float
    p99_us: float
    p999_us: float


def fitting_keys(keys: int, value_bytes: int) -> int:
    return max(1, min(keys, DATA_BYTES_MAX // (value_bytes + 64)))


def flying_bytes(cell: Cell, clients: int) -> int:
    """Returns how many bytes of values are on the way at once."""
    values = MSET_KEYS if cell.op == "mset" else 1
    return clients * cell.pipeline * values * cell.data.value_bytes


def plan_cells(
    ops: list[str], pipelines: list[int], keys: list[int], sizes: list[int], clients: int
) -> tuple[list[Cell], list[str]]:
    """Returns the cells, those of one data set together, and a line for each left out."""
    cells: list[Cell] = []
    left_out: list[str] = []
    counters = ["incr"] if "incr" in ops else []
    datasets = [
        (Dataset(fitting_keys(k, s), s), [o for o in ops if o != "incr"])
        for s in sizes
        for k in keys
    ]
    datasets += [(Dataset(k, 0), counters) for k in keys]
    for data, data_ops in datasets:
        for op in data_ops:
            for pipeline in pipelines:
                flying = flying_bytes(Cell(op, pipeline, data), clients)
                if flying > IN_FLIGHT_MAX:
                    left_out.append(
                        f"{op} P{pipeline} {size_text(data.value_bytes)}, "
                        f"{data.keys} keys: {flying >> 20} MiB in flight"
                    )
                else:
                    cells.append(Cell(op, pipeline, data))
    return cells, left_out


def size_text(value_bytes: int) -> str:
    if value_bytes == 0:
        return "int"
    if value_bytes % 1024 == 0:
        return f"{value_bytes // 1024} KiB"
    return f"{value_bytes} B"


def load_dataset(load: str, servers: list[Server], data: Dataset, cpus: list[int]) -> None:
    op = "set" if data.value_bytes else "incr"
    for server in servers:
        server.ask("FLUSHALL", "SYNC")
        run_load(
            load, server, cpus, warm=True, op=op, keys=data.keys, value_bytes=data.value_bytes or 1
        )


def run_cell(
    load: str, server: Server, cell: Cell, cpus: list[int], clients: int, seconds: float, seed: int
) -> Sample:
    is_long = flying_bytes(cell, clients) >= FLYING_LONG
    r: dict[str, Any] = run_load(
        load,
        server,
        cpus,
        op=cell.op,
        pipeline=cell.pipeline,
        clients=clients,
        keys=cell.data.keys,
        value_bytes=cell.data.value_bytes or 1,
        mset_keys=MSET_KEYS,
        threads=max(1, len(cpus)),
        seed=seed,
        server_pid=server.pid,
        seconds=max(seconds, LONG_SECONDS) if is_long else seconds,
        ramp=LONG_RAMP_SECONDS if is_long else None,
    )
    ops = max(1, r["ops"])
    return Sample(
        ops_per_s=r["ops_per_s"],
        cpu_us=r["server_cpu_s"] * 1e6 / ops,
        busy=r["server_cpu_s"] / r["seconds"],
        pushed=r["server_wait_s"] / r["seconds"],
        load_cpu_us=r["load_cpu_s"] * 1e6 / ops,
        p50_us=r["p50_us"],
        p99_us=r["p99_us"],
        p999_us=r["p999_us"],
    )


@dataclass
class CellResult:
    cell: Cell
    samples: dict[str, list[Sample]]  # by server; one per repeat


def run_matrix(
    load: str,
    servers: dict[str, Server],
    cells: list[Cell],
    cpus: list[int],
    clients: int,
    seconds: float,
    repeats: int,
) -> list[CellResult]:
    """Runs every cell on every server in turn, `repeats` times; the order rotates."""
    results = [CellResult(cell, {name: [] for name in servers}) for cell in cells]
    datasets = list(dict.fromkeys(cell.data for cell in cells))
    names = list(servers)
    done = 0
    for data in datasets:
        load_dataset(load, list(servers.values()), data, cpus)
        for repeat in range(repeats):
            for result in (r for r in results if r.cell.data == data):
                for i in range(len(names)):
                    name = names[(i + repeat) % len(names)]
                    result.samples[name].append(
                        run_cell(
                            load, servers[name], result.cell, cpus, clients, seconds, repeat + 1
                        )
                    )
                done += 1
                progress(done, len(cells) * repeats, result.cell)
    return results


def progress(done: int, total: int, cell: Cell) -> None:
    text = f"{done}/{total} {cell.op} P{cell.pipeline} {cell.data.keys} keys"
    if sys.stderr.isatty():
        print(f"\r{text:70}", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done == total or done % 20 == 0:
        print(text, file=sys.stderr, flush=True)


# ---- ratios and rows ----


def ratios(samples: list[Sample], reference: list[Sample], what: str) -> list[float]:
    """Returns, per repeat, how many times better than the reference of the same repeat."""
    if what == "ops":
        return [a.ops_per_s / b.ops_per_s for a, b in zip(samples, reference, strict=True)]
    return [b.cpu_us / a.cpu_us for a, b in zip(samples, reference, strict=True)]


def ratio_text(values: list[float]) -> str:
    middle = statistics.median(values)
    if len(values) == 1:
        return f"{middle:.2f}"
    return f"{middle:.2f} ({min(values):.2f}..{max(values):.2f})"


def ops_text(samples: list[Sample]) -> str:
    kops = statistics.median(s.ops_per_s for s in samples) / 1000
    text = f"{kops:.0f}" if kops >= 100 else f"{kops:.1f}"
    if statistics.median(s.pushed for s in samples) > PUSHED_MOST:
        return text + "!"
    return text + ("*" if statistics.median(s.busy for s in samples) < BUSY_LEAST else "")


def matrix_rows(results: list[CellResult]) -> list[dict[str, Any]]:
    rows = []
    for result in results:
        cell = result.cell
        row: dict[str, Any] = {
            "op": cell.op.upper(),
            "P": cell.pipeline,
            "keys": cell.data.keys,
            "size": size_text(cell.data.value_bytes),
        }
        for name, samples in result.samples.items():
            row[f"{name} kops/s"] = ops_text(samples)
            row[f"{name} us/cmd"] = f"{statistics.median(s.cpu_us for s in samples):.3f}"
        reference = result.samples.get(REFERENCE)
        for name, samples in result.samples.items():
            if reference is not None and name != REFERENCE:
                row[f"{name} ops x"] = ratio_text(ratios(samples, reference, "ops"))
                row[f"{name} CPU x"] = ratio_text(ratios(samples, reference, "cpu"))
        rows.append(row)
    return rows


def bar_rows(results: list[CellResult], name: str) -> list[dict[str, Any]]:
    """Returns a verdict for each cell that has a bar: GET and SET at P1, P16 and P64."""
    rows = []
    for result in results:
        cell, reference = result.cell, result.samples.get(REFERENCE)
        bar = BARS.get(cell.pipeline) if cell.op in ("get", "set") else None
        if bar is None or reference is None or name not in result.samples:
            continue
        values = ratios(result.samples[name], reference, "cpu")
        rows.append(
            {
                "bar": f"{cell.op.upper()} P{cell.pipeline}",
                "CPU x at least": bar,
                "measured": ratio_text(values),
                "verdict": "holds" if statistics.median(values) >= bar else "MISSED",
            }
        )
    return rows


# ---- one loop against several ----


def run_loops(
    load: str, name: str, loops: int, cells: list[Cell], clients: int, seconds: float, repeats: int
) -> list[dict[str, Any]]:
    """Compares one loop with `loops`, server and load free on the same CPUs."""
    cpus = sorted(os.sched_getaffinity(0))[:loops]
    with Server(name, 1, cpus) as one, Server(name, loops, cpus) as many:
        servers = {"one": one, "many": many}
        results = run_matrix(load, servers, cells, cpus, clients, seconds, repeats)
    rows = []
    for r in results:
        one_s, many_s = r.samples["one"], r.samples["many"]
        row: dict[str, Any] = {"server": name, "op": r.cell.op.upper(), "P": r.cell.pipeline}
        for label, samples in (("1 loop", one_s), (f"{loops} loops", many_s)):
            row[f"{label} kops/s"] = f"{statistics.median(s.ops_per_s for s in samples) / 1e3:.0f}"
            row[f"{label} us/cmd"] = f"{statistics.median(s.cpu_us for s in samples):.3f}"
        row["ops x"] = ratio_text(ratios(many_s, one_s, "ops"))
        row["verdict"] = "more" if statistics.median(ratios(many_s, one_s, "ops")) > 1 else "less"
        rows.append(row)
    return rows
