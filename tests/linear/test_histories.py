"""Recorded histories of single keys are linearizable."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from recorder import KEYS, record
from wgl import Op, first_key_not_linearizable

from tools.wait import SCALE

HERE = Path(__file__).parent


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_threads(target: Any, seed: int) -> None:
    """Eight clients of one process: sockets on several loops, and Python threads on sessions."""
    clients = [target.connect(n) for n in range(8)]
    history = record([c.call for c in clients], 400, seed)
    assert len(history) == 3200 and {op.key for op in history} == set(KEYS)
    assert first_key_not_linearizable(history) is None


@pytest.mark.parametrize("seed", [1, 2])
def test_processes(target: Any, seed: int) -> None:
    """Three processes with three connections each: no interpreter lock orders them."""
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                str(HERE / "worker.py"),
                str(HERE.parent),
                str(target.port),
                "3",
                "400",
                str(seed * 100 + n),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    history: list[Op] = []
    for worker in workers:
        out, _ = worker.communicate(timeout=60 * SCALE)
        assert worker.returncode == 0
        history += [Op(*op) for op in ast.literal_eval(out)]
    assert len(history) == 3600
    assert overlapping(history) > 100, "the test means something"
    assert first_key_not_linearizable(history) is None


def overlapping(history: list[Op]) -> int:
    ordered = sorted(history, key=lambda op: op.called_ns)
    return sum(a.returned_ns > b.called_ns for a, b in itertools.pairwise(ordered))


def test_a_falsified_history_is_rejected(target: Any) -> None:
    """The real recorder and the real checker: one changed result is found."""
    history = record([target.connect(n).call for n in range(4)], 100, 9)
    assert first_key_not_linearizable(history) is None
    at = next(i for i, op in enumerate(history) if op.kind == "incr")
    history[at] = history[at]._replace(result=-77)
    assert first_key_not_linearizable(history) == history[at].key
