"""Generated command sequences: byte-equal replies from redis-server 7.0 and from us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from compare import EXAMPLES, Side, Twins
from grammar import FAMILIES, sequences
from hypothesis import HealthCheck, Phase, given, note, settings

from tools.doors import Door

# The canary and the unix socket only have to run at all: the same code answers elsewhere.
SHARE = {"canary-resp2": 0.3, "canary-resp3": 0.3, "unix": 0.3}


def settings_for(name: str) -> settings:
    return settings(
        max_examples=max(1, int(EXAMPLES * SHARE.get(name, 1))),
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


@pytest.fixture
def make_twins(reference: Any, other: tuple[str, Any, int]) -> Iterator[Any]:
    name, backend, protocol = other
    opened: list[Door] = []

    def links(side: Any, door_name: str) -> list[Any]:
        made = [Door(side, door_name, 2) for _ in range(2)]
        opened.extend(made)
        return [d._link for d in made]

    left = Side("redis-server", links(reference, "redis-resp2"), protocol)
    right = Side(name, links(backend, name), protocol)
    for side in (left, right):  # Keys vanish by access alone: both at the same command.
        assert side.links[0].raw("DEBUG", "SET-ACTIVE-EXPIRE", "0") == b"+OK\r\n"
    yield lambda: Twins(left, right), settings_for(name)
    for side in (left, right):
        side.links[0].raw("RESET")
        side.links[0].raw("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    for door in opened:
        door.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("family", FAMILIES)
def test_replies_are_equal(make_twins: Any, family: str) -> None:
    new_twins, limits = make_twins

    @limits
    @given(sequences(family))
    def run(steps: Any) -> None:
        twins = new_twins()
        try:
            twins.run(steps)
        except AssertionError as error:
            note(str(error))
            raise

    run()
