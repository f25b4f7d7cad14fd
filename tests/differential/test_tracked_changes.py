"""Generated command sequences beside two clients that track: redis-server 7.0 and we tell them of the
same keys in the same order, after every command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from compare import Difference, Side, Twins
from generated import close_sides, open_side, run_family, settings_for
from grammar import FAMILIES, KEYS, Command

from tools.resp import Conn, encode

END = b"$3\r\nend\r\n"


class Tracker:
    """Reads all keys there may be before each command, and says what came after it."""

    def __init__(self, conn: Conn, mode: str, reads: bool) -> None:
        self.conn, self.reads = conn, reads
        self.ask(("HELLO", "3"), ("CLIENT", "TRACKING", "ON", *mode.split()))

    def ask(self, *commands: tuple[Any, ...]) -> list[bytes]:
        self.conn.send(b"".join(encode(*c) for c in [*commands, ("PING", "end")]))
        got: list[bytes] = []
        while (raw := self.conn.read_raw()) != END:
            got.append(raw)
        return got

    def look(self) -> None:
        self.ask(*([("EXISTS", *KEYS)] if self.reads else []))

    def told(self) -> list[bytes]:
        return [raw for raw in self.ask() if raw.startswith(b">")]


class TrackedTwins(Twins):
    def __init__(self, left: Side, right: Side, trackers: list[list[Tracker]]) -> None:
        super().__init__(left, right)
        self.trackers = trackers  # By kind, then by side.

    def step(self, who: int, command: Command) -> None:
        for kind in self.trackers:
            for tracker in kind:
                tracker.look()
        super().step(who, command)
        for kind in self.trackers:
            left, right = (tracker.told() for tracker in kind)
            if left != right:
                raise Difference(
                    "\n".join([*self.log[-20:], f"{who}> {command!r}", f"{left!r}", f"{right!r}"])
                )


@pytest.fixture
def make_twins(reference: Any, other: tuple[str, Any, int]) -> Iterator[Any]:
    name, backend, protocol = other
    if name not in ("canary-resp2", "tcp-resp2"):
        pytest.skip("what is told does not depend on the writer's transport")
    opened: list[Any] = []
    sides = [
        open_side("redis-server", reference, "redis-resp2", protocol, opened),
        open_side(name, backend, name, protocol, opened),
    ]
    trackers = []
    for mode, reads in (("", True), ("BCAST PREFIX k PREFIX a", False)):
        conns = [store.connect() for store in (reference, backend)]
        opened.extend(conns)
        trackers.append([Tracker(conn, mode, reads) for conn in conns])
    yield lambda: TrackedTwins(*sides, trackers), settings_for(0.1)
    close_sides(sides, opened)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_changes_are_told(make_twins: Any, family: str) -> None:
    new_twins, limits = make_twins
    run_family(new_twins, limits, family)
