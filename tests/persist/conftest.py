"""A directory that one server after the other is started on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.servers import Server

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "data")


@pytest.fixture
def start(folder: str, server_of: Callable[..., Server]) -> Callable[..., Server]:
    """start(kind="rustypotato", **settings): a server of that kind on the test's one directory."""
    Path(folder).mkdir()

    def run(kind: str = "rustypotato", **settings: Any) -> Server:
        return server_of(kind, **{"dir": folder} | settings).start()

    return run
