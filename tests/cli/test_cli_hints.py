"""What the prompt knows of commands: syntax, hints, completion; what its history keeps."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rustypotato.cli.docs import commands_from, help_text, load_commands
from rustypotato.cli.hints import complete, hint
from rustypotato.cli.history import LINES_MAX, LineHistory, is_secret, one_line, path_of_history
from rustypotato.cli.options import ROWS, HelpAsked, UsageError, parse
from rustypotato.cli.prompt import commands_of
from rustypotato.cli.session import Session
from rustypotato.cli.words import BadQuotes, quoted, split, unquote
from rustypotato.wire.resp import Parser
from tools.canned import CannedServer
from tools.doors import Door

HINTS = {
    "SET": "key value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|"
    "PXAT unix-time-milliseconds|KEEPTTL]",
    "SET k": "value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|"
    "PXAT unix-time-milliseconds|KEEPTTL]",
    "set k v EX": "seconds [NX|XX] [GET]",
    "set k v EX 5": "[NX|XX] [GET]",
    "set k v EX five": "",
    "set k v get nx": "[EX seconds|PX milliseconds|EXAT unix-time-seconds|"
    "PXAT unix-time-milliseconds|KEEPTTL]",
    "set k v KEEPTTL GET XX": "",
    "set k v what": "",
    "GET": "key",
    "GET k": "",
    "GET k more": "",
    "DEL": "key [key ...]",
    "DEL a": "[key ...]",
    "DEL a b": "[key ...]",
    "MSET": "key value [key value ...]",
    "MSET a": "value [key value ...]",
    "MSET a 1": "[key value ...]",
    "MSET a 1 b": "value [key value ...]",
    "ZADD k": "[NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]",
    "ZADD k CH": "[NX|XX] [GT|LT] [INCR] score member [score member ...]",
    "ZADD k 1.5": "member [score member ...]",
    "ZADD k CH 1 a": "[score member ...]",
    "PING": "[message]",
    "PING x": "",
    "CONFIG GET": "parameter [parameter ...]",
    "config get x": "[parameter ...]",
    "LPOP": "key [count]",
    "LPOP k": "[count]",
    "LMOVE a b": "LEFT|RIGHT LEFT|RIGHT",
    "LMOVE a b left": "LEFT|RIGHT",
    "LINSERT k": "BEFORE|AFTER pivot element",
    "SCAN 0 MATCH": "pattern [COUNT count] [TYPE type]",
    "SCAN 0 COUNT 5": "[MATCH pattern] [TYPE type]",
    "EXPIRE k 5": "[NX|XX|GT|LT]",
    "NOSUCH": "",
    "CONFIG": "",
}


@pytest.fixture
def commands(door: Door):
    """From the server's COMMAND DOCS as the prompt asks for it."""
    return commands_of_door(door)


def commands_of_door(door: Door):
    parser = Parser()
    parser.feed(door.raw("COMMAND", "DOCS"))
    reply = parser.next()
    assert reply is not None
    return commands_from(reply)


@pytest.mark.sockets
def test_hints_are_what_may_still_come(commands) -> None:
    got = {line: hint(commands, line.split()) for line in HINTS}
    assert got == HINTS


@pytest.mark.sockets
def test_names_and_tokens_are_completed(commands) -> None:
    def words(text: str) -> list[str]:
        return [word for word, _ in complete(commands, ["string", "sorted-set"], text)]

    assert words("hgeta") == ["HGETALL"]
    assert "CONFIG GET" in words("config ")
    assert words("config ge") == ["CONFIG GET"]
    assert "@sorted-set" in words("help ")
    assert words("help @st") == ["@string"]
    assert words("help hgeta") == ["HGETALL"]
    assert words("SET k v E") == ["EX", "EXAT"]
    assert words("SET k v") == []
    assert words("nosuch x") == []
    assert complete(commands, [], "  hgeta") == [("HGETALL", -5)]


@pytest.mark.sockets
def test_help_is_by_command_container_and_group(commands) -> None:
    assert "\x1b[1mGET\x1b[0m \x1b[90mkey\x1b[0m" in help_text(commands, ["get"])
    assert "CONFIG REWRITE" in help_text(commands, ["config"])
    assert "\x1b[1mCONFIG GET" in help_text(commands, ["Config", "GET"])
    assert "CONFIG SET" not in help_text(commands, ["Config", "GET"])
    assert help_text(commands, ["@string"]).count("summary:") > 15
    assert help_text(commands, ["nosuch"]) == "\r\n"


def test_an_old_server_gives_rough_hints() -> None:
    """Redis before 7.0 has no COMMAND DOCS."""
    row = b"*6\r\n$3\r\nset\r\n:-3\r\n*0\r\n:1\r\n:1\r\n:1\r\n"
    row += b"*6\r\n$4\r\necho\r\n:2\r\n*0\r\n:0\r\n:0\r\n:0\r\n"

    def answer(words: list[bytes]) -> bytes:
        if len(words) > 1:
            return b"-ERR unknown subcommand\r\n"
        return b"*3\r\n" + row + b"*1\r\n$1\r\nx\r\n"

    with CannedServer(answer) as server:
        session = Session(parse(["-p", str(server.port)], True))
        assert session.connect()
        commands = load_commands(session)
        session.close()
    assert hint(commands, ["set"]) == "key arg ...options..."
    assert hint(commands, ["echo"]) == "arg"
    assert hint(commands, ["set", "k"]) == ""


