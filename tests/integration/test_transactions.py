"""MULTI, EXEC, DISCARD, WATCH, UNWATCH: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import pytest

from tools.doors import Door
from tools.wait import until

ABORTED = "EXECABORT Transaction discarded because of previous errors."


def test_multi_exec(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        SET k 1                  -> +QUEUED
        INCR k                   -> +QUEUED
        GET none                 -> +QUEUED
        PING                     -> +QUEUED
        B> GET k                 -> nil
        EXEC                     -> [+OK, :2, nil, +PONG]
        B> GET k                 -> "2"
        MULTI                    -> +OK
        EXEC                     -> []
        EXEC                     -> -ERR EXEC without MULTI
        DISCARD                  -> -ERR DISCARD without MULTI
    """)


def test_discard(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        SET k 1                  -> +QUEUED
        DISCARD                  -> +OK
        EXISTS k                 -> :0
        GET k                    -> nil
        EXEC                     -> -ERR EXEC without MULTI
    """)


def test_nested_multi_and_watch_inside_do_not_abort(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        MULTI                    -> -ERR MULTI calls can not be nested
        SET k 1                  -> +QUEUED
        WATCH k                  -> -ERR WATCH inside MULTI is not allowed
        UNWATCH                  -> +QUEUED
        EXEC                     -> any
    """)


def test_what_nested_multi_and_watch_do_to_exec(door: Door) -> None:
    """Both are refused; the queue lives on (MULTI) and so does the reply of EXEC."""
    door.check("""
        MULTI                    -> +OK
        SET k 1                  -> +QUEUED
        MULTI                    -> -ERR MULTI calls can not be nested
        EXEC                     -> [+OK]
        MULTI                    -> +OK
        SET k 2                  -> +QUEUED
        WATCH k                  -> -ERR WATCH inside MULTI is not allowed
        EXEC                     -> [+OK]
        GET k                    -> "2"
    """)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (
            ("NOSUCHCOMMAND", "x"),
            "ERR unknown command 'NOSUCHCOMMAND', with args beginning with: 'x' ",
        ),
        (("GET",), "ERR wrong number of arguments for 'get' command"),
        (("GET", "a", "b"), "ERR wrong number of arguments for 'get' command"),
        (("OBJECT", "nonsense", "k"), "ERR unknown subcommand 'nonsense'. Try OBJECT HELP."),
        (("OBJECT", "ENCODING"), "ERR wrong number of arguments for 'object|encoding' command"),
    ],
)
def test_an_error_while_queueing_aborts_exec(door: Door, bad: tuple[str, ...], error: str) -> None:
    door("SET", "k", "old")
    assert door("MULTI") == "OK"
    assert door("SET", "k", "new") == "QUEUED"
    assert door(*bad) == error
    assert door("GET", "k") == "QUEUED"
    assert door("EXEC") == ABORTED
    assert door("GET", "k") == b"old"
    door.check("""
        MULTI                    -> +OK
        GET                      -> -ERR wrong number of arguments for 'get' command
        DISCARD                  -> +OK
        MULTI                    -> +OK
        GET k                    -> +QUEUED
        EXEC                     -> ["old"]
    """)


def test_an_error_at_run_time_aborts_nothing(door: Door) -> None:
    door.check("""
        SET s abc                -> +OK
        MULTI                    -> +OK
        SET a 1                  -> +QUEUED
        INCR s                   -> +QUEUED
        SET b 2 EX 0             -> +QUEUED
        SET b 2 NX XX            -> +QUEUED
        INCR a                   -> +QUEUED
        EXEC                     -> [+OK, -"ERR value is not an integer or out of range", -"ERR invalid expire time in 'set' command", -"ERR syntax error", :2]
        MGET a b s               -> ["2", nil, "abc"]
    """)


