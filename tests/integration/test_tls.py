"""TLS: certificates, both sides' checks, reloading, abuse; with openssl s_client, Python's ssl and
redis-py. Clients of the TLS door (tests marked `tls`) are everywhere else in this folder."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

import rustypotato
from tools.certs import Authority
from tools.resp import Conn, ReplyError, encode
from tools.servers import Server, free_port, run_to_end
from tools.wait import SCALE, until

pytestmark = [pytest.mark.sockets, pytest.mark.ours("its TLS differs between builds")]


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def serve(ca: Authority, server_of: Callable[..., Server]) -> Callable[..., Server]:
    """serve(name=value) starts a server with TLS and a plain port."""

    def start(**more: object) -> Server:
        return server_of(**ca.settings(**more) | {"tls-port": free_port()}).start()

    return start


def tls_port(server: Server) -> int:
    return int(str(server.settings["tls-port"]))


def knock(server: Server, context: ssl.SSLContext) -> Conn:
    return Conn(("127.0.0.1", tls_port(server)), 20 * SCALE, tls=context)


def admitted(server: Server, context: ssl.SSLContext) -> bool:
    """False when either side refuses the other's certificate; TLS 1.3 tells clients late."""
    try:
        with knock(server, context) as conn:
            return conn.call("PING") == "PONG"
    except (ssl.SSLError, ConnectionError, EOFError):
        return False


def log_lines(server: Server, part: str) -> list[str]:
    return [line for line in server.log_tail(1 << 20).splitlines() if part in line]


def logged(server: Server, part: str, count: int = 1) -> None:
    until(lambda: len(log_lines(server, part)) >= count, f"{count} lines with {part!r} in the log")
    assert len(log_lines(server, part)) == count


def openssl(*args: object, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *map(str, args)],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=30 * SCALE,
    )


# ---------------------------------------------------------------- clients of others


def test_openssl_s_client_verifies_and_talks(ca: Authority, serve: Callable[..., Server]) -> None:
    server = serve()
    for version in ("-tls1_2", "-tls1_3"):
        out = openssl(
            "s_client",
            "-connect",
            f"127.0.0.1:{tls_port(server)}",
            "-CAfile",
            ca.ca_file,
            "-verify_return_error",
            "-servername",
            "localhost",
            version,
            "-quiet",
            text="PING\r\nECHO hello\r\nQUIT\r\n",
        )
        assert out.stdout == "+PONG\r\n$5\r\nhello\r\n+OK\r\n".replace("\r\n", "\n"), out.stderr
    # An old version, and a renegotiation asked for ("R"), are refused.
    old = openssl(
        "s_client",
        "-connect",
        f"127.0.0.1:{tls_port(server)}",
        "-tls1_1",
        "-cipher",
        "DEFAULT@SECLEVEL=0",
        text="PING\r\n",
    )
    assert "PONG" not in old.stdout and old.returncode != 0
    again = openssl(
        "s_client", "-connect", f"127.0.0.1:{tls_port(server)}", "-tls1_2", text="R\nPING\r\n"
    )
    assert "no renegotiation" in again.stderr


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_with_ssl(ca: Authority, serve: Callable[..., Server], protocol: int) -> None:
    server = serve()
    url = f"rediss://localhost:{tls_port(server)}/0?ssl_ca_certs={ca.ca_file}&protocol={protocol}"
    with redis.Redis.from_url(url) as client:
        client.set("k", b"v" * 300_000)
        assert client.get("k") == b"v" * 300_000
        with client.pipeline(transaction=False) as pipe:
            for i in range(5000):
                pipe.set(f"k{i}", i)
            assert all(pipe.execute())
        assert client.dbsize() == 5001
        assert client.client_info()["addr"].startswith("127.0.0.1:")
        assert client.info("server")["tcp_port"] == server.port


def test_tls_alone_without_a_plain_port(ca: Authority) -> None:
    port = free_port()
    settings = ca.settings() | {"tls-port": port}
    server = Server("rustypotato", tls=ca.client(), **settings)
    at = server.argv.index("--port")
    server.argv[at + 1] = "0"
    with server:
        with server.connect() as conn:
            assert f"tcp_port:{port}\r\n".encode() in conn.call("INFO", "server")
        with pytest.raises(ConnectionRefusedError):
            Conn(("127.0.0.1", server.port))
        assert log_lines(server, "Ready to accept connections")


# ---------------------------------------------------------------- certificates of clients


