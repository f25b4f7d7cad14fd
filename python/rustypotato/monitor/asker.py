"""A session in the store's own process, shared by the threads that answer HTTP requests.

It only looks: CLIENT PAUSE ALL does not hold it up.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import BusyError, RustyPotatoError
from ..store import Session, Store
from .reading import Call

WAIT_S = 2.0


class StoreBusy(BusyError):
    """Another request still waits for the store: this one does not queue up behind it."""


def _text(reply: Any) -> Any:
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "backslashreplace")
    if isinstance(reply, list):  # a histogram has thousands of numbers
        return [item if type(item) is int else _text(item) for item in reply]
    return reply


class Asker:
    """turn() hands out the session, to one thread at a time; any thread may ask."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._session = Session(store, 2)
        self._session._observe()
        self._lock = threading.Lock()
        self._call = Call(self._run)
        self._call.optional("CLIENT", "SETNAME", "monitor")

    def _run(self, *words: str) -> Any:
        return _text(self._session.execute(*words))

    def close(self) -> None:
        self._session.close()

    @contextmanager
    def turn(self) -> Iterator[Call]:
        """Raises StoreBusy after WAIT_S, ClosedError once the store is closed."""
        if not self._lock.acquire(timeout=WAIT_S):
            raise StoreBusy("the store is busy: a command holds everybody up")
        try:
            yield self._call
        finally:
            self._lock.release()

    def is_open_to_all(self) -> bool:
        """Whether a client that gives no password may do anything already."""
        try:
            with self.turn() as call:
                user = call("ACL", "GETUSER", "default")
        except RustyPotatoError:
            return False
        flags = dict(zip(user[::2], user[1::2])).get("flags", [])
        return "on" in flags and "nopass" in flags
