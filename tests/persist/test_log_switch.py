"""The log switched on and off while the server runs, waiting for the disk, and stops that fail."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from directory_kit import LOGGED, SAVED, digest, kill

import rustypotato
from tools.resp import Conn, info_fields
from tools.servers import Server, flags_of, run_to_end
from tools.wait import until


def info(conn: Conn, field: str) -> str:
    return info_fields(conn.call("INFO", "all"))[field]


def switch_on(conn: Conn) -> None:
    assert conn.call("CONFIG", "SET", "appendonly", "yes") == "OK"
    assert info(conn, "aof_enabled") == "1"
    until(lambda: info(conn, "aof_rewrite_in_progress") == "0", "the first base is written")


def count(server: Server, me: int, acked: list[int], stop: threading.Event) -> None:
    try:
        with server.connect() as conn:
            while not stop.is_set():
                conn.call("RPUSH", f"list:{me}", acked[me] + 1)
                acked[me] += 1
    except (OSError, EOFError):
        pass


@pytest.mark.parametrize("policy", ["always", "everysec", "no"])
def test_a_log_switched_on_under_writes_loses_nothing_from_then_on(start, policy: str) -> None:
    server = start(**SAVED, appendfsync=policy)
    stop = threading.Event()
    acked = [0] * 3
    threads = [threading.Thread(target=count, args=(server, i, acked, stop)) for i in range(3)]
    with server.connect() as conn:
        conn.call("DEBUG", "POPULATE", 20_000)
        for thread in threads:
            thread.start()
        for word in ("yes", "no", "yes"):
            if word == "yes":
                switch_on(conn)
            else:
                assert conn.call("CONFIG", "SET", "appendonly", "no") == "OK"
                assert info(conn, "aof_enabled") == "0"
            more = sum(acked) + 100
            until(lambda more=more: sum(acked) > more, "writes go on")
    kill(server)
    stop.set()
    for thread in threads:
        thread.join()
    with start(**LOGGED).connect() as conn:
        for me in range(3):
            items = [int(x) for x in conn.call("LRANGE", f"list:{me}", 0, -1)]
            assert items == list(range(1, len(items) + 1)) and len(items) >= acked[me]
        assert conn.call("DBSIZE") == 20_003


def test_until_the_base_is_there_a_start_finds_what_was_before(start, folder: str) -> None:
    server = start(**SAVED)
    with server.connect() as conn:
        conn.call("DEBUG", "POPULATE", 200_000, "key", 100)
        conn.call("SAVE")
        conn.call("SET", "later", "x")
        assert conn.call("CONFIG", "SET", "appendonly", "yes") == "OK"
    kill(server)
    with start(**LOGGED).connect() as conn:
        assert conn.call("DBSIZE") in (200_000, 200_001)


def test_a_log_switched_off_stays_as_it_is(start, folder: str) -> None:
    server = start(**LOGGED)
    with server.connect() as conn:
        conn.call("SET", "k", "logged")
        assert conn.call("CONFIG", "SET", "appendonly", "no") == "OK"
        conn.call("SET", "k", "not logged")
        assert conn.call("GET", "k") == b"not logged"
        assert str(conn.call("BGREWRITEAOF")).startswith("ERR ")
    kill(server)
    server = start(**SAVED)
    with server.connect() as conn:
        assert conn.call("DBSIZE") == 0, "there is no snapshot"
    kill(server)
    with start(**LOGGED).connect() as conn:
        assert conn.call("GET", "k") == b"logged"


def test_in_a_transaction_it_is_followed_soon(start) -> None:
    server = start(**SAVED)
    with server.connect() as conn:
        conn.call("SET", "k", "v")
        for word in ("yes", "no", "yes"):
            conn.call("MULTI")
            conn.call("CONFIG", "SET", "appendonly", word)
            assert conn.call("EXEC") == ["OK"]
            assert conn.call("CONFIG", "GET", "appendonly") == [b"appendonly", word.encode()]
            until(lambda word=word: info(conn, "aof_enabled") == str(int(word == "yes")), word)
        until(lambda: conn.call("WAITAOF", 1, 0, 100) == [1, 0], "it is founded")
    before = digest(server)
    kill(server)
    assert digest(start(**LOGGED)) == before


def test_a_directory_in_use_refuses_to_be_logged_to(start) -> None:
    start(**LOGGED)
    other = start(**SAVED)
    with other.connect() as conn:
        reply = conn.call("CONFIG", "SET", "maxmemory", "100mb", "appendonly", "yes")
        assert "Unable to turn on AOF" in str(reply)
        assert conn.call("CONFIG", "GET", "appendonly") == [b"appendonly", b"no"]
        assert conn.call("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"0"]
        conn.call("SET", "k", "v")


def test_a_long_name_of_the_log_is_refused_when_it_is_set(folder: str) -> None:
    done = run_to_end("rustypotato", *flags_of({"appendfilename": "x" * 201, "port": 0}))
    assert done.returncode == 1
    assert "appendfilename" in done.stderr and "200 bytes" in done.stderr


def test_waitaof_parks_its_client_alone(start) -> None:
    server = start(**LOGGED, appendfsync="no", **{"io-threads": 1})
    with server.connect() as conn, server.connect() as other:
        conn.call("SET", "k", "v")
        assert conn.call("WAITAOF", 1, 0, 50) == [0, 0]
        assert conn.call("WAIT", 1, 50) == 0
        me = conn.call("CLIENT", "ID")
        conn.send(b"WAITAOF 1 0 0\r\nGET k\r\n")
        until(lambda: " flags=b " in listed(other, me), "it waits")
        assert other.call("GET", "k") == b"v"
        assert other.call("CONFIG", "SET", "appendfsync", "everysec") == "OK"
        assert conn.read() == [1, 0]
        assert conn.read() == b"v"
        conn.send(b"WAIT 1 0\r\n")
        until(lambda: " flags=b " in listed(other, me), "it waits")
        conn.sock.close()
        until(lambda: listed(other, me) == "", "a client that hangs up is forgotten")


def listed(conn: Conn, client: int) -> str:
    text = conn.call("CLIENT", "LIST", "ID", client)
    return text.decode()


def test_a_stop_that_cannot_save_does_not_stop(start, folder: str) -> None:
    server = start(save="3600 1")
    os.mkdir(f"{folder}/dump.rdb")
    with server.connect() as conn:
        conn.call("SET", "k", "v")
        reply = conn.call("SHUTDOWN")
        assert str(reply) == "ERR Errors trying to SHUTDOWN. Check logs."
        server.signal(signal.SIGTERM)
        # Until then a second signal would be one with the first.
        until(
            lambda: server.log_tail(1 << 20).count("Errors trying to shut down") == 2,
            "the signal's save has failed too",
        )
        conn.call("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        assert conn.call("SET", "k", "goes on") == "OK"
    os.rmdir(f"{folder}/dump.rdb")
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    server = start(save="3600 1")
    with server.connect() as conn:
        assert conn.call("GET", "k") == b"goes on"
        os.unlink(f"{folder}/dump.rdb")
        os.mkdir(f"{folder}/dump.rdb")
        with pytest.raises((EOFError, ConnectionError)):
            conn.call("SHUTDOWN", "SAVE", "FORCE")
    assert server.wait_exit() == 0


def test_an_embedded_log_is_switched_off_and_on(folder: str) -> None:
    with rustypotato.open(folder) as store:
        store.set("k", "logged")
        store.execute("CONFIG", "SET", "appendonly", "no")
        store.set("k", "not logged")
        with pytest.raises(rustypotato.ResponseError, match="appendonly is disabled"):
            store.execute("WAITAOF", 1, 0, 0)
        store.execute("CONFIG", "SET", "appendonly", "yes")
        store.set("l", "again")
        assert store.execute("WAITAOF", 1, 0, 0) == [1, 0]
        assert store.execute("WAIT", 1, 20) == 0
    with rustypotato.open(folder) as store:
        assert [store.get("k"), store.get("l")] == [b"not logged", b"again"]
    with (
        rustypotato.Store() as store,
        pytest.raises(rustypotato.ResponseError, match="memory only"),
    ):
        store.execute("CONFIG", "SET", "appendonly", "yes")


def test_a_store_that_begins_to_listen_follows_a_transaction(folder: str) -> None:
    with rustypotato.open(folder, appendonly=False) as store, store.session() as session:
        store.listen(port=0)
        session.execute("MULTI")
        session.execute("CONFIG", "SET", "appendonly", "yes")
        assert session.execute("EXEC") == [b"OK"]
        until(lambda: store.execute("WAITAOF", 1, 0, 100) == [1, 0], "it is followed")
        store.set("k", "logged")
    with rustypotato.open(folder) as store:
        assert store.get("k") == b"logged"


@pytest.mark.parametrize("pause", [False, True])
@pytest.mark.parametrize("log", [False, True])
def test_an_in_process_caller_sleeps_while_it_waits(folder: str, log: bool, pause: bool) -> None:
    with rustypotato.open(folder) if log else rustypotato.Store() as store:
        store.set("k", "v")
        if log:
            assert store.execute("WAITAOF", 1, 0, 0) == [1, 0], "nothing is left to be synced"
        if pause:
            store.execute("CLIENT", "PAUSE", 60_000, "WRITE")
        waits = [("WAIT", 1, 500)] + [("WAITAOF", 0, 1, 500)] * log
        for wait in waits:
            before = time.thread_time()
            store.execute(*wait)
            assert time.thread_time() - before < 0.1, wait
