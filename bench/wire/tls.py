"""Measures what TLS costs, beside redis-server with TLS. See bench/README.md.

The load is redis-benchmark --tls: rp_load speaks no TLS. The servers run at the same time and are
loaded in turn, so that a noisy machine disturbs both; what counts is their CPU time per command.

Examples:
  python bench/wire/tls.py                    GET and SET at P1 and P16, without and with TLS
  python bench/wire/tls.py --repeat 9 --pipelines 16 --ops get
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from matrix import ratio_text
from run import table_text
from servers import BenchError, Server, free_port

NAMES = ["redis", "rustypotato"]
Row = dict[str, Any]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=localhost", "-days", "2", "-out", cert, "-keyout", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"openssl made no certificate: {done.stderr.strip()}")
    return cert, key


class Load:
    """redis-benchmark on its own CPU."""

    def __init__(self, cpus: list[int], cert: Path) -> None:
        program = shutil.which("redis-benchmark")
        if program is None:
            raise BenchError("redis-benchmark is missing: install the Debian package redis-tools")
        self.command = [program, "-h", "127.0.0.1", "-c", "50", "-d", "64", "-r", "100000", "-q"]
        self.tls = ["--tls", "--cacert", str(cert), "--sni", "localhost"]
        self.cpus = cpus

    def run(self, port: int, tls: bool, op: str, pipeline: int, count: int) -> None:
        command = [*self.command, "-p", str(port), "-t", op, "-P", str(pipeline), "-n", str(count)]
        done = subprocess.run(
            command + (self.tls if tls else []),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, self.cpus),
        )
        if done.returncode != 0 or "rror" in done.stdout:
            raise BenchError(f"redis-benchmark: {(done.stderr or done.stdout).strip()}")


def ratio(over: list[float], under: list[float]) -> str:
    """Of the quotients of one repeat each."""
    return ratio_text([a / b for a, b in zip(over, under, strict=True)])


def measure(
    servers: dict[str, Server], load: Load, ports: dict[str, int], args: argparse.Namespace
) -> list[Row]:
    rows: list[Row] = []
    for op in args.ops.split(","):
        for pipeline in map(int, args.pipelines.split(",")):
            count = args.commands * pipeline
            seen: dict[tuple[str, bool], list[float]] = {}
            for turn in range(args.repeat):
                for name in NAMES if turn % 2 else NAMES[::-1]:
                    for tls in (False, True):
                        port = ports[name] if tls else servers[name].port
                        before = servers[name].cpu_s()
                        load.run(port, tls, op, pipeline, count)
                        used = (servers[name].cpu_s() - before) * 1e6 / count
                        seen.setdefault((name, tls), []).append(used)
            row: Row = {"op": op.upper(), "P": pipeline}
            for name in NAMES:
                row[f"{name} us/cmd"] = round(statistics.median(seen[name, False]), 3)
                row[f"{name} TLS us/cmd"] = round(statistics.median(seen[name, True]), 3)
            row["CPU x"] = ratio(seen["redis", False], seen["rustypotato", False])
            row["TLS CPU x"] = ratio(seen["redis", True], seen["rustypotato", True])
            rows.append(row)
    return rows


def run(args: argparse.Namespace) -> list[Row]:
    cpus = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="wire-tls-") as name:
        cert, key = make_certificate(Path(name))
        ports = {name: free_port() for name in NAMES}
        flags = ["--tls-cert-file", str(cert), "--tls-key-file", str(key)]
        flags += ["--tls-ca-cert-file", str(cert), "--tls-auth-clients", "no"]
        servers: dict[str, Server] = {}
        try:
            for name in NAMES:
                own = [*flags, "--tls-port", str(ports[name])]
                servers[name] = Server(name, 1, cpus[:1], own)
                servers[name].start()
            load = Load(cpus[1:] or cpus, cert)
            for name in NAMES:
                load.run(servers[name].port, False, "set", 16, 400_000)  # the keys that GET finds
            return measure(servers, load, ports, args)
        finally:
            for server in servers.values():
                server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ops", default="get,set")
    parser.add_argument("--pipelines", default="1,16")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--commands", type=int, default=60_000, help="batches of a run")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    args = parser.parse_args()
    try:
        print(table_text(run(args), args.markdown))
    except BenchError as error:
        print(f"tls.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
