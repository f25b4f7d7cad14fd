"""SLOWLOG: what is noted, how it is shortened, and what is kept out of it."""

from __future__ import annotations

from typing import Any

import pytest

from tools.doors import Door
from tools.resp import encode


def log_everything(door: Door) -> None:
    door.config("slowlog-max-len", 128)
    door.config("slowlog-log-slower-than", 0)
    assert door("SLOWLOG", "RESET") == "OK"


def noted(door: Door, count: int = -1) -> list[list[bytes]]:
    """The arguments of each entry, the oldest first, without the commands of this test itself."""
    entries = door("SLOWLOG", "GET", count)
    return [e[3] for e in reversed(entries) if e[3][0].upper() not in (b"SLOWLOG", b"CONFIG")]


def test_an_entry_has_six_fields(door: Door) -> None:
    door("CLIENT", "SETNAME", "who")
    log_everything(door)
    door("SET", "key", "value")
    now = int(door("TIME")[0])
    entry = next(e for e in door("SLOWLOG", "GET") if e[3][0] == b"SET")
    number, time_s, us, argv, addr, name = entry
    assert isinstance(number, int) and abs(now - time_s) <= 2 and 0 <= us < 10_000_000
    assert argv == [b"SET", b"key", b"value"] and name == b"who"
    if door.is_embedded:
        assert addr == b"in-process:0"
    elif door.name == "unix":
        assert addr.endswith(b":0")
    else:
        assert addr.startswith(b"127.0.0.1:")
    ids = [e[0] for e in door("SLOWLOG", "GET", -1)]
    assert ids == sorted(ids, reverse=True)


def test_get_takes_a_count_and_len_counts(door: Door) -> None:
    log_everything(door)
    for i in range(15):
        door("GET", f"k{i}")
    assert len(door("SLOWLOG", "GET")) == 10
    assert len(door("SLOWLOG", "GET", 3)) == 3 and door("SLOWLOG", "GET", 0) == []
    door.config("slowlog-log-slower-than", -1)
    count = door("SLOWLOG", "LEN")
    assert len(door("SLOWLOG", "GET", -1)) == count >= 18
    assert len(door("SLOWLOG", "GET", 1000)) == count
    assert door("SLOWLOG", "RESET") == "OK" and door("SLOWLOG", "LEN") == 0
    assert door("SLOWLOG", "GET") == []


def test_wrong_counts_get_redis_error_texts(door: Door) -> None:
    door.check("""
        SLOWLOG GET -2          -> -ERR count should be greater than or equal to -1
        SLOWLOG GET x           -> -ERR count should be greater than or equal to -1
        SLOWLOG LEN 1           -> -ERR wrong number of arguments for 'slowlog|len' command
        SLOWLOG nope            -> -ERR unknown subcommand 'nope'. Try SLOWLOG HELP.
    """)
    wrong = b"-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n"
    assert door.raw("SLOWLOG", "GET", 1, 2) == wrong
    help_lines = door("SLOWLOG", "HELP")
    assert {"GET [<count>]", "LEN", "RESET", "HELP"} <= set(help_lines)


def test_long_commands_are_shortened(door: Door) -> None:
    log_everything(door)
    door("SET", "k", "x" * 128)
    door("SET", "k", "y" * 130)
    door("MSET", *[b"w%d" % i for i in range(40)])
    door("DEL", *[b"d%d" % i for i in range(31)])
    log = noted(door)
    assert log[0] == [b"SET", b"k", b"x" * 128]
    assert log[1] == [b"SET", b"k", b"y" * 128 + b"... (2 more bytes)"]
    assert len(log[2]) == 32 and log[2][30] == b"w29"
    assert log[2][31] == b"... (10 more arguments)"
    assert len(log[3]) == 32 and log[3][31] == b"d30"


def test_the_oldest_entries_go_when_there_are_too_many(door: Door) -> None:
    log_everything(door)
    door.config("slowlog-max-len", 4)
    for i in range(10):
        door("GET", f"k{i}")
    assert noted(door)[-1] == [b"GET", b"k9"]
    assert door("SLOWLOG", "LEN") == 4
    door.config("slowlog-max-len", 0)
    door("GET", "k")
    assert door("SLOWLOG", "LEN") == 0


def test_only_commands_above_the_threshold_are_noted(door: Door) -> None:
    log_everything(door)
    door.config("slowlog-log-slower-than", 50_000)
    door("SLOWLOG", "RESET")
    door("SET", "k", "v")
    door("DEBUG", "SLEEP", 0.06)
    door("GET", "k")
    [entry] = door("SLOWLOG", "GET", -1)
    assert entry[3] == [b"DEBUG", b"SLEEP", b"0.06"]
    assert 60_000 <= entry[2] < 5_000_000
    door.config("slowlog-log-slower-than", -1)
    door("SLOWLOG", "RESET")
    door("DEBUG", "SLEEP", 0.06)
    assert door("SLOWLOG", "LEN") == 0


def test_a_slow_one_in_a_pipeline_of_equal_commands_is_found(door: Door) -> None:
    door.config("slowlog-log-slower-than", 50_000)
    door("SLOWLOG", "RESET")
    sleeps = [("DEBUG", "SLEEP", s) for s in ("0", "0", "0.07", "0", "0")]
    door.many([("SET", "k", "v")] * 20 + sleeps + [("GET", "k")] * 20)
    assert noted(door) == [[b"DEBUG", b"SLEEP", b"0.07"]]


def test_commands_of_a_transaction_are_noted_and_exec_is_not(door: Door) -> None:
    log_everything(door)
    door("MULTI")
    door("SET", "k", "v")
    door("INCR", "n")
    door("EXEC")
    assert noted(door) == [[b"MULTI"], [b"SET", b"k", b"v"], [b"INCR", b"n"]]


def test_commands_that_did_not_run_are_not_noted(door: Door) -> None:
    log_everything(door)
    for bad in (("GET",), ("nope", "secret"), ("SET", "k")):
        door(*bad)
    door("INCR", "k")
    assert noted(door) == [[b"INCR", b"k"]]


SECRETS: list[tuple[Any, ...]] = [
    ("AUTH", "s3cret-a"),
    ("AUTH", "user", "s3cret-b"),
    ("CONFIG", "SET", "masterauth", "s3cret-d"),
]


@pytest.mark.parametrize("command", SECRETS, ids=lambda c: " ".join(c[:2]))
def test_secrets_are_not_noted(door: Door, command: tuple[Any, ...]) -> None:
    log_everything(door)
    door(*command)
    text = repr(door("SLOWLOG", "GET", -1))
    assert "s3cret" not in text and "(redacted)" in text
    door("CONFIG", "SET", "masterauth", "")


@pytest.mark.sockets
def test_the_words_of_another_client_are_shown_with_its_own_name(door: Door) -> None:
    log_everything(door)
    other = door.other()
    other("CLIENT", "SETNAME", "other-one")
    other("GET", "from-other")
    entry = next(e for e in door("SLOWLOG", "GET", -1) if e[3] == [b"GET", b"from-other"])
    assert entry[5] == b"other-one"


@pytest.mark.sockets
@pytest.mark.resp2
def test_every_quick_command_of_a_pipeline_is_noted_when_all_are_wanted(door: Door) -> None:
    log_everything(door)
    with door.socket() as conn:
        conn.send(b"".join(encode("GET", f"p{i}") for i in range(64)))
        for _ in range(64):
            conn.read_raw()
    mine = [a for a in noted(door) if a[0] == b"GET"]
    assert mine == [[b"GET", b"p%d" % i] for i in range(64)]
