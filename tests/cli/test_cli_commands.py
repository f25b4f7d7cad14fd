"""Commands on real servers: output, errors and exit codes are redis-cli's, byte for byte."""

from __future__ import annotations

import signal
import subprocess
import threading

import pytest

from tools.cli_runs import OURS, REDIS_CLI, Run, env_of, run, run_on_terminal
from tools.doors import Door
from tools.servers import free_port
from tools.wait import SCALE, until

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.resp2,
    pytest.mark.skipif(REDIS_CLI is None, reason="redis-cli is not installed"),
]

COMMANDS = r"""
PING
PING hello
ECHO "a b\x00c\n"
SET s "a \"b\" \x00 é" EX 100
GET s
get none
STRLEN s
APPEND s x
GETRANGE s 0 3
SET n 10
INCRBY n 5
INCRBYFLOAT n 0.25
INCR s
MSET a 1 b 2
MGET a none b
DEL a b none
EXISTS s n
TYPE s
TYPE none
EXPIRE n 1000
TTL n
TTL none
PERSIST n
RPUSH l a b "c d" e f g h i j k
LRANGE l 0 -1
LRANGE none 0 -1
LPOP l 3
LPOP none
LPOS l e
LINDEX l 0
LINSERT l BEFORE e x
SADD one x
SMEMBERS one
SISMEMBER one x
SMISMEMBER one x y
HSET h f v "g h" 2
HGETALL h
HGETALL none
HMGET h f none
HRANDFIELD none 2
ZADD z 1 a 2.5 b inf c -inf d
ZRANGE z 0 -1 WITHSCORES
ZSCORE z b
ZSCORE z none
ZPOPMIN z
ZMSCORE z a none
SCAN 0 MATCH none*
OBJECT ENCODING n
CONFIG GET maxmemory
CONFIG GET none
CONFIG GET *max-intset-entries
CLIENT GETNAME
CLIENT SETNAME x
CLIENT GETNAME
SELECT 3
SET other 1
DBSIZE
SELECT 99
SELECT 0
MULTI
SET t 1
INCR t
LPUSH t x
EXEC
MULTI
NOSUCH
EXEC
MULTI
DISCARD
EXEC
DISCARD
WATCH t
MULTI
EXEC
COMMAND COUNT x
COMMAND GETKEYS MSET a b c d
COMMAND INFO get nosuch
GET
SET a b EX
SET a b EX x
LPUSH s x
NOSUCH a b
CONFIG SET nosuch 1
OBJECT HELP
RESET
PING
HELLO 4
EXPIRE n notanumber
3 INCR n3
0 PING
SET unbalanced "quote
SET bad "quote"x
:set hints
:set what
:nosuch
?
"""
STYLES = ["", "--no-raw", "--csv", "--json", "--quoted-json", "-3", "-3 --no-raw", "-2 --json"]


def where(door: Door) -> list[str]:
    if door.name == "unix":
        return ["-s", door.server.unixsocket]
    return ["-h", "127.0.0.1", "-p", str(door.server.port)]


def both(door: Door, *args: str | bytes, stdin: bytes = b"", **env: str) -> Run:
    """Runs both programs on an empty store; asserts that they do the same and returns it."""
    door("FLUSHALL")
    want = run("redis-cli", *where(door), *args, stdin=stdin, **env)
    door("FLUSHALL")
    got = run("ours", *where(door), *args, stdin=stdin, **env)
    assert got == want
    return got


@pytest.mark.parametrize("style", STYLES)
def test_lines_of_standard_input(door: Door, style: str) -> None:
    got = both(door, *style.split(), stdin=COMMANDS.encode())
    assert got.out.count(b"\n") > 80


def test_lines_of_standard_input_onto_a_terminal(door: Door) -> None:
    door("FLUSHALL")
    want = run_on_terminal("redis-cli", *where(door), stdin=COMMANDS.encode())
    door("FLUSHALL")
    assert run_on_terminal("ours", *where(door), stdin=COMMANDS.encode()) == want
    assert b"(integer) 15\r\n" in want.out


