"""The checker itself: histories it must accept and histories it must reject."""

from __future__ import annotations

import random
import time

import pytest
from wgl import Op, first_key_not_linearizable, linearizable


def op(kind: str, argument: object, result: object, called: int, returned: int) -> Op:
    return Op("k", kind, argument, result, called, returned)


ACCEPTED = {
    "empty": [],
    "in order": [op("set", b"1", True, 0, 1), op("get", None, b"1", 2, 3)],
    "a get beside a set may see either": [
        op("set", b"1", True, 0, 10),
        op("get", None, None, 1, 2),
        op("get", None, b"1", 3, 4),
    ],
    "a set takes effect before it returns": [
        op("set", b"1", True, 0, 100),
        op("get", None, b"1", 1, 2),
        op("get", None, b"1", 3, 4),
    ],
    "incr over set": [
        op("set", b"5", True, 0, 10),
        op("incr", None, 6, 2, 12),
        op("get", None, b"6", 13, 14),
    ],
    "incr before set": [
        op("set", b"5", True, 0, 10),
        op("incr", None, 1, 2, 12),
        op("get", None, b"5", 13, 14),
    ],
    "two deletes of one value": [
        op("set", b"1", True, 0, 1),
        op("del", None, True, 2, 5),
        op("del", None, False, 2, 5),
    ],
    "cas that won": [
        op("set", b"1", True, 0, 1),
        op("cas", (b"1", b"2"), True, 2, 9),
        op("get", None, b"1", 3, 4),
        op("get", None, b"2", 10, 11),
    ],
    "cas that lost": [
        op("set", b"1", True, 0, 1),
        op("cas", (b"1", b"2"), False, 2, 9),
        op("get", None, b"1", 10, 11),
    ],
}
REJECTED = {
    "a value nobody wrote": [op("get", None, b"1", 0, 1)],
    "a stale read": [
        op("set", b"1", True, 0, 1),
        op("set", b"2", True, 2, 3),
        op("get", None, b"1", 4, 5),
    ],
    "new, then old": [
        op("set", b"1", True, 0, 1),
        op("set", b"2", True, 2, 20),
        op("get", None, b"2", 3, 4),
        op("get", None, b"1", 5, 6),
    ],
    "a lost update": [op("incr", None, 1, 0, 5), op("incr", None, 1, 0, 5)],
    "two readers disagree on the order": [
        op("set", b"1", True, 0, 100),
        op("set", b"2", True, 0, 100),
        op("get", None, b"1", 1, 2),
        op("get", None, b"2", 3, 4),
        op("get", None, b"1", 5, 6),
    ],
    "two deletes both found it": [
        op("set", b"1", True, 0, 1),
        op("del", None, True, 2, 5),
        op("del", None, True, 2, 5),
    ],
    "cas over a change": [
        op("set", b"1", True, 0, 1),
        op("set", b"3", True, 2, 3),
        op("cas", (b"1", b"2"), True, 4, 5),
    ],
    "two cas from one value": [
        op("set", b"1", True, 0, 1),
        op("cas", (b"1", b"2"), True, 2, 9),
        op("cas", (b"1", b"3"), True, 2, 9),
    ],
    "a deleted key comes back": [
        op("set", b"1", True, 0, 1),
        op("del", None, True, 2, 3),
        op("get", None, b"1", 4, 5),
    ],
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name: str) -> None:
    assert linearizable(ACCEPTED[name])


@pytest.mark.parametrize("name", REJECTED)
def test_rejects(name: str) -> None:
    assert not linearizable(REJECTED[name])


def simulated(rng: random.Random, count: int, workers: int) -> list[Op]:
    """A history of a correct store: each operation takes effect at one instant inside its time."""
    plans = []
    for worker in range(workers):
        now = rng.random() * 10
        for i in range(count // workers):
            length = rng.random() * 10
            plans.append((now + rng.random() * length, now, now + length, worker, i))
            now += length + rng.random()
    state: bytes | None = None
    out = []
    for _, called, returned, worker, i in sorted(plans):
        kind = rng.choice(["get", "get", "set", "incr", "del"])
        argument = b"%d" % (worker * 10_000 + i) if kind == "set" else None
        result: object = True
        if kind == "get":
            result = state
        elif kind == "set":
            state = argument
        elif kind == "incr":
            state = b"%d" % (int(state or 0) + 1)
            result = int(state)
        else:
            result, state = state is not None, None
        out.append(Op("k", kind, argument, result, int(called * 1000), int(returned * 1000)))
    rng.shuffle(out)
    return out


@pytest.mark.parametrize("seed", range(5))
def test_simulated_histories(seed: int) -> None:
    rng = random.Random(seed)
    history = simulated(rng, 2000, 8)
    start = time.monotonic()
    assert linearizable(history)
    # One result falsified: a number that no write can have made.
    gets = [i for i, o in enumerate(history) if o.kind == "get"]
    wrong = list(history)
    at = rng.choice(gets)
    wrong[at] = wrong[at]._replace(result=b"-5")
    assert not linearizable(wrong)
    assert time.monotonic() - start < 20


def test_keys_are_checked_one_by_one() -> None:
    good, bad = ACCEPTED["in order"], REJECTED["a stale read"]
    history = good + [o._replace(key="other") for o in bad]
    assert first_key_not_linearizable(history) == "other"
    assert first_key_not_linearizable(good) is None
    assert first_key_not_linearizable([op("get", None, b"7", 0, 1)], {"k": b"7"}) is None
