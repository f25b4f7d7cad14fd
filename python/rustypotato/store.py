"""Store: the engine inside this process. Session: a conversation with it."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Union

from . import _core, _logs

if TYPE_CHECKING:
    from .monitor import Monitor
    from .pubsub import PubSub
    from .server import Listener

Arg = Union[bytes, bytearray, memoryview, str, int, float]
Setting = Union[str, bytes, int, float, bool, "list[Setting]", "tuple[Setting, ...]"]

# Settings whose names hold an underscore; every other one stands for a dash.
_WITH_UNDERSCORE = {"server_cpulist", "bio_cpulist", "aof_rewrite_cpulist", "bgsave_cpulist"}


def _setting_words(value: Setting) -> list[bytes]:
    if isinstance(value, (list, tuple)):
        return [word for item in value for word in _setting_words(item)]
    if isinstance(value, bool):
        return [b"yes" if value else b"no"]
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, (str, int, float)):
        return [str(value).encode()]
    raise TypeError(f"a setting is str, bytes, number, bool or a list of them, not {value!r}")


def settings_to_flags(settings: Mapping[str, Setting]) -> tuple[bytes, ...]:
    """Returns settings as redis-server takes them: maxmemory_policy="x" is --maxmemory-policy x."""
    flags: list[bytes] = []
    for name, value in settings.items():
        dashed = name if name in _WITH_UNDERSCORE else name.replace("_", "-")
        flags += [b"--" + dashed.encode(), *(_setting_words(value) or [b""])]
    return tuple(flags)


class Commands(_core.Caller):
    """Commands that a Store and a Session share; execute() runs all the others."""

    __slots__ = ()

    def expire(self, key: Arg, seconds: int) -> bool:
        """Lets `key` live for so many seconds from now; 0 or less deletes it.

        Returns:
            False if there is no such key.
        """
        return bool(self.execute("EXPIRE", key, seconds))

    def ttl(self, key: Arg) -> int:
        """Returns the seconds that `key` has left; -1: it has no end, -2: there is no such key."""
        left: int = self.execute("TTL", key)
        return left

    def mset(self, mapping: Mapping[Any, Arg]) -> bool:
        """Sets several keys at one instant: nobody sees some of them without the others."""
        if not mapping:
            return True
        self.execute("MSET", *[word for pair in mapping.items() for word in pair])
        return True

    def keys(self, pattern: Arg = "*") -> list[Any]:
        """Returns the keys that match a glob pattern. Visits every key, without the GIL."""
        found: list[Any] = self.execute("KEYS", pattern)
        return found

    def scan(
        self, match: Arg | None = None, count: int | None = None, type: str | None = None
    ) -> Iterator[Any]:
        """Iterates over keys without holding anything up, while others read and write.

        A key that is there from the first step to the last is yielded, twice perhaps if many are
        deleted meanwhile; one that comes or goes may be or not.

        Args:
            match: glob pattern.
            count: about how many keys are visited per step.
            type: "string" and so on.
        """
        options: list[Arg] = []
        for word, value in (("MATCH", match), ("COUNT", count), ("TYPE", type)):
            if value is not None:
                options += [word, value]
        return self._scan(options)

    def _scan(self, options: list[Arg]) -> Iterator[Any]:
        cursor: Arg = 0
        while True:
            cursor, found = self.execute("SCAN", cursor, *options)
            yield from found
            if int(cursor) == 0:
                return

    def __iter__(self) -> Iterator[Any]:
        """Iterates over all keys, as scan() does."""
        return self.scan(count=100)


class Session(Commands):
    """A conversation with a Store, with a database, MULTI and WATCH of its own.

    Made by Store.session(). Threads may share one; their calls then take turns.
    """

    __slots__ = ("__weakref__",)

    def __init__(
        self, store: Store, protocol: int = 3, decode: bool = False, encoding: str = "utf-8"
    ) -> None:
        self._attach(store, protocol, decode, encoding)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Store(Commands):
    """A Redis-compatible store inside this process.

        with Store(maxmemory="100mb", maxmemory_policy="allkeys-lru") as store:
            store.set("greeting", "hello", ex=60)
            store.get("greeting")                  # b"hello"
            store.execute("INCRBYFLOAT", "pi", 3.14)

    Any number of threads may use it at once. Each has its own session behind the scenes, so that
    SELECT, MULTI and WATCH hold for the calling thread alone; use session() to have them apart.
    Without a path it starts no thread until it serves or flushes asynchronously. A forked child
    cannot use it (ForeignStoreError).
    """

    __slots__ = ("__weakref__", "_decoding", "_monitors")

    def __init__(
        self,
        *,
        protocol: int = 3,
        decode: bool = False,
        encoding: str = "utf-8",
        path: str | os.PathLike[str] | None = None,
        fsync: str = "everysec",
        **settings: Setting,
    ) -> None:
        """Opens a store: an empty one, or what the directory `path` holds.

        Args:
            path: the directory in which every change is logged, made if it is not there; None: the
                data live and die with this object.
            fsync: with a path, when changes are on the disk: "always" before a call returns,
                "everysec" after about a second, "no" when the system likes. They outlive this
                process in any case.
            protocol: the shape of replies: 3 knows dict, set, float and bool, 2 has lists instead.
            decode: replies are str instead of bytes.
            encoding: of str arguments, and of replies with `decode`.
            settings: any setting of the server, with _ for -; True and False stand for yes and no.

        Raises:
            ConfigError: a setting is unknown or out of range.
            DataError: the directory is in use, or what it holds cannot be brought back.
        """
        if path is not None:
            directory = os.path.abspath(path)
            os.makedirs(directory, exist_ok=True)
            settings = {"dir": directory, "appendonly": True, "appendfsync": fsync, **settings}
        flags = settings_to_flags(settings)
        try:
            self._start(flags, _core.LOG_QUEUE, protocol, decode, encoding)
        finally:
            _logs.drain()
        if (b"--appendonly", b"yes") in zip(flags, flags[1:]):
            _logs.start_thread()

    def close(self) -> None:
        """Stops serving, finishes what runs, frees the data. Once is enough, more do no harm."""
        monitors = getattr(self, "_monitors", ())  # not there if opening failed
        for monitor in monitors:
            monitor.stopping()
        super().close()
        for monitor in monitors:  # until here /readyz tells what goes on
            monitor.close()
        _logs.drain()

    @classmethod
    def _serving(cls, flags: tuple[bytes, ...]) -> Store:
        """The store of `python -m rustypotato`: flags, configuration file and environment."""
        store = cls.__new__(cls)
        store._start(flags, _core.USE_ENVIRONMENT | _core.SERVER, 2, True, "utf-8")
        return store

    def _start(
        self, flags: tuple[bytes, ...], how: int, protocol: int, decode: bool, encoding: str
    ) -> None:
        self._decoding = (decode, encoding)
        self._monitors: list[Monitor] = []
        self._open(flags, how, protocol, decode, encoding)
        _open_stores.add(self)

    def session(self, protocol: int = 3) -> Session:
        """Opens a conversation of its own, with protocol 2 or 3.

        Raises:
            ClosedError: the store is closed.
        """
        return Session(self, protocol, *self._decoding)

    def listen(
        self, host: str | None = "127.0.0.1", port: int = 0, unixsocket: str | None = None
    ) -> Listener:
        """Serves the same live data to clients on TCP and, if given, on a Unix socket.

        Args:
            host: addresses with spaces between; None: as the setting `bind` says.
            port: 0 chooses a free one, see Listener.port; -1: as the setting `port` says.
            unixsocket: path of the socket.

        Raises:
            ServeError: an address is taken or cannot be used.
            ConfigError: the store is being served already.
        """
        from .server import Listener

        return Listener(self, host, port, unixsocket)

    def pubsub(
        self, ignore_subscribe_messages: bool = False, max_bytes: int = 32 * 1024 * 1024
    ) -> PubSub:
        """Opens a subscriber: PubSub, with the methods and messages of redis-py's.

        Args:
            ignore_subscribe_messages: get_message() and listen() skip confirmations.
            max_bytes: of messages that wait; a subscriber that lets more come is cut off.
        """
        from .pubsub import PubSub

        return PubSub(self, ignore_subscribe_messages, max_bytes, *self._decoding)

    def serve_metrics(
        self, port: int = 0, host: str = "127.0.0.1", auth: str | None = None
    ) -> Monitor:
        """Opens a monitoring port: /metrics for Prometheus, /healthz, /readyz, a dashboard at /.

        Args:
            port: 0 chooses a free one, see Monitor.port.
            host: addresses with spaces between.
            auth: user:password that is asked for; None: nobody is asked.

        Raises:
            ServeError: an address is taken or cannot be used.
        """
        from .monitor import Monitor

        monitor = Monitor(self, host, port, auth)
        self._monitors.append(monitor)
        return monitor

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return _core.state(self) == "closed"

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<rustypotato.Store {_core.state(self)} at {id(self):#x}>"


_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Before the interpreter goes: stop serving, wait for calls under way, close."""
    for store in list(_open_stores):
        for monitor in store._monitors:  # their threads must end before calls from threads do
            monitor.close()
    _core.interpreter_leaves()
    for store in list(_open_stores):
        store.close()
