"""Commands and transactions over several keys are never seen half done, and no update is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from recorder import run_all

from tools.wait import SCALE

KEYS = [f"part:{i}" for i in range(8)]
SECONDS = 1.0
ROUNDS = 50


class Together:
    """Writers and readers that run for a while at once; the first complaint ends all."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.jobs: list[Callable[[], None]] = []
        self.complaints: list[str] = []
        self.rounds: dict[str, int] = {}
        self.stop = threading.Event()

    def add(self, name: str, body: Callable[[Any, int], str | None], count: int = 1) -> None:
        """body(client, round) is repeated; a text it returns is a complaint."""
        self.rounds[name] = 0
        for _ in range(count):
            client = self.target.connect(len(self.jobs))
            self.jobs.append(lambda c=client: self._repeat(name, c, body))

    def _repeat(self, name: str, client: Any, body: Callable[[Any, int], str | None]) -> None:
        number = 0
        try:
            while not self.stop.is_set():
                number += 1
                complaint = body(client, number)
                self.rounds[name] = max(self.rounds[name], number)
                if complaint:
                    self.complaints.append(f"{name}: {complaint}")
                    self.stop.set()
        except BaseException as error:
            self.complaints.append(f"{name}: {error!r}")
            self.stop.set()

    def run(self, seconds: float = SECONDS) -> None:
        """Until the time is over and every kind of job has had its rounds."""
        threads = [threading.Thread(target=job) for job in self.jobs]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        while not self.stop.wait(0.05):
            passed = time.monotonic() - start
            enough = min(self.rounds.values()) >= ROUNDS
            if (enough and passed >= seconds) or passed > 30 * SCALE:
                self.stop.set()
        for thread in threads:
            thread.join()
        assert not self.complaints, self.complaints[:3]
        assert min(self.rounds.values()) >= ROUNDS, f"some were starved: {self.rounds}"


def write_mset(client: Any, number: int) -> None:
    assert client.call("MSET", *[x for k in KEYS for x in (k, number)]) == "OK"


def write_exec(client: Any, number: int) -> None:
    replies = client.pipeline(("MULTI",), *[("SET", k, number) for k in KEYS], ("EXEC",))
    assert replies[-1] == ["OK"] * len(KEYS)


def read_mget(client: Any, number: int) -> str | None:
    values = client.call("MGET", *KEYS)
    return None if len(set(values)) == 1 else f"MGET saw {values}"


def read_exec(client: Any, number: int) -> str | None:
    replies = client.pipeline(("MULTI",), *[("GET", k) for k in KEYS], ("EXEC",))
    return None if len(set(replies[-1])) == 1 else f"EXEC of GETs saw {replies[-1]}"


def read_gets(client: Any, number: int) -> str | None:
    """One writer counts up, so what is read later is never older: else a write was half seen."""
    order = KEYS if number % 2 else KEYS[::-1]
    values = [int(v or 0) for v in client.pipeline(*[("GET", k) for k in order])]
    return None if values == sorted(values) else f"pipelined GETs saw {values}"


def test_mset_is_never_fractured(target: Any) -> None:
    group = Together(target)
    group.add("writer", write_mset)
    group.add("mget", read_mget, 2)
    group.add("gets", read_gets, 2)
    group.add("exec", read_exec)
    group.run()


def test_exec_is_never_fractured(target: Any) -> None:
    group = Together(target)
    group.add("writer", write_exec)
    group.add("mget", read_mget, 2)
    group.add("gets", read_gets, 2)
    group.add("exec", read_exec)
    group.run()


def test_several_writers_are_ordered(target: Any) -> None:
    """MSET, EXEC, MSETNX after DEL and COPY by several at once: a reader sees one of them."""
    group = Together(target)
    group.add("mset", write_mset, 2)
    group.add("exec", write_exec, 2)
    group.add("mget", read_mget, 2)
    group.add("execs", read_exec)
    group.run()


def test_msetnx_takes_all_or_none(target: Any) -> None:
    def write(client: Any, number: int) -> str | None:
        if client.call("MSETNX", *[x for k in KEYS for x in (k, number)]) == 1:
            gone = client.call("DEL", *KEYS)
            return None if gone == len(KEYS) else f"DEL of all found {gone}"
        return None

    group = Together(target)
    group.add("msetnx", write, 3)
    group.add("mget", read_mget, 2)
    group.run()


