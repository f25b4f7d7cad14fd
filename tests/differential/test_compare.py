"""The comparer itself: it must see a difference, and must not see one where chance rules."""

from __future__ import annotations

import pytest
from compare import Difference, Side, Twins

from tools import resp


class Fake:
    """Answers from a list, in order; RESET, FLUSHALL and the like with +OK."""

    def __init__(self, replies: dict[bytes, bytes]) -> None:
        self.replies = replies

    def raw(self, *args: object) -> bytes:
        name = resp.to_bytes(args[0]).upper()  # type: ignore[arg-type]
        return self.replies.get(name, b"*0\r\n" if name == b"KEYS" else b"+OK\r\n")


def twins(left: dict[bytes, bytes], right: dict[bytes, bytes]) -> Twins:
    return Twins(Side("left", [Fake(left)] * 2, 2), Side("right", [Fake(right)] * 2, 2))


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        (b"GET", b"$1\r\na\r\n", b"$1\r\nb\r\n"),
        (b"GET", b"$-1\r\n", b"*-1\r\n"),
        (b"GET", b"$2\r\nOK\r\n", b"+OK\r\n"),
        (b"INCR", b":1\r\n", b":2\r\n"),
        (b"SET", b"-ERR syntax error\r\n", b"-ERR Syntax error\r\n"),
        (b"TTL", b":-1\r\n", b":1\r\n"),
        (b"TTL", b":100\r\n", b":110\r\n"),
        (b"TTL", b":-1\r\n", b":-2\r\n"),
        (b"KEYS", b"*1\r\n$1\r\na\r\n", b"*1\r\n$1\r\nb\r\n"),
        (b"KEYS", b"*1\r\n$1\r\na\r\n", b"*0\r\n"),
        (b"RANDOMKEY", b"$-1\r\n", b"$1\r\na\r\n"),
        (b"DEBUG", b"+00\r\n", b"+01\r\n"),
        (b"HGETALL", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n"),
        (b"HRANDFIELD", b"*1\r\n$1\r\na\r\n", b"*0\r\n"),
        (b"HRANDFIELD", b"-ERR a\r\n", b"-ERR b\r\n"),
        (b"HSCAN", b"*0\r\n", b"*2\r\n$1\r\n0\r\n*0\r\n"),
    ],
)
def test_a_difference_is_seen(name: bytes, one: bytes, two: bytes) -> None:
    with pytest.raises(Difference):
        twins({name: one}, {name: two}).run([(0, (name, b"k"))])


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        (b"TTL", b":100\r\n", b":99\r\n"),
        (b"PTTL", b":5000\r\n", b":4000\r\n"),
        (b"KEYS", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n"),
        (b"RANDOMKEY", b"$1\r\nb\r\n", b"$1\r\na\r\n"),
        (b"HRANDFIELD", b"*1\r\n$1\r\na\r\n", b"*1\r\n$1\r\nb\r\n"),
        (b"HKEYS", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n"),
    ],
)
def test_times_and_chance_may_differ(name: bytes, one: bytes, two: bytes) -> None:
    pair = twins({name: one}, {name: two})
    pair.step(0, (name, b"k"))


def test_the_order_of_a_listpack_is_no_chance() -> None:
    one, two = b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*2\r\n$1\r\nb\r\n$1\r\na\r\n"
    for encoding, differs in ((b"$8\r\nlistpack\r\n", True), (b"$9\r\nhashtable\r\n", False)):
        replies = {b"OBJECT": encoding}
        pair = twins(replies | {b"HKEYS": one}, replies | {b"HKEYS": two})
        if differs:
            with pytest.raises(Difference):
                pair.step(0, (b"HKEYS", b"k"))
        else:
            pair.step(0, (b"HKEYS", b"k"))


def test_the_parts_of_exec_are_compared_by_their_commands() -> None:
    queued = {b"MULTI": b"+OK\r\n", b"TTL": b"+QUEUED\r\n", b"GET": b"+QUEUED\r\n"}
    near = twins(
        queued | {b"EXEC": b"*2\r\n:10\r\n$1\r\na\r\n"},
        queued | {b"EXEC": b"*2\r\n:9\r\n$1\r\na\r\n"},
    )
    far = twins(
        queued | {b"EXEC": b"*2\r\n:10\r\n$1\r\na\r\n"},
        queued | {b"EXEC": b"*2\r\n:10\r\n$1\r\nb\r\n"},
    )
    steps = [(0, (b"MULTI",)), (0, (b"TTL", b"k")), (0, (b"GET", b"k")), (0, (b"EXEC",))]
    for step in steps:
        near.step(*step)
    with pytest.raises(Difference):
        for step in steps:
            far.step(*step)
