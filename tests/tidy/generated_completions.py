"""Writes python/rustypotato/completions/: `python generated_completions.py`.

shtab makes the scripts from a parser that has all subcommands, options and settings. The program
itself reads its command line in other ways (redis-server's and redis-cli's grammar).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import shtab

import rustypotato
from rustypotato import top
from rustypotato.cli.options import ROWS
from rustypotato.completions import FILES
from rustypotato.tools import backup, check, restore

FOLDER = Path(__file__).parents[2] / "python" / "rustypotato" / "completions"
PLACES = {"FILE": shtab.FILE, "PATH": shtab.FILE, "DIR": shtab.DIRECTORY, "DEST": shtab.DIRECTORY}


def setting_names() -> list[str]:
    with rustypotato.Store() as store:
        pairs = store.execute("CONFIG", "GET", "*")
    return sorted(pairs[::2] if isinstance(pairs, list) else pairs)


def text_of(name: object) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def add(parser: argparse.ArgumentParser, names: list[str], value: str, text: str) -> None:
    dest = names[-1].strip("-") or "option"
    if value:
        action = parser.add_argument(*names, dest=dest, metavar=value, help=text)
        action.complete = PLACES.get(value)  # type: ignore[attr-defined]
        if action.complete is None:  # type: ignore[attr-defined]
            del action.complete  # type: ignore[attr-defined]
    else:
        parser.add_argument(*names, dest=dest, action="store_true", help=text)


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="rustypotato", description="A Redis-compatible server")
    root.add_argument("-v", "--version", action="store_true", help="the version")
    for name in setting_names():
        add(root, [f"--{text_of(name)}"], "VALUE", "setting of redis.conf")
    subs = root.add_subparsers()
    client = subs.add_parser("cli", add_help=False, help="the command line client")
    for row in ROWS:
        add(client, row.names.split(), row.value, row.help.replace("%", "%%"))
    for module, text in (
        (top, "a live view of a server"),
        (check, "is a data directory whole?"),
        (backup, "a verified copy of a directory or a server"),
        (restore, "puts a copy where a server is to start"),
    ):
        name = module.__name__.rpartition(".")[2]
        tool = subs.add_parser(name, parents=[module._parser()], add_help=False, help=text)
        for action in tool._actions:
            if action.metavar in PLACES:
                action.complete = PLACES[action.metavar]  # type: ignore[attr-defined]
    shells = subs.add_parser("completion", help="the completion script of a shell")
    shells.add_argument("shell", choices=list(FILES))
    return root


def script(shell: str) -> str:
    lines = shtab.complete(parser(), shell).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


if __name__ == "__main__":
    for shell, name in FILES.items():
        (FOLDER / name).write_text(script(shell), encoding="utf-8")
