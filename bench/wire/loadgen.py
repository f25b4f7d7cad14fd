"""Finding (or building) rp_load, and running it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from servers import BenchError, Server

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build"
EXTRA_SECONDS = 120.0  # for warming and for a server that stalls: rp_load gives up after 30


def find_load(given: str | None) -> str:
    """Returns the path of an rp_load that is not older than its sources."""
    if given:
        if not Path(given).is_file():
            raise BenchError(f"--load {given}: no such file")
        return str(Path(given).resolve())
    sources = [p for p in HERE.iterdir() if p.suffix in (".cc", ".h")]
    newest = max(p.stat().st_mtime for p in sources)
    own = BUILD / "wire" / "rp_load"  # outside of CMake's folders
    built = [BUILD / preset / "rp_load" for preset in ("bench", "release")]
    for path in [*built, own]:
        if path.is_file() and path.stat().st_mtime >= newest:
            return str(path)
    return build_load(own)


def build_load(target: Path) -> str:
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise BenchError("rp_load is not built and there is no C++ compiler: build it with CMake")
    print(f"building {target.name}", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    units = sorted(str(p) for p in HERE.glob("*.cc"))
    command = [compiler, "-std=c++20", "-O2", "-pthread", *units, "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"rp_load does not compile: {done.stderr.strip()[:500]}")
    return str(target)


def run_load(load: str, server: Server, cpus: list[int], **flags: Any) -> dict[str, Any]:
    """Runs rp_load against a server. Returns its JSON; {} for a warm-up alone."""
    command = [load, "--port", str(server.port)]
    if cpus:
        command += ["--cpu", ",".join(map(str, cpus))]
    for name, value in flags.items():
        if value is True:
            command.append("--" + name)
        elif value is not None and value is not False:
            command += ["--" + name.replace("_", "-"), str(value)]
    limit = EXTRA_SECONDS + float(flags.get("seconds") or 0)
    if flags.get("warm"):
        limit += float(flags.get("keys") or 0) / 20_000
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{server.name}: rp_load was not done after {limit:.0f} s") from None
    if done.returncode != 0:
        what = done.stderr.strip() or f"rp_load ended with {done.returncode}"
        raise BenchError(f"{server.name}: {what}")
    result: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return result
