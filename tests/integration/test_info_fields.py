"""INFO has every section and every field of Redis 7.0, and no field of its own but in its own
section."""

from __future__ import annotations

import re

import pytest

from tools.doors import Door
from tools.servers import REDIS_SERVER, Server
from tools.wait import until

# Fields that are there as often as there is something to count.
COUNTED = ("cmdstat_", "errorstat_", "latency_percentiles_usec_", "db")
SECTIONS = ["server", "clients", "memory", "persistence", "stats", "replication", "cpu", "modules"]
SECTIONS += ["commandstats", "errorstats", "latencystats", "cluster", "keyspace"]


def fields(text: bytes) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for line in text.decode().splitlines():
        if line.startswith("# "):
            section = line[2:].lower()
            out[section] = []
        elif line:
            name = line.split(":", 1)[0]
            if not name.startswith(COUNTED):
                out[section].append(name)
    return out


@pytest.mark.ours("it is what we compare with")
@pytest.mark.parametrize("log", ["no", "yes"])
def test_every_field_of_redis_is_there(log: str) -> None:
    if REDIS_SERVER is None:
        pytest.skip("redis-server is not installed")
    texts = {}
    for kind in ("redis", "rustypotato"):
        with Server(kind, appendonly=log) as server, server.connect() as conn:
            conn.call("SET", "k", "v", "EX", "100")
            conn.call("INCR", "k")
            texts[kind] = fields(conn.call("INFO", "everything"))
    theirs, ours = texts["redis"], texts["rustypotato"]
    assert set(theirs) == set(SECTIONS) and set(ours) == {*SECTIONS, "rustypotato"}
    assert list(theirs) == [s for s in ours if s != "rustypotato"]
    for section in SECTIONS:
        assert len(ours[section]) == len(set(ours[section])), section
        missing = set(theirs[section]) - set(ours[section])
        more = set(ours[section]) - set(theirs[section])
        assert (missing, more) == (set(), set()), section


def test_all_sections_and_several(door: Door) -> None:
    whole = list(fields(door("INFO", "everything")))
    assert [s for s in whole if s != "rustypotato"] == SECTIONS
    assert set(fields(door("INFO"))) >= set(SECTIONS) - {"commandstats", "latencystats"}
    assert set(fields(door("INFO", "default", "commandstats"))) >= {"commandstats", "server"}
    assert list(fields(door("INFO", "latencystats", "nope", "CLUSTER", "cpu"))) == [
        "cpu",
        "latencystats",
        "cluster",
    ]


def test_rejected_and_failed_calls_are_counted_apart(door: Door) -> None:
    door("CONFIG", "RESETSTAT")
    door("GET")  # arity
    door("LPUSH", "l", "x")
    door("GET", "l")  # WRONGTYPE
    door("MULTI")
    door("SET", "k")  # refused in the queue
    door("EXEC")
    info = door.info()
    assert info["cmdstat_get"].endswith(",rejected_calls=1,failed_calls=1")
    assert info["cmdstat_set"].endswith(",rejected_calls=1,failed_calls=0")
    assert info["cmdstat_exec"].startswith("calls=1,")
    counts = {k: int(v.split("=")[1]) for k, v in info.items() if k.startswith("errorstat_")}
    assert counts == {"errorstat_ERR": 2, "errorstat_WRONGTYPE": 1, "errorstat_EXECABORT": 1}
    assert info["total_error_replies"] == "4"
    match = re.fullmatch(
        r"calls=1,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=1,failed_calls=1",
        info["cmdstat_get"],
    )
    assert match


@pytest.mark.sockets
@pytest.mark.resp2
def test_reads_writes_and_the_largest_buffers_are_counted(door: Door) -> None:
    door("CONFIG", "RESETSTAT")
    for _ in range(10):
        door("PING")
    info = door.info()
    assert int(info["total_reads_processed"]) >= 10
    assert int(info["total_writes_processed"]) >= 10
    with door.socket() as conn:
        conn.send(b"*2\r\n$4\r\nECHO\r\n$60000\r\n" + b"x" * 50_000)
        door.many([("PING",)] * 50)
        until(
            lambda: int(door.info("clients")["client_recent_max_input_buffer"]) >= 20_000,
            "half a command of 50 kB shows in the buffers",
        )


@pytest.mark.sockets
def test_expired_keys_show_in_the_share_of_stale_ones(door: Door) -> None:
    door("CONFIG", "RESETSTAT")
    door.many([("SET", f"e{i}", "v", "PX", "1") for i in range(2000)])
    until(lambda: float(door.info("stats")["expired_stale_perc"]) > 0, "stale keys were found")
    assert int(door.info("stats")["expire_cycle_cpu_milliseconds"]) >= 0


@pytest.mark.sockets
def test_who_waits_is_a_blocked_client(door: Door) -> None:
    assert door.info("clients")["blocked_clients"] == "0"
    with door.socket() as conn:
        conn.send(b"WAIT 1 0\r\n")
        until(lambda: door.info("clients")["blocked_clients"] == "1", "one waits")
    until(lambda: door.info("clients")["blocked_clients"] == "0", "it is gone")
