"""/readyz and /healthz: what is true of the server at every stage of its life."""

from __future__ import annotations

from pathlib import Path

import pytest
from monitor_client import Monitored, fetch, value

import rustypotato
from tools.resp import ReplyError, encode
from tools.wait import until

pytestmark = pytest.mark.ours("RustyPotato's own port")


def readyz(server: Monitored) -> tuple[int, str]:
    reply = fetch(server.metrics_port, "/readyz")
    return reply.status, reply.body.decode().strip()


def test_a_server_at_work_is_alive_and_ready(monitored: Monitored) -> None:
    assert readyz(monitored) == (200, "ok")
    assert fetch(monitored.metrics_port, "/healthz").body == b"ok\n"


def test_while_loading_it_is_alive_but_not_ready(tmp_path: Path) -> None:
    settings = {"dir": str(tmp_path), "enable_debug_command": "yes"}
    keys = 600_000
    with Monitored(**settings).start() as server, server.connect() as conn:
        conn.call("DEBUG", "POPULATE", keys, "key", 40)
        conn.call("SAVE")
    server = Monitored(**settings).spawn()
    try:
        seen: list[tuple[int, str]] = []

        def ready() -> bool:
            assert server.alive(), server.log_tail()
            try:
                seen.append(readyz(server))
                if seen[-1][0] == 503 and not scraped:
                    scraped.append(value(server.metrics_port, "redis_loading_dump_file"))
                    assert fetch(server.metrics_port, "/healthz").status == 200
            except OSError:
                return False
            return seen[-1][0] == 200

        scraped: list[float | None] = []
        until(ready, "it is ready", 60)
        loading = [text for status, text in seen if status == 503]
        assert loading and all(text[:7].lower() == "loading" for text in loading), seen
        assert any(text.endswith(" keys") for text in loading)
        assert scraped and scraped[0] in (1.0, 0.0)  # 0: it was done in between
        with server.connect() as conn:
            assert conn.call("DBSIZE") == keys
    finally:
        server.stop()


def test_while_the_disk_refuses_it_is_not_ready(tmp_path: Path) -> None:
    with Monitored(save="3600 100000", dir=str(tmp_path)).start() as server:
        server.wait_monitor()
        with server.connect() as conn:
            assert readyz(server)[0] == 200
            # The snapshot cannot take its name.
            (tmp_path / "dump.rdb" / "in the way").mkdir(parents=True)
            conn.call("SET", "k", "v")
            conn.call("BGSAVE")
            until(lambda: readyz(server)[0] == 503, "the failed snapshot is noticed")
            assert readyz(server)[1].startswith("MISCONF ")
            assert isinstance(conn.call("SET", "k", "w"), ReplyError)
            assert value(server.metrics_port, "rustypotato_ready") == 0
            assert value(server.metrics_port, "redis_rdb_last_bgsave_status") == 0
            assert fetch(server.metrics_port, "/healthz").status == 200
            conn.call("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
            assert readyz(server) == (200, "ok")


def test_a_full_store_is_not_ready_until_there_is_room() -> None:
    with rustypotato.Store() as store:
        monitor = store.serve_metrics()
        for number in range(1000):
            store.set(f"k{number}", b"x" * 10_000)
        assert fetch(monitor.port, "/readyz").status == 200
        store.execute("CONFIG", "SET", "maxmemory", "8mb")
        with pytest.raises(rustypotato.OutOfMemoryError):
            store.set("one", "more")
        reply = fetch(monitor.port, "/readyz")
        assert (reply.status, reply.body[:5]) == (503, b"OOM: ")
        store.execute("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        assert fetch(monitor.port, "/readyz").status == 200


def test_a_pause_of_all_clients_holds_no_page_up() -> None:
    with Monitored().start() as server, server.connect() as conn, server.connect() as other:
        server.wait_monitor()
        assert conn.call("CLIENT", "PAUSE", 3_600_000, "ALL") == "OK"
        other.send(encode("PING"))
        for path in ("/healthz", "/readyz", "/metrics", "/api/stats", "/"):
            assert fetch(server.metrics_port, path).status == 200, path
        assert value(server.metrics_port, "redis_up") == 1
        other.sock.setblocking(False)
        with pytest.raises(BlockingIOError):  # the pause is still on
            other.sock.recv(1)


def test_a_store_about_to_close_says_so() -> None:
    with rustypotato.Store() as store:
        monitor = store.serve_metrics()
        monitor.stopping()
        reply = fetch(monitor.port, "/readyz")
        assert (reply.status, reply.body) == (503, b"stopping\n")
        assert fetch(monitor.port, "/healthz").status == 200


def test_the_port_is_free_again_after_the_end() -> None:
    with Monitored().start() as server:
        server.wait_monitor()
        with server.connect() as conn:
            conn.send(b"*1\r\n$8\r\nSHUTDOWN\r\n")
        assert server.wait_exit() == 0
    with pytest.raises(ConnectionRefusedError):
        fetch(server.metrics_port, "/healthz")
