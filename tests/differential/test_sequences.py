"""Generated command sequences: byte-equal replies from redis-server 7.0 and from us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from compare import Twins
from generated import close_sides, open_side, run_family, settings_for
from grammar import FAMILIES

# The canary and the unix socket only have to run at all: the same code answers elsewhere.
SHARE = {"canary-resp2": 0.3, "canary-resp3": 0.3, "unix": 0.3}


@pytest.fixture
def make_twins(reference: Any, other: tuple[str, Any, int]) -> Iterator[Any]:
    name, backend, protocol = other
    opened: list[Any] = []
    sides = [
        open_side("redis-server", reference, "redis-resp2", protocol, opened),
        open_side(name, backend, name, protocol, opened),
    ]
    yield lambda: Twins(*sides), settings_for(SHARE.get(name, 1))
    close_sides(sides, opened)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("family", FAMILIES)
def test_replies_are_equal(make_twins: Any, family: str) -> None:
    new_twins, limits = make_twins
    run_family(new_twins, limits, family)
