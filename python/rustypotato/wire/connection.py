"""One connection to a server. Blocking; one thread uses it."""

from __future__ import annotations

import socket
from typing import Any

from .address import Address, Tls
from .resp import Parser, ProtocolError, Reply, encode

READ_SIZE = 64 << 10
HANDSHAKE_MAX_S = 10.0  # of TLS: a server that does not speak it may wait for more
_KEEPALIVE_S = 15


class WireError(Exception):
    """The connection cannot be made, or is of no use any more; the text says why."""


class Closed(WireError):
    """The server has closed it."""


def _tls_context(tls: Tls) -> Any:
    import ssl

    context = ssl.create_default_context(cafile=tls.cacert, capath=tls.cacertdir)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.cacert or tls.cacertdir or tls.insecure:
        context.check_hostname = False
    if tls.insecure:
        context.verify_mode = ssl.CERT_NONE
    if tls.ciphers:
        context.set_ciphers(tls.ciphers)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return str(error.strerror or "Name or service not known")
    if isinstance(error, TimeoutError):
        return "Connection timed out"
    reason: str = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or ""
    return reason or str(error)


def _must_wait(error: OSError) -> bool:
    """Whether a socket that does not block says so (ssl is not imported for the question)."""
    return isinstance(error, BlockingIOError) or type(error).__name__ in (
        "SSLWantReadError",
        "SSLWantWriteError",
    )


def _connect(address: Address, timeout_s: float | None) -> socket.socket:
    try:
        if address.unix is None:
            sock = socket.create_connection((address.host, address.port), timeout_s)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_KEEPIDLE"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_S)
            return sock
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout_s)
        sock.connect(address.unix)
        return sock
    except OSError as error:
        raise WireError(_reason(error)) from None


def _secure(sock: socket.socket, address: Address, tls: Tls) -> socket.socket:
    import ssl

    try:
        context = _tls_context(tls)
        name = tls.sni or (address.host if address.unix is None else None)
        if context.check_hostname and name is None:
            context.check_hostname = False
        timeout_s = sock.gettimeout()
        sock.settimeout(timeout_s or HANDSHAKE_MAX_S)
        wrapped: socket.socket = context.wrap_socket(sock, server_hostname=name)
        wrapped.settimeout(timeout_s)
        return wrapped
    except (ssl.SSLError, OSError, ValueError) as error:
        sock.close()
        named = f"{getattr(error, 'filename', None) or ''}: ".lstrip(": ")
        raise WireError(f"TLS: {named}{_reason(error)}") from None


class Connection:
    """Connects at once; AUTH, SELECT and HELLO are the caller's.

    Args:
        timeout_s: of connecting, sending and reading; None: forever.
    """

    def __init__(self, address: Address, timeout_s: float | None = None) -> None:
        sock = _connect(address, timeout_s)
        if address.tls is not None:
            sock = _secure(sock, address, address.tls)
        self.sock = sock
        self._parser = Parser()

    def close(self) -> None:
        self.sock.close()

    def send(self, *words: bytes) -> None:
        self.send_bytes(encode(words))

    def send_bytes(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise self._broken(error) from None

    def try_send(self, data: bytes) -> int:
        """Sends what a socket that does not block takes; returns how many bytes that was."""
        try:
            return self.sock.send(data)
        except OSError as error:
            if _must_wait(error):
                return 0
            raise self._broken(error) from None

    @property
    def holds_bytes(self) -> bool:
        """Whether TLS has decoded bytes that select() does not see."""
        pending = getattr(self.sock, "pending", None)
        return bool(pending and pending())

    def fill(self) -> None:
        """Waits for more bytes."""
        try:
            data = self.sock.recv(READ_SIZE)
        except OSError as error:
            if _must_wait(error):
                return
            raise self._broken(error) from None
        if not data:
            raise Closed("Server closed the connection")
        self._parser.feed(data)

    def buffered(self) -> Reply | None:
        """A reply that is here already."""
        try:
            return self._parser.next()
        except ProtocolError as error:
            raise WireError(f"Protocol error: {error}") from None

    def read(self) -> Reply:
        """Waits for the next reply, be it an answer or a push."""
        while True:
            reply = self.buffered()
            if reply is not None:
                return reply
            self.fill()

    def answer(self) -> Reply:
        """Waits for the next reply that is no push; pushes before it are dropped."""
        while True:
            reply = self.read()
            if reply.kind != ">":
                return reply

    def call(self, *words: bytes | str) -> Reply:
        """Sends a command and returns its answer."""
        self.send(*(word.encode() if isinstance(word, str) else word for word in words))
        return self.answer()

    def _broken(self, error: OSError) -> WireError:
        if isinstance(error, (ConnectionResetError, BrokenPipeError)):
            return Closed(_reason(error))
        return WireError(_reason(error))