def test_clients_must_show_a_good_certificate(
    ca: Authority, serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve(tls_auth_clients="yes")
    stranger = Authority(tmp_path, "stranger")
    good, expired = ca.issue("client"), ca.issue("old", days=-1)
    assert admitted(server, ca.client(good))
    assert not admitted(server, ca.client())
    logged(server, "peer did not return a certificate")
    assert not admitted(server, ca.client(expired))
    logged(server, "certificate verify failed: certificate has expired")
    assert not admitted(server, ca.client(stranger.issue("mallory")))
    logged(server, "certificate verify failed: unable to get local issuer certificate")
    with server.connect() as conn:
        assert conn.call("CONFIG", "SET", "tls-auth-clients", "optional") == "OK"
        assert admitted(server, ca.client())
        assert admitted(server, ca.client(good))
        assert not admitted(server, ca.client(expired))
        assert conn.call("CONFIG", "SET", "tls-auth-clients", "no") == "OK"
        assert admitted(server, ca.client(expired))


def test_a_directory_of_authorities(ca: Authority, tmp_path: Path) -> None:
    folder = tmp_path / "cas"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(ca.ca_file.read_bytes())
    assert openssl("rehash", folder).returncode == 0
    settings = ca.settings(tls_auth_clients="yes") | {
        "tls-port": free_port(),
        "tls-ca-cert-file": "",
        "tls-ca-cert-dir": folder,
    }
    with Server("rustypotato", **settings).start() as server:
        assert admitted(server, ca.client(ca.issue("client")))
        assert not admitted(server, ca.client())


def test_clients_refuse_a_wrong_or_expired_server(
    ca: Authority, serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve()
    with pytest.raises(ssl.SSLCertVerificationError):
        knock(server, Authority(tmp_path, "stranger").client())
    logged(server, "alert unknown ca")
    ca.issue("server", days=-1)
    with server.connect() as conn:
        cert = str(server.settings["tls-cert-file"])
        key = str(server.settings["tls-key-file"])
        assert conn.call("CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key) == "OK"
    assert log_lines(server, "the certificate has expired")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        knock(server, ca.client())


# ---------------------------------------------------------------- protocols, ciphers, sessions


def test_protocols_and_ciphers_are_those_allowed(
    ca: Authority, serve: Callable[..., Server]
) -> None:
    server = serve()

    def spoken(version: ssl.TLSVersion) -> str | None:
        context = ca.client()
        context.minimum_version = context.maximum_version = version
        try:
            with knock(server, context) as conn:
                assert conn.call("PING") == "PONG"
                assert isinstance(conn.sock, ssl.SSLSocket)
                return conn.sock.cipher()[0]  # type: ignore[index]
        except (ssl.SSLError, ConnectionError):
            return None

    v2, v3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    assert spoken(v2) and spoken(v3)
    with server.connect() as conn:
        for allowed, expected in (("TLSv1.2", (True, False)), ("tlsv1.3", (False, True))):
            assert conn.call("CONFIG", "SET", "tls-protocols", allowed) == "OK"
            assert (bool(spoken(v2)), bool(spoken(v3))) == expected
        assert conn.call("CONFIG", "SET", "tls-protocols", "") == "OK"
        assert (
            conn.call("CONFIG", "SET", "tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256") == "OK"
        )
        assert spoken(v3) == "TLS_CHACHA20_POLY1305_SHA256"
        assert conn.call("CONFIG", "SET", "tls-ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384") == "OK"
        assert spoken(v2) == "ECDHE-ECDSA-AES256-GCM-SHA384"
        for name, value in (("tls-protocols", "SSLv3"), ("tls-ciphers", "none-such")):
            assert conn.call("CONFIG", "SET", name, value) == ReplyError(refusal(name))


def test_sessions_are_resumed_only_with_caching(
    ca: Authority, serve: Callable[..., Server]
) -> None:
    server = serve()

    def resumed(version: ssl.TLSVersion) -> bool:
        context = ca.client()
        context.minimum_version = context.maximum_version = version
        with knock(server, context) as conn:
            conn.call("PING")
            session = conn.sock.session  # type: ignore[attr-defined]
        sock = socket.create_connection(("127.0.0.1", tls_port(server)))
        with context.wrap_socket(sock, server_hostname="localhost", session=session) as second:
            second.sendall(b"PING\r\n")
            assert second.recv(7) == b"+PONG\r\n"
            return bool(second.session_reused)

    versions = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    assert [resumed(v) for v in versions] == [True, True]
    with server.connect() as conn:
        assert conn.call("CONFIG", "SET", "tls-session-caching", "no") == "OK"
    assert [resumed(v) for v in versions] == [False, False]


def test_a_key_with_a_password(ca: Authority, tmp_path: Path) -> None:
    cert, key = ca.issue("locked")
    locked = tmp_path / "locked.pem"
    args = ("pkey", "-in", key, "-aes256", "-passout", "pass:sesame", "-out", locked)
    assert openssl(*args).returncode == 0
    settings = ca.settings() | {
        "tls-port": free_port(),
        "tls-cert-file": cert,
        "tls-key-file": locked,
    }
    with Server("rustypotato", tls_key_file_pass="sesame", **settings).start() as server:
        assert admitted(server, ca.client())
        assert "sesame" not in server.log_tail()
    for password in ("", "wrong"):
        out = run_to_end(
            "rustypotato", *flags(settings), *(["--tls-key-file-pass", password] * bool(password))
        )
        assert out.returncode == 1
        assert f"tls-key-file {locked}: " in out.stderr and len(out.stderr.splitlines()) == 1


# ---------------------------------------------------------------- broken settings


def flags(settings: dict[str, object]) -> list[str]:
    return [str(part) for name, value in settings.items() for part in ("--" + name, value)]


def refusal(name: str) -> str:
    return (
        f"ERR CONFIG SET failed (possibly related to argument '{name}') - "
        "Unable to update TLS configuration. Check server logs."
    )


BROKEN = [
    ({"tls-cert-file": "/nowhere/x"}, "tls-cert-file /nowhere/x: No such file or directory"),
    ({"tls-cert-file": ""}, "tls-cert-file: TLS needs the server's certificate: not set"),
    ({"tls-key-file": "OTHER"}, "key values mismatch"),
    ({"tls-key-file": "GARBAGE"}, "tls-key-file"),
    ({"tls-cert-file": "GARBAGE"}, "not in PEM format"),
    ({"tls-ca-cert-file": "GARBAGE"}, "tls-ca-cert-file"),
    ({"tls-auth-clients": "yes", "tls-ca-cert-file": ""}, "tls-ca-cert-dir must name"),
    ({"tls-dh-params-file": "GARBAGE"}, "no Diffie-Hellman parameters"),
    ({"tls-ciphersuites": "none-such"}, "tls-ciphersuites none-such: "),
]


@pytest.mark.parametrize("index", range(len(BROKEN)))
def test_broken_files_stop_the_start_and_not_a_running_server(
    ca: Authority, serve: Callable[..., Server], tmp_path: Path, index: int
) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_bytes(b"no certificate\n" * 9)
    names = {"OTHER": str(ca.issue("other")[1]), "GARBAGE": str(garbage)}
    changes, reason = BROKEN[index]
    changes = {name: names.get(value, value) for name, value in changes.items()}

    server = serve()
    words = [word for pair in changes.items() for word in pair]
    with server.connect() as conn, knock(server, ca.client()) as old:
        error = conn.call("CONFIG", "SET", *words)
        assert error in [ReplyError(refusal(name)) for name in changes]
        lines = log_lines(server, "Failed to configure TLS")
        assert len(lines) == 1 and reason in lines[0]
        for name in changes:
            before = str(server.settings.get(name, ""))
            assert conn.call("CONFIG", "GET", name) == [name.encode(), before.encode()]
        assert old.call("PING") == "PONG"
    assert admitted(server, ca.client())

    settings = ca.settings() | changes
    out = run_to_end("rustypotato", "--port", "0", "--tls-port", str(free_port()), *flags(settings))
    assert out.returncode == 1
    assert len(out.stderr.splitlines()) == 1 and reason in out.stderr, out.stderr


def test_port_is_opened_moved_and_closed_by_config_set(ca: Authority) -> None:
    with Server("rustypotato", **ca.settings()).start() as server, server.connect() as conn:
        ports = [free_port(), free_port()]
        for port in ports:
            assert conn.call("CONFIG", "SET", "tls-port", port) == "OK"
            server.settings["tls-port"] = port
            assert admitted(server, ca.client())
        with pytest.raises(ConnectionRefusedError):
            Conn(("127.0.0.1", ports[0]))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            name = "tls-port"
            error = conn.call("CONFIG", "SET", name, taken.getsockname()[1])
            assert error == ReplyError(
                f"ERR CONFIG SET failed (possibly related to argument '{name}') - "
                "Unable to listen on this port. Check server logs."
            )
        with knock(server, ca.client()) as old:
            assert conn.call("CONFIG", "SET", "tls-port", 0) == "OK"
            assert old.call("PING") == "PONG"
        with pytest.raises(ConnectionRefusedError):
            Conn(("127.0.0.1", ports[1]))
        # Looked at when TLS is turned on again, not before.
        assert conn.call("CONFIG", "SET", "tls-cert-file", "/nowhere/x") == "OK"
        assert conn.call("CONFIG", "SET", "tls-port", ports[1]) == ReplyError(refusal("tls-port"))


def test_an_embedded_store_serves_both_ports(ca: Authority) -> None:
    settings = {name.replace("-", "_"): str(value) for name, value in ca.settings().items()}
    port = free_port()
    with rustypotato.Server(tls_port=port, **settings) as server:
        server.store.set("k", "v")
        assert (server.tls_port, server.port > 0) == (port, True)
        for where, tls in ((server.port, None), (port, ca.client())):
            with Conn(("127.0.0.1", where), tls=tls) as conn:
                assert conn.call("GET", "k") == b"v"
    with pytest.raises(rustypotato.RustyPotatoError, match="tls-cert-file /nowhere: No such file"):
        rustypotato.Server(tls_port=free_port(), **(settings | {"tls_cert_file": "/nowhere"}))


def test_port_needs_a_certificate() -> None:
    with Server("rustypotato").start() as server, server.connect() as conn:
        error = conn.call("CONFIG", "SET", "tls-port", free_port())
        assert error == ReplyError(refusal("tls-port"))
        assert conn.call("CONFIG", "GET", "tls-port") == [b"tls-port", b"0"]


def test_addresses_are_bound_for_both_ports(ca: Authority, serve: Callable[..., Server]) -> None:
    server = serve()
    with server.connect() as conn:
        assert conn.call("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2") == "OK"
        for port, tls in ((server.port, None), (tls_port(server), ca.client())):
            for host in ("127.0.0.1", "127.0.0.2"):
                with Conn((host, port), tls=tls) as other:
                    assert other.call("PING") == "PONG"


# ---------------------------------------------------------------- reloading under load


def serial_of(server: Server, context: ssl.SSLContext) -> str:
    with knock(server, context) as conn:
        assert conn.call("PING") == "PONG"
        return conn.sock.getpeercert()["serialNumber"]  # type: ignore[attr-defined]


def test_renewed_certificates_are_read_under_load(
    ca: Authority, serve: Callable[..., Server]
) -> None:
    server = serve()
    context, over, failures = ca.client(), threading.Event(), []

    def load() -> None:
        try:
            with knock(server, context) as stays:
                while not over.is_set():
                    stays.send(encode("INCR", "n") * 50)
                    for _ in range(50):
                        assert stays.read() > 0
                    assert admitted(server, context)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    serials = {serial_of(server, context)}
    names = ("tls-cert-file", "tls-key-file")
    words = [str(w) for name in names for w in (name, server.settings[name])]
    with server.connect() as conn:
        for _ in range(8):
            ca.issue("server")  # the same names, new contents
            assert conn.call("CONFIG", "SET", *words) == "OK"
            serials.add(serial_of(server, context))
    over.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(serials) == 9


# ---------------------------------------------------------------- strangers


def test_each_kind_of_client_on_the_wrong_port_gets_one_line(
    ca: Authority, serve: Callable[..., Server]
) -> None:
    server = serve()
    address = ("127.0.0.1", tls_port(server))
    for data in (b"PING\r\n", encode("PING"), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        with Conn(address) as conn:
            conn.send(data)
            assert b"PONG" not in conn.read_to_end()
    logged(server, "it does not speak TLS, and this port is tls-port", 3)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Conn(("127.0.0.1", server.port), tls=ca.client())
    logged(server, "it speaks TLS, and this port is without")
    assert admitted(server, ca.client())


def test_garbage_is_closed_and_the_log_is_bounded(
    ca: Authority, serve: Callable[..., Server]
) -> None:
    server = serve()
    address = ("127.0.0.1", tls_port(server))
    hello = bytes.fromhex("16030100")
    for i in range(400):
        with Conn(address) as conn:
            conn.send_quietly(hello + bytes((i * j) % 251 for j in range(300)))
    for size in (100_000, 1_000_000):
        with Conn(address) as conn:
            conn.send_quietly(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(size))
            conn.read_to_end()
    assert admitted(server, ca.client())
    assert len(log_lines(server, "Error accepting a client connection")) < 403
    with server.connect() as conn:
        until(lambda: b"connected_clients:1\r\n" in conn.call("INFO", "clients"), "all are gone")


def test_a_stalled_handshake_is_cut(ca: Authority, serve: Callable[..., Server]) -> None:
    server = serve(maxclients=5)
    begun = time.monotonic()
    conns = [Conn(("127.0.0.1", tls_port(server)), 60 * SCALE) for _ in range(4)]
    conns[1].send(b"\x16")
    conns[2].send(bytes.fromhex("160301020001000200"))
    # They count as clients: with this one there are five.
    with server.connect() as conn:
        until(lambda: b"connected_clients:5\r\n" in conn.call("INFO", "clients"), "they count")
        assert not admitted(server, ca.client())
        for stalled in conns:
            stalled.read_to_end(40 * SCALE)
            stalled.close()
        assert time.monotonic() - begun > 8
        logged(server, "the TLS handshake takes too long", 4)
    assert admitted(server, ca.client())


def test_protected_mode_tells_after_the_handshake(ca: Authority) -> None:
    outside = outside_address()
    if outside is None:
        pytest.skip("this machine has the loopback interface only")
    settings = ca.settings() | {"tls-port": free_port(), "bind": f"127.0.0.1 {outside}"}
    with Server("rustypotato", **settings).start() as server:
        context = ca.client()
        with Conn((outside, tls_port(server)), tls=context) as conn:
            assert conn.read_to_end().startswith(b"-DENIED Redis is running in protected mode")


def outside_address() -> str | None:
    """An address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = sock.getsockname()[0]
    return None if address.startswith("127.") else address


# ---------------------------------------------------------------- bounds


def used_memory(conn: Conn) -> int:
    found = re.search(rb"used_memory:(\d+)", conn.call("INFO", "memory"))
    assert found
    return int(found[1])


def test_a_thousand_connections_leave_nothing_behind(
    ca: Authority, serve: Callable[..., Server]
) -> None:
    server = serve()
    context = ca.client()

    def round_of(count: int) -> None:
        conns = [knock(server, context) for _ in range(count)]
        for i, conn in enumerate(conns):
            assert conn.call("PING") == "PONG"
            if i % 2:
                conn.sock.unwrap()  # type: ignore[attr-defined]
            conn.close()

    def descriptors() -> int:
        return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))

    with server.connect() as watch:

        def settled() -> bool:
            return b"connected_clients:1\r\n" in watch.call("INFO", "clients")

        round_of(200)
        until(settled, "they are gone")
        fds, memory, rss = descriptors(), used_memory(watch), server.rss_bytes()
        for _ in range(5):
            round_of(200)
            until(settled, "they are gone")
        assert descriptors() == fds
        assert used_memory(watch) < memory + (256 << 10)
        assert server.rss_bytes() < rss + (16 << 20)


def test_big_values_and_pipelines_arrive_whole(ca: Authority, serve: Callable[..., Server]) -> None:
    server = serve()
    with knock(server, ca.client()) as conn:
        value = bytes(range(256)) * (96 << 12)  # 96 MB
        assert conn.call("SET", "big", value) == "OK"
        assert conn.call("GET", "big") == value
        # Replies by reference: asking for it often costs the server little.
        rss = server.rss_bytes()
        conn.send(encode("GET", "big") * 3)
        for _ in range(3):
            assert conn.read() == value
        assert server.rss_bytes() < rss + (32 << 20)
        commands = [encode("SET", f"k{i}", "v" * (i % 3000)) for i in range(20_000)]
        conn.send_while_reading(b"".join(commands))
        for _ in commands:
            assert conn.read() == "OK"
        assert conn.call("DBSIZE") == 20_001


def test_output_limit_closes_a_client_that_does_not_read(
    ca: Authority, serve: Callable[..., Server]
) -> None:
    server = serve(client_output_buffer_limit="normal 4mb 0 0")
    with server.connect() as plain, knock(server, ca.client()) as conn:
        plain.call("SET", "k", "x" * (1 << 20))
        conn.send(encode("MGET", *["k"] * 8))
        logged(server, "overcoming of output buffer limits")
        assert plain.call("PING") == "PONG"
