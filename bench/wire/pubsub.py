"""Measures PUBLISH to many subscribers beside redis-server: server CPU per message.

Examples:
  python bench/wire/pubsub.py                       50 subscribers; 1 and 10 publishers; P 1, 16, 64
  python bench/wire/pubsub.py --subscribers 500 --sizes 64,1024

Servers run in turns (round by round), publishers send pipelines, subscribers only read. The number
that counts is the server's processor time per message: the readers share the machine. A publisher
sends its next pipeline when it has its replies, or when all subscribers have got its messages.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import selectors
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from run import numbers, table_text
from servers import BenchError, Server, connect, find_command, wire

NAMES = ["redis", "rustypotato"]
# On a busy machine readers fall behind; nobody is to be cut off for that.
UNBOUNDED = ["--client-output-buffer-limit", "pubsub 0 0 0"]


class Readers:
    """Subscribers that count bytes."""

    def __init__(self, port: int, count: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets = [connect(port) for _ in range(count)]
        for s in self.sockets:
            s.sendall(wire("SUBSCRIBE", "channel"))
            s.recv(1024)
            self.selector.register(s, selectors.EVENT_READ)
        self.room = bytearray(1 << 20)

    def read(self, total: int) -> None:
        """Until so many bytes have come, from all of them together."""
        while total > 0:
            for key, _ in self.selector.select():
                total -= key.fileobj.recv_into(self.room)  # type: ignore[union-attr]
        if total != 0:
            raise BenchError("a subscriber got more than was published")

    def close(self) -> None:
        for s in self.sockets:
            s.close()


class DistantReaders:
    """The same in a process of their own, which reads whatever comes."""

    def __init__(self, port: int, count: int) -> None:
        self.seen = multiprocessing.Value("q", -1)  # -1: they have not subscribed yet
        self.process = multiprocessing.Process(target=self._run, args=(port, count), daemon=True)
        self.process.start()
        self._until(lambda seen: seen >= 0)

    def _run(self, port: int, count: int) -> None:
        near = Readers(port, count)
        self.seen.value = 0
        while True:
            for key, _ in near.selector.select():
                self.seen.value += key.fileobj.recv_into(near.room)  # type: ignore[union-attr]

    def _until(self, reached: Callable[[int], bool]) -> None:
        end = time.monotonic() + 60
        while not reached(self.seen.value):
            if time.monotonic() > end:
                raise BenchError("the subscribers did not get what was published")
            time.sleep(0.005)

    def read(self, total: int) -> None:
        """Until so many bytes have come, from all of them together, since the last call."""
        self._until(lambda seen: seen >= total)
        self.seen.value -= total

    def close(self) -> None:
        self.process.terminate()
        self.process.join()


KINDS: dict[str, type[Readers] | type[DistantReaders]] = {
    "its reply": DistantReaders,
    "all subscribers": Readers,
}


def publish(
    server: Server,
    readers: Readers | DistantReaders,
    count: int,
    publishers: int,
    size: int,
    pipeline: int,
    seconds: float,
) -> float:
    """Returns the server's microseconds of processor time per PUBLISH to `count` subscribers. A
    publisher goes on when it has its replies; with Readers, when all of them have the messages."""
    text = b"x" * size
    batch = wire("PUBLISH", "channel", text.decode()) * pipeline
    message = b"*3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$%d\r\n%s\r\n" % (size, text)
    reply = (b":%d\r\n" % count) * pipeline
    sockets = [connect(server.port) for _ in range(publishers)]
    published = 0
    before, end = server.cpu_s(), time.monotonic() + seconds
    while time.monotonic() < end:
        for s in sockets:
            s.sendall(batch)
        if isinstance(readers, Readers):
            readers.read(len(message) * count * pipeline * publishers)
        for s in sockets:
            got = b""
            while len(got) < len(reply):
                got += s.recv(1 << 16)
            if got != reply:
                raise BenchError(f"PUBLISH said {got[:20]!r}, not {reply[:20]!r}")
        published += pipeline * publishers
    if isinstance(readers, DistantReaders):
        readers.read(len(message) * count * published)
    for s in sockets:
        s.close()
    return (server.cpu_s() - before) * 1e6 / published


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=int, default=50)
    parser.add_argument("--publishers", type=numbers, default=[1, 10])
    parser.add_argument("--pipelines", type=numbers, default=[1, 16, 64])
    parser.add_argument("--sizes", type=numbers, default=[64])
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    missing = [name for name in NAMES if find_command(name) is None]
    if missing:
        raise BenchError(f"{missing[0]} is not installed")
    cells = list(itertools.product(KINDS, args.sizes, args.publishers, args.pipelines))
    seen: dict[tuple[Any, ...], list[float]] = {}
    for _ in range(args.repeat):
        for name in NAMES:
            with Server(name, 1, [], UNBOUNDED) as server:
                for kind, group in itertools.groupby(cells, lambda cell: cell[0]):
                    readers = KINDS[kind](server.port, args.subscribers)
                    for cell in group:
                        _, size, publishers, pipeline = cell
                        used = publish(
                            server,
                            readers,
                            args.subscribers,
                            publishers,
                            size,
                            pipeline,
                            args.seconds,
                        )
                        seen.setdefault((name, *cell), []).append(used)
                    readers.close()
    rows = []
    for cell in cells:
        kind, size, publishers, pipeline = cell
        us = {n: statistics.median(seen[(n, *cell)]) for n in NAMES}
        rows.append(
            {
                "a publisher awaits": kind,
                "bytes": size,
                "publishers": publishers,
                "P": pipeline,
                "redis us/PUBLISH": round(us["redis"], 1),
                "rustypotato us/PUBLISH": round(us["rustypotato"], 1),
                "CPU x": round(us["redis"] / us["rustypotato"], 2),
            }
        )
    print(table_text(rows, args.markdown))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(str(error))
