"""Ten thousand clients come and go, again and again: what they took is given back."""

from __future__ import annotations

import os
import resource
import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from tools.resp import Conn
from tools.servers import Server
from tools.wait import SCALE, until

CLIENTS, ROUNDS = 10_000, 10
SPARE_FILES = 200  # of the server beside its clients, of pytest beside its sockets
# What may stay: small blocks that malloc keeps, buffers that the loops keep for the next client.
# Ten thousand clients take 15 MiB.
RSS_TOLERANCE = 5 << 20
PING = b"*1\r\n$4\r\nPING\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends a reset


@pytest.fixture
def many_files() -> Iterator[int]:
    """How many clients there may be; the limit of open files is raised meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS + SPARE_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        wanted = hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield wanted - SPARE_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def open_clients(server: Server, count: int, unix: bool) -> list[socket.socket]:
    clients = []
    for _ in range(count):
        client = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        client.connect(server.unixsocket if unix else ("127.0.0.1", server.port))
        client.settimeout(30 * SCALE)  # not before: connecting waits for room in the backlog
        clients.append(client)
    return clients


def all_answer(clients: list[socket.socket]) -> None:
    for client in clients:
        client.sendall(PING)
    for client in clients:
        assert client.recv(64) == b"+PONG\r\n"


def close_all(clients: list[socket.socket], unix: bool) -> None:
    """TCP with a reset: a hundred thousand ports in TIME_WAIT would be in other tests' way."""
    for client in clients:
        if not unix:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()


def listed(admin: Conn) -> int:
    """Clients with a connection in CLIENT LIST."""
    lines = admin.call("CLIENT", "LIST").splitlines()
    return sum(b" addr=in-process:0 " not in line for line in lines)


@pytest.mark.ours("about our own memory")
@pytest.mark.parametrize("loops", [1, 2])
def test_what_ten_thousand_clients_took_is_given_back(
    server_of: Callable[..., Server], many_files: int, loops: int
) -> None:
    server = server_of(maxclients=many_files + 10, io_threads=loops).start()
    with server.connect() as admin:
        close_all(open_clients(server, 16, True), True)  # each loop has had one
        until(lambda: listed(admin) == 1, "they are gone")
        files, rss = open_files(server), server.rss_bytes()
        for turn in range(ROUNDS):
            unix = turn % 2 == 0
            clients = open_clients(server, many_files, unix)
            try:
                all_answer(clients)
                assert open_files(server) == files + many_files
            finally:
                close_all(clients, unix)
            until(lambda: listed(admin) == 1, "the server has noticed that all are gone")
            assert open_files(server) == files
        until(
            lambda: server.rss_bytes() - rss <= RSS_TOLERANCE,
            f"it is as small as it was ({rss}), and not {server.rss_bytes()}",
        )
