"""CLIENT LIST's numbers are those of the client; maxmemory-clients; MEMORY STATS' names."""

from __future__ import annotations

import pytest

from tools.doors import Door
from tools.resp import Conn, as_dict, encode
from tools.wait import until


def clients(door: Door) -> list[dict[str, str]]:
    text = door("CLIENT", "LIST").decode()
    return [dict(f.split("=", 1) for f in line.split(" ")) for line in text.splitlines()]


def client_of(door: Door, number: str) -> dict[str, str]:
    return next(c for c in clients(door) if c["id"] == number)


def id_of(conn: Conn) -> str:
    return str(conn.call("CLIENT", "ID"))


@pytest.mark.sockets
@pytest.mark.resp2
def test_half_a_command_shows_as_input(door: Door) -> None:
    with door.socket() as conn:
        number = id_of(conn)
        idle = int(client_of(door, number)["tot-mem"])
        conn.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n" + b"x" * 50_000)

        def waiting() -> dict[str, str] | None:
            c = client_of(door, number)
            held = int(c["qbuf"]) + int(c["argv-mem"])
            return c if held >= 50_000 else None

        c = until(waiting, "50 kB of half a command are held")
        assert int(c["tot-mem"]) >= 50_000 and idle < int(c["tot-mem"])
        conn.send(b"y" * 50_000 + b"\r\n")
        assert conn.read_raw() == b"+OK\r\n"
        # Redis keeps the buffer for a while.
        until(lambda: int(client_of(door, number)["qbuf"]) == 0, "nothing waits any more")


@pytest.mark.sockets
@pytest.mark.resp2
def test_unsent_replies_show_as_output(door: Door) -> None:
    door("SET", "big", "x" * 1_000_000)
    with door.socket() as conn:
        number = id_of(conn)
        conn.send(encode("GET", "big") * 40)

        def stuck() -> dict[str, str] | None:
            c = client_of(door, number)
            return c if int(c["oll"]) > 0 and "w" in c["events"] else None

        c = until(stuck, "replies wait for a reader")
        assert int(c["omem"]) > 0
        assert int(c["tot-mem"]) >= int(c["omem"])


def test_queued_commands_show_as_multi_mem(door: Door) -> None:
    door("MULTI")
    door("SET", "k", "x" * 10_000)
    door("SET", "k", "y" * 10_000)
    other = door.other()
    me = [c for c in clients(other) if c["multi"] == "2"]
    assert len(me) == 1
    assert int(me[0]["multi-mem"]) >= 20_000 and int(me[0]["tot-mem"]) >= 20_000
    door("DISCARD")


def test_idle_is_the_time_since_the_last_command(door: Door) -> None:
    other = door.other()
    number = str(other("CLIENT", "ID"))
    until(lambda: int(client_of(door, number)["idle"]) >= 2, "two seconds without a command")
    other("PING")
    assert int(client_of(door, number)["idle"]) <= 1


# ---------------------------------------------------------------- maxmemory-clients


@pytest.mark.sockets
@pytest.mark.resp2
@pytest.mark.ours("Redis counts protected clients too, and then closes everybody else for them")
def test_the_largest_clients_go_when_all_together_take_too_much(door: Door) -> None:
    door("CONFIG", "RESETSTAT")
    small, large, spared = door.socket(), door.socket(), door.socket()
    assert spared.call("CLIENT", "NO-EVICT", "ON") == "OK"
    half = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000000\r\n" + b"x" * 2_500_000
    large.send(half)
    spared.send(half)
    door.config("maxmemory-clients", "2mb")
    with pytest.raises((ConnectionError, EOFError)):
        large.read_raw()
    assert small.call("PING") == "PONG"
    spared.send(b"x" * 1_500_000 + b"\r\n")
    assert spared.read_raw() == b"+OK\r\n"
    assert door.info()["evicted_clients"] == "1"
    door.config("maxmemory-clients", 0)


# ---------------------------------------------------------------- MEMORY


NAMES = """peak.allocated total.allocated startup.allocated replication.backlog clients.slaves
clients.normal cluster.links aof.buffer lua.caches functions.caches db.0 overhead.total keys.count
keys.bytes-per-key dataset.bytes dataset.percentage peak.percentage allocator.allocated
allocator.active allocator.resident allocator-fragmentation.ratio allocator-fragmentation.bytes
allocator-rss.ratio allocator-rss.bytes rss-overhead.ratio rss-overhead.bytes fragmentation
fragmentation.bytes"""


def test_memory_stats_has_redis_s_names_in_their_order(door: Door) -> None:
    door("SET", "k", "v")
    stats = as_dict(door("MEMORY", "STATS"))
    assert [name.decode() for name in stats] == NAMES.split()
    assert set(as_dict(stats[b"db.0"])) == {
        b"overhead.hashtable.main",
        b"overhead.hashtable.expires",
        b"overhead.hashtable.slot-to-keys",
    }
    assert stats[b"keys.count"] == 1


@pytest.mark.parametrize("kind", ["SET", "RPUSH", "SADD", "ZADD", "HSET"])
def test_memory_usage_grows_with_the_value(door: Door, kind: str) -> None:
    def usage(elements: int) -> int:
        door("DEL", "k")
        if kind == "SET":
            door("SET", "k", "x" * (elements * 20))
        for i in range(elements if kind != "SET" else 0):
            word = f"element-{i:012}"
            door(kind, "k", *([i, word] if kind == "ZADD" else [word, word]))
        return door("MEMORY", "USAGE", "k", "SAMPLES", 0)

    few, many = usage(4), usage(300)
    assert 60 <= few <= 1000 and many > 300 * 20 > few
    assert door("MEMORY", "USAGE", "none") is None