@pytest.mark.parametrize(
    "words",
    [
        "PING",
        "GET",
        "GET none",
        "SET k v EX 5",
        "NOSUCH",
        "MGET a b",
        "--no-raw MGET a b",
        "-n 2 SET k v",
        "-n 0x PING",
        "-r 3 INCR n",
        "-r 3 -i 0.01 INCR n",
        "-r 0 INCR n",
        "-e INCR n",
        "-e LPOP a b c",
        "-r 3 -e LPOP a b c",
        "-D || -r 2 MGET a b",
        "-d , MGET a b",
        "--quoted-input SET 'a\\x41' v",
        '--quoted-input SET "a v',
        "-a secret PING",
        "--pass secret PING",
        "--user default -a secret PING",
        "--no-auth-warning -a secret PING",
        "-2 -3 PING",
        "-x -X a PING",
        "--nosuch PING",
        "-Z PING",
        "-p",
        "--verbose PING",
        "GET -p",
        "ECHO --raw",
        "ECHO -h",
        "help set",
        "help @string",
        "help config get",
        "HELP nosuch",
        "?",
    ],
)
@pytest.mark.once
def test_single_commands(door: Door, words: str) -> None:
    got = both(door, *words.split())
    assert got.out or got.err or "-r 0" in words


def test_arguments_may_hold_any_bytes(door: Door) -> None:
    both(door, "--no-raw", "ECHO", b"\xff\xfe \"'\\")
    both(door, "ECHO", "")


def test_the_last_argument_from_standard_input(door: Door) -> None:
    data = bytes(range(256)) * 300
    assert both(door, "-x", "SET", "k", stdin=data).out == b"OK\n"
    assert door("GET", "k") == data
    assert both(door, "-X", "HERE", "SET", "HERE", "v", stdin=b"key").code == 0
    assert door("GET", "key") == b"v"
    assert both(door, "-X", "HERE", "SET", "k", "v", stdin=b"key").code == 1


def test_a_password_from_the_environment(door: Door) -> None:
    assert b"AUTH failed" in both(door, "PING", REDISCLI_AUTH="secret").err
    assert b"Warning" not in both(door, "PING", REDISCLI_AUTH="secret").err


def test_a_server_with_a_password(door: Door, private) -> None:
    server = private(requirepass="se cret")
    at = ["-p", str(server.port)]
    for flags, env, out in (
        ([], {}, b"NOAUTH Authentication required.\n"),
        (["-a", "se cret"], {}, b"PONG\n"),
        (["-a", "wrong"], {}, b"NOAUTH Authentication required.\n"),
        (["--user", "default", "--pass", "se cret"], {}, b"PONG\n"),
        ([], {"REDISCLI_AUTH": "se cret"}, b"PONG\n"),
        (["-a", "wrong"], {"REDISCLI_AUTH": "se cret"}, b"NOAUTH Authentication required.\n"),
    ):
        want = run("redis-cli", *at, *flags, "PING", **env)
        assert run("ours", *at, *flags, "PING", **env) == want
        assert want.out.strip() == out.strip()
    url = f"redis://default:se%20cret@127.0.0.1:{server.port}/2"
    for words in (["PING"], ["SET", "k", "v"], ["DBSIZE"]):
        want = run("redis-cli", "-u", url, *words)
        assert run("ours", "-u", url, *words) == want
    assert run("ours", "-u", f"redis://:se%20cret@127.0.0.1:{server.port}", "PING").out == b"PONG\n"
    unix = f"unix://:se%20cret@{server.unixsocket}?db=2"
    assert run("ours", "-u", unix, "GET", "k").out == b"v\n"


def test_a_database_that_is_not_there_stops_the_command(door: Door) -> None:
    """redis-cli runs it in database 0."""
    got = run("ours", *where(door), "-n", "99", "SET", "k", "v")
    assert got == (1, b"", b"SELECT 99 failed: ERR DB index is out of range\n")
    assert door("DBSIZE") == 0


def test_nobody_listens(door: Door) -> None:
    port = free_port()
    for args in (["-p", str(port), "PING"], ["-s", "/nosuch/socket", "PING"], ["-p", str(port)]):
        want = run("redis-cli", *args, stdin=b"PING\n")
        assert run("ours", *args, stdin=b"PING\n") == want
        assert want.err.startswith(b"Could not connect to Redis at ")
    assert run("ours", "-p", str(port), "--scan").code == 1
    assert b"comes from the server" in run("ours", "-p", str(port), "help", "get").out


