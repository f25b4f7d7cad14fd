"""A process of its own that records: python worker.py <tests folder> <port> <threads> <rounds> <seed>.

Several processes have no interpreter lock in common, so their operations really overlap; the
monotonic clock is one for the whole machine. Prints the history with repr.
"""

from __future__ import annotations

import sys


def main() -> None:
    folder, port, threads, rounds, seed = sys.argv[1], *map(int, sys.argv[2:])
    sys.path[:0] = [folder]
    from recorder import record

    from tools.resp import Conn

    conns = [Conn(("127.0.0.1", port)) for _ in range(threads)]
    sys.stdin.readline()  # The go of the test: every worker is connected.
    history = record([c.call for c in conns], rounds, seed)
    print(repr([tuple(op) for op in history]))


if __name__ == "__main__":
    main()
