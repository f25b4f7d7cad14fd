"""Sends the same commands to two stores and compares: byte for byte, but for times and chance."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from grammar import KEYS, PAUSE, TRANSPLANT, Command

from tools import resp
from tools.resp import Node

# Examples of each generated test: make test stays at about a minute for all of them.
EXAMPLES = int(os.environ.get("RP_DIFF_EXAMPLES", "400"))
TOLERANCE = {b"TTL": 2, b"PTTL": 5000, b"EXPIRETIME": 5, b"PEXPIRETIME": 5000}
ANY_ORDER = {b"KEYS", b"SINTER", b"SUNION", b"SDIFF"}
# Replies in the order of a table, unless the value's encoding keeps an order of its own.
TABLE_ORDER = {
    b"HKEYS": 1,
    b"HVALS": 1,
    b"HGETALL": 2,
    b"SMEMBERS": 1,
}  # Parts that belong together.
IN_ORDER = {b"listpack", b"intset"}
RANDOM = {b"RANDOMKEY", b"HRANDFIELD", b"SRANDMEMBER", b"SPOP", b"ZRANDMEMBER"}
CHANGES_AT_RANDOM = {b"SPOP"}  # Not only the reply differs, but what is left.
# Where the cursor is, and the parts that belong together.
SCANS = {b"SCAN": (1, 1), b"HSCAN": (2, 2), b"SSCAN": (2, 1), b"ZSCAN": (2, 2)}
CLIENT_ID = re.compile(rb"id\r\n:\d+")  # In the reply of HELLO.
COUNTS_THE_EXPIRED = {b"DBSIZE", b"RANDOMKEY"}


class Difference(AssertionError):
    pass


class Side:
    """One store: two links with the same protocol."""

    def __init__(self, name: str, links: list[Any], protocol: int) -> None:
        self.name, self.links, self.protocol = name, links, protocol

    def begin(self) -> None:
        for link in self.links:
            link.raw("RESET")
            if self.protocol == 3:
                link.raw("HELLO", 3)
        self.links[0].raw("FLUSHALL")

    def scan(self, who: int, command: Command) -> bytes:
        """A whole walk, as if it had been one reply: the cursor and the cuts are free."""
        at, width = SCANS[command[0].upper()]
        cursor, found = command[at], set()
        for _ in range(10_000):
            raw = self.links[who].raw(*command[:at], cursor, *command[at + 1 :])
            if not raw.startswith(b"*2\r\n"):
                return raw
            cursor, page = resp.decode_bytes(raw)
            found |= set(groups(page, width))
            if cursor == b"0":
                return resp.encode(*(part for group in sorted(found) for part in group))
        raise Difference(f"{self.name}: {command[0]!r} does not end")


class Twins:
    """Two sides that must not be told apart."""

    def __init__(self, left: Side, right: Side) -> None:
        self.sides = (left, right)
        self.queues: list[list[Command] | None] = [None, None]
        # A key whose time is over is still counted until something meets it, in Redis itself.
        self.some_expired = False
        self.log: list[str] = []

    def run(self, steps: list[tuple[int, Command]]) -> None:
        for side in self.sides:
            side.begin()
        for who, command in steps:
            self.step(who, command)
        self.finish()

    def step(self, who: int, command: Command) -> None:
        name = command[0].upper()
        if command[0] == PAUSE:
            if self.queues[who] is None:
                self.step(who, (b"PEXPIRE", command[1], b"1"))
                time.sleep(0.003)  # Both clocks move on; nothing is waited for.
                self.some_expired = True
            return
        if command[0] == TRANSPLANT:
            if self.queues[who] is None:
                self.transplant(who, *command[1:])
            return
        if self.is_walk(who, command):
            raws = [side.scan(who, command) for side in self.sides]
        else:
            raws = [side.links[who].raw(*command) for side in self.sides]
        self.log.append(f"{who}> {command!r} -> {raws[0][:200]!r}")
        self.compare(who, command, raws)
        if name in CHANGES_AT_RANDOM and self.queues[who] is None:
            self.level(who, command, raws)
        self.follow(who, name, raws[0])

    def transplant(self, who: int, source: bytes, *words: bytes) -> None:
        """Each side restores what the other one has dumped."""
        target, *options = words
        dumps = [resp.decode_bytes(side.links[who].raw("DUMP", source)) for side in self.sides]
        if (dumps[0] is None) != (dumps[1] is None):
            raise Difference("\n".join([*self.log[-30:], f"DUMP {source!r}: {dumps!r}"]))
        if dumps[0] is None:
            return
        ttl, *rest = options
        commands = [(b"RESTORE", target, ttl, dump, *rest) for dump in reversed(dumps)]
        raws = [
            side.links[who].raw(*command)
            for side, command in zip(self.sides, commands, strict=True)
        ]
        self.log.append(f"{who}> {source!r} -> {commands!r} -> {raws[0][:200]!r}")
        self.compare(who, commands[0], raws)

    def level(self, who: int, command: Command, raws: list[bytes]) -> None:
        """Where chance left two different values, there is none from now on."""
        left, right = (resp.parse(raw)[0] for raw in raws)
        if left != right and not (left.kind in "*~" and sorted(left.value) == sorted(right.value)):
            for side in self.sides:
                side.links[who].raw("DEL", command[1])

    def is_walk(self, who: int, command: Command) -> bool:
        at, _ = SCANS.get(command[0].upper(), (0, 0))
        return 0 < at < len(command) and self.queues[who] is None

    def follow(self, who: int, name: bytes, raw: bytes) -> None:
        """Keeps the queue of a transaction, to know what the parts of EXEC's reply are."""
        queue = self.queues[who]
        if name == b"MULTI" and raw == b"+OK\r\n":
            self.queues[who] = []
        elif name in (b"EXEC", b"DISCARD", b"RESET") and raw != b"+QUEUED\r\n":
            if not (name != b"RESET" and raw.startswith(b"-ERR wrong number")):
                self.queues[who] = None
        elif queue is not None and raw == b"+QUEUED\r\n":
            queue.append((name,))

    def compare(self, who: int, command: Command, raws: list[bytes]) -> None:
        if command[0].upper() in (b"HELLO", b"EXEC"):
            raws = [CLIENT_ID.sub(b"id:0", raw) for raw in raws]
        left, right = raws
        if left == right:
            return
        nodes = [resp.parse(raw)[0] for raw in raws]
        queue = self.queues[who]
        name = command[0].upper()
        if name == b"EXEC" and queue is not None and all(n.kind == "*" for n in nodes):
            if len(nodes[0].value) == len(nodes[1].value) == len(queue) and all(
                self.alike(c[0], a, b) or queued_refcount(c[0], a, b)
                for c, a, b in zip(queue, nodes[0].value, nodes[1].value, strict=True)
            ):
                return
        elif self.alike(name, *nodes) and not (
            name in TABLE_ORDER and self.keeps_order(who, command[1])
        ):
            return
        names = [side.name for side in self.sides]
        raise Difference(
            "\n".join(
                [
                    f"replies differ, after {len(self.log) - 1} commands:",
                    *self.log[-30:-1],
                    f"{who}> {command!r}",
                    f"  {names[0]:12} {left[:500]!r}",
                    f"  {names[1]:12} {right[:500]!r}",
                ]
            )
        )

    def keeps_order(self, who: int, key: bytes) -> bool:
        encoding = resp.decode_bytes(self.sides[0].links[who].raw("OBJECT", "ENCODING", key))
        return encoding in IN_ORDER

    def alike(self, name: bytes, left: Node, right: Node) -> bool:
        return same(name, left, right) or (self.some_expired and name in COUNTS_THE_EXPIRED)

    def finish(self) -> None:
        """Ends transactions, then compares all there is: digest, keys, times."""
        for who in (0, 1):
            if self.queues[who] is not None:
                self.step(who, (b"EXEC",))
        self.step(0, (b"RESET",))
        self.some_expired = False
        for db in (0, 1, 2, 15):
            self.step(0, (b"SELECT", b"%d" % db))
            self.step(0, (b"EXISTS", *KEYS))  # What has expired is gone now.
            self.step(0, (b"KEYS", b"*"))
            names = resp.decode_bytes(self.sides[0].links[0].raw("KEYS", "*"))
            for name in sorted(names):
                self.step(0, (b"GET", name))
                self.step(0, (b"PTTL", name))
                self.step(0, (b"OBJECT", b"ENCODING", name))
            self.step(0, (b"DBSIZE",))
        self.step(0, (b"DEBUG", b"DIGEST"))


