"""What the tests of sorted sets share: how members with scores look, and common errors."""

from __future__ import annotations

from tools.doors import Door

MAX, MIN = 2**63 - 1, -(2**63)
NOT_INT = "-ERR value is not an integer or out of range"
NOT_FLOAT = "-ERR value is not a valid float"
WRONG = "-WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX = "-ERR syntax error"


def scored(door: Door, *pairs: tuple[str, str]) -> str:
    """WITHSCORES as this protocol shows it."""
    if door.protocol == 3:
        return "[" + ", ".join(f'["{m}", double {s}]' for m, s in pairs) + "]"
    return "[" + ", ".join(f'"{m}", "{s}"' for m, s in pairs) + "]"
