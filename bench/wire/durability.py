"""Measures what keeping data costs, beside redis-server on the same disk. See bench/README.md.

Examples:
  python bench/wire/durability.py                   policies, loading, rewrites under load
  python bench/wire/durability.py --parts policies  SET with no log, everysec and always
  python bench/wire/durability.py --parts slow      always, with syncs of 1 and 5 ms
  python bench/wire/durability.py --dir /disk       files there instead of in the temporary folder
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from loadgen import BUILD, find_load, run_load
from run import table_text
from servers import BenchError, Client, Server, ServerError, find_command

NAMES = ["redis", "rustypotato"]
POLICIES = {
    "off": [],
    "everysec": ["--appendonly", "yes", "--appendfsync", "everysec"],
    "always": ["--appendonly", "yes", "--appendfsync", "always"],
}
PARTS = ["policies", "slow", "loading", "rewrite", "large"]
Row = dict[str, Any]


# ---- SET under each policy ----


def measure_set(load: str, server: Server, pipeline: int, seconds: float) -> tuple[float, float]:
    """Returns (ops/s, server CPU us per command)."""
    got = run_load(
        load, server, [], op="set", pipeline=pipeline, seconds=seconds, server_pid=server.pid
    )
    return got["ops_per_s"], got["server_cpu_s"] * 1e6 / got["ops"]


def policy_rows(load: str, base: Path, seconds: float, repeat: int) -> list[Row]:
    rows: list[Row] = []
    plain: dict[tuple[str, int], float] = {}
    for policy, flags in POLICIES.items():
        seen: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for _ in range(repeat):
            for name in NAMES:
                folder = tempfile.mkdtemp(dir=base)
                with Server(name, 1, [], [*flags, "--dir", folder]) as server:
                    for pipeline in (1, 16):
                        one = measure_set(load, server, pipeline, seconds)
                        seen.setdefault((name, pipeline), []).append(one)
                shutil.rmtree(folder)
        for pipeline in (1, 16):
            ops = {n: median([o for o, _ in seen[n, pipeline]]) for n in NAMES}
            cpu = {n: median([c for _, c in seen[n, pipeline]]) for n in NAMES}
            if policy == "off":
                plain.update({(n, pipeline): ops[n] for n in NAMES})
            rows.append(
                {
                    "appendfsync": policy,
                    "P": pipeline,
                    "redis kops/s": round(ops["redis"] / 1e3, 1),
                    "rustypotato kops/s": round(ops["rustypotato"] / 1e3, 1),
                    "ops x": round(ops["rustypotato"] / ops["redis"], 2),
                    "CPU x": round(cpu["redis"] / cpu["rustypotato"], 2),
                    "of redis without log": round(ops["redis"] / plain["redis", pipeline], 2),
                    "of ours without log": round(
                        ops["rustypotato"] / plain["rustypotato", pipeline], 2
                    ),
                }
            )
    return rows


# ---- `always` on a slow disk ----


def build_slow_sync() -> str:
    """Returns the path of slow_sync.so, newer than its source."""
    source = Path(__file__).resolve().parent / "slow_sync.c"
    target = BUILD / "wire" / "slow_sync.so"
    if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
        return str(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["cc", "-O2", "-shared", "-fPIC", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"slow_sync.c does not compile: {done.stderr.strip()[:500]}")
    return str(target)


def slow_syncs(us: int) -> dict[str, str]:
    """The environment in which every sync of a server takes so long."""
    return {"LD_PRELOAD": build_slow_sync(), "SLOW_SYNC_US": str(us)}


def slow_disk_rows(load: str, base: Path, seconds: float, repeat: int) -> list[Row]:
    rows: list[Row] = []
    for us, pipeline in ((1000, 1), (1000, 16), (5000, 1), (5000, 16)):
        seen: dict[str, list[float]] = {name: [] for name in NAMES}
        environment = slow_syncs(us)
        for _ in range(repeat):
            for name in NAMES:
                folder = tempfile.mkdtemp(dir=base)
                flags = [*POLICIES["always"], "--dir", folder]
                with Server(name, 1, [], flags, environment=environment) as server:
                    seen[name].append(measure_set(load, server, pipeline, seconds)[0])
                shutil.rmtree(folder)
        redis, ours = median(seen["redis"]), median(seen["rustypotato"])
        rows.append(
            {
                "a sync takes us": us,
                "P": pipeline,
                "redis kops/s": round(redis / 1e3, 1),
                "rustypotato kops/s": round(ours / 1e3, 1),
                "ops x": round(ours / redis, 2),
            }
        )
    return rows


# ---- loading ----


def seconds_to_load(name: str, flags: list[str]) -> float:
    start = time.monotonic()
    with Server(name, 1, [], flags):  # ready: it answers PING with PONG, not with -LOADING
        return time.monotonic() - start


def save(server: Server) -> None:
    while True:
        try:
            server.ask("SAVE")
            return
        except ServerError:  # a rewrite is under way
            time.sleep(0.1)


def write_files(load: str, name: str, folder: str, logged: list[str], keys: int) -> None:
    """A log without a rewrite and a snapshot, both of the same keys."""
    with Server(name, 1, [], [*logged, "--dir", folder]) as server:
        run_load(load, server, [], warm=True, op="set", keys=keys, value_bytes=64)
    with Server(name, 1, [], [*logged, "--dir", folder]) as server:
        save(server)


def loading_rows(load: str, base: Path, keys: int, repeat: int) -> list[Row]:
    logged = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"]
    flags = {"log": logged, "snapshot": []}
    folders = {name: tempfile.mkdtemp(dir=base) for name in NAMES}
    took: dict[tuple[str, str], list[float]] = {}
    for name, folder in folders.items():
        write_files(load, name, folder, logged, keys)
    for _ in range(repeat):
        for what, own in flags.items():
            for name, folder in folders.items():
                seconds = seconds_to_load(name, [*own, "--dir", folder])
                took.setdefault((what, name), []).append(seconds)
    for folder in folders.values():
        shutil.rmtree(folder)
    rows = []
    for what in flags:
        redis, ours = median(took[what, "redis"]), median(took[what, "rustypotato"])
        rows.append(
            {
                "what": what,
                "keys": keys,
                "redis s": round(redis, 2),
                "rustypotato s": round(ours, 2),
                "times faster": round(redis / ours, 2),
            }
        )
    return rows


# ---- a rewrite under load ----


def rewrite_row(load: str, base: Path, keys: int) -> Row:
    folder = tempfile.mkdtemp(dir=base)
    flags = ["--appendonly", "yes", "--dir", folder, "--auto-aof-rewrite-percentage", "0"]
    with Server("rustypotato", 1, [], flags) as server:
        run_load(load, server, [], warm=True, op="set", keys=keys, value_bytes=64)
        common = {"op": "set", "pipeline": 1, "keys": keys, "seconds": 5}
        calm = run_load(load, server, [], **common)
        server.reset_peak()
        server.ask("CONFIG", "RESETSTAT")
        before = server.memory_kib("VmRSS")
        busy: dict[str, Any] = {}
        worker = threading.Thread(target=lambda: busy.update(run_load(load, server, [], **common)))
        worker.start()
        server.ask("BGREWRITEAOF")
        start = time.monotonic()
        while server.info()["aof_rewrite_in_progress"] == "1":
            time.sleep(0.02)
        took = time.monotonic() - start
        worker.join()
        peak = server.memory_kib("VmHWM")
        gap_us = int(server.info()["rustypotato_loop_gap_max_usec"])
    shutil.rmtree(folder)
    return {
        "keys": keys,
        "rewrite s": round(took, 1),
        "peak RSS x": round(peak / before, 3),
        "p99.9 before us": calm["p999_us"],
        "p99.9 during us": busy["p999_us"],
        "x": round(busy["p999_us"] / calm["p999_us"], 2),
        "longest pause of a loop ms": round(gap_us / 1000, 1),
    }


# ---- writes to a large collection during a rewrite ----


def large_row(base: Path, members: int, sync_us: int) -> Row:
    """One client writes to a hash of so many members while the base is written; sync_us: 0 = this
    machine's disk, else what a sync takes."""
    folder = tempfile.mkdtemp(dir=base)
    flags = ["--appendonly", "yes", "--dir", folder, "--auto-aof-rewrite-percentage", "0"]
    environment = slow_syncs(sync_us) if sync_us else {}
    with (
        Server("rustypotato", 1, [], flags, environment=environment) as server,
        Client(server.port) as client,
    ):
        for at in range(0, members, 1000):
            pairs = [word for i in range(at, at + 1000) for word in (f"field:{i}", f"value:{i}")]
            client.ask("HSET", "large", *pairs)
        server.ask("CONFIG", "RESETSTAT")
        server.ask("BGREWRITEAOF")
        slowest = 0.0
        writes = 0
        while server.info()["aof_rewrite_in_progress"] == "1":
            start = time.monotonic()
            client.ask("HSET", "large", f"field:{writes}", "changed")
            slowest = max(slowest, time.monotonic() - start)
            writes += 1
        gap_us = int(server.info()["rustypotato_loop_gap_max_usec"])
    shutil.rmtree(folder)
    return {
        "members": members,
        "a sync takes ms": sync_us // 1000 if sync_us else "as it is",
        "writes meanwhile": writes,
        "slowest write ms": round(slowest * 1000, 1),
        "longest pause of a loop ms": round(gap_us / 1000, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS), help="of: " + ", ".join(PARTS))
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--load-keys", type=int, default=2_000_000)
    parser.add_argument("--large-members", type=int, default=1_000_000)
    parser.add_argument("--rewrite-keys", type=int, default=5_000_000)
    args = parser.parse_args()
    try:
        for name in NAMES:
            if find_command(name) is None:
                raise BenchError(f"{name} is not installed")
        load = find_load(None)
        parts = args.parts.split(",")
        if "policies" in parts:
            rows = policy_rows(load, args.dir, args.seconds, args.repeat)
            print(table_text(rows, True), end="\n\n")
        if "slow" in parts:
            rows = slow_disk_rows(load, args.dir, args.seconds, args.repeat)
            print(table_text(rows, True), end="\n\n")
        if "loading" in parts:
            print(
                table_text(loading_rows(load, args.dir, args.load_keys, args.repeat), True),
                end="\n\n",
            )
        if "rewrite" in parts:
            print(table_text([rewrite_row(load, args.dir, args.rewrite_keys)], True), end="\n\n")
        if "large" in parts:
            print(
                table_text(
                    [large_row(args.dir, args.large_members, us) for us in (0, 1_500_000)], True
                )
            )
    except BenchError as error:
        print(f"durability.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
