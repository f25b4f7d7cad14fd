"""Measures RustyPotato beside redis-server and valkey-server over loopback. See bench/README.md.

Examples:
  python bench/wire/run.py                 the matrix, under 10 minutes
  python bench/wire/run.py --quick         a smoke run, seconds
  python bench/wire/run.py --bars          only the cells that have a bar
  python bench/wire/run.py --loops 2       two loops against one
  python bench/wire/run.py --memory 10M    RSS bytes per key
  python bench/wire/run.py --idle 10000    RSS of idle connections
  python bench/wire/run.py --big           a 512 MiB value, there and back
  python bench/wire/run.py --costs         what slow log, latency tracking and ACL cost
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any

import costs
import matrix
import modes
from loadgen import find_load
from servers import INSTALL_HINT, BenchError, Server, find_command

PEERS = ["redis", "valkey"]
OPS = ["get", "set", "incr", "mset"]
PIPELINES = [1, 16, 64]
KEYS = [1, 1_000_000]
SIZES = [64, 1024, 65536]
SUFFIXES = {"k": 1000, "M": 1_000_000, "Ki": 1024, "Mi": 1 << 20}
OVERHEAD_SECONDS = 0.13  # of each run of rp_load: start, connections, ramp

Row = dict[str, Any]


def number(text: str) -> int:
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if text.endswith(suffix):
            return int(text[: -len(suffix)]) * SUFFIXES[suffix]
    return int(text)


def numbers(text: str) -> list[int]:
    return [number(part) for part in text.split(",")]


def op_names(text: str) -> list[str]:
    names = text.lower().split(",")
    unknown = [n for n in names if n not in [*OPS, "ping"]]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]}: not one of {', '.join(OPS)}, ping")
    return names


def peer_names(text: str) -> list[str]:
    names = [n for n in text.split(",") if n and n != "none"]
    unknown = [n for n in names if n not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]}: not one of {', '.join(PEERS)}, none")
    return names


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_argument_group("what to measure (default: the matrix)")
    one = what.add_mutually_exclusive_group()
    one.add_argument("--quick", action="store_true", help="few cells, one short run each")
    one.add_argument("--full", action="store_true", help="the matrix with 5 runs of 2 s")
    one.add_argument("--bars", action="store_true", help="GET, SET; 100k keys; 64 B; verdicts")
    one.add_argument("--loops", type=int, metavar="N", help="N loops against one, all on N CPUs")
    one.add_argument("--memory", type=number, metavar="N", help="RSS per key with N keys")
    one.add_argument("--idle", type=number, metavar="N", help="RSS of N idle connections")
    one.add_argument("--big", action="store_true", help="SET and GET of one big value")
    one.add_argument("--costs", action="store_true", help="slow log, latency tracking, ACL")
    how = parser.add_argument_group("how")
    how.add_argument("--peers", type=peer_names, help="redis,valkey (default: those installed)")
    how.add_argument("--only-peers", action="store_true", help="leave RustyPotato out")
    how.add_argument("--ops", type=op_names, help="get,set,incr,mset,ping")
    how.add_argument("--pipelines", type=numbers, help="1,16,64")
    how.add_argument("--keys", type=numbers, help="1,1M")
    how.add_argument("--sizes", type=numbers, help="value bytes: 64,1Ki,64Ki; --memory: 16")
    how.add_argument("--big-bytes", type=number, default=512 << 20, help="default 512Mi")
    how.add_argument("--clients", type=int, default=50)
    how.add_argument("--repeat", type=int, help="runs of each cell on each server")
    how.add_argument("--seconds", type=float, help="length of one run")
    how.add_argument("--load", metavar="PATH", help="an rp_load to use instead of the built one")
    out = parser.add_argument_group("output")
    out.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    out.add_argument("--json", metavar="FILE", help="also write everything measured")
    args = parser.parse_args(argv)
    apply_defaults(args)
    return args


def apply_defaults(args: argparse.Namespace) -> None:
    """Fills what was not given, by mode: ops, pipelines, keys, sizes, repeats, seconds."""
    cells: tuple[list[str], list[int], list[int], list[int], int, float]
    if args.quick:
        cells = (["get", "set"], [1, 16], [100_000], [64], 1, 0.3)
    elif args.costs:
        cells = (["get"], [16], [100_000], [64], 60, 0.25)
    elif args.bars or args.loops:
        cells = (["get", "set"], PIPELINES, [100_000], [64], 5, 1.5)
    elif args.full:
        cells = (OPS, PIPELINES, KEYS, SIZES, 5, 2.0)
    else:
        cells = (OPS, PIPELINES, KEYS, [16] if args.memory else SIZES, 3, 0.7)
    names = ("ops", "pipelines", "keys", "sizes", "repeat", "seconds")
    for name, value in zip(names, cells, strict=True):
        if getattr(args, name) is None:
            setattr(args, name, value)


def choose_servers(args: argparse.Namespace) -> list[str]:
    """Returns the servers to run; a peer that was asked for by name must be there."""
    names = [] if args.only_peers else ["rustypotato"]
    names += PEERS if args.peers is None else args.peers
    found = []
    for name in names:
        if find_command(name):
            found.append(name)
        elif name == "rustypotato" or args.peers is not None:
            raise BenchError(f"{name} is not installed: {INSTALL_HINT[name]}")
        else:
            print(f"without {name}: {INSTALL_HINT[name]}", file=sys.stderr)
    if not found:
        raise BenchError("no server to measure")
    return found


def choose_cpus() -> tuple[list[int], list[int]]:
    """Returns the CPU of the servers and that of the load."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        print("only one CPU: server and load share it, so ops/s says little", file=sys.stderr)
    return [cpus[0]], [cpus[min(1, len(cpus) - 1)]]