def test_flushall_is_never_fractured(target: Any) -> None:
    group = Together(target)
    group.add("mset", write_mset)
    group.add("flush", lambda c, n: None if c.call("FLUSHALL") == "OK" else "no OK")
    group.add("mget", read_mget, 2)
    group.add("exec", read_exec)
    group.run()


def test_swapdb_is_never_fractured(target: Any) -> None:
    client = target.connect(1)
    write_mset(client, 1)
    client.call("SELECT", 1)
    write_mset(client, 2)

    def either(client: Any, number: int) -> str | None:
        values = client.call("MGET", *KEYS)
        return None if len(set(values)) == 1 and values[0] is not None else f"saw {values}"

    group = Together(target)
    group.add("swap", lambda c, n: None if c.call("SWAPDB", 0, 1) == "OK" else "no OK")
    group.add("mget", either, 3)
    group.run(0.5)


def test_rename_moves_in_one_step(target: Any) -> None:
    target.connect(1).call("SET", "here", "v")

    def move(client: Any, number: int) -> str | None:
        names = ("here", "there") if number % 2 else ("there", "here")
        reply = client.call("RENAME", *names)
        return None if reply == "OK" else reply

    def look(client: Any, number: int) -> str | None:
        values = client.call("MGET", "here", "there")
        return None if sorted(values, key=str) == [None, b"v"] else f"saw {values}"

    group = Together(target)
    group.add("rename", move)
    group.add("mget", look, 3)
    group.run(0.7)


def test_transfers_keep_the_sum(target: Any) -> None:
    accounts = KEYS
    setup = target.connect(1)
    setup.call("MSET", *[x for k in accounts for x in (k, 1000)])

    def transfer(client: Any, number: int) -> None:
        one, two = accounts[number % 8], accounts[(number * 3 + 1) % 8]
        client.pipeline(("MULTI",), ("DECRBY", one, 7), ("INCRBY", two, 7), ("EXEC",))

    def total(client: Any, number: int) -> str | None:
        values = client.call("MGET", *accounts)
        return None if sum(map(int, values)) == 8000 else f"the sum of {values}"

    group = Together(target)
    group.add("transfer", transfer, 4)
    group.add("total", total, 2)
    group.run()
    assert sum(int(v) for v in setup.call("MGET", *accounts)) == 8000


def test_counters_add_up(target: Any) -> None:
    """INCR, INCRBY and APPEND of many clients: nothing is lost, nothing is done twice."""
    rounds, workers = 1500, 6

    def work(client: Any, number: int) -> None:
        for i in range(rounds):
            client.call("INCR", "n")
            client.call("INCRBY", f"m:{i % 3}", 2)
            if i % 10 == 0:
                client.call("APPEND", "s", "x")

    run_all([partial(work, target.connect(n), n) for n in range(workers)])
    client = target.connect(1)
    assert client.call("GET", "n") == b"%d" % (rounds * workers)
    assert sum(int(v) for v in client.call("MGET", "m:0", "m:1", "m:2")) == 2 * rounds * workers
    assert client.call("STRLEN", "s") == workers * rounds // 10


def test_watch_loses_no_update(target: Any) -> None:
    """Optimistic increments: the counter is the number of EXECs that succeeded."""
    won: list[int] = []  # One element for each success; append is atomic.
    start = time.monotonic()

    def go_on() -> bool:
        passed = time.monotonic() - start
        return passed < SECONDS or (len(won) < ROUNDS and passed < 30 * SCALE)

    def work(client: Any) -> None:
        while go_on():
            client.call("WATCH", "n")
            value = int(client.call("GET", "n") or 0)
            replies = client.pipeline(("MULTI",), ("SET", "n", value + 1), ("EXEC",))
            if replies[-1] == ["OK"]:
                won.append(value)

    run_all([partial(work, target.connect(n)) for n in range(6)])
    assert target.connect(1).call("GET", "n") == b"%d" % len(won)
    assert sorted(won) == list(range(len(won))), "each success saw the one before it"
    assert len(won) >= ROUNDS


def test_setnx_is_a_lock(target: Any) -> None:
    """Two never hold it at once: the critical section is a read and a write apart."""

    def work(client: Any, number: int) -> None:
        for _ in range(100):
            while client.call("SET", "lock", number, "NX") != "OK":
                pass
            value = int(client.call("GET", "n") or 0)
            client.call("SET", "n", value + 1)
            assert client.call("GETDEL", "lock") == b"%d" % number

    run_all([partial(work, target.connect(n), n) for n in range(4)])
    assert target.connect(1).call("GET", "n") == b"400"
