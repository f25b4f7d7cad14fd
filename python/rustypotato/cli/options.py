"""The command line: one table of options, in redis-cli's grammar.

Options end at the first word that is none: what follows is the command, whatever it looks like. A
value is the next word, whatever it looks like (-r -1). That is getopt's grammar, not argparse's.
`-h` is the host; alone at the end it is the help.
"""

from __future__ import annotations

import getopt
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..wire.address import Address, BadAddress, Tls
from .printing import CSV, JSON, QUOTED_JSON, RAW, STANDARD, Style
from .words import unquote


class UsageError(Exception):
    """A command line that makes no sense; the text is the line to show."""


class HelpAsked(Exception):
    """-h alone, or --help."""


class VersionAsked(Exception):
    """-v or --version."""


@dataclass
class Options:
    """What the command line said."""

    address: Address = field(default_factory=Address)
    tls: Tls = field(default_factory=Tls)
    style: Style = field(default_factory=Style)
    words: list[bytes] = field(default_factory=list)
    repeat: int = 1
    interval_s: float = 0.0
    protocol: int = 0  # 0: as the server starts, 2, 3
    protocol_is_wish: bool = False  # 3 would be nice, for JSON
    stdin_last: bool = False
    stdin_tag: bytes | None = None
    cluster: bool = False
    error_exit: bool = False
    quoted_input: bool = False
    show_pushes: bool = False
    ask_password: bool = False
    auth_warning: bool = True
    verbose: bool = False
    mode: str = ""  # one of the long names that start another mode, "" = commands
    pattern: bytes | None = None
    count: int | None = None
    key_type: bytes | None = None
    samples: int = -1  # of MEMORY USAGE; -1: the server's choice
    pipe_timeout_s: int = 30
    seconds: int = 0  # of --intrinsic-latency
    file: str = ""  # of --eval
    mono: bool = False


def _integer(text: str) -> int:
    """C's atoi: what stands in front, else 0."""
    digits = text.strip()
    sign = -1 if digits[:1] == "-" else 1
    digits = digits.lstrip("+-") if digits[:1] in ("+", "-") else digits
    end = next((at for at, c in enumerate(digits) if not c.isdigit()), len(digits))
    return sign * int(digits[:end] or 0)


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        raise UsageError(f"'{text}' is no number of seconds.") from None


def _port(o: Options, text: str) -> None:
    o.address.port = _integer(text)
    if not 0 <= o.address.port <= 65535:
        raise UsageError("Invalid server port.")


def _url(o: Options, text: str) -> None:
    try:
        o.address.take_url(text)
    except BadAddress as error:
        raise UsageError(str(error)) from None
    if o.address.tls is not None:
        o.address.tls = o.tls


def _json(mode: str) -> Callable[[Options, str], None]:
    def take(o: Options, _: str) -> None:
        o.style.mode = mode
        if not o.protocol:
            o.protocol, o.protocol_is_wish = 3, True

    return take


def _protocol(wanted: int) -> Callable[[Options, str], None]:
    def take(o: Options, _: str) -> None:
        if o.protocol and not o.protocol_is_wish and o.protocol != wanted:
            raise UsageError("Options -2 and -3 are mutually exclusive.")
        o.protocol, o.protocol_is_wish = wanted, False

    return take


def _pushes(o: Options, text: str) -> None:
    if text[:1].lower() not in ("y", "n"):
        raise UsageError(f"Unknown --show-pushes value '{text}' (valid: '[y]es', '[n]o')")
    o.show_pushes = text[:1].lower() == "y"


def _quoted_pattern(o: Options, text: str) -> None:
    o.pattern = unquote(os.fsencode(text))
    if o.pattern is None:
        raise UsageError("Invalid quoted string specified for --quoted-pattern.")


def _samples(o: Options, text: str) -> None:
    if not text.lstrip("-").isdigit():
        raise UsageError("--memkeys-samples conversion error.")
    o.mode, o.samples = "memkeys", int(text)
    if o.samples < 0:
        raise UsageError("--memkeys-samples value should be positive.")


