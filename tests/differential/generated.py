"""What every comparison of generated command sequences does."""

from __future__ import annotations

from typing import Any

from compare import EXAMPLES, Side, Twins
from grammar import sequences
from hypothesis import HealthCheck, Phase, given, note, settings

from tools.doors import Door


def settings_for(share: float) -> settings:
    """share: of EXAMPLES."""
    return settings(
        max_examples=max(1, int(EXAMPLES * share)),
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


def open_side(label: str, store: Any, door_name: str, protocol: int, opened: list[Any]) -> Side:
    """Two clients of a store, which are added to `opened`. Keys vanish by access alone from here
    on: in both stores at the same command."""
    doors = [Door(store, door_name, 2) for _ in range(2)]
    opened.extend(doors)
    assert doors[0].raw("DEBUG", "SET-ACTIVE-EXPIRE", "0") == b"+OK\r\n"
    return Side(label, [d._link for d in doors], protocol)


def close_sides(sides: list[Side], opened: list[Any]) -> None:
    for side in sides:
        side.links[0].raw("RESET")
        side.links[0].raw("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    for it in opened:
        it.close()


def run_family(new_twins: Any, limits: settings, family: str) -> None:
    """Sequences of one family of commands; what differs is said with the sequence."""

    @limits
    @given(sequences(family))
    def run(steps: Any) -> None:
        twins: Twins = new_twins()
        try:
            twins.run(steps)
        except AssertionError as error:
            note(str(error))
            raise

    run()
