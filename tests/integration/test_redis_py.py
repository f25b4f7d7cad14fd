"""redis-py from PyPI, unmodified, over TCP and unix socket, RESP2 and RESP3."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tools.doors import Door
from tools.wait import SCALE

redis = pytest.importorskip("redis")
pytest.importorskip("redis.asyncio")

pytestmark = [pytest.mark.sockets, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def client_for(door: Door, **options: Any) -> Any:
    where = (
        {"unix_socket_path": door.server.unixsocket}
        if door.name == "unix"
        else {"host": "127.0.0.1", "port": door.server.port}
    )
    return redis.Redis(
        **where,
        protocol=3 if door.name.endswith("resp3") else 2,
        socket_timeout=30 * SCALE,
        **options,
    )


@pytest.fixture
def client(door: Door) -> Iterator[Any]:
    made = client_for(door)
    yield made
    made.close()


def test_strings(client: Any) -> None:
    assert client.ping() is True
    assert client.set("k", "v") is True
    assert client.get("k") == b"v"
    assert client.get("none") is None
    assert client.set("k", "w", nx=True) is None
    assert client.set("k", "w", xx=True, get=True) == b"v"
    assert client.set("k", "w", ex=100) is True and 99 <= client.ttl("k") <= 100
    assert client.getex("k", persist=True) == b"w" and client.ttl("k") == -1
    assert client.getdel("k") == b"w"
    assert client.mset({"a": 1, "b": 2}) is True
    assert client.mget("a", "none", "b") == [b"1", None, b"2"]
    assert client.msetnx({"a": 1, "c": 2}) is False
    assert client.incr("n") == 1 and client.incrby("n", 5) == 6 and client.decr("n") == 5
    assert client.incrbyfloat("f", 1.5) == 1.5
    assert client.append("s", "abc") == 3 and client.strlen("s") == 3
    assert client.getrange("s", 0, 1) == b"ab" and client.setrange("s", 1, "XY") == 3
    assert client.setex("e", 10, "v") is True and client.psetex("e", 10_000, "v") is True
    assert client.setnx("e", "w") is False
    with pytest.raises(redis.ResponseError, match="value is not an integer or out of range"):
        client.incr("s")
    assert client.lcs("s", "s") in (b"aXY", "aXY")


def test_keys(client: Any) -> None:
    client.mset({f"k{i}": i for i in range(100)})
    assert client.dbsize() == 100
    assert set(client.scan_iter(match="k1*", count=7)) == set(client.keys("k1*"))
    assert client.exists("k1", "k2", "none") == 2
    assert client.delete("k1", "k2") == 2
    assert client.unlink("k3") == 1
    assert client.touch("k4") == 1
    assert client.type("k4") == b"string"
    assert client.rename("k4", "r") is True and client.renamenx("r", "k4") in (True, 1)
    assert client.copy("k4", "c") is True
    assert client.expire("c", 100) is True and client.expiretime("c") > 0
    assert client.pexpire("c", 100_000, gt=True) in (True, False)
    assert client.persist("c") is True
    assert client.object("encoding", "c") == b"int"
    assert client.randomkey() is not None
    assert client.move("c", 1) in (True, 1)
    assert client.swapdb(0, 1) is True
    assert client.dbsize() == 1
    assert client.flushdb() is True and client.flushall(asynchronous=True) is True


def test_server_commands(client: Any, door: Door) -> None:
    info = client.info()
    assert info["redis_version"].startswith("7.0.") and info["tcp_port"] == door.server.port
    assert client.info("keyspace") == {}
    client.set("k", "v")
    assert client.info("keyspace")["db0"]["keys"] == 1
    assert client.config_get("maxmemory") == {"maxmemory": "0"}
    assert client.config_set("hz", 10) is True
    assert client.config_resetstat() is True
    assert client.client_setname("me") is True and client.client_getname() in ("me", b"me")
    assert any(c["name"] == "me" for c in client.client_list())
    assert client.client_info()["name"] == "me"
    assert client.client_id() > 0
    assert client.command_count() > 50
    assert "get" in client.command()
    assert client.command_getkeys("MSET", "a", "1", "b", "2") in ([b"a", b"b"], ["a", "b"])
    assert len(client.time()) == 2
    assert client.echo("hi") == b"hi"
    assert client.memory_usage("k") > 0
    assert client.memory_stats()["keys.count"] == 1
    assert client.memory_purge() is True
    assert client.execute_command("LOLWUT") is not None


def test_decode_responses(door: Door) -> None:
    client = client_for(door, decode_responses=True)
    client.set("k", "ü")
    assert client.get("k") == "ü" and client.keys() == ["k"]
    client.close()


def test_databases_names_and_health_checks(door: Door) -> None:
    one = client_for(door, db=3, client_name="db3", health_check_interval=1)
    one.set("k", "three")
    assert one.client_getname() in ("db3", b"db3")
    two = client_for(door)
    assert two.get("k") is None
    two.select(3)
    one.close()
    two.close()


def test_pipelines(client: Any) -> None:
    with client.pipeline(transaction=False) as pipe:
        for i in range(5000):
            pipe.set(f"k{i}", i).get(f"k{i}")
        replies = pipe.execute()
    assert replies == [x for i in range(5000) for x in (True, b"%d" % i)]
    with client.pipeline(transaction=True) as pipe:
        pipe.incr("n").incr("n").get("n")
        assert pipe.execute() == [1, 2, b"2"]
    with client.pipeline() as pipe:
        pipe.set("s", "abc").incr("s").set("after", 1)
        replies = pipe.execute(raise_on_error=False)
    assert replies[0] is True and isinstance(replies[1], redis.ResponseError) and replies[2] is True


def test_transactions_with_watch(client: Any) -> None:
    client.set("n", 0)
    with client.pipeline() as pipe:
        pipe.watch("n")
        value = int(pipe.get("n"))
        client.set("n", 41)
        pipe.multi()
        pipe.set("n", value + 1)
        with pytest.raises(redis.WatchError):
            pipe.execute()

    def increment(pipe: Any) -> None:
        value = int(pipe.get("n"))
        pipe.multi()
        pipe.set("n", value + 1)

    client.transaction(increment, "n")
    assert client.get("n") == b"42"


def test_optimistic_counters_of_several_threads(door: Door, client: Any) -> None:
    """WATCH never lets a lost update through."""
    client.set("n", 0)
    workers, rounds = 4, 50

    def increment(pipe: Any) -> None:
        value = int(pipe.get("n"))
        pipe.multi()
        pipe.set("n", value + 1)

    def work() -> None:
        mine = client_for(door)
        for _ in range(rounds):
            mine.transaction(increment, "n")
        mine.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("n") == b"%d" % (workers * rounds)


def test_a_pool_shared_by_threads(door: Door) -> None:
    client = client_for(door, max_connections=50)

    def work(number: int) -> None:
        for i in range(200):
            client.set(f"t{number}", i)
            assert client.get(f"t{number}") == b"%d" % i
            client.incr("shared")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("shared") == b"1600"
    client.close()


def test_asyncio_client(door: Door) -> None:
    async def main() -> None:
        where = (
            {"unix_socket_path": door.server.unixsocket}
            if door.name == "unix"
            else {"host": "127.0.0.1", "port": door.server.port}
        )
        client = redis.asyncio.Redis(**where, protocol=3 if door.name.endswith("resp3") else 2)
        await asyncio.gather(*(client.set(f"k{i}", i) for i in range(50)))
        assert await client.mget([f"k{i}" for i in range(50)]) == [b"%d" % i for i in range(50)]
        async with client.pipeline(transaction=True) as pipe:
            assert await pipe.incr("n").incr("n").execute() == [1, 2]
        await client.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("megabytes", [64])
def test_a_large_value_round_trips(client: Any, megabytes: int) -> None:
    value = bytes(range(256)) * (megabytes << 12)
    assert client.set("big", value) is True
    assert client.strlen("big") == len(value)
    assert client.get("big") == value
    assert client.delete("big") == 1


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.timeout(300)
def test_a_value_of_512_mib_round_trips(door: Door, client: Any) -> None:
    value = bytes(range(256)) * (512 << 12)
    assert client.set("big", value) is True
    assert client.strlen("big") == 512 << 20
    assert client.get("big") == value
    with pytest.raises((redis.ResponseError, redis.ConnectionError)):
        client.set("big", value + b"x")
    assert client.delete("big") == 1
