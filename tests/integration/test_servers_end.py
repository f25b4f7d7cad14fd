"""The servers of tests end with the tests, however those end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.servers import clean_env
from tools.wait import until

PROGRAM = """
import sys
from tools.servers import Server
print(Server(sys.argv[1]).start().pid, flush=True)
sys.stdin.read()
"""


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("kind", ["redis", "rustypotato"])
def test_a_server_ends_with_the_tests_that_were_killed(kind: str) -> None:
    command = [sys.executable, "-c", PROGRAM, kind]
    env = clean_env(PYTHONPATH=str(Path(__file__).parents[1]))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as tests:
        assert tests.stdout
        server = int(tests.stdout.readline())
        assert is_running(server)
        os.kill(tests.pid, signal.SIGKILL)
        until(lambda: not is_running(server), "the server is gone, too")