def test_wrong_arity_of_the_transaction_commands(door: Door) -> None:
    door.check("""
        MULTI x                  -> -ERR wrong number of arguments for 'multi' command
        EXEC x                   -> -EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
        DISCARD x                -> -ERR wrong number of arguments for 'discard' command
        UNWATCH x                -> -ERR wrong number of arguments for 'unwatch' command
        WATCH                    -> -ERR wrong number of arguments for 'watch' command
        MULTI                    -> +OK
        EXEC x                   -> -EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
        EXEC                     -> -ERR EXEC without MULTI
    """)


def test_select_inside_a_transaction(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        SET k zero               -> +QUEUED
        SELECT 3                 -> +QUEUED
        SET k three              -> +QUEUED
        SELECT 99                -> +QUEUED
        GET k                    -> +QUEUED
        EXEC                     -> [+OK, +OK, +OK, -"ERR DB index is out of range", "three"]
        GET k                    -> "three"
        SELECT 0                 -> +OK
        GET k                    -> "zero"
    """)


def test_commands_of_every_family_inside_a_transaction(door: Door) -> None:
    door.check("""
        MSET a 1 b 2             -> +OK
        MULTI                    -> +OK
        MSET c 3 d 4             -> +QUEUED
        RENAME a e               -> +QUEUED
        COPY e f                 -> +QUEUED
        DEL b                    -> +QUEUED
        DBSIZE                   -> +QUEUED
        EXPIRE c 100             -> +QUEUED
        TTL c                    -> +QUEUED
        MOVE d 1                 -> +QUEUED
        EXISTS d                 -> +QUEUED
        SWAPDB 0 1               -> +QUEUED
        KEYS *                   -> +QUEUED
        SWAPDB 0 1               -> +QUEUED
        FLUSHALL                 -> +QUEUED
        DBSIZE                   -> +QUEUED
        RANDOMKEY                -> +QUEUED
        MSETNX x 1 y 2           -> +QUEUED
        TYPE x                   -> +QUEUED
        ECHO hi                  -> +QUEUED
        EXEC                     -> [+OK, +OK, :1, :1, :4, :1, :99..100, :1, :0, +OK, ["d"], +OK, +OK, :0, nil, :1, +string, "hi"]
    """)


def test_a_queue_of_20000_commands(door: Door) -> None:
    commands = [("MULTI",)] + [("INCR", "n")] * 20_000 + [("EXEC",)]
    replies = door.many(commands)
    assert replies[0] == "OK"
    assert set(replies[1:-1]) == {"QUEUED"}
    assert replies[-1] == list(range(1, 20_001))


# WATCH: (name, set-up by A, what B does, whether A's EXEC is refused)
CHANGES = [
    ("set", "SET k v", "SET k w", True),
    ("set of the same value", "SET k v", "SET k v", True),
    ("a new key", "DEL k", "SET k v", True),
    ("del", "SET k v", "DEL k", True),
    ("unlink", "SET k v", "UNLINK k", True),
    ("getdel", "SET k v", "GETDEL k", True),
    ("append", "SET k v", "APPEND k w", True),
    ("setrange", "SET k v", "SETRANGE k 0 w", True),
    ("incr", "SET k 1", "INCR k", True),
    ("incrby 0", "SET k 1", "INCRBY k 0", True),
    ("incrbyfloat", "SET k 1", "INCRBYFLOAT k 1.5", True),
    ("getset", "SET k v", "GETSET k w", True),
    ("setnx of a new key", "DEL k", "SETNX k w", True),
    ("mset", "SET k v", "MSET a 1 k w", True),
    ("msetnx of a new key", "DEL k", "MSETNX a 1 k w", True),
    ("expire", "SET k v", "EXPIRE k 100", True),
    ("expire in the past", "SET k v", "EXPIRE k -1", True),
    ("pexpireat", "SET k v", "PEXPIREAT k 4102444800000", True),
    ("persist of a key with a ttl", "SET k v EX 100", "PERSIST k", True),
    ("getex with an expiry", "SET k v", "GETEX k EX 100", True),
    ("getex persist", "SET k v EX 100", "GETEX k PERSIST", True),
    ("rename away", "SET k v", "RENAME k other", True),
    ("rename onto it", "MSET k v a b", "RENAME a k", True),
    ("rename onto it when it was missing", "SET a b", "RENAME a k", True),
    ("renamenx onto a missing key", "SET a b", "RENAMENX a k", True),
    ("copy onto it", "MSET k v a b", "COPY a k REPLACE", True),
    ("move away", "SET k v", "MOVE k 1", True),
    ("flushdb", "SET k v", "FLUSHDB", True),
    ("flushall", "SET k v", "FLUSHALL", True),
    ("flushall async", "SET k v", "FLUSHALL ASYNC", True),
    ("swapdb with an empty database", "SET k v", "SWAPDB 0 1", True),
    ("a failed set nx", "SET k v", "SET k w NX", False),
    ("a failed set xx", "DEL k", "SET k w XX", False),
    ("a failed setnx", "SET k v", "SETNX k w", False),
    ("a failed msetnx", "SET k v", "MSETNX k w new 1", False),
    ("a failed incr", "SET k v", "INCR k", False),
    ("a syntax error", "SET k v", "SET k w NX XX", False),
    ("get", "SET k v", "GET k", False),
    ("touch", "SET k v", "TOUCH k", False),
    ("getex without options", "SET k v", "GETEX k", False),
    ("persist of a key without a ttl", "SET k v", "PERSIST k", False),
    ("expire that NX refuses", "SET k v EX 100", "EXPIRE k 50 NX", False),
    ("expire of a missing key", "DEL k", "EXPIRE k 100", False),
    ("append of nothing to a missing key", "DEL k", "STRLEN k", False),
    ("setrange of nothing", "DEL k", "SETRANGE k 5 ''", False),
    ("del of a missing key", "DEL k", "DEL k", False),
    ("rename of another key", "MSET k v a b", "RENAME a c", False),
    ("renamenx that is refused", "MSET k v a b", "RENAMENX a k", False),
    ("copy from it", "SET k v", "COPY k other", False),
    ("copy that is refused", "MSET k v a b", "COPY a k", False),
    ("set of another key", "SET k v", "SET other w", False),
    ("flushall when it was missing", "SET a b", "FLUSHALL", False),
    ("flushdb of another database", "SET k v", "SWAPDB 4 5", False),
    ("config", "SET k v", "CONFIG RESETSTAT", False),
]


@pytest.mark.parametrize(
    ("first", "change", "refused"),
    [c[1:] for c in CHANGES],
    ids=[c[0].replace(" ", "-") for c in CHANGES],
)
def test_watch_sees_a_change_by_another_client(
    door: Door, first: str, change: str, refused: bool
) -> None:
    door.check(f"""
        {first}                  -> any
        WATCH k                  -> +OK
        B> {change}              -> any
        MULTI                    -> +OK
        PING                     -> +QUEUED
        EXEC                     -> {"nilarray" if refused else "[+PONG]"}
        MULTI                    -> +OK
        PING                     -> +QUEUED
        EXEC                     -> [+PONG]
    """)


@pytest.mark.parametrize(
    ("first", "change", "refused"),
    [c[1:] for c in CHANGES],
    ids=[c[0].replace(" ", "-") for c in CHANGES],
)
def test_watch_sees_a_change_by_its_own_client(
    door: Door, first: str, change: str, refused: bool
) -> None:
    door.check(f"""
        {first}                  -> any
        WATCH k                  -> +OK
        {change}                 -> any
        MULTI                    -> +OK
        PING                     -> +QUEUED
        EXEC                     -> {"nilarray" if refused else "[+PONG]"}
    """)


def test_watch_sees_a_change_between_multi_and_exec(door: Door) -> None:
    door.check("""
        SET k 1                  -> +OK
        WATCH k                  -> +OK
        MULTI                    -> +OK
        INCR k                   -> +QUEUED
        B> INCR k                -> :2
        EXEC                     -> nilarray
        GET k                    -> "2"
    """)


def test_watch_sees_a_change_inside_the_transaction_of_another_client(door: Door) -> None:
    door.check("""
        WATCH k                  -> +OK
        B> MULTI                 -> +OK
        B> SET k 1               -> +QUEUED
        MULTI                    -> +OK
        PING                     -> +QUEUED
        B> EXEC                  -> [+OK]
        EXEC                     -> nilarray
    """)


def test_a_change_before_watch_does_not_count(door: Door) -> None:
    door.check("""
        SET k 1                  -> +OK
        B> SET k 2               -> +OK
        WATCH k                  -> +OK
        MULTI                    -> +OK
        GET k                    -> +QUEUED
        EXEC                     -> ["2"]
    """)


def test_unwatch_discard_and_exec_forget_the_watches(door: Door) -> None:
    door.check("""
        UNWATCH                  -> +OK
        WATCH k                  -> +OK
        UNWATCH                  -> +OK
        B> SET k 1               -> +OK
        MULTI                    -> +OK
        PING                     -> +QUEUED
        EXEC                     -> [+PONG]
        WATCH k                  -> +OK
        MULTI                    -> +OK
        DISCARD                  -> +OK
        B> SET k 2               -> +OK
        MULTI                    -> +OK
        PING                     -> +QUEUED
        EXEC                     -> [+PONG]
        WATCH k                  -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
        B> SET k 3               -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
        WATCH k                  -> +OK
        B> SET k 4               -> +OK
        UNWATCH                  -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
        WATCH k                  -> +OK
        RESET                    -> +RESET
        B> SET k 5               -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
    """)


def test_unwatch_inside_multi_comes_too_late(door: Door) -> None:
    door.check("""
        WATCH k                  -> +OK
        MULTI                    -> +OK
        UNWATCH                  -> +QUEUED
        B> SET k 1               -> +OK
        EXEC                     -> nilarray
    """)


def test_an_error_while_queueing_wins_over_a_changed_watch(door: Door) -> None:
    door.check("""
        WATCH k                  -> +OK
        MULTI                    -> +OK
        GET                      -> -ERR wrong number of arguments for 'get' command
        B> SET k 1               -> +OK
        EXEC                     -> -EXECABORT Transaction discarded because of previous errors.
        MULTI                    -> +OK
        EXEC                     -> []
    """)


def test_watch_of_several_keys_in_several_databases(door: Door) -> None:
    door.check("""
        WATCH a b c a            -> +OK
        B> SET b 1               -> +OK
        MULTI                    -> +OK
        EXEC                     -> nilarray
        WATCH k                  -> +OK
        B> SELECT 1              -> +OK
        B> SET k 1               -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
        SELECT 1                 -> +OK
        WATCH k                  -> +OK
        SELECT 0                 -> +OK
        B> SET k 2               -> +OK
        MULTI                    -> +OK
        EXEC                     -> nilarray
    """)


def test_watch_and_swapdb(door: Door) -> None:
    """What counts is whether the key under that name in that database may have changed."""
    door.check("""
        WATCH k                  -> +OK
        B> SWAPDB 0 1            -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
        SELECT 1                 -> +OK
        SET k v                  -> +OK
        SELECT 0                 -> +OK
        WATCH k                  -> +OK
        B> SWAPDB 0 1            -> +OK
        MULTI                    -> +OK
        EXEC                     -> nilarray
        WATCH k                  -> +OK
        B> SWAPDB 4 5            -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
        WATCH k                  -> +OK
        B> SWAPDB 0 0            -> +OK
        MULTI                    -> +OK
        EXEC                     -> []
    """)


def test_two_clients_watch_one_key(door: Door) -> None:
    door.check("""
        SET k 1                  -> +OK
        WATCH k                  -> +OK
        B> WATCH k               -> +OK
        C> WATCH k               -> +OK
        MULTI                    -> +OK
        INCR k                   -> +QUEUED
        EXEC                     -> [:2]
        B> MULTI                 -> +OK
        B> INCR k                -> +QUEUED
        B> EXEC                  -> nilarray
        C> UNWATCH               -> +OK
        C> MULTI                 -> +OK
        C> INCR k                -> +QUEUED
        C> EXEC                  -> [:3]
    """)


def test_a_watched_key_that_expires_refuses_exec(door: Door) -> None:
    door.check("""
        SET k v PX 40            -> +OK
        WATCH k                  -> +OK
    """)
    other = door.other()
    until(lambda: other("EXISTS", "k") == 0, "k has expired")
    door.check("""
        MULTI                    -> +OK
        PING                     -> +QUEUED
        EXEC                     -> nilarray
    """)


def test_a_watched_key_that_expires_unseen_refuses_exec(door: Door) -> None:
    """Nobody touches the key after its time: EXEC itself must notice."""
    door("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        door.check("""
            SET k v PX 300       -> +OK
            SET clock v PX 320   -> +OK
            WATCH k              -> +OK
        """)
        other = door.other()
        until(lambda: other("EXISTS", "clock") == 0, "the second key has expired")
        door.check("""
            MULTI                -> +OK
            PING                 -> +QUEUED
            EXEC                 -> nilarray
        """)
    finally:
        door("DEBUG", "SET-ACTIVE-EXPIRE", "1")


def test_watch_of_a_key_that_had_already_expired(door: Door) -> None:
    """It was gone when it was watched: its removal is no change, its return is one."""
    door("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        door.check("""
            SET k v PX 20        -> +OK
            SET clock v PX 40    -> +OK
        """)
        other = door.other()
        until(lambda: other("EXISTS", "clock") == 0, "the second key has expired")
        door.check("""
            WATCH k              -> +OK
            B> GET k             -> nil
            B> DEL k             -> :0
            MULTI                -> +OK
            PING                 -> +QUEUED
            EXEC                 -> [+PONG]
            SET k v PX 20        -> +OK
            SET clock v PX 40    -> +OK
        """)
        until(lambda: other("EXISTS", "clock") == 0, "the second key has expired")
        door.check("""
            WATCH k              -> +OK
            B> SET k w           -> +OK
            MULTI                -> +OK
            PING                 -> +QUEUED
            EXEC                 -> nilarray
            SET k v PX 20        -> +OK
            SET clock v PX 40    -> +OK
        """)
        until(lambda: other("EXISTS", "clock") == 0, "the second key has expired")
        door.check("""
            WATCH k              -> +OK
            B> FLUSHALL          -> +OK
            MULTI                -> +OK
            PING                 -> +QUEUED
            EXEC                 -> [+PONG]
        """)
    finally:
        door("DEBUG", "SET-ACTIVE-EXPIRE", "1")


def test_watch_counters_lose_no_update(door: Door) -> None:
    """Two clients take turns at an optimistic increment; every success is one more."""
    other = door.other()
    done = 0
    for turn in range(200):
        one, two = (door, other) if turn % 2 else (other, door)
        for client in (one, two):
            client("WATCH", "n")
        value = int(one("GET", "n") or 0)
        for client in (one, two):
            client("MULTI")
            client("SET", "n", value + 1)
        results = [one("EXEC"), two("EXEC")]
        assert results == [["OK"], None]
        done += 1
    assert door("GET", "n") == b"%d" % done


@pytest.mark.sockets
def test_a_connection_that_goes_away_forgets_queue_and_watches(door: Door) -> None:
    conn = door.socket()
    conn.call("WATCH", "k")
    conn.call("MULTI")
    conn.call("SET", "k", "lost")
    conn.close()
    door.check("""
        SET k 1                  -> +OK
        GET k                    -> "1"
    """)


def test_exec_in_resp3_keeps_the_shapes_of_its_commands(door: Door) -> None:
    door.check("""
        HELLO 3                  -> any
        SET k v                  -> +OK
        MULTI                    -> +OK
        GET none                 -> +QUEUED
        CONFIG GET hz            -> +QUEUED
        HELLO 2                  -> +QUEUED
        GET none                 -> +QUEUED
    """)
    raw, _ = door.node("EXEC")
    head = b"*4\r\n_\r\n%1\r\n$2\r\nhz\r\n$2\r\n10\r\n*14\r\n"
    assert raw.startswith(head), raw
    assert raw.endswith(b"$-1\r\n"), raw
