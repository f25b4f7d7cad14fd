"""Which two stores are compared, and how long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import doors as doors_module
from tools.doors import Backends, SocketBackend

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def reference(backends: Backends) -> Any:
    return backends.of("redis-resp2")


@pytest.fixture(scope="session")
def second_redis() -> Iterator[SocketBackend]:
    """Redis beside Redis: whatever differs there, the comparer got wrong."""
    backend = SocketBackend("redis", unix=False)
    yield backend
    backend.close()


def sides(config: pytest.Config) -> list[str]:
    """Redis against itself, then against the doors selected."""
    chosen = doors_module.selected(config.getoption("--doors"))
    return ["canary-resp2", "canary-resp3"] + [d for d in chosen if d in doors_module.OURS]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "other" in metafunc.fixturenames:
        metafunc.parametrize("other", sides(metafunc.config), indirect=True, scope="session")


@pytest.fixture(scope="session")
def other(request: pytest.FixtureRequest, backends: Backends) -> tuple[str, Any, int]:
    """(name, backend, protocol) of the store that is compared with the reference."""
    name = request.param
    backend = (
        request.getfixturevalue("second_redis") if name.startswith("canary") else backends.of(name)
    )
    return name, backend, 3 if name.endswith("resp3") else 2
