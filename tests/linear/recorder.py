"""Clients that run operations at once and record when each was called and when it returned."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from wgl import Op

Call = Callable[..., Any]
KEYS = ("x", "y", "z")


def one(call: Call, rng: random.Random, key: str, unique: int) -> tuple[str, Any, Any]:
    """Runs one operation: (kind, argument, result) as wgl.step reads them."""
    dice = rng.random()
    if dice < 0.40:
        return "get", None, call("GET", key)
    if dice < 0.60:
        value = b"%d" % unique
        assert call("SET", key, value) == "OK"
        return "set", value, True
    if dice < 0.80:
        return "incr", None, call("INCR", key)
    if dice < 0.88:
        return "del", None, call("DEL", key) == 1
    assert call("WATCH", key) == "OK"
    old = call("GET", key)
    new = b"%d" % unique
    assert call("MULTI") == "OK"
    assert call("SET", key, new) == "QUEUED"
    return "cas", (old, new), call("EXEC") is not None


def record(calls: list[Call], rounds: int, seed: int) -> list[Op]:
    """One thread per call (each with a connection of its own); all begin together."""
    history: list[Op] = []
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(calls))

    def work(number: int, call: Call) -> None:
        rng = random.Random(seed * 1000 + number)
        mine = []
        try:
            barrier.wait(30)
            for i in range(rounds):
                key = rng.choice(KEYS)
                called = time.monotonic_ns()
                kind, argument, result = one(
                    call, rng, key, (number + 1) * 1_000_000_000 + i * 1000
                )
                mine.append(Op(key, kind, argument, result, called, time.monotonic_ns()))
        except BaseException as error:
            errors.append(error)
        history.extend(mine)

    run_all([lambda n=n, c=c: work(n, c) for n, c in enumerate(calls)])
    if errors:
        raise errors[0]
    return history


def run_all(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
