"""Waiting for a condition, with a deadline, instead of sleeping."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Sanitizer builds are several times slower: they set this to a larger number.
SCALE = float(os.environ.get("RP_TEST_DEADLINE_SCALE", "1"))


def until(condition: Callable[[], T], what: str, deadline_s: float = 15.0) -> T:
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + deadline_s * SCALE
    pause = 0.0005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline_s * SCALE:g} s still not: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
