"""Runs redis-cli and `rustypotato cli` with the same arguments."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
import threading
from typing import NamedTuple

from tools.servers import clean_env
from tools.wait import SCALE

REDIS_CLI = shutil.which("redis-cli")
OURS = [sys.executable, "-m", "rustypotato", "cli"]


class Run(NamedTuple):
    """What a program left."""

    code: int
    out: bytes
    err: bytes


def env_of(**extra: str) -> dict[str, str]:
    """No settings, history or password from outside."""
    env = {k: v for k, v in clean_env().items() if not k.startswith("REDISCLI_")}
    no_files = dict.fromkeys(
        ("RUSTYPOTATO_HISTFILE", "REDISCLI_HISTFILE", "REDISCLI_RCFILE"), os.devnull
    )
    return env | no_files | extra


def _argv(program: str) -> list[str]:
    if program == "ours":
        return OURS
    assert REDIS_CLI, "redis-cli is not installed (Debian package redis-tools)"
    return [REDIS_CLI]


def run(program: str, *args: str | bytes, stdin: bytes = b"", **env: str) -> Run:
    """program is "ours" or "redis-cli"; its output goes to a pipe."""
    done = subprocess.run(
        [*_argv(program), *args],
        input=stdin,
        capture_output=True,
        env=env_of(**env),
        timeout=60 * SCALE,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def run_on_terminal(program: str, *args: str, stdin: bytes = b"", **env: str) -> Run:
    """Its standard output is a terminal; standard input and error are not."""
    ours, theirs = pty.openpty()
    out = bytearray()

    def read() -> None:
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # how a terminal says that nobody writes any more
                return
            out.extend(data)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as err:
        file.write(stdin)
        file.seek(0)
        code = subprocess.call(
            [*_argv(program), *args],
            stdin=file,
            stdout=theirs,
            stderr=err,
            env=env_of(TERM="xterm", **env),
            timeout=60 * SCALE,
        )
        err.seek(0)
        text = err.read()
    os.close(theirs)
    reader.join(10 * SCALE)
    os.close(ours)
    return Run(code, bytes(out), text)
