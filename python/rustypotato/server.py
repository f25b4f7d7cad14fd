"""Listener: a store that is being served. Server: a store and its listener in one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from . import _core, _logs
from .store import Setting, Store

if TYPE_CHECKING:
    from typing_extensions import Self

_POLL_MS = 250  # how long a wait may overlook a signal that came just before it


class Listener:
    """A store being served, until stop(). Made by Store.listen().

    Attributes:
        store: the store.
        host: the addresses asked for, or None: those of the setting `bind`.
        port: the TCP port in use, 0 without one.
        unixsocket: the path of the Unix socket, or None.
    """

    def __init__(
        self, store: Store, host: str | None, port: int, unixsocket: str | None = None
    ) -> None:
        self.store = store
        self.host = host
        self.unixsocket = unixsocket
        self.port = _core.listen(store, port, host, unixsocket)
        _logs.start_thread()

    @property
    def address(self) -> tuple[str, int]:
        """(host, port) of the first TCP address, as socket.create_connection takes it."""
        host = (self.host or "127.0.0.1").split()[0].lstrip("-")
        return ("127.0.0.1" if host in ("*", "0.0.0.0") else host, self.port)

    @property
    def tls_port(self) -> int:
        """The port that speaks TLS, 0 without one: the setting `tls-port`."""
        with self.store.session(protocol=2) as session:
            return int(session.execute("CONFIG", "GET", "tls-port")[1])

    def wait(self, timeout: float | None = None) -> bool:
        """Waits, without the GIL, until a client sends SHUTDOWN or somebody calls request_stop().

        Args:
            timeout: seconds, None: for ever.

        Returns:
            Whether a stop was asked for; stop() must still be called.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left_ms = _POLL_MS if end is None else max(0, int((end - time.monotonic()) * 1000))
            if _core.wait_stop(self.store, min(_POLL_MS, left_ms)):
                return True
            if end is not None and time.monotonic() >= end:
                return False

    def request_stop(self) -> None:
        """Wakes wait(); returns at once."""
        _core.request_stop(self.store)

    def stop(self) -> None:
        """Stops accepting, finishes what runs, closes the connections. The store lives on."""
        _core.stop(self.store)
        _logs.drain()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        places = [f"port {self.port}"] if self.port else []
        places += [self.unixsocket] if self.unixsocket else []
        return f"<rustypotato.{type(self).__name__} on {' and '.join(places)}>"


class Server(Listener):
    """A server inside this process, for tests and small programs; closed with its store.

    with Server(port=0) as server:
        redis.Redis(port=server.port).set("k", "v")
        server.store.get("k")
    """

    def __init__(
        self,
        port: int = 0,
        unixsocket: str | None = None,
        host: str | None = "127.0.0.1",
        **settings: Setting,
    ) -> None:
        """Opens a store with these settings (see Store) and serves it (see Store.listen)."""
        store = Store(**settings)  # type: ignore[arg-type]
        try:
            super().__init__(store, host, port, unixsocket)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Stops serving and closes the store."""
        self.store.close()

    def __exit__(self, *exc: object) -> None:
        self.close()
