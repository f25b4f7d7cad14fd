"""For the modes that watch a server for long: they outlive its restart."""

from __future__ import annotations

import time

from ..wire.connection import WireError
from ..wire.resp import Reply
from .session import Session, write

_WAIT_S = 1.0


def call_again(session: Session, *words: bytes) -> Reply:
    """Runs a command; when the connection is lost, until it can be made again."""
    tries = 0
    while True:
        try:
            if session.conn is not None:
                reply = session.conn.call(*words)
                if tries:
                    write(b"\r\x1b[0K")
                return reply
        except WireError:
            session.close()
        tries += 1
        write(b"\r\x1b[0KReconnecting... %d\r" % tries)
        if not session.connect(quiet=True):
            time.sleep(_WAIT_S)
