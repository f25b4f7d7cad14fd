"""rustypotato top in a pseudo-terminal and in a pipe, against redis-server and RustyPotato."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tools.canned import CannedServer
from tools.servers import Server, clean_env, free_port
from tools.terminal import Terminal
from tools.wait import SCALE, until

COMMAND = [sys.executable, "-m", "rustypotato", "top"]
COLUMNS, LINES = 110, 40
KINDS = ["redis", "rustypotato"]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param, slowlog_log_slower_than=0) as made:
        yield made


@pytest.fixture(scope="module")
def busy(server: Server) -> Iterator[Server]:
    stop = threading.Event()

    def work() -> None:
        with server.connect() as conn:
            conn.call("SET", "\x1b[31mred\x1b[0m[bold]", "v")
            conn.call("LPUSH", "\x1b[31mred\x1b[0m[bold]", "fails")
            while not stop.wait(0.005):
                for number in range(20):
                    conn.call("SET", f"k{number}", "v", "EX", "1000")
                    conn.call("GET", f"k{number}")

    thread = threading.Thread(target=work)
    thread.start()
    yield server
    stop.set()
    thread.join()


def environment(**more: str) -> dict[str, str]:
    return clean_env(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(LINES), **more)


def once(*flags: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--once", "--interval", "0.3", *flags],
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * SCALE,
    )


class Top(Terminal):
    """top in a pseudo-terminal, and what a person sees there."""

    def __init__(self, *flags: str, columns: int = COLUMNS, lines: int = LINES) -> None:
        argv = [*COMMAND, "--interval", "0.2", *flags]
        super().__init__(argv, clean_env(), columns=columns, rows=lines)

    def wait(self, what: str) -> str:
        return self.sees_match(what, 30)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Top]]:
    with contextlib.ExitStack() as made:
        yield lambda *flags, **size: made.enter_context(Top(*flags, **size))


# ---------------------------------------------------------------- one frame


def test_one_frame_tells_what_happens(busy: Server) -> None:
    done = once("-p", str(busy.port))
    assert done.returncode == 0, done.stderr
    name = "RustyPotato" if busy.kind == "rustypotato" else "Redis 7.0"
    assert name in done.stdout
    assert f"127.0.0.1:{busy.port}" in done.stdout
    assert float(re.search(r"([\d.]+)k? ops/s", done.stdout)[1]) > 0  # type: ignore[index]
    assert re.search(r"│\s+set\s+[\d.]+k?\s", done.stdout)
    assert re.search(r"db0\s+21, 20 TTL", done.stdout)
    assert re.search(r"clients\s+2 of 10000", done.stdout)
    assert re.search(r"p50 now\s+[\d.]+ µs", done.stdout)
    assert re.search(r"p99 now\s+[\d.]+ [µm]s", done.stdout)
    for title in ("memory", "clients", "keys", "disk", "commands", "slow log"):
        assert f"─ {title}" in done.stdout


def test_no_control_character_of_a_key_reaches_the_terminal(busy: Server) -> None:
    until(lambda: "lpush" in once("-p", str(busy.port)).stdout, "the command is counted")
    done = once("-p", str(busy.port))
    assert "\x1b" not in done.stdout
    with Server(busy.kind, slowlog_log_slower_than=0) as quiet, quiet.connect() as conn:
        conn.call("SET", "\x1b[31mred", "[bold]v")
        conn.call("CONFIG", "SET", "slowlog-log-slower-than", "-1")
        frame = once("-p", str(quiet.port)).stdout
        assert "SET \\x1b[31mred [bold]v" in frame


def test_no_control_character_of_a_foreign_server_reaches_the_terminal() -> None:
    names = "redis_version role maxmemory_policy mem_fragmentation_ratio maxclients"
    names += " connected_clients blocked_clients"
    text = "".join(f"{name}:\x1b]0;owned\x07[bold]\r\n" for name in names.split()).encode()
    info = b"$%d\r\n%s\r\n" % (len(text), text)
    with CannedServer(lambda words: info if words[0] == b"INFO" else b"*0\r\n") as server:
        done = once("-p", str(server.port))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout
    assert "Redis \\x1b]0;owned\\x07[bold]" in done.stdout


@pytest.mark.parametrize("order", ["rate", "calls", "time", "name"])
def test_commands_are_sorted_as_asked(busy: Server, order: str) -> None:
    frame = once("-p", str(busy.port), "--sort", order).stdout
    part = frame[frame.index("─ commands") : frame.index("─ slow log")]
    names = re.findall(r"^│  ([a-z|]+) ", part, re.MULTILINE)[1:]
    if order == "name":
        assert names == sorted(names)
    else:
        assert {"get", "set"} <= set(names[:4])
    head = {"rate": "ops/s ▾", "calls": "calls ▾", "time": "mean ▾", "name": "command ▾"}[order]
    assert head in part


def test_url_socket_and_password(server: Server) -> None:
    assert once("-u", f"redis://127.0.0.1:{server.port}").returncode == 0
    assert once("-u", f"unix://{server.unixsocket}").returncode == 0
    assert once("-s", server.unixsocket).returncode == 0
    with Server(server.kind, requirepass="secret") as guarded:
        refused = once("-p", str(guarded.port))
        assert (refused.returncode, "NOAUTH" in refused.stderr) == (1, True)
        for flags, more in (
            (["-a", "secret"], {}),
            ([], {"REDISCLI_AUTH": "secret"}),
            (["-u", f"redis://:secret@127.0.0.1:{guarded.port}"], {}),
        ):
            done = once("-p", str(guarded.port), *flags, env=environment(**more))
            assert done.returncode == 0, done.stderr


def test_errors_are_one_line() -> None:
    done = once("-p", str(free_port()))
    assert done.returncode == 1
    assert re.fullmatch(r"rustypotato top: \S+: cannot connect: .+\n", done.stderr)
    for flags in (["--interval", "0"], ["--interval", "x"], ["--sort", "size"], ["more"]):
        wrong = once(*flags)
        assert wrong.returncode == 2 and "usage: rustypotato top" in wrong.stderr
    assert once("-u", "http://x").returncode == 2


def test_a_reader_that_has_enough_is_no_error(server: Server) -> None:
    command = [*COMMAND, "--once", "--interval", "0.2", "-p", str(server.port)]
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            command, stdout=pipe, stderr=subprocess.PIPE, env=environment(), check=False, timeout=60
        )
    assert b"Traceback" not in done.stderr


# ---------------------------------------------------------------- live


def test_live_view_moves_sorts_and_quits(busy: Server, terminal: Callable[..., Top]) -> None:
    top = terminal("-p", str(busy.port))
    first = top.wait(r"│\s+set\s+[\d.]+k?\s")
    assert "ops/s ▾" in first
    top.type("s")
    top.wait("calls ▾")
    top.type("s")
    top.wait("mean ▾")
    top.type("S")
    top.wait("command ▾")
    top.type("x")  # means nothing
    top.type("r")
    top.wait(r"│\s+set\s+[\d.]+k?\s")
    counts = set()

    def moved() -> bool:
        found = re.search(r"│\s+unsaved\s+(\S+)\s+│", "\n".join(top.lines()))
        counts.add(found[1] if found else None)
        return len(counts - {None}) > 2

    top.until(moved, "the numbers move", 30)
    top.type("q")
    assert top.ends() == 0
    assert b"\x1b[?1049h" in top.raw  # the other screen, so that the shell's comes back


def test_ctrl_c_ends_it_and_gives_the_terminal_back(
    server: Server, terminal: Callable[..., Top]
) -> None:
    top = terminal("-p", str(server.port))
    top.wait("─ memory")
    top.child.sendintr()
    assert top.ends() == 0
    assert b"\x1b[?1049l" in top.raw and b"\x1b[?25h" in top.raw


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (60, 50), (200, 60), (100, 12)])
def test_every_size_of_terminal_shows_the_head_and_commands(
    server: Server, terminal: Callable[..., Top], columns: int, lines: int
) -> None:
    top = terminal("-p", str(server.port), columns=columns, lines=lines)
    text = top.wait(r"ops/s")
    assert "127.0.0.1" in text.splitlines()[0]
    top.wait("─ memory")
    if lines >= 24:
        top.wait("─ commands")
    top.type("q")
    assert top.ends() == 0


def test_a_server_that_goes_away_ends_it_with_a_line(terminal: Callable[..., Top]) -> None:
    with Server("rustypotato") as server:
        top = terminal("-p", str(server.port))
        top.wait("─ memory")
        server.signal(signal.SIGKILL)
        server.wait_exit()
        assert top.ends() == 1
    assert b"rustypotato top: 127.0.0.1:" in top.raw
