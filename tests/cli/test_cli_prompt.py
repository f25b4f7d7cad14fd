"""The interactive prompt in a pseudo-terminal, on redis-server and on ours."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.canned import CannedServer
from tools.cli_runs import OURS, env_of
from tools.doors import Door
from tools.servers import free_port
from tools.terminal import CTRL_C, CTRL_D, TAB, UP, Terminal
from tools.wait import until

pytestmark = [pytest.mark.sockets, pytest.mark.resp2]

LEFT, BACKSPACE, ESCAPE = "\x1b[D", "\x7f", "\x1b"


class Cli(Terminal):
    """`rustypotato cli` at its prompt."""

    def __init__(self, door: Door, *args: str, **env: str) -> None:
        server = door.server
        self.is_unix = door.name == "unix"
        at = ["-s", server.unixsocket] if self.is_unix else ["-p", str(server.port)]
        self.place = f"redis {server.unixsocket}" if self.is_unix else f"127.0.0.1:{server.port}"
        super().__init__([*OURS, *at, *args], env_of(**env))

    def ready(self, state: str = "") -> None:
        """Waits for an empty prompt."""
        self.sees_last(f"{self.place}{state}> ")

    def runs(self, line: str, *shows: str, state: str = "") -> None:
        """Types a line and waits for what it shows, and for the prompt behind it."""
        self.type(f"{line}\r")
        want = [f"> {line}", *shows, f"{self.place}{state}>"]

        def is_shown() -> bool:
            got = self.lines()[-len(want) :]
            return got[1:] == want[1:] and got[0].endswith(want[0])

        self.until(is_shown, f"{line!r} to show {shows}")


@pytest.fixture
def cli(door: Door) -> Iterator[Cli]:
    with Cli(door) as made:
        made.ready()
        yield made


def test_commands_print_typed_replies(cli: Cli) -> None:
    cli.runs("SET k v", "OK")
    cli.runs("get k", '"v"')
    cli.runs("INCR n", "(integer) 1")
    cli.runs("MGET k none", '1) "v"', "2) (nil)")
    cli.runs("GET", "(error) ERR wrong number of arguments for 'get' command")
    cli.runs("SET k 'unbalanced\"' x", "(error) ERR syntax error")
    cli.runs('SET k "a"b', "Invalid argument(s)")
    cli.runs("3 INCR n", "(integer) 2", "(integer) 3", "(integer) 4")


def test_the_prompt_shows_database_and_transaction(cli: Cli) -> None:
    cli.runs("SELECT 3", "OK", state="[3]")
    cli.runs("MULTI", "OK", state="[3](TX)")
    cli.runs("INCR n", "QUEUED", state="[3](TX)")
    cli.runs("EXEC", "1) (integer) 1", state="[3]")
    cli.runs("MULTI", "OK", state="[3](TX)")
    cli.runs("DISCARD", "OK", state="[3]")
    cli.runs("RESET", "RESET")


def test_the_database_option_and_resp3(door: Door) -> None:
    with Cli(door, "-n", "2", "-3") as cli:
        cli.ready("[2]")
        cli.runs("HSET h f v", "(integer) 1", state="[2]")
        cli.runs("HGETALL h", '1# "f" => "v"', state="[2]")


def test_tab_completes_names_and_tokens(cli: Cli) -> None:
    cli.type(f"hgeta{TAB}")
    cli.sees_last(f"{cli.place}> HGETALL key")
    cli.type(CTRL_C)
    cli.ready()
    cli.type(f"config rew{TAB}")
    cli.sees_last(f"{cli.place}> CONFIG REWRITE")
    cli.type(CTRL_C)
    cli.ready()
    cli.type(f"SET k v PXA{TAB}")
    cli.sees("SET k v PXAT")
    cli.type(CTRL_C)
    cli.ready()
    cli.type(f"help @sorted{TAB}")
    cli.sees("help @sorted-set")


def test_tab_offers_several_names(cli: Cli) -> None:
    cli.type(f"HINCRB{TAB}")
    cli.sees("HINCRBYFLOAT")
    cli.type(f"{TAB}{TAB}\x1b[C key 1 2\r")


def test_hints_follow_what_is_typed(cli: Cli) -> None:
    cli.type("SET")
    cli.sees("SET key value [NX|XX] [GET] [EX seconds")
    cli.type(" k")
    cli.sees("SET k key value [NX|XX]")  # it may go on
    cli.type(" ")
    cli.sees("SET k value [NX|XX]")
    cli.type("v EX ")
    cli.sees("SET k v EX seconds [NX|XX] [GET]")
    cli.type("5\r")
    cli.sees("OK")
    cli.ready()
    assert f"{cli.place}> SET k v EX 5" in cli.lines()  # the hint is gone
    cli.runs(":set nohints")
    cli.type("GET ")
    cli.type("k\r")
    cli.sees('"v"')
    assert "GET key" not in "\n".join(cli.lines())
    cli.runs(":set hints")
    cli.type("GET ")
    cli.sees("GET key")


def test_an_open_quote_goes_on_in_the_next_line(cli: Cli, door: Door) -> None:
    cli.type('SET k "first\r')
    cli.sees_last("...".rjust(len(cli.place) + 1))
    cli.type('second" EX 100\r')
    cli.sees("OK")
    cli.ready()
    assert door("GET", "k") == b"first\nsecond"
    cli.runs("GET k", '"first\\nsecond"')


def test_ctrl_c_drops_a_line_and_leaves_from_an_empty_one(cli: Cli) -> None:
    cli.type('SET k "never')
    cli.type(CTRL_C)
    cli.ready()
    cli.runs("EXISTS k", "(integer) 0")
    cli.type(CTRL_C)
    assert cli.ends() == 0


@pytest.mark.parametrize("leave", ["quit\r", "EXIT\r", CTRL_D])
def test_ways_out(cli: Cli, leave: str) -> None:
    cli.type(leave)
    assert cli.ends() == 0


def test_pasted_lines_run_one_by_one(cli: Cli, door: Door) -> None:
    cli.type('\x1b[200~SET a 1\nSET b "x\ny"\nINCR a\x1b[201~\r')
    cli.sees("(integer) 2")
    cli.ready()
    assert door("MGET", "a", "b") == [b"2", b"x\ny"]


def test_history_comes_back_in_the_next_session_without_secrets(door: Door, tmp_path: Path) -> None:
    path = str(tmp_path / "history")
    with Cli(door, RUSTYPOTATO_HISTFILE=path) as cli:
        cli.ready()
        cli.runs("SET k v", "OK")
        cli.type("AUTH secret\r")
        cli.sees("(error) ERR AUTH")
        cli.ready()
        cli.type("CONFIG SET requirepass\r")
        cli.sees("wrong number")
        cli.ready()
        cli.type(UP)
        cli.sees("> SET k v")
        cli.type(CTRL_C)
        cli.ready()
        cli.type("quit\r")
        assert cli.ends() == 0
    assert Path(path).read_text() == "SET k v\nquit\n"
    with Cli(door, RUSTYPOTATO_HISTFILE=path) as cli:
        cli.ready()
        cli.type(f"{UP}{UP}\r")
        cli.sees("OK")
        cli.type("\x12SET\r\r")  # Ctrl-R searches
        cli.until(lambda: sum(line == "OK" for line in cli.lines()) == 2, "a second OK")


def test_help_is_shown(cli: Cli) -> None:
    cli.type("help get\r")
    cli.sees("  GET key")
    cli.sees("summary: ")
    cli.sees("group: string")
    cli.ready()
    cli.type("? @transactions\r")
    cli.sees("WATCH key [key ...]")
    cli.ready()
    cli.type("help\r")
    cli.sees('"help @<group>" to get a list of commands in <group>')
    cli.ready()


def test_clear_empties_the_screen(cli: Cli) -> None:
    cli.runs("SET k v", "OK")
    cli.type("clear\r")
    cli.until(lambda: cli.lines() == [f"{cli.place}>"], "a single line")


def test_connect_goes_to_another_server(cli: Cli, door: Door, private: Callable) -> None:
    other = private()
    cli.type(f"connect 127.0.0.1 {other.port}\r")
    cli.place = f"127.0.0.1:{other.port}"
    cli.ready()
    cli.runs("SET there 1", "OK")
    assert door("EXISTS", "there") == 0
    nobody = free_port()
    cli.type(f"connect 127.0.0.1 {nobody}\r")
    cli.sees(f"Could not connect to Redis at 127.0.0.1:{nobody}: Connection refused")
    cli.sees_last("not connected> ")
    cli.type(f"connect 127.0.0.1 {other.port}\r")
    cli.ready()


def test_a_lost_connection_is_told_and_made_again(cli: Cli, door: Door) -> None:
    cli.runs("SELECT 3", "OK", state="[3]")
    cli.runs("CLIENT SETNAME prompt", "OK", state="[3]")
    for line in door("CLIENT", "LIST").decode().splitlines():
        if "name=prompt" in line:
            assert door("CLIENT", "KILL", "ID", line.split()[0].partition("=")[2]) == 1
    cli.type("PING\r")
    cli.sees("Error: ")
    cli.sees_last("not connected> ")
    cli.runs("PING", "PONG", state="[3]")  # the same database


def test_a_server_that_starts_later_is_found(door: Door, private: Callable) -> None:
    server = private()
    server.signal(signal.SIGKILL)
    server.wait_exit()
    with Terminal([*OURS, "-p", str(server.port)], env_of()) as terminal:
        terminal.sees(f"Could not connect to Redis at 127.0.0.1:{server.port}: Connection refused")
        terminal.sees_last("not connected> ")
        server.start()
        terminal.type("PING\r")
        terminal.sees("PONG")
        terminal.sees_last(f"127.0.0.1:{server.port}> ")
        terminal.type(f"hgeta{TAB}")
        terminal.sees("HGETALL key")  # its commands are known now


def test_ctrl_c_gives_up_a_reply_that_does_not_come(door: Door) -> None:
    with CannedServer(lambda words: b"" if words[0] == b"BLOCK" else None) as server:
        with Terminal([*OURS, "-p", str(server.port)], env_of()) as terminal:
            terminal.sees_last(f"127.0.0.1:{server.port}> ")
            terminal.type("BLOCK\r")
            until(lambda: [b"BLOCK"] in server.seen, "the command at the server")
            terminal.type(CTRL_C)
            terminal.sees_last(f"127.0.0.1:{server.port}> ")
            terminal.type("PING\r")
            terminal.sees("OK")


def test_subscribe_streams_until_ctrl_c(cli: Cli, door: Door) -> None:
    cli.type("SUBSCRIBE ch\r")
    cli.sees("Reading messages... (press Ctrl-C to quit)")
    cli.sees('1) "subscribe"')
    assert door("PUBLISH", "ch", "hello") == 1
    cli.sees('3) "hello"')
    cli.type(CTRL_C)
    cli.ready()
    cli.runs("PING", "PONG")


def test_monitor_streams_until_ctrl_c(cli: Cli, door: Door) -> None:
    cli.type("MONITOR\r")
    cli.sees("OK")
    door("SET", "seen", "v")
    cli.sees('"SET" "seen" "v"')
    cli.type(CTRL_C)
    cli.ready()
    cli.runs("PING", "PONG")


def test_a_slow_command_says_how_long_it_took(cli: Cli) -> None:
    cli.type("DEBUG SLEEP 0.6\r")
    cli.until(
        lambda: any(line.startswith("(0.") and line.endswith("s)") for line in cli.lines()),
        "the time",
    )


def test_the_password_may_be_asked_for(door: Door, private: Callable) -> None:
    server = private(requirepass="secret")
    argv = [*OURS, "-p", str(server.port), "--askpass"]
    with Terminal([*argv, "PING"], env_of()) as terminal:
        terminal.sees("Please input password: ")
        terminal.type("secret\r")
        terminal.sees("PONG")
        assert terminal.ends() == 0
        assert "secret" not in "\n".join(terminal.lines())
    with Terminal(argv, env_of()) as terminal:
        terminal.sees("Please input password: ")
        terminal.type("wrong\r")
        terminal.sees("AUTH failed: WRONGPASS")
        terminal.type("PING\r")
        terminal.sees("NOAUTH Authentication required.")
        terminal.type("AUTH secret\r")
        terminal.sees("OK")


def test_a_typed_password_survives_a_reconnection_but_goes_to_no_other_server(
    door: Door, private: Callable
) -> None:
    server = private(requirepass="secret")
    with CannedServer() as other:
        with Terminal([*OURS, "-p", str(server.port)], env_of()) as terminal:
            terminal.sees_last(f"127.0.0.1:{server.port}> ")
            terminal.type("AUTH secret\r")
            terminal.sees("OK")
            terminal.type("CLIENT KILL TYPE normal SKIPME no\r")
            terminal.type("PING\r")
            terminal.sees("not connected> ")
            terminal.type("PING\r")
            terminal.sees("PONG")
            terminal.type(f"connect 127.0.0.1 {other.port}\r")
            terminal.sees_last(f"127.0.0.1:{other.port}> ")
            terminal.type("ECHO here\r")
            until(lambda: [b"ECHO", b"here"] in other.seen, "the command at the other server")
        assert not [words for words in other.seen if b"secret" in words]


def test_preferences_come_from_the_rc_file(door: Door, tmp_path: Path) -> None:
    rc = tmp_path / "rc"
    rc.write_text(":set nohints\n:set what\n\n")
    with Cli(door, REDISCLI_RCFILE=str(rc)) as cli:
        cli.sees(".redisclirc: unknown redis-cli preference 'what'")
        cli.ready()
        cli.type("GET ")
        cli.type("k\r")
        cli.sees("(nil)")
        assert "GET key" not in "\n".join(cli.lines())


def test_cluster_mode_tells_redirections() -> None:
    with CannedServer() as right, CannedServer() as wrong:
        wrong.answer = lambda words: (
            f"-MOVED 7 127.0.0.1:{right.port}\r\n".encode() if words[0] == b"GET" else None
        )
        with Terminal([*OURS, "-c", "-p", str(wrong.port)], env_of()) as terminal:
            terminal.sees_last(f"127.0.0.1:{wrong.port}> ")
            terminal.type("GET k\r")
            terminal.sees(f"-> Redirected to slot [7] located at 127.0.0.1:{right.port}")
            terminal.sees_last(f"127.0.0.1:{right.port}> ")


def test_without_prompt_toolkit_it_says_what_to_do(door: Door, tmp_path: Path) -> None:
    (tmp_path / "prompt_toolkit.py").write_text("raise ImportError('gone')\n")
    search = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with Cli(door, PYTHONPATH=search) as cli:
        cli.sees("pip install prompt_toolkit")
        assert cli.ends() == 1


def test_the_terminal_has_no_password_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", "from outside")
    with Terminal(["/bin/sh", "-c", 'echo "<$REDISCLI_AUTH>"'], env_of()) as terminal:
        terminal.sees("<>")
