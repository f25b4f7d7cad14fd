from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from monitor_client import Monitored


@pytest.fixture(scope="module")
def monitored() -> Iterator[Monitored]:
    """One server for the tests of a file that do not change it."""
    with Monitored(appendonly="yes") as server:
        yield server.wait_monitor()
