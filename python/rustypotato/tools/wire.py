"""A client for a handful of commands, so that the tools need no other package."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from .places import ToolError

if TYPE_CHECKING:
    from typing_extensions import Self

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class Address:
    """Where a server listens, and who we are to it.

    Args:
        url: redis://[user[:password]@]host[:port] or unix://[user[:password]@]/path.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 6379,
        unix: str | None = None,
        url: str | None = None,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        self.host, self.port, self.unix = host, port, unix
        self.user, self.password = user, password
        if url is not None:
            self._take_url(url)
        if self.password is None:
            self.password = os.environ.get("REDISCLI_AUTH")

    def _take_url(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise ToolError(f"{url}: the port is no number", 2) from None
        if parts.scheme == "unix":
            self.unix = unquote(parts.path) or parse_qs(parts.query).get("path", [""])[0]
        elif parts.scheme == "redis":
            self.unix, self.host, self.port = None, parts.hostname or "127.0.0.1", port or 6379
        else:
            raise ToolError(f"{url}: redis://host:port or unix:///path is expected", 2)
        if parts.username:
            self.user = unquote(parts.username)
        if parts.password:
            self.password = unquote(parts.password)

    def __str__(self) -> str:
        return self.unix or f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, as far as the address tells."""
        if self.unix is not None or self.host in _LOCAL_HOSTS or self.host.startswith("127."):
            return True
        try:
            infos = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            for family, _, _, _, where in infos:
                with socket.socket(family, socket.SOCK_DGRAM) as probe:
                    probe.bind((where[0], 0))  # only an address of this machine can be bound
                    return True
        except OSError:
            pass
        return False


class Client:
    """One connection, RESP2. Error replies raise ToolError."""

    def __init__(self, address: Address, timeout_s: float = 30) -> None:
        self.address = address
        try:
            if address.unix is not None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.settimeout(timeout_s)
                self._socket.connect(address.unix)
            else:
                self._socket = socket.create_connection((address.host, address.port), timeout_s)
        except OSError as error:
            raise ToolError(f"{address}: cannot connect: {error.strerror or error}") from None
        self._file: BinaryIO = self._socket.makefile("rb")
        if address.password is not None:
            user = [address.user] if address.user else []
            self.call("AUTH", *user, address.password)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
        self._socket.close()

    def call(self, *words: str) -> Any:
        """Runs a command: str, int, None or a list of them."""
        parts = [os.fsencode(word) for word in words]
        text = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
        try:
            self._socket.sendall(text)
            return self._read()
        except (OSError, ValueError) as error:
            raise ToolError(f"{self.address}: the connection failed: {error}") from None

    def _read(self) -> Any:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ToolError(f"{self.address}: the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise ToolError(f"{self.address}: {rest.decode(errors='replace')}")
        if kind == b"+":
            return rest.decode(errors="replace")
        if kind == b":":
            return int(rest)
        count = int(rest)
        if count < 0:
            return None
        if kind == b"*":
            return [self._read() for _ in range(count)]
        if kind != b"$":
            raise ToolError(f"{self.address}: this is no Redis server")
        data = self._file.read(count + 2)
        if len(data) != count + 2:
            raise ToolError(f"{self.address}: the server closed the connection")
        return os.fsdecode(data[:-2])

    def info(self, section: str) -> dict[str, str]:
        lines = self.call("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def setting(self, name: str) -> str:
        reply = self.call("CONFIG", "GET", name)
        if len(reply) != 2:
            raise ToolError(f"{self.address}: the server has no setting '{name}'")
        value: str = reply[1]
        return value
