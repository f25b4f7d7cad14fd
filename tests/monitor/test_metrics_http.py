"""The HTTP side of the monitoring port: what it refuses, how it is bounded, who may ask."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from monitor_client import Monitored, fetch, metrics, raw, samples, stats, status_of

import rustypotato
from rustypotato.monitor import asker
from rustypotato.monitor import http as server_side
from tools.resp import encode
from tools.servers import free_port, run_to_end
from tools.wait import SCALE, until

pytestmark = pytest.mark.ours("RustyPotato's own port")

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 30 * SCALE)


@pytest.fixture
def embedded() -> Iterator[rustypotato.Store]:
    with rustypotato.Store() as store:
        yield store


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # a TLS client
        (b"*1\r\n$4\r\nPING\r\n\r\n", 400),
        (b"PING\r\n\r\n", 400),
        (b"\0" * 100 + b"\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (GET + b"no colon here\r\n\r\n", 400),
        (GET + b"A: b\x00c\r\n\r\n", 400),
        (GET + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 413),
        (GET + b"Content-Length: 5\r\n\r\nhello", 413),
        (GET + b"Content-Length: -5\r\n\r\n", 400),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
        (GET + b"X: " + b"y" * 20000 + b"\r\n\r\n", 431),
        (GET + b"X: y\r\n" * 5000 + b"\r\n", 431),
        (b"GET /" + b"y" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405),
        (b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    ],
)
def test_garbage_gets_one_answer_and_the_end(
    monitored: Monitored, request_bytes: bytes, status: int
) -> None:
    reply = raw(monitored.metrics_port, request_bytes)
    assert status_of(reply) == status
    assert b"connection: close" in reply.lower()
    assert reply.count(b"HTTP/1.1 ") == 1
    assert len(reply) < 1000
    assert fetch(monitored.metrics_port, "/healthz").status == 200


def test_unknown_paths_are_404_and_keep_the_connection(monitored: Monitored) -> None:
    for path in ("/nope", "/metrics/", "//", "/..%2f", "/api/stats/../../etc", "*"):
        assert fetch(monitored.metrics_port, path).status == 404


def test_wrong_method_says_which_are_right(monitored: Monitored) -> None:
    reply = fetch(monitored.metrics_port, "/", method="PUT")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_the_body(monitored: Monitored) -> None:
    whole, head = (fetch(monitored.metrics_port, "/", method=m) for m in ("GET", "HEAD"))
    assert head.body == b""
    assert head.headers["Content-Length"] == whole.headers["Content-Length"] == str(len(whole.body))


def test_a_bad_since_is_taken_as_none(monitored: Monitored) -> None:
    for since in ("x", "-1", "1" * 500, "%00", "1&since=2"):
        assert fetch(monitored.metrics_port, f"/api/stats?since={since}").status == 200
    assert stats(monitored.metrics_port, 999999)["seq"] < 999999


def test_many_requests_on_one_connection(monitored: Monitored) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", monitored.metrics_port, timeout=30)
    for path in ("/metrics", "/healthz", "/nope", "/", "/readyz") * 5:
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.read() and not reply.will_close
    connection.close()


def test_pipelined_requests_are_answered_in_order(monitored: Monitored) -> None:
    two = GET + b"\r\nGET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    reply = raw(monitored.metrics_port, two)
    assert reply.index(b"200 OK") < reply.index(b"404 Not Found")


def test_http_1_0_is_answered_and_closed(monitored: Monitored) -> None:
    assert status_of(raw(monitored.metrics_port, b"GET /healthz HTTP/1.0\r\n\r\n")) == 200


# ---------------------------------------------------------------- bounds


def test_half_a_request_is_cut_after_its_time(
    embedded: rustypotato.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_side, "HEAD_S", 0.3)
    monitor = embedded.serve_metrics()
    began = time.monotonic()
    assert status_of(raw(monitor.port, b"GET / HT")) == 408
    assert raw(monitor.port, b"") == b""  # one that says nothing gets nothing
    assert time.monotonic() - began < 10 * SCALE


def test_a_byte_now_and_then_does_not_buy_time(
    embedded: rustypotato.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_side, "HEAD_S", 0.5)
    monitor = embedded.serve_metrics()
    with connect(monitor.port) as sock:
        sock.settimeout(0.02)
        reply = b""
        began = time.monotonic()
        sock.sendall(b"GET / HTTP/1.1\r\nX: ")
        while not reply:
            assert time.monotonic() - began < 20 * SCALE, "never cut"
            try:
                sock.sendall(b"y")
                reply = sock.recv(1000)
            except TimeoutError:
                pass
    assert status_of(reply) == 408


def test_an_idle_connection_is_closed(
    embedded: rustypotato.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_side, "IDLE_S", 0.2)
    monitor = embedded.serve_metrics()
    with connect(monitor.port) as sock:
        sock.sendall(GET + b"\r\n")
        reply = b""
        while chunk := sock.recv(1000):
            reply += chunk
    assert status_of(reply) == 200 and b"408" not in reply


def test_one_who_does_not_read_is_cut(
    embedded: rustypotato.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_side, "WRITE_S", 0.3)
    monitor = embedded.serve_metrics()
    with connect(monitor.port) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

        def cut() -> bool:
            try:
                sock.sendall(request * 50)  # 25 KB of answer each, never read
                return False
            except (TimeoutError, ConnectionError):
                return True

        until(cut, "the connection is cut", 30)


def test_200_silent_connections_do_not_keep_a_scrape_out(monitored: Monitored) -> None:
    threads = Path(f"/proc/{monitored.pid}/task")
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(monitored.metrics_port)).sendall(b"GET /metr")
        assert fetch(monitored.metrics_port, "/metrics").status == 200
        assert len(list(threads.iterdir())) < server_side.CONNECTIONS_MAX + 40
    until(lambda: len(list(threads.iterdir())) < 30, "the threads end with their connections")


def test_200_scrapes_at_once_are_all_answered_or_cut_clean(monitored: Monitored) -> None:
    got: list[int] = []

    def scrape() -> None:
        try:
            got.append(fetch(monitored.metrics_port, "/metrics").status)
        except (OSError, http.client.HTTPException):
            got.append(0)  # pushed out by the others

    threads = [threading.Thread(target=scrape) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 200 and set(got) <= {0, 200}
    assert got.count(200) >= 1
    assert fetch(monitored.metrics_port, "/metrics").status == 200


def test_a_scrape_is_answered_while_a_command_holds_everybody_up() -> None:
    with Monitored(enable_debug_command="yes") as server:
        server.wait_monitor()
        with server.connect() as conn:
            conn.send(encode("DEBUG", "SLEEP", "3"))
            calls = (("cmd", "debug|sleep"),)
            for path in ("/healthz", "/readyz", "/metrics", "/api/stats"):
                assert fetch(server.metrics_port, path).status == 200
            found = samples(metrics(server.metrics_port))
            assert ("redis_commands_total", calls) not in found, "it came back too early"
            assert conn.read_raw() == b"+OK\r\n"


def test_nobody_queues_up_behind_a_reader_that_is_stuck(
    embedded: rustypotato.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asker, "WAIT_S", 0.1)
    monitor = embedded.serve_metrics()
    with monitor._pages._asker.turn():
        assert fetch(monitor.port, "/healthz").status == 200
        assert fetch(monitor.port, "/api/stats").status == 503
        ready = fetch(monitor.port, "/readyz")
        assert (ready.status, b"busy" in ready.body) == (503, True)
        page = fetch(monitor.port, "/metrics")
        assert page.status == 200 and b"\nredis_up 0\n" in page.body
        assert b'redis_exporter_last_scrape_error{err="the store is busy' in page.body
    assert b"\nredis_up 1\n" in fetch(monitor.port, "/metrics").body


# ---------------------------------------------------------------- who may ask


def test_a_password_guards_all_but_the_probes(embedded: rustypotato.Store) -> None:
    monitor = embedded.serve_metrics(auth="ada:love:lace")
    for path in ("/", "/metrics", "/api/stats"):
        refused = fetch(monitor.port, path)
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"].startswith('Basic realm="rustypotato"')
        for wrong in ("ada:love", "ada:", ":love:lace", "ada:love:lace2", "Ada:love:lace"):
            assert fetch(monitor.port, path, wrong).status == 401
        assert fetch(monitor.port, path, "ada:love:lace").status == 200
    for header in ("Basic", "Basic !!!", "Bearer YWRhOmxvdmU6bGFjZQ==", "Basic YWRh", "Basic é"):
        reply = raw(
            monitor.port,
            b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: "
            + header.encode("latin-1")
            + b"\r\n\r\n",
        )
        assert status_of(reply) in (400, 401), header
    assert fetch(monitor.port, "/healthz").status == fetch(monitor.port, "/readyz").status == 200


def test_a_foreign_name_does_not_lead_a_browser_here(embedded: rustypotato.Store) -> None:
    open_one, guarded = embedded.serve_metrics(), embedded.serve_metrics(auth="a:b")
    for host, status in (
        ("evil.example", 421),
        ("localhost.evil.example:80", 421),
        ("localhost", 200),
        (f"LOCALHOST:{open_one.port}", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:80", 200),
    ):
        assert fetch(open_one.port, "/api/stats", headers={"Host": host}).status == status, host
    assert fetch(guarded.port, "/metrics", "a:b", headers={"Host": "proxy"}).status == 200


def test_arguments_and_addresses_are_for_those_who_may_run_commands() -> None:
    """With a password for clients, an open monitoring port shows numbers alone."""
    with rustypotato.Store(requirepass="secret", slowlog_log_slower_than=0) as store:
        store.set("hidden-key", "hidden-value")
        open_one, guarded = store.serve_metrics(), store.serve_metrics(auth="a:b")
        page = fetch(open_one.port, "/api/stats")
        assert page.status == 200
        assert b"hidden" not in page.body and b"in-process" not in page.body
        assert b"in-process" in fetch(guarded.port, "/api/stats", "a:b").body
        assert b"secret" not in fetch(open_one.port, "/metrics").body


def test_the_password_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "auth"
    path.write_text("ada:from-the-file\nsecond line\n")
    with Monitored(metrics_auth_file=str(path)) as server:
        server.wait_monitor()
        assert fetch(server.metrics_port, "/metrics", "ada:from-the-file").status == 200
        assert fetch(server.metrics_port, "/metrics").status == 401
        assert b"from-the-file" not in Path(f"/proc/{server.pid}/cmdline").read_bytes()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--metrics-auth", "nobody"], "'metrics-auth': user:password is expected"),
        (["--metrics-port", "70000"], "metrics-port"),
        (["--metrics-port", "{free}", "--metrics-auth-file", "/nonexistent/x"], "/nonexistent/x"),
        (["--metrics-port", "{free}", "--metrics-bind", "192.0.2.1"], "192.0.2.1:{free}"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_one_line(flags: list[str], words: str) -> None:
    port = str(free_port())
    flags = [flag.replace("{free}", port) for flag in flags]
    done = run_to_end("rustypotato", "--port", str(free_port()), "--save", "", *flags)
    assert done.returncode == 1
    assert words.replace("{free}", port) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_taken_port_ends_the_start_with_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        flags = ("--port", str(free_port()), "--save", "", "--metrics-port", port)
        done = run_to_end("rustypotato", *flags)
        assert done.returncode == 1
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr


# ---------------------------------------------------------------- of an embedded store


def test_an_embedded_store_serves_and_stops_with_it() -> None:
    before = threading.active_count()
    with rustypotato.Store() as store:
        with store.serve_metrics() as monitor:
            store["k"] = "v"
            assert b'redis_db_keys{db="db0"} 1\n' in fetch(monitor.port, "/metrics").body
            url = monitor.url
            assert url == f"http://127.0.0.1:{monitor.port}/"
        with pytest.raises(ConnectionRefusedError):
            fetch(monitor.port, "/healthz")
        other = store.serve_metrics()
        assert fetch(other.port, "/healthz").body == b"ok\n"
    with pytest.raises(ConnectionRefusedError):
        fetch(other.port, "/healthz")
    other.close()
    until(lambda: threading.active_count() == before, "every thread has ended")


def test_wrong_arguments_of_serve_metrics(embedded: rustypotato.Store) -> None:
    for auth in ("", "a", "a:", ":b"):
        with pytest.raises(ValueError):
            embedded.serve_metrics(auth=auth)
    with pytest.raises(rustypotato.ServeError):
        embedded.serve_metrics(host="192.0.2.1")


def test_several_addresses_share_a_port(embedded: rustypotato.Store) -> None:
    monitor = embedded.serve_metrics(host="127.0.0.1 127.0.0.2")
    for host in ("127.0.0.1", "127.0.0.2"):
        with socket.create_connection((host, monitor.port)) as sock:
            sock.sendall(GET + b"Connection: close\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200 OK")


LEFT_OPEN = """
import atexit, sys, threading, time, urllib.request
ended = [0.0]
atexit.register(lambda: print(time.monotonic() - ended[0]))  # runs last: after the store's own
import rustypotato
store = rustypotato.Store()
monitor = store.serve_metrics()
got = threading.Event()
def scrape():
    while True:
        try:
            urllib.request.urlopen(monitor.url + "metrics").read()
            got.set()
        except OSError:
            pass
for _ in range(4):
    threading.Thread(target=scrape, daemon=True).start()
assert got.wait(30)
ended[0] = time.monotonic()
"""


def test_a_program_that_forgets_to_close_ends_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) < 0.9 * server_side._CLOSE_S
