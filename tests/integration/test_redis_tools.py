"""redis-cli and redis-benchmark 7.0, unmodified."""

from __future__ import annotations

import csv
import io
import re
import shutil
import socket
import subprocess

import pytest

from tools.doors import Door
from tools.resp import encode
from tools.wait import SCALE

pytestmark = [pytest.mark.sockets, pytest.mark.resp2]
CLI, BENCHMARK = shutil.which("redis-cli"), shutil.which("redis-benchmark")


def where(door: Door) -> list[str]:
    if door.name == "unix":
        return ["-s", door.server.unixsocket]
    return ["-h", "127.0.0.1", "-p", str(door.server.port)]


def cli(door: Door, *args: str, stdin: bytes = b"", check: bool = True) -> str:
    assert CLI, "redis-cli is not installed (Debian package redis-tools)"
    done = subprocess.run(
        [CLI, *where(door), *args],
        input=stdin,
        capture_output=True,
        timeout=60 * SCALE,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout.decode()


def test_one_shot_commands(door: Door) -> None:
    assert cli(door, "PING") == "PONG\n"
    assert cli(door, "SET", "k", "a b") == "OK\n"
    assert cli(door, "GET", "k") == "a b\n"
    assert cli(door, "--no-raw", "GET", "k") == '"a b"\n'
    assert cli(door, "--no-raw", "MGET", "k", "none") == '1) "a b"\n2) (nil)\n'
    assert cli(door, "INCR", "n") == "1\n"
    assert cli(door, "-n", "3", "SET", "k", "three") == "OK\n"
    assert cli(door, "-n", "3", "GET", "k") == "three\n"
    assert "ERR wrong number of arguments for 'get' command" in cli(door, "GET")
    assert cli(door, "-3", "--no-raw", "CONFIG", "GET", "hz") == '1# "hz" => "10"\n'
    assert cli(door, "-x", "SET", "stdin", stdin=b"from stdin") == "OK\n"
    assert cli(door, "GET", "stdin") == "from stdin\n"
    assert cli(door, "-r", "3", "INCR", "r") == "1\n2\n3\n"
    assert cli(door, "--csv", "MGET", "k", "none") == '"a b",NULL\n'
    assert cli(door, "--json", "GET", "k") == '"a b"\n'


def test_commands_from_standard_input(door: Door) -> None:
    out = cli(door, stdin=b"SET k 1\nINCR k\nMULTI\nINCR k\nEXEC\n")
    assert out == "OK\n2\nOK\nQUEUED\n3\n"


def test_info_and_command_docs_through_redis_cli(door: Door) -> None:
    assert re.search(r"redis_version:7\.0\.", cli(door, "INFO", "server"))
    assert len(cli(door, "COMMAND", "DOCS").splitlines()) > 500


def test_mass_insertion_by_pipe(door: Door) -> None:
    payload = b"".join(encode("SET", f"key:{i}", i) for i in range(20_000))
    out = cli(door, "--pipe", stdin=payload)
    assert "errors: 0, replies: 20000" in out
    assert door("DBSIZE") == 20_000
    out = cli(door, "--pipe", stdin=b"SET inline 1\r\n" * 10 + encode("nope"), check=False)
    assert "errors: 1, replies: 11" in out


def test_scan_and_bigkeys_and_memkeys(door: Door) -> None:
    door("MSET", *[x for i in range(500) for x in (f"key:{i}", "v" * (i % 50 + 1))])
    assert sorted(cli(door, "--scan").split()) == sorted(f"key:{i}" for i in range(500))
    assert sorted(cli(door, "--scan", "--pattern", "key:1?").split()) == [
        f"key:1{i}" for i in range(10)
    ]
    big = cli(door, "--bigkeys")
    assert "Sampled 500 keys in the keyspace!" in big
    assert "500 strings with" in big
    assert "Sampled 500 keys in the keyspace!" in cli(door, "--memkeys")
    door.config("maxmemory-policy", "allkeys-lfu")
    assert "Sampled 500 keys in the keyspace!" in cli(door, "--hotkeys")


def test_inline_commands_by_a_plain_socket(door: Door) -> None:
    """What nc or telnet would send."""
    conn = door.socket()
    conn.send(b"SET k v\r\nGET k\r\nINCR n\nQUIT\r\n")
    assert conn.read_to_end() == b"+OK\r\n$1\r\nv\r\n:1\r\n+OK\r\n"
    with socket.socket(socket.AF_UNIX if door.name == "unix" else socket.AF_INET) as plain:
        plain.connect(
            door.server.unixsocket if door.name == "unix" else ("127.0.0.1", door.server.port)
        )
        plain.sendall(b"PING\n")
        assert plain.recv(100) == b"+PONG\r\n"


BENCHMARK_TESTS = ["ping_inline", "ping_mbulk", "set", "get", "incr", "mset"]


def benchmark(door: Door, *args: str) -> dict[str, float]:
    assert BENCHMARK, "redis-benchmark is not installed (Debian package redis-tools)"
    done = subprocess.run(
        [BENCHMARK, *where(door), "--csv", *args],
        capture_output=True,
        timeout=100 * SCALE,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "error" not in done.stderr.lower(), done.stderr
    table = list(csv.reader(io.StringIO(done.stdout)))
    return {row[0]: float(row[1]) for row in table[1:]}


@pytest.mark.parametrize("pipeline", ["1", "16", "64"])
def test_benchmark(door: Door, pipeline: str) -> None:
    rates = benchmark(
        door, "-n", "4000", "-c", "20", "-P", pipeline, "-t", ",".join(BENCHMARK_TESTS)
    )
    assert len(rates) == len(BENCHMARK_TESTS)
    assert all(rate > 0 for rate in rates.values()), rates
    assert int(door("GET", "counter:__rand_int__")) >= 4000  # A last pipeline may be whole.


def test_benchmark_with_random_keys_sizes_and_threads(door: Door) -> None:
    assert benchmark(
        door,
        "-n",
        "5000",
        "-r",
        "100000",
        "-d",
        "1000",
        "-P",
        "8",
        "-t",
        "set,get",
        "--threads",
        "2",
    )
    assert 4000 < door("DBSIZE") <= 5000
    assert benchmark(door, "-n", "200", "-d", "100000", "-t", "set,get")
    assert door("STRLEN", "key:__rand_int__") == 100_000


@pytest.mark.once
def test_benchmark_of_the_default_run(door: Door) -> None:
    """Everything redis-benchmark does by default and this store has a command for."""
    assert BENCHMARK
    done = subprocess.run(
        [BENCHMARK, *where(door), "-n", "1000", "-q"],
        capture_output=True,
        timeout=100 * SCALE,
        check=False,
        text=True,
    )
    for name in ("PING_INLINE", "PING_MBULK", "SET", "GET", "INCR"):
        assert re.search(
            rf"^{name}: [\d.]+ requests per second", done.stdout.replace("\r", "\n"), re.M
        ), done.stdout + done.stderr
