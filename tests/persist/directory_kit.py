"""What tests of a server and its directory share; fixtures are in conftest.py."""

from __future__ import annotations

import signal

from tools.servers import Server

SAVED = {"save": "", "enable-debug-command": "yes"}
LOGGED = SAVED | {"appendonly": "yes"}


def digest(server: Server) -> str:
    """Of all data."""
    with server.connect() as conn:
        return conn.call("DEBUG", "DIGEST")


def kill(server: Server) -> None:
    server.signal(signal.SIGKILL)
    assert server.wait_exit() == -signal.SIGKILL
