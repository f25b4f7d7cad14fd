"""Measures PUBLISH to many subscribers beside redis-server: server CPU per message.

Examples:
  python bench/wire/pubsub.py                       50 subscribers; 1 and 10 publishers; P 1, 16, 64
  python bench/wire/pubsub.py --subscribers 500 --sizes 64,1024

Servers run in turns (round by round), publishers send pipelines, subscribers only read. The number
that counts is the server's processor time per message: the readers share the machine.
"""

from __future__ import annotations

import argparse
import itertools
import selectors
import statistics
import sys
import time
from typing import Any

from run import numbers, table_text
from servers import BenchError, Server, connect, find_command, wire

NAMES = ["redis", "rustypotato"]


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


def publish(
    server: Server, readers: Readers, publishers: int, size: int, pipeline: int, seconds: float
) -> float:
    """Returns the server's microseconds of processor time per PUBLISH."""
    count = len(readers.sockets)
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
        readers.read(len(message) * count * pipeline * publishers)
        for s in sockets:
            got = b""
            while len(got) < len(reply):
                got += s.recv(1 << 16)
            if got != reply:
                raise BenchError(f"PUBLISH said {got[:20]!r}, not {reply[:20]!r}")
        published += pipeline * publishers
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
    cells = list(itertools.product(args.sizes, args.publishers, args.pipelines))
    seen: dict[tuple[Any, ...], list[float]] = {}
    for _ in range(args.repeat):
        for name in NAMES:
            with Server(name, 1, [], []) as server:
                readers = Readers(server.port, args.subscribers)
                for size, publishers, pipeline in cells:
                    used = publish(server, readers, publishers, size, pipeline, args.seconds)
                    seen.setdefault((name, size, publishers, pipeline), []).append(used)
                readers.close()
    rows = []
    for size, publishers, pipeline in cells:
        us = {n: statistics.median(seen[n, size, publishers, pipeline]) for n in NAMES}
        rows.append(
            {
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
