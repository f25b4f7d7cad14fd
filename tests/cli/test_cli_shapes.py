"""Every shape of a reply is printed with redis-cli's bytes, in every style."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tools.canned import SHAPES, CannedServer
from tools.cli_runs import REDIS_CLI, run, run_on_terminal

pytestmark = pytest.mark.skipif(REDIS_CLI is None, reason="redis-cli is not installed")

ALL_SHAPES = "".join(f"SHAPE {name}\n" for name in SHAPES).encode()
STYLES = [
    "",
    "--raw",
    "--no-raw",
    "--csv",
    "--json",
    "--quoted-json",
    "-3 --no-raw",
    "-3 --raw",
    "-3 --csv --show-pushes yes",
    "-3 --no-raw --show-pushes y",
    "--no-raw --show-pushes no",
    "-d <> -D ||",
]


@pytest.fixture(scope="module")
def canned() -> Iterator[CannedServer]:
    with CannedServer() as server:
        yield server


@pytest.mark.parametrize("style", STYLES)
def test_shapes_into_a_pipe(canned: CannedServer, style: str) -> None:
    args = ["-p", str(canned.port), *style.split()]
    assert run("ours", *args, stdin=ALL_SHAPES) == run("redis-cli", *args, stdin=ALL_SHAPES)


@pytest.mark.parametrize("style", ["", "-3", "--raw", "--json", "--show-pushes no"])
def test_shapes_on_a_terminal(canned: CannedServer, style: str) -> None:
    args = ["-p", str(canned.port), *style.split()]
    want = run_on_terminal("redis-cli", *args, stdin=ALL_SHAPES)
    assert b'1) "a"\r\n' in want.out or style
    assert run_on_terminal("ours", *args, stdin=ALL_SHAPES) == want


@pytest.mark.parametrize("style", ["--no-raw", "--csv", "--json"])
def test_a_shape_as_a_single_command(canned: CannedServer, style: str) -> None:
    for shape in ("map_of_maps", "error", "push_before"):
        args = ["-p", str(canned.port), *style.split(), "SHAPE", shape]
        assert run("ours", *args) == run("redis-cli", *args)


def test_an_error_reply_ends_with_1_only_when_asked(canned: CannedServer) -> None:
    for flags in ([], ["-e"]):
        args = ["-p", str(canned.port), *flags, "SHAPE", "error"]
        got = run("ours", *args)
        assert got == run("redis-cli", *args)
        assert got.code == len(flags)


def test_words_of_a_line_are_split_as_redis_cli_does(canned: CannedServer) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    pieces = [
        "a",
        "b c",
        '"',
        "'",
        "\\",
        "\\x41",
        "\\xZ",
        "\\n",
        "\\t",
        "\t",
        " ",
        "  ",
        "é",
        '\\"',
    ]
    pieces += ["\\'", '""', "''", '"a b"', "'a b'", '"\\x00"', "\\a\\b", "\x0b"]
    lines = ["WORDS " + "".join(rng.choices(pieces, k=rng.randint(0, 6))) for _ in range(1500)]
    lines = [line for line in lines if line.strip() != "WORDS"]
    stdin = "\n".join(lines).encode() + b"\n"
    args = ["-p", str(canned.port), "--no-raw"]
    want, got = run("redis-cli", *args, stdin=stdin), run("ours", *args, stdin=stdin)
    assert want.out.count(b"Invalid argument(s)") > 100
    assert got == want


def test_what_redis_cli_7_0_does_not_know_is_printed_too() -> None:
    big = b"(34928903284092385093248509438509438250243\r\n"
    with CannedServer(lambda words: big) as server:
        args = ["-p", str(server.port)]
        assert run("ours", *args, "X").out == b"34928903284092385093248509438509438250243\n"
        assert (
            run("ours", *args, "--csv", "X").out == b"34928903284092385093248509438509438250243\n"
        )


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "no reply of a Redis server"),
        (b":12a\r\n", "is no number"),
        (b"$5\r\nabcdefgh\r\n", "does not end where it should"),
        (b"*1\r\n" * 300, "inside each other"),
        (b"+" + b"x" * 70000, "a line of more than"),
        (b"$99999999999\r\n", "a bulk of 99999999999 bytes"),
    ],
)
def test_bytes_that_are_no_reply_are_one_clear_line(reply: bytes, says: str) -> None:
    with CannedServer(lambda words: reply) as server:
        got = run("ours", "-p", str(server.port), "PING")
    assert got.code == 1
    assert got.out == b""
    assert got.err.startswith(b"Error: Protocol error: ")
    assert says.encode() in got.err
    assert got.err.count(b"\n") == 1


def test_a_connection_that_ends_in_a_reply_is_an_error() -> None:
    def answer(words: list[bytes]) -> bytes:
        server.drop()
        return b""

    with CannedServer(answer) as server:
        got = run("ours", "-p", str(server.port), "PING")
    assert got == (1, b"", b"Error: Server closed the connection\n")