# ---- words ---------------------------------------------------------------------------------------


def test_quoting_and_splitting_are_inverse() -> None:
    word = bytes(range(256))
    assert split(quoted(word) + b" " + quoted(b"")) == [word, b""]
    assert quoted(b'\x00a\n"\\\x7f\xff') == b'"\\x00a\\n\\"\\\\\\x7f\\xff"'
    assert unquote(b'"a b"') == b"a b"
    assert unquote(b"a b") is None
    assert unquote(b'"a') is None


def test_an_open_quote_is_told_from_a_wrong_one() -> None:
    for line, is_open in ((b'SET a "b', True), (b"SET a 'b", True), (b'"a"b', False)):
        with pytest.raises(BadQuotes) as caught:
            split(line)
        assert caught.value.is_open == is_open


def test_pasted_lines_are_commands_of_their_own() -> None:
    assert commands_of("SET a 1\nGET a") == ["SET a 1", "GET a"]
    assert commands_of('SET a "x\ny" EX 5\nGET a\n') == ['SET a "x\ny" EX 5', "GET a", ""]
    assert commands_of('SET a "x\ny') == ['SET a "x\ny']
    assert commands_of("it's\nGET a's") == ["it's\nGET a's"]


# ---- history -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "AUTH secret",
        "auth user secret",
        '  AuTh "secret',
        "3 AUTH secret",
        "CONFIG SET requirepass secret",
        "config set maxmemory 1 masterauth secret",
        "CONFIG SET tls-key-file-pass secret",
        "ACL SETUSER u >secret",
        "ACL GETUSER u",
        "HELLO 3 AUTH user secret",
        "MIGRATE h 1 k 0 5 AUTH secret",
        "MIGRATE h 1 k 0 5 AUTH2 user secret",
        "SENTINEL SET m auth-pass secret",
        'CONFIG SET "requirepass" secret',
    ],
)
def test_secrets_are_recognized(line: str) -> None:
    assert is_secret(line)


@pytest.mark.parametrize(
    "line", ["", "GET auth", "SET password x", "CONFIG GET requirepass", "ACL LIST", "HELLO 3", "5"]
)
def test_other_lines_are_kept(line: str) -> None:
    assert not is_secret(line)


def test_history_is_a_private_file_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = LineHistory(str(path))
    for line in ("GET a", "GET a", "AUTH secret", ' SET b "x\ny" ', "CONFIG SET requirepass x"):
        history.append_string(line)
    assert path.read_text() == 'GET a\n"SET" "b" "x\\ny"\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert history.get_strings() == ["GET a", '"SET" "b" "x\\ny"']
    assert list(LineHistory(str(path)).load_history_strings())[-1] == "GET a"


def test_a_long_history_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("".join(f"GET {number}\n" for number in range(5 * LINES_MAX)))
    strings = list(LineHistory(str(path)).load_history_strings())
    assert len(strings) == LINES_MAX
    assert strings[0] == f"GET {5 * LINES_MAX - 1}"
    assert path.read_text().count("\n") == LINES_MAX


def test_a_history_that_cannot_be_written_does_not_stop_the_prompt(tmp_path: Path) -> None:
    history = LineHistory(str(tmp_path / "no" / "such" / "folder"))
    history.append_string("GET a")
    assert history.get_strings() == ["GET a"]
    LineHistory(None).append_string("GET a")


def test_where_the_history_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUSTYPOTATO_HISTFILE", raising=False)
    monkeypatch.delenv("REDISCLI_HISTFILE", raising=False)
    assert path_of_history() == os.path.expanduser("~/.rustypotato_history")
    monkeypatch.setenv("REDISCLI_HISTFILE", "/a")
    assert path_of_history() == "/a"
    monkeypatch.setenv("RUSTYPOTATO_HISTFILE", os.devnull)
    assert path_of_history() is None


def test_a_command_over_several_lines_is_one_line_of_history() -> None:
    assert one_line("SET a 'x\ny'") == '"SET" "a" "x\\ny"'
    assert one_line("SET a 'x") == "SET a 'x"
    assert one_line("it's\nx") == "it's x"


# ---- options -------------------------------------------------------------------------------------


def test_options_end_where_the_command_begins() -> None:
    options = parse(["-p", "7", "-r", "-1", "GET", "-p", "8"], False)
    assert (options.address.port, options.repeat) == (7, -1)
    assert options.words == [b"GET", b"-p", b"8"]
    assert parse(["-h", "-x", "PING"], False).address.host == "-x"
    assert parse(["-n", "3x"], False).address.db == 3
    for args in (["-h"], ["-p", "7", "-h"], ["--help"]):
        with pytest.raises(HelpAsked):
            parse(args, False)
    for args in (["-p"], ["--nosuch"], ["-Z"], ["--scan=1"]):
        with pytest.raises(UsageError, match="Unrecognized option or bad number of args for"):
            parse(args, False)


def test_a_url_and_options_may_be_mixed() -> None:
    options = parse(["--cacert", "f", "-u", "rediss://u:p@h:7/2", "--no-auth-warning"], False)
    assert options.address.tls is not None
    assert options.address.tls.cacert == "f"
    assert (str(options.address), options.address.db, options.address.user) == ("h:7", 2, "u")


def test_every_option_is_used_in_a_test() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    words = set(re.split(r"[\s\"'(\[,]+", text))
    unused = [row.names for row in ROWS if not words & set(row.names.split())]
    assert unused == []
