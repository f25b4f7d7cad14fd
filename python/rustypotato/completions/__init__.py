"""rustypotato completion bash | zsh | fish: prints the completion script of a shell.

The scripts beside this file are made by `make docs` from the tables of options and settings.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

FILES = {"bash": "rustypotato.bash", "zsh": "_rustypotato", "fish": "rustypotato.fish"}
USAGE = """\
Usage: rustypotato completion bash | zsh | fish

Prints the completion script of a shell. To have it in every new shell:

  bash  rustypotato completion bash > ~/.local/share/bash-completion/completions/rustypotato
  zsh   rustypotato completion zsh > ~/.zfunc/_rustypotato   (a folder of $fpath, before compinit)
  fish  rustypotato completion fish > ~/.config/fish/completions/rustypotato.fish
"""


def path_of(shell: str) -> Path:
    return Path(__file__).parent / FILES[shell]


def main(args: Sequence[str]) -> int:
    """Returns the exit code."""
    if list(args) in (["--help"], ["-h"]):
        print(USAGE, end="")
        return 0
    if len(args) != 1 or args[0] not in FILES:
        print("rustypotato completion: bash, zsh or fish is expected", file=sys.stderr)
        return 1
    print(path_of(args[0]).read_text(encoding="utf-8"), end="")
    return 0