def _tls(o: Options, _: str) -> None:
    o.address.tls = o.tls


def _set(path: str, convert: Callable[[str], object] = str) -> Callable[[Options, str], None]:
    """Stores a converted value in a field, or in a field of a field."""

    def take(o: Options, text: str) -> None:
        *parents, name = path.split(".")
        target: object = o
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, name, convert(text))

    return take


def _flag(path: str, value: object = True) -> Callable[[Options, str], None]:
    return _set(path, lambda _: value)


def _mode(name: str) -> Callable[[Options, str], None]:
    return _flag("mode", name)


def _help(o: Options, _: str) -> None:
    raise HelpAsked


def _version(o: Options, _: str) -> None:
    raise VersionAsked


def _both(*takes: Callable[[Options, str], None]) -> Callable[[Options, str], None]:
    def take(o: Options, text: str) -> None:
        for one in takes:
            one(o, text)

    return take


class Row(NamedTuple):
    """One option: its names, the name of its value ("" = none), its help, what it does."""

    names: str
    value: str
    help: str
    take: Callable[[Options, str], None]


ROWS = [
    Row("-h", "HOST", "server (127.0.0.1)", _set("address.host")),
    Row("-p", "PORT", "its port (6379)", _port),
    Row("-s", "PATH", "its Unix socket, instead of host and port", _set("address.unix")),
    Row("-u", "URL", "redis://user:password@host:port/db, rediss://..., unix:///path", _url),
    Row("-a --pass", "PASSWORD", "password; better in REDISCLI_AUTH", _set("address.password")),
    Row("--user", "NAME", "user of that password", _set("address.user")),
    Row("--askpass", "", "ask for the password", _flag("ask_password")),
    Row("--no-auth-warning", "", "no warning about -a", _flag("auth_warning", False)),
    Row("-n", "DB", "database (0)", _set("address.db", _integer)),
    Row("-2", "", "speak RESP2", _protocol(2)),
    Row("-3", "", "speak RESP3", _protocol(3)),
    Row("-c", "", "cluster: follow MOVED and ASK", _flag("cluster")),
    Row("--tls", "", "speak TLS", _tls),
    Row("--sni", "NAME", "name to ask for, and to find in the certificate", _set("tls.sni")),
    Row("--cacert", "FILE", "trust this authority", _set("tls.cacert")),
    Row("--cacertdir", "DIR", "trust the authorities in there", _set("tls.cacertdir")),
    Row("--insecure", "", "trust any certificate", _flag("tls.insecure")),
    Row("--cert", "FILE", "our certificate", _set("tls.cert")),
    Row("--key", "FILE", "its private key", _set("tls.key")),
    Row("--tls-ciphers", "LIST", "ciphers up to TLS 1.2", _set("tls.ciphers")),
    Row("-r", "COUNT", "run the command so often; -1: for ever", _set("repeat", _integer)),
    Row("-i", "SECONDS", "pause between them, or between samples", _set("interval_s", _seconds)),
    Row("-x", "", "the last argument is standard input", _flag("stdin_last")),
    Row("-X", "TAG", "the argument TAG is standard input", _set("stdin_tag", os.fsencode)),
    Row(
        "-d",
        "TEXT",
        "between elements, when raw (a line end)",
        _set("style.delimiter", os.fsencode),
    ),
    Row("-D", "TEXT", "after a reply, when raw (a line end)", _set("style.end", os.fsencode)),
    Row("-e", "", "exit code 1 when the reply is an error", _flag("error_exit")),
    Row("--quoted-input", "", "arguments may be in quotes", _flag("quoted_input")),
    Row("--raw", "", "texts alone, as when the output is no terminal", _flag("style.mode", RAW)),
    Row("--no-raw", "", "typed, as on a terminal", _flag("style.mode", STANDARD)),
    Row("--csv", "", "comma-separated", _flag("style.mode", CSV)),
    Row("--json", "", "JSON (with RESP3 unless -2)", _json(JSON)),
    Row("--quoted-json", "", "JSON of ASCII alone", _json(QUOTED_JSON)),
    Row("--show-pushes", "yes|no", "print RESP3 pushes (yes on a terminal)", _pushes),
    Row("--scan", "", "list the keys", _mode("scan")),
    Row("--pattern", "GLOB", "keys of --scan, --bigkeys, ...", _set("pattern", os.fsencode)),
    Row("--quoted-pattern", "TEXT", "the same in quotes", _quoted_pattern),
    Row("--count", "COUNT", "keys asked for at a time", _set("count", _integer)),
    Row("--type", "TYPE", "keys of --scan of that type only", _set("key_type", os.fsencode)),
    Row("--bigkeys", "", "find the keys with most elements", _mode("bigkeys")),
    Row("--memkeys", "", "find the keys with most memory", _mode("memkeys")),
    Row("--memkeys-samples", "COUNT", "the same, elements to look at in each key", _samples),
    Row("--hotkeys", "", "find the keys used most (maxmemory-policy *lfu)", _mode("hotkeys")),
    Row("--stat", "", "a line about the server, again and again", _mode("stat")),
    Row("--latency", "", "measure the round trip", _mode("latency")),
    Row("--latency-history", "", "the same, a new line every 15 s (-i)", _mode("latency-history")),
    Row("--latency-dist", "", "the same as a spectrum of colours", _mode("latency-dist")),
    Row("--mono", "", "that one in grey", _flag("mono")),
    Row(
        "--intrinsic-latency",
        "SECONDS",
        "measure this machine, without a server",
        _both(_mode("intrinsic-latency"), _set("seconds", _integer)),
    ),
    Row("--pipe", "", "send standard input as protocol", _mode("pipe")),
    Row(
        "--pipe-timeout",
        "SECONDS",
        "wait so long for replies (30)",
        _set("pipe_timeout_s", _integer),
    ),
    Row(
        "--eval",
        "FILE",
        "run a Lua script: FILE key ... , arg ...",
        _both(_mode("eval"), _set("file")),
    ),
    Row("--verbose", "", "say more", _flag("verbose")),
    Row("--help", "", "this", _help),
    Row("-v --version", "", "the version", _version),
]
_BY_NAME = {name: row for row in ROWS for name in row.names.split()}