@pytest.mark.once
def test_wrong_options_are_one_line_and_exit_1(door: Door) -> None:
    for args, says in (
        ("-p 70000 PING", "Invalid server port."),
        ("-u http://x PING", "redis://host:port"),
        ("-i x PING", "no number of seconds"),
        ("--memkeys-samples x", "conversion error"),
        ("--memkeys-samples -1", "should be positive"),
        ("--show-pushes q PING", "--show-pushes"),
        ("-c -s /x PING", "mutually exclusive"),
        ('--quoted-pattern "a --scan', "Invalid quoted string"),
        ("--eval /nosuch", "Can't open file '/nosuch': No such file"),
    ):
        got = run("ours", *where(door), *args.split())
        assert got.code == 1, args
        assert says.encode() in got.err, args
        assert got.err.count(b"\n") == 1, got.err


@pytest.mark.once
def test_help_and_version_need_no_server(door: Door) -> None:
    for flag in ("-h", "--help"):
        got = run("ours", flag)
        assert got.code == 0
        assert b"--memkeys-samples COUNT" in got.out
    assert run("ours", "--version").out == run("ours", "-v").out
    assert run("ours", "-v").out.startswith(b"rustypotato cli 0.")


@pytest.mark.once
def test_a_single_command_does_not_load_the_prompt(door: Door) -> None:
    """Its start is what a shell loop pays each time."""
    code = (
        "import sys; from rustypotato import cli; "
        f"cli.main(['-p', '{door.server.port}', 'PING']); "
        "slow = {'prompt_toolkit', 'rich', 'ssl', 'asyncio', 'argparse', 'json'}; "
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run(
        [OURS[0], "-c", code], capture_output=True, env=env_of(), check=True, timeout=60 * SCALE
    )
    assert done.stdout == b"PONG\n[]\n"


def test_shutdown_is_no_error(door: Door, private) -> None:
    for program in ("redis-cli", "ours"):
        server = private()
        assert run(program, "-p", str(server.port), "SHUTDOWN", "NOSAVE") == (0, b"", b"")
        server.wait_exit()


# ---- streams -------------------------------------------------------------------------------------


class Stream:
    """A program that prints what comes until it is stopped."""

    def __init__(self, program: str, door: Door, *args: str) -> None:
        argv = [REDIS_CLI or ""] if program == "redis-cli" else OURS
        self.child = subprocess.Popen(
            [*argv, *where(door), *args], stdout=subprocess.PIPE, env=env_of()
        )
        self.out = bytearray()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.child.stdout
        while data := self.child.stdout.read1(65536):
            self.out.extend(data)

    def until(self, text: bytes) -> None:
        until(lambda: text in self.out, f"{text!r} in the output, which is {bytes(self.out)!r}")

    def stop(self) -> tuple[int, bytes]:
        self.child.send_signal(signal.SIGINT)
        code = self.child.wait(15 * SCALE)
        self.reader.join(10 * SCALE)
        assert self.child.stdout
        self.child.stdout.close()
        return code, bytes(self.out)


@pytest.mark.parametrize("style", ["", "--no-raw", "--csv", "-3 --no-raw"])
def test_subscribe_prints_messages_until_ctrl_c(door: Door, style: str) -> None:

    def session(program: str) -> tuple[int, bytes]:
        stream = Stream(program, door, *style.split(), "PSUBSCRIBE", "ch:*", "other")
        stream.until(b"other")
        assert door("PUBLISH", "ch:1", "first") == 1
        stream.until(b"first")
        assert door("PUBLISH", "other", "last") == 1
        stream.until(b"last")
        return stream.stop()

    assert session("ours") == session("redis-cli")


def test_monitor_prints_commands_until_ctrl_c(door: Door) -> None:
    stream = Stream("ours", door, "MONITOR")
    stream.until(b"OK\n")
    door("SET", "a key", "v")
    stream.until(b'"SET" "a key" "v"\n')
    code, out = stream.stop()
    assert code == -signal.SIGINT
    assert out.count(b"\n") == 2


def test_a_closed_output_ends_it_quietly(door: Door) -> None:
    """As in `cli -r -1 PING | head -1`."""
    child = subprocess.Popen(
        [*OURS, *where(door), "-r", "-1", "PING"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env_of(),
    )
    assert child.stdout and child.stderr
    assert child.stdout.readline() == b"PONG\n"
    child.stdout.close()
    assert child.wait(15 * SCALE) == -signal.SIGPIPE
    assert child.stderr.read() == b""
    child.stderr.close()