def queued_refcount(name: bytes, left: Node, right: Node) -> bool:
    """Inside EXEC, Redis counts the reference that its own queue holds on a value."""
    return name == b"OBJECT" and left.kind == right.kind == ":"


def groups(parts: list[Any], width: int) -> list[tuple[Any, ...]]:
    return list(zip(*[iter(parts)] * width, strict=True))


def same_shape(left: Node, right: Node) -> bool:
    """Of replies to chance: as many parts, of the same kinds."""
    if left.kind != right.kind or left.kind == "-":
        return False
    if not isinstance(left.value, list):
        return True
    return len(left.value) == len(right.value) and all(map(same_shape, left.value, right.value))


def same(name: bytes, left: Node, right: Node) -> bool:
    """Is a difference of two replies to this command allowed?"""
    if left == right:
        return True
    if left.kind != right.kind:
        return False
    if name in TOLERANCE and left.kind == ":":
        return (
            min(left.value, right.value) >= 0 and abs(left.value - right.value) <= TOLERANCE[name]
        )
    if name in ANY_ORDER and left.kind in "*~":
        return sorted(left.value) == sorted(right.value)
    if name in TABLE_ORDER and left.kind in "*%~":
        return sorted(groups(left.value, TABLE_ORDER[name])) == sorted(
            groups(right.value, TABLE_ORDER[name])
        )
    if name in SCANS and left.kind == "*":  # Inside a transaction: one page each.
        return len(left.value) == len(right.value) == 2
    return name in RANDOM and same_shape(left, right)
