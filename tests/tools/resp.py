"""A small raw RESP2/RESP3 client: every reply is kept as the exact bytes and as a typed tree.

A tree is a Node(kind, value): kind is the type byte of the reply ("+", "-", ":", "$", "*", "_",
"%", "~", ",", "#", "(", "=", ">", "!"), with two kinds of RESP2 nil: "$-1" and "*-1".
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple

CRLF = b"\r\n"
DEADLINE_S = 30.0


class Incomplete(Exception):
    """The buffer ends inside a reply."""


class BadReply(Exception):
    """The bytes are not RESP."""


class ReplyError(str):
    """An error reply as a value: it compares equal to its text, without the leading '-'."""


class Push(list):
    """A RESP3 out-of-band push."""


class Node(NamedTuple):
    kind: str
    value: Any


def encode(*args: bytes | str | int | float) -> bytes:
    """One command as an array of bulk strings."""
    out = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = to_bytes(arg)
        out.append(b"$%d\r\n" % len(data))
        out.append(data)
        out.append(CRLF)
    return b"".join(out)


def to_bytes(arg: bytes | bytearray | memoryview | str | int | float) -> bytes:
    if isinstance(arg, bytes):
        return arg
    if isinstance(arg, str):
        return arg.encode("utf-8", "surrogateescape")
    if isinstance(arg, (bytearray, memoryview)):
        return bytes(arg)
    return str(arg).encode()


def _line(buf: bytes | bytearray, pos: int) -> tuple[bytes, int]:
    end = buf.find(CRLF, pos)
    if end < 0:
        raise Incomplete
    return bytes(buf[pos:end]), end + 2


def parse(buf: bytes | bytearray, pos: int = 0) -> tuple[Node, int]:
    """The reply that starts at pos, and the position behind it. Raises Incomplete."""
    if pos >= len(buf):
        raise Incomplete
    kind = chr(buf[pos])
    line, pos = _line(buf, pos + 1)
    if kind in "+-,#(_":
        return Node(kind, line), pos
    if kind not in ":$!=*~>%|":
        raise BadReply(f"reply starts with {kind!r}, then {line[:80]!r}")
    try:
        size = int(line)
    except ValueError:
        raise BadReply(f"{kind!r} is followed by {line[:80]!r}") from None
    if kind == ":":
        return Node(kind, size), pos
    if size == -1:
        return Node(kind + "-1", None), pos
    if kind in "$!=":
        if len(buf) < pos + size + 2:
            raise Incomplete
        if buf[pos + size : pos + size + 2] != CRLF:
            raise BadReply(f"no CRLF behind a bulk of {size} bytes")
        return Node(kind, bytes(buf[pos : pos + size])), pos + size + 2
    items = []
    for _ in range(size * 2 if kind in "%|" else size):
        item, pos = parse(buf, pos)
        items.append(item)
    return Node(kind, items), pos


def decode(node: Node) -> Any:
    """Simple strings become str, bulks bytes, errors ReplyError, nils None."""
    kind, value = node
    match kind:
        case "+":
            return value.decode("latin-1")
        case "-" | "!":
            return ReplyError(value.decode("latin-1"))
        case ":" | "$":
            return value
        case "=":
            return value[4:]
        case ",":
            return float(value)
        case "(":
            return int(value)
        case "#":
            return value == b"t"
        case "_" | "$-1" | "*-1":
            return None
        case "*" | "~":
            return [decode(item) for item in value]
        case ">":
            return Push(decode(item) for item in value)
        case "%" | "|":
            flat = [decode(item) for item in value]
            return dict(zip((hashable(k) for k in flat[::2]), flat[1::2], strict=True))
    raise BadReply(f"unknown kind {kind!r}")


def hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def as_dict(reply: Any) -> dict[Any, Any]:
    """A map: a dict in RESP3, names and values in turns in RESP2."""
    if isinstance(reply, dict):
        return reply
    assert isinstance(reply, list), reply
    return dict(zip(reply[::2], reply[1::2], strict=True))


def info_fields(text: bytes) -> dict[str, str]:
    """The fields in a reply of INFO."""
    return dict(line.split(":", 1) for line in text.decode().splitlines() if ":" in line)


def decode_bytes(raw: bytes) -> Any:
    """The one reply in raw, decoded. Raises BadReply when there is more or less than one."""
    try:
        node, end = parse(raw)
    except Incomplete:
        raise BadReply(f"cut short: {raw[:200]!r}") from None
    if end != len(raw):
        raise BadReply(f"{len(raw) - end} bytes behind the reply: {raw[end : end + 80]!r}")
    return decode(node)


def parse_all(raw: bytes) -> list[Node]:
    nodes, pos = [], 0
    while pos < len(raw):
        node, pos = parse(raw, pos)
        nodes.append(node)
    return nodes


class Conn:
    """A blocking socket, TCP (host, port), with `tls` encrypted, or unix (path), that reads whole
    replies."""

    def __init__(
        self,
        address: tuple[str, int] | str,
        timeout_s: float = DEADLINE_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout_s)
        try:
            self.sock.connect(address)
            if family == socket.AF_INET:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        except OSError:
            self.sock.close()
            raise
        self.buf = bytearray()
        self.pos = 0

    def __enter__(self) -> Conn:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send_while_reading(self, data: bytes) -> None:
        """As send, and takes in what arrives meanwhile, so that neither side waits for the other.
        From one thread: an SSLSocket breaks when one thread writes while another reads."""
        timeout_s = self.sock.gettimeout()
        self.sock.setblocking(False)
        left = memoryview(data)
        try:
            while left:
                select.select([self.sock], [self.sock], [], timeout_s)
                left = left[self._ready(self.sock.send, left[: 1 << 20]) or 0 :]
                self.buf += self._ready(self.sock.recv, 1 << 18) or b""
        finally:
            self.sock.settimeout(timeout_s)

    @staticmethod
    def _ready(operation: Callable[[Any], Any], argument: object) -> Any:
        """What an operation of a non-blocking socket gives; None when it would wait."""
        try:
            return operation(argument)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def send_quietly(self, data: bytes) -> None:
        """As send, for input that may make the peer close before it has read everything."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass

    def end(self) -> None:
        """Says that nothing more will be sent; replies can still be read."""
        # Not SSLSocket's own shutdown: it forgets the keys.
        socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def _fill(self) -> bool:
        if self.pos > 1 << 16:
            del self.buf[: self.pos]
            self.pos = 0
        data = self.sock.recv(1 << 18)
        self.buf += data
        if data and isinstance(self.sock, ssl.SSLSocket):
            self._fill_more(self.sock)
        return bool(data)

    def _fill_more(self, sock: ssl.SSLSocket) -> None:
        """recv gives one record at a time: what else is there, so that a long reply is not parsed
        at each of them."""
        timeout_s = sock.gettimeout()
        sock.setblocking(False)
        try:
            for _ in range(16):
                self.buf += sock.recv(1 << 18)
        except OSError:
            pass  # None left; a broken connection shows at the next recv.
        finally:
            sock.settimeout(timeout_s)

    def read_node(self) -> tuple[bytes, Node]:
        """The next reply: (raw bytes, tree). Raises EOFError when the peer has closed."""
        while True:
            start = self.pos
            try:
                if not self._bulk_missing():
                    node, end = parse(self.buf, start)
                    self.pos = end
                    return bytes(self.buf[start:end]), node
            except Incomplete:
                pass
            if not self._fill():
                left = bytes(self.buf[self.pos :])
                raise EOFError(f"closed by the peer, unread: {left[:200]!r}")

    def _bulk_missing(self) -> bool:
        """True while one large bulk is still on its way, so that it is not parsed at each read."""
        if self.buf[self.pos : self.pos + 1] != b"$":
            return False
        end = self.buf.find(CRLF, self.pos, self.pos + 32)
        if end < 0:
            return False
        size = int(self.buf[self.pos + 1 : end])
        return size > 0 and len(self.buf) < end + 2 + size + 2

    def read_raw(self) -> bytes:
        return self.read_node()[0]

    def read(self) -> Any:
        return decode(self.read_node()[1])

    def call_raw(self, *args: bytes | str | int | float) -> bytes:
        self.send(encode(*args))
        return self.read_raw()

    def call(self, *args: bytes | str | int | float) -> Any:
        self.send(encode(*args))
        return self.read()

    def read_to_end(self, deadline_s: float = DEADLINE_S) -> bytes:
        """Everything until the peer closes. Raises TimeoutError when it does not."""
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                if not self._fill():
                    break
            except ConnectionResetError:
                break
        else:
            raise TimeoutError(f"still open after {deadline_s} s")
        out = bytes(self.buf[self.pos :])
        self.pos = len(self.buf)
        return out

    def silent_for(self, seconds: float) -> bool:
        """True when nothing arrives for that long."""
        if self.pos < len(self.buf):
            return False
        old = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            self._fill()
            return False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(old)
