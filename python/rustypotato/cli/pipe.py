"""--pipe: standard input is sent as it is, while replies are read and counted."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import Any

from ..wire.connection import Closed, WireError
from ..wire.resp import Reply, encode
from .session import Session, complain

READ_SIZE = 256 << 10
SEND_SIZE = 64 << 10
PENDING_MAX = 1 << 20  # bytes read from standard input and not sent yet


class Pipe:
    """The state of one transfer. The end is an ECHO of bytes that nothing else can answer with."""

    def __init__(self, session: Session) -> None:
        assert session.conn is not None
        self.conn = session.conn
        self.timeout_s = session.options.pipe_timeout_s
        self.pending = bytearray()
        self.magic = os.urandom(20)
        self.at_end = False
        self.is_done = False
        self.errors = self.replies = 0
        self.last_reply = time.monotonic()

    def run(self) -> None:
        sock = self.conn.sock
        sock.setblocking(False)
        stdin = sys.stdin.buffer.fileno()
        while not self.is_done:
            reads: list[Any] = [sock]
            if not self.at_end and len(self.pending) < PENDING_MAX:
                reads.append(stdin)
            writes = [sock] if self.pending else []
            ready = select.select(reads, writes, [], 1.0)
            if stdin in ready[0]:
                self._load(stdin)
            if sock in ready[1]:
                self._send()
            if sock in ready[0] or self.conn.holds_bytes:
                self._receive()
            if self._is_late():
                complain(f"No replies for {self.timeout_s} seconds: exiting.")
                self.errors += 1
                return

    def _is_late(self) -> bool:
        waited = time.monotonic() - self.last_reply
        return self.at_end and 0 < self.timeout_s < waited

    def _load(self, stdin: int) -> None:
        data = os.read(stdin, READ_SIZE)
        self.pending += data
        if data:
            return
        self.at_end = True
        self.last_reply = time.monotonic()
        # A line end first: if what was sent ends in rubbish, the ECHO still stands alone.
        self.pending += b"\r\n" + encode([b"ECHO", self.magic])
        print("All data transferred. Waiting for the last reply...", flush=True)

    def _send(self) -> None:
        sent = self.conn.try_send(bytes(self.pending[:SEND_SIZE]))
        del self.pending[:sent]

    def _receive(self) -> None:
        ended: Closed | None = None
        try:
            self.conn.fill()
        except Closed as error:
            ended = error  # after what came before it
        while (reply := self.conn.buffered()) is not None:
            self._count(reply)
        if ended is not None and not self.is_done:
            raise ended

    def _count(self, reply: Reply) -> None:
        self.last_reply = time.monotonic()
        if reply.kind == ">":
            return
        if self.at_end and reply.kind == "$" and reply.value == self.magic:
            print("Last reply received from server.", flush=True)
            self.is_done = True
            return
        self.replies += 1
        if reply.is_error:
            complain(reply.text())
            self.errors += 1


def run_pipe(session: Session) -> int:
    """Returns the exit code: 1 when a reply was an error."""
    pipe = Pipe(session)
    try:
        pipe.run()
    except WireError as error:
        complain(f"Error: {error}")
        return 1
    print(f"errors: {pipe.errors}, replies: {pipe.replies}")
    return 1 if pipe.errors else 0
