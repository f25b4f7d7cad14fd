"""The client of the tools: commands of text, errors as ToolError."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..wire import address as wire_address
from ..wire.connection import Connection, WireError
from ..wire.resp import Reply
from .places import ToolError

if TYPE_CHECKING:
    from typing_extensions import Self


class Address(wire_address.Address):
    """Where a server listens, and who we are to it.

    Args:
        url: redis[s]://[user[:password]@]host[:port] or unix://[user[:password]@]/path.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = wire_address.PORT,
        unix: str | None = None,
        url: str | None = None,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        super().__init__(host, port, unix, user, password)
        if url is not None:
            try:
                self.take_url(url)
            except wire_address.BadAddress as error:
                raise ToolError(str(error), 2) from None
        self.take_environment()


class Client:
    """One connection, RESP2. Error replies raise ToolError."""

    def __init__(self, address: Address, timeout_s: float = 30) -> None:
        self.address = address
        try:
            self._connection = Connection(address, timeout_s)
        except WireError as error:
            raise ToolError(f"{address}: cannot connect: {error}") from None
        if address.password is not None:
            user = [address.user] if address.user else []
            self.call("AUTH", *user, address.password)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def call(self, *words: str) -> Any:
        """Runs a command: str, int, None or a list of them."""
        try:
            reply = self._connection.call(*(os.fsencode(word) for word in words))
        except WireError as error:
            raise ToolError(f"{self.address}: the connection failed: {error}") from None
        if reply.is_error:
            raise ToolError(f"{self.address}: {reply.text()}")
        return self._plain(reply)

    def _plain(self, reply: Reply) -> Any:
        if reply.is_aggregate:
            return [self._plain(item) for item in reply.value]
        return os.fsdecode(reply.value) if isinstance(reply.value, bytes) else reply.value

    def info(self, section: str) -> dict[str, str]:
        lines = self.call("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def setting(self, name: str) -> str:
        reply = self.call("CONFIG", "GET", name)
        if len(reply) != 2:
            raise ToolError(f"{self.address}: the server has no setting '{name}'")
        value: str = reply[1]
        return value
