"""The stores under test: redis-server as the proof, our server with several loops, our library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import doors as doors_module
from tools.resp import Conn, decode_bytes, encode, to_bytes
from tools.servers import Server

sys.path.insert(0, str(Path(__file__).parent))


class Target:
    """connect() gives a new client: call(*args) -> decoded reply, and pipeline(commands)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.opened: list[Any] = []
        self.server: Server | None = None
        self.store: Any = None
        if name == "embedded":
            import rustypotato

            self.store = rustypotato.Store()
            self.port = self.store.listen(port=0).port
        else:
            settings = {} if name == "redis" else {"io-threads": "4"}
            self.server = Server("redis" if name == "redis" else "rustypotato", **settings).start()
            self.port = self.server.port

    def connect(self, number: int = 0) -> Any:
        """On "embedded" every second client is a Python thread's session, without a socket."""
        if self.store is not None and number % 2 == 0:
            client: Any = Session(self.store.session(protocol=2))
        else:
            client = Socket(self.port)
        self.opened.append(client)
        return client

    def close(self) -> None:
        for client in self.opened:
            client.close()
        if self.store is not None:
            self.store.close()
        if self.server is not None:
            self.server.stop()


class Socket:
    def __init__(self, port: int) -> None:
        self.conn = Conn(("127.0.0.1", port))
        self.call, self.close = self.conn.call, self.conn.close

    def pipeline(self, *commands: tuple[Any, ...]) -> list[Any]:
        self.conn.send(b"".join(encode(*c) for c in commands))
        return [self.conn.read() for _ in commands]


class Session:
    def __init__(self, session: Any) -> None:
        self.session, self.close = session, session.close

    def call(self, *args: Any) -> Any:
        return decode_bytes(self.session.raw(*map(to_bytes, args)))

    def pipeline(self, *commands: tuple[Any, ...]) -> list[Any]:
        return [self.call(*c) for c in commands]


def names(config: pytest.Config) -> list[str]:
    chosen = doors_module.selected(config.getoption("--doors"))
    out = ["redis"] if any(d in doors_module.REFERENCE for d in chosen) else []
    if any(d in ("tcp-resp2", "tcp-resp3", "unix") for d in chosen):
        out.append("server")
    return out + ["embedded"] * ("embedded" in chosen)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", names(metafunc.config), indirect=True, scope="module")


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    made = Target(request.param)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def empty(request: pytest.FixtureRequest) -> None:
    if "target" in request.fixturenames:
        request.getfixturevalue("target").connect(1).call("FLUSHALL")
