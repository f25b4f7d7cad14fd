"""The commands that a server knows, from COMMAND DOCS, else from COMMAND; and the help on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..wire.connection import WireError
from ..wire.resp import Reply
from .session import Session, write


@dataclass
class Arg:
    """An argument of a command as COMMAND DOCS describes it."""

    name: str = ""
    shown: str = ""  # display_text, where that is not the name
    type: str = "string"
    token: str | None = None
    optional: bool = False
    multiple: bool = False
    multiple_token: bool = False
    args: list[Arg] = field(default_factory=list)


@dataclass
class Command:
    """A command, or a subcommand with its container's name in front."""

    words: list[str]
    summary: str = ""
    since: str = ""
    group: str = "generic"
    args: list[Arg] = field(default_factory=list)
    rough: str = ""  # instead of args, where only COMMAND is known

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def syntax(self) -> str:
        return self.rough or sequence_syntax(self.args)


def arg_body(arg: Arg) -> str:
    """An argument once, without its token."""
    if arg.type == "oneof":
        return sequence_syntax(arg.args, "|")
    if arg.type == "block":
        return sequence_syntax(arg.args)
    if arg.type == "pure-token":
        return ""
    return arg.shown or arg.name


def repetition(arg: Arg) -> str:
    """ " [x ...]" behind an argument that may be repeated."""
    if not arg.multiple:
        return ""
    token = (arg.token or '""') if arg.multiple_token else ""
    return f" [{_joined(token, arg_body(arg))} ...]"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def arg_syntax(arg: Arg) -> str:
    """An argument with token, repetition and brackets."""
    token = "" if arg.token is None else arg.token or '""'
    text = _joined(token, arg_body(arg)) + repetition(arg)
    return f"[{text}]" if arg.optional else text


def sequence_syntax(args: list[Arg], between: str = " ") -> str:
    return between.join(arg_syntax(arg) for arg in args)


# ---- from replies --------------------------------------------------------------------------------


def _pairs(reply: Reply) -> Iterator[tuple[str, Reply]]:
    """Of a map, or of the flat array that RESP2 has for it."""
    items = reply.value if reply.is_aggregate else []
    for key, value in zip(items[::2], items[1::2]):
        yield key.text(), value


def _arg(reply: Reply) -> Arg:
    arg = Arg()
    for key, value in _pairs(reply):
        if key == "name":
            arg.name = value.text()
        elif key == "display_text":
            arg.shown = value.text()
        elif key == "type":
            arg.type = value.text()
        elif key == "token":
            arg.token = value.text()
        elif key == "flags" and value.is_aggregate:
            flags = {flag.text() for flag in value.value}
            arg.optional = "optional" in flags
            arg.multiple = "multiple" in flags
            arg.multiple_token = "multiple_token" in flags
        elif key == "arguments" and value.is_aggregate:
            arg.args = [_arg(item) for item in value.value]
    return arg


def _commands(words: list[str], reply: Reply) -> Iterator[Command]:
    command = Command(words)
    below: list[Command] = []
    for key, value in _pairs(reply):
        if key == "summary":
            command.summary = value.text()
        elif key == "since":
            command.since = value.text()
        elif key == "group":
            command.group = value.text()
        elif key == "arguments" and value.is_aggregate:
            command.args = [_arg(item) for item in value.value]
        elif key == "subcommands":
            for name, docs in _pairs(value):
                below += _commands([*words, name.rpartition("|")[2].upper()], docs)
    yield command
    yield from below


def _rough_commands(reply: Reply) -> Iterator[Command]:
    """From COMMAND: how many arguments, and whether the first is a key, is all that is known."""
    for item in reply.value if reply.is_aggregate else []:
        if not item.is_aggregate or len(item.value) < 4:
            continue
        arity, first_key = item.value[1].value, item.value[3].value
        if not isinstance(arity, int):
            continue
        words = ["arg"] * (abs(arity) - 1)
        if first_key == 1 and words:
            words[0] = "key"
        words += ["...options..."] if arity < 0 else []
        name = item.value[0].text().upper()
        yield Command([name], "Help not available", "Not known", rough=" ".join(words))


def commands_from(docs: Reply) -> list[Command]:
    """The commands of a COMMAND DOCS reply, by name."""
    found = [c for name, one in _pairs(docs) for c in _commands([name.upper()], one)]
    return sorted(found, key=lambda command: command.name)


def load_commands(session: Session) -> list[Command]:
    """Asks the server; [] when there is none or it tells nothing."""
    if session.conn is None:
        return []
    try:
        docs = session.conn.call("COMMAND", "DOCS")
        if not docs.is_error:
            return commands_from(docs)
        rough = session.conn.call("COMMAND")
    except WireError:
        session.close()
        return []
    return sorted(_rough_commands(rough), key=lambda command: command.name)


def groups_of(commands: list[Command]) -> list[str]:
    return sorted({command.group for command in commands})


# ---- help ----------------------------------------------------------------------------------------

GENERIC_HELP = """\
redis-cli {version}
To get help about Redis commands type:
      "help @<group>" to get a list of commands in <group>
      "help <command>" for help on <command>
      "help <tab>" to get a list of possible help topics
      "quit" to exit

To set redis-cli preferences:
      ":set hints" enable online hints
      ":set nohints" disable online hints
Set your preferences in ~/.redisclirc
"""


def _command_help(command: Command, with_group: bool) -> str:
    lines = [
        f"\r\n  \x1b[1m{command.name}\x1b[0m \x1b[90m{command.syntax}\x1b[0m",
        f"  \x1b[33msummary:\x1b[0m {command.summary}",
        f"  \x1b[33msince:\x1b[0m {command.since}",
    ]
    if with_group:
        lines.append(f"  \x1b[33mgroup:\x1b[0m {command.group}")
    return "\r\n".join(lines) + "\r\n"


def help_text(commands: list[Command], topic: list[str]) -> str:
    """The help on a command (with what it contains) or an @group."""
    out = []
    words = [word.lower() for word in topic]
    for command in commands:
        if words[0].startswith("@"):
            if command.group.lower() == words[0][1:]:
                out.append(_command_help(command, False))
        elif [word.lower() for word in command.words[: len(words)]] == words:
            out.append(_command_help(command, True))
    return "".join(out) + "\r\n"


def show_help(session: Session, topic: list[bytes], commands: list[Command] | None = None) -> None:
    """`help`, `help COMMAND`, `help @group`."""
    if not topic:
        from .. import _core

        write(GENERIC_HELP.format(version=_core.redis_version).encode())
        return
    if commands is None:
        if session.conn is None:
            session.connect(quiet=True)
        if session.conn is None:
            write(b"There is no connection: the help on commands comes from the server.\n")
            return
        commands = load_commands(session)
    write(help_text(commands, [word.decode(errors="replace") for word in topic]).encode())
