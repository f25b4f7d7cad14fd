"""A server and its directory: what a restart brings back, what redis-server makes of it, what stops."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
from pathlib import Path

import pytest
from directory_kit import LOGGED, SAVED, digest, kill

import rustypotato
from tools.resp import Conn, encode
from tools.servers import REDIS_SERVER, Server, flags_of, free_port, run_to_end
from tools.wait import until


def fill(conn: Conn) -> None:
    """Every type, small and large, in two databases; expiries near and far."""
    for db in (0, 3):
        conn.call("SELECT", db)
        conn.call("MSET", *[x for i in range(200) for x in (f"s{i}", "v" * i)])
        conn.call("SET", "number", 12)
        conn.call("INCRBY", "number", 30)
        conn.call("SET", "blob", "b" * 40_000)
        conn.call("APPEND", "blob", "tail")
        conn.call("SET", "far", "x", "EX", 100_000)
        conn.call("SET", "gone", "x", "PX", 1)
        for size in (3, 3000):
            items = [f"e{i}" for i in range(size)]
            conn.call("RPUSH", f"list{size}", *items)
            conn.call("SADD", f"set{size}", *items)
            conn.call("SADD", f"ints{size}", *range(size))
            conn.call("HSET", f"hash{size}", *[x for i in items for x in (i, i + "v")])
            conn.call("ZADD", f"zset{size}", *[x for i, e in enumerate(items) for x in (i / 7, e)])
        conn.call("LPOP", "list3000", 5)
        conn.call("SPOP", "set3000", 100)
        conn.call("HINCRBYFLOAT", "hash3", "f", "0.1")
        conn.call("ZINCRBY", "zset3", "1.5", "e1")
        conn.call("RENAME", "s1", "renamed")
        conn.call("COPY", "hash3000", "copied")
        conn.call("MULTI")
        conn.call("DEL", "s2")
        conn.call("SET", "multi", "x")
        conn.call("EXEC")
    conn.call("SELECT", 0)
    until(lambda: conn.call("EXISTS", "gone") == 0, "the near expiry has passed")
    conn.call("SELECT", 3)
    conn.call("EXISTS", "gone")


@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_what_was_acknowledged_survives_kill_9(start, policy: str) -> None:
    server = start(**LOGGED, appendfsync=policy)
    with server.connect() as conn:
        fill(conn)
    before = digest(server)
    kill(server)
    assert digest(start(**LOGGED)) == before


def test_a_rewritten_log_holds_the_same(start, folder: str) -> None:
    server = start(**LOGGED)
    with server.connect() as conn:
        fill(conn)
        assert conn.call("BGREWRITEAOF") == "Background append only file rewriting started"
        conn.call("SET", "after", "the cut")
        until(lambda: "aof_rewrite_in_progress:0" in conn.call("INFO", "persistence").decode(), "")
        names = sorted(os.listdir(f"{folder}/appendonlydir"))
        assert len([n for n in names if ".base." in n]) == 1
        assert len([n for n in names if ".incr." in n]) == 1
    before = digest(server)
    kill(server)
    assert digest(start(**LOGGED)) == before


def test_a_snapshot_brings_back_what_it_saw(start) -> None:
    server = start(**SAVED)
    with server.connect() as conn:
        fill(conn)
        before = digest(server)
        assert conn.call("SAVE") == "OK"
        conn.call("SET", "later", "x")
        assert "rdb_saves:1" in conn.call("INFO", "persistence").decode()
    kill(server)
    assert digest(start(**SAVED)) == before


def test_shutdown_saves_when_it_should(start, folder: str) -> None:
    points = SAVED | {"save": "3600 1"}
    for word, there in (("NOSAVE", False), ("SAVE", True)):
        server = start(**points)
        with server.connect() as conn:
            conn.call("SET", "k", word)
            with pytest.raises((EOFError, ConnectionError)):
                conn.call("SHUTDOWN", word)
        assert server.wait_exit() == 0
        assert os.path.exists(f"{folder}/dump.rdb") == there
    server = start(**points)
    with server.connect() as conn:
        assert conn.call("GET", "k") == b"SAVE"
        conn.call("SET", "k", "by signal")
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    with start(**points).connect() as conn:
        assert conn.call("GET", "k") == b"by signal"


@pytest.mark.skipif(REDIS_SERVER is None, reason="redis-server is not installed")
@pytest.mark.parametrize("rewrite", [False, True])
def test_redis_server_starts_from_our_log_and_we_from_its(start, rewrite: bool) -> None:
    redis = SAVED | {"appendonly": "yes", "enable-debug-command": "yes"}
    server = start(**LOGGED)
    with server.connect() as conn:
        fill(conn)
        if rewrite:
            conn.call("BGREWRITEAOF")
            until(lambda: "aof_rewrites:2" in conn.call("INFO", "persistence").decode(), "")
    before = digest(server)
    assert server.stop() == 0
    theirs = start("redis", **redis)
    assert digest(theirs) == before
    with theirs.connect() as conn:
        conn.call("FLUSHALL")
        fill(conn)
        if rewrite:
            conn.call("BGREWRITEAOF")
            until(lambda: "aof_rewrite_in_progress:0" in conn.call("INFO", "all").decode(), "")
    after = digest(theirs)
    theirs.stop()
    assert digest(start(**LOGGED)) == after


@pytest.mark.skipif(REDIS_SERVER is None, reason="redis-server is not installed")
def test_snapshots_are_exchanged_with_redis_server(start) -> None:
    server = start(**SAVED)
    with server.connect() as conn:
        fill(conn)
        conn.call("SAVE")
    before = digest(server)
    server.stop()
    theirs = start("redis", **SAVED)
    assert digest(theirs) == before
    with theirs.connect() as conn:
        conn.call("SET", "from", "redis")
        conn.call("SAVE")
    after = digest(theirs)
    theirs.stop()
    assert digest(start(**SAVED)) == after


def test_a_directory_has_one_owner(start, folder: str) -> None:
    start(**LOGGED)
    done = run_to_end("rustypotato", *flags_of({"dir": folder, "port": free_port()} | LOGGED))
    assert done.returncode == 1
    assert "is using" in done.stderr and folder in done.stderr
    assert done.stderr.count("\n") == 1


def logged_file(folder: str, kind: str) -> Path:
    names = [n for n in os.listdir(f"{folder}/appendonlydir") if f".{kind}." in n]
    return Path(folder, "appendonlydir", names[0])


def stopped_log(start, folder: str) -> Path:
    server = start(**LOGGED)
    with server.connect() as conn:
        for i in range(100):
            conn.call("SET", f"k{i}", i)
    assert server.stop() == 0
    return logged_file(folder, "incr")


def test_a_torn_tail_is_cut_and_kept_aside(start, folder: str) -> None:
    path = stopped_log(start, folder)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    server = start(**LOGGED)
    with server.connect() as conn:
        assert conn.call("DBSIZE") == 99
        conn.call("SET", "after", "the cut")
    cut = [n for n in os.listdir(path.parent) if ".cut-" in n]
    assert len(cut) == 1 and whole[:-5].endswith(Path(path.parent, cut[0]).read_bytes())
    kill(server)
    with start(**LOGGED).connect() as conn:
        assert conn.call("DBSIZE") == 100


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda p, d: p.write_bytes(p.read_bytes()[:-5]), "aof-load-truncated"),
        (lambda p, d: p.write_bytes(flipped(p.read_bytes(), 200)), "at byte"),
        (lambda p, d: p.unlink(), "the manifest names"),
        (lambda p, d: logged_file(d, "base").write_bytes(b""), "is empty"),
        (lambda p, d: logged_file(d, "base").write_bytes(b"REDIS0099\xff"), "base.rdb"),
        (lambda p, d: Path(p.parent, "appendonly.aof.manifest").unlink(), "manifest"),
        (lambda p, d: Path(p.parent, "appendonly.aof.manifest").write_text("file x"), "manifest"),
    ],
)
def test_doubt_ends_the_start_with_one_line(start, folder: str, harm, says: str) -> None:
    path = stopped_log(start, folder)
    harm(path, folder)
    settings = {"dir": folder, "port": free_port(), "aof-load-truncated": "no"} | LOGGED
    done = run_to_end("rustypotato", *flags_of(settings))
    assert done.returncode == 1
    line = done.stderr.strip()
    assert says in line and "appendonlydir" in line and "\n" not in line, line


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def writer(server: Server, me: int, acked: list[int], stop: threading.Event) -> None:
    """One client that counts: seq:<me> and a pair that must never be seen half."""
    n = 0
    try:
        with server.connect() as conn:
            while not stop.is_set():
                n += 1
                conn.call("MSET", f"{{{me}}}a", n, f"{{{me}}}b", n)
                conn.call("RPUSH", f"list:{me}", n)
                acked[me] = n
    except (OSError, EOFError):
        pass


def wait_for(acked: list[int], writes: int) -> None:
    until(lambda: sum(acked) > writes, "enough was written")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_crashes_at_random_moments_lose_nothing_acknowledged(start, policy: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    clients = 4
    acked = [0] * clients
    rounds = int(os.environ.get("RP_CRASH_ROUNDS", "4"))
    for _ in range(rounds):
        server = start(**LOGGED, appendfsync=policy)
        with server.connect() as conn:
            for me in range(clients):
                check_client(conn, me, acked[me])
            conn.call("FLUSHALL")
        acked = [0] * clients
        stop = threading.Event()
        threads = [
            threading.Thread(target=writer, args=(server, me, acked, stop)) for me in range(clients)
        ]
        for thread in threads:
            thread.start()
        wait_for(acked, chance.randrange(50, 800))
        if chance.random() < 0.7:
            with server.connect() as conn:
                conn.call(chance.choice(["BGREWRITEAOF", "BGSAVE"]))
        kill(server)
        stop.set()
        for thread in threads:
            thread.join()
    with start(**LOGGED).connect() as conn:
        for me in range(clients):
            check_client(conn, me, acked[me])


def check_client(conn: Conn, me: int, acked: int) -> None:
    a, b = conn.call("MGET", f"{{{me}}}a", f"{{{me}}}b")
    assert a == b, "a torn MSET"
    assert int(a or 0) >= acked, "an acknowledged write is gone"
    items = [int(x) for x in conn.call("LRANGE", f"list:{me}", 0, -1)]
    assert items == list(range(1, len(items) + 1)), "a hole"
    assert len(items) >= acked


def test_a_snapshot_is_one_instant_while_writers_go_on(start) -> None:
    """Every pair was written by one MSET: a snapshot that saw half of one is no instant."""
    server = start(**SAVED)
    stop = threading.Event()
    acked = [0] * 3
    with server.connect() as conn:
        conn.call("DEBUG", "POPULATE", 50_000)
    threads = [threading.Thread(target=writer, args=(server, me, acked, stop)) for me in range(3)]
    for thread in threads:
        thread.start()
    with server.connect() as conn:
        for _ in range(5):
            assert conn.call("SAVE") == "OK"
    stop.set()
    for thread in threads:
        thread.join()
    kill(server)
    with start(**SAVED).connect() as conn:
        assert conn.call("DBSIZE") >= 50_000
        for me in range(3):
            check_client(conn, me, 0)


COUNTERS, FIELDS, ELEMENTS = 500, 2000, 3000


def move_things(server: Server, seed: int, stop: threading.Event) -> None:
    """Moves amounts between counters, fields and lists in transactions: no sum ever changes."""
    chance = random.Random(seed)

    def exchange(name: str, *keys: object) -> list[tuple]:
        a, b = (chance.randrange(COUNTERS if not keys else FIELDS) for _ in range(2))
        n = chance.randrange(1, 9)
        return [(name, *keys, f"n{a}", -n), (name, *keys, f"n{b}", n)]

    with server.connect() as conn:
        while not stop.is_set():
            src, dst = chance.sample(["list0", "list1", "list2"], 2)
            batch: list[tuple] = [("MULTI",), *exchange("INCRBY"), *exchange("HINCRBY", "hash")]
            batch += [("LMOVE", src, dst, "LEFT", "RIGHT"), ("PEXPIRE", "n0", 10**9), ("EXEC",)]
            batch += [("SETRANGE", "blob", chance.randrange(40_000), "x" * 100), ("PERSIST", "n0")]
            conn.send(b"".join(encode(*command) for command in batch))
            for _ in batch:
                conn.read()


@pytest.mark.timeout(240)
def test_no_transfer_is_seen_half_by_a_snapshot(start, folder: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    server = start(**SAVED)
    with server.connect() as conn:
        conn.call("MSET", *[x for i in range(COUNTERS) for x in (f"n{i}", 1000)])
        conn.call("HSET", "hash", *[x for i in range(FIELDS) for x in (f"n{i}", 1000)])
        conn.call("RPUSH", "list0", *range(ELEMENTS))
        conn.call("SET", "blob", "b" * 40_000)
        conn.call("DEBUG", "POPULATE", 100_000)
    stop = threading.Event()
    threads = [
        threading.Thread(target=move_things, args=(server, seed + i, stop)) for i in range(3)
    ]
    for thread in threads:
        thread.start()
    copies = []
    with server.connect() as conn:
        for i in range(6):
            assert conn.call("SAVE") == "OK"
            copies.append(shutil.copy(f"{folder}/dump.rdb", f"{folder}/copy{i}.rdb"))
            if i == 3:
                conn.call("COPY", "hash", "other")  # shared from here on
    stop.set()
    for thread in threads:
        thread.join()
    server.stop()
    for copy in copies:
        os.replace(copy, f"{folder}/dump.rdb")
        loaded = start(**SAVED)
        with loaded.connect() as conn:
            assert conn.call("DBSIZE") >= 100_000 + COUNTERS + 3
            sums = [int(n) for n in conn.call("MGET", *[f"n{i}" for i in range(COUNTERS)])]
            assert sum(sums) == 1000 * COUNTERS
            assert sum(int(n) for n in conn.call("HVALS", "hash")) == 1000 * FIELDS
            items = [x for i in range(3) for x in conn.call("LRANGE", f"list{i}", 0, -1)]
            assert sorted(int(x) for x in items) == list(range(ELEMENTS))
            assert conn.call("STRLEN", "blob") >= 40_000
        loaded.stop()


def test_embedded_stores_come_back(folder: str) -> None:
    with rustypotato.open(folder) as store:
        store.set("k", "v")
        store.execute("HSET", "h", "f", "v")
        with pytest.raises(rustypotato.DataError, match="is using"):
            rustypotato.Store(path=folder)
    with rustypotato.Store(path=folder, fsync="always") as store:
        assert store.get("k") == b"v"
        assert store.execute("HGET", "h", "f") == b"v"
    shutil.rmtree(folder)
    with (
        rustypotato.Store() as store,
        pytest.raises(rustypotato.ResponseError, match="memory only"),
    ):
        store.execute("SAVE")


def test_loading_is_told(start, folder: str) -> None:
    server = start(**SAVED)
    with server.connect() as conn:
        conn.call("DEBUG", "POPULATE", 300_000, "key", 100)
        conn.call("SAVE")
    server.stop()
    server = Server("rustypotato", dir=folder, **SAVED)
    server.spawn()
    seen = set()

    def loaded() -> bool:
        try:
            with server.connect() as conn:
                seen.add(str(conn.call("GET", "key:1"))[:7])
                return conn.call("DBSIZE") == 300_000
        except OSError:
            return False

    until(loaded, "the data are there")
    assert server.stop() == 0
    assert any(word.startswith("b'value") for word in seen)
