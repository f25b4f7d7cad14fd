"""A server that answers with given bytes: replies that no real server sends on demand.

SHAPE name -> the reply of that name; WORDS a b -> the words it got, as an array; anything else ->
what `answer` returns, else +OK.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from tools.resp import encode

HELLO_3 = b"%1\r\n$5\r\nproto\r\n:3\r\n"

SHAPES: dict[str, bytes] = {
    "status": b"+OK\r\n",
    "error": b"-ERR x 'y' \"z\"\r\n",
    "integer": b":-5\r\n",
    "bulk": b'$11\r\na\x00b"\\\n\x7f\xc3\xa9\r\n\r\n',
    "empty_bulk": b"$0\r\n\r\n",
    "nil": b"$-1\r\n",
    "nil_array": b"*-1\r\n",
    "null": b"_\r\n",
    "true": b"#t\r\n",
    "false": b"#f\r\n",
    "double": b",1.5\r\n",
    "infinity": b",inf\r\n",
    "verbatim": b'=8\r\ntxt:a\nb"\r\n',
    "empty_verbatim": b"=4\r\ntxt:\r\n",
    "empty_array": b"*0\r\n",
    "empty_set": b"~0\r\n",
    "empty_map": b"%0\r\n",
    "array": b"*3\r\n$1\r\na\r\n:2\r\n$-1\r\n",
    "array_of_error": b"*2\r\n-ERR a\r\n+OK\r\n",
    "nested": b"*3\r\n*2\r\n$1\r\na\r\n*2\r\n:1\r\n*0\r\n$1\r\nb\r\n*1\r\n*1\r\n$1\r\nz\r\n",
    "twelve": b"*12\r\n" + b"*2\r\n:1\r\n:2\r\n" * 11 + b"~2\r\n*1\r\n:1\r\n$0\r\n\r\n",
    "set": b"~2\r\n$1\r\na\r\n$1\r\nb\r\n",
    "map": b"%2\r\n$1\r\na\r\n:1\r\n+k\r\n*2\r\n:1\r\n:2\r\n",
    "map_of_one": b"%1\r\n:1\r\n*1\r\n:1\r\n",
    "map_of_maps": b"%2\r\n$1\r\na\r\n%1\r\n$1\r\nb\r\n%2\r\n:1\r\n:2\r\n:3\r\n~1\r\n$1\r\nq\r\n,1.5\r\n#t\r\n",
    "maps_in_array": b"*11\r\n"
    + b"%1\r\n$1\r\na\r\n%1\r\n$1\r\nx\r\n:3\r\n" * 10
    + b"*2\r\n:1\r\n:2\r\n",
    "map_with_odd_keys": b"%4\r\n:1\r\n:1\r\n#t\r\n:2\r\n_\r\n:3\r\n*1\r\n$1\r\na\r\n:4\r\n",
    "map_with_error_key": b"%1\r\n-ERR k\r\n:1\r\n",
    "low_bytes": b"$64\r\n" + bytes(range(64)) + b"\r\n",
    "middle_bytes": b"$64\r\n" + bytes(range(64, 128)) + b"\r\n",
    "high_bytes": b"$128\r\n" + bytes(range(128, 256)) + b"\r\n",
    "push_before": b">2\r\n+hey\r\n:1\r\n+OK\r\n",
    "empty_push_before": b">0\r\n+OK\r\n",
    "invalidation": b">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n+OK\r\n",
    "invalidation_of_all": b">2\r\n$10\r\ninvalidate\r\n_\r\n+OK\r\n",
}


class CannedServer:
    """with CannedServer() as server: ... server.port.

    Args:
        answer: called with the words of a command; the bytes of its reply, or None.

    Attributes:
        seen: the commands, as lists of words.
    """

    def __init__(self, answer: Callable[[list[bytes]], bytes | None] | None = None) -> None:
        self.answer = answer
        self.seen: list[list[bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []

    def __enter__(self) -> CannedServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def drop(self) -> None:
        """Closes every connection."""
        for sock in self._connections:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._connections.clear()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as file:
            while True:
                try:
                    head = file.readline()
                    if not head:
                        return
                    if not head.strip():
                        continue
                    words = []
                    for _ in range(int(head[1:])):
                        words.append(file.read(int(file.readline()[1:])))
                        file.read(2)
                    self.seen.append(words)
                    sock.sendall(self._reply(words))
                except (OSError, ValueError):
                    return

    def _reply(self, words: list[bytes]) -> bytes:
        reply = self.answer(words) if self.answer else None
        if reply is not None:
            return reply
        name = words[0].upper()
        if name == b"HELLO":
            return HELLO_3
        if name == b"SHAPE":
            return SHAPES[words[1].decode()]
        if name == b"WORDS":
            return encode(*words[1:])
        return b"+OK\r\n"
