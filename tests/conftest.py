"""Fixtures and options of all Python tests. See tests/tools/doors.py for what a door is."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tools import doors as doors_module
from tools.doors import Backends, Door
from tools.servers import Server
from tools.wait import SCALE

MARKS = {
    "sockets": "needs a socket: not run on the embedded door",
    "once": "does not depend on the door: run on redis-resp2 and tcp-resp2 only",
    "tls": "run on the tls door too (--doors tls: all tests are)",
    "resp2": "written for RESP2 replies only",
    "ours(reason)": "Redis 7.0 is exempt, for the reason given",
    "slow": "uses much memory or time; needs --slow",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--doors",
        default=os.environ.get("RP_DOORS", "all"),
        help="all, redis (the reference alone), ours, or door names with commas",
    )
    parser.addoption(
        "--slow",
        action="store_true",
        default=bool(os.environ.get("RP_SLOW")),
        help="also run the tests marked slow",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name, text in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    # Generated tests are random, but a run can be repeated: the seed is chosen here and printed.
    if getattr(config.option, "hypothesis_seed", "") is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


def pytest_report_header(config: pytest.Config) -> str:
    return (
        f"doors: {config.getoption('--doors')}; repeat generated tests with "
        f"--hypothesis-seed={getattr(config.option, 'hypothesis_seed', None)}"
    )


def wants_ours(config: pytest.Config) -> bool:
    """False while only the reference is to be tested."""
    names = doors_module.selected(config.getoption("--doors"))
    return any(name not in doors_module.REFERENCE for name in names)


def doors_for(item: Any, choice: str) -> list[str]:
    marks = {mark.name for mark in item.iter_markers()}
    out = list(doors_module.selected(choice))
    if "tls" not in marks and "tls" not in choice.split(","):
        out = [n for n in out if n != "tls"]
    if "sockets" in marks:
        out = [n for n in out if n != "embedded"]
    if "resp2" in marks:
        out = [n for n in out if not n.endswith("resp3")]
    if "once" in marks:
        out = [n for n in out if n in ("redis-resp2", "tcp-resp2")]
    if "ours" in marks:
        out = [n for n in out if n not in doors_module.REFERENCE]
    return out


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "door" in metafunc.fixturenames:
        choice = metafunc.config.getoption("--doors")
        metafunc.parametrize("door", doors_for(metafunc.definition, choice), indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(90 * SCALE))
        if item.get_closest_marker("slow") and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))
        if (
            item.get_closest_marker("ours")
            and "door" not in getattr(item, "fixturenames", ())
            and not wants_ours(config)
        ):
            item.add_marker(pytest.mark.skip(reason="RustyPotato is not among --doors"))


@pytest.fixture(scope="session")
def backends() -> Iterator[Backends]:
    made = Backends()
    yield made
    made.close()


@pytest.fixture
def door(request: pytest.FixtureRequest, backends: Backends) -> Iterator[Door]:
    """One connection to an empty store, once per selected door."""
    yield from backends.door(request.param)


@pytest.fixture
def server_of() -> Iterator[Callable[..., Server]]:
    """server_of(kind, **settings): a server that is not started yet, stopped behind the test."""
    made: list[Server] = []

    def make(kind: str = "rustypotato", **settings: Any) -> Server:
        made.append(Server(kind, **settings))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def private(door: Door, server_of: Callable[..., Server]) -> Callable[..., Server]:
    """private(**settings) starts a server of the door's kind that belongs to this test."""
    return lambda **settings: server_of(door.server.kind, **settings).start()
