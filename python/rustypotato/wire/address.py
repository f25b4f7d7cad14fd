"""Where a server listens, and who we are to it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

PORT = 6379
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class BadAddress(ValueError):
    """A URL that names no server."""


@dataclass
class Tls:
    """How to speak TLS. Without `cacert` and `cacertdir` the system's authorities are trusted, and
    the certificate must name the host; an authority of one's own is trusted for every host, as
    redis-cli does it.
    """

    cacert: str | None = None
    cacertdir: str | None = None
    cert: str | None = None
    key: str | None = None
    sni: str | None = None
    insecure: bool = False
    ciphers: str | None = None  # up to TLS 1.2


@dataclass
class Address:
    """A server. unix, when given, wins over host and port."""

    host: str = "127.0.0.1"
    port: int = PORT
    unix: str | None = None
    user: str | None = None
    password: str | None = None
    db: int = 0
    tls: Tls | None = None

    def __str__(self) -> str:
        return self.unix or f"{self.host}:{self.port}"

    @property
    def bracketed(self) -> str:
        """host:port with an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

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

    def take_url(self, url: str) -> None:
        """Takes redis[s]://[user[:password]@]host[:port][/db] or unix://[user:pass@]/path[?db=n].

        A user without a password is a password alone, as redis-cli has it.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise BadAddress(f"{url}: the port is no number up to 65535") from None
        scheme = parts.scheme.lower()
        if scheme == "unix":
            query = parse_qs(parts.query)
            self.unix = unquote(parts.path) or query.get("path", [""])[0]
            db = query.get("db", [""])[0]
        elif scheme in ("redis", "rediss"):
            self.unix, self.host = None, parts.hostname or self.host
            self.port = self.port if port is None else port
            db = parts.path.strip("/")
            if scheme == "rediss" and self.tls is None:
                self.tls = Tls()
        else:
            raise BadAddress(f"{url}: redis://host:port, rediss:// or unix:///path is expected")
        if db:
            if not db.isdigit():
                raise BadAddress(f"{url}: the database '{db}' is no number")
            self.db = int(db)
        self._take_login(parts.username, parts.password)

    def _take_login(self, user: str | None, password: str | None) -> None:
        if password is not None:
            self.user, self.password = unquote(user or "") or None, unquote(password)
        elif user:
            self.password = unquote(user)

    def take_environment(self) -> None:
        """REDISCLI_AUTH is the password when nothing else gave one."""
        if self.password is None:
            self.password = os.environ.get("REDISCLI_AUTH")
