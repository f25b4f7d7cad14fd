"""PubSub: publish/subscribe inside the process, with the interface of redis-py's PubSub."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Union

from . import _core
from .errors import ClosedError

if TYPE_CHECKING:
    from .store import Arg, Store

Message = dict[str, Any]
Handler = Union[Callable[[Message], None], None]
_Raw = tuple[Union[bytes, int, None], ...]


class PubSub:
    """A subscriber of a Store, made by Store.pubsub().

        with store.pubsub() as p:
            p.subscribe("news")
            p.get_message(timeout=1)      # {"type": "subscribe", "channel": b"news", ...}
            store.execute("PUBLISH", "news", "hello")
            p.get_message(timeout=1)      # {"type": "message", "data": b"hello", ...}

    Messages wait inside until they are taken; no other thread of the process runs Python for it.
    fileno() is readable while messages may wait: for selectors, or loop.add_reader() of asyncio.
    One thread at a time may take messages; others may subscribe and close meanwhile.
    """

    def __init__(
        self,
        store: Store,
        ignore_subscribe_messages: bool = False,
        max_bytes: int = 32 * 1024 * 1024,
        decode: bool = False,
        encoding: str = "utf-8",
    ) -> None:
        self._subscriber = _core.Subscriber(store, max_bytes)
        self._ignore = ignore_subscribe_messages
        self._decode, self._encoding = decode, encoding
        self._waiting: deque[_Raw] = deque()
        self._handlers: dict[tuple[str, bytes], Handler] = {}
        self._counts = {"": 0, "s": 0}
        self._closed = False

    # ---- subscribing

    def subscribe(self, *channels: Arg, **handlers: Handler) -> None:
        """Listens to channels; channel=function calls it with each message instead."""
        self._run("SUBSCRIBE", "", channels, handlers)

    def psubscribe(self, *patterns: Arg, **handlers: Handler) -> None:
        """Listens to all channels whose names match a glob pattern."""
        self._run("PSUBSCRIBE", "p", patterns, handlers)

    def ssubscribe(self, *channels: Arg, **handlers: Handler) -> None:
        """Listens to shard channels (SPUBLISH)."""
        self._run("SSUBSCRIBE", "s", channels, handlers)

    def unsubscribe(self, *channels: Arg) -> None:
        """Stops listening to channels; without names to all of them."""
        self._run("UNSUBSCRIBE", "", channels, {})

    def punsubscribe(self, *patterns: Arg) -> None:
        """Stops listening to patterns; without any to all of them."""
        self._run("PUNSUBSCRIBE", "p", patterns, {})

    def sunsubscribe(self, *channels: Arg) -> None:
        """Stops listening to shard channels; without names to all of them."""
        self._run("SUNSUBSCRIBE", "s", channels, {})

    def ping(self, message: Arg | None = None) -> None:
        """Asks for a message of type "pong", behind everything that came before."""
        self._run("PING", "", () if message is None else (message,), {})

    def _bytes(self, word: Arg) -> bytes:
        if isinstance(word, str):
            return word.encode(self._encoding)
        return str(word).encode() if isinstance(word, (int, float)) else bytes(word)

    def _run(
        self, command: str, kind: str, names: tuple[Arg, ...], handlers: dict[str, Handler]
    ) -> None:
        if self._closed:
            raise ClosedError("the subscriber is closed")
        plain = [self._bytes(name) for name in names]
        if command in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"):
            self._handlers.update({(kind, name): None for name in plain})
            for name, handler in handlers.items():
                self._handlers[kind, self._bytes(name)] = handler
                plain.append(self._bytes(name))
            if not plain:
                raise ValueError(f"{command.lower()}(): name at least one channel")
        self._subscriber.run([command.encode(), *plain])

    # ---- messages

    def get_message(
        self, ignore_subscribe_messages: bool = False, timeout: float | None = 0.0
    ) -> Message | None:
        """Returns the next message, or None if there is none within `timeout` seconds.

        Args:
            ignore_subscribe_messages: a confirmation counts as no message.
            timeout: None waits as long as it takes.

        Raises:
            SubscriberCutError: more than max_bytes waited, and messages were lost.
            ClosedError: the store or the subscriber is closed.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            if not self._waiting and not self._closed:
                self._waiting.extend(self._subscriber.take())
            if self._closed:  # behind take(): what close() caused is no message
                raise ClosedError("the subscriber is closed")
            if self._waiting:
                return self._shape(self._waiting.popleft(), ignore_subscribe_messages)
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._wait(left)

    def _wait(self, seconds: float | None) -> None:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)

    def listen(self) -> Iterator[Message]:
        """Yields messages as they come, until the last subscription ends or close()."""
        while self.subscribed and not self._closed:
            try:
                message = self.get_message(timeout=None)
            except ClosedError:
                return
            if message is not None:
                yield message

    def _text(self, value: bytes | int | None) -> Any:
        if isinstance(value, bytes) and self._decode:
            return value.decode(self._encoding)
        return value

    def _shape(self, raw: _Raw, ignore: bool) -> Message | None:
        kind = raw[0].decode() if isinstance(raw[0], bytes) else ""
        pattern, channel, data = (None, *raw[1:3]) if len(raw) == 3 else (None, None, raw[-1])
        if kind == "pmessage":
            pattern, channel, data = raw[1:4]
        if len(raw) == 1:  # PING: the reply alone
            kind, data = "pong", b"" if raw[0] == b"PONG" else raw[0]
        message = {
            "type": kind,
            "pattern": self._text(pattern),
            "channel": self._text(channel),
            "data": self._text(data),
        }
        if kind.endswith("subscribe"):
            self._confirmed(kind, channel, data)
            return None if ignore or self._ignore else message
        return None if self._handled(kind, pattern, channel, message) else message

    def _confirmed(self, kind: str, name: bytes | int | None, count: bytes | int | None) -> None:
        family = kind.removesuffix("subscribe").removesuffix("un")
        self._counts["s" if family == "s" else ""] = count if isinstance(count, int) else 0
        if kind.endswith("unsubscribe") and isinstance(name, bytes):
            self._handlers.pop((family, name), None)

    def _handled(self, kind: str, pattern: Any, channel: Any, message: Message) -> bool:
        family = kind.removesuffix("message")
        handler = self._handlers.get((family, pattern if family == "p" else channel))
        if handler is None:
            return False
        handler(message)
        return True

    # ---- state

    @property
    def channels(self) -> dict[bytes, Handler]:
        """The channels subscribed to, with their handlers."""
        return {name: handler for (kind, name), handler in self._handlers.items() if kind == ""}

    @property
    def patterns(self) -> dict[bytes, Handler]:
        """The patterns subscribed to, with their handlers."""
        return {name: handler for (kind, name), handler in self._handlers.items() if kind == "p"}

    @property
    def subscribed(self) -> bool:
        """Whether there are subscriptions whose end has not been read of."""
        return bool(self._handlers) or any(self._counts.values())

    def fileno(self) -> int:
        """Returns a descriptor that is readable while messages may wait; not to be read from.

        It tells of what has not been fetched: call get_message() until it returns None.
        """
        return self._subscriber.fileno()

    def close(self) -> None:
        """Ends all subscriptions; whoever waits for a message gets ClosedError. Idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            for command in (b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE"):
                self._subscriber.run([command])
        except ClosedError:
            pass  # With the store the subscriptions are gone.
        self._waiting.clear()
        self._handlers.clear()
        self._subscriber.wake()

    def __enter__(self) -> PubSub:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
