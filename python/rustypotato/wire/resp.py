"""Replies from bytes, commands to bytes. RESP2 and RESP3; no sockets.

A reply is a Reply(kind, value); kind is the type byte of the protocol:

    "+" status   "-" error   "$" bulk   "=" verbatim (without its "txt:")   "!" error as a bulk: "-"
        value: bytes
    ":" integer: int   "," double and "(" big number: bytes as sent   "#" boolean: bool
    "_" null (also RESP2's "$-1" and "*-1"): None
    "*" array   "~" set   ">" push   "%" map (key, value, key, value ...)
        value: list of Reply

Attributes ("|") are read and dropped.

The parser may be fed in pieces of any size; it never reads a byte twice but for the line that is
cut. It holds what was fed and not yet taken; bounds are below. One owner, no locks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

BULK_MAX = 1 << 32  # bytes; a server's proto-max-bulk-len may be more than the usual 512 MB
COUNT_MAX = 1 << 32  # elements of one aggregate
LINE_MAX = 64 << 10  # bytes of a status, error or number
DEPTH_MAX = 256  # aggregates inside each other: printing them recurses

_AGGREGATES = "*~>%|"
_TEXTS = "+-,("


class ProtocolError(Exception):
    """The bytes are not a reply of a Redis server."""


class Reply:
    """One reply. Equal when kind and value are."""

    __slots__ = ("kind", "value")

    def __init__(self, kind: str, value: Any) -> None:
        self.kind = kind
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reply) and (self.kind, self.value) == (other.kind, other.value)

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return f"Reply({self.kind!r}, {self.value!r})"

    @property
    def is_error(self) -> bool:
        return self.kind == "-"

    @property
    def is_aggregate(self) -> bool:
        return isinstance(self.value, list)

    def text(self) -> str:
        """A status, error, bulk, number as text."""
        if isinstance(self.value, bytes):
            return self.value.decode(errors="replace")
        return "" if self.value is None else str(self.value)


def encode(words: Sequence[bytes]) -> bytes:
    """A command as an array of bulks."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts += (b"$%d\r\n" % len(word), word, b"\r\n")
    return b"".join(parts)


class _Open:
    """An aggregate that has begun."""

    __slots__ = ("items", "kind", "size")

    def __init__(self, kind: str, size: int) -> None:
        self.kind = kind
        self.size = size
        self.items: list[Reply] = []


class Parser:
    """parser.feed(data), then parser.next() until it returns None."""

    def __init__(self) -> None:
        self._buf = bytearray()
        self._pos = 0
        self._scanned = 0  # no line end before this place
        self._open: list[_Open] = []
        self._bulk: tuple[str, int] | None = None  # kind and size of a bulk whose head was read

    def feed(self, data: bytes) -> None:
        self._buf += data

    @property
    def is_between(self) -> bool:
        """Whether no reply has begun."""
        return not self._open and self._bulk is None and self._pos == len(self._buf)

    def next(self) -> Reply | None:
        """The next whole reply; None: more bytes are needed. Raises ProtocolError."""
        while True:
            reply = self._bulk_body() if self._bulk is not None else self._line()
            if reply is None:
                self._drop_taken()
                return None
            if reply is not _BEGUN:
                done = self._place(reply)
                if done is not None:
                    return done

    def _drop_taken(self) -> None:
        del self._buf[: self._pos]
        self._scanned = max(0, self._scanned - self._pos)
        self._pos = 0

    def _place(self, reply: Reply) -> Reply | None:
        """Puts a reply into the aggregate that waits for it; returns what is whole at the top."""
        while self._open:
            top = self._open[-1]
            top.items.append(reply)
            if len(top.items) < top.size:
                return None
            self._open.pop()
            if top.kind == "|":
                return None
            reply = Reply(top.kind, top.items)
        return reply

    def _has_bulk(self) -> bool:
        assert self._bulk is not None
        return len(self._buf) - self._pos >= self._bulk[1] + 2

    def _bulk_body(self) -> Reply | None:
        assert self._bulk is not None
        if not self._has_bulk():
            return None
        kind, size = self._bulk
        end = self._pos + size
        if self._buf[end : end + 2] != b"\r\n":
            raise ProtocolError("a bulk does not end where it should")
        value = bytes(self._buf[self._pos : end])
        self._pos = self._scanned = end + 2
        self._bulk = None
        if kind == "=":
            if value[3:4] != b":":
                raise ProtocolError("a verbatim text without its type")
            value = value[4:]
        return Reply("-" if kind == "!" else kind, value)

    def _line(self) -> Reply | None:
        """Reads a line: a simple reply, or the head of a bulk or an aggregate."""
        start = self._pos
        end = self._buf.find(b"\r\n", max(start, self._scanned))
        if end < 0:
            if len(self._buf) - start > LINE_MAX:
                raise ProtocolError(f"a line of more than {LINE_MAX} bytes")
            self._scanned = max(start, len(self._buf) - 1)
            return None
        kind, rest = chr(self._buf[start]), bytes(self._buf[start + 1 : end])
        self._pos = self._scanned = end + 2
        if kind in _TEXTS:
            return Reply(kind, rest)
        if kind == ":":
            return Reply(":", self._integer(rest))
        if kind in "$=!":
            return self._begin_bulk(kind, self._integer(rest))
        if kind in _AGGREGATES:
            return self._begin_aggregate(kind, self._integer(rest))
        if kind == "_" and not rest:
            return Reply("_", None)
        if kind == "#" and rest in (b"t", b"f"):
            return Reply("#", rest == b"t")
        shown = (kind + rest[:40].decode("latin-1")).encode("unicode_escape").decode()
        raise ProtocolError(f'"{shown}" is no reply of a Redis server')

    def _integer(self, text: bytes) -> int:
        try:
            return int(text)
        except ValueError:
            raise ProtocolError(f"{text[:40]!r} is no number") from None

    def _begin_bulk(self, kind: str, size: int) -> Reply | None:
        if size == -1:
            return Reply("_", None)
        if not 0 <= size <= BULK_MAX:
            raise ProtocolError(f"a bulk of {size} bytes")
        self._bulk = (kind, size)
        return None if not self._has_bulk() else self._bulk_body()

    def _begin_aggregate(self, kind: str, size: int) -> Reply:
        if size == -1:
            return Reply("_", None)
        if not 0 <= size <= COUNT_MAX:
            raise ProtocolError(f"an aggregate of {size} elements")
        if len(self._open) >= DEPTH_MAX:
            raise ProtocolError(f"more than {DEPTH_MAX} aggregates inside each other")
        if size == 0:
            return _BEGUN if kind == "|" else Reply(kind, [])
        self._open.append(_Open(kind, size * 2 if kind in "%|" else size))
        return _BEGUN


_BEGUN = Reply("", None)  # the head of an aggregate was read
