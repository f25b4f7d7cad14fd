"""What may follow a line that is being typed: names of commands, and the rest of their syntax.

The words that were typed are matched with the arguments of COMMAND DOCS. Optional arguments that
follow each other come in any order. A Match says how many words an argument took and what of it is
still to come. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from .docs import Arg, Command, arg_body, arg_syntax, repetition


class Match(NamedTuple):
    """taken: words; rest: what is still to be typed of it; is_whole: it may end here."""

    taken: int
    rest: str
    is_whole: bool


_NONE = Match(0, "", False)


def _is_number(word: str, kind: str) -> bool:
    try:
        float(word) if kind == "double" else int(word)
    except ValueError:
        return word.lower().lstrip("+-(") in ("inf", "infinity")
    return True


def _match_body(arg: Arg, words: list[str]) -> Match:
    """An argument once, behind its token."""
    if arg.type == "oneof":
        for one in arg.args:
            match = _match(one, words)
            if match.taken:
                return match
        return _NONE
    if arg.type == "block":
        taken, rest, is_good = _match_sequence(arg.args, words)
        return Match(taken, rest, not rest) if is_good else _NONE
    if arg.type in ("integer", "double", "unix-time") and not _is_number(words[0], arg.type):
        return _NONE
    return Match(1, "", True)


def _match_once(arg: Arg, words: list[str], with_token: bool = True) -> Match:
    if arg.token is None or not with_token:
        return _match_body(arg, words)
    if words[0].lower() != arg.token.lower():
        return _NONE
    if arg.type == "pure-token":
        return Match(1, "", True)
    if len(words) == 1:
        return Match(1, arg_body(arg), False)
    body = _match_body(arg, words[1:])
    return Match(body.taken + 1, body.rest, body.is_whole) if body.taken else _NONE


def _match(arg: Arg, words: list[str]) -> Match:
    match = _match_once(arg, words)
    if not arg.multiple or not match.taken:
        return match
    taken = match.taken
    while match.is_whole and taken < len(words):
        match = _match_once(arg, words[taken:], arg.multiple_token)
        if not match.taken:
            match = Match(0, "", True)
            break
        taken += match.taken
    rest = f"{match.rest}{repetition(arg)}".strip()
    return Match(taken, rest, match.is_whole)


def _match_optionals(args: list[Arg], words: list[str]) -> tuple[int, list[str], bool]:
    """(words taken, what is to come of each, whether the last one is whole)."""
    at, left, begun, is_whole = 0, list(args), "", True
    while at < len(words):
        found = next(((arg, m) for arg in left if (m := _match(arg, words[at:])).taken), None)
        if found is None:
            break
        left.remove(found[0])
        at += found[1].taken
        begun, is_whole = found[1].rest, found[1].is_whole
        if not is_whole:
            break
    rests = ([begun] if begun else []) + [arg_syntax(arg) for arg in left]
    return at, rests, is_whole


def _match_sequence(args: list[Arg], words: list[str]) -> tuple[int, str, bool]:
    """(words taken, what is to come, whether nothing in between is missing)."""
    taken, pending = 0, []
    at = 0
    while at < len(args):
        if args[at].optional:
            end = at
            while end < len(args) and args[end].optional:
                end += 1
            count, rests, _ = _match_optionals(args[at:end], words[taken:])
            taken += count
            pending = rests
            at = end
            continue
        if taken == len(words):
            break
        match = _match(args[at], words[taken:])
        if not match.taken:
            return taken, "", False
        taken += match.taken
        pending = [match.rest] if match.rest else []  # options before it cannot come any more
        at += 1
    rest = pending + [arg_syntax(arg) for arg in args[at:]]
    return taken, " ".join(part for part in rest if part), True


def find_command(commands: list[Command], words: list[str]) -> Command | None:
    """The command with the longest name that the words begin with."""
    upper = [word.upper() for word in words[:3]]
    best = None
    for command in commands:
        size = len(command.words)
        if command.words == upper[:size] and (best is None or size > len(best.words)):
            best = command
    return best


def hint(commands: list[Command], words: list[str]) -> str:
    """What may follow these whole words; "" when that is not known."""
    command = find_command(commands, words)
    if command is None:
        return ""
    given = words[len(command.words) :]
    if command.rough:
        return "" if given else command.rough
    taken, rest, is_good = _match_sequence(command.args, given)
    return rest if is_good and taken == len(given) else ""


def _tokens(args: list[Arg]) -> list[str]:
    found = []
    for arg in args:
        if arg.token:
            found.append(arg.token)
        found += _tokens(arg.args)
    return found


def complete(commands: list[Command], groups: list[str], text: str) -> list[tuple[str, int]]:
    """(completion, its start as an offset from the end) of a line typed so far.

    Names of commands from the start of the line (behind `help` also of groups); in a command the
    words of its syntax that begin like the last one typed.
    """
    line = text.lstrip()
    topics = [command.name for command in commands]
    if line.lower().startswith("help "):
        line = line[5:].lstrip()
        topics = [f"@{group}" for group in groups] + topics
    names = [name for name in topics if name.upper().startswith(line.upper()) and line != name]
    if names:
        return [(name, -len(line)) for name in names]
    words = line.split(" ")
    last = words[-1].upper()
    command = find_command(commands, words[:-1])
    if command is None or not last:
        return []
    tokens = dict.fromkeys(_tokens(command.args))
    return [(token, -len(last)) for token in tokens if token.upper().startswith(last)]