def _getopt_specs() -> tuple[str, list[str]]:
    short, long = "", []
    for name, row in _BY_NAME.items():
        if name.startswith("--"):
            long.append(name[2:] + ("=" if row.value else ""))
        else:
            short += name[1] + (":" if row.value else "")
    return short, long


def parse(args: Sequence[str], out_is_tty: bool) -> Options:
    """Raises UsageError, HelpAsked or VersionAsked."""
    options = Options(show_pushes=out_is_tty)
    options.style.mode = STANDARD if out_is_tty else RAW
    try:
        given, words = getopt.getopt(list(args), *_getopt_specs())
    except getopt.GetoptError as error:
        if error.opt == "h":
            raise HelpAsked from None
        dashes = "-" if len(error.opt) == 1 else "--"
        raise UsageError(
            f"Unrecognized option or bad number of args for: '{dashes}{error.opt}'"
        ) from None
    for name, value in given:
        _BY_NAME[name].take(options, value)
    options.words = [os.fsencode(word) for word in words]
    _check(options)
    options.address.take_environment()
    return options


def _check(options: Options) -> None:
    if options.address.unix is not None and options.cluster:
        raise UsageError("Options -c and -s are mutually exclusive.")
    if options.stdin_last and options.stdin_tag is not None:
        raise UsageError("Options -x and -X are mutually exclusive.")
    if options.auth_warning and options.address.password is not None:
        print(
            "Warning: Using a password with '-a' or '-u' option on the command"
            " line interface may not be safe.",
            file=sys.stderr,
        )
