"""A small HTTP/1.1 server, read-only and bounded; h11 parses, this file reads and writes.

    server = HttpServer(["127.0.0.1"], 9121, answer)   # answer(Request) -> Response
    server.close()

Threads  one accepts, each connection has one of its own; answer() is called by all of them.
Limits   CONNECTIONS_MAX connections: a new one pushes out the one that has been silent longest.
         HEAD_BYTES_MAX bytes of request line and headers, which must be there HEAD_S seconds after
         their first byte; no bodies; IDLE_S seconds between requests; WRITE_S to take an answer.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any, Callable, NamedTuple

import h11

from ..errors import ServeError

CONNECTIONS_MAX = 64
HEAD_BYTES_MAX = 8 * 1024
HEAD_S = 5.0
IDLE_S = 120.0  # longer than the usual pause between two scrapes
WRITE_S = 10.0
_READ_BYTES = 4096
_CLOSE_S = 5.0

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
_ALWAYS = (
    ("Server", "rustypotato"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)


class Request(NamedTuple):
    """Headers by name in small letters; of several equal ones the last."""

    path: str
    query: str
    headers: dict[str, str]
    local: bool  # it came to an address of the loopback


class Response(NamedTuple):
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


Answer = Callable[[Request], Response]


def text(status: int, line: str, *headers: tuple[str, str]) -> Response:
    return Response(status, line.encode(errors="backslashreplace") + b"\n", headers=headers)


class _Refused(Exception):
    """The request is answered with an error, and the connection closed."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class _Connection:
    """One client. run() is its thread."""

    def __init__(self, sock: socket.socket, answer: Answer) -> None:
        self.sock = sock
        # Since when nothing was asked (monotonic); None while an answer is made.
        self.silent_since: float | None = time.monotonic()
        self._answer = answer
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        address = sock.getsockname()[0]
        self._head_only = False
        self._local = address.startswith("127.") or address in ("::1", "::ffff:127.0.0.1")

    def cut(self) -> None:
        """Wakes the thread, which then ends. Any thread."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client was faster

    def run(self) -> None:
        try:
            with self.sock:
                self._serve()
        except (OSError, h11.ProtocolError):
            pass  # the client went away, or takes nothing more

    def _serve(self) -> None:
        first = True
        while True:
            try:
                request = self._read(HEAD_S if first else IDLE_S)
                if request is None:
                    return
                self.silent_since = None
                response = self._checked(request)
            except _Refused as refused:
                return self._write(refused.response, close=True)
            except h11.RemoteProtocolError as error:
                return self._write(_bad(error), close=True)
            self._write(response, close=False)
            if self._parser.our_state is not h11.DONE or self._parser.their_state is not h11.DONE:
                return  # one side asked for the end
            self._parser.start_next_cycle()
            self.silent_since, first = time.monotonic(), False

    def _read(self, patience_s: float) -> h11.Request | None:
        """Returns the head of the next request; None: the client is done."""
        end = time.monotonic() + patience_s
        started = bool(self._parser.trailing_data[0])
        while True:
            event = self._parser.next_event()
            if isinstance(event, h11.Request):
                return event
            if isinstance(event, h11.ConnectionClosed):
                return None
            left = end - time.monotonic()
            if left <= 0:
                if not started:
                    return None
                raise _Refused(text(408, f"the request was not whole after {HEAD_S:g} s"))
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(_READ_BYTES)
            except socket.timeout:
                continue
            if not started:
                started, end = True, min(end, time.monotonic() + HEAD_S)
            self._parser.receive_data(data)

    def _checked(self, event: h11.Request) -> Response:
        self._head_only = event.method == b"HEAD"
        if event.http_version not in (b"1.0", b"1.1"):
            raise _Refused(text(505, "only HTTP 1.0 and 1.1 are spoken here"))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        if event.method not in (b"GET", b"HEAD"):
            raise _Refused(text(405, "GET and HEAD are what is allowed", ("Allow", "GET, HEAD")))
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            raise _Refused(text(413, "a request has no body here"))
        self._parser.next_event()  # its end
        path, _, query = event.target.decode("latin-1").partition("?")
        return self._answer(Request(path, query, headers, self._local))

    def _write(self, response: Response, close: bool) -> None:
        if self._parser.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers: list[tuple[str, str]] = [*_ALWAYS, *response.headers]
        headers += [("Date", formatdate(usegmt=True)), ("Content-Type", response.content_type)]
        headers += [("Content-Length", str(len(response.body)))]
        if close:
            headers += [("Connection", "close")]
        reason = _REASONS[response.status].encode()
        head = h11.Response(status_code=response.status, headers=headers, reason=reason)
        parts = [self._parser.send(head)]
        if not self._head_only:
            parts += [self._parser.send(h11.Data(data=response.body))]
        parts += [self._parser.send(h11.EndOfMessage())]
        self.sock.settimeout(WRITE_S)
        self.sock.sendall(b"".join(part for part in parts if part))
        if close:
            self._drain()

    def _drain(self) -> None:
        """Takes what was sent already, so that closing does not throw our answer away."""
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(0.2)
        for _ in range(2 * HEAD_BYTES_MAX // _READ_BYTES):
            if not self.sock.recv(_READ_BYTES):
                return


def _bad(error: h11.RemoteProtocolError) -> Response:
    if error.error_status_hint == 431:
        return text(431, f"request line and headers may have {HEAD_BYTES_MAX} bytes")
    return text(400, f"this is no HTTP request: {error}")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(CONNECTIONS_MAX)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        why = error.strerror or error
        raise ServeError(f"the monitoring port: cannot listen on {host}:{port}: {why}") from None
    return sock


class HttpServer:
    """Listens from here on; several addresses share one port.

    Attributes:
        port: the port in use.
    """

    def __init__(self, hosts: Sequence[str], port: int, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._connections: dict[_Connection, threading.Thread] = {}
        self._closing = False
        self._sockets: list[socket.socket] = []
        try:
            for host in hosts:
                self._sockets.append(_listen(host, port))
                port = self._sockets[-1].getsockname()[1]
        except OSError:
            for sock in self._sockets:
                sock.close()
            raise
        self.port = port
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="rp-http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening, ends every connection; waits for answers under way, not for ever."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._wake.send(b"x")
        self._thread.join()
        end = time.monotonic() + _CLOSE_S
        while time.monotonic() < end:
            with self._lock:
                running = dict(self._connections)
            for connection in running:
                if connection.silent_since is not None:  # an answer under way may still be sent
                    connection.cut()
            others = [one for one in running.values() if one is not threading.current_thread()]
            if not others:
                break
            others[0].join(0.05)
        self._wake.close()
        self._woken.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            for sock in (*self._sockets, self._woken):
                selector.register(sock, selectors.EVENT_READ)
            while not self._closing:
                for key, _ in selector.select():
                    if key.fileobj is not self._woken:
                        self._take(key.fileobj)
        for sock in self._sockets:
            sock.close()

    def _take(self, listening: Any) -> None:
        try:
            sock, _ = listening.accept()
        except OSError:
            time.sleep(0.05)  # no file descriptors left, or the client went away
            return
        connection = _Connection(sock, self._answer)
        with self._lock:
            if len(self._connections) >= CONNECTIONS_MAX and not self._push_out():
                sock.close()  # all of them wait for the store
                return
            thread = threading.Thread(
                target=self._run, args=(connection,), name="rp-http-client", daemon=True
            )
            self._connections[connection] = thread
        try:
            thread.start()
        except RuntimeError:  # no thread left for us
            with self._lock:
                self._connections.pop(connection, None)
            sock.close()

    def _push_out(self) -> bool:
        """Makes room for one. Under the lock."""
        silent = [(c.silent_since, n, c) for n, c in enumerate(self._connections)]
        waiting = [(since, n, c) for since, n, c in silent if since is not None]
        if not waiting:
            return False
        _, _, connection = min(waiting)
        del self._connections[connection]
        connection.cut()
        return True

    def _run(self, connection: _Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                self._connections.pop(connection, None)