# ---- output ----


def table_text(rows: list[Row], markdown: bool) -> str:
    if not rows:
        return ""
    heads = list(rows[0])
    lines = [heads, *([str(row[h]) for h in heads] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    left = [isinstance(rows[0][h], str) and not rows[0][h][:1].isdigit() for h in heads]
    if markdown:
        lines.insert(1, [":--" if is_left else "--:" for is_left in left])
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join(
        "  ".join(
            cell.ljust(w) if is_left else cell.rjust(w)
            for cell, w, is_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in lines
    )


def machine() -> Row:
    model = platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as cpuinfo:
        names = [line.split(":", 1)[1].strip() for line in cpuinfo if "model name" in line]
        model = names[0] if names else model
    return {
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def report(args: argparse.Namespace, titled: list[tuple[str, list[Row]]], extra: Row) -> None:
    m = machine()
    versions = ", ".join(f"{n} {v}" for n, v in extra["versions"].items())
    command = shlex.join(["python", "bench/wire/run.py", *sys.argv[1:]])
    head = [f"{command}", f"{versions}; {m['cpus']} CPUs ({m['cpu']}), Linux {m['kernel']}"]
    print(f"`{head[0]}`\n\n{head[1]}\n" if args.markdown else "\n".join(head) + "\n")
    for title, rows in titled:
        if rows:
            print(f"{title}\n" + ("\n" if args.markdown else "") + table_text(rows, args.markdown))
            print()
    for note in extra.get("notes", []):
        print(note)
    if args.json:
        tables = [{"title": title, "rows": rows} for title, rows in titled]
        text = json.dumps({"command": command, "machine": m, "tables": tables, **extra}, indent=1)
        Path(args.json).write_text(text + "\n")


# ---- the modes ----


def measure_speed(args: argparse.Namespace, names: list[str], load: str) -> None:
    server_cpus, load_cpus = choose_cpus()
    cells, left_out = matrix.plan_cells(
        args.ops, args.pipelines, args.keys, args.sizes, args.clients
    )
    runs = len(cells) * len(names) * args.repeat
    print(
        f"{len(cells)} cells x {len(names)} servers x {args.repeat} runs of {args.seconds} s: "
        f"about {runs * (args.seconds + OVERHEAD_SECONDS) / 60:.1f} min",
        file=sys.stderr,
    )
    with contextlib.ExitStack() as stack:
        servers = {n: stack.enter_context(Server(n, 1, server_cpus)) for n in names}
        versions = {n: s.version for n, s in servers.items()}
        results = matrix.run_matrix(
            load, servers, cells, load_cpus, args.clients, args.seconds, args.repeat
        )
    notes = [
        "kops/s: * = the server waited for the load (under 95 % busy): a lower bound. "
        "! = another process had the server's CPU: measure again on a quiet machine.",
        f"us/cmd: server CPU per command. x: times {matrix.REFERENCE}-server's ops/s, and "
        f"its CPU per command divided by ours: median (min..max) of {args.repeat} runs.",
    ]
    notes += [f"Left out: {line}" for line in left_out]
    raw = [
        {
            "cell": dataclasses.asdict(r.cell),
            "samples": {n: [dataclasses.asdict(s) for s in ss] for n, ss in r.samples.items()},
        }
        for r in results
    ]
    tables = [("Speed, one loop on one CPU", matrix.matrix_rows(results))]
    if args.bars and "rustypotato" in names:
        tables.append(("Bars", matrix.bar_rows(results, "rustypotato")))
    report(args, tables, {"versions": versions, "notes": notes, "raw": raw})


def measure_loops(args: argparse.Namespace, names: list[str], load: str) -> None:
    if len(os.sched_getaffinity(0)) < args.loops:
        raise BenchError(
            f"--loops {args.loops}: there are only {len(os.sched_getaffinity(0))} CPUs"
        )
    cells, _ = matrix.plan_cells(args.ops, args.pipelines, args.keys, args.sizes, args.clients)
    rows: list[Row] = []
    versions = {}
    for name in names:
        with Server(name) as server:
            versions[name] = server.version
        rows += matrix.run_loops(
            load, name, args.loops, cells, args.clients, args.seconds, args.repeat
        )
    notes = [
        f"Server and load share {args.loops} CPUs, nothing pinned to one; "
        f"x: {args.loops} loops against 1."
    ]
    report(
        args, [(f"{args.loops} loops against one", rows)], {"versions": versions, "notes": notes}
    )


def measure_memory(args: argparse.Namespace, names: list[str], load: str) -> None:
    server_cpus, load_cpus = choose_cpus()
    rows: list[Row] = []
    versions = {}
    idle_files = modes.idle_files_needed(args.idle) if args.idle else 0
    flags = ["--maxclients", str(args.idle + 32)] if args.idle else []
    for name in names:
        print(f"measuring {name}", file=sys.stderr)
        with Server(name, 1, server_cpus, flags, idle_files) as server:
            versions[name] = server.version
            if args.memory:
                rows += [modes.memory_row(server, load, args.memory, args.sizes[0], load_cpus)]
            elif args.idle:
                rows += [modes.idle_row(server, args.idle)]
            else:
                rows += [modes.big_row(server, args.big_bytes)]
    title = "Memory per key" if args.memory else "Idle connections" if args.idle else "A big value"
    report(args, [(title, rows)], {"versions": versions})


def measure_costs(args: argparse.Namespace, load: str) -> None:
    server_cpus, load_cpus = choose_cpus()
    cells = [(op, pipeline) for op in args.ops for pipeline in args.pipelines]
    with Server("rustypotato", 1, server_cpus) as server:
        rows = costs.cost_rows(server, load, load_cpus, cells, args.repeat, args.seconds)
        report(args, [("Costs", rows)], {"versions": {server.name: server.version}})


def check_args(args: argparse.Namespace) -> None:
    if not Path("/proc/self/schedstat").exists():
        raise BenchError("needs Linux with /proc/<pid>/schedstat to read a server's CPU time")
    if args.big_bytes % modes.MIB or args.big_bytes <= 0:
        raise BenchError("--big-bytes: must be a multiple of 1Mi")
    for name in ("repeat", "clients", "loops", "memory", "idle"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise BenchError(f"--{name}: must be at least 1")


def main() -> int:
    args = parse_args()
    # So that `with` and `finally` stop the servers when we are told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start = time.monotonic()
    try:
        check_args(args)
        names = choose_servers(args)
        load = "" if args.idle or args.big else find_load(args.load)
        if args.loops:
            measure_loops(args, names, load)
        elif args.costs:
            measure_costs(args, load)
        elif args.memory or args.idle or args.big:
            measure_memory(args, names, load)
        else:
            measure_speed(args, names, load)
    except BenchError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"took {time.monotonic() - start:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
