"""The Python module shows one symbol, so that it cannot clash with another libuv in the process."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess

import pytest


def test_core_exports_only_its_entry() -> None:
    spec = importlib.util.find_spec("rustypotato")
    core = spec and importlib.util.find_spec("rustypotato._core")
    if not core or not core.origin:
        pytest.skip("rustypotato._core is not installed here: make install")
    if not shutil.which("nm"):
        pytest.skip("nm is not installed: apt-get install binutils")
    command = ["nm", "-D", "--defined-only", core.origin]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    names = {line.split()[-1] for line in lines}
    assert names == {"PyInit__core"}, sorted(names)[:20]
