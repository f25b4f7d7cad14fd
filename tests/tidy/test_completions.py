"""The shell completions say what the tables of options and settings say, and work."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from generated_completions import script

from rustypotato.__main__ import SUBCOMMANDS
from rustypotato.cli.options import ROWS
from rustypotato.completions import FILES, path_of
from rustypotato.tools import NAMES

BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_rustypotato rustypotato "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
echo "${COMPREPLY[@]}"
"""


def completed(*words: str) -> list[str]:
    argv = ["bash", "-c", BASH, "bash", str(path_of("bash")), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("shell", FILES)
def test_scripts_are_up_to_date(shell: str) -> None:
    assert path_of(shell).read_text() == script(shell), "run `make docs`"


def test_bash_knows_every_subcommand() -> None:
    found = {word for word in completed("rustypotato", "") if not word.startswith("-")}
    assert found == {*SUBCOMMANDS, *NAMES}


def test_bash_completes_commands_options_and_settings() -> None:
    assert completed("rustypotato", "c") == ["cli", "check", "completion"]
    assert completed("rustypotato", "cli", "--bigk") == ["--bigkeys"]
    assert completed("rustypotato", "--maxmemory-p") == ["--maxmemory-policy"]
    assert completed("rustypotato", "completion", "f") == ["fish"]
    every = completed("rustypotato", "cli", "-")
    assert set(every) == {name for row in ROWS for name in row.names.split()}


@pytest.mark.parametrize("shell", FILES)
def test_the_shell_takes_the_script(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([program, "-n", str(path_of(shell))], check=True)


def test_the_command_prints_them() -> None:
    command = [sys.executable, "-m", "rustypotato", "completion"]
    for shell in FILES:
        done = subprocess.run([*command, shell], capture_output=True, text=True, check=True)
        assert done.stdout == path_of(shell).read_text()
    done = subprocess.run([*command, "tcsh"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
