"""Is a recorded history of one key linearizable? Wing and Gong's search with Lowe's memory.

A history is a list of Op, each with the time it was called and the time it returned. It is
linearizable when every operation can be given one instant between the two such that, run one by
one at those instants, each gives the result that was recorded. Keys are independent objects, and
linearizability is local: a history is linearizable if that of every key is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Op(NamedTuple):
    """kind: get, set, incr, del, cas. argument and result as step() reads them."""

    key: str
    kind: str
    argument: Any
    result: Any
    called_ns: int
    returned_ns: int


def step(state: bytes | None, op: Op) -> tuple[bool, bytes | None]:
    """Can op have its result in this state, and which state follows?"""
    kind, argument, result = op.kind, op.argument, op.result
    if kind == "get":
        return result == state, state
    if kind == "set":
        return True, argument
    if kind == "incr":
        value = int(state or 0) + 1
        return result == value, b"%d" % value
    if kind == "del":
        return result == (state is not None), None
    assert kind == "cas", kind
    # argument = (what was read, what was to be written); a refusal changes and says nothing.
    if not result:
        return True, state
    return state == argument[0], argument[1]


class _Event:
    __slots__ = ("bit", "match", "next", "op", "prev")

    def __init__(self, op: Op, bit: int, match: _Event | None) -> None:
        self.op, self.bit, self.match = op, bit, match  # match: the return, of a call only.
        self.prev: _Event | None = None
        self.next: _Event | None = None


def _linked(history: list[Op]) -> _Event:
    """Calls and returns in order of time, behind a head. At one instant calls come first."""
    timed: list[tuple[int, int, int, _Event]] = []
    for number, op in enumerate(history):
        back = _Event(op, 1 << number, None)
        timed.append((op.called_ns, 0, number, _Event(op, 1 << number, back)))
        timed.append((op.returned_ns, 1, number, back))
    head = last = _Event(history[0] if history else Op("", "get", None, None, 0, 0), 0, None)
    for _, _, _, event in sorted(timed, key=lambda t: t[:3]):
        last.next, event.prev = event, last
        last = event
    return head


def _lift(call: _Event) -> None:
    """Takes a call and its return out of the list."""
    for event in (call, call.match):
        assert event and event.prev
        event.prev.next = event.next
        if event.next:
            event.next.prev = event.prev


def _unlift(call: _Event) -> None:
    for event in (call.match, call):
        assert event and event.prev
        event.prev.next = event
        if event.next:
            event.next.prev = event


def linearizable(history: Iterable[Op], state: bytes | None = None) -> bool:
    """For the operations of one key, which begins as `state`."""
    ops = list(history)
    assert len({op.key for op in ops}) <= 1, "one key at a time"
    head = _linked(ops)
    done = 0  # A bit per operation that has its instant.
    seen: set[tuple[int, bytes | None]] = set()
    stack: list[tuple[_Event, bytes | None]] = []
    event = head.next
    while head.next:
        assert event
        if event.match is not None:
            fits, after = step(state, event.op)
            if fits and (done | event.bit, after) not in seen:
                seen.add((done | event.bit, after))
                stack.append((event, state))
                state, done = after, done | event.bit
                _lift(event)
                event = head.next
            else:
                event = event.next
        else:  # A return whose call has no instant yet: take the last choice back.
            if not stack:
                return False
            event, state = stack.pop()
            done &= ~event.bit
            _unlift(event)
            event = event.next
    return True


def first_key_not_linearizable(
    history: Iterable[Op], start: dict[str, bytes] | None = None
) -> str | None:
    by_key: dict[str, list[Op]] = {}
    for op in history:
        by_key.setdefault(op.key, []).append(op)
    for key, ops in by_key.items():
        if not linearizable(ops, (start or {}).get(key)):
            return key
    return None
