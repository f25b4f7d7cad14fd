"""RustyPotato: a Redis-compatible store, as a server and inside your Python process.

    import rustypotato

    with rustypotato.Store() as store:
        store.set("k", "v")
        store.get("k")                    # b"v"
        listener = store.listen(port=0)   # now redis-cli can join in

`python -m rustypotato --port 6379` is the server alone.
"""

from __future__ import annotations

from typing import Any

from ._core import __version__
from .errors import (
    AuthenticationError,
    BusyError,
    ClosedError,
    ConfigError,
    DataError,
    ExecAbortError,
    ForeignStoreError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    RustyPotatoError,
    ServeError,
    SubscriberCutError,
    WrongTypeError,
)
from .pubsub import PubSub
from .server import Listener, Server
from .store import Session, Store


def open(path: str, fsync: str = "everysec", **settings: Any) -> Store:
    """Opens the store that is kept in the directory `path`: Store(path=path, fsync=fsync)."""
    return Store(path=path, fsync=fsync, **settings)


__all__ = [
    "AuthenticationError",
    "BusyError",
    "ClosedError",
    "ConfigError",
    "DataError",
    "ExecAbortError",
    "ForeignStoreError",
    "Listener",
    "NoPermissionError",
    "NoScriptError",
    "OutOfMemoryError",
    "PubSub",
    "ReadOnlyError",
    "ResponseError",
    "RustyPotatoError",
    "ServeError",
    "Server",
    "Session",
    "Store",
    "SubscriberCutError",
    "WrongTypeError",
    "__version__",
    "open",
]
